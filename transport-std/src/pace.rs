//! Write at once, or leave it to the batch?
//!
//! Calm: the caller writes at once. Two sends in a row within a few microseconds of the end of the previous write are a
//! flood: then messages are only staged, the caller writes when a batch is full, and the I/O thread writes what was
//! left after a while. A look of the I/O thread's makes the next send write at once again: one short gap resumes the
//! flood, anything else ends it.

use crate::lane::BIG;
use crate::runtime::sock::Sock;
use crate::sync::Ordering;
use std::time::{Duration, Instant};

/// Sends that follow the end of a write closer than this are a flood.
const GAP: Duration = Duration::from_micros(4);

/// How a socket's application sends: in calm, or in a flood.
pub(crate) struct Pace {
    /// REQ and REP: every message is waited for.
    direct: bool,
    /// This is a flood: messages are staged.
    batching: bool,
    /// Sends in a row that followed the end of a write closely.
    streak: u32,
    /// Sends since the last receive that had to look at the streams.
    sends: u32,
    /// [`Sock::looks`] when it was last asked.
    looks: u32,
    /// When the last write ended; not noted in a flood.
    last: Option<Instant>,
}

impl Pace {
    /// Octets staged at most.
    pub(crate) const BATCH: usize = 64 << 10;

    pub(crate) fn new(direct: bool) -> Self {
        Self { direct, batching: false, streak: 0, sends: 0, looks: 0, last: None }
    }
    /// Whether the message of `len` octets just staged is to be written at once.
    #[inline]
    pub(crate) fn writes(&mut self, len: usize, sock: &Sock) -> bool {
        self.sends = self.sends.saturating_add(1);
        if self.direct || len >= BIG {
            return true;
        }
        let looks = sock.looks.load(Ordering::Relaxed);
        if self.batching {
            if looks == self.looks {
                return false;
            }
            // The I/O thread had to look: is this still the same flood?
            (self.looks, self.batching, self.streak) = (looks, false, 1);
            return true;
        }
        let close = self.last.is_some_and(|last| last.elapsed() < GAP);
        self.streak = if close { self.streak + 1 } else { 0 };
        self.batching = self.streak >= 2;
        self.looks = looks;
        !self.batching
    }
    /// Whether every message is written at once, because its peer's is waited for.
    pub(crate) fn is_direct(&self) -> bool {
        self.direct
    }
    /// A write has ended.
    pub(crate) fn wrote(&mut self) {
        if !self.direct && !self.batching {
            self.last = Some(Instant::now());
        }
    }
    /// The application is about to look at its streams: few sends since the last time are no flood.
    pub(crate) fn pause(&mut self) {
        if self.sends <= 2 {
            (self.batching, self.streak) = (false, 0);
        }
        self.sends = 0;
    }
}
