//! When SPMs leave: ambient ones always, heartbeats after data, and at once when asked (RFC 3208 section 5.1.5).

use super::SourceConfig;
use core::time::Duration;
use omnimq_core::Instant;

/// How far apart SPMs are that receivers ask for.
const ASKED: Duration = Duration::from_millis(2);

/// When the next SPM is due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    ambient: Duration,
    heartbeat: Duration,
    /// How long the next heartbeat waits.
    wait: Duration,
    last: Instant,
    due: Instant,
}

impl Schedule {
    /// The first SPM is due at once.
    pub(super) const fn new(config: &SourceConfig, now: Instant) -> Self {
        let SourceConfig { ambient, heartbeat, .. } = *config;
        Self { ambient, heartbeat, wait: heartbeat, last: now, due: now }
    }
    pub(super) const fn due(&self) -> Instant {
        self.due
    }
    /// Data has left: the next heartbeat tells receivers how far it went, unless an ambient SPM comes first.
    pub(super) fn on_data(&mut self, now: Instant) {
        self.wait = self.heartbeat;
        self.due = (now + self.heartbeat).min(self.last + self.ambient).max(now.min(self.due));
    }
    /// A receiver asks.
    pub(super) fn on_request(&mut self) {
        self.due = self.due.min(self.last + ASKED);
    }
    /// An SPM has left.
    pub(super) fn on_sent(&mut self, now: Instant) {
        self.last = now;
        self.due = now + self.wait.min(self.ambient);
        self.wait = self.wait.saturating_mul(2).min(self.ambient);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    const CONFIG: SourceConfig = SourceConfig::DEFAULT;

    fn millis(schedule: &mut Schedule, until: u64) -> Vec<u64> {
        let mut sent = Vec::new();
        while schedule.due() <= Instant::from_millis(until) {
            let now = schedule.due();
            sent.push(now.micros() / 1000);
            schedule.on_sent(now);
        }
        sent
    }

    #[test]
    fn heartbeats_double_up_to_the_ambient_interval() {
        let mut schedule = Schedule::new(&CONFIG, Instant::ZERO);
        let sent = millis(&mut schedule, 150_000);
        let expected = [0, 10, 30, 70, 150, 310, 630, 1270, 2550, 5110, 10_230, 20_470, 40_950, 70_950, 100_950, 130_950];
        assert_eq!(sent, expected);
    }

    #[test]
    fn data_that_does_not_end_holds_heartbeats_back_but_not_ambient_ones() {
        let mut schedule = Schedule::new(&CONFIG, Instant::ZERO);
        let mut sent = Vec::new();
        for at in 0..70_000 {
            let now = Instant::from_millis(at);
            if schedule.due() <= now {
                sent.push(at);
                schedule.on_sent(now);
            }
            schedule.on_data(now);
        }
        assert_eq!(sent, [0, 30_000, 60_000]);
    }

    #[test]
    fn requests_are_answered_at_once_but_not_one_by_one() {
        let mut schedule = Schedule::new(&CONFIG, Instant::ZERO);
        schedule.on_sent(Instant::from_millis(1000));
        schedule.on_request();
        assert_eq!(schedule.due(), Instant::from_millis(1002));
    }
}
