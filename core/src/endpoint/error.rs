//! What can be wrong with an endpoint.

/// Why an endpoint was refused. All mean EINVAL unless they say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndpointError {
    /// There is no `scheme://`.
    Scheme,
    /// The scheme names no transport known here (EPROTONOSUPPORT).
    UnknownScheme,
    /// Nothing follows the scheme.
    Address,
    /// Neither a host, nor an interface, nor an address in the form of its family.
    Host,
    /// The zone after `%` in an IPv6 address.
    Zone,
    /// The port: 0 to 65535, or `*`. PGM and connect need a definite one.
    Port,
    /// What precedes `;` in a tcp endpoint.
    Source,
    /// An interface of a multicast endpoint.
    Interface,
    /// A multicast group: a numeric multicast address, all of one family.
    Group,
    /// An ipc path: not empty, without NUL.
    Path,
    /// An ipc path or abstract name of more than 107 octets (ENAMETOOLONG).
    PathTooLong,
    /// An inproc name of more than 256 octets.
    NameTooLong,
    /// A form that only bind understands: a wildcard, or port 0.
    BindOnly,
    /// A form that only connect understands: a source address.
    ConnectOnly,
}

impl core::fmt::Display for EndpointError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Scheme => "an endpoint begins with scheme://",
            Self::UnknownScheme => "this transport is not supported",
            Self::Address => "the endpoint has no address",
            Self::Host => "the host, interface or address is malformed",
            Self::Zone => "the zone of the IPv6 address is malformed",
            Self::Port => "the port is not a number of 0 to 65535, nor *",
            Self::Source => "the source address is malformed",
            Self::Interface => "the interface is malformed",
            Self::Group => "the multicast group is malformed",
            Self::Path => "the path is empty or contains NUL",
            Self::PathTooLong => "the path is longer than 107 octets",
            Self::NameTooLong => "the name is longer than 256 octets",
            Self::BindOnly => "such an endpoint can only be bound to",
            Self::ConnectOnly => "such an endpoint can only be connected to",
        })
    }
}

impl core::error::Error for EndpointError {}
