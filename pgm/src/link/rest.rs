//! When packets come too fast to be woken for each: rests after which many are there.

use core::time::Duration;
use omnimq_core::Instant;

/// How long a rest is.
const REST: Duration = Duration::from_micros(100);
/// What is looked back on, and how many units in it are many: a rest brings four or more.
const SPELL: Duration = Duration::from_millis(1);
const MANY: usize = 40;

/// How fast a socket's units (see [`Inbox`](super::inbox::Inbox)) come.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// When the spell began, and what has come in it.
    since: Instant,
    units: usize,
    busy: bool,
}

impl Rest {
    /// So many units have come; returns when to look for more, if the socket is not to be waited for until then.
    pub(super) fn on_turn(&mut self, units: usize, now: Instant) -> Option<Instant> {
        self.units = self.units.saturating_add(units);
        let span = now.since(self.since);
        if span >= SPELL {
            // Of a spell that was quiet for a while nothing follows.
            self.busy = self.units >= MANY && span < SPELL * 2;
            (self.since, self.units) = (now, 0);
        }
        self.busy.then(|| now + REST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Turns every `micros` that bring a unit each; how many of them end in a rest.
    fn rests(rest: &mut Rest, begin: u64, micros: u64) -> usize {
        let turn = |at: &u64| rest.on_turn(1, Instant::from_micros(begin + at * micros)).is_some();
        (0..1000).filter(turn).count()
    }

    #[test]
    fn only_what_comes_fast_is_rested_for() {
        let mut rest = Rest::default();
        assert_eq!(rests(&mut rest, 1_000_000, 50), 0, "20,000 a second");
        assert!((900..1000).contains(&rests(&mut rest, 2_000_000, 10)), "100,000 a second");
        assert_eq!(rest.on_turn(0, Instant::from_micros(2_020_000)), None, "silence ends it");
        assert_eq!(rest.on_turn(100, Instant::from_micros(3_000_000)), None, "a burst is no flow");
    }

    #[test]
    fn a_rest_is_over_in_time() {
        let mut rest = Rest::default();
        rests(&mut rest, 1_000_000, 10);
        let now = Instant::from_micros(1_010_000);
        let until = rest.on_turn(16, now).unwrap();
        assert_eq!(until.since(now), REST);
    }
}
