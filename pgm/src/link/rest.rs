//! When packets come too fast to be woken for each: rests after which many are there.

use super::inbox::UNITS;
use core::time::Duration;
use omnimq_core::Instant;

/// How long a rest is at most; a rest brings so many units at least, and about so many at most: one call receives them, and
/// small buffers hold them.
const REST: Duration = Duration::from_micros(100);
const FEWEST: u32 = 4;
const MOST: u32 = UNITS as u32;
/// What is looked back on.
const SPELL: Duration = Duration::from_millis(1);

/// How fast a socket's units (see [`Inbox`](super::inbox::Inbox)) come.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// When the spell began, and what has come in it.
    since: Instant,
    units: usize,
    /// How long to rest, if at all.
    rest: Option<Duration>,
}

impl Rest {
    /// So many units have come; returns when to look for more, if the socket is not to be waited for until then.
    pub(super) fn on_turn(&mut self, units: usize, now: Instant) -> Option<Instant> {
        self.units = self.units.saturating_add(units);
        let span = now.since(self.since);
        if span >= SPELL {
            let each = u32::try_from(self.units).ok().and_then(|units| span.checked_div(units)).unwrap_or(span);
            // Of a spell that was quiet for a while nothing follows.
            self.rest = (each * FEWEST <= REST && span < SPELL * 2).then(|| REST.min(each * MOST));
            (self.since, self.units) = (now, 0);
        }
        self.rest.map(|rest| now + rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A unit every so many microseconds, for ten spells; the last rest.
    fn flow(rest: &mut Rest, begin: Instant, micros: u64) -> Option<Duration> {
        let turn = |at| {
            let now = begin + Duration::from_micros(at * micros);
            rest.on_turn(1, now).map(|until| until.since(now))
        };
        (0..=10_000 / micros).map(turn).last().flatten()
    }

    #[test]
    fn only_what_comes_fast_is_rested_for() {
        let micros = |micros| Some(Duration::from_micros(micros));
        for (every, expected) in
            [(100, None), (26, None), (25, micros(100)), (10, micros(100)), (5, micros(80)), (1, micros(16))]
        {
            assert_eq!(flow(&mut Rest::default(), Instant::from_millis(1000), every), expected, "every {every} µs");
        }
    }

    #[test]
    fn silence_ends_it_and_a_burst_does_not_begin_it() {
        let mut rest = Rest::default();
        assert!(flow(&mut rest, Instant::from_millis(1000), 10).is_some());
        assert_eq!(rest.on_turn(0, Instant::from_millis(1011)), None);
        assert_eq!(rest.on_turn(1000, Instant::from_millis(1013)), None);
    }
}
