//! A connection's deadlines: one place per kind.

use crate::time::Instant;

/// What a connection waits for. Heartbeats take their places here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// The peer's READY.
    Handshake,
}

impl Timer {
    const ALL: [Self; 1] = [Self::Handshake];
}

/// Deadlines by [`Timer`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Timers([Option<Instant>; Timer::ALL.len()]);

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, deadline: Option<Instant>) {
        if let Some(slot) = self.0.get_mut(timer as usize) {
            *slot = deadline;
        }
    }
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }
    /// Takes a timer out whose deadline is `now` or earlier.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Timer> {
        Timer::ALL
            .into_iter()
            .zip(&mut self.0)
            .find_map(|(timer, slot)| slot.take_if(|deadline| *deadline <= now).map(|_| timer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_once_and_not_early() {
        let mut timers = Timers::default();
        assert_eq!(timers.next(), None);
        timers.set(Timer::Handshake, Some(Instant::from_millis(5)));
        assert_eq!(timers.next(), Some(Instant::from_millis(5)));
        assert_eq!(timers.expire(Instant::from_micros(4999)), None);
        assert_eq!(timers.expire(Instant::from_millis(5)), Some(Timer::Handshake));
        assert_eq!(timers.expire(Instant::from_millis(5)), None);
        assert_eq!(timers.next(), None);
    }
}
