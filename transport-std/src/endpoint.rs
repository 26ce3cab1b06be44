//! Endpoints of the transports there are, as the system's addresses.

use crate::error::Error;
use omnimq_core::SocketType;
use omnimq_core::endpoint::{Address, Endpoint, EndpointError, Host};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV6, ToSocketAddrs as _};

/// Where to connect to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The endpoint as it was given.
    pub(crate) endpoint: String,
    pub(crate) place: Place,
    pub(crate) port: u16,
    /// Where to connect from.
    pub(crate) source: Option<SocketAddr>,
}

/// A host.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// Its address.
    At(SocketAddr),
    /// Its name, to be resolved each time.
    Named(String),
}

fn parse(text: &str) -> Result<Endpoint<'_>, Error> {
    Endpoint::parse(text).map_err(|error| refuse(text, error))
}

fn refuse(text: &str, error: EndpointError) -> Error {
    match error {
        EndpointError::UnknownScheme => Error::Transport(text.split("://").next().unwrap_or_default().into()),
        error => Error::Endpoint(format!("{text}: {error}")),
    }
}

fn place(Address { host, port }: Address<'_>) -> io::Result<Place> {
    Ok(Place::At(match host {
        Host::Any => SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port),
        Host::V4(address) => SocketAddr::new(address.into(), port),
        Host::V6(address, None) => SocketAddr::new(address.into(), port),
        Host::V6(address, Some(zone)) => {
            let scope = zone.parse().or_else(|_| crate::sys::interface_index(zone))?;
            SocketAddr::V6(SocketAddrV6::new(address, port, 0, scope))
        }
        Host::Name(name) => return Ok(Place::Named(name.into())),
    }))
}

/// The multicast session that `text` names for a socket of this type, if it is one.
///
/// # Errors
/// [`Error::Endpoint`], also for a socket of a type that multicast does not serve; [`Error::Transport`].
pub(crate) fn session(text: &str, socket_type: SocketType) -> Result<Option<Endpoint<'_>>, Error> {
    let endpoint = parse(text)?;
    if !matches!(endpoint, Endpoint::Pgm(_) | Endpoint::Epgm(_)) {
        return Ok(None);
    }
    if !endpoint.serves(socket_type) {
        return Err(Error::Endpoint(format!("{text}: multicast serves PUB, SUB, XPUB and XSUB alone")));
    }
    Ok(Some(endpoint))
}

/// The addresses to listen at: the first that works is meant.
///
/// # Errors
/// [`Error::Endpoint`], [`Error::Transport`], [`Error::System`] when a name or interface is unknown.
pub(crate) fn bind(text: &str) -> Result<Vec<SocketAddr>, Error> {
    let endpoint = parse(text)?.for_bind().map_err(|error| refuse(text, error))?;
    let Endpoint::Tcp { address, .. } = endpoint else { return Err(Error::Transport(endpoint.scheme().into())) };
    let system = || Error::system(format!("bind {text}"));
    match place(address).map_err(system())? {
        Place::At(address) => Ok(vec![address]),
        Place::Named(name) => Ok((name.as_str(), address.port).to_socket_addrs().map_err(system())?.collect()),
    }
}

/// Where to connect to.
///
/// # Errors
/// As [`bind`].
pub(crate) fn connect(text: &str) -> Result<Target, Error> {
    let endpoint = parse(text)?.for_connect().map_err(|error| refuse(text, error))?;
    let Endpoint::Tcp { source, address } = endpoint else { return Err(Error::Transport(endpoint.scheme().into())) };
    let system = || Error::system(format!("connect {text}"));
    let source = match source.map(place).transpose().map_err(system())? {
        Some(Place::Named(_)) => return Err(Error::Endpoint(format!("{text}: the source has to be an address"))),
        Some(Place::At(address)) => Some(address),
        None => None,
    };
    let place = place(address).map_err(system())?;
    Ok(Target { endpoint: text.into(), place, port: address.port, source })
}
