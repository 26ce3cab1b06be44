//! Decisions drawn from octets, and datagrams among them; when the octets run out, every decision is 0.

use omnimq_pgm::wire::checksum;
use omnimq_pgm::{Encapsulation, Session};
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

/// The octets left.
#[derive(Clone, Copy, Debug)]
pub struct Decisions<'a>(pub &'a [u8]);

impl<'a> Decisions<'a> {
    /// The next octet.
    pub fn octet(&mut self) -> u8 {
        match self.0.split_first() {
            Some((&octet, rest)) => {
                self.0 = rest;
                octet
            }
            None => 0,
        }
    }
    /// The next `len` octets, or as many as there are.
    pub fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// A datagram: a header that gets past the first checks, of a session between `near` and `far`, and what follows.
    pub fn datagram(&mut self, near: u16, far: u16) -> Vec<u8> {
        let (kind, flags, len) = (self.octet(), self.octet(), self.octet());
        let mut octets = vec![0; 16];
        octets[0..2].copy_from_slice(&near.to_be_bytes());
        octets[2..4].copy_from_slice(&far.to_be_bytes());
        (octets[4], octets[5]) = (kind & 0x0f, flags);
        octets.extend_from_slice(self.take(usize::from(len)));
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
}
