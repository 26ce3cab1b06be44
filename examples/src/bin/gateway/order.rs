//! An order of a player, as clients send it to the gateway and, numbered, the gateway to a server.

/// Octets of an order.
pub(crate) const ORDER: usize = 48;

/// Octets of a numbered order.
pub(crate) const MESSAGE: usize = 8 + ORDER;

/// The order that `player` gives at `tick`: both numbers, some content made of them, a checksum.
pub(crate) fn order(player: u32, tick: u32) -> [u8; ORDER] {
    let mut octets = [0; ORDER];
    let (body, sum) = octets.split_at_mut(ORDER - 8);
    let (ids, content) = body.split_at_mut(8);
    ids.copy_from_slice(&(u64::from(player) << 32 | u64::from(tick)).to_le_bytes());
    let mut mixed = tick ^ player.rotate_left(16);
    for octet in content {
        mixed = mixed.wrapping_mul(0x9e37_79b1).rotate_left(7);
        *octet = mixed as u8;
    }
    let checksum = checksum(body);
    sum.copy_from_slice(&checksum.to_le_bytes());
    octets
}

/// `order` with its number in front.
pub(crate) fn number(number: u64, order: &[u8]) -> [u8; MESSAGE] {
    let mut message = [0; MESSAGE];
    message[..8].copy_from_slice(&number.to_le_bytes());
    for (to, from) in message[8..].iter_mut().zip(order) {
        *to = *from;
    }
    message
}

/// Whether `order` is one, as it was given.
pub(crate) fn is_sound(order: &[u8]) -> bool {
    let Some((body, sum)) = order.split_last_chunk::<8>() else { return false };
    order.len() == ORDER && checksum(body) == u64::from_le_bytes(*sum)
}

/// The number of a message, if its order is sound.
pub(crate) fn parse(message: &[u8]) -> Option<u64> {
    let (number, order) = message.split_first_chunk::<8>()?;
    is_sound(order).then(|| u64::from_le_bytes(*number))
}

/// FNV-1a.
pub(crate) fn checksum(octets: &[u8]) -> u64 {
    octets.iter().fold(0xcbf2_9ce4_8422_2325, |sum, octet| (sum ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numbered_order_comes_back_and_a_changed_one_does_not() {
        let message = number(77, &order(5, 9));
        assert_eq!(parse(&message), Some(77));
        for at in 8..MESSAGE {
            let mut changed = message;
            changed[at] ^= 1;
            assert_eq!(parse(&changed), None, "octet {at}");
        }
        assert_eq!(parse(&message[..MESSAGE - 1]), None);
        assert_eq!(parse(&[]), None);
    }
}
