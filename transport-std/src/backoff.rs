//! Delays between attempts to connect.

use std::time::Duration;

/// The next delay, with jitter; doubling where a longest is given.
pub(crate) struct Backoff {
    first: Option<Duration>,
    max: Option<Duration>,
    next: Duration,
    state: u32,
}

impl Backoff {
    pub(crate) fn new(first: Option<Duration>, max: Option<Duration>, seed: u32) -> Self {
        Self { first, max, next: first.unwrap_or_default(), state: seed | 1 }
    }
    pub(crate) fn reset(&mut self) {
        self.next = self.first.unwrap_or_default();
    }
    /// The time to wait before the next attempt; `None`: there is none.
    pub(crate) fn next(&mut self) -> Option<Duration> {
        self.first.filter(|first| !first.is_zero())?;
        self.state ^= self.state << 13;
        self.state ^= self.state >> 17;
        self.state ^= self.state << 5;
        let delay = self.next + self.next * (self.state % 1024) / 1024;
        if let Some(max) = self.max {
            self.next = (self.next * 2).min(max);
        }
        Some(delay)
    }
}
