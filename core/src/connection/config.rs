//! What a connection is told: once at its start, and at each call.

use crate::limits::Limits;
use crate::wire::{self, SocketType};
use core::time::Duration;

/// What holds for a connection's whole life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Config {
    /// Most octets of one inbound frame (ZMQ_MAXMSGSIZE); `u64::MAX` = no limit, the default.
    pub max_frame: u64,
    /// From [`Connection::new`](super::Connection::new) to the peer's READY (ZMQ_HANDSHAKE_IVL); `None` = no limit. By default
    /// 30 s.
    pub handshake: Option<Duration>,
    /// What the peer may make this side keep. By default [`Limits::DEFAULT`].
    pub limits: Limits,
    /// The security mechanism, and the part played in it. By default NULL.
    pub mechanism: Mechanism,
}

impl Config {
    /// libzmq's defaults: frames of any size, 30 seconds for the handshake, NULL.
    pub const DEFAULT: Self = Self {
        max_frame: u64::MAX,
        handshake: Some(Duration::from_secs(30)),
        limits: Limits::DEFAULT,
        mechanism: Mechanism::Null,
    };
}

impl Default for Config {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A security mechanism (RFC 37 section 3.3). Mechanisms with a client and a server have a variant for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Mechanism {
    /// None: both sides send READY.
    Null,
}

impl Mechanism {
    /// The name in the greeting.
    pub const fn name(self) -> wire::Mechanism {
        match self {
            Self::Null => wire::Mechanism::NULL,
        }
    }
    /// Whether frames go to the stream as they are, neither sealed nor wrapped.
    #[inline]
    pub(super) const fn is_transparent(self) -> bool {
        match self {
            Self::Null => true,
        }
    }
}

/// What a connection announces: lent at each call, so that many connections share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local<'a> {
    /// The type of the socket that the pipe belongs to.
    pub socket_type: SocketType,
    /// ZMQ_ROUTING_ID, at most 255 octets; empty when unset. Announced by REQ, DEALER and ROUTER.
    pub routing_id: &'a [u8],
}
