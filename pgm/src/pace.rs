//! A token bucket: how many octets may leave when (RFC 3208 section 5.1.1, TXW_MAX_RTE).

use core::time::Duration;
use omnimq_core::Instant;

/// Parts of an octet that the bucket counts in, so that no rate loses by rounding.
const PARTS: u64 = 1_000_000;

/// A burst is what the rate gives in this many milliseconds, and no more than common receive buffers hold...
const BURST_MILLIS: u64 = 4;
const MOST: u64 = 131_072;
/// ...or, where that is little, up to this many octets, of up to so many milliseconds: any switch holds that, and whoever
/// sends slowly need not wake often...
const LITTLE: u64 = 32_768;
const LITTLE_MILLIS: u64 = 20;
/// ...and two packets at least.
const LEAST: u64 = 3_000;

/// Octets of a burst.
fn burst(rate: u64) -> u64 {
    let given = |millis| (rate / 1000).saturating_mul(millis);
    given(BURST_MILLIS).max(given(LITTLE_MILLIS).min(LITTLE)).clamp(LEAST, MOST)
}

/// A token bucket. Full at the beginning; may go below zero by one packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Octets per second; 0 = unlimited.
    rate: u64,
    /// What the bucket holds in all, in parts.
    burst: i64,
    level: i64,
    filled: Instant,
}

impl Pace {
    pub(crate) fn new(rate: u64, now: Instant) -> Self {
        let burst = i64::try_from(burst(rate).saturating_mul(PARTS)).unwrap_or(i64::MAX);
        Self { rate, burst, level: burst, filled: now }
    }
    fn fill(&mut self, now: Instant) {
        let micros = u64::try_from(now.since(self.filled).as_micros()).unwrap_or(u64::MAX);
        let parts = i64::try_from(self.rate.saturating_mul(micros)).unwrap_or(i64::MAX);
        self.level = self.level.saturating_add(parts).min(self.burst);
        self.filled = self.filled.max(now);
    }
    /// Whether a packet may leave.
    pub(crate) fn allows(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.rate == 0 || self.level > 0
    }
    /// `octets` have left.
    pub(crate) fn spend(&mut self, octets: usize) {
        let octets = u64::try_from(octets).unwrap_or(u64::MAX);
        let parts = i64::try_from(octets.saturating_mul(PARTS)).unwrap_or(i64::MAX);
        self.level = self.level.saturating_sub(parts);
    }
    /// When to come back after `allows` said no: not for the first octet, but when half a burst may leave.
    pub(crate) fn due(&self) -> Instant {
        let missing = u64::try_from(self.burst.wrapping_div(2).saturating_sub(self.level)).unwrap_or(0);
        let micros = missing.checked_div(self.rate).unwrap_or(0).saturating_add(1);
        self.filled + Duration::from_micros(micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Octets that leave in a second when packets of `packet` octets are always there, and how often one had to wait.
    fn second(rate: u64, packet: usize) -> (u64, u32) {
        let (mut now, end) = (Instant::from_millis(5), Instant::from_millis(1005));
        let mut pace = Pace::new(rate, now);
        let (mut sent, mut waits) = (0, 0);
        while now < end {
            if pace.allows(now) {
                pace.spend(packet);
                sent += packet as u64;
            } else {
                waits += 1;
                now = pace.due();
            }
        }
        (sent, waits)
    }

    #[test]
    fn the_rate_is_kept_and_few_wakes_are_needed() {
        for rate in [12_500, 125_000, 2_500_000, 12_500_000, 125_000_000, 1_000_000_000] {
            for packet in [60, 1456] {
                let (sent, waits) = second(rate, packet);
                let most = rate + burst(rate) + 2 * packet as u64;
                assert!(sent <= most && sent as f64 >= 0.99 * rate as f64, "{rate} {packet}: {sent} of {most}");
                assert!(u64::from(waits) <= 520.max(rate / 60_000), "{rate} {packet}: {waits} waits");
            }
        }
        assert!(second(2_500_000, 1456).1 <= 160, "at 20 Mbit/s a wake-up every 6 ms suffices");
    }

    #[test]
    fn bursts_table() {
        let table = [
            (12_500, 3_000),
            (125_000, 3_000),
            (2_500_000, 32_768),
            (12_500_000, 50_000),
            (125_000_000, 131_072),
            (0, 3_000),
        ];
        for (rate, octets) in table {
            assert_eq!(burst(rate), octets, "{rate}");
        }
    }

    #[test]
    fn no_rate_is_no_limit() {
        let mut pace = Pace::new(0, Instant::ZERO);
        pace.spend(usize::MAX);
        assert!(pace.allows(Instant::ZERO));
    }
}
