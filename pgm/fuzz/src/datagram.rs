//! Datagrams drawn from octets, and what all targets have in common.

use omnimq_pgm::wire::checksum;
use omnimq_pgm::{Encapsulation, Session};
use omnimq_seeds::Decisions;
use std::net::{IpAddr, Ipv4Addr};

/// The session of all targets.
pub const SESSION: Session = Session {
    group: IpAddr::V4(Ipv4Addr::new(239, 192, 1, 1)),
    port: 5555,
    encapsulation: Encapsulation::Udp,
    max_tpdu: 400,
};

/// The address of the source.
pub const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

/// A datagram: a header that gets past the first checks, of a session between `near` and `far`, and what follows.
pub fn datagram(decisions: &mut Decisions<'_>, near: u16, far: u16) -> Vec<u8> {
    let (kind, flags, len) = (decisions.octet(), decisions.octet(), decisions.octet());
    let mut octets = vec![0; 16];
    octets[0..2].copy_from_slice(&near.to_be_bytes());
    octets[2..4].copy_from_slice(&far.to_be_bytes());
    (octets[4], octets[5]) = (kind & 0x0f, flags);
    octets.extend_from_slice(decisions.take(usize::from(len)));
    if matches!(octets[4], 4 | 5) {
        let options = if flags & 1 == 0 || octets.len() < 28 { 0 } else { u16::from_be_bytes([octets[26], octets[27]]) };
        let tsdu = (octets.len() as u16).saturating_sub(24).saturating_sub(options);
        octets[14..16].copy_from_slice(&tsdu.to_be_bytes());
    }
    if kind & 0x10 == 0 {
        let sum = !checksum(&octets);
        octets[6..8].copy_from_slice(&sum.to_be_bytes());
    }
    octets
}
