//! Who a packet is from: the transport session identifier, a global source identifier with a port (RFC 3208 section 3.4).

use core::fmt;

/// A source's identifier: six octets, drawn at random.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Gsi(pub [u8; 6]);

/// A session: one stream of one source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tsi {
    /// The source.
    pub gsi: Gsi,
    /// The source's port, which tells its streams apart.
    pub port: u16,
}

impl fmt::Display for Gsi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Display for Tsi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.gsi, self.port)
    }
}
