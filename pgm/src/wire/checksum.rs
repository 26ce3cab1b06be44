//! The checksum of RFC 3208 section 8: the one's complement sum of RFC 1071 over the whole PGM packet.

/// The one's complement sum of `octets`, an odd one padded with zero: 0xffff over a packet whose checksum is right.
#[inline]
pub fn checksum(octets: &[u8]) -> u16 {
    // The sum does not depend on the order of octets (RFC 1071 section 2B), so it is taken in the machine's own.
    let (words, rest) = octets.as_chunks::<4>();
    let mut sum: u64 = 0;
    for word in words {
        sum = sum.wrapping_add(u64::from(u32::from_ne_bytes(*word)));
    }
    let mut last = [0; 4];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    sum = sum.wrapping_add(u64::from(u32::from_ne_bytes(last)));
    u16::from_be(fold(sum))
}

/// Adds the carries back in until 16 bits are left.
const fn fold(sum: u64) -> u16 {
    let sum = (sum >> 32).wrapping_add(sum & 0xffff_ffff);
    let sum = (sum >> 16).wrapping_add(sum & 0xffff);
    let sum = (sum >> 16).wrapping_add(sum & 0xffff);
    let sum = (sum >> 16).wrapping_add(sum & 0xffff);
    (sum & 0xffff) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// RFC 1071 as it is written.
    fn naive(octets: &[u8]) -> u16 {
        let mut sum: u32 = 0;
        for pair in octets.chunks(2) {
            sum += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
            if sum > 0xffff {
                sum -= 0xffff;
            }
        }
        sum as u16
    }

    #[test]
    fn the_longest_packet_does_not_overflow() {
        let octets: Vec<u8> = std::vec![0xff; 65_535];
        assert_eq!(checksum(&octets), naive(&octets));
    }

    proptest! {
        #[test]
        fn equals_the_definition(octets in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(checksum(&octets), naive(&octets));
        }
    }
}
