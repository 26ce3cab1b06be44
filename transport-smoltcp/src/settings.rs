//! What a socket is told of its streams.

use core::time::Duration;
use omnimq_core::{Config, ReconnectPolicy};

/// How streams are made, kept and ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Settings {
    /// From SYN to the connection, either way, and from our FIN or RST to its end; by default 5 s.
    pub connect: Duration,
    /// How long [`Socket::close`](crate::Socket::close) lets what was sent leave (ZMQ_LINGER); by default 1 s.
    pub linger: Duration,
    /// A peer that acknowledges nothing of what was sent to it for so long is given up; `None` = never. By default 60 s.
    pub silence: Option<Duration>,
    /// TCP keep-alive: with it a dead peer is noticed although nothing is sent; by default `None`.
    pub keep_alive: Option<Duration>,
    /// When to connect again; by default after 100 ms, doubling up to 10 s.
    pub reconnect: ReconnectPolicy,
    /// The longest frame, the time for the handshake, limits. By default [`Config::DEFAULT`].
    pub connection: Config,
}

impl Settings {
    /// The defaults, as each field's description says.
    pub const DEFAULT: Self = Self {
        connect: Duration::from_secs(5),
        linger: Duration::from_secs(1),
        silence: Some(Duration::from_secs(60)),
        keep_alive: None,
        reconnect: ReconnectPolicy::from_options(100, 10_000, 0),
        connection: Config::DEFAULT,
    };
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}
