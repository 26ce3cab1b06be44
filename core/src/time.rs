//! Time as the machines see it: a number the driver passes in. Nothing here reads a clock.

use core::time::Duration;

/// A point in time, in microseconds since an origin the driver chose. Monotonic within one driver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The driver's origin.
    pub const ZERO: Self = Self(0);
    /// `micros` microseconds after the origin.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }
    /// `millis` milliseconds after the origin.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1000))
    }
    /// Microseconds since the origin.
    pub const fn micros(self) -> u64 {
        self.0
    }
    /// The time from `earlier` to `self`; zero when `earlier` is the later one.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// Whole microseconds of `span`; without 128-bit arithmetic, which small machines pay for, and once for all its callers.
#[inline(never)]
pub(crate) const fn micros(span: Duration) -> u64 {
    span.as_secs().saturating_mul(1_000_000).saturating_add(span.subsec_micros() as u64)
}

impl core::ops::Add<Duration> for Instant {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(micros(span)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_saturates_at_both_ends() {
        let last = Instant::from_micros(u64::MAX);
        assert_eq!(last + Duration::from_micros(1), last);
        assert_eq!(Instant::ZERO + Duration::MAX, last);
        assert_eq!(Instant::from_millis(u64::MAX), last);
        assert_eq!(Instant::from_millis(3).since(Instant::from_micros(500)), Duration::from_micros(2500));
        assert_eq!(Instant::ZERO.since(last), Duration::ZERO);
        assert_eq!((Instant::from_millis(2) + Duration::from_nanos(1999)).micros(), 2001);
    }
}
