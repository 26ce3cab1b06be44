//! How long an answer is waited for before asking again (RFC 3208 section 6.3, NAK_RPT_IVL and NAK_RDATA_IVL): by how
//! long answers have taken, as RFC 6298 reckons it for TCP.

use super::ReceiverConfig;
use core::time::Duration;

/// What answers of one source have taken.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Patience {
    /// The smoothed time and how far answers stray from it, in microseconds.
    answers: Option<(u64, u64)>,
}

impl Patience {
    /// An answer has come after so long. Of what was asked for twice nobody knows which question was answered.
    pub(super) fn on_answer(&mut self, after: Duration) {
        let after = u64::try_from(after.as_micros()).unwrap_or(u64::MAX >> 3).min(u64::MAX >> 3);
        self.answers = Some(match self.answers {
            None => (after, after / 2),
            Some((smoothed, strays)) => {
                let strays = (strays.saturating_mul(3).saturating_add(smoothed.abs_diff(after))) / 4;
                (smoothed.saturating_mul(7).saturating_add(after) / 8, strays)
            }
        });
    }
    /// How long to wait for an answer after having asked so many times before: twice as long every other time.
    pub(super) fn of(&self, config: &ReceiverConfig, asked: u8) -> Duration {
        let most = config.patience.saturating_mul(10);
        let once = match self.answers {
            None => config.patience,
            Some((smoothed, strays)) => {
                let wait = Duration::from_micros(smoothed.saturating_add(strays.saturating_mul(4)));
                wait.min(config.patience).max(config.patience / 4)
            }
        };
        once.saturating_mul(1 << (asked / 2).min(6)).min(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_follows_the_answers_within_its_limits() {
        let (config, mut patience) = (ReceiverConfig::DEFAULT, Patience::default());
        assert_eq!(patience.of(&config, 0), config.patience);
        (0..50).for_each(|_| patience.on_answer(Duration::from_micros(300)));
        assert_eq!(patience.of(&config, 0), config.patience / 4);
        (0..50).for_each(|_| patience.on_answer(Duration::from_millis(8)));
        assert!((8..12).contains(&patience.of(&config, 0).as_millis()), "{:?}", patience.of(&config, 0));
        (0..50).for_each(|_| patience.on_answer(Duration::MAX));
        assert_eq!(patience.of(&config, 0), config.patience);
        assert_eq!((patience.of(&config, 2), patience.of(&config, 255)), (config.patience * 2, config.patience * 10));
    }
}
