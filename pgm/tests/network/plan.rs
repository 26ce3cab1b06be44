//! What a network does to packets.

use omnimq_seeds::Rng;
use std::time::Duration;

/// What happens to packets on their way to one host. Chances are in thousandths.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Chance of each packet to be lost, and of which packet types (all if empty).
    pub(crate) loss: u64,
    pub(crate) types: &'static [u8],
    /// Chance that a burst of losses begins, and how many packets it takes.
    pub(crate) burst: u64,
    pub(crate) burst_len: u64,
    /// Chance of each packet to come twice.
    pub(crate) duplication: u64,
    /// Chance of each packet to be held back for up to `late`, so that others overtake it.
    pub(crate) reordering: u64,
    pub(crate) late: Duration,
    /// How long packets are on their way, at least and at most; within it they keep their order.
    pub(crate) delay: (Duration, Duration),
    /// Nothing passes between these times, in milliseconds.
    pub(crate) partitions: Vec<(u64, u64)>,
}

impl Plan {
    pub(crate) const fn calm() -> Self {
        Self {
            loss: 0,
            types: &[],
            burst: 0,
            burst_len: 0,
            duplication: 0,
            reordering: 0,
            late: Duration::from_millis(3),
            delay: (Duration::from_micros(50), Duration::from_micros(200)),
            partitions: Vec::new(),
        }
    }
    pub(crate) fn losing(loss: u64) -> Self {
        Self { loss, ..Self::calm() }
    }
}

/// A span between these two.
pub(crate) fn between(rng: &mut Rng, (least, most): (Duration, Duration)) -> Duration {
    let (least, most) = (least.as_micros() as u64, most.as_micros() as u64);
    Duration::from_micros(least + rng.below(most.saturating_sub(least) + 1))
}
