//! TCP sockets with the options they need, made non-blocking.

use super::{Listener, Stream};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;

/// Options of TCP sockets. `None` leaves the system's default.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TcpOptions {
    /// SO_SNDBUF in octets.
    pub(crate) send_buffer: Option<usize>,
    /// SO_RCVBUF in octets.
    pub(crate) recv_buffer: Option<usize>,
    /// Connections the kernel may hold before they are accepted.
    pub(crate) backlog: i32,
}

fn socket(address: SocketAddr, options: &TcpOptions) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    if let Some(size) = options.send_buffer {
        socket.set_send_buffer_size(size)?;
    }
    if let Some(size) = options.recv_buffer {
        socket.set_recv_buffer_size(size)?;
    }
    Ok(socket)
}

/// A listener at `address`; port 0 is replaced by a free one.
pub(crate) fn listen(address: SocketAddr, options: &TcpOptions) -> io::Result<(Listener, SocketAddr)> {
    let socket = socket(address, options)?;
    // Elsewhere SO_REUSEADDR lets a second listener steal the port.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(options.backlog)?;
    let listener = std::net::TcpListener::from(socket);
    let local = listener.local_addr()?;
    #[cfg(not(target_os = "linux"))]
    let listener = Listener::from_std(listener);
    Ok((listener, local))
}

/// Takes the next connection from `listener`.
pub(crate) fn accept(listener: &Listener) -> io::Result<(Stream, SocketAddr)> {
    let (stream, peer) = listener.accept()?;
    #[cfg(target_os = "linux")]
    stream.set_nonblocking(true)?;
    stream.set_nodelay(true)?;
    Ok((stream, peer))
}

/// Begins to connect to `address`, from `source` if given; the stream is writable when that has succeeded or failed.
pub(crate) fn connect(address: SocketAddr, source: Option<SocketAddr>, options: &TcpOptions) -> io::Result<Stream> {
    let socket = socket(address, options)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(source) = source {
        socket.bind(&source.into())?;
    }
    match socket.connect(&address.into()) {
        Err(error) if !in_progress(&error) => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let stream = std::net::TcpStream::from(socket);
    #[cfg(not(target_os = "linux"))]
    let stream = Stream::from_std(stream);
    Ok(stream)
}

fn in_progress(error: &io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(EINPROGRESS) {
        return true;
    }
    error.kind() == io::ErrorKind::WouldBlock
}

#[cfg(target_os = "linux")]
const EINPROGRESS: i32 = rustix::io::Errno::INPROGRESS.raw_os_error();
#[cfg(all(unix, not(target_os = "linux")))]
const EINPROGRESS: i32 = 36;

/// Whether the call may be repeated later.
pub(crate) fn would_block(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
