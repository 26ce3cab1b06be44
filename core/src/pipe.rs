//! Seam A: one direction of a pipe, its two ends, and the high-water arithmetic.
//!
//! A *lane* carries frames, bounded by [`Credit`] in whole messages, and [`Signal`]s, which never count.
//! The writer owns `Credit`, the reader owns [`Receipts`]; between them travels one wrapping counter, once per
//! low-water mark. Multipart messages are written uncommitted, committed at their last frame, rolled back on loss.

use crate::body::{Body, Frame, Input, Sink};
use crate::error::{CloseReason, Refusal};
use core::ops::Range;

/// Writer's half of the high-water mark: messages committed against messages reported read.
///
/// Both counters wrap; only their difference matters.
#[derive(Clone, Copy, Debug)]
pub struct Credit {
    hwm: u32,
    written: u32,
    returned: u32,
}

impl Credit {
    /// `hwm` whole messages; 0 = no limit.
    pub const fn new(hwm: u32) -> Self {
        Self { hwm, written: 0, returned: 0 }
    }
    /// The mark in force; 0 = no limit.
    pub const fn hwm(&self) -> u32 {
        self.hwm
    }
    /// Changes the mark. Messages beyond a lower one stay; new ones wait until as many have been read.
    ///
    /// The reader has to follow ([`Receipts::set_hwm`]): its reports are due at half of *its* mark.
    pub const fn set_hwm(&mut self, hwm: u32) {
        self.hwm = hwm;
    }
    /// Whether a message may be begun.
    #[inline]
    pub const fn available(&self) -> bool {
        self.room() > 0
    }
    /// How many messages may be begun.
    #[inline]
    pub const fn room(&self) -> u32 {
        if self.hwm == 0 { u32::MAX } else { self.hwm.saturating_sub(self.written.wrapping_sub(self.returned)) }
    }
    /// Whole messages committed in all (wrapping).
    pub const fn written(&self) -> u32 {
        self.written
    }
    /// `messages` whole messages were committed.
    #[inline]
    pub const fn on_commit(&mut self, messages: u32) {
        self.written = self.written.wrapping_add(messages);
    }
    /// The reader reports having read `total` messages in all (wrapping).
    #[inline]
    pub const fn on_return(&mut self, total: u32) {
        self.returned = total;
    }
}

/// Reader's half: reports progress once per low-water mark, (hwm + 1) / 2 messages, as libzmq does.
///
/// A reader that has read everything owes at most lwm - 1 messages, so the writer has room for one at least.
#[derive(Clone, Copy, Debug)]
pub struct Receipts {
    lwm: u32,
    read: u32,
    reported: u32,
}

impl Receipts {
    /// For a lane of `hwm` messages; 0 = no limit, and nothing to report.
    pub const fn new(hwm: u32) -> Self {
        Self { lwm: hwm.div_ceil(2), read: 0, reported: 0 }
    }
    /// `messages` whole messages were read; `Some(total)` when the writer is to be told that `total` were, in all.
    #[inline]
    pub const fn on_read(&mut self, messages: u32) -> Option<u32> {
        self.read = self.read.wrapping_add(messages);
        if self.lwm == 0 || self.read.wrapping_sub(self.reported) < self.lwm {
            return None;
        }
        self.reported = self.read;
        Some(self.read)
    }
    /// Whole messages read in all (wrapping).
    pub const fn read(&self) -> u32 {
        self.read
    }
    /// The writer's mark is `hwm` from here on; returns the total it is to be told at once, because its own count may
    /// be out of date by more than the mark (by everything, when there was no mark).
    pub const fn set_hwm(&mut self, hwm: u32) -> u32 {
        self.lwm = hwm.div_ceil(2);
        self.reported = self.read;
        self.read
    }
}

/// What passes between connection and socket beside messages: outside the high-water mark, never dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal<K> {
    /// Up: the handshake is over, the peer announced this routing id. Down (inproc): the same, told by the driver.
    Ready(K),
    /// Up: the peer wants a topic. Down: tell the peer.
    Subscribe(K),
    /// Up: the peer no longer wants a topic. Down: tell the peer.
    Cancel(K),
    /// Up: no more frames will come. Down: close the connection.
    Close(CloseReason),
}

impl<K: AsRef<[u8]>> Signal<K> {
    /// The same signal, borrowing its key.
    pub fn as_ref(&self) -> Signal<&[u8]> {
        match self {
            Self::Ready(key) => Signal::Ready(key.as_ref()),
            Self::Subscribe(key) => Signal::Subscribe(key.as_ref()),
            Self::Cancel(key) => Signal::Cancel(key.as_ref()),
            Self::Close(reason) => Signal::Close(*reason),
        }
    }
    /// Copies the key into another holder; `None` when it does not fit.
    pub fn try_map<L>(self, keep: impl FnOnce(&[u8]) -> Option<L>) -> Option<Signal<L>> {
        Some(match self {
            Self::Ready(key) => Signal::Ready(keep(key.as_ref())?),
            Self::Subscribe(key) => Signal::Subscribe(keep(key.as_ref())?),
            Self::Cancel(key) => Signal::Cancel(keep(key.as_ref())?),
            Self::Close(reason) => Signal::Close(reason),
        })
    }
}

/// Size and flag of the next frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Front {
    /// Octets of the body.
    pub len: usize,
    /// Whether another frame of the same message follows.
    pub more: bool,
}

/// The writing end of a lane.
pub trait PipeWriter {
    /// What frames are kept in.
    type Body: Body;
    /// Whether this lane takes runs: whole messages as they stand on a ZMTP 3.x wire.
    const RUNS: bool = false;
    /// Whether a message may be begun. Once begun, its other frames are taken whatever the mark says.
    fn writable(&mut self) -> bool {
        self.room() > 0
    }
    /// How many messages may be begun.
    fn room(&mut self) -> u32;
    /// The high-water mark in force in messages: the one asked for, or the storage's limit if that is less. 0 = none.
    fn hwm(&self) -> u32;
    /// Changes the mark, of which the reader hears too: both ends count by it. Messages beyond a lower mark stay.
    fn set_hwm(&mut self, hwm: u32);
    /// Appends a frame; a frame without `more` commits the message.
    ///
    /// # Errors
    /// The frame comes back with the reason. The frames before it stay uncommitted: continue with a smaller frame
    /// or [`rollback`](Self::rollback).
    fn write(&mut self, frame: Frame<Self::Body>) -> Result<(), (Frame<Self::Body>, Refusal)>;
    /// `write` of a frame that others get too: one more reference on `Heap`, one copy on `Fixed`.
    ///
    /// # Errors
    /// Why it was not taken.
    fn write_shared(&mut self, frame: &Frame<Self::Body>) -> Result<(), Refusal> {
        self.write(frame.clone()).map_err(|(_, refusal)| refusal)
    }
    /// `write` of borrowed bytes, copied once.
    ///
    /// # Errors
    /// Why they were not taken.
    fn write_bytes(&mut self, bytes: &[u8], more: bool) -> Result<(), Refusal> {
        let body = Self::Body::copy_from(bytes).ok_or(Refusal::TooLarge)?;
        self.write(Frame { body, more }).map_err(|(_, refusal)| refusal)
    }
    /// Appends the `messages` whole messages that stand at `input[range]` in ZMTP 3.x framing: no commands, at most
    /// [`room`](Self::room) messages, no message begun. Only called where [`RUNS`](Self::RUNS) says so.
    ///
    /// # Errors
    /// Why they were not taken; then none was.
    fn write_run<I: Input<Self::Body> + ?Sized>(
        &mut self,
        input: &I,
        range: Range<usize>,
        messages: u32,
    ) -> Result<(), Refusal> {
        let _ = (input, range, messages);
        Err(Refusal::Full)
    }
    /// Forgets the frames of the uncommitted message.
    fn rollback(&mut self);
    /// Makes committed messages visible to a reader on another thread, and wakes it if it sleeps.
    fn flush(&mut self) {}
    /// Passes a signal beside the messages; it arrives after every message committed before it.
    ///
    /// # Errors
    /// Why it was not taken. `Close` is always taken.
    fn signal(&mut self, signal: Signal<&[u8]>) -> Result<(), Refusal>;
}

/// The reading end of a lane. Only whole messages are visible.
pub trait PipeReader {
    /// What frames are kept in.
    type Body: Body;
    /// What a signal's bytes are kept in.
    type Key: AsRef<[u8]>;
    /// Size and flag of the next frame, if a whole message is at hand.
    fn front(&mut self) -> Option<Front>;
    /// Offers the front body from octet `from` to `sink`; returns how many octets were taken. The frame stays.
    fn lend(&self, from: usize, sink: &mut impl Sink<Self::Body>) -> usize;
    /// Takes the front frame.
    fn read(&mut self) -> Option<Frame<Self::Body>>;
    /// Takes the front frame to where it stays: a frame handed up through several calls is copied by none of them.
    /// False: there is none, and `into` is as it was.
    #[inline]
    fn read_into(&mut self, into: &mut Frame<Self::Body>) -> bool {
        self.read().map(|frame| *into = frame).is_some()
    }
    /// Drops the front frame, if there is one: it has been lent to the end.
    fn skip(&mut self);
    /// The next signal.
    fn front_signal(&mut self) -> Option<Signal<&[u8]>>;
    /// Takes the next signal.
    fn pop_signal(&mut self) -> Option<Signal<Self::Key>>;
}

/// Moves what it can from one lane to another: inproc between two single-owner sockets.
///
/// Between messages only: the two marks add up, as libzmq's do, and no message is torn. `Close` waits for the frames
/// before it; other signals pass whatever the marks say.
///
/// # Errors
/// `TooLarge` (EMSGSIZE) when a message or key did not fit into `to`: that message was dropped whole.
pub fn relay<R: PipeReader, W: PipeWriter<Body = R::Body>>(from: &mut R, to: &mut W) -> Result<(), Refusal> {
    let signals = relay_signals(from, to);
    let mut messages = Ok(());
    while from.front().is_some() && to.writable() {
        messages = relay_message(from, to).and(messages);
    }
    if from.front().is_none() && matches!(from.front_signal(), Some(Signal::Close(_))) {
        relay_signal(from, to)?;
    }
    to.flush();
    signals.and(messages)
}

/// Moves the signals before a `Close`.
fn relay_signals<R: PipeReader, W: PipeWriter>(from: &mut R, to: &mut W) -> Result<(), Refusal> {
    let mut outcome = Ok(());
    while let Some(signal) = from.front_signal() {
        if matches!(signal, Signal::Close(_)) {
            break;
        }
        match relay_signal(from, to) {
            Err(Refusal::Full) => break,
            refused => outcome = outcome.and(refused),
        }
    }
    outcome
}

/// Moves the front signal; it stays while there is no room.
fn relay_signal<R: PipeReader, W: PipeWriter>(from: &mut R, to: &mut W) -> Result<(), Refusal> {
    let outcome = from.front_signal().map_or(Ok(()), |signal| to.signal(signal));
    if outcome != Err(Refusal::Full) {
        from.pop_signal();
    }
    outcome
}

/// Moves the front message, or drops it when a frame of it does not fit.
fn relay_message<R: PipeReader, W: PipeWriter<Body = R::Body>>(from: &mut R, to: &mut W) -> Result<(), Refusal> {
    let mut outcome = Ok(());
    while let Some(frame) = from.read() {
        let more = frame.more;
        if outcome.is_ok() {
            outcome = to.write(frame).map_err(|(_, refusal)| refusal);
        }
        if !more {
            break;
        }
    }
    if outcome.is_err() {
        to.rollback();
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::LocalStorage;
    use crate::storage::fixed::Fixed;
    use proptest::prelude::*;
    use std::vec::Vec;

    type Small = Fixed<1, 16, 32, 1, 8>;

    /// Writes messages until the lane is full, relaying in between; how many there was room for.
    fn accepted<S: LocalStorage>(send: u32, recv: u32) -> (u32, S::Lane, S::Lane) {
        let (mut near, mut far) = (S::lane(send), S::lane(recv));
        let mut written = 0;
        while near.write_bytes(b"head", true).is_ok() {
            near.write_bytes(b"body", false).unwrap();
            written += 1;
            assert!(written <= send + recv, "more than both marks");
            relay(&mut near, &mut far).unwrap();
        }
        near.rollback();
        (written, near, far)
    }

    fn marks_add_up<S: LocalStorage>() {
        for (send, recv) in [(2, 3), (1, 1), (7, 8), (1, 5), (16, 16)] {
            let (written, mut near, mut far) = accepted::<S>(send, recv);
            assert_eq!(written, send + recv);
            let mut read = 0;
            while far.read().is_some_and(|head| head.more) {
                assert!(!far.read().unwrap().more);
                read += 1;
                relay(&mut near, &mut far).unwrap();
            }
            assert_eq!(read, written, "whatever was taken arrives");
            assert!(near.writable() && far.writable());
        }
    }

    #[test]
    fn marks_of_relayed_lanes_add_up_on_fixed() {
        marks_add_up::<Small>();
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn marks_of_relayed_lanes_add_up_on_heap() {
        marks_add_up::<crate::storage::heap::Heap>();
    }

    #[test]
    fn signals_pass_full_lanes_and_close_comes_last() {
        let (_, mut near, mut far) = accepted::<Small>(1, 1);
        near.signal(Signal::Subscribe(b"news")).unwrap();
        near.signal(Signal::Close(CloseReason::Unwanted)).unwrap();
        relay(&mut near, &mut far).unwrap();
        assert_eq!(far.front_signal(), Some(Signal::Subscribe(&b"news"[..])));
        far.pop_signal();
        relay(&mut near, &mut far).unwrap();
        assert_eq!(far.front_signal(), None, "a message is still on its way");
        far.skip();
        far.skip();
        relay(&mut near, &mut far).unwrap();
        assert!(far.front().is_some());
        assert_eq!(far.front_signal(), Some(Signal::Close(CloseReason::Unwanted)));
    }

    #[test]
    fn a_signal_waits_for_the_slot_and_is_not_lost() {
        let (mut near, mut far) = (Small::lane(1), Small::lane(1));
        far.signal(Signal::Cancel(b"old")).unwrap();
        near.signal(Signal::Subscribe(b"new")).unwrap();
        relay(&mut near, &mut far).unwrap();
        assert_eq!(near.front_signal(), Some(Signal::Subscribe(&b"new"[..])));
        far.pop_signal();
        relay(&mut near, &mut far).unwrap();
        assert_eq!((near.front_signal(), far.front_signal()), (None, Some(Signal::Subscribe(&b"new"[..]))));
    }

    /// A lane that keeps the bodies of another, but has less room for a message.
    struct Narrow(<Small as LocalStorage>::Lane);

    impl PipeWriter for Narrow {
        type Body = <<Small as LocalStorage>::Lane as PipeWriter>::Body;
        fn room(&mut self) -> u32 {
            self.0.room()
        }
        fn hwm(&self) -> u32 {
            PipeWriter::hwm(&self.0)
        }
        fn set_hwm(&mut self, hwm: u32) {
            PipeWriter::set_hwm(&mut self.0, hwm);
        }
        fn write(&mut self, frame: Frame<Self::Body>) -> Result<(), (Frame<Self::Body>, Refusal)> {
            if frame.body.len() > 4 { Err((frame, Refusal::TooLarge)) } else { self.0.write(frame) }
        }
        fn rollback(&mut self) {
            self.0.rollback();
        }
        fn signal(&mut self, signal: Signal<&[u8]>) -> Result<(), Refusal> {
            self.0.signal(signal)
        }
    }

    #[test]
    fn a_message_too_large_for_the_other_lane_is_dropped_whole_and_reported() {
        let (mut near, mut far) = (Small::lane(8), Narrow(Small::lane(8)));
        for message in [&[&b"a"[..], b"b"][..], &[b"c", b"too large", b"d"], &[b"e"]] {
            for (at, part) in message.iter().enumerate() {
                near.write_bytes(part, at + 1 < message.len()).unwrap();
            }
        }
        assert_eq!(relay(&mut near, &mut far), Err(Refusal::TooLarge));
        let arrived: Vec<_> = core::iter::from_fn(|| far.0.read()).map(|frame| (frame.body[0], frame.more)).collect();
        assert_eq!(arrived, [(b'a', true), (b'b', false), (b'e', false)]);
        assert_eq!(relay(&mut near, &mut far), Ok(()));
    }

    #[test]
    fn credit_goes_out_at_every_half_of_the_mark() {
        for (hwm, due) in [(1, 1), (2, 1), (3, 2), (4, 2), (1000, 500), (2000, 1000), (2001, 1001)] {
            let mut receipts = Receipts::new(hwm);
            let told: Vec<_> = (1..=3 * due).filter_map(|_| receipts.on_read(1)).collect();
            assert_eq!(told, [due, 2 * due, 3 * due], "mark {hwm}");
        }
        let mut unlimited = Receipts::new(0);
        assert!((0..5000).all(|_| unlimited.on_read(1).is_none()));
    }

    proptest! {
        #[test]
        fn credit_equals_its_definition(
            hwm in 0_u32..12,
            start in prop_oneof![Just(0), Just(u32::MAX - 3)],
            steps in prop::collection::vec(prop_oneof![
                3 => Just(None),
                3 => Just(Some(0)),
                1 => (1_u32..12).prop_map(Some),
            ], 0..200),
        ) {
            // The counters wrap: begin them near the end.
            let mut credit = Credit { hwm, written: start, returned: start };
            let mut receipts = Receipts { read: start, reported: start, ..Receipts::new(hwm) };
            let (mut hwm, mut waiting, mut unreported) = (hwm, 0_u32, 0_u32);
            for step in steps {
                match step {
                    None if credit.available() => {
                        credit.on_commit(1);
                        waiting += 1;
                        prop_assert!(hwm == 0 || waiting <= hwm);
                    }
                    None => prop_assert!(hwm > 0 && waiting + unreported >= hwm, "the mark is used to the full"),
                    Some(0) if waiting > 0 => {
                        waiting -= 1;
                        unreported += 1;
                        let told = receipts.on_read(1);
                        prop_assert_eq!(told.is_some(), hwm > 0 && unreported == hwm.div_ceil(2));
                        if let Some(total) = told {
                            credit.on_return(total);
                            unreported = 0;
                        }
                    }
                    Some(0) => prop_assert!(credit.available(), "a reader that has read everything owes no room"),
                    Some(new) => {
                        hwm = new;
                        credit.set_hwm(hwm);
                        credit.on_return(receipts.set_hwm(hwm));
                        unreported = 0;
                    }
                }
                let room = if hwm == 0 { u32::MAX } else { hwm.saturating_sub(waiting + unreported) };
                prop_assert_eq!(credit.room(), room);
            }
        }
    }
}
