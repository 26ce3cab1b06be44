//! The pipe table of a socket: all that a pattern may touch.

use crate::error::CloseReason;
use crate::pipe::{PipeReader, PipeWriter, Signal};
use crate::storage::{PipeId, PipeSet, Storage, Table};

/// Which side made the pipe. A connecting pipe may be sent to before its peer answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Side {
    /// A peer came: the pipe is in use from its `Ready` on.
    Bind,
    /// We went to a peer: the pipe is in use at once, and survives its connections.
    Connect,
}

/// What a pipe may still be used for.
///
/// ```text
/// Waiting --Ready--> Open --close_pipe--> Draining --read empty--> gone
///    |                | \--replaced, suspend--> Leaving --close_pipe--^
///    |                | \--leave--> Left --close_pipe-------^
///    \---refused------+--> Refused --close_pipe--> gone
/// ```
/// `detach` goes straight to gone, but for a message that is half read: `Finishing` lasts until its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Made by a bind: nothing passes before `Ready`.
    Waiting,
    /// Both ways.
    Open,
    /// Told to close; what arrives is thrown away. A connecting pipe opens again at its next `Ready`.
    Refused,
    /// Told to close, or its connection has gone; what arrives may be read. A connecting pipe opens again at its next
    /// `Ready`.
    Leaving,
    /// The application has done with it; what was sent is still written, and what arrives may be read.
    Left,
    /// Its connection has gone; the pipe goes when all has been read.
    Draining,
    /// The pipe goes when the message being read has been read.
    Finishing,
}

/// A pipe as its socket sees it.
pub struct Pipe<S: Storage> {
    /// Towards the peer.
    pub tx: S::Tx,
    /// From the peer.
    pub rx: S::Rx,
    pub(super) side: Side,
    pub(super) phase: Phase,
    /// Why its connection ended, while nobody has been told.
    pub(super) closed: Option<CloseReason>,
}

/// The pipe table, all that a pattern may touch.
pub struct Pipes<S: Storage> {
    pub(super) table: S::Table<Pipe<S>>,
    /// How many there may be.
    pub(super) most: u32,
    /// How many there are.
    pub(super) count: u32,
    /// How many of them are `Draining` or `Finishing`.
    pub(super) going: u32,
    /// Those of them that may be ready to go.
    pub(super) spent: S::Set,
    /// Pipes whose signals wait until the pattern can take them.
    pub(super) stalled: S::Set,
    /// Pipes whose `Close` was found when nobody was there to be told.
    pub(super) unheard: S::Set,
    /// `spent` has members, or the pattern can take signals again.
    pub(super) unsettled: bool,
    dropped: u64,
}

impl<S: Storage> Pipes<S> {
    /// No pipes, and room for `most`.
    pub(super) fn new(most: u32) -> Self {
        Self {
            table: S::Table::default(),
            most,
            count: 0,
            going: 0,
            spent: S::Set::default(),
            stalled: S::Set::default(),
            unheard: S::Set::default(),
            unsettled: false,
            dropped: 0,
        }
    }
    /// The writing end towards `id`.
    #[inline]
    pub fn writer(&mut self, id: PipeId) -> Option<&mut S::Tx> {
        Some(&mut self.table.get_mut(id)?.tx)
    }
    /// The reading end from `id`.
    #[inline]
    pub fn reader(&mut self, id: PipeId) -> Option<&mut S::Rx> {
        Some(&mut self.table.get_mut(id)?.rx)
    }
    /// The pipe `id`.
    #[inline]
    pub fn pipe(&mut self, id: PipeId) -> Option<&mut Pipe<S>> {
        self.table.get_mut(id)
    }
    /// Whether a message may be begun on `id`.
    #[inline]
    pub fn writable(&mut self, id: PipeId) -> bool {
        self.pipe(id).is_some_and(|pipe| pipe.phase == Phase::Open && pipe.tx.writable())
    }
    /// Which side made `id`.
    pub fn side(&self, id: PipeId) -> Option<Side> {
        Some(self.table.get(id)?.side)
    }
    /// Whether `id` may still be sent to.
    pub fn is_open(&self, id: PipeId) -> bool {
        self.phase(id) == Some(Phase::Open)
    }
    /// A message meant for one peer was given up.
    pub fn count_drop(&mut self) {
        self.dropped = self.dropped.saturating_add(1);
    }
    /// A message of `id` has been read to its end, or what a pattern held back for it is done.
    #[inline]
    pub fn on_read(&mut self, id: PipeId) {
        if self.going != 0 {
            self.note_spent(id);
        }
    }
    /// The pattern can take signals that it could not take before.
    pub fn on_signal_room(&mut self) {
        self.unsettled |= !self.stalled.is_empty();
    }
    /// Throws away whatever has arrived from `id`.
    pub fn discard(&mut self, id: PipeId) {
        if let Some(rx) = self.reader(id) {
            while rx.front().is_some() {
                rx.skip();
            }
        }
    }
    /// A place for another pipe.
    pub(super) fn vacant(&mut self) -> Option<PipeId> {
        (self.count < self.most).then(|| self.table.vacant())?
    }
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
    pub(super) fn phase(&self, id: PipeId) -> Option<Phase> {
        Some(self.table.get(id)?.phase)
    }
    /// Tells the connection to close.
    pub(super) fn close(&mut self, id: PipeId, reason: CloseReason) {
        if let Some(tx) = self.writer(id) {
            tx.rollback();
            // `Close` is always taken.
            let _ = tx.signal(Signal::Close(reason));
            tx.flush();
        }
    }
    #[cold]
    pub(super) fn note_spent(&mut self, id: PipeId) {
        if matches!(self.phase(id), Some(Phase::Draining | Phase::Finishing)) {
            self.spent.insert(id);
            self.unsettled = true;
        }
    }
}
