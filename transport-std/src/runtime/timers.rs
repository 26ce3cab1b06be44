//! The I/O thread's timers: deadlines in order.

use crate::sys::SockId;
use omnimq_core::PipeId;
use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Timer {
    /// Connect again.
    Reconnect { sock: SockId, pipe: PipeId },
    /// An address that is being tried has had its time.
    Silence { sock: SockId, pipe: PipeId, attempt: u32 },
    /// The connection's own deadline.
    Protocol { sock: SockId, pipe: PipeId },
    /// The socket's arrivals are to be looked at again.
    Nap { sock: SockId },
    /// A pipe that was disconnected has lingered long enough.
    Leave { sock: SockId, pipe: PipeId },
    /// The socket has lingered long enough.
    Linger { sock: SockId },
    /// A multicast session's deadline.
    #[cfg_attr(not(all(feature = "pgm", target_os = "linux")), expect(dead_code, reason = "there are no sessions"))]
    Sessions { sock: SockId },
    /// Accepting is to be tried again.
    Accept { sock: SockId, listener: u32 },
}

/// Deadlines, soonest first. Each timer has one at most: another takes its place.
#[derive(Default)]
pub(crate) struct Timers {
    queue: BTreeSet<(Instant, Timer)>,
    set: HashMap<Timer, Instant>,
}

impl Timers {
    pub(crate) fn at(&mut self, when: Instant, timer: Timer) {
        self.cancel(timer);
        self.queue.insert((when, timer));
        self.set.insert(timer, when);
    }
    /// A timer that is due after `span`; never, if that is beyond the clock's range.
    pub(crate) fn after(&mut self, span: Duration, timer: Timer) {
        match Instant::now().checked_add(span) {
            Some(when) => self.at(when, timer),
            None => self.cancel(timer),
        }
    }
    /// Whoever waits for nothing else is not woken for this.
    pub(crate) fn cancel(&mut self, timer: Timer) {
        if let Some(when) = self.set.remove(&timer) {
            self.queue.remove(&(when, timer));
        }
    }
    /// Time until the next deadline.
    pub(crate) fn wait(&self) -> Option<Duration> {
        self.queue.first().map(|(when, _)| when.saturating_duration_since(Instant::now()))
    }
    /// The next timer that is due at `now`.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Timer> {
        let (when, timer) = *self.queue.first()?;
        if when > now {
            return None;
        }
        self.cancel(timer);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soonest_first_and_none_early() {
        let (mut timers, start) = (Timers::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        timers.at(at(30), Timer::Nap { sock: SockId::new(3) });
        timers.at(at(10), Timer::Nap { sock: SockId::new(1) });
        timers.at(at(20), Timer::Nap { sock: SockId::new(2) });
        assert_eq!(timers.due(at(5)), None);
        assert_eq!(timers.due(at(25)), Some(Timer::Nap { sock: SockId::new(1) }));
        assert_eq!(timers.due(at(25)), Some(Timer::Nap { sock: SockId::new(2) }));
        assert_eq!(timers.due(at(25)), None);
        assert_eq!(timers.due(at(30)), Some(Timer::Nap { sock: SockId::new(3) }));
        assert_eq!(timers.wait(), None);
    }

    #[test]
    fn one_deadline_each_and_none_when_cancelled() {
        let (mut timers, start) = (Timers::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        timers.at(at(10), Timer::Nap { sock: SockId::new(1) });
        timers.at(at(30), Timer::Nap { sock: SockId::new(1) });
        timers.at(at(20), Timer::Nap { sock: SockId::new(2) });
        assert_eq!(timers.due(at(25)), Some(Timer::Nap { sock: SockId::new(2) }));
        assert_eq!(timers.due(at(25)), None);
        timers.cancel(Timer::Nap { sock: SockId::new(1) });
        timers.cancel(Timer::Nap { sock: SockId::new(7) });
        assert_eq!(timers.due(at(99)), None);
        assert_eq!(timers.wait(), None);
        timers.at(at(30), Timer::Nap { sock: SockId::new(1) });
        timers.after(Duration::MAX, Timer::Nap { sock: SockId::new(1) });
        assert_eq!(timers.wait(), None);
    }

    #[test]
    fn a_span_beyond_the_clock_is_never_over() {
        let mut timers = Timers::default();
        timers.after(Duration::MAX, Timer::Linger { sock: SockId::new(1) });
        assert_eq!(timers.wait(), None);
        timers.after(Duration::ZERO, Timer::Linger { sock: SockId::new(1) });
        assert_eq!(timers.due(Instant::now()), Some(Timer::Linger { sock: SockId::new(1) }));
    }
}
