//! What a receiver may be told.

use core::time::Duration;

/// How a receiver keeps and asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiverConfig {
    /// Packets of one source that are kept while others before them are missing, or the application is away (by
    /// default 4096; see [`window_of`](crate::window_of)).
    pub window: u32,
    /// Octets that the windows of all sources may take; by default 64 MiB. Each source may exceed it by one packet. What is
    /// known of missing packets may take a fourth of it, and as much again in equal shares, 96 octets for each.
    pub window_bytes: usize,
    /// Sources heard at once; further ones are not heard. By default 64.
    pub peers: u32,
    /// How long a packet may be missing before it is asked for, at least and at most: between them the time is drawn,
    /// so that one of many receivers asks for all. By default 1.5 ms and 4.5 ms.
    pub back_off: (Duration, Duration),
    /// How long after one NAK the next one leaves, at least and at most, so that what is missed meanwhile shares it; a
    /// quarter more after one for several numbers. By default 14 ms and 15 ms. More numbers than fit into a NAK, and
    /// those that the source or the window may soon have no more room for, do not wait so long.
    pub spacing: (Duration, Duration),
    /// How much longer a receiver waits whose last NAK another one made needless; by default 4 ms.
    pub deference: Duration,
    /// How long to wait for a confirmation, and then for the repair, before asking again, as long as no repair has come:
    /// from then on as long as repairs take, and a quarter of this at least. It doubles every other time, up to ten times
    /// as much. By default 20 ms.
    pub patience: Duration,
    /// How long a packet may be missing before it is given up; by default 10 s, which is libzmq's RECOVERY_IVL.
    pub give_up: Duration,
    /// A source that is silent for so long has gone; by default 300 s. A fifth of it is enough where another source has no
    /// place.
    pub expiry: Duration,
    /// A source without any progress for so long, whose numbers are those of its past, has begun anew; by default 1 s.
    pub restart: Duration,
    /// Where the random numbers begin: draw it at random. By default 1.
    pub seed: u64,
}

impl ReceiverConfig {
    /// The defaults, as each field's description says.
    pub const DEFAULT: Self = Self {
        window: 4096,
        window_bytes: 64 << 20,
        peers: 64,
        back_off: (Duration::from_micros(1500), Duration::from_micros(4500)),
        spacing: (Duration::from_millis(14), Duration::from_millis(15)),
        deference: Duration::from_millis(4),
        patience: Duration::from_millis(20),
        give_up: Duration::from_secs(10),
        expiry: Duration::from_secs(300),
        restart: Duration::from_secs(1),
        seed: 1,
    };
}

impl Default for ReceiverConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}
