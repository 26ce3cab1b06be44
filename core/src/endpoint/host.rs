//! Hosts and ports, as text has them.

use super::EndpointError;
use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

/// Most octets of a name: what DNS allows, and more than any interface has.
const NAME_MAX: usize = 255;

/// Part of an endpoint that stands for a network address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Host<'a> {
    /// `*`: all interfaces.
    Any,
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address and, of a link-local one, its zone: an interface's name or number.
    V6(Ipv6Addr, Option<&'a str>),
    /// An interface or a host; only the driver can tell.
    Name(&'a str),
}

impl<'a> Host<'a> {
    /// Reads `*`, an IPv4 address, an IPv6 address in brackets, or a name.
    pub(super) fn parse(text: &'a str) -> Result<Self, EndpointError> {
        if text == "*" {
            return Ok(Self::Any);
        }
        if let Some(rest) = text.strip_prefix('[') {
            return Self::parse_v6(rest.strip_suffix(']').ok_or(EndpointError::Host)?);
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::V4(address));
        }
        // Digits and dots are no name but a mistyped address; so is nothing at all.
        let numeric = text.bytes().all(|octet| octet == b'.' || octet.is_ascii_digit());
        if numeric || !is_name(text) || text.len() > NAME_MAX {
            return Err(EndpointError::Host);
        }
        Ok(Self::Name(text))
    }

    /// Reads an IPv6 address without brackets, perhaps with a zone.
    pub(super) fn parse_v6(text: &'a str) -> Result<Self, EndpointError> {
        let (address, zone) = match text.split_once('%') {
            Some((address, zone)) => (address, Some(zone)),
            None => (text, None),
        };
        let address = address.parse().map_err(|_| EndpointError::Host)?;
        match zone {
            Some(zone) if zone.is_empty() || !is_name(zone) => Err(EndpointError::Zone),
            _ => Ok(Self::V6(address, zone)),
        }
    }

    /// Whether it is a numeric multicast address.
    pub const fn is_multicast(&self) -> bool {
        match self {
            Self::V4(address) => address.is_multicast(),
            Self::V6(address, _) => address.is_multicast(),
            Self::Any | Self::Name(_) => false,
        }
    }

    /// Whether a host may have that name: letters, digits, `-`, `_` and `.`; interfaces are freer.
    fn is_host_name(text: &str) -> bool {
        text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet))
    }
}

/// Whether `text` has no octet that means something in an endpoint. Interfaces may have any other.
fn is_name(text: &str) -> bool {
    text.bytes().all(|octet| octet.is_ascii_graphic() && !b"/:;,[]*%".contains(&octet))
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::V4(address) => address.fmt(f),
            Self::V6(address, None) => write!(f, "[{address}]"),
            Self::V6(address, Some(zone)) => write!(f, "[{address}%{zone}]"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A host and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address<'a> {
    /// Where.
    pub host: Host<'a>,
    /// The port; 0, written `*`, leaves it to the operating system.
    pub port: u16,
}

impl<'a> Address<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, EndpointError> {
        let (host, port) = text.rsplit_once(':').filter(|_| !text.ends_with(']')).ok_or(EndpointError::Port)?;
        Ok(Self { host: Host::parse(host)?, port: parse_port(port)? })
    }

    /// A source may leave out its port.
    pub(super) fn parse_source(text: &'a str) -> Result<Self, EndpointError> {
        match Self::parse(text) {
            Err(EndpointError::Port) => Host::parse(text).map(|host| Self { host, port: 0 }),
            result => result,
        }
        .map_err(|_| EndpointError::Source)
    }

    pub(super) fn for_connect(&self) -> Result<(), EndpointError> {
        match self.host {
            Host::Any => Err(EndpointError::BindOnly),
            _ if self.port == 0 => Err(EndpointError::BindOnly),
            Host::Name(name) if !Host::is_host_name(name) => Err(EndpointError::Host),
            Host::V4(_) | Host::V6(..) | Host::Name(_) => Ok(()),
        }
    }
}

impl fmt::Display for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            0 => write!(f, "{}:*", self.host),
            port => write!(f, "{}:{port}", self.host),
        }
    }
}

/// Digits up to 65535, or `*` for 0.
pub(super) fn parse_port(text: &str) -> Result<u16, EndpointError> {
    match text {
        "*" => Ok(0),
        _ if !text.bytes().all(|octet| octet.is_ascii_digit()) => Err(EndpointError::Port),
        _ => text.parse().map_err(|_| EndpointError::Port),
    }
}
