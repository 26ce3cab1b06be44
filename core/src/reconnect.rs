//! When to connect again: back-off as a pure state machine, for the connecting side of tcp and ipc.
//!
//! ```text
//!            on_handshake             on_close             handle_timeout
//! Connecting ------------> Up ----------------> Waiting ------------------> Connecting
//!     \______________________ on_failure ________/^
//!          any failure that the policy stops at, or a broken protocol ----> Stopped
//! ```
//! The first try is at once. The n-th wait is `ivl` · 2ⁿ, at most `max`, plus a random part; without `max` it does
//! not grow. Only a finished handshake begins anew at `ivl`: a server that accepts and hangs up is not pestered.
//! Unlike libzmq there is a random part in both modes, so that a thousand clients do not come back in one instant.

use crate::error::CloseReason;
use crate::time::{Instant, micros};
use core::time::Duration;

/// How long to wait and when to give up.
///
/// ```
/// use core::time::Duration;
/// use omnimq_core::reconnect::ReconnectPolicy;
///
/// // From a tenth of a second to ten, and not again where a handshake failed.
/// let policy = ReconnectPolicy { max: Some(Duration::from_secs(10)), stop_handshake: true, ..ReconnectPolicy::DEFAULT };
/// assert_eq!(policy, ReconnectPolicy::from_options(100, 10_000, 2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ReconnectPolicy {
    /// The shortest wait; `None` never connects again.
    pub ivl: Option<Duration>,
    /// The longest wait, reached by doubling; `None` keeps to `ivl`. If it is less than `ivl` it replaces it.
    pub max: Option<Duration>,
    /// Give up when nobody listens (ZMQ_RECONNECT_STOP_CONN_REFUSED).
    pub stop_refused: bool,
    /// Give up when a handshake fails (ZMQ_RECONNECT_STOP_HANDSHAKE_FAILED).
    pub stop_handshake: bool,
    /// Give up when an established connection ends (ZMQ_RECONNECT_STOP_AFTER_DISCONNECT).
    pub stop_disconnected: bool,
}

impl ReconnectPolicy {
    /// libzmq's: 100 ms, not growing, without end.
    pub const DEFAULT: Self = Self::from_options(100, 0, 0);

    /// The policy of ZMQ_RECONNECT_IVL and ZMQ_RECONNECT_IVL_MAX in milliseconds and of the bits of
    /// ZMQ_RECONNECT_STOP. An `ivl` of 0 or less means never, a `max` of 0 or less not growing.
    pub const fn from_options(ivl: i32, max: i32, stop: i32) -> Self {
        Self {
            ivl: positive_millis(ivl),
            max: positive_millis(max),
            stop_refused: stop & 1 != 0,
            stop_handshake: stop & 2 != 0,
            stop_disconnected: stop & 4 != 0,
        }
    }

    const fn stops_at(&self, failure: Failure) -> bool {
        match failure {
            Failure::Refused => self.stop_refused,
            Failure::Handshake => self.stop_handshake,
            Failure::Disconnected => self.stop_disconnected,
            Failure::Unreachable => false,
            Failure::Final => true,
        }
    }
}

impl Default for ReconnectPolicy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

const fn positive_millis(millis: i32) -> Option<Duration> {
    if millis <= 0 { None } else { Some(Duration::from_millis(millis.unsigned_abs() as u64)) }
}

/// What ended a try or a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Failure {
    /// Nobody listens there (ECONNREFUSED).
    Refused,
    /// Any other failure to connect: no route, no such name, no answer.
    Unreachable,
    /// The stream ended, or time did, before the handshake was over.
    Handshake,
    /// The stream ended after the handshake.
    Disconnected,
    /// It would end the same way again: the peer breaks the protocol, does not fit, refuses us, or is not wanted.
    Final,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Connecting,
    Up,
    Waiting(Instant),
    Stopped(Failure),
}

/// The back-off of one endpoint.
///
/// ```
/// use core::time::Duration;
/// use omnimq_core::reconnect::{Failure, Reconnect, ReconnectPolicy};
/// use omnimq_core::time::Instant;
///
/// let mut reconnect = Reconnect::new(ReconnectPolicy::DEFAULT, 1);
/// let now = Instant::from_millis(5);
/// let wait = reconnect.on_failure(Failure::Refused, now).unwrap();
/// assert!(wait >= Duration::from_millis(100) && wait < Duration::from_millis(200));
/// assert!(!reconnect.handle_timeout(now));
/// assert!(reconnect.handle_timeout(now + wait), "time to connect");
/// ```
#[derive(Clone, Debug)]
pub struct Reconnect {
    policy: ReconnectPolicy,
    state: State,
    /// The next wait without its random part, in microseconds; `None` = `ivl`.
    base: Option<u64>,
    seed: u32,
}

impl Reconnect {
    /// A back-off whose first try is being made. `seed` is to differ between processes and endpoints.
    pub const fn new(policy: ReconnectPolicy, seed: u64) -> Self {
        Self { policy, state: State::Connecting, base: None, seed: (seed ^ seed >> 32) as u32 }
    }

    /// The handshake is over: the next wait is the shortest again.
    pub fn on_handshake(&mut self) {
        if self.state == State::Connecting {
            (self.state, self.base) = (State::Up, None);
        }
    }

    /// A connection ended. Answers as [`on_failure`](Self::on_failure).
    #[inline]
    pub fn on_close(&mut self, reason: CloseReason, now: Instant) -> Option<Duration> {
        self.on_failure(self.failure_of(reason), now)
    }

    const fn failure_of(&self, reason: CloseReason) -> Failure {
        match reason {
            CloseReason::EndOfStream | CloseReason::DuplicateRoutingId => match self.state {
                State::Up => Failure::Disconnected,
                State::Connecting | State::Waiting(_) | State::Stopped(_) => Failure::Handshake,
            },
            CloseReason::HandshakeTimeout => Failure::Handshake,
            CloseReason::Protocol(_)
            | CloseReason::UnsupportedVersion
            | CloseReason::MechanismMismatch
            | CloseReason::IncompatiblePeer
            | CloseReason::TooLarge
            | CloseReason::Limit(_)
            | CloseReason::PeerError
            | CloseReason::Replaced
            | CloseReason::Unwanted => Failure::Final,
        }
    }

    /// A try failed, or a connection ended: how long to wait before the next try, `None` when there is to be none.
    /// While waiting or stopped a further failure changes nothing.
    #[inline]
    pub fn on_failure(&mut self, failure: Failure, now: Instant) -> Option<Duration> {
        self.fail(failure, now);
        Some(self.poll_timeout()?.since(now))
    }

    fn fail(&mut self, failure: Failure, now: Instant) {
        if matches!(self.state, State::Stopped(_) | State::Waiting(_)) {
            return;
        }
        self.state = match self.policy.ivl.filter(|_| !self.policy.stops_at(failure)) {
            Some(ivl) => State::Waiting(Instant::from_micros(now.micros().saturating_add(self.next_wait(micros(ivl))))),
            None => State::Stopped(failure),
        };
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called; `None` while nothing is waited for.
    pub const fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Waiting(until) => Some(until),
            State::Connecting | State::Up | State::Stopped(_) => None,
        }
    }

    /// True when it is time to connect, once per wait.
    pub fn handle_timeout(&mut self, now: Instant) -> bool {
        let due = self.poll_timeout().is_some_and(|until| until <= now);
        if due {
            self.state = State::Connecting;
        }
        due
    }

    /// What it stopped at for good: the endpoint can be dropped.
    pub const fn stopped(&self) -> Option<Failure> {
        match self.state {
            State::Stopped(failure) => Some(failure),
            State::Connecting | State::Up | State::Waiting(_) => None,
        }
    }

    /// Between once and twice the base, but never more than the maximum: there it is 3/4 of it to all of it. All in
    /// microseconds.
    fn next_wait(&mut self, ivl: u64) -> u64 {
        let max = self.policy.max.map_or(u64::MAX, micros);
        let base = self.base.unwrap_or(ivl).min(max);
        let twice = base.saturating_mul(2);
        if self.policy.max.is_some() {
            self.base = Some(twice.min(max));
        }
        let most = twice.min(max);
        let least = base.min(most.saturating_sub(most / 4));
        least.saturating_add(self.random_below(most.saturating_sub(least)))
    }

    /// A random number below `span`, or 0: the fraction that 32 random bits are, of both its halves.
    const fn random_below(&mut self, span: u64) -> u64 {
        let random = self.random() as u64;
        let (high, low) = (span >> 32, span & 0xffff_ffff);
        high.wrapping_mul(random).wrapping_add(low.wrapping_mul(random) >> 32)
    }

    /// A counter, and a hash of it: each step is good, also from a seed of 0 or small numbers in a row.
    const fn random(&mut self) -> u32 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9);
        let mixed = (self.seed ^ (self.seed >> 16)).wrapping_mul(0x21f0_aaad);
        let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x735a_2d97);
        mixed ^ (mixed >> 15)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::WireError;

    const SEEDS: core::ops::Range<u64> = 0..200;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// The waits of successive refusals lie in these ranges, in milliseconds, whatever the seed, and use their width.
    #[test]
    fn waits_table() {
        type Case = (i32, i32, &'static [(u64, u64)]);
        let table: &[Case] = &[
            (100, 0, &[(100, 200), (100, 200), (100, 200), (100, 200)]),
            (20, 200, &[(20, 40), (40, 80), (80, 160), (150, 200), (150, 200), (150, 200)]),
            (100, 50, &[(37, 50), (37, 50), (37, 50)]),
            (100, 100, &[(75, 100), (75, 100)]),
            (1, i32::MAX, &[(1, 2), (2, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 128)]),
            (i32::MAX, i32::MAX, &[(1_610_612_735, 2_147_483_647), (1_610_612_735, 2_147_483_647)]),
        ];
        for (ivl, max, ranges) in table {
            let mut seen = [(Duration::MAX, Duration::ZERO); 8];
            for seed in SEEDS {
                let mut reconnect = Reconnect::new(ReconnectPolicy::from_options(*ivl, *max, 0), seed);
                let mut now = Instant::from_millis(7);
                for ((low, high), seen) in ranges.iter().zip(&mut seen) {
                    let wait = reconnect.on_failure(Failure::Refused, now).unwrap();
                    assert!(millis(*low) <= wait && wait <= millis(*high), "{ivl} {max} seed {seed}: {wait:?}");
                    *seen = (seen.0.min(wait), seen.1.max(wait));
                    now = reconnect.poll_timeout().unwrap();
                    assert!(reconnect.handle_timeout(now));
                }
            }
            for ((low, high), (least, most)) in ranges.iter().zip(seen) {
                assert!(most - least > (millis(*high) - millis(*low)) / 2, "{ivl} {max}: {least:?} to {most:?}");
            }
        }
    }

    #[test]
    fn never_reconnects_without_interval() {
        for ivl in [0, -1, i32::MIN] {
            let mut reconnect = Reconnect::new(ReconnectPolicy::from_options(ivl, 1000, 0), 3);
            assert_eq!(reconnect.on_failure(Failure::Unreachable, Instant::ZERO), None);
            assert_eq!(reconnect.stopped(), Some(Failure::Unreachable));
            assert_eq!((reconnect.poll_timeout(), reconnect.handle_timeout(Instant::from_millis(1 << 40))), (None, false));
        }
    }

    /// Accepting and hanging up does not reset the back-off; a finished handshake does.
    #[test]
    fn only_a_handshake_resets() {
        let mut reconnect = Reconnect::new(ReconnectPolicy::from_options(10, 1000, 0), 3);
        let mut now = Instant::ZERO;
        for low in [10, 20, 40, 80] {
            let wait = reconnect.on_close(CloseReason::EndOfStream, now).unwrap();
            assert!(wait >= millis(low) && wait < millis(2 * low), "{wait:?}");
            now = now + wait;
            assert!(reconnect.handle_timeout(now));
        }
        reconnect.on_handshake();
        let wait = reconnect.on_close(CloseReason::EndOfStream, now).unwrap();
        assert!(wait >= millis(10) && wait < millis(20), "{wait:?}");
        reconnect.on_handshake();
        assert!(reconnect.poll_timeout().is_some(), "a late handshake ended the wait");
    }

    #[test]
    fn stop_table() {
        let protocol = CloseReason::Protocol(WireError::BadCommand);
        let eof = CloseReason::EndOfStream;
        // What happens, whether the connection was up, and the bit that stops it; 0 = every policy does.
        let table: &[(Result<CloseReason, Failure>, bool, i32)] = &[
            (Err(Failure::Refused), false, 1),
            (Ok(eof), false, 2),
            (Ok(CloseReason::HandshakeTimeout), false, 2),
            (Ok(eof), true, 4),
            (Ok(CloseReason::DuplicateRoutingId), true, 4),
            (Ok(protocol), false, 0),
            (Ok(protocol), true, 0),
            (Ok(CloseReason::PeerError), false, 0),
            (Ok(CloseReason::MechanismMismatch), false, 0),
            (Ok(CloseReason::IncompatiblePeer), false, 0),
            (Ok(CloseReason::UnsupportedVersion), false, 0),
            (Ok(CloseReason::TooLarge), true, 0),
            (Ok(CloseReason::Replaced), true, 0),
            (Ok(CloseReason::Unwanted), true, 0),
        ];
        for (what, up, bit) in table {
            for stop in 0..8 {
                let mut reconnect = Reconnect::new(ReconnectPolicy::from_options(100, 0, stop), 5);
                if *up {
                    reconnect.on_handshake();
                }
                let wait = match what {
                    Ok(reason) => reconnect.on_close(*reason, Instant::ZERO),
                    Err(failure) => reconnect.on_failure(*failure, Instant::ZERO),
                };
                let stops = *bit == 0 || stop & bit != 0;
                assert_eq!((wait.is_none(), reconnect.stopped().is_some()), (stops, stops), "{what:?} {up} stop {stop}");
                assert_eq!(reconnect.poll_timeout().is_some(), !stops);
            }
        }
    }

    #[test]
    fn failures_while_waiting_change_nothing() {
        let mut reconnect = Reconnect::new(ReconnectPolicy::DEFAULT, 9);
        let wait = reconnect.on_failure(Failure::Refused, Instant::ZERO).unwrap();
        let until = reconnect.poll_timeout();
        assert_eq!(reconnect.on_failure(Failure::Final, Instant::from_millis(50)), Some(wait - millis(50)));
        assert_eq!((reconnect.poll_timeout(), reconnect.stopped()), (until, None));
        assert!(!reconnect.handle_timeout(Instant::from_millis(99)));
        assert!(reconnect.handle_timeout(Instant::from_millis(200)));
        assert!(!reconnect.handle_timeout(Instant::from_millis(400)), "one wait, one try");
    }

    #[test]
    fn same_seed_same_waits() {
        let waits = |seed| {
            let mut reconnect = Reconnect::new(ReconnectPolicy::DEFAULT, seed);
            [0; 5].map(|_| {
                let wait = reconnect.on_failure(Failure::Refused, Instant::ZERO);
                reconnect.handle_timeout(Instant::from_millis(1000));
                wait
            })
        };
        assert_eq!(waits(1), waits(1));
        assert_ne!(waits(1), waits(2));
    }
}
