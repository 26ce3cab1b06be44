//! Endpoints of the transports there are.

use crate::dial::Target;
use crate::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

fn tcp(endpoint: &str) -> Result<&str, Error> {
    match endpoint.split_once("://") {
        Some(("tcp", rest)) if !rest.is_empty() => Ok(rest),
        Some((scheme, rest)) if !scheme.is_empty() && !rest.is_empty() && scheme != "tcp" => {
            Err(Error::Transport(scheme.into()))
        }
        _ => Err(Error::Endpoint(endpoint.into())),
    }
}

fn split(text: &str, endpoint: &str) -> Result<(String, String), Error> {
    let malformed = || Error::Endpoint(endpoint.into());
    let (host, port) = text.rsplit_once(':').ok_or_else(malformed)?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if host.is_empty() { Err(malformed()) } else { Ok((host.into(), port.into())) }
}

/// The address to listen at.
pub(crate) fn bind(endpoint: &str) -> Result<SocketAddr, Error> {
    let malformed = || Error::Endpoint(endpoint.into());
    let (host, port) = split(tcp(endpoint)?, endpoint)?;
    let port = if port == "*" { 0 } else { port.parse().map_err(|_| malformed())? };
    let host: IpAddr = if host == "*" { Ipv4Addr::UNSPECIFIED.into() } else { host.parse().map_err(|_| malformed())? };
    Ok(SocketAddr::new(host, port))
}

/// Where to connect to.
pub(crate) fn connect(endpoint: &str) -> Result<Target, Error> {
    let (host, port) = split(tcp(endpoint)?, endpoint)?;
    let port = port.parse().map_err(|_| Error::Endpoint(endpoint.into()))?;
    Ok(Target { endpoint: endpoint.into(), host, port, source: None })
}
