//! The write seat of a pipe: who holds it writes control octets and batches, as far as the kernel takes them.

use super::io::Command;
use super::peer::{Loss, Protocol};
use super::sock::Sock;
use crate::lane::{Batch, Control, Outbox, Progress};
use crate::sync::{AtomicBool, Mutex, Ordering, lock};
use crate::sys::{self, Stream, Token};
use omnimq_core::{Blob, CloseReason, PipeId, Signal, Sink};
use std::io::{self, IoSlice};
use std::sync::Arc;

/// Slices of one vectored write at most.
const SLICES: usize = 32;

/// Octets of greeting, commands and signals encoded at a time.
const CONTROL: usize = 64 << 10;

/// Octets written in one turn, about: what is left is the I/O thread's, in turn with other peers.
pub(super) const TURN: usize = 4 << 20;

/// What going round once more takes of a turn, whatever it writes.
const ROUND: usize = 64 << 10;

/// The write seat, under the lock of the outbox.
pub(crate) struct Desk {
    /// The stream of the moment.
    stream: Option<Arc<Stream>>,
    /// Its system tells of room after each message that is read: see [`sys::tells_room_in_vain`].
    chatty: bool,
    generation: u32,
    place: Place,
    /// The I/O thread has been asked to go on here.
    owed: bool,
}

/// Who is at a desk.
enum Place {
    /// Nobody; what the last holder left to work on, if there was one.
    Free(Option<Box<Writing>>),
    /// Somebody, who looks again before leaving if somebody else has knocked.
    Taken { knock: bool },
}

/// What belongs to the holder of the write seat.
#[derive(Default)]
pub(super) struct Writing {
    /// Octets of greeting, commands and signals, and how many of them have gone.
    control: Vec<u8>,
    sent: usize,
    /// A signal that the connection has seen and not taken.
    held: Option<Signal<Blob>>,
    /// Messages, and how far they have gone.
    batch: Batch,
    progress: Progress,
    /// The stream that all this is for.
    generation: u32,
    /// The stream of this generation takes no more.
    broken: bool,
    /// The connection of this generation takes images: nothing but control can stand in their way.
    images: bool,
}

/// How a write ended.
enum Wrote {
    /// All of it.
    All,
    /// As much as one turn may write.
    Enough,
    /// Nothing can be written before the handshake is over, or without a stream.
    Waits,
    /// The kernel's buffer is full; the I/O thread hears when it is not.
    Blocked,
    /// The stream takes no more. It is not lost before what it brought has been read.
    Broken(Loss),
    /// The connection has closed: nothing is left to read.
    Lost(Loss),
}

/// Control octets, [`CONTROL`] of them at most.
struct Bounded<'a>(&'a mut Vec<u8>);

impl Sink<Blob> for Bounded<'_> {
    fn put(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(CONTROL.saturating_sub(self.0.len()));
        self.0.extend_from_slice(&bytes[..taken]);
        taken
    }
}

impl Default for Desk {
    fn default() -> Self {
        Self { stream: None, chatty: false, generation: 0, place: Place::Free(None), owed: false }
    }
}

impl Desk {
    /// Sits down; `None` when somebody is there, who will look again.
    pub(super) fn enter(&mut self) -> Option<Box<Writing>> {
        match &mut self.place {
            Place::Taken { knock } => {
                *knock = true;
                None
            }
            Place::Free(work) => {
                let work = work.take().unwrap_or_default();
                self.place = Place::Taken { knock: false };
                Some(work)
            }
        }
    }
    /// Whether somebody has knocked since this was last asked.
    fn answer(&mut self) -> bool {
        match &mut self.place {
            Place::Taken { knock } => std::mem::take(knock),
            Place::Free(_) => false,
        }
    }
    pub(super) fn leave(&mut self, work: Box<Writing>) {
        self.place = Place::Free(Some(work));
    }
    /// The I/O thread goes on here.
    pub(super) fn pay(&mut self) {
        self.owed = false;
    }
    /// Another stream, or none.
    pub(super) fn seat(&mut self, stream: Option<Arc<Stream>>, chatty: bool, generation: u32) {
        (self.stream, self.chatty, self.generation) = (stream, chatty, generation);
    }
    /// The stream, if its system is to tell of room only when that is waited for.
    pub(super) fn chatty(&self) -> Option<Arc<Stream>> {
        self.stream.clone().filter(|_| self.chatty)
    }
    /// Puts a batch straight to work, if nothing is before it; what comes back in its place is empty.
    #[inline]
    pub(crate) fn offer(&mut self, batch: &mut Batch) -> bool {
        match &mut self.place {
            Place::Free(Some(work)) if work.is_done() => {
                work.begin(batch);
                true
            }
            _ => false,
        }
    }
    /// Whether there is a stream.
    pub(super) fn has_stream(&self) -> bool {
        self.stream.is_some()
    }
    /// Whether somebody is there.
    pub(super) fn is_taken(&self) -> bool {
        matches!(&self.place, Place::Taken { .. })
    }
    /// Gives up what was left to be written; returns how many messages that were. Whoever writes gives up what it has when
    /// it finds that the stream is another.
    pub(super) fn give_up(&mut self) -> u32 {
        match &mut self.place {
            Place::Free(work) => work.as_mut().map_or(0, |work| work.give_up()),
            Place::Taken { knock } => {
                *knock = true;
                0
            }
        }
    }
    /// Whether nothing is being written or left to be.
    pub(super) fn is_idle(&self) -> bool {
        matches!(&self.place, Place::Free(work) if work.as_ref().is_none_or(|work| work.is_done()))
    }
    /// Whether messages are being written or left to be.
    pub(super) fn has_messages(&self) -> bool {
        match &self.place {
            Place::Taken { .. } => true,
            Place::Free(work) => work.as_ref().is_some_and(|work| !work.has_written()),
        }
    }
    /// Whether the stream of the moment takes no more.
    pub(super) fn is_broken(&self) -> bool {
        matches!(&self.place, Place::Free(Some(work)) if work.broken && work.generation == self.generation)
    }
}

/// What a writer needs of the pipe.
pub(super) struct Writer<'a> {
    pub(super) pipe: PipeId,
    pub(super) outbox: &'a Outbox,
    pub(super) protocol: &'a Mutex<Protocol>,
    /// The connection may have something to say.
    pub(super) control: &'a AtomicBool,
    pub(super) sock: &'a Sock,
    /// Octets that may be written, about.
    pub(super) turn: usize,
}

impl Writer<'_> {
    /// Writes what is published, unless somebody is at it; they will go round once more. Returns what the I/O thread
    /// has to know or to do.
    pub(super) fn drain(&self) -> Option<Command> {
        let mut out = lock(&self.outbox.state);
        let mut work = out.desk.enter()?;
        let (sock, pipe, mut command) = (self.sock.id, self.pipe, None);
        let mut turn = self.turn;
        loop {
            if out.queue.len() > 0 {
                if self.sock.notices.conflates && work.progress.written == 0 {
                    let replaced = work.give_up();
                    self.outbox.on_gone(&mut out, replaced);
                    self.sock.notices.on_replaced(replaced.into());
                }
                if work.has_written() {
                    work.begin(&mut out.queue);
                }
            }
            let (stream, generation, quiet) = (out.desk.stream.clone(), out.desk.generation, out.signals.is_empty());
            let chatty = out.desk.chatty;
            drop(out);
            turn = turn.saturating_sub(ROUND);
            let (wrote, messages) = self.write(&mut work, stream.as_deref(), generation, quiet, &mut turn);
            if let (Wrote::Blocked, true, Some(stream)) = (&wrote, chatty && work.images, &stream) {
                // Whoever hears of room ends this before writing, so it has to be asked for each time.
                self.sock.io.selector().watch_room(stream, Token::stream(self.sock.id, self.pipe), true);
            }
            // It may be the last to hold on to it, and closing is a system call.
            drop(stream);
            out = lock(&self.outbox.state);
            if self.outbox.on_gone(&mut out, messages) {
                drop(out);
                self.sock.tell_room(self.pipe);
                out = lock(&self.outbox.state);
            }
            let quiet = !out.desk.answer();
            match wrote {
                Wrote::All if quiet && out.queue.len() == 0 && out.signals.is_empty() => break,
                Wrote::Waits | Wrote::Blocked if quiet => break,
                Wrote::Broken(loss) => command = Some(Command::Broken { sock, pipe, loss }),
                Wrote::Lost(loss) => command = Some(Command::Lost { sock, pipe, loss }),
                // Whoever knocked is heard as well when the I/O thread comes.
                Wrote::Enough => {
                    command = (!std::mem::replace(&mut out.desk.owed, true)).then_some(Command::Write { sock, pipe });
                    break;
                }
                Wrote::All | Wrote::Waits | Wrote::Blocked => continue,
            }
            // Whoever knocked may have put another stream here meanwhile, on which nothing has been said.
            if quiet {
                break;
            }
        }
        out.desk.leave(work);
        command
    }
    /// Writes control octets and the batch, as far as the turn allows. Returns how many messages have gone.
    fn write(
        &self,
        work: &mut Writing,
        stream: Option<&Stream>,
        generation: u32,
        quiet: bool,
        turn: &mut usize,
    ) -> (Wrote, u32) {
        let mut messages = 0;
        if work.generation != generation {
            messages += work.begin_again(generation, !self.sock.options.immediate);
        }
        let Some(stream) = stream.filter(|_| !work.broken) else { return (Wrote::Waits, messages) };
        let mut quiet = quiet && work.images && !self.control.load(Ordering::Acquire);
        loop {
            if *turn == 0 {
                return (Wrote::Enough, messages);
            }
            if !quiet && work.is_between() {
                match self.ask_connection(work, generation) {
                    Ok(()) => quiet = work.control.is_empty(),
                    Err(ended) => return (ended, messages),
                }
            }
            let written = match work.next_write(stream) {
                Some(Ok(written)) => written,
                Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
                Some(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => return (Wrote::Blocked, messages),
                Some(Err(_)) => {
                    work.broken = true;
                    return (Wrote::Broken(Loss { generation, reason: CloseReason::EndOfStream }), messages);
                }
                None if work.images && work.is_done() => return (Wrote::All, messages),
                None => return (Wrote::Waits, messages),
            };
            messages += work.wrote(written);
            *turn = turn.saturating_sub(written);
            if quiet && work.is_done() {
                return (Wrote::All, messages);
            }
        }
    }
    /// Lets the connection say what it has to say beside messages, and whether those may follow.
    #[cold]
    fn ask_connection(&self, work: &mut Writing, generation: u32) -> Result<(), Wrote> {
        work.control.clear();
        work.sent = 0;
        self.control.store(false, Ordering::Relaxed);
        let mut protocol = lock(self.protocol);
        if protocol.generation() != generation {
            return Err(Wrote::Waits);
        }
        let mut signals = Control { outbox: self.outbox, held: &mut work.held };
        protocol.connection.poll_transmit(self.sock.local(), &mut signals, &mut Bounded(&mut work.control));
        work.images = protocol.connection.takes_images();
        match protocol.connection.closed() {
            Some(reason) => Err(Wrote::Lost(Loss { generation, reason })),
            None => Ok(()),
        }
    }
}

impl Writing {
    /// The batch has gone: `next` takes its place, and the empty buffers that of `next`.
    #[inline]
    fn begin(&mut self, next: &mut Batch) {
        self.batch.clear();
        self.progress = Progress::default();
        std::mem::swap(&mut self.batch, next);
    }
    /// Forgets the batch; returns how many of its messages had not gone.
    fn give_up(&mut self) -> u32 {
        let left = self.batch.messages() - self.progress.messages();
        self.batch.clear();
        self.progress = Progress::default();
        left
    }
    /// Whether all of the batch has gone.
    #[inline]
    fn has_written(&self) -> bool {
        self.progress.written == self.batch.len()
    }
    /// Whether the connection may say something: nothing it said is left to write, and no message is half written.
    #[inline]
    fn is_between(&self) -> bool {
        self.sent == self.control.len() && (self.progress.written == 0 || self.has_written())
    }
    #[inline]
    fn is_done(&self) -> bool {
        self.sent == self.control.len() && self.has_written()
    }
    /// Writes what is next; `None` when that is nothing.
    #[inline]
    fn next_write(&self, stream: &Stream) -> Option<io::Result<usize>> {
        let control = self.control.get(self.sent..).unwrap_or_default();
        if control.is_empty()
            && let Some(rest) = self.batch.rest(self.progress.written)
        {
            let ready = self.images && !rest.is_empty();
            return ready.then(|| sys::write(stream, rest));
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut n = 0;
        if !control.is_empty() {
            slices[0] = IoSlice::new(control);
            n = 1;
        }
        if self.images {
            n += self.batch.slices(self.progress.written, &mut slices[n..]);
        }
        (n > 0).then(|| sys::write_vectored(stream, &slices[..n]))
    }
    /// `n` octets have gone; returns how many messages were completed by them.
    #[inline]
    fn wrote(&mut self, n: usize) -> u32 {
        let control = n.min(self.control.len() - self.sent);
        self.sent += control;
        self.batch.advance(&mut self.progress, n - control)
    }
    /// A new stream: the control octets were the old one's; of the batch, what may be sent again is, if it is to be kept.
    /// Returns how many messages were dropped.
    fn begin_again(&mut self, generation: u32, keep: bool) -> u32 {
        (self.generation, self.images, self.broken) = (generation, false, false);
        self.control.clear();
        self.sent = 0;
        self.held = None;
        if !keep {
            return self.give_up();
        }
        if self.progress.written == 0 {
            return 0;
        }
        let (rest, dropped) = std::mem::take(&mut self.batch).remainder(std::mem::take(&mut self.progress));
        self.batch = rest;
        dropped
    }
}
