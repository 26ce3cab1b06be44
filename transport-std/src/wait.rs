//! How long a call may wait.

use std::time::{Duration, Instant};

/// How long a call may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wait {
    /// Not at all.
    No,
    /// Until this time; `None` = for ever.
    Until(Option<Instant>),
}

impl Wait {
    /// From here on at most `timeout`; `None` = for ever.
    pub(crate) fn at_most(timeout: Option<Duration>) -> Self {
        match timeout {
            Some(span) if span.is_zero() => Self::No,
            // A time beyond the clock's range is no limit.
            Some(span) => Self::Until(Instant::now().checked_add(span)),
            None => Self::Until(None),
        }
    }
    /// What is left of it; `None` = for ever.
    pub(crate) fn left(self) -> Option<Duration> {
        match self {
            Self::No => Some(Duration::ZERO),
            Self::Until(until) => until.map(|until| until.saturating_duration_since(Instant::now())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_never_more_than_was_given() {
        assert_eq!(Wait::No.left(), Some(Duration::ZERO));
        assert_eq!(Wait::at_most(Some(Duration::ZERO)).left(), Some(Duration::ZERO));
        assert_eq!(Wait::at_most(None).left(), None);
        assert_eq!(Wait::at_most(Some(Duration::MAX)).left(), None);
        let left = Wait::at_most(Some(Duration::from_secs(9))).left().unwrap();
        assert!(left <= Duration::from_secs(9));
        assert_eq!(Wait::Until(Some(Instant::now())).left(), Some(Duration::ZERO));
    }
}
