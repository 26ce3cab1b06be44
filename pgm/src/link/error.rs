//! Why a link could not be opened, and what is less than was asked for.

use core::error::Error;
use core::fmt;
use std::io;

/// Why a link could not be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum LinkError {
    /// Raw IP sockets need a capability that this process lacks: CAP_NET_RAW (EPERM).
    NeedsNetRaw,
    /// There is no interface of this name, or with this address (ENODEV).
    NoInterface(std::string::String),
    /// The interface has no address of the group's family (EADDRNOTAVAIL).
    NoAddress(std::string::String),
    /// Packets would have no room for data (EINVAL).
    PacketsTooSmall,
    /// The operating system refused.
    System {
        /// What was being done.
        doing: &'static str,
        /// What it said.
        error: io::Error,
    },
}

/// What is less than was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The kernel caps the receive buffer (`net.core.rmem_max`): bursts may overflow it and have to be repaired.
    ReceiveBuffer {
        /// Octets asked for.
        wanted: usize,
        /// Octets granted.
        granted: usize,
    },
    /// The window that rate and recovery interval ask for exceeds the cap in octets: less can be repaired.
    Window {
        /// Octets that it would take with full packets.
        wanted: u64,
        /// The cap.
        granted: usize,
    },
}

impl LinkError {
    pub(super) fn system(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::System { doing, error }
    }
    /// The operating system's error, where it was the reason.
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::NeedsNetRaw => io::ErrorKind::PermissionDenied,
            Self::NoInterface(_) => io::ErrorKind::NotFound,
            Self::NoAddress(_) => io::ErrorKind::AddrNotAvailable,
            Self::PacketsTooSmall => io::ErrorKind::InvalidInput,
            Self::System { error, .. } => error.kind(),
        }
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeedsNetRaw => f.write_str(
                "pgm:// uses raw IP, for which this process needs the capability CAP_NET_RAW; epgm:// needs none",
            ),
            Self::NoInterface(name) => write!(f, "there is no interface `{name}`"),
            Self::NoAddress(name) => write!(f, "interface `{name}` has no address of the group's family"),
            Self::PacketsTooSmall => f.write_str("packets of this length have no room for data"),
            Self::System { doing, error } => write!(f, "{doing}: {error}"),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReceiveBuffer { wanted, granted } => {
                write!(f, "the receive buffer has {granted} octets instead of {wanted}: raise net.core.rmem_max")
            }
            Self::Window { wanted, granted } => {
                write!(f, "the window is capped at {granted} octets; rate and recovery interval ask for {wanted}")
            }
        }
    }
}

impl Error for LinkError {}
