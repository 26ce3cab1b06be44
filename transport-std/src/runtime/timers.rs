//! The I/O thread's timers: a heap of deadlines.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// Connect again.
    Reconnect { sock: u32, pipe: u32 },
    /// The connection's own deadline.
    Protocol { sock: u32, pipe: u32 },
    /// The socket's arrivals are to be looked at again.
    Nap { sock: u32 },
    /// The socket has lingered long enough.
    Linger { sock: u32 },
    /// Accepting is to be tried again.
    Accept { sock: u32, listener: u32 },
}

/// Deadlines, soonest first. Timers are not cancelled: whoever is told looks whether it still matters.
#[derive(Default)]
pub(crate) struct Timers(BinaryHeap<Reverse<(Instant, Timer)>>);

impl Timers {
    pub(crate) fn at(&mut self, when: Instant, timer: Timer) {
        self.0.push(Reverse((when, timer)));
    }
    /// A timer that is due after `span`; never, if that is beyond the clock's range.
    pub(crate) fn after(&mut self, span: Duration, timer: Timer) {
        if let Some(when) = Instant::now().checked_add(span) {
            self.at(when, timer);
        }
    }
    /// Time until the next deadline.
    pub(crate) fn wait(&self) -> Option<Duration> {
        self.0.peek().map(|Reverse((when, _))| when.saturating_duration_since(Instant::now()))
    }
    /// The next timer that is due at `now`.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Timer> {
        let Reverse((when, _)) = self.0.peek()?;
        if *when > now {
            return None;
        }
        self.0.pop().map(|Reverse((_, timer))| timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soonest_first_and_none_early() {
        let (mut timers, start) = (Timers::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        timers.at(at(30), Timer::Nap { sock: 3 });
        timers.at(at(10), Timer::Nap { sock: 1 });
        timers.at(at(20), Timer::Nap { sock: 2 });
        assert_eq!(timers.due(at(5)), None);
        assert_eq!(timers.due(at(25)), Some(Timer::Nap { sock: 1 }));
        assert_eq!(timers.due(at(25)), Some(Timer::Nap { sock: 2 }));
        assert_eq!(timers.due(at(25)), None);
        assert_eq!(timers.due(at(30)), Some(Timer::Nap { sock: 3 }));
        assert_eq!(timers.wait(), None);
    }

    #[test]
    fn a_span_beyond_the_clock_is_never_over() {
        let mut timers = Timers::default();
        timers.after(Duration::MAX, Timer::Linger { sock: 1 });
        assert_eq!(timers.wait(), None);
        timers.after(Duration::ZERO, Timer::Linger { sock: 1 });
        assert_eq!(timers.due(Instant::now()), Some(Timer::Linger { sock: 1 }));
    }
}
