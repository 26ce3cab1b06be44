//! mio's sockets: tcp, and ipc where the system has it.

use super::Kind;
use mio::event::Source;
use mio::{Interest, Registry, Token};
use socket2::Socket;
use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;

/// A non-blocking stream.
pub(crate) enum Stream {
    Tcp(mio::net::TcpStream),
    #[cfg(unix)]
    Ipc(mio::net::UnixStream),
}

/// A non-blocking socket that listens.
pub(crate) enum Door {
    Tcp(mio::net::TcpListener),
    #[cfg(unix)]
    Ipc(mio::net::UnixListener),
}

/// The same for whichever it is.
macro_rules! either {
    ($of:ident, $it:expr, $inner:ident => $what:expr) => {
        match $it {
            $of::Tcp($inner) => $what,
            #[cfg(unix)]
            $of::Ipc($inner) => $what,
        }
    };
}

/// What `socket` is to those who read and write.
pub(crate) fn stream(socket: Socket, kind: Kind) -> Stream {
    match kind {
        Kind::Tcp => Stream::Tcp(mio::net::TcpStream::from_std(socket.into())),
        #[cfg(unix)]
        Kind::Ipc => Stream::Ipc(mio::net::UnixStream::from_std(socket.into())),
    }
}

/// What `socket` is to those who accept.
pub(crate) fn door(socket: Socket, kind: Kind) -> Door {
    match kind {
        Kind::Tcp => Door::Tcp(mio::net::TcpListener::from_std(socket.into())),
        #[cfg(unix)]
        Kind::Ipc => Door::Ipc(mio::net::UnixListener::from_std(socket.into())),
    }
}

/// Takes the next connection.
pub(crate) fn accept(door: &Door) -> io::Result<Stream> {
    Ok(match door {
        Door::Tcp(door) => Stream::Tcp(door.accept()?.0),
        #[cfg(unix)]
        Door::Ipc(door) => Stream::Ipc(door.accept()?.0),
    })
}

pub(crate) fn set_nodelay(stream: &Stream) -> io::Result<()> {
    match stream {
        Stream::Tcp(stream) => stream.set_nodelay(true),
        #[cfg(unix)]
        Stream::Ipc(_) => Ok(()),
    }
}

/// Where the other side is, over tcp.
pub(crate) fn peer_address(stream: &Stream) -> Option<std::net::SocketAddr> {
    match stream {
        Stream::Tcp(stream) => stream.peer_addr().ok(),
        #[cfg(unix)]
        Stream::Ipc(_) => None,
    }
}

/// How connecting has ended.
pub(crate) fn outcome(stream: &Stream) -> io::Result<()> {
    let (error, peer) = either!(Stream, stream, stream => (stream.take_error()?, stream.peer_addr().map(drop)));
    error.map_or(peer, Err)
}

impl Stream {
    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        either!(Stream, self, stream => stream.shutdown(how))
    }
}

impl Read for &Stream {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        either!(Stream, self, stream => (&mut &*stream).read(space))
    }
}

impl Write for &Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        either!(Stream, self, stream => (&mut &*stream).write(bytes))
    }
    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        either!(Stream, self, stream => (&mut &*stream).write_vectored(slices))
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

macro_rules! source {
    ($($of:ident)*) => { $(
        impl Source for $of {
            fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
                either!($of, self, it => it.register(registry, token, interests))
            }
            fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
                either!($of, self, it => it.reregister(registry, token, interests))
            }
            fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
                either!($of, self, it => it.deregister(registry))
            }
        }
    )* };
}

source!(Stream Door);
