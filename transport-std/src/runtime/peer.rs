//! One pipe and the stream under it: read under a seat, written under a seat, by whichever thread has work.
//!
//! The pipe outlives its streams where it reconnects. A generation number tells the streams apart: whoever comes back
//! from a system call with an older one throws its result away.

use super::scratch;
use super::seat::Seat;
use super::sock::Sock;
use crate::lane::{Batch, Control, Intake, Outbox, Progress, Slab};
use crate::sync::{AtomicBool, Mutex, lock};
use crate::sys::{self, Stream};
use omnimq_core::connection::{Config, Event};
use omnimq_core::{Blob, CloseReason, Connection, Input, PipeWriter as _, Signal, Sink};
use std::io::{self, IoSlice, Read as _};
use std::sync::Arc;

/// Slices of one vectored write at most.
const SLICES: usize = 32;

/// Octets of greeting, commands and signals encoded at a time.
const CONTROL: usize = 64 << 10;

/// Protocol state and the lane it fills: locked for the time of a computation, never across a system call.
pub(crate) struct Protocol {
    pub(crate) connection: Connection<Blob>,
    pub(crate) intake: Intake,
    generation: u32,
}

/// The stream of the moment.
#[derive(Default)]
struct Link {
    stream: Option<Arc<Stream>>,
    generation: u32,
}

/// What belongs to the holder of the write seat.
#[derive(Default)]
struct Writing {
    control: Vec<u8>,
    sent: usize,
    held: Option<Signal<Blob>>,
    batch: Batch,
    progress: Progress,
    generation: u32,
}

/// What belongs to the holder of the read seat.
#[derive(Default)]
struct Reading {
    /// Read, and not taken by the connection for want of credit.
    carry: Vec<u8>,
    /// The connection holds a whole frame back for want of credit.
    stalled: bool,
    generation: u32,
}

/// A pipe, as the driver sees it.
pub(crate) struct Peer {
    pub(crate) pipe: u32,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) protocol: Mutex<Protocol>,
    link: Mutex<Link>,
    writing: Mutex<Writing>,
    pub(crate) seat: Seat,
    reading: Mutex<Reading>,
    /// The application left this unread.
    pub(crate) hot: AtomicBool,
}

/// What a read brought.
#[derive(Debug, Default)]
pub(crate) struct Brought {
    /// The socket has to be told: messages where there were none, or signals.
    pub(crate) news: bool,
    /// Whole messages.
    pub(crate) messages: u32,
    /// The stream may hold more.
    pub(crate) more: bool,
    /// The handshake is over.
    pub(crate) ready: bool,
    /// The connection has something to say.
    pub(crate) reply: bool,
    /// No credit: reading goes on when the socket has returned some.
    pub(crate) stalled: bool,
    /// The stream is of no more use.
    pub(crate) lost: Option<Loss>,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) generation: u32,
    pub(crate) reason: CloseReason,
}

/// How a write ended.
enum Wrote {
    /// All of it.
    All,
    /// Nothing can be written before the handshake is over, or without a stream.
    Waits,
    /// The kernel's buffer is full.
    Blocked,
    Lost(Loss),
}

struct Bounded<'a>(&'a mut Vec<u8>);

impl Sink<Blob> for Bounded<'_> {
    fn put(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(CONTROL.saturating_sub(self.0.len()));
        self.0.extend_from_slice(&bytes[..taken]);
        taken
    }
}

impl Peer {
    pub(crate) fn new(pipe: u32, outbox: Arc<Outbox>, intake: Intake, config: &Config) -> Self {
        let connection = Connection::new(config, omnimq_core::Instant::ZERO);
        Self {
            pipe,
            outbox,
            protocol: Mutex::new(Protocol { connection, intake, generation: 0 }),
            link: Mutex::default(),
            writing: Mutex::default(),
            seat: Seat::new(),
            reading: Mutex::default(),
            hot: AtomicBool::new(false),
        }
    }
    fn link(&self) -> (Option<Arc<Stream>>, u32) {
        let link = lock(&self.link);
        (link.stream.clone(), link.generation)
    }
    /// The stream of the moment.
    pub(crate) fn stream(&self) -> Option<Arc<Stream>> {
        lock(&self.link).stream.clone()
    }
    /// Puts a new stream under the pipe: a new connection begins.
    pub(crate) fn install(&self, sock: &Sock, stream: Arc<Stream>) {
        let mut protocol = lock(&self.protocol);
        protocol.connection = Connection::new(&sock.config, sock.now());
        protocol.generation = sock.generation();
        let mut link = lock(&self.link);
        link.generation = protocol.generation;
        link.stream = Some(stream);
    }
    /// Takes the stream away; `None` when `loss` speaks of an older one.
    pub(crate) fn uninstall(&self, sock: &Sock, loss: Loss) -> Option<Arc<Stream>> {
        let mut protocol = lock(&self.protocol);
        let mut link = lock(&self.link);
        if link.generation != loss.generation {
            return None;
        }
        protocol.generation = sock.generation();
        link.generation = protocol.generation;
        protocol.intake.rollback();
        lock(&self.outbox.state).signals.clear();
        link.stream.take()
    }
    /// The loss that would end the present stream.
    pub(crate) fn loss(&self, reason: CloseReason) -> Loss {
        Loss { generation: lock(&self.link).generation, reason }
    }

    /// Writes what is published, unless somebody is at it; they will go round once more.
    pub(crate) fn drain(&self, sock: &Sock) {
        let mut out = lock(&self.outbox.state);
        if out.busy {
            out.again = true;
            return;
        }
        (out.busy, out.blocked) = (true, false);
        let mut writing = lock(&self.writing);
        let mut lost = None;
        loop {
            out.again = false;
            if writing.progress.written == writing.batch.len() {
                writing.batch.clear();
                writing.progress = Progress::default();
                let Writing { batch, .. } = &mut *writing;
                std::mem::swap(batch, &mut out.queue);
            }
            drop(out);
            let (wrote, messages) = self.write(sock, &mut writing);
            out = lock(&self.outbox.state);
            if self.outbox.on_gone(&mut out, messages) {
                drop(out);
                sock.tell_room(self.pipe);
                out = lock(&self.outbox.state);
            }
            let quiet = !out.again;
            match wrote {
                Wrote::All if quiet && out.queue.len() == 0 && out.signals.is_empty() => break,
                Wrote::Waits if quiet => break,
                Wrote::Blocked if quiet => {
                    out.blocked = true;
                    break;
                }
                Wrote::Lost(loss) => {
                    lost = Some(loss);
                    break;
                }
                Wrote::All | Wrote::Waits | Wrote::Blocked => {}
            }
        }
        drop(writing);
        (out.busy, out.again) = (false, false);
        drop(out);
        if let Some(loss) = lost {
            sock.report(self.pipe, loss);
        }
    }
    /// Writes control octets and the batch; the holder of the write seat calls. Returns how many messages have gone.
    fn write(&self, sock: &Sock, writing: &mut Writing) -> (Wrote, u32) {
        let (stream, generation) = self.link();
        let mut messages = 0;
        if writing.generation != generation {
            messages += writing.begin_again(generation);
        }
        let Some(stream) = stream else { return (Wrote::Waits, messages) };
        loop {
            let mut images = writing.progress.written > 0;
            if !images && writing.sent == writing.control.len() {
                writing.control.clear();
                writing.sent = 0;
                let mut protocol = lock(&self.protocol);
                if protocol.generation != generation {
                    return (Wrote::Waits, messages);
                }
                let mut control = Control { outbox: &self.outbox, held: &mut writing.held };
                protocol.connection.poll_transmit(sock.local(), &mut control, &mut Bounded(&mut writing.control));
                if let Some(reason) = protocol.connection.closed() {
                    return (Wrote::Lost(Loss { generation, reason }), messages);
                }
                images = protocol.connection.takes_images();
            }
            let mut slices = [IoSlice::new(&[]); SLICES];
            let mut n = 0;
            let control = writing.control.get(writing.sent..).unwrap_or_default();
            if !control.is_empty() {
                slices[0] = IoSlice::new(control);
                n = 1;
            }
            if images {
                n += writing.batch.slices(writing.progress.written, &mut slices[n..]);
            }
            if n == 0 {
                let left = writing.progress.written < writing.batch.len();
                return (if left { Wrote::Waits } else { Wrote::All }, messages);
            }
            match sys::write_vectored(&stream, &slices[..n]) {
                Ok(written) => {
                    let first = written.min(control.len());
                    writing.sent += first;
                    messages += writing.batch.advance(&mut writing.progress, written - first);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return (Wrote::Blocked, messages),
                Err(_) => return (Wrote::Lost(Loss { generation, reason: CloseReason::EndOfStream }), messages),
            }
            if writing.sent == writing.control.len() && writing.progress.written == writing.batch.len() {
                return (Wrote::All, messages);
            }
        }
    }

    /// One read, and what it brought to the socket's lane. The caller holds the read seat.
    pub(crate) fn read(&self, sock: &Sock) -> Brought {
        let mut reading = lock(&self.reading);
        let (stream, generation) = self.link();
        if reading.generation != generation {
            *reading = Reading { generation, ..Reading::default() };
        }
        let Some(stream) = stream else { return Brought::default() };
        if !reading.carry.is_empty() || reading.stalled {
            let mut brought = Brought::default();
            let mut carry = std::mem::take(&mut reading.carry);
            let taken = self.feed(sock, generation, carry.as_slice(), &mut brought);
            carry.drain(..taken);
            reading.stalled = brought.stalled;
            brought.more = carry.is_empty() && !brought.stalled;
            reading.carry = carry;
            return brought;
        }
        let mut buffer = scratch::take();
        let brought = match Arc::get_mut(&mut buffer) {
            None => Brought { more: true, ..Brought::default() },
            Some(space) => match (&*stream).read(space) {
                Ok(0) => self.ended(generation),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Brought::default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => Brought { more: true, ..Brought::default() },
                Err(_) => self.ended(generation),
                Ok(n) => {
                    let mut brought = Brought { more: n == space.len(), ..Brought::default() };
                    let taken = if n >= scratch::KEEP {
                        self.feed(sock, generation, &Slab::new(buffer.clone(), 0..n), &mut brought)
                    } else {
                        self.feed(sock, generation, &buffer[..n], &mut brought)
                    };
                    reading.carry.extend_from_slice(&buffer[taken..n]);
                    reading.stalled = brought.stalled;
                    brought.more &= taken == n && !brought.stalled;
                    brought
                }
            },
        };
        scratch::put(buffer);
        brought
    }
    /// Hands `input` to the connection; returns how much it took.
    fn feed<I: Input<Blob> + ?Sized>(&self, sock: &Sock, generation: u32, input: &I, brought: &mut Brought) -> usize {
        let mut protocol = lock(&self.protocol);
        let Protocol { connection, intake, generation: present } = &mut *protocol;
        if *present != generation {
            return input.bytes().len();
        }
        let mut at = 0;
        connection.handle_input(sock.local(), input, &mut at, intake, sock.now());
        while let Some(event) = connection.poll_event() {
            brought.ready |= matches!(event, Event::HandshakeSucceeded { .. });
        }
        brought.reply |= connection.has_control();
        brought.news |= std::mem::take(&mut intake.news);
        brought.messages += std::mem::take(&mut intake.messages);
        brought.stalled = connection.is_stalled();
        brought.lost = connection.closed().map(|reason| Loss { generation, reason });
        brought.stalled |= at < input.bytes().len() && brought.lost.is_none();
        at
    }
    fn ended(&self, generation: u32) -> Brought {
        let mut protocol = lock(&self.protocol);
        let Protocol { connection, intake, generation: present } = &mut *protocol;
        if *present == generation {
            connection.handle_eof(intake);
        }
        let reason = CloseReason::EndOfStream;
        Brought { lost: Some(Loss { generation, reason }), ..Brought::default() }
    }
    /// Whether everything published has gone to the kernel.
    pub(crate) fn is_flushed(&self) -> bool {
        let out = lock(&self.outbox.state);
        if out.busy || out.queue.len() > 0 || !out.signals.is_empty() {
            return false;
        }
        let writing = lock(&self.writing);
        writing.progress.written == writing.batch.len() && writing.sent == writing.control.len()
    }
    /// Nobody will write any more: what is queued goes.
    pub(crate) fn discard(&self) {
        let mut out = lock(&self.outbox.state);
        out.closed = true;
        out.queue.clear();
        out.signals.clear();
    }
}

impl Writing {
    /// A new stream: the control octets were the old one's; of the batch, what may be sent again is.
    /// Returns how many messages were dropped.
    fn begin_again(&mut self, generation: u32) -> u32 {
        self.generation = generation;
        self.control.clear();
        self.sent = 0;
        self.held = None;
        if self.progress.written == 0 {
            return 0;
        }
        let (rest, dropped) = std::mem::take(&mut self.batch).remainder(std::mem::take(&mut self.progress));
        self.batch = rest;
        dropped
    }
}
