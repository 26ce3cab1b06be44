//! From a stream to a socket: [`Intake`] beside the connection, [`Inlet`] in the socket, [`Inbox`] between them.
//!
//! Runs of whole messages pass as they stood on the wire; a message that came in pieces passes frame by frame. The
//! inbox remembers whether the socket has found it empty: only then has the socket to be told of more, and nothing that
//! comes later tells it again. Credit goes back through an atomic, without the lock.

use super::item::Item;
use super::{Batch, Notices, Traffic};
use crate::runtime::seat::Starved;
use crate::sync::{AtomicBool, AtomicU32, Mutex, Ordering, lock};
use omnimq_core::wire::{FrameHeader, Framing};
use omnimq_core::{Blob, Credit, Frame, Front, Input, PipeId, PipeReader, PipeWriter, Receipts, Refusal, Signal, Sink};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// Octets of signals that a lane keeps; beyond, the stream waits. The I/O thread hands on after each read what that
/// brought, and one read brings less: only signals that the pattern does not take (XPUB) come to this.
const SIGNALS: usize = 8 << 20;

/// Flags of a ZMTP 3.x frame (RFC 37).
const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// What a signal takes of [`SIGNALS`].
fn size(signal: &Signal<Blob>) -> usize {
    let key = match signal {
        Signal::Ready(key) | Signal::Subscribe(key) | Signal::Cancel(key) => key.len(),
        Signal::Close(_) => 0,
    };
    size_of::<Signal<Blob>>().saturating_add(key)
}

struct In {
    items: VecDeque<Item>,
    signals: VecDeque<Signal<Blob>>,
    /// What they take of [`SIGNALS`].
    signalled: usize,
    /// The mark has changed to this.
    hwm: Option<u32>,
    /// A message takes the place of those that have not been read: this socket asks for it, or over inproc the other one.
    conflates: bool,
    /// The socket found nothing and has to be told of more.
    idle: bool,
    /// What has come so far.
    arrived: Traffic,
}

impl In {
    fn push(&mut self, item: Item) {
        if self.conflates {
            self.conflate();
        }
        self.items.push_back(item);
    }
    /// A message comes that takes the place of all others: the gaps between them are one before it.
    fn conflate(&mut self) {
        let packets = self.items.drain(..).fold(0_u64, |packets, item| match item {
            Item::Gap(more) => packets.saturating_add(more),
            _ => packets,
        });
        if packets > 0 {
            self.items.push_back(Item::Gap(packets));
        }
    }
    /// Whether there is a message.
    fn has_message(&self) -> bool {
        self.items.iter().any(|item| !matches!(item, Item::Gap(_)))
    }
}

/// The shared part of an inbound lane.
pub(crate) struct Inbox {
    state: Mutex<In>,
    /// Whether there may be messages. While it is false the socket need not look, and is known to have found nothing.
    filled: AtomicBool,
    /// Whether there are signals.
    signalled: AtomicBool,
    returned: AtomicU32,
    /// The reader of the stream stopped for want of credit.
    paused: Starved,
    notices: Arc<Notices>,
}

/// The writing end of an inbound lane: the connection's.
pub(crate) struct Intake {
    open: VecDeque<Frame<Blob>>,
    credit: Credit,
    inbox: Arc<Inbox>,
    /// Something came that the socket has to be told of.
    pub(crate) news: bool,
    /// Messages that came since the driver last looked.
    pub(crate) messages: u32,
}

/// The reading end of an inbound lane: the socket's.
pub(crate) struct Inlet {
    pipe: PipeId,
    run: Blob,
    at: usize,
    frames: VecDeque<Frame<Blob>>,
    /// A message that comes takes the place of the one in hand, which has not been looked at.
    replaceable: bool,
    /// The lane stops before a gap of so many packets until that has been told; 0 = it does not.
    gap: u64,
    held: Option<Signal<Blob>>,
    receipts: Receipts,
    inbox: Arc<Inbox>,
}

impl Inbox {
    /// Something has come; true when the socket had found nothing and has to be told.
    fn fill(&self, state: &mut In) -> bool {
        if !std::mem::take(&mut state.idle) {
            return false;
        }
        self.filled.store(true, Ordering::Release);
        self.notices.filled.fetch_add(1, Ordering::AcqRel);
        true
    }
    /// Counts what comes now. Where messages take each other's place, all but the last of it and what there is give way.
    fn count(&self, state: &mut In, arrived: Traffic) {
        state.arrived += arrived;
        if state.conflates {
            let messages = arrived.messages + u64::from(state.has_message());
            self.notices.on_replaced(messages.saturating_sub(1));
        }
    }
    /// The socket has taken everything.
    fn empty(&self, state: &mut In) {
        state.idle = true;
        self.filled.store(false, Ordering::Relaxed);
        self.notices.filled.fetch_sub(1, Ordering::AcqRel);
    }
    /// An inbound lane of `hwm` messages for pipe `pipe`, from a stream.
    pub(crate) fn lane(pipe: PipeId, hwm: u32, notices: &Arc<Notices>) -> (Intake, Inlet) {
        let (inbox, inlet) = Self::inproc(pipe, hwm, notices);
        let intake = Intake { open: VecDeque::new(), credit: Credit::new(hwm), inbox, news: false, messages: 0 };
        (intake, inlet)
    }
    /// An inbound lane of `hwm` messages for pipe `pipe`, from another socket of this process.
    pub(crate) fn inproc(pipe: PipeId, hwm: u32, notices: &Arc<Notices>) -> (Arc<Self>, Inlet) {
        let inbox = Arc::new(Self {
            state: Mutex::new(In {
                items: VecDeque::new(),
                signals: VecDeque::new(),
                signalled: 0,
                hwm: None,
                conflates: notices.conflates,
                idle: true,
                arrived: Traffic::default(),
            }),
            filled: AtomicBool::new(false),
            signalled: AtomicBool::new(false),
            returned: AtomicU32::new(0),
            paused: Starved::new(),
            notices: notices.clone(),
        });
        let inlet = Inlet {
            pipe,
            run: Blob::default(),
            at: 0,
            frames: VecDeque::new(),
            replaceable: false,
            gap: 0,
            held: None,
            receipts: Receipts::new(hwm),
            inbox: inbox.clone(),
        };
        (inbox, inlet)
    }
}

/// For an [`Outlet`](super::Outlet) whose messages stay in this process.
impl Inbox {
    /// Puts these messages here; true when the socket had found nothing and has to be told.
    pub(super) fn deliver(&self, batch: Batch) -> bool {
        let mut state = lock(&self.state);
        self.count(&mut state, batch.traffic());
        batch.into_items(|item| state.push(item));
        self.fill(&mut state)
    }
    /// Puts a signal here, whatever there is: a socket of this process is no stranger.
    pub(crate) fn tell(&self, signal: Signal<Blob>) {
        let mut state = lock(&self.state);
        state.signalled = state.signalled.saturating_add(size(&signal));
        state.signals.push_back(signal);
        self.signalled.store(true, Ordering::Release);
    }
    /// The mark is `hwm` from here on. The socket's end follows when it next finds its hands empty; true when it has to
    /// be told, lest it wait for messages.
    pub(crate) fn set_hwm(&self, hwm: u32) -> bool {
        let mut state = lock(&self.state);
        state.hwm = Some(hwm);
        self.fill(&mut state)
    }
    /// From here on it keeps the last message alone: the other end does.
    pub(crate) fn conflate(&self) {
        lock(&self.state).conflates = true;
    }
    /// Something is staged for this lane. To be taken back once.
    pub(super) fn expect(&self) {
        self.notices.expected.fetch_add(1, Ordering::AcqRel);
    }
    pub(super) fn expect_no_more(&self) {
        self.notices.expected.fetch_sub(1, Ordering::AcqRel);
    }
    /// Where credit comes back, and where whoever has none says so.
    pub(super) fn credit(&self) -> (&AtomicU32, &Starved) {
        (&self.returned, &self.paused)
    }
}

impl Intake {
    fn put(&mut self, item: Item, messages: u32) {
        self.credit.on_commit(messages);
        self.messages += messages;
        let arrived = Traffic::new(messages, item.octets());
        let mut state = lock(&self.inbox.state);
        self.inbox.count(&mut state, arrived);
        state.push(item);
        self.news |= self.inbox.fill(&mut state);
    }
    /// So many packets are missing after what has been written: the other end stops here until that has been told.
    #[cfg(all(feature = "pgm", target_os = "linux"))]
    pub(crate) fn gap(&mut self, packets: u64) {
        let mut state = lock(&self.inbox.state);
        match state.items.back_mut() {
            Some(Item::Gap(before)) => *before = before.saturating_add(packets),
            _ => state.items.push_back(Item::Gap(packets)),
        }
        self.news |= self.inbox.fill(&mut state);
    }
    /// Passes a signal up.
    fn announce(&mut self, signal: Signal<Blob>) -> Result<(), Refusal> {
        let mut state = lock(&self.inbox.state);
        let signalled = state.signalled.saturating_add(size(&signal));
        if signalled > SIGNALS && !state.signals.is_empty() {
            // Whoever takes one out does so under the same lock, and looks afterwards.
            self.inbox.paused.announce();
            return Err(Refusal::Full);
        }
        state.signalled = signalled;
        state.signals.push_back(signal);
        self.inbox.signalled.store(true, Ordering::Release);
        drop(state);
        self.news = true;
        Ok(())
    }
}

impl PipeWriter for Intake {
    type Body = Blob;
    const RUNS: bool = true;
    fn hwm(&self) -> u32 {
        self.credit.hwm()
    }
    fn set_hwm(&mut self, hwm: u32) {
        self.credit.set_hwm(hwm);
        self.news |= self.inbox.set_hwm(hwm);
    }
    fn room(&mut self) -> u32 {
        if self.credit.room() == 0 {
            self.credit.on_return(self.inbox.returned.load(Ordering::Acquire));
            if self.credit.room() == 0 {
                self.inbox.paused.announce();
                self.credit.on_return(self.inbox.returned.load(Ordering::Acquire));
                if self.credit.room() > 0 {
                    self.inbox.paused.withdraw();
                }
            }
        }
        self.credit.room()
    }
    fn write(&mut self, frame: Frame<Blob>) -> Result<(), (Frame<Blob>, Refusal)> {
        if self.open.is_empty() && !self.writable() {
            return Err((frame, Refusal::Full));
        }
        if frame.more {
            self.open.push_back(frame);
        } else {
            let message = Item::message(&mut self.open, frame);
            self.put(message, 1);
        }
        Ok(())
    }
    fn write_run<I: Input<Blob> + ?Sized>(&mut self, input: &I, range: Range<usize>, messages: u32) -> Result<(), Refusal> {
        let run = input.body(range).ok_or(Refusal::TooLarge)?;
        self.put(Item::Run(run), messages);
        Ok(())
    }
    fn rollback(&mut self) {
        self.open.clear();
    }
    fn signal(&mut self, signal: Signal<&[u8]>) -> Result<(), Refusal> {
        // Whether the pipe outlives its stream is the driver's decision.
        if matches!(signal, Signal::Close(_)) {
            return Ok(());
        }
        self.announce(signal.try_map(|key| Some(Blob::from(key))).ok_or(Refusal::TooLarge)?)
    }
}

impl Drop for Inlet {
    fn drop(&mut self) {
        let mut state = lock(&self.inbox.state);
        if !state.idle {
            self.inbox.empty(&mut state);
        }
        // Nobody will read: nobody is to be told.
        state.idle = false;
        lock(&self.inbox.notices.past).1 += state.arrived;
    }
}

impl Inlet {
    /// What has come, and how many of its messages have not been read.
    pub(crate) fn received(&self) -> (Traffic, u32) {
        let state = lock(&self.inbox.state);
        let unread = if state.conflates {
            u32::from(!self.frames.is_empty() || state.has_message())
        } else {
            // Both wrap alike.
            (state.arrived.messages as u32).wrapping_sub(self.receipts.read())
        };
        (state.arrived, unread)
    }
    /// The packets missing where the lane stops, which goes on from here; `None` when it does not stop.
    pub(crate) fn pass_gap(&mut self) -> Option<u64> {
        let packets = std::mem::take(&mut self.gap);
        (packets > 0).then_some(packets)
    }
    /// Whether it stops, or will on the way to its end.
    pub(crate) fn has_gaps(&self) -> bool {
        self.gap > 0 || lock(&self.inbox.state).items.iter().any(|item| matches!(item, Item::Gap(_)))
    }
    /// Has a message in hand if there is one.
    #[inline]
    fn ready(&mut self) -> bool {
        self.at < self.run.len() || (!self.frames.is_empty() && !self.is_outdated()) || self.next()
    }
    /// Whether a message has come that takes the place of the one in hand.
    fn is_outdated(&self) -> bool {
        self.replaceable && lock(&self.inbox.state).has_message()
    }
    fn next(&mut self) -> bool {
        if self.gap > 0 || !self.inbox.filled.load(Ordering::Acquire) {
            return false;
        }
        let mut state = lock(&self.inbox.state);
        if let Some(hwm) = state.hwm.take() {
            self.inbox.returned.store(self.receipts.set_hwm(hwm), Ordering::Release);
        }
        self.replaceable = state.conflates;
        if !self.frames.is_empty() {
            // It has been outdated.
            self.frames.clear();
            self.inbox.notices.on_replaced(1);
        }
        match state.items.pop_front() {
            Some(Item::Run(run)) if state.conflates => self.frames = last_of(&run),
            Some(Item::Run(run)) => (self.run, self.at) = (run, 0),
            Some(Item::Frame(frame)) => self.frames.push_back(frame),
            Some(Item::Frames(frames)) => self.frames = frames,
            Some(Item::Gap(packets)) => {
                self.gap = packets;
                self.inbox.notices.gaps.push(self.pipe);
                return false;
            }
            None => {
                self.inbox.empty(&mut state);
                drop(state);
                // The run's memory goes back.
                (self.run, self.at) = (Blob::default(), 0);
                return false;
            }
        }
        true
    }
    #[inline]
    fn next_signal(&mut self) -> Option<Signal<Blob>> {
        if !self.inbox.signalled.load(Ordering::Acquire) {
            return None;
        }
        let mut state = lock(&self.inbox.state);
        let signal = state.signals.pop_front();
        state.signalled = state.signalled.saturating_sub(signal.as_ref().map_or(0, size));
        let room = state.signalled <= SIGNALS / 2;
        self.inbox.signalled.store(!state.signals.is_empty(), Ordering::Release);
        drop(state);
        if room && self.inbox.paused.answer() {
            self.inbox.notices.resume.push(self.pipe);
        }
        signal
    }
    /// Header of the front frame of the run, and where its body is.
    #[inline]
    fn parse(&self) -> Option<(FrameHeader, Range<usize>)> {
        let (header, used) = FrameHeader::parse(Framing::V3, self.run.get(self.at..)?).ok()??;
        let start = self.at + used;
        Some((header, start..start + header.len as usize))
    }
    #[inline]
    fn done(&mut self, more: bool) {
        if more {
            return;
        }
        if let Some(total) = self.receipts.on_read(1) {
            self.give_credit(total);
        }
    }
    #[cold]
    fn give_credit(&self, total: u32) {
        self.inbox.returned.store(total, Ordering::Release);
        if self.inbox.paused.answer() {
            self.inbox.notices.resume.push(self.pipe);
        }
    }
    #[inline(never)]
    fn read_any(&mut self) -> Option<Frame<Blob>> {
        if !self.ready() {
            return None;
        }
        let frame = if self.at < self.run.len() {
            let (header, body) = self.parse()?;
            self.at = body.end;
            Frame { body: self.run.slice(body)?, more: header.more }
        } else {
            let frame = self.frames.pop_front()?;
            self.replaceable = false;
            frame
        };
        self.done(frame.more);
        // What comes next is at hand, or known not to be there.
        self.ready();
        Some(frame)
    }
}

/// The frames of the last message of a run.
fn last_of(run: &Blob) -> VecDeque<Frame<Blob>> {
    let (mut frames, mut at, mut ended) = (VecDeque::new(), 0, false);
    while let Some((header, used)) = run.get(at..).and_then(|rest| FrameHeader::parse(Framing::V3, rest).ok()?) {
        let start = at + used;
        at = start + header.len as usize;
        let Some(body) = run.slice(start..at) else { break };
        if std::mem::replace(&mut ended, !header.more) {
            frames.clear();
        }
        frames.push_back(Frame { body, more: header.more });
    }
    frames
}

impl PipeReader for Inlet {
    type Body = Blob;
    type Key = Blob;
    fn front(&mut self) -> Option<Front> {
        if !self.ready() {
            return None;
        }
        if let Some(frame) = self.frames.front() {
            self.replaceable = false;
            return Some(Front { len: frame.body.len(), more: frame.more });
        }
        let (header, body) = self.parse()?;
        Some(Front { len: body.len(), more: header.more })
    }
    fn lend(&self, from: usize, sink: &mut impl Sink<Blob>) -> usize {
        if let Some(frame) = self.frames.front() {
            return sink.put_body(&frame.body, from);
        }
        let body = self.parse().and_then(|(_, body)| self.run.get(body));
        body.and_then(|body| body.get(from..)).map_or(0, |rest| sink.put(rest))
    }
    fn read(&mut self) -> Option<Frame<Blob>> {
        let mut frame = Frame::default();
        self.read_into(&mut frame).then_some(frame)
    }
    #[inline]
    fn read_into(&mut self, into: &mut Frame<Blob>) -> bool {
        // A short frame that is not the run's last: by far the most frequent, and small enough to be inlined.
        if let Some(&[flags, len]) = self.run.get(self.at..).and_then(<[u8]>::first_chunk)
            && flags & (LONG | COMMAND) == 0
        {
            let start = self.at + 2;
            let end = start + usize::from(len);
            if end < self.run.len()
                && let Some(body) = self.run.slice(start..end)
            {
                self.at = end;
                let more = flags & MORE != 0;
                *into = Frame { body, more };
                self.done(more);
                return true;
            }
        }
        self.read_any().map(|frame| *into = frame).is_some()
    }
    fn skip(&mut self) {
        self.read_any();
    }
    fn front_signal(&mut self) -> Option<Signal<&[u8]>> {
        if self.held.is_none() {
            self.held = self.next_signal();
        }
        self.held.as_ref().map(Signal::as_ref)
    }
    fn pop_signal(&mut self) -> Option<Signal<Blob>> {
        self.held.take().or_else(|| self.next_signal())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn written(intake: &mut Intake, body: &[u8], more: bool) {
        intake.write(Frame { body: Blob::from(body), more }).unwrap();
    }

    #[test]
    fn a_message_that_has_been_looked_at_is_the_one_that_is_read() {
        let notices = Arc::new(Notices::new(true));
        let (mut intake, mut inlet) = Inbox::lane(PipeId(0), 0, &notices);
        let mut read = || inlet.read().map(|frame| frame.body.to_vec());
        written(&mut intake, b"one", false);
        written(&mut intake, b"two", false);
        assert_eq!(read().unwrap(), b"two");
        assert_eq!(read(), None);
        written(&mut intake, b"three", false);
        assert_eq!(inlet.front().unwrap().len, 5);
        written(&mut intake, b"four", true);
        written(&mut intake, b"4", false);
        let mut read = || inlet.read().map(|frame| frame.body.to_vec());
        assert_eq!(read().unwrap(), b"three");
        // In hand, and not looked at: the next takes its place.
        written(&mut intake, b"five", true);
        written(&mut intake, b"5", false);
        assert_eq!(read().unwrap(), b"five");
        written(&mut intake, b"six", false);
        assert_eq!(read().unwrap(), b"5", "it was begun");
        assert_eq!(read().unwrap(), b"six");
        assert_eq!(read(), None);
    }

    #[test]
    #[cfg(all(feature = "pgm", target_os = "linux"))]
    fn gaps_have_their_place_among_messages_that_take_each_others() {
        let notices = Arc::new(Notices::new(true));
        let (mut intake, mut inlet) = Inbox::lane(PipeId(0), 0, &notices);
        // The second is in hand when the first has been read, and nothing takes its place: the gap is behind it.
        written(&mut intake, b"one", false);
        assert_eq!(inlet.front().unwrap().len, 3);
        written(&mut intake, b"two", false);
        assert_eq!(&inlet.read().unwrap().body[..], b"one");
        intake.gap(1);
        assert_eq!(&inlet.read().unwrap().body[..], b"two");
        assert!(inlet.read().is_none());
        assert_eq!((inlet.pass_gap(), inlet.pass_gap()), (Some(1), None));
        assert!(inlet.read().is_none());
        // Of three messages the last is read, with the gaps before it in front of it.
        for body in ["three", "four", "five"] {
            written(&mut intake, body.as_bytes(), false);
            intake.gap(1);
        }
        assert_eq!(inlet.received().1, 1);
        assert!(inlet.read().is_none());
        assert_eq!(inlet.pass_gap(), Some(2));
        assert_eq!(&inlet.read().unwrap().body[..], b"five");
        assert!(inlet.read().is_none());
        assert_eq!(inlet.pass_gap(), Some(1));
        assert!(inlet.read().is_none());
    }

    #[test]
    fn of_a_run_the_last_message_is_read() {
        let notices = Arc::new(Notices::new(true));
        let (mut intake, mut inlet) = Inbox::lane(PipeId(0), 0, &notices);
        let run = b"\x00\x03one\x01\x03two\x00\x032nd\x01\x05three\x00\x033rd".as_slice();
        intake.write_run(run, 0..run.len(), 3).unwrap();
        assert_eq!(inlet.received().1, 1);
        assert_eq!(inlet.front(), Some(Front { len: 5, more: true }));
        assert_eq!(&inlet.read().unwrap().body[..], b"three");
        assert_eq!(&inlet.read().unwrap().body[..], b"3rd");
        assert!(inlet.read().is_none());
        assert_eq!(inlet.received().1, 0);
    }
}
