//! Why octets are no PGM packet.

use core::error::Error;
use core::fmt;

/// Why octets are no PGM packet. Such a packet is dropped and counted; nothing else comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WireError {
    /// It ends before its fields do.
    Truncated,
    /// The checksum is wrong, or missing where it is mandatory (RFC 3208 section 8: ODATA and RDATA).
    Checksum,
    /// A packet type that RFC 3208 does not know.
    Type,
    /// An address that is neither IPv4 nor IPv6.
    AddressFamily,
    /// The options do not begin with their length, do not end, or overlap.
    Options,
    /// The length of the data is not the one announced.
    Length,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the packet ends before its fields do",
            Self::Checksum => "the checksum is wrong or missing",
            Self::Type => "an unknown packet type",
            Self::AddressFamily => "an address that is neither IPv4 nor IPv6",
            Self::Options => "malformed options",
            Self::Length => "the length of the data is not the one announced",
        })
    }
}

impl Error for WireError {}
