//! Packets on their way out: many in one system call.

use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg, sendmsg};
use socket2::Socket;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::vec::Vec;

/// Octets that wait at most.
const ROOM: usize = 256 << 10;
/// Most octets and packets that the kernel cuts out of one unit: what fits into an IP packet, and UDP_MAX_SEGMENTS.
const UNIT: usize = 65_000;
const SEGMENTS: usize = 64;
/// Most packets in one call.
const BATCH: usize = 64;

/// Packets that wait to be sent, one behind the other.
#[derive(Debug)]
pub(super) struct Outbox {
    octets: Vec<u8>,
    used: usize,
    /// Where each ends, and where it goes.
    packets: Vec<(usize, SocketAddr)>,
    /// How many of them have left, and their octets.
    left: (usize, usize),
    /// The kernel may cut units into packets.
    segmentation: bool,
}

impl Outbox {
    pub(super) fn new(segmentation: bool) -> Self {
        Self { octets: std::vec![0; ROOM], used: 0, packets: Vec::new(), left: (0, 0), segmentation }
    }
    pub(super) const fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }
    /// Where the next packet may be written; `None` when there is no room for one of `len` octets.
    pub(super) fn space(&mut self, len: usize) -> Option<&mut [u8]> {
        self.octets.get_mut(self.used..).filter(|space| space.len() >= len)
    }
    /// A packet of `len` octets has been written there.
    pub(super) fn push(&mut self, len: usize, to: SocketAddr) {
        self.used = self.used.saturating_add(len).min(self.octets.len());
        self.packets.push((self.used, to));
    }
    /// Sends what it can; true when nothing is left, false when the socket has no room.
    pub(super) fn flush(&mut self, socket: &Socket) -> bool {
        while self.left.0 < self.packets.len() {
            let sent = if self.segmentation { self.send_unit(socket) } else { self.send_batch(socket) };
            match sent {
                Ok(packets) => self.on_left(packets),
                Err(Errno::EAGAIN | Errno::ENOBUFS) => return false,
                Err(Errno::EINTR) => {}
                Err(Errno::EIO | Errno::EINVAL | Errno::EOPNOTSUPP) if self.segmentation => self.segmentation = false,
                // Lost like any other packet: what matters is asked for again.
                Err(_) => self.on_left(1),
            }
        }
        (self.used, self.left) = (0, (0, 0));
        self.packets.clear();
        true
    }
    fn on_left(&mut self, packets: usize) {
        self.left.0 = self.left.0.saturating_add(packets).min(self.packets.len());
        let last = self.left.0.checked_sub(1).and_then(|last| self.packets.get(last));
        self.left.1 = last.map_or(0, |(end, _)| *end);
    }
    /// Sends the longest run of packets of one length, which a shorter one may end, as one unit.
    fn send_unit(&self, socket: &Socket) -> nix::Result<usize> {
        let (start, packets) = (self.left.1, self.packets.get(self.left.0..).unwrap_or_default());
        let Some(&(first, to)) = packets.first() else { return Ok(0) };
        let len = first.saturating_sub(start);
        let (mut count, mut end) = (1, first);
        while let Some(&(next, other)) = packets.get(count) {
            let this = next.saturating_sub(end);
            if other != to || this > len || next.saturating_sub(start) > UNIT || count >= SEGMENTS {
                break;
            }
            (count, end) = (count.saturating_add(1), next);
            if this < len {
                break;
            }
        }
        let octets = [IoSlice::new(self.octets.get(start..end).unwrap_or_default())];
        let segment = u16::try_from(len).unwrap_or(u16::MAX);
        let control = [ControlMessage::UdpGsoSegments(&segment)];
        let control = if count > 1 { control.as_slice() } else { &[] };
        let address = SockaddrStorage::from(to);
        sendmsg(socket.as_raw_fd(), &octets, control, MsgFlags::MSG_DONTWAIT, Some(&address))?;
        Ok(count)
    }
    /// Sends many packets in one call.
    fn send_batch(&self, socket: &Socket) -> nix::Result<usize> {
        let packets = self.packets.get(self.left.0..).unwrap_or_default();
        let mut start = self.left.1;
        let mut slices = Vec::with_capacity(BATCH);
        let mut addresses = Vec::with_capacity(BATCH);
        for &(end, to) in packets.iter().take(BATCH) {
            slices.push([IoSlice::new(self.octets.get(start..end).unwrap_or_default())]);
            addresses.push(Some(SockaddrStorage::from(to)));
            start = end;
        }
        let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(slices.len(), None);
        let flags = MsgFlags::MSG_DONTWAIT;
        sendmmsg(socket.as_raw_fd(), &mut headers, &slices, &addresses, [], flags).map(Iterator::count)
    }
}
