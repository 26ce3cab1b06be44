//! One direction of a virtual byte stream.

use omnimq_core::{Instant, Sink};
use std::collections::VecDeque;

/// Octets on their way, and those that have arrived and wait to be taken.
#[derive(Debug, Default)]
pub(super) struct Stream {
    flying: VecDeque<(Instant, Vec<u8>)>,
    arrived: Vec<u8>,
    /// When the end of the stream gets there, once the sender has ended it.
    end: Option<Instant>,
    last: Instant,
    held_until: Instant,
}

impl Stream {
    /// Octets in it.
    pub(super) fn len(&self) -> usize {
        self.arrived.len() + self.flying.iter().map(|(_, octets)| octets.len()).sum::<usize>()
    }
    /// Puts `octets` on their way; they get there at `due`, but never before earlier ones.
    pub(super) fn send(&mut self, octets: Vec<u8>, due: Instant) {
        self.last = self.last.max(due);
        self.flying.push_back((self.last, octets));
    }
    /// The sender sends no more.
    pub(super) fn finish(&mut self, due: Instant) {
        self.last = self.last.max(due);
        self.end.get_or_insert(self.last);
    }
    pub(super) fn finished(&self) -> bool {
        self.end.is_some()
    }
    /// Delivers nothing before `until`.
    pub(super) fn hold(&mut self, until: Instant) {
        self.held_until = self.held_until.max(until);
    }
    /// Brings in what is due; true when something arrived.
    pub(super) fn land(&mut self, now: Instant) -> bool {
        let before = self.arrived.len();
        while now >= self.held_until && self.flying.front().is_some_and(|(due, _)| *due <= now) {
            self.arrived.extend(self.flying.pop_front().into_iter().flat_map(|(_, octets)| octets));
        }
        self.arrived.len() > before
    }
    /// What has arrived.
    pub(super) fn arrived(&self) -> &[u8] {
        &self.arrived
    }
    /// The receiver took `n` octets.
    pub(super) fn take(&mut self, n: usize) {
        self.arrived.drain(..n);
    }
    /// Everything was taken and the end has arrived.
    pub(super) fn at_end(&self, now: Instant) -> bool {
        now >= self.held_until && self.flying.is_empty() && self.arrived.is_empty() && self.end.is_some_and(|end| end <= now)
    }
    /// When something next gets there after `now`.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        let due = self.flying.front().map(|(due, _)| *due).or(self.end)?.max(self.held_until);
        (due > now).then_some(due)
    }
}

/// Takes up to `room` octets.
pub(super) struct Offer {
    pub(super) octets: Vec<u8>,
    pub(super) room: usize,
}

impl<B> Sink<B> for Offer {
    fn put(&mut self, bytes: &[u8]) -> usize {
        let n = bytes.len().min(self.room - self.octets.len());
        self.octets.extend_from_slice(&bytes[..n]);
        n
    }
}
