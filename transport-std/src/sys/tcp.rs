//! TCP sockets with the options they need, made non-blocking.

use super::{Kind, Listener, Stream, StreamOptions};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;

fn socket(address: SocketAddr, options: &StreamOptions) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    options.apply(&socket)?;
    Ok(socket)
}

/// A listener at `address`, and where it listens: port 0 is replaced by a free one. `[::]` listens for IPv4 too.
pub(crate) fn listen(address: SocketAddr, options: &StreamOptions) -> io::Result<(Listener, SocketAddr)> {
    let socket = socket(address, options)?;
    reuse_address(&socket)?;
    if let SocketAddr::V6(address) = address {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    socket.bind(&address.into())?;
    socket.listen(options.backlog)?;
    let local = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok((Listener::new(socket, Kind::Tcp, None), local))
}

/// Begins to connect to `address`, from the one of `sources` that is of its family, if there are any; the stream is
/// writable when that has succeeded or failed.
pub(crate) fn connect(address: SocketAddr, sources: &[SocketAddr], options: &StreamOptions) -> io::Result<Stream> {
    let socket = socket(address, options)?;
    socket.set_tcp_nodelay(true)?;
    if !sources.is_empty() {
        let source = sources.iter().find(|source| source.is_ipv4() == address.is_ipv4());
        let source = source.ok_or(io::ErrorKind::AddrNotAvailable)?;
        // One port may be the source of connections to several peers.
        reuse_address(&socket)?;
        socket.bind(&(*source).into())?;
    }
    match socket.connect(&address.into()) {
        Err(error) if !in_progress(&error) => Err(error),
        Ok(()) | Err(_) => Ok(super::stream(socket, Kind::Tcp)),
    }
}

/// A port may be bound again while connections of its last owner are being forgotten.
fn reuse_address(socket: &Socket) -> io::Result<()> {
    // Elsewhere the option lets a second listener steal the port.
    if cfg!(windows) { Ok(()) } else { socket.set_reuse_address(true) }
}

fn in_progress(error: &io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(EINPROGRESS) {
        return true;
    }
    error.kind() == io::ErrorKind::WouldBlock
}

/// Whether the system has no such address or no such family of addresses, so that another may do.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(EAFNOSUPPORT)
}

#[cfg(target_os = "linux")]
const EINPROGRESS: i32 = rustix::io::Errno::INPROGRESS.raw_os_error();
#[cfg(all(unix, not(target_os = "linux")))]
const EINPROGRESS: i32 = 36;

#[cfg(target_os = "linux")]
const EAFNOSUPPORT: i32 = rustix::io::Errno::AFNOSUPPORT.raw_os_error();
#[cfg(all(unix, not(target_os = "linux")))]
const EAFNOSUPPORT: i32 = 47;
#[cfg(windows)]
const EAFNOSUPPORT: i32 = 10047;
