//! What listens for streams, and what streams are told when they are made.

use super::ipc::Directory;
use super::{Door, Stream};
use socket2::Socket;
use std::io;

/// What a stream runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Tcp,
    #[cfg(unix)]
    Ipc,
}

/// Options of the system's sockets. `None` leaves the system's default.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StreamOptions {
    /// SO_SNDBUF in octets.
    pub(crate) send_buffer: Option<usize>,
    /// SO_RCVBUF in octets.
    pub(crate) recv_buffer: Option<usize>,
    /// Connections the kernel may hold before they are accepted.
    pub(crate) backlog: i32,
}

impl StreamOptions {
    /// Makes `socket` non-blocking and sets its options.
    pub(super) fn apply(&self, socket: &Socket) -> io::Result<()> {
        socket.set_nonblocking(true)?;
        if let Some(size) = self.send_buffer {
            socket.set_send_buffer_size(size)?;
        }
        if let Some(size) = self.recv_buffer {
            socket.set_recv_buffer_size(size)?;
        }
        Ok(())
    }
}

/// A non-blocking listener.
pub(crate) struct Listener {
    pub(super) door: Door,
    kind: Kind,
    /// What goes with it.
    directory: Option<Directory>,
}

impl Listener {
    pub(super) fn new(socket: Socket, kind: Kind, directory: Option<Directory>) -> Self {
        Self { door: super::door(socket, kind), kind, directory }
    }
    /// Gives the port or name back.
    ///
    /// # Errors
    /// A file of its own could not be removed.
    pub(crate) fn close(self) -> io::Result<()> {
        drop(self.door);
        self.directory.map_or(Ok(()), Directory::remove)
    }
    /// Takes the next connection.
    pub(crate) fn accept(&self) -> io::Result<Stream> {
        let stream = super::accept(&self.door)?;
        if self.kind == Kind::Tcp {
            super::set_nodelay(&stream)?;
        }
        Ok(stream)
    }
}

/// Whether the call may be repeated later.
pub(crate) fn would_block(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
