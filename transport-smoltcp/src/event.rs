//! What a socket tells, and why it refuses.

use core::error::Error;
use core::fmt;
use omnimq_core::{CloseReason, Failure};
use smoltcp::wire::IpEndpoint;

/// What has happened to one of a socket's streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Event {
    /// TCP is connected; the handshake of ZMTP begins.
    Connected,
    /// The handshake is over: ZMTP 3.`minor` is spoken.
    HandshakeSucceeded {
        /// 0 or 1.
        minor: u8,
    },
    /// The connection has ended.
    Closed(CloseReason),
    /// Connecting failed; it is tried again.
    ConnectFailed(Failure),
    /// It is not connected again, for this reason; the place is free.
    Stopped(Failure),
    /// A peer came when all places were taken. It was reset.
    Refused(IpEndpoint),
}

/// Events of one stream that nobody has asked for yet. Each kind has one place: a newer one takes it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct News {
    pub(crate) connected: bool,
    pub(crate) succeeded: Option<u8>,
    pub(crate) closed: Option<CloseReason>,
    pub(crate) failed: Option<Failure>,
    pub(crate) stopped: Option<Failure>,
}

impl News {
    pub(crate) fn pop(&mut self) -> Option<Event> {
        if core::mem::take(&mut self.connected) {
            return Some(Event::Connected);
        }
        let succeeded = self.succeeded.take().map(|minor| Event::HandshakeSucceeded { minor });
        succeeded
            .or_else(|| self.closed.take().map(Event::Closed))
            .or_else(|| self.failed.take().map(Event::ConnectFailed))
            .or_else(|| self.stopped.take().map(Event::Stopped))
    }
}

/// Why a socket does not listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum BindError {
    /// It listens already, and on one port only (EINVAL).
    AlreadyBound,
    /// Port 0 cannot be listened on (EINVAL).
    NoPort,
    /// The socket has been closed (ETERM).
    Closed,
}

/// Why a socket does not connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ConnectError {
    /// All places for peers are taken (EMFILE).
    NoRoom,
    /// Port 0, or no address (EINVAL).
    NoPort,
    /// The socket has been closed (ETERM).
    Closed,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlreadyBound => "the socket listens already",
            Self::NoPort => "port 0 cannot be listened on",
            Self::Closed => "the socket has been closed",
        })
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRoom => "all places for peers are taken",
            Self::NoPort => "the endpoint has no address or no port",
            Self::Closed => "the socket has been closed",
        })
    }
}

impl Error for BindError {}
impl Error for ConnectError {}
