//! Endpoints of the transports there are, as the system's addresses.

use crate::error::Error;
use crate::sys::{interface, ipc};
use omnimq_core::SocketType;
use omnimq_core::endpoint::{Address, Endpoint, EndpointError, Host};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs as _};

/// Where to listen.
pub(crate) enum Site {
    /// At the first of these addresses that the machine has.
    Tcp(Vec<SocketAddr>),
    Ipc(ipc::Address),
}

/// Whom to connect to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The endpoint as it was given.
    pub(crate) endpoint: String,
    pub(crate) place: Place,
    /// Where to connect from.
    pub(crate) source: Option<Source>,
    /// Whether a name may stand for IPv6 addresses.
    pub(crate) ipv6: bool,
}

/// Where a peer is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    At(SocketAddr),
    /// A host's name and port, to be resolved each time.
    Named(String, u16),
    Ipc(ipc::Address),
}

/// Where to connect from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    At(SocketAddr),
    /// An interface and a port: it may have other addresses each time.
    Interface(String, u16),
}

type Part<'a> = fn(Endpoint<'a>) -> Result<Endpoint<'a>, EndpointError>;

/// Reads an endpoint, for bind or for connect.
fn parse<'a>(text: &'a str, part: Part<'a>) -> Result<Endpoint<'a>, Error> {
    Endpoint::parse(text).and_then(part).map_err(|error| match error {
        EndpointError::UnknownScheme => unsupported(text),
        EndpointError::PathTooLong | EndpointError::NameTooLong => Error::TooLong(text.into()),
        error => Error::malformed(text, error),
    })
}

/// The name, if this is an endpoint within the process.
pub(crate) fn inproc(text: &str) -> Option<&str> {
    match Endpoint::parse(text) {
        Ok(Endpoint::Inproc(name)) => Some(name),
        _ => None,
    }
}

fn unsupported(text: &str) -> Error {
    Error::Transport(text.into())
}

fn ipc(text: &str, address: omnimq_core::endpoint::Ipc<'_>) -> Result<ipc::Address, Error> {
    ipc::Address::new(address).map_err(|_| unsupported(text))
}

/// A host that is given by its address; `None`: by a name.
fn numeric(host: Host<'_>, port: u16) -> io::Result<Option<SocketAddr>> {
    Ok(Some(match host {
        Host::Any => SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port),
        Host::V4(address) => SocketAddr::new(address.into(), port),
        Host::V6(address, None) => SocketAddr::new(address.into(), port),
        Host::V6(address, Some(zone)) => {
            let scope = zone.parse().or_else(|_| interface::index(zone))?;
            SocketAddr::V6(SocketAddrV6::new(address, port, 0, scope))
        }
        Host::Name(_) => return Ok(None),
    }))
}

/// The multicast session that `text` names for a socket of this type, if it is one.
///
/// # Errors
/// [`Error::Endpoint`], also for a socket of a type that multicast does not serve; [`Error::Transport`].
pub(crate) fn session(text: &str, socket_type: SocketType) -> Result<Option<Endpoint<'_>>, Error> {
    let endpoint = parse(text, Ok)?;
    if !matches!(endpoint, Endpoint::Pgm(_) | Endpoint::Epgm(_)) {
        return Ok(None);
    }
    if !endpoint.serves(socket_type) {
        return Err(Error::malformed(text, "multicast serves PUB, SUB, XPUB and XSUB alone"));
    }
    Ok(Some(endpoint))
}

/// All addresses that a host's name stands for. May take long.
///
/// # Errors
/// The name is unknown, or nobody can tell.
pub(crate) fn lookup(name: &str, port: u16, ipv6: bool) -> io::Result<Vec<SocketAddr>> {
    let mut addresses: Vec<_> = (name, port).to_socket_addrs()?.collect();
    addresses.retain(|address| ipv6 || address.is_ipv4());
    if addresses.is_empty() {
        return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, format!("{name} has no IPv4 address")));
    }
    Ok(addresses)
}

/// The addresses of one of our interfaces, the preferred family first.
fn of_interface(name: &str, port: u16, ipv6: bool) -> io::Result<Vec<SocketAddr>> {
    let mut addresses = interface::addresses(name, port)?;
    addresses.retain(|address| ipv6 || address.is_ipv4());
    addresses.sort_by_key(|address| address.is_ipv6() != ipv6);
    Ok(addresses)
}

/// Where to listen. A name is an interface's, else a host's: finding that out may take long.
///
/// # Errors
/// [`Error::Endpoint`], [`Error::TooLong`], [`Error::Transport`], [`Error::System`] when nothing has that name.
pub(crate) fn bind(text: &str, ipv6: bool) -> Result<Site, Error> {
    match parse(text, Endpoint::for_bind)? {
        Endpoint::Tcp { address, .. } => sites(address, ipv6).map(Site::Tcp).map_err(Error::at("bind", text)),
        Endpoint::Ipc(address) => ipc(text, address).map(Site::Ipc),
        _ => Err(unsupported(text)),
    }
}

fn sites(Address { host, port }: Address<'_>, ipv6: bool) -> io::Result<Vec<SocketAddr>> {
    if host == Host::Any && ipv6 {
        // A machine without IPv6 has `*` all the same.
        return Ok(vec![(Ipv6Addr::UNSPECIFIED, port).into(), (Ipv4Addr::UNSPECIFIED, port).into()]);
    }
    if let Some(address) = numeric(host, port)? {
        return Ok(vec![address]);
    }
    let name = host.to_string();
    let ours = of_interface(&name, port, ipv6)?;
    if ours.is_empty() { lookup(&name, port, ipv6).map_err(|_| interface::missing()) } else { Ok(ours) }
}

/// Whom to connect to.
///
/// # Errors
/// As [`bind`].
pub(crate) fn connect(text: &str, ipv6: bool) -> Result<Target, Error> {
    let system = || Error::at("connect", text);
    let (place, source) = match parse(text, Endpoint::for_connect)? {
        Endpoint::Tcp { source, address: Address { host, port } } => {
            let place = numeric(host, port).map_err(system())?.map_or(Place::Named(host.to_string(), port), Place::At);
            (place, source.map(from).transpose().map_err(system())?.flatten())
        }
        Endpoint::Ipc(address) => (Place::Ipc(ipc(text, address)?), None),
        _ => return Err(unsupported(text)),
    };
    Ok(Target { endpoint: text.into(), place, source, ipv6 })
}

/// Where to connect from; `None` is anywhere.
fn from(Address { host, port }: Address<'_>) -> io::Result<Option<Source>> {
    Ok(match (host, port) {
        (Host::Any, 0) => None,
        (Host::Name(name), port) => Some(Source::Interface(name.into(), port)),
        (host, port) => numeric(host, port)?.map(Source::At),
    })
}

impl Source {
    /// The addresses it stands for at this time.
    ///
    /// # Errors
    /// ENODEV: there is no such interface, or it has no address.
    pub(crate) fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        match self {
            Self::At(address) => Ok(vec![*address]),
            Self::Interface(name, port) => {
                let addresses = of_interface(name, *port, true)?;
                if addresses.is_empty() { Err(interface::missing()) } else { Ok(addresses) }
            }
        }
    }
}
