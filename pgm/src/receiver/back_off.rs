//! When what is missing is asked for (RFC 3208 section 6.3): together, seldom, and by one receiver of many.
//!
//! What is missed while a NAK is due shares it, and the next NAK waits a while after the last one, longer as long as
//! that pays: when the last one was shared. The receiver that asked last asks first again; one that found its question
//! answered before it asked waits longer, so that as a rule it hears the confirmation of the other's NAK instead of
//! sending its own. Who alone misses something asks all the same.

use super::ReceiverConfig;
use crate::rng::Rng;
use core::time::Duration;
use omnimq_core::Instant;

/// How long what hurries is waited for, at least and at most.
const HASTE: (Duration, Duration) = (Duration::from_micros(500), Duration::from_millis(2));

/// When the next NAK for one source leaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct BackOff {
    next: Option<Next>,
    /// When somebody asked last for something that was missing here.
    asked: Option<Instant>,
    /// It was for several numbers.
    shared: bool,
    /// It was not this receiver.
    defers: bool,
}

#[derive(Clone, Copy, Debug)]
enum Next {
    /// Others may come to share it.
    Spaced(Instant),
    /// As soon as may be.
    Soon(Instant),
}

impl BackOff {
    pub(super) const fn new() -> Self {
        Self { next: None, asked: None, shared: false, defers: false }
    }
    /// When the numbers that wait are to be asked for.
    pub(super) const fn due(&self) -> Option<Instant> {
        match self.next {
            Some(Next::Spaced(due) | Next::Soon(due)) => Some(due),
            None => None,
        }
    }
    /// A number waits; returns when it is to be asked for, which is as soon as those that wait already.
    pub(super) fn begin(&mut self, config: &ReceiverConfig, rng: &mut Rng, now: Instant) -> Instant {
        if let Some(due) = self.due() {
            return due;
        }
        let mut due = now + drawn(rng, config.back_off);
        if let Some(asked) = self.asked {
            let spacing = drawn(rng, config.spacing);
            due = due.max(asked + if self.shared { spacing.saturating_add(spacing / 4) } else { spacing });
        }
        if self.defers {
            due = due + config.deference;
        }
        self.next = Some(Next::Spaced(due));
        due
    }
    /// What waits cannot wait long, nor for others: returns when it is to be asked for.
    pub(super) fn hurry(&mut self, rng: &mut Rng, now: Instant) -> Option<Instant> {
        if let Some(Next::Spaced(due)) = self.next {
            let soon = now + drawn(rng, HASTE);
            self.next = Some(Next::Soon(due.min(soon)));
        }
        self.due()
    }
    /// Numbers that were to be asked for could not be: they are due then.
    pub(super) const fn postpone(&mut self, due: Instant) {
        self.next = Some(Next::Soon(due));
    }
    /// No number waits.
    pub(super) const fn end(&mut self) {
        self.next = None;
    }
    /// This receiver has asked for so many numbers.
    pub(super) const fn on_asked(&mut self, numbers: usize, now: Instant) {
        (self.asked, self.shared, self.defers) = (Some(now), numbers > 1, false);
    }
    /// Another receiver has asked for so many of the numbers that waited here.
    pub(super) const fn on_suppressed(&mut self, numbers: usize, now: Instant) {
        (self.asked, self.shared, self.defers) = (Some(now), numbers > 1, true);
    }
}

/// A time between the least and the most.
pub(super) fn drawn(rng: &mut Rng, (least, most): (Duration, Duration)) -> Duration {
    let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(rng.between(micros(least), micros(most)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: ReceiverConfig = ReceiverConfig::DEFAULT;

    fn within(due: Instant, from: Instant, (least, most): (Duration, Duration)) -> bool {
        (from + least..=from + most).contains(&due)
    }

    #[test]
    fn naks_are_apart_and_numbers_that_come_meanwhile_share_one() {
        let (mut back_off, mut rng, start) = (BackOff::new(), Rng(1), Instant::from_millis(100));
        let first = back_off.begin(&CONFIG, &mut rng, start);
        assert!(within(first, start, CONFIG.back_off));
        assert_eq!(back_off.begin(&CONFIG, &mut rng, start + Duration::from_millis(1)), first);
        back_off.end();
        back_off.on_asked(1, first);
        let second = back_off.begin(&CONFIG, &mut rng, first + Duration::from_millis(1));
        assert!(within(second, first, CONFIG.spacing));
        back_off.end();
        back_off.on_asked(2, second);
        let third = back_off.begin(&CONFIG, &mut rng, second + Duration::from_millis(1));
        assert!(within(third, second, (CONFIG.spacing.0 * 5 / 4, CONFIG.spacing.1 * 5 / 4)));
        back_off.end();
        let later = third + Duration::from_secs(1);
        assert!(within(back_off.begin(&CONFIG, &mut rng, later), later, CONFIG.back_off));
    }

    #[test]
    fn who_was_suppressed_asks_after_any_that_was_not() {
        let (mut one, mut other, mut rng) = (BackOff::new(), BackOff::new(), Rng(1));
        let mut now = Instant::from_millis(100);
        for _ in 0..100 {
            one.on_asked(1, now);
            other.on_suppressed(1, now + Duration::from_micros(200));
            now = now + Duration::from_millis(1 + rng.draw() % 30);
            let (first, second) = (one.begin(&CONFIG, &mut rng, now), other.begin(&CONFIG, &mut rng, now));
            assert!(first < second + Duration::from_micros(100), "{first:?} {second:?}");
            one.end();
            other.end();
            now = second;
        }
    }

    #[test]
    fn haste_is_once_and_never_delays() {
        let (mut back_off, mut rng, now) = (BackOff::new(), Rng(1), Instant::from_millis(100));
        assert_eq!(back_off.hurry(&mut rng, now), None);
        back_off.on_asked(1, now);
        back_off.begin(&CONFIG, &mut rng, now);
        let due = back_off.hurry(&mut rng, now);
        assert!(due.is_some_and(|due| within(due, now, HASTE)));
        assert_eq!(back_off.hurry(&mut rng, now + Duration::from_millis(1)), due);
    }
}
