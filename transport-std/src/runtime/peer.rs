//! One pipe and the stream under it: read under a seat, written under a seat, by whichever thread has work.
//!
//! The pipe outlives its streams where it reconnects. A generation number tells the streams apart: whoever comes back
//! from a system call with an older one throws its result away.

use super::io::Command;
use super::scratch;
use super::seat::Seat;
use super::sock::Sock;
use super::writing::{TURN, Writer};
use crate::lane::{Intake, Outbox, Slab};
use crate::statistics::PeerState;
use crate::sync::{AtomicBool, Mutex, Ordering, lock, lock_across_calls};
use crate::sys::{self, Stream};
use omnimq_core::connection::{Config, Event};
use omnimq_core::storage::heap::Filling;
use omnimq_core::{Blob, CloseReason, Connection, Draft as _, Input, Instant, PipeId, PipeWriter as _};
use std::io;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Bodies of which more than this is missing are read straight to where they stay.
const BODY: usize = scratch::SIZE / 4;

/// Octets of a large body read in one go, about.
const BODY_READ: usize = 1 << 20;

/// Octets read in one go from a peer that sends signals alone, which cost no credit and much work.
const SIGNALS_READ: usize = scratch::SIZE / 8;

/// Protocol state and the lane it fills: locked for the time of a computation, never across a system call.
pub(crate) struct Protocol {
    pub(crate) connection: Connection<Blob>,
    pub(crate) intake: Intake,
    generation: u32,
}

impl Protocol {
    /// A large body that is being received.
    fn lend(&mut self, generation: u32) -> Option<Filling> {
        if self.generation == generation { self.connection.lend(BODY) } else { None }
    }
    pub(super) fn generation(&self) -> u32 {
        self.generation
    }
}

/// What belongs to the holder of the read seat.
#[derive(Default)]
struct Reading {
    /// The stream of the moment; writers have it at their desk.
    stream: Option<Arc<Stream>>,
    /// Read, and not taken by the connection for want of credit: a range of a buffer that its messages may share.
    carry: Option<(Arc<Vec<u8>>, Range<usize>)>,
    /// The connection holds a whole frame back for want of credit.
    stalled: bool,
    /// The last read brought signals alone.
    signals: bool,
    generation: u32,
}

/// A pipe, as the driver sees it.
pub(crate) struct Peer {
    pub(crate) pipe: PipeId,
    /// Where it was connected to; `None` if it was accepted.
    pub(crate) endpoint: Option<String>,
    /// Where it was accepted.
    pub(super) accepted: OnceLock<Arc<str>>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) protocol: Mutex<Protocol>,
    pub(crate) seat: Seat,
    reading: Mutex<Reading>,
    /// The connection may have something to say beside messages.
    control: AtomicBool,
    /// The application left this unread.
    pub(crate) hot: AtomicBool,
    /// The I/O thread has yet to go on reading here.
    pub(super) owed: AtomicBool,
    /// The stream's end has been announced, at the latest behind what a short read leaves: no other edge will come.
    ending: AtomicBool,
    /// The application has disconnected it, and it stays for what is still to be written.
    left: AtomicBool,
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
    /// The handshake is over, of the stream of this generation.
    pub(crate) ready: Option<u32>,
    /// The connection has something to say.
    pub(crate) reply: bool,
    /// No credit: reading goes on when the socket has returned some.
    pub(crate) stalled: bool,
    /// The stream is of no more use.
    pub(crate) lost: Option<Loss>,
}

impl Brought {
    /// Whether others have their turn before more is read: signals, and nothing to hand out.
    pub(super) fn only_signals(&self) -> bool {
        self.news && self.messages == 0
    }
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) generation: u32,
    pub(crate) reason: CloseReason,
}

impl Peer {
    pub(crate) fn new(pipe: PipeId, endpoint: Option<String>, outbox: Arc<Outbox>, intake: Intake, config: &Config) -> Self {
        let connection = Connection::new(config, Instant::ZERO);
        Self {
            pipe,
            endpoint,
            accepted: OnceLock::new(),
            outbox,
            protocol: Mutex::new(Protocol { connection, intake, generation: 0 }),
            control: AtomicBool::new(false),
            seat: Seat::new(),
            reading: Mutex::default(),
            hot: AtomicBool::new(false),
            owed: AtomicBool::new(false),
            ending: AtomicBool::new(false),
            left: AtomicBool::new(false),
        }
    }
    /// Where it was accepted or is connected to.
    pub(super) fn place(&self) -> Option<&str> {
        self.endpoint.as_deref().or_else(|| self.accepted.get().map(|endpoint| &**endpoint))
    }
    /// How far its connection is.
    pub(super) fn state(&self) -> PeerState {
        let ready = lock(&self.protocol).connection.is_ready();
        match (lock(&self.outbox.state).desk.has_stream(), ready) {
            (true, true) => PeerState::Connected,
            (true, false) => PeerState::Handshaking,
            (false, _) if self.endpoint.is_some() => PeerState::Connecting,
            (false, _) => PeerState::Gone,
        }
    }
    /// The application has disconnected it: whoever writes the last of what it was sent tells the I/O thread.
    pub(super) fn leave(&self) {
        self.left.store(true, Ordering::SeqCst);
    }
    /// Whether the application has disconnected it.
    pub(crate) fn is_left(&self) -> bool {
        self.left.load(Ordering::SeqCst)
    }
    /// The peer has ended the stream: whoever reads goes on to the end.
    pub(crate) fn on_ending(&self) {
        self.ending.store(true, Ordering::SeqCst);
    }
    /// The stream of the moment.
    pub(crate) fn stream(&self) -> Option<Arc<Stream>> {
        lock_across_calls(&self.reading).stream.clone()
    }
    /// The stream, if its system is to tell of room only when that is waited for.
    pub(super) fn chatty(&self) -> Option<Arc<Stream>> {
        lock(&self.outbox.state).desk.chatty()
    }
    /// Puts a new stream under the pipe: a new connection begins.
    pub(crate) fn install(&self, sock: &Sock, stream: Arc<Stream>) {
        let chatty = sys::tells_room_in_vain(&stream);
        let mut reading = lock_across_calls(&self.reading);
        let mut protocol = lock(&self.protocol);
        let generation = sock.generation();
        protocol.connection = Connection::new(&sock.config, sock.now());
        protocol.generation = generation;
        lock(&self.outbox.state).desk.seat(Some(stream.clone()), chatty, generation);
        self.ending.store(false, Ordering::SeqCst);
        *reading = Reading { stream: Some(stream), generation, ..Reading::default() };
    }
    /// Takes the stream away; `None` when `loss` speaks of an older one.
    pub(crate) fn uninstall(&self, sock: &Sock, loss: Loss) -> Option<Arc<Stream>> {
        let mut reading = lock_across_calls(&self.reading);
        let mut protocol = lock(&self.protocol);
        if protocol.generation != loss.generation {
            return None;
        }
        let generation = sock.generation();
        protocol.generation = generation;
        protocol.intake.rollback();
        let mut out = lock(&self.outbox.state);
        out.signals.clear();
        out.desk.seat(None, false, generation);
        std::mem::replace(&mut *reading, Reading { generation, ..Reading::default() }).stream
    }
    /// The loss that would end the present stream.
    pub(crate) fn loss(&self, reason: CloseReason) -> Loss {
        Loss { generation: lock(&self.protocol).generation, reason }
    }

    fn writer<'a>(&'a self, sock: &'a Sock, turn: usize) -> Writer<'a> {
        let Self { pipe, outbox, protocol, control, .. } = self;
        Writer { pipe: *pipe, outbox, protocol, control, sock, turn }
    }
    /// Writes what is published, unless somebody is at it; they will go round once more.
    pub(crate) fn drain(&self, sock: &Sock) {
        if let Some(command) = self.writer(sock, TURN).drain() {
            sock.io.send(command);
        }
        if self.is_left() && !self.has_messages() {
            sock.io.send(Command::Leave { sock: sock.id, pipe: self.pipe });
        }
    }
    /// Whether somebody is at the writing.
    pub(super) fn is_being_written(&self) -> bool {
        lock(&self.outbox.state).desk.is_taken()
    }
    /// As [`drain`](Self::drain), by the I/O thread, which was asked to.
    pub(super) fn go_on_writing(&self, sock: &Sock) {
        lock(&self.outbox.state).desk.pay();
        self.drain(sock);
    }

    /// One read, and what it brought to the socket's lane. The caller holds the read seat.
    pub(crate) fn read(&self, sock: &Sock) -> Brought {
        let mut reading = lock_across_calls(&self.reading);
        let Reading { stream: Some(stream), generation, .. } = &*reading else { return Brought::default() };
        let generation = *generation;
        if reading.carry.is_some() || reading.stalled {
            let mut brought = Brought { more: true, ..Brought::default() };
            let (buffer, left) = reading.carry.take().unwrap_or_default();
            let slab = Slab::new(buffer.clone(), left.clone());
            let taken = self.feed(sock, generation, &slab, &mut brought);
            reading.keep(buffer, left.start + taken..left.end, &mut brought);
            return brought;
        }
        let lent = lock(&self.protocol).lend(generation);
        if let Some(draft) = lent {
            let brought = self.read_body(sock, stream, generation, draft);
            reading.stalled = brought.stalled;
            return brought;
        }
        let mut buffer = scratch::take();
        let most = if reading.signals { SIGNALS_READ } else { buffer.len() };
        let brought = match sys::read(stream, &mut buffer[..most]) {
            Ok(0) => self.ended(generation),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Brought::default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Brought { more: true, ..Brought::default() },
            Err(_) => self.ended(generation),
            Ok(n) => {
                let more = n == most || sys::READS_TO_THE_END || self.ending.load(Ordering::SeqCst);
                let mut brought = Brought { more, ..Brought::default() };
                if n >= scratch::KEEP {
                    let shared = Arc::new(buffer);
                    let taken = self.feed(sock, generation, &Slab::new(shared.clone(), 0..n), &mut brought);
                    scratch::share(shared.clone());
                    reading.keep(shared, taken..n, &mut brought);
                    return brought;
                }
                let taken = self.feed(sock, generation, &buffer[..n], &mut brought);
                let left = if taken < n { Arc::new(buffer[taken..n].to_vec()) } else { Arc::default() };
                reading.keep(left, 0..n - taken, &mut brought);
                brought
            }
        };
        scratch::put(buffer);
        brought
    }
    /// Reads a large body straight to where it stays.
    fn read_body(&self, sock: &Sock, stream: &Stream, generation: u32, mut draft: Filling) -> Brought {
        let (mut brought, mut read) = (Brought { more: true, ..Brought::default() }, 0);
        while draft.missing() > 0 && read < BODY_READ {
            match sys::read(stream, draft.space()) {
                Ok(0) => return self.ended(generation),
                Ok(n) => {
                    read += n;
                    draft.advance(n);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    brought.more = false;
                    break;
                }
                Err(_) => return self.ended(generation),
            }
        }
        let mut protocol = lock(&self.protocol);
        if protocol.generation == generation {
            protocol.connection.give_back(draft);
        }
        drop(protocol);
        self.feed(sock, generation, [].as_slice(), &mut brought);
        brought.more &= !brought.stalled;
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
            if matches!(event, Event::HandshakeSucceeded { .. }) {
                brought.ready = Some(generation);
            }
        }
        if connection.has_control() {
            self.control.store(true, Ordering::Release);
            brought.reply = true;
        }
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
        out.desk.is_idle() && out.queue.len() == 0 && out.signals.is_empty()
    }
    /// Whether messages have been published that have not all gone to the kernel.
    pub(super) fn has_messages(&self) -> bool {
        let out = lock(&self.outbox.state);
        out.queue.len() > 0 || out.desk.has_messages()
    }
    /// How the stream was lost, if it takes no more.
    pub(crate) fn broken(&self) -> Option<Loss> {
        let broken = lock(&self.outbox.state).desk.is_broken();
        broken.then(|| self.loss(CloseReason::EndOfStream))
    }
    /// Gives up what waits to be written; true when the socket waits for that room and has to be told.
    pub(crate) fn give_up(&self) -> bool {
        let mut out = lock(&self.outbox.state);
        let waiting = out.queue.messages() + out.desk.give_up();
        out.queue.clear();
        self.outbox.on_gone(&mut out, waiting)
    }
    /// Nobody will write any more: what is queued goes.
    pub(crate) fn discard(&self) {
        let mut out = lock(&self.outbox.state);
        out.closed = true;
        out.queue.clear();
        out.signals.clear();
    }
}

impl Reading {
    /// What the connection did not take of what was read.
    fn keep(&mut self, buffer: Arc<Vec<u8>>, left: Range<usize>, brought: &mut Brought) {
        brought.more &= left.is_empty() && !brought.stalled;
        self.stalled = brought.stalled;
        self.signals = brought.only_signals();
        self.carry = (!left.is_empty()).then_some((buffer, left));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, Socket, SocketOptions, SocketType};
    use omnimq_raw::{Octets, RawListener};
    use std::sync::mpsc;
    use std::time::Duration;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// A PULL, a PUSH that is connected to it, and the PUSH's peer.
    fn connected(context: &Context) -> (Socket, Socket, Arc<Peer>) {
        let options = SocketOptions { send_buffer: Some(32 << 10), ..SocketOptions::default() };
        let mut pull = context.socket(SocketType::Pull).unwrap();
        let mut push = context.socket_with(SocketType::Push, options).unwrap();
        push.connect(&pull.bind("tcp://127.0.0.1:*").unwrap()).unwrap();
        push.send(b"first").unwrap();
        assert_eq!(pull.recv_timeout(PATIENCE).unwrap().bytes(), b"first");
        let peer = push.sock().peers().remove(0);
        (pull, push, peer)
    }

    /// Does something in the place of whoever writes: nobody else does meanwhile.
    fn hold_up_writing<T>(peer: &Peer, meanwhile: impl FnOnce() -> T) -> T {
        let work = loop {
            // The I/O thread may be there for a moment.
            if let Some(work) = lock(&peer.outbox.state).desk.enter() {
                break work;
            }
        };
        let done = meanwhile();
        lock(&peer.outbox.state).desk.leave(work);
        done
    }

    /// Another thread is held up in a read of the stream, then in a write to it: a send returns all the same, and what it
    /// sent leaves at once or when the other thread is through.
    #[test]
    fn a_send_waits_for_no_read_and_no_write() {
        let context = Context::new().unwrap();
        let (mut pull, mut push, peer) = connected(&context);
        let sock = push.sock().clone();
        let (sent, told) = mpsc::channel();
        let (go, next) = mpsc::channel();
        let sender = std::thread::spawn(move || {
            while let Ok(body) = next.recv() {
                push.send::<&str>(body).unwrap();
                push.flush();
                sent.send(()).unwrap();
            }
        });

        while !peer.seat.enter() {
            std::hint::spin_loop();
        }
        let reading = lock_across_calls(&peer.reading);
        go.send("beside a read").unwrap();
        told.recv_timeout(PATIENCE).expect("the send waits for the read");
        assert_eq!(pull.recv_timeout(PATIENCE).unwrap().bytes(), b"beside a read");
        drop(reading);
        while !peer.seat.leave() {}

        hold_up_writing(&peer, || {
            go.send("beside a write").unwrap();
            told.recv_timeout(PATIENCE).expect("the send waits for the write");
            assert!(pull.try_recv().is_err(), "somebody else writes");
        });
        peer.drain(&sock);
        assert_eq!(pull.recv_timeout(PATIENCE).unwrap().bytes(), b"beside a write");
        drop(go);
        sender.join().unwrap();
    }

    /// Whoever writes leaves the rest to the I/O thread, which is asked once.
    #[test]
    fn a_turn_of_writing_ends() {
        const MESSAGES: u32 = 40;
        let context = Context::new().unwrap();
        let (mut pull, mut push, peer) = connected(&context);
        let sock = push.sock().clone();
        let mut receive = || {
            for _ in 0..MESSAGES {
                assert_eq!(pull.recv_timeout(PATIENCE).unwrap().bytes().len(), 100_000);
            }
        };
        let asked = (0..100).find_map(|_| {
            hold_up_writing(&peer, || (0..MESSAGES).for_each(|_| push.send(&[7; 100_000]).unwrap()));
            // More than one write, even where the kernel takes whatever it is given.
            let asked = peer.writer(&sock, 100_000).drain();
            if asked.is_none() {
                // The I/O thread was here first.
                peer.drain(&sock);
                receive();
            }
            asked
        });
        assert!(matches!(asked, Some(Command::Write { .. })), "the turn does not end");
        assert!(peer.writer(&sock, 0).drain().is_none(), "asked already");
        sock.io.send(asked.unwrap());
        receive();
    }

    /// News that the handshake of an earlier stream is over comes while the next one has yet to shake hands: that one goes
    /// on, and is settled by its own.
    #[test]
    fn late_news_of_a_handshake_settles_no_other_stream() {
        let context = Context::new().unwrap();
        let listener = RawListener::new();
        let mut pull = context.socket(SocketType::Pull).unwrap();
        pull.connect(&listener.endpoint()).unwrap();
        let mut raw = listener.accept();
        raw.send(&Octets::new().greeting(3, 1));
        raw.hear(PATIENCE, |octets| octets.len() >= 64);
        let (sock, peer) = (pull.sock().clone(), pull.sock().peers().remove(0));
        let generation = lock(&peer.protocol).generation();
        sock.io.send(Command::Settle { sock: sock.id, pipe: peer.pipe, generation: generation.wrapping_sub(1) });
        raw.send(&Octets::new().ready(&[("Socket-Type", b"PUSH")]).message(b"x"));
        assert_eq!(pull.recv_timeout(PATIENCE).unwrap().bytes(), b"x");
        assert!(listener.accept_within(Duration::from_millis(300)).is_none(), "the stream was given up");
    }
}
