//! What both ends of a session know beforehand, and where packets go.

use crate::wire::DATA_HEAD_LEN;
use core::net::IpAddr;

/// What PGM packets travel in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encapsulation {
    /// IP protocol 113: `pgm://`.
    Raw,
    /// UDP datagrams: `epgm://`.
    Udp,
}

/// A session: a group and a port, and how large packets may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// The group that the source sends to. A receiver is told with each packet to which one it came.
    pub group: IpAddr,
    /// The data-destination port, and in UDP the port of UDP.
    pub port: u16,
    /// What packets travel in.
    pub encapsulation: Encapsulation,
    /// Octets of the longest packet with its IP header (ZMQ_MULTICAST_MAXTPDU; by default 1500).
    pub max_tpdu: u16,
}

impl Session {
    /// Octets of the headers around a PGM packet.
    pub fn envelope(&self) -> usize {
        let ip = if self.group.is_ipv4() { 20 } else { 40 };
        let udp = if self.encapsulation == Encapsulation::Udp { 8 } else { 0 };
        ip + udp
    }
    /// Octets of data that fit into one packet.
    pub fn max_tsdu(&self) -> usize {
        usize::from(self.max_tpdu).saturating_sub(self.envelope()).saturating_sub(DATA_HEAD_LEN)
    }
}

/// Where a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// To the group.
    Group,
    /// To the group, but no further than the next router: with a time to live of 1.
    Neighbours,
    /// To one host.
    Host(IpAddr),
}

/// A packet to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Its octets, from the beginning of the buffer.
    pub len: usize,
    /// Where it goes.
    pub target: Target,
}

/// Packets of a window that covers `recovery` milliseconds at `rate` kilobits per second with packets of `max_tpdu`
/// octets: computed as libzmq does (ZMQ_RECOVERY_IVL, ZMQ_RATE, ZMQ_MULTICAST_MAXTPDU), and at least 1.
pub fn window_of(recovery: u32, rate: u32, max_tpdu: u16) -> u32 {
    let octets = u64::from(recovery).saturating_mul(u64::from(rate) / 8);
    let packets = octets.checked_div(u64::from(max_tpdu)).unwrap_or(octets);
    u32::try_from(packets).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{Ipv4Addr, Ipv6Addr};

    #[test]
    fn data_that_fits_table() {
        let v4 = IpAddr::V4(Ipv4Addr::new(239, 192, 1, 1));
        let v6 = IpAddr::V6(Ipv6Addr::from([0xff, 0x15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]));
        let table = [
            (v4, Encapsulation::Udp, 1500, 1448),
            (v4, Encapsulation::Raw, 1500, 1456),
            (v6, Encapsulation::Udp, 1500, 1428),
            (v6, Encapsulation::Raw, 1500, 1436),
            (v4, Encapsulation::Udp, 10, 0),
        ];
        for (group, encapsulation, max_tpdu, tsdu) in table {
            assert_eq!(Session { group, port: 1, encapsulation, max_tpdu }.max_tsdu(), tsdu);
        }
    }

    #[test]
    fn windows_are_libzmqs() {
        assert_eq!(window_of(10_000, 100, 1500), 80);
        assert_eq!(window_of(1_000, 100_000, 1500), 8_333);
        assert_eq!(window_of(10_000, 1_000_000, 1500), 833_333);
        assert_eq!(window_of(1, 1, 1500), 1);
        assert_eq!(window_of(u32::MAX, u32::MAX, 0), u32::MAX);
    }
}
