//! The packets of one source from the next to be delivered on: here, missing or lost.
//!
//! The missing ones are chained in their order, so that asking for them costs what is missing, not what is kept.

use crate::ring::Ring;
use crate::sqn::Sqn;
use crate::storage::Cells;
use crate::wire::Fragment;
use core::time::Duration;
use omnimq_core::Instant;

/// One number's place.
#[derive(Debug)]
pub(super) enum Slot<P> {
    Here(P, Option<Fragment>),
    Missing(Missing),
    /// Missing for good.
    Lost,
}

/// A number whose packet has not come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Missing {
    before: Option<Sqn>,
    after: Option<Sqn>,
    /// When it was noticed.
    pub(super) since: Instant,
    /// When the answer is no longer waited for, in [`Phase::Asked`] and [`Phase::Confirmed`].
    pub(super) due: Instant,
    pub(super) phase: Phase,
    /// When it was last asked for, by whomever.
    pub(super) last: Instant,
    /// How often it has been asked for.
    pub(super) asked: u8,
}

/// How far asking for it has come (RFC 3208 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Perhaps it comes by itself, or another receiver asks; it waits for the next NAK.
    BackOff,
    /// To be asked for at once.
    Ask,
    /// Asked for.
    Asked,
    /// A confirmation has come.
    Confirmed,
}

impl Phase {
    /// Whether it is to be asked for, and has not been.
    pub(super) const fn is_unasked(self) -> bool {
        matches!(self, Self::BackOff | Self::Ask)
    }
}

/// What becomes of a missing number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Keep,
    Lose,
    /// Keep it and look at no others.
    Stop,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) enum Filled {
    Missing(Missing),
    Duplicate,
    Beyond,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Window<P, C> {
    pub(super) ring: Ring<Slot<P>, C>,
    head: Option<Sqn>,
    tail: Option<Sqn>,
    /// How many are missing, and of these in [`Phase::BackOff`] and in [`Phase::Ask`].
    missing: u32,
    waiting: u32,
    asks: u32,
}

impl<P, C: Cells<Slot<P>>> Window<P, C> {
    pub(super) fn new(first: Sqn, most: u32) -> Self {
        Self { ring: Ring::new(first, most), head: None, tail: None, missing: 0, waiting: 0, asks: 0 }
    }
    /// How many wait for the next NAK.
    pub(super) const fn waiting(&self) -> u32 {
        self.waiting
    }
    /// How many are missing and do not wait for it.
    pub(super) const fn under_way(&self) -> u32 {
        self.missing.saturating_sub(self.waiting)
    }
    /// How many are to be asked for at once.
    pub(super) const fn asks(&self) -> u32 {
        self.asks
    }
    /// The earliest number that is missing.
    pub(super) const fn earliest(&self) -> Option<Sqn> {
        self.head
    }
    /// Makes places up to `last`, `most` of them and as far as there is room: those before `trail` are lost, the others
    /// missing.
    pub(super) fn extend(&mut self, last: Sqn, trail: Sqn, most: u32, now: Instant) {
        for _ in 0..most {
            if self.ring.is_full() || last.is_before(self.ring.end()) {
                return;
            }
            let sqn = self.ring.end();
            if sqn.is_before(trail) {
                if self.ring.push(Slot::Lost).is_err() {
                    return;
                }
                continue;
            }
            let missing =
                Missing { before: self.tail, after: None, since: now, due: now, phase: Phase::BackOff, last: now, asked: 0 };
            if self.ring.push(Slot::Missing(missing)).is_err() {
                return;
            }
            match self.tail.and_then(|tail| self.entry(tail)) {
                Some(tail) => tail.after = Some(sqn),
                None => self.head = Some(sqn),
            }
            self.tail = Some(sqn);
            self.missing = self.missing.saturating_add(1);
            self.waiting = self.waiting.saturating_add(1);
        }
    }
    /// A number that is missing.
    fn entry(&mut self, sqn: Sqn) -> Option<&mut Missing> {
        match self.ring.get_mut(sqn) {
            Some(Slot::Missing(missing)) => Some(missing),
            _ => None,
        }
    }
    /// A confirmation has come: from here the answer is waited for, the longer the more often it was asked for. Returns
    /// how far the number had come, if it is missing.
    pub(super) fn confirm(&mut self, sqn: Sqn, now: Instant, patience: impl FnOnce(u8) -> Duration) -> Option<Phase> {
        let missing = self.entry(sqn)?;
        let before = core::mem::replace(&mut missing.phase, Phase::Confirmed);
        missing.due = now + patience(missing.asked);
        if before.is_unasked() {
            missing.last = now;
        }
        self.on_phase(before, Some(Phase::Confirmed));
        Some(before)
    }
    /// A missing number has come from one phase to another, or is missing no longer.
    fn on_phase(&mut self, before: Phase, after: Option<Phase>) {
        let moved = |count: u32, phase| {
            count.saturating_sub(u32::from(before == phase)).saturating_add(u32::from(after == Some(phase)))
        };
        self.waiting = moved(self.waiting, Phase::BackOff);
        self.asks = moved(self.asks, Phase::Ask);
    }
    /// Whether a packet of this number would be kept.
    pub(super) fn wants(&self, sqn: Sqn) -> bool {
        match self.ring.get(sqn) {
            Some(slot) => matches!(slot, Slot::Missing(_)),
            None => sqn == self.ring.end() && !self.ring.is_full(),
        }
    }
    /// Appends the packet of the next number: the common case, without a detour over a missing one.
    pub(super) fn append(&mut self, packet: P, fragment: Option<Fragment>) -> bool {
        self.ring.push(Slot::Here(packet, fragment)).is_ok()
    }
    /// Puts a packet in its place.
    pub(super) fn fill(&mut self, sqn: Sqn, packet: P, fragment: Option<Fragment>) -> Filled {
        match self.ring.get(sqn) {
            Some(&Slot::Missing(missing)) => {
                self.replace(sqn, Slot::Here(packet, fragment));
                Filled::Missing(missing)
            }
            Some(_) => Filled::Duplicate,
            None if sqn.is_before(self.ring.first()) => Filled::Duplicate,
            None => Filled::Beyond,
        }
    }
    /// Gives up what is missing before `trail`.
    pub(super) fn lose_before(&mut self, trail: Sqn) -> u32 {
        self.walk(|sqn, _| if sqn.is_before(trail) { Verdict::Lose } else { Verdict::Stop })
    }
    /// Looks at what is missing, in order; returns how many were given up.
    pub(super) fn walk(&mut self, mut judge: impl FnMut(Sqn, &mut Missing) -> Verdict) -> u32 {
        let (mut at, mut lost) = (self.head, 0_u32);
        while let Some(sqn) = at {
            let Some(missing) = self.entry(sqn) else { break };
            at = missing.after;
            let before = missing.phase;
            let verdict = judge(sqn, missing);
            let after = missing.phase;
            self.on_phase(before, Some(after));
            match verdict {
                Verdict::Keep => {}
                Verdict::Stop => break,
                Verdict::Lose => {
                    self.replace(sqn, Slot::Lost);
                    lost = lost.saturating_add(1);
                }
            }
        }
        lost
    }
    /// Puts something in the place of a missing number and takes that out of the chain.
    fn replace(&mut self, sqn: Sqn, slot: Slot<P>) {
        let Some(missing) = self.entry(sqn).copied() else { return };
        match missing.before.and_then(|before| self.entry(before)) {
            Some(before) => before.after = missing.after,
            None => self.head = missing.after,
        }
        match missing.after.and_then(|after| self.entry(after)) {
            Some(after) => after.before = missing.before,
            None => self.tail = missing.before,
        }
        self.on_phase(missing.phase, None);
        self.missing = self.missing.saturating_sub(1);
        if let Some(place) = self.ring.get_mut(sqn) {
            *place = slot;
        }
    }
}
