//! The endpoint grammar: `scheme://address`, read strictly and without asking anybody.
//!
//! ```text
//! tcp://[source;]host:port           inproc://name           udp://[interface;]host:port
//! ipc://path | @name | *             pgm:// epgm://[interface,…];group,…[;group]:port
//! ```
//! An endpoint borrows its names from the text. Whether a name is an interface's or a host's, and what it stands for,
//! is for the driver to find out. Text that says nothing sensible is refused here, on the caller's thread.

mod error;
mod host;
mod multicast;

pub use error::EndpointError;
pub use host::{Address, Host};
pub use multicast::{HostList, Multicast};

use crate::wire::SocketType;
use core::fmt;

/// Most octets of an inproc name.
const INPROC_MAX: usize = 256;

/// Most octets of an ipc path or abstract name: `sockaddr_un` has 108, one of them a NUL.
const IPC_MAX: usize = 107;

/// Where to bind or connect.
///
/// ```
/// use omnimq_core::endpoint::{Endpoint, EndpointError};
///
/// let endpoint = Endpoint::parse("tcp://*:0").unwrap();
/// assert_eq!(endpoint.to_string(), "tcp://*:*");
/// assert!(endpoint.for_bind().is_ok());
/// assert_eq!(endpoint.for_connect(), Err(EndpointError::BindOnly));
/// assert_eq!(Endpoint::parse("tcp://localhost:99999"), Err(EndpointError::Port));
/// assert_eq!(Endpoint::parse("norm://localhost:5555"), Err(EndpointError::UnknownScheme));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint<'a> {
    /// TCP.
    Tcp {
        /// Where an outgoing connection is to come from.
        source: Option<Address<'a>>,
        /// Where to listen, or whom to connect to.
        address: Address<'a>,
    },
    /// Local stream sockets of the operating system.
    Ipc(Ipc<'a>),
    /// Within one context: any name of 1 to 256 octets.
    Inproc(&'a str),
    /// PGM over raw IP (RFC 3208).
    Pgm(Multicast<'a>),
    /// PGM in UDP.
    Epgm(Multicast<'a>),
    /// RADIO, DISH and DGRAM over UDP.
    Udp {
        /// The interface that multicast is to use.
        interface: Option<Host<'a>>,
        /// The group, or one host.
        address: Address<'a>,
    },
}

/// The address of an ipc endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ipc<'a> {
    /// `*`: a file of the driver's choosing, to bind to.
    Any,
    /// `@name`: Linux's abstract namespace.
    Abstract(&'a str),
    /// A file.
    Path(&'a str),
}

impl<'a> Endpoint<'a> {
    /// Reads an endpoint that is good for bind, for connect or for both.
    ///
    /// # Errors
    /// [`EndpointError`] says which part is not in order.
    pub fn parse(text: &'a str) -> Result<Self, EndpointError> {
        let (scheme, address) = text.split_once("://").ok_or(EndpointError::Scheme)?;
        if scheme.is_empty() {
            return Err(EndpointError::Scheme);
        }
        if address.is_empty() {
            return Err(EndpointError::Address);
        }
        match scheme {
            "tcp" => Self::parse_tcp(address),
            "ipc" => Ipc::parse(address).map(Self::Ipc),
            "inproc" if address.len() <= INPROC_MAX => Ok(Self::Inproc(address)),
            "inproc" => Err(EndpointError::NameTooLong),
            "pgm" => Multicast::parse(address).map(Self::Pgm),
            "epgm" => Multicast::parse(address).map(Self::Epgm),
            "udp" => Self::parse_udp(address),
            _ => Err(EndpointError::UnknownScheme),
        }
    }

    fn parse_tcp(text: &'a str) -> Result<Self, EndpointError> {
        let (source, text) = match text.split_once(';') {
            Some((source, text)) => (Some(Address::parse_source(source)?), text),
            None => (None, text),
        };
        Ok(Self::Tcp { source, address: Address::parse(text)? })
    }

    fn parse_udp(text: &'a str) -> Result<Self, EndpointError> {
        let (interface, text) = match text.split_once(';') {
            Some((interface, text)) => (Some(Host::parse(interface).map_err(|_| EndpointError::Interface)?), text),
            None => (None, text),
        };
        let address = Address::parse(text)?;
        if interface.is_some() && !address.host.is_multicast() {
            return Err(EndpointError::Group);
        }
        Ok(Self::Udp { interface, address })
    }

    /// Itself, if something can be bound to it.
    ///
    /// # Errors
    /// [`EndpointError::ConnectOnly`] (EINVAL): it names a source.
    pub const fn for_bind(self) -> Result<Self, EndpointError> {
        match self {
            Self::Tcp { source: Some(_), .. } => Err(EndpointError::ConnectOnly),
            _ => Ok(self),
        }
    }

    /// Itself, if something can be connected to it.
    ///
    /// # Errors
    /// [`EndpointError::BindOnly`] (EINVAL): a wildcard, or port 0. [`EndpointError::Host`]: no host has that name.
    pub fn for_connect(self) -> Result<Self, EndpointError> {
        match self {
            Self::Ipc(Ipc::Any) => Err(EndpointError::BindOnly),
            Self::Tcp { address, .. } | Self::Udp { address, .. } => address.for_connect().map(|()| self),
            _ => Ok(self),
        }
    }

    /// Its scheme.
    pub const fn scheme(&self) -> &'static str {
        match self {
            Self::Tcp { .. } => "tcp",
            Self::Ipc(_) => "ipc",
            Self::Inproc(_) => "inproc",
            Self::Pgm(_) => "pgm",
            Self::Epgm(_) => "epgm",
            Self::Udp { .. } => "udp",
        }
    }

    /// Whether sockets of that type use this transport; if not, libzmq answers ENOCOMPATPROTO.
    pub const fn serves(&self, socket_type: SocketType) -> bool {
        use SocketType::{Dgram, Dish, Pub, Radio, Sub, XPub, XSub};
        match self {
            Self::Pgm(_) | Self::Epgm(_) => matches!(socket_type, Pub | Sub | XPub | XSub),
            Self::Udp { .. } => matches!(socket_type, Radio | Dish | Dgram),
            Self::Tcp { .. } | Self::Ipc(_) | Self::Inproc(_) => !matches!(socket_type, Dgram),
        }
    }
}

impl<'a> Ipc<'a> {
    fn parse(text: &'a str) -> Result<Self, EndpointError> {
        let (name, address) = match text.strip_prefix('@') {
            Some(name) => (name, Self::Abstract(name)),
            None if text == "*" => return Ok(Self::Any),
            None => (text, Self::Path(text)),
        };
        if name.is_empty() || name.contains('\0') {
            return Err(EndpointError::Path);
        }
        // The @ stands for the NUL that abstract names begin with.
        if text.len() > IPC_MAX { Err(EndpointError::PathTooLong) } else { Ok(address) }
    }
}

/// The endpoint in its canonical form; reading that gives the same endpoint.
impl fmt::Display for Endpoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme())?;
        match self {
            Self::Tcp { source: Some(source), address } => write!(f, "{source};{address}"),
            Self::Udp { interface: Some(interface), address } => write!(f, "{interface};{address}"),
            Self::Tcp { source: None, address } | Self::Udp { interface: None, address } => address.fmt(f),
            Self::Ipc(Ipc::Any) => f.write_str("*"),
            Self::Ipc(Ipc::Abstract(name)) => write!(f, "@{name}"),
            Self::Ipc(Ipc::Path(name)) | Self::Inproc(name) => f.write_str(name),
            Self::Pgm(multicast) | Self::Epgm(multicast) => multicast.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::string::{String, ToString};
    use core::net::{Ipv4Addr, Ipv6Addr};

    const LOCAL: Host<'static> = Host::V4(Ipv4Addr::LOCALHOST);

    fn tcp(host: Host<'_>, port: u16) -> Endpoint<'_> {
        Endpoint::Tcp { source: None, address: Address { host, port } }
    }

    #[test]
    fn tcp_table() {
        let link = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
        let source = Some(Address { host: LOCAL, port: 0 });
        let sourced = Endpoint::Tcp { source, address: Address { host: Host::Name("server"), port: 5555 } };
        let table: &[(&str, Endpoint<'_>, &str)] = &[
            ("tcp://127.0.0.1:5555", tcp(LOCAL, 5555), "tcp://127.0.0.1:5555"),
            ("tcp://*:5555", tcp(Host::Any, 5555), "tcp://*:5555"),
            ("tcp://*:*", tcp(Host::Any, 0), "tcp://*:*"),
            ("tcp://*:0", tcp(Host::Any, 0), "tcp://*:*"),
            ("tcp://eth0.100:65535", tcp(Host::Name("eth0.100"), 65535), "tcp://eth0.100:65535"),
            ("tcp://a-b.example_1:080", tcp(Host::Name("a-b.example_1"), 80), "tcp://a-b.example_1:80"),
            ("tcp://[::1]:1", tcp(Host::V6(Ipv6Addr::LOCALHOST, None), 1), "tcp://[::1]:1"),
            ("tcp://[0:0::0]:1", tcp(Host::V6(Ipv6Addr::UNSPECIFIED, None), 1), "tcp://[::]:1"),
            ("tcp://[fe80::1%eth0]:9", tcp(Host::V6(link, Some("eth0")), 9), "tcp://[fe80::1%eth0]:9"),
            ("tcp://127.0.0.1:0;server:5555", sourced, "tcp://127.0.0.1:*;server:5555"),
            ("tcp://127.0.0.1;server:5555", sourced, "tcp://127.0.0.1:*;server:5555"),
        ];
        for (text, endpoint, canonical) in table {
            assert_eq!(Endpoint::parse(text).as_ref(), Ok(endpoint), "{text}");
            assert_eq!(endpoint.to_string(), *canonical);
            assert_eq!(Endpoint::parse(canonical).as_ref(), Ok(endpoint), "{canonical}");
        }
    }

    #[test]
    fn other_schemes_come_back() {
        let table: &[(&str, Endpoint<'_>)] = &[
            ("ipc:///tmp/socket", Endpoint::Ipc(Ipc::Path("/tmp/socket"))),
            ("ipc://relative", Endpoint::Ipc(Ipc::Path("relative"))),
            ("ipc://@abstract", Endpoint::Ipc(Ipc::Abstract("abstract"))),
            ("ipc://*", Endpoint::Ipc(Ipc::Any)),
            ("ipc://*a", Endpoint::Ipc(Ipc::Path("*a"))),
            ("inproc://any name://at all", Endpoint::Inproc("any name://at all")),
            ("udp://*:5555", Endpoint::Udp { interface: None, address: Address { host: Host::Any, port: 5555 } }),
            (
                "udp://eth0;239.0.0.1:5555",
                Endpoint::Udp {
                    interface: Some(Host::Name("eth0")),
                    address: Address { host: Host::V4(Ipv4Addr::new(239, 0, 0, 1)), port: 5555 },
                },
            ),
        ];
        for (text, endpoint) in table {
            assert_eq!(Endpoint::parse(text).as_ref(), Ok(endpoint), "{text}");
            assert_eq!(endpoint.to_string(), *text);
        }
    }

    #[test]
    fn refusals_name_the_part() {
        use EndpointError as E;
        let table: &[(&str, E)] = &[
            ("", E::Scheme),
            ("tcp", E::Scheme),
            ("tcp:/host:1", E::Scheme),
            ("://host:1", E::Scheme),
            ("tcp://", E::Address),
            ("inproc://", E::Address),
            ("TCP://host:1", E::UnknownScheme),
            ("tipc://{1,2}", E::UnknownScheme),
            ("norm://;239.0.0.1:1", E::UnknownScheme),
            ("tcp://127.0.0.1", E::Port),
            ("tcp://host:", E::Port),
            ("tcp://host:abc", E::Port),
            ("tcp://host:+1", E::Port),
            ("tcp://host:-1", E::Port),
            ("tcp://host:1 ", E::Port),
            ("tcp://host:65536", E::Port),
            ("tcp://host:99999", E::Port),
            ("tcp://host:18446744073709551617", E::Port),
            ("tcp://:5555", E::Host),
            ("tcp://ho st:5555", E::Host),
            ("tcp://h\u{f6}st:5555", E::Host),
            ("tcp://::1:5555", E::Host),
            ("tcp://[::1:5555", E::Host),
            ("tcp://[::1]5555", E::Host),
            ("tcp://[1.2.3.4]:5555", E::Host),
            ("tcp://[]:5555", E::Host),
            ("tcp://[fe80::1%]:5555", E::Zone),
            ("tcp://[fe80::1%a%b]:5555", E::Zone),
            ("tcp://256.1.1.1:5555", E::Host),
            ("tcp://1.2.3:5555", E::Host),
            ("tcp://12:5555", E::Host),
            ("tcp://;host:5555", E::Source),
            ("tcp://a:99999;host:5555", E::Source),
            ("tcp://a;b;host:5555", E::Host),
            ("ipc://@", E::Path),
            ("ipc://a\0b", E::Path),
            ("udp://eth0;10.0.0.1:5555", E::Group),
            ("udp://;239.0.0.1:5555", E::Interface),
            ("udp://239.0.0.1", E::Port),
        ];
        for (text, error) in table {
            assert_eq!(Endpoint::parse(text), Err(*error), "{text:?}");
        }
        assert_eq!(E::UnknownScheme.to_string(), "this transport is not supported");
    }

    #[test]
    fn names_have_limits() {
        let name = |scheme: &str, len| String::from(scheme) + &"n".repeat(len);
        assert!(Endpoint::parse(&name("inproc://", 256)).is_ok());
        assert_eq!(Endpoint::parse(&name("inproc://", 257)), Err(EndpointError::NameTooLong));
        assert!(Endpoint::parse(&name("ipc://", 107)).is_ok());
        assert_eq!(Endpoint::parse(&name("ipc://", 108)), Err(EndpointError::PathTooLong));
        assert!(Endpoint::parse(&name("ipc://@", 106)).is_ok());
        assert_eq!(Endpoint::parse(&name("ipc://@", 107)), Err(EndpointError::PathTooLong));
    }

    #[test]
    fn bind_and_connect_forms() {
        use EndpointError as E;
        let table: &[(&str, Option<E>, Option<E>)] = &[
            ("tcp://127.0.0.1:5555", None, None),
            ("tcp://*:5555", None, Some(E::BindOnly)),
            ("tcp://127.0.0.1:*", None, Some(E::BindOnly)),
            ("tcp://127.0.0.1:0", None, Some(E::BindOnly)),
            ("tcp://if+1:5555", None, Some(E::Host)),
            ("tcp://eth0:0;host:5555", Some(E::ConnectOnly), None),
            ("ipc://*", None, Some(E::BindOnly)),
            ("ipc://path", None, None),
            ("ipc://@name", None, None),
            ("inproc://name", None, None),
            ("epgm://eth0;239.192.1.1:5555", None, None),
            ("udp://*:5555", None, Some(E::BindOnly)),
            ("udp://eth0;239.192.1.1:5555", None, None),
        ];
        for (text, bind, connect) in table {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!(endpoint.for_bind().err(), *bind, "bind to {text}");
            assert_eq!(endpoint.for_connect().err(), *connect, "connect to {text}");
        }
    }

    #[test]
    fn transports_serve_socket_types() {
        use SocketType::{Dgram, Dish, Pub, Pull, Radio, XSub};
        let table: &[(&str, &[SocketType], &[SocketType])] = &[
            ("pgm://;239.0.0.1:1", &[Pub, XSub], &[Pull, Radio, Dgram]),
            ("udp://239.0.0.1:1", &[Radio, Dish, Dgram], &[Pub, Pull]),
            ("tcp://host:1", &[Pub, Radio, Pull], &[Dgram]),
        ];
        for (text, served, refused) in table {
            let endpoint = Endpoint::parse(text).unwrap();
            assert!(served.iter().all(|socket_type| endpoint.serves(*socket_type)), "{text}");
            assert!(!refused.iter().any(|socket_type| endpoint.serves(*socket_type)), "{text}");
        }
    }
}
