//! From a socket to a stream: [`Outlet`] in the socket, [`Outbox`] between it and whoever holds the write seat. Or from a
//! socket to another of this process: then the outlet puts what it publishes straight into the other's [`Inbox`].
//!
//! Messages are staged in the outlet, under the socket's lock, and published to the outbox in one go, or straight to the
//! writer's desk if nothing is before them. Signals pass beside them: the connection asks for them with [`Control`].
//! Credit comes back through an atomic, without a lock.

use super::{BIG, Batch, Inbox, Traffic};
use crate::runtime::seat::{Post, Starved};
use crate::runtime::writing::Desk;
use crate::sync::{AtomicBool, AtomicU32, AtomicU64, Mutex, Ordering, lock};
use omnimq_core::{
    Blob, CloseReason, Credit, Frame, Front, PipeId, PipeReader, PipeWriter, Receipts, Refusal, Signal, Sink,
};
use std::collections::VecDeque;
use std::sync::Arc;

/// What the lanes of one socket tell its calls: all under the socket's lock.
pub(crate) struct Notices {
    /// An outlet with something staged, plus one; 0 = none. The socket's lock orders all access.
    staged: AtomicU32,
    /// Others.
    staged_too: Post<PipeId>,
    /// Inlets whose reader of the stream had stopped and may go on.
    pub(crate) resume: Post<PipeId>,
    /// Inlets that stop at a gap until it has been told.
    pub(crate) gaps: Post<PipeId>,
    /// Inbound lanes that may hold messages.
    pub(crate) filled: AtomicU32,
    /// Sockets of this process that have staged something for this one and not published it.
    pub(crate) expected: AtomicU32,
    /// An outlet has no room left: what is staged there has to be written lest the next message is dropped.
    full: AtomicBool,
    /// The number of the peer that the last whole message went to; 0 = none yet.
    pub(crate) last: AtomicU32,
    /// What the lanes that have gone carried, out and in.
    pub(crate) past: Mutex<(Traffic, Traffic)>,
    /// The lanes keep the last message alone, and know no mark.
    pub(crate) conflates: bool,
    /// Messages whose place a later one has taken.
    pub(crate) replaced: AtomicU64,
}

impl Notices {
    pub(crate) fn new(conflates: bool) -> Self {
        Self {
            staged: AtomicU32::new(0),
            staged_too: Post::new(),
            resume: Post::new(),
            gaps: Post::new(),
            filled: AtomicU32::new(0),
            expected: AtomicU32::new(0),
            full: AtomicBool::new(false),
            last: AtomicU32::new(0),
            past: Mutex::default(),
            conflates,
            replaced: AtomicU64::new(0),
        }
    }
    /// So many messages have given way to a later one.
    pub(crate) fn on_replaced(&self, messages: u64) {
        self.replaced.fetch_add(messages, Ordering::Relaxed);
    }
    /// Whether an outlet has filled up since this was last asked.
    #[inline]
    pub(crate) fn take_full(&self) -> bool {
        // The socket's lock orders all access.
        self.full.load(Ordering::Relaxed) && self.full.swap(false, Ordering::Relaxed)
    }
    fn push_staged(&self, pipe: PipeId) {
        if self.staged.load(Ordering::Relaxed) == 0 {
            self.staged.store(pipe.0.wrapping_add(1), Ordering::Relaxed);
        } else {
            self.staged_too.push(pipe);
        }
    }
    /// Appends the outlets with something staged to `to`; true when there are any.
    #[inline]
    pub(crate) fn take_staged(&self, to: &mut Vec<PipeId>) -> bool {
        let first = self.staged.load(Ordering::Relaxed);
        if first == 0 {
            return false;
        }
        self.take_from(first, to);
        true
    }
    fn take_from(&self, first: u32, to: &mut Vec<PipeId>) {
        self.staged.store(0, Ordering::Relaxed);
        to.push(PipeId(first.wrapping_sub(1)));
        self.staged_too.take(to);
    }
}

/// Published and not yet taken by a writer.
pub(crate) struct Out {
    pub(crate) queue: Batch,
    pub(crate) signals: VecDeque<Signal<Blob>>,
    receipts: Receipts,
    /// Who writes, and where to.
    pub(crate) desk: Desk,
    /// Nobody will ever write this: messages vanish.
    pub(crate) closed: bool,
}

/// The shared part of an outbound lane.
pub(crate) struct Outbox {
    pub(crate) state: Mutex<Out>,
    returned: AtomicU32,
    starved: Starved,
}

impl Outbox {
    /// `messages` have gone; true when the socket waits for that and has to be told.
    pub(crate) fn on_gone(&self, out: &mut Out, messages: u32) -> bool {
        if messages == 0 {
            return false;
        }
        let Some(total) = out.receipts.on_read(messages) else { return false };
        self.returned.store(total, Ordering::Release);
        self.starved.answer()
    }
}

/// Where an outlet's messages go.
enum To {
    Stream(Arc<Outbox>),
    /// Another socket of this process, and what it has to be told.
    Socket(Arc<Inbox>, News),
    /// A socket that has yet to bind: messages stay staged, signals wait here.
    Nobody(Vec<Signal<Blob>>),
}

/// What a socket of this process has to be told after something was published to it.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// There are messages where it had found none.
    pub(crate) messages: bool,
    /// There are signals.
    pub(crate) signals: bool,
    /// This end asks for the two to be parted.
    pub(crate) close: Option<CloseReason>,
}

/// The writing end of an outbound lane: the socket's.
pub(crate) struct Outlet {
    pipe: PipeId,
    /// Tells peers apart that had the same pipe one after the other.
    peer: u32,
    batch: Batch,
    open: bool,
    noticed: bool,
    credit: Credit,
    /// What has been published.
    sent: Traffic,
    to: To,
    notices: Arc<Notices>,
}

impl Outlet {
    /// A lane of `hwm` messages for pipe `pipe`, which is peer `peer` of the socket.
    pub(crate) fn new(pipe: PipeId, peer: u32, hwm: u32, notices: &Arc<Notices>) -> (Self, Arc<Outbox>) {
        let outbox = Arc::new(Outbox {
            state: Mutex::new(Out {
                queue: Batch::default(),
                signals: VecDeque::new(),
                receipts: Receipts::new(hwm),
                desk: Desk::default(),
                closed: false,
            }),
            returned: AtomicU32::new(0),
            starved: Starved::new(),
        });
        (Self::to(To::Stream(outbox.clone()), pipe, peer, hwm, notices), outbox)
    }
    /// A lane to a socket of this process, which it has yet to [meet](Self::meet): until then what is sent waits, `hwm`
    /// messages at most.
    pub(crate) fn inproc(pipe: PipeId, peer: u32, hwm: u32, notices: &Arc<Notices>) -> Self {
        Self::to(To::Nobody(Vec::new()), pipe, peer, hwm, notices)
    }
    fn to(to: To, pipe: PipeId, peer: u32, hwm: u32, notices: &Arc<Notices>) -> Self {
        let (batch, credit, notices) = (Batch::default(), Credit::new(hwm), notices.clone());
        Self { pipe, peer, batch, open: false, noticed: false, credit, sent: Traffic::default(), to, notices }
    }
    /// Here is the socket that messages go to. What has been waiting goes, and the mark is `hwm` from here on.
    pub(crate) fn meet(&mut self, inbox: Arc<Inbox>, hwm: u32) {
        self.credit.set_hwm(hwm);
        self.noticed = false;
        let To::Nobody(signals) = std::mem::replace(&mut self.to, To::Socket(inbox, News::default())) else { return };
        self.publish();
        for signal in signals {
            self.tell(signal);
        }
        self.flush();
    }
    /// What the other socket has to be told; nothing, if that is a stream's business.
    pub(crate) fn news(&mut self) -> News {
        match &mut self.to {
            To::Socket(_, news) => std::mem::take(news),
            To::Stream(_) | To::Nobody(_) => News::default(),
        }
    }
    /// Passes a signal on, after what was published before it.
    fn tell(&mut self, signal: Signal<Blob>) {
        match (&mut self.to, signal) {
            (To::Stream(outbox), signal) => {
                let mut out = lock(&outbox.state);
                if !out.closed {
                    out.signals.push_back(signal);
                }
            }
            (To::Socket(_, news), Signal::Close(reason)) => news.close = Some(reason),
            (To::Socket(inbox, news), signal) => {
                inbox.tell(signal);
                news.signals = true;
            }
            (To::Nobody(signals), signal) => signals.push(signal),
        }
    }
    /// Whether messages wait for a socket that has yet to bind.
    pub(crate) fn waits(&self) -> bool {
        matches!(self.to, To::Nobody(_)) && self.batch.messages() > 0
    }
    /// The number of its peer.
    pub(crate) fn peer(&self) -> u32 {
        self.peer
    }
    /// What it took.
    pub(crate) fn sent(&self) -> Traffic {
        let mut sent = self.sent;
        sent += self.batch.traffic();
        sent
    }
    /// Messages it took that have not gone to the kernel, or to the other socket.
    pub(crate) fn unsent(&self) -> u32 {
        match &self.to {
            To::Stream(outbox) => self.credit.written().wrapping_sub(lock(&outbox.state).receipts.read()),
            To::Socket(..) | To::Nobody(_) => self.batch.messages(),
        }
    }
    /// Octets staged.
    pub(crate) fn staged(&self) -> usize {
        self.batch.len()
    }
    /// Hands the staged messages to whoever writes.
    pub(crate) fn publish(&mut self) {
        if std::mem::take(&mut self.noticed)
            && let To::Socket(inbox, _) = &self.to
        {
            inbox.expect_no_more();
        }
        if self.batch.messages() == 0 {
            return;
        }
        if self.notices.conflates && !self.open {
            self.keep_last();
        }
        let published = self.batch.traffic();
        let outbox = match &mut self.to {
            To::Stream(outbox) => outbox,
            To::Socket(inbox, news) => {
                self.sent += published;
                news.messages |= inbox.deliver(self.batch.take());
                return;
            }
            To::Nobody(_) => return,
        };
        self.sent += published;
        let mut out = lock(&outbox.state);
        if out.closed {
            drop(self.batch.take());
        } else if out.queue.len() == 0 && !self.open {
            if !out.desk.offer(&mut self.batch) {
                // The empty queue's buffer comes back for the next batch.
                std::mem::swap(&mut out.queue, &mut self.batch);
            }
        } else {
            out.queue.append(self.batch.take());
        }
    }
    /// Gives up the messages before the last, here and where the last one goes.
    #[cold]
    fn keep_last(&mut self) {
        let given_up = self.batch.keep_last();
        self.sent += given_up;
        let mut replaced = given_up.messages as u32;
        if let To::Stream(outbox) = &self.to {
            let mut out = lock(&outbox.state);
            replaced += out.queue.messages();
            out.queue.clear();
            // Nobody waits for room in a lane without a mark.
            outbox.on_gone(&mut out, replaced);
        }
        self.notices.on_replaced(replaced.into());
    }
    #[cold]
    fn refresh(&mut self) -> u32 {
        let (returned, starved) = match &self.to {
            To::Stream(outbox) => (&outbox.returned, &outbox.starved),
            To::Socket(inbox, _) => inbox.credit(),
            To::Nobody(_) => return 0,
        };
        self.credit.on_return(returned.load(Ordering::Acquire));
        if self.credit.room() == 0 {
            starved.announce();
            self.credit.on_return(returned.load(Ordering::Acquire));
            if self.credit.room() > 0 {
                starved.withdraw();
            }
        }
        self.credit.room()
    }
    #[inline]
    fn append(&mut self, bytes: &[u8], more: bool) -> Result<(), Refusal> {
        if !self.open && !self.writable() {
            return Err(Refusal::Full);
        }
        self.batch.push(bytes, more);
        self.wrote(more);
        Ok(())
    }
    #[inline]
    fn wrote(&mut self, more: bool) {
        self.open = more;
        if !more {
            self.credit.on_commit(1);
            if !self.credit.available() {
                self.notices.full.store(true, Ordering::Relaxed);
            }
            self.notices.last.store(self.peer, Ordering::Relaxed);
        }
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        if self.noticed
            && let To::Socket(inbox, _) = &self.to
        {
            inbox.expect_no_more();
        }
        lock(&self.notices.past).0 += self.sent();
    }
}

impl PipeWriter for Outlet {
    type Body = Blob;
    fn hwm(&self) -> u32 {
        self.credit.hwm()
    }
    fn set_hwm(&mut self, hwm: u32) {
        self.credit.set_hwm(hwm);
        match &mut self.to {
            To::Stream(outbox) => {
                let mut out = lock(&outbox.state);
                let total = out.receipts.set_hwm(hwm);
                outbox.returned.store(total, Ordering::Release);
                drop(out);
                self.credit.on_return(total);
            }
            To::Socket(inbox, news) => news.messages |= inbox.set_hwm(hwm),
            To::Nobody(_) => {}
        }
    }
    #[inline]
    fn room(&mut self) -> u32 {
        match self.credit.room() {
            0 => self.refresh(),
            room => room,
        }
    }
    fn write(&mut self, frame: Frame<Blob>) -> Result<(), (Frame<Blob>, Refusal)> {
        if frame.body.len() < BIG {
            return self.append(&frame.body, frame.more).map_err(|refusal| (frame, refusal));
        }
        if !self.open && !self.writable() {
            return Err((frame, Refusal::Full));
        }
        self.batch.push_body(frame.body, frame.more);
        self.wrote(frame.more);
        Ok(())
    }
    #[inline]
    fn write_bytes(&mut self, bytes: &[u8], more: bool) -> Result<(), Refusal> {
        self.append(bytes, more)
    }
    fn write_shared(&mut self, frame: &Frame<Blob>) -> Result<(), Refusal> {
        if frame.body.len() < BIG {
            return self.append(&frame.body, frame.more);
        }
        self.write(frame.clone()).map_err(|(_, refusal)| refusal)
    }
    fn rollback(&mut self) {
        self.open = false;
        self.batch.rollback();
    }
    #[inline]
    fn flush(&mut self) {
        if !self.noticed {
            self.noticed = true;
            self.notices.push_staged(self.pipe);
            if let To::Socket(inbox, _) = &self.to {
                inbox.expect();
            }
        }
    }
    fn signal(&mut self, signal: Signal<&[u8]>) -> Result<(), Refusal> {
        let signal = signal.try_map(|key| Some(Blob::from(key))).ok_or(Refusal::TooLarge)?;
        self.publish();
        self.tell(signal);
        self.flush();
        Ok(())
    }
}

/// The signals of an outbox, as a connection reads them: messages go their own way.
pub(crate) struct Control<'a> {
    pub(crate) outbox: &'a Outbox,
    pub(crate) held: &'a mut Option<Signal<Blob>>,
}

impl PipeReader for Control<'_> {
    type Body = Blob;
    type Key = Blob;
    fn front(&mut self) -> Option<Front> {
        None
    }
    fn lend(&self, _from: usize, _sink: &mut impl Sink<Blob>) -> usize {
        0
    }
    fn read(&mut self) -> Option<Frame<Blob>> {
        None
    }
    fn skip(&mut self) {}
    fn front_signal(&mut self) -> Option<Signal<&[u8]>> {
        if self.held.is_none() {
            *self.held = lock(&self.outbox.state).signals.pop_front();
        }
        self.held.as_ref().map(Signal::as_ref)
    }
    fn pop_signal(&mut self) -> Option<Signal<Blob>> {
        self.held.take().or_else(|| lock(&self.outbox.state).signals.pop_front())
    }
}
