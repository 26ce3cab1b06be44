//! What one source is told when it acts: the configuration, the time, and what the windows of all may still take.

use super::back_off::drawn;
use super::{ReceiverConfig, ReceiverStatistics};
use crate::rng::Rng;
use core::time::Duration;
use omnimq_core::Instant;

/// What windows take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) octets: usize,
    /// Numbers without a packet.
    pub(super) holes: usize,
}

impl Taken {
    /// What took `before` takes `after`.
    pub(super) const fn on_change(&mut self, before: Self, after: Self) {
        self.octets = self.octets.saturating_sub(before.octets).saturating_add(after.octets);
        self.holes = self.holes.saturating_sub(before.holes).saturating_add(after.holes);
    }
}

/// What the machine is told with a packet.
pub(super) struct Context<'a> {
    pub(super) config: &'a ReceiverConfig,
    pub(super) statistics: &'a mut ReceiverStatistics,
    pub(super) rng: &'a mut Rng,
    pub(super) now: Instant,
    /// Octets that all windows may still take.
    pub(super) room: usize,
    /// Numbers without a packet that they may still take, and that each may take in any case.
    pub(super) holes: (usize, usize),
}

impl Context<'_> {
    /// A time between the least and the most from here.
    pub(super) fn drawn(&mut self, span: (Duration, Duration)) -> Instant {
        self.now + drawn(self.rng, span)
    }
}
