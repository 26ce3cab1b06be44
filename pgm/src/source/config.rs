//! What a source may be told.

use core::time::Duration;

/// How a source sends and what it keeps. Defaults are libzmq's where it has the option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceConfig {
    /// Octets per second, with all headers; 0 = no limit (ZMQ_RATE; by default 12,500, which is 100 kbit/s). Repairs
    /// have the same again.
    pub rate: u64,
    /// Packets kept for repair, at most (by default 4096; see [`window_of`](crate::window_of)).
    pub window: u32,
    /// Octets that the packets kept may take, bookkeeping included; by default 64 MiB.
    pub window_bytes: usize,
    /// An SPM leaves at least this often; by default every 30 s.
    pub ambient: Duration,
    /// The first SPM after data; each one waits twice as long as the one before. By default 10 ms.
    pub heartbeat: Duration,
    /// How long further NAKs for a packet are passed over after its repair has left; by default 2 ms.
    pub repair_hold_off: Duration,
}

impl SourceConfig {
    /// The defaults, as each field's description says.
    pub const DEFAULT: Self = Self {
        rate: 12_500,
        window: 4096,
        window_bytes: 64 << 20,
        ambient: Duration::from_secs(30),
        heartbeat: Duration::from_millis(10),
        repair_hold_off: Duration::from_millis(2),
    };
}

impl Default for SourceConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}
