//! Opening sockets: families, groups, interfaces and options.

use super::interface::{Interface, scoped};
use super::{LinkError, LinkOptions, Warning};
use crate::session::{Encapsulation, Session};
use core::net::IpAddr;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};
use std::io;
use std::net::Ipv4Addr;

/// The protocol number of PGM (IANA).
const PGM: i32 = 113;
const SEND_BUFFER: usize = 4 << 20;

/// A socket of the session's kind, not bound.
fn open(session: &Session) -> Result<Socket, LinkError> {
    let domain = if session.group.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
    let socket = match session.encapsulation {
        Encapsulation::Raw => Socket::new(domain, Type::RAW, Some(Protocol::from(PGM))),
        Encapsulation::Udp => Socket::new(domain, Type::DGRAM, Some(Protocol::UDP)),
    };
    let socket = socket.map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => LinkError::NeedsNetRaw,
        _ => LinkError::system("opening a socket")(error),
    })?;
    socket.set_nonblocking(true).map_err(LinkError::system("opening a socket"))?;
    if domain == Domain::IPV6 && session.encapsulation == Encapsulation::Udp {
        socket.set_only_v6(true).map_err(LinkError::system("opening a socket"))?;
    }
    Ok(socket)
}

/// The port to bind to: raw sockets have none.
const fn port_of(session: &Session) -> u16 {
    match session.encapsulation {
        Encapsulation::Raw => 0,
        Encapsulation::Udp => session.port,
    }
}

/// A socket on an interface's address: it sends to the group and receives what is sent to the address. `shared` lets it
/// have the session's port, which NAKs go to, beside others; without it any port will do.
pub(super) fn unicast(
    session: &Session,
    interface: Interface,
    options: &LinkOptions,
    shared: bool,
) -> Result<Socket, LinkError> {
    let socket = open(session)?;
    let doing = LinkError::system;
    if shared {
        socket.set_reuse_address(true).map_err(doing("sharing the port"))?;
        socket.set_reuse_port(true).map_err(doing("sharing the port"))?;
    }
    let port = if shared { port_of(session) } else { 0 };
    socket.bind(&scoped(interface.address, port, interface.index).into()).map_err(doing("binding to the interface"))?;
    match interface.address {
        IpAddr::V4(address) => {
            socket.set_multicast_if_v4(&address).map_err(doing("choosing the interface"))?;
            socket.set_multicast_ttl_v4(u32::from(options.hops)).map_err(doing("setting the hops"))?;
            socket.set_multicast_loop_v4(options.loopback).map_err(doing("setting the loop"))?;
            socket.set_tos_v4(u32::from(options.tos)).map_err(doing("setting the type of service"))?;
        }
        IpAddr::V6(_) => {
            socket.set_multicast_if_v6(interface.index).map_err(doing("choosing the interface"))?;
            socket.set_multicast_hops_v6(u32::from(options.hops)).map_err(doing("setting the hops"))?;
            socket.set_multicast_loop_v6(options.loopback).map_err(doing("setting the loop"))?;
            socket.set_tclass_v6(u32::from(options.tos)).map_err(doing("setting the type of service"))?;
        }
    }
    // Less is no harm: what does not fit is sent when there is room.
    let _ = socket.set_send_buffer_size(SEND_BUFFER);
    Ok(socket)
}

/// A socket that receives what is sent to `group`, on these interfaces, and nothing else.
pub(super) fn multicast(
    session: &Session,
    group: IpAddr,
    interfaces: &[Interface],
    options: &LinkOptions,
) -> Result<(Socket, Option<Warning>), LinkError> {
    let socket = open(session)?;
    let doing = LinkError::system;
    socket.set_reuse_address(true).map_err(doing("sharing the port"))?;
    socket.set_reuse_port(true).map_err(doing("sharing the port"))?;
    let warning = receive_buffer(&socket, options.buffer());
    if options.offload && session.encapsulation == Encapsulation::Udp {
        // A kernel without it delivers one packet at a time.
        let _ = setsockopt(&socket, sockopt::UdpGroSegment, &true);
    }
    // Bound to the group, so that packets to other groups and to our own address go elsewhere.
    let first = interfaces.first().map_or(0, |interface| interface.index);
    socket.bind(&scoped(group, port_of(session), first).into()).map_err(doing("binding to the group"))?;
    match group {
        IpAddr::V4(_) => socket.set_multicast_all_v4(false).map_err(doing("leaving other groups out"))?,
        IpAddr::V6(_) => {
            // Since Linux 4.20.
            let _ = socket.set_multicast_all_v6(false);
        }
    }
    for interface in interfaces {
        join(&socket, group, *interface, options).map_err(doing("joining the group"))?;
    }
    Ok((socket, warning))
}

fn join(socket: &Socket, group: IpAddr, interface: Interface, options: &LinkOptions) -> io::Result<()> {
    match group {
        IpAddr::V4(group) if options.sources.is_empty() => {
            socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(interface.index))
        }
        IpAddr::V4(group) => {
            let IpAddr::V4(own) = interface.address else { return Err(io::ErrorKind::InvalidInput.into()) };
            let mut sources = options.sources.iter().map(|source| match source {
                IpAddr::V4(source) => Ok(*source),
                IpAddr::V6(_) => Err(io::Error::from(io::ErrorKind::InvalidInput)),
            });
            sources.try_for_each(|source: io::Result<Ipv4Addr>| socket.join_ssm_v4(&source?, &group, &own))
        }
        IpAddr::V6(_) if !options.sources.is_empty() => Err(io::ErrorKind::Unsupported.into()),
        IpAddr::V6(group) => socket.join_multicast_v6(&group, interface.index),
    }
}

/// Asks for a receive buffer, beyond the cap where this process may; the shortfall if it is less.
fn receive_buffer(socket: &Socket, wanted: usize) -> Option<Warning> {
    let _ = socket.set_recv_buffer_size(wanted);
    // The kernel doubles what it is asked for, for its own bookkeeping.
    let granted = |socket: &Socket| socket.recv_buffer_size().unwrap_or(0) / 2;
    if granted(socket) < wanted {
        let _ = setsockopt(socket, sockopt::RcvBufForce, &wanted);
    }
    let granted = granted(socket);
    (granted < wanted).then_some(Warning::ReceiveBuffer { wanted, granted })
}
