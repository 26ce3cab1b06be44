//! Look again and again, or sleep?
//!
//! Waking a sleeper on another processor takes tens of microseconds; an answer that is under way may take five. So a wait
//! may begin by looking again and again, for a span that the options bound, where that has been seen to pay: [`TRIES`]
//! waits in a row try it, and as long as one of each such row pays, the next waits do. When none has, the next tries come
//! after a rest, counted in waits, that doubles each time. Both sides of a conversation wait equally often, so their tries
//! fall together; that matters, because looking pays only when the other side is awake as well.
//!
//! With one processor nobody else runs while this one looks, so it never does.

use std::num::NonZero;
use std::sync::LazyLock;
use std::thread::available_parallelism;
use std::time::Duration;

/// Whether this process may use more than one processor.
static SEVERAL: LazyLock<bool> = LazyLock::new(|| available_parallelism().is_ok_and(|n| n > NonZero::<usize>::MIN));

/// Waits in a row that try it.
const TRIES: u32 = 4;

/// Waits that follow the first tries in vain without a try.
const REST: u32 = 8;

/// Most waits without a try: tries that never pay take a thousandth of the waits or so.
const REST_MAX: u32 = 4096;

/// Whether the waits of one socket begin by looking again and again.
pub(crate) struct Spin {
    /// How long at most; zero = never.
    most: Duration,
    /// Tries in a row that did not pay.
    misses: u32,
    /// Waits until the next try.
    rest: u32,
    /// The rest that follows the next tries in vain.
    next_rest: u32,
}

impl Spin {
    /// Waits look for `most` at most; zero = never.
    pub(crate) fn new(most: Duration) -> Self {
        Self { most: if *SEVERAL { most } else { Duration::ZERO }, misses: 0, rest: 0, next_rest: REST }
    }
    /// How long this wait, which lasts `left` at most, is to look again and again; `None`: it sleeps at once.
    pub(crate) fn begin(&mut self, left: Option<Duration>) -> Option<Duration> {
        let most = left.map_or(self.most, |left| left.min(self.most));
        if most.is_zero() {
            return None;
        }
        if self.rest > 0 {
            self.rest -= 1;
            return None;
        }
        Some(most)
    }
    /// A wait looked again and again, and something came after `took`; `None`: nothing did.
    pub(crate) fn end(&mut self, took: Option<Duration>) {
        if took.is_some_and(|took| took <= self.most / 2) {
            (self.misses, self.next_rest) = (0, REST);
            return;
        }
        self.misses += 1;
        if self.misses >= TRIES {
            (self.misses, self.rest) = (0, self.next_rest);
            self.next_rest = (self.next_rest * 2).min(REST_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Duration = Duration::from_micros(50);

    fn spin() -> Spin {
        // Whatever machine this is.
        Spin { most: MOST, ..Spin::new(MOST) }
    }

    /// How many of `waits` waits tried, each with the same end.
    fn tries(spin: &mut Spin, waits: u32, took: Option<Duration>) -> u32 {
        (0..waits).filter(|_| spin.begin(None).map(|_| spin.end(took)).is_some()).count() as u32
    }

    #[test]
    fn what_pays_goes_on() {
        assert_eq!(tries(&mut spin(), 10_000, Some(MOST / 2)), 10_000);
    }

    #[test]
    fn what_does_not_pay_becomes_rare() {
        let mut spin = spin();
        assert_eq!(tries(&mut spin, TRIES, None), TRIES);
        assert_eq!(tries(&mut spin, REST, None), 0);
        assert_eq!(tries(&mut spin, TRIES, Some(MOST)), TRIES, "late is no better than never");
        assert_eq!(tries(&mut spin, 2 * REST, None), 0);
        assert!(tries(&mut spin, 1_000_000, None) < 1_100);
    }

    #[test]
    fn one_that_pays_begins_anew() {
        let mut spin = spin();
        tries(&mut spin, 100_000, None);
        spin.rest = 0;
        assert_eq!(tries(&mut spin, 1, Some(Duration::ZERO)), 1);
        assert_eq!(tries(&mut spin, TRIES, None), TRIES);
        assert_eq!(tries(&mut spin, REST, None), 0);
        assert_eq!(tries(&mut spin, 1, None), 1);
    }

    #[test]
    fn no_longer_than_the_wait_and_never_when_told_so() {
        assert_eq!(spin().begin(Some(MOST / 4)), Some(MOST / 4));
        assert_eq!(spin().begin(Some(Duration::ZERO)), None);
        assert_eq!(Spin::new(Duration::ZERO).begin(None), None);
    }
}
