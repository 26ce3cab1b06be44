//! Packets on their way in: many in one system call, cut where the kernel joined them.

use core::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg};
use socket2::Socket;
use std::io::IoSliceMut;
use std::os::fd::AsRawFd;
use std::vec;
use std::vec::Vec;

/// Units received in one call, and octets of each: what UDP_GRO joins at most.
pub(super) const UNITS: usize = 16;
const UNIT: usize = 65_536;

/// What a call has brought.
#[derive(Clone, Copy, Debug)]
pub(super) struct Received {
    /// Packets, or packets that the kernel joined.
    pub(super) units: usize,
    /// There may be more.
    pub(super) more: bool,
}

/// Where packets are received to.
#[derive(Debug)]
pub(super) struct Inbox {
    octets: Vec<u8>,
    /// IPv4 raw sockets deliver the IP header too.
    header: bool,
}

impl Inbox {
    pub(super) fn new(header: bool) -> Self {
        Self { octets: vec![0; UNITS * UNIT], header }
    }
    /// Receives once and hands on each packet.
    pub(super) fn receive(&mut self, socket: &Socket, mut packet: impl FnMut(&[u8], SocketAddr)) -> Received {
        let units = match units(&mut self.octets, socket) {
            Ok(units) => units,
            // Nothing is there; or an error of the past (a port that was unreachable), which is told once and means nothing
            // here: what there is besides is readable still.
            Err(_) => return Received { units: 0, more: false },
        };
        for ((len, segments, from), unit) in units.iter().zip(self.octets.chunks(UNIT)) {
            let Some(from) = *from else { continue };
            let mut unit = unit.get(..*len).unwrap_or_default();
            if self.header {
                unit = behind_header(unit);
            }
            match segments {
                Some(segment) if *segment > 0 => unit.chunks(*segment).for_each(|octets| packet(octets, from)),
                _ => packet(unit, from),
            }
        }
        Received { units: units.len(), more: units.len() == UNITS }
    }
}

/// What one unit is: its octets, the length of the packets that were joined to it, and where it comes from.
type Unit = (usize, Option<usize>, Option<SocketAddr>);

/// Receives as many units as there are and fit.
fn units(octets: &mut [u8], socket: &Socket) -> nix::Result<Vec<Unit>> {
    let mut slices: Vec<_> = octets.chunks_mut(UNIT).map(|unit| [IoSliceMut::new(unit)]).collect();
    let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(UNITS, Some(nix::cmsg_space!(i32)));
    let received = recvmmsg(socket.as_raw_fd(), &mut headers, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None)?;
    let unit = received.map(|unit| {
        let segment = unit.cmsgs().ok().into_iter().flatten().find_map(|control| match control {
            ControlMessageOwned::UdpGroSegments(len) => usize::try_from(len).ok(),
            _ => None,
        });
        (unit.bytes, segment, unit.address.as_ref().and_then(source))
    });
    Ok(unit.collect())
}

fn source(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|&address| SocketAddrV4::from(address).into());
    v4.or_else(|| address.as_sockaddr_in6().map(|&address| SocketAddrV6::from(address).into()))
}

/// What follows an IPv4 header; nothing when there is none.
fn behind_header(octets: &[u8]) -> &[u8] {
    let len = octets.first().map_or(0, |first| usize::from(first & 0x0f).saturating_mul(4));
    octets.get(len..).filter(|_| len >= 20).unwrap_or_default()
}
