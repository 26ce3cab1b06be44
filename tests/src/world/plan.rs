//! What a wire does to the octets it carries.

use omnimq_core::ReconnectPolicy;
use std::ops::RangeInclusive;

/// Microseconds, drawn from a range.
pub type Micros = RangeInclusive<u64>;

/// Knobs of every link of a [`World`](super::World). All times are virtual.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How long octets travel.
    pub latency: Micros,
    /// Octets that one direction holds, in flight and arrived together: the socket buffers of both kernels.
    pub window: usize,
    /// Octets are offered, taken and handed over in random pieces, the small ones likelier.
    pub split: bool,
    /// Time between stalls of a direction, if it stalls at all, and how long one lasts.
    pub stall: Option<(Micros, Micros)>,
    /// Time between cuts, if there are any: both directions die at once and lose what is in flight.
    pub cut: Option<Micros>,
    /// Time between half-closes, if there are any: one direction ends, after what was sent before.
    pub half_close: Option<Micros>,
    /// When the connecting side tries again.
    pub reconnect: ReconnectPolicy,
    /// Trouble (stall, cut, half-close) ends here, so that a scenario can.
    pub peace: u64,
}

impl Plan {
    /// One millisecond of latency and nothing else.
    pub const CALM: Self = Self {
        latency: 1_000..=1_000,
        window: 1 << 16,
        split: false,
        stall: None,
        cut: None,
        half_close: None,
        reconnect: ReconnectPolicy::from_options(10, 0, 0),
        peace: 2_000_000,
    };
    /// Octets come in random pieces through a small window.
    pub const SPLIT: Self = Self { latency: 0..=50, window: 97, split: true, ..Self::CALM };
    /// Latency between nothing and 200 ms.
    pub const LATENCY: Self = Self { latency: 0..=200_000, ..Self::CALM };
    /// Directions deliver nothing for a while, every now and then.
    pub const STALL: Self =
        Self { latency: 0..=2_000, window: 400, split: true, stall: Some((1_000..=60_000, 1_000..=100_000)), ..Self::CALM };
    /// Streams die every few milliseconds, in the handshake too.
    pub const CUT: Self = Self { latency: 0..=1_000, window: 300, split: true, cut: Some(500..=40_000), ..Self::CALM };
    /// Directions end every few milliseconds.
    pub const HALF_CLOSE: Self = Self { cut: None, half_close: Some(500..=40_000), ..Self::CUT };

    /// Whether streams end under this plan.
    pub const fn ends_streams(&self) -> bool {
        self.cut.is_some() || self.half_close.is_some()
    }
}
