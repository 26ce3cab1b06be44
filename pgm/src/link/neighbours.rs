//! Publishers of one host and port. Of what receivers ask of one of them the kernel gives all that comes from one receiver to
//! the same socket, whoever is meant; the one that gets what is another's hands it on.

use crate::wire::Tsi;
use std::format;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Octets of the longest packet that is handed on: no question is longer.
const LONGEST: usize = 1500;
/// Packets taken at once.
const MOST: usize = 128;

/// Where one publisher gets what others got.
#[derive(Debug)]
pub(super) struct Neighbours(UnixDatagram);

/// Known to all processes of this network namespace, and in no file system.
fn address(tsi: Tsi) -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(format!("omnimq-pgm-{tsi}"))
}

impl Neighbours {
    /// Of the source `tsi`.
    pub(super) fn open(tsi: Tsi) -> io::Result<Self> {
        let socket = UnixDatagram::bind_addr(&address(tsi)?)?;
        socket.set_nonblocking(true)?;
        Ok(Self(socket))
    }
    /// Hands a packet on to the source that it is for, if that is here. Lost is lost: it is asked for again.
    pub(super) fn pass(&self, octets: &[u8], to: Tsi) {
        let _ = address(to).and_then(|to| self.0.send_to_addr(octets, &to));
    }
    /// Takes what has been handed on.
    pub(super) fn receive(&self, mut packet: impl FnMut(&[u8])) {
        let mut octets = [0; LONGEST];
        for _ in 0..MOST {
            let Ok(len) = self.0.recv(&mut octets) else { return };
            packet(octets.get(..len).unwrap_or_default());
        }
    }
}

impl AsFd for Neighbours {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
