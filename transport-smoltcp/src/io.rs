//! Sockets over byte streams of `embedded-io` 0.7: a serial line, a modem, a TCP stack of another maker.
//!
//! [`Socket::poll`] wants streams that tell whether they are ready, and never waits. [`Socket::recv_wait`] and
//! [`Socket::send_wait`] do with `Read` and `Write` alone, for a socket of one stream, and wait in them.

use crate::wait::WaitError;
use crate::wire::{Piece, feed};
use core::fmt;
use embedded_io::{Read, ReadReady, Write, WriteReady};
use omnimq_core::storage::Table;
use omnimq_core::{
    CloseReason, Config, Event, Frame, Instant, Node, NodeStorage, Options, Pattern, PipeId, Receives, RecvError,
    SendErrorKind, Sends, Side, Sink,
};

/// Reads of one stream in one call of `poll`.
const READS: usize = 16;

/// A ZeroMQ socket over up to as many streams as its storage has places for peers.
///
/// One call of [`poll`](Self::poll) reads at most 16 times from each stream, each time at most 64 octets or what a message in
/// progress lacks, and writes what the stream takes.
///
/// ```
/// use embedded_io::{ErrorType, Read, ReadReady, Write, WriteReady};
/// use omnimq_smoltcp::core::{Fixed, Instant, Options, Pull, Push, Side};
/// use omnimq_smoltcp::io::Socket;
/// use std::{cell::RefCell, collections::VecDeque, convert::Infallible};
///
/// /// One end of a serial line: what it reads, and what it writes.
/// struct Line<'a>(&'a RefCell<VecDeque<u8>>, &'a RefCell<VecDeque<u8>>);
///
/// impl ErrorType for Line<'_> {
///     type Error = Infallible;
/// }
/// impl Read for Line<'_> {
///     fn read(&mut self, to: &mut [u8]) -> Result<usize, Infallible> {
///         Ok(std::io::Read::read(&mut *self.0.borrow_mut(), to).unwrap())
///     }
/// }
/// impl ReadReady for Line<'_> {
///     fn read_ready(&mut self) -> Result<bool, Infallible> {
///         Ok(!self.0.borrow().is_empty())
///     }
/// }
/// impl Write for Line<'_> {
///     fn write(&mut self, from: &[u8]) -> Result<usize, Infallible> {
///         self.1.borrow_mut().extend(from);
///         Ok(from.len())
///     }
///     fn flush(&mut self) -> Result<(), Infallible> {
///         Ok(())
///     }
/// }
/// impl WriteReady for Line<'_> {
///     fn write_ready(&mut self) -> Result<bool, Infallible> {
///         Ok(self.1.borrow().len() < 16)
///     }
/// }
///
/// let (there, back) = (RefCell::default(), RefCell::default());
/// let now = Instant::ZERO;
/// let mut push = Socket::<Push, Fixed<1, 4, 64>, _>::new(Push, Options::default());
/// let mut pull = Socket::<Pull, Fixed<1, 4, 64>, _>::new(Pull, Options::default());
/// push.attach(Line(&back, &there), Side::Connect, now).ok().unwrap();
/// pull.attach(Line(&there, &back), Side::Bind, now).ok().unwrap();
/// push.node().send_bytes(b"over the line", false).unwrap();
/// let frame = loop {
///     push.poll(now);
///     pull.poll(now);
///     if let Ok(frame) = pull.node().recv() {
///         break frame;
///     }
/// };
/// assert_eq!(&*frame.body, b"over the line");
/// ```
pub struct Socket<P: Pattern, S: NodeStorage, T> {
    node: Node<P, S>,
    wires: S::Table<Wire<T>>,
}

struct Wire<T> {
    stream: T,
    inbox: Piece,
    outbox: Piece,
}

impl<P: Pattern, S: NodeStorage, T> Socket<P, S, T> {
    /// A socket without streams.
    pub fn new(pattern: P, options: Options) -> Self {
        Self { node: Node::new(pattern, options), wires: S::Table::default() }
    }
    /// Sets what holds for later streams.
    pub fn configure(&mut self, config: Config) {
        self.node.configure(config);
    }
    /// Adds a stream that was opened at `now`.
    ///
    /// # Errors
    /// All places are taken; the stream comes back.
    pub fn attach(&mut self, stream: T, side: Side, now: Instant) -> Result<PipeId, T> {
        let Some(id) = self.node.attach(side, now) else { return Err(stream) };
        match self.wires.put(id, Wire { stream, inbox: Piece::EMPTY, outbox: Piece::EMPTY }) {
            Ok(()) => Ok(id),
            Err(wire) => {
                self.node.detach(id);
                Err(wire.stream)
            }
        }
    }
    /// Lets go of a stream, after [`Event::Closed`] or before it. What came over it stays readable.
    pub fn close(&mut self, id: PipeId) -> Option<T> {
        self.node.close(id);
        Some(self.wires.take(id)?.stream)
    }
    /// Another stream, opened at `now`, takes the place of one that has ended. What was sent and has not left goes over it.
    ///
    /// # Errors
    /// There is no such place; the stream comes back.
    pub fn replace(&mut self, id: PipeId, stream: T, now: Instant) -> Result<T, T> {
        let Some(wire) = self.wires.get_mut(id) else { return Err(stream) };
        self.node.reconnect(id, now);
        (wire.inbox, wire.outbox) = (Piece::EMPTY, Piece::EMPTY);
        Ok(core::mem::replace(&mut wire.stream, stream))
    }
    /// What has happened to a stream's connection.
    pub fn poll_event(&mut self) -> Option<(PipeId, Event)> {
        self.node.poll_event()
    }
    /// When `poll` is to be called at the latest, if nothing else happens.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.node.poll_timeout()
    }
    /// The core's node: sends, receives, subscribes.
    pub fn node(&mut self) -> &mut Node<P, S> {
        &mut self.node
    }
}

/// Streams that tell whether they are ready.
impl<P: Pattern, S: NodeStorage, T: Read + Write + ReadReady + WriteReady> Socket<P, S, T> {
    /// Carries octets between the streams and the queues, without waiting, and acts on time. A stream that fails has ended.
    pub fn poll(&mut self, now: Instant) {
        self.node.handle_timeout(now);
        for id in (0..self.wires.bound()).map(PipeId) {
            let Some(wire) = self.wires.get_mut(id) else { continue };
            if self.node.closed(id).is_none() && wire.carry(&mut self.node, id, now).is_err() {
                self.node.handle_eof(id);
            }
        }
    }
}

/// The stream has ended, or failed.
struct Ended;

impl<T: Read + Write + ReadReady + WriteReady> Wire<T> {
    fn carry<P: Pattern, S: NodeStorage>(&mut self, node: &mut Node<P, S>, id: PipeId, now: Instant) -> Result<(), Ended> {
        let mut reads = 0;
        while feed(node, id, &mut self.inbox, now) && reads < READS && self.stream.read_ready().map_err(|_| Ended)? {
            self.read(node, id, now)?;
            reads += 1;
        }
        node.poll_transmit(id, self);
        Ok(())
    }
}

impl<T: Read> Wire<T> {
    /// Reads once: straight into the message in progress, if there is one.
    fn read<P: Pattern, S: NodeStorage>(&mut self, node: &mut Node<P, S>, id: PipeId, now: Instant) -> Result<(), Ended> {
        if let Some(space) = node.wanted(id) {
            let n = self.stream.read(space).ok().filter(|n| *n > 0).ok_or(Ended)?;
            node.filled(id, n, now);
        } else {
            let n = self.stream.read(self.inbox.space()).ok().filter(|n| *n > 0).ok_or(Ended)?;
            self.inbox.filled(n);
        }
        Ok(())
    }
}

impl<B, T: Write + WriteReady> Sink<B> for Wire<T> {
    fn put(&mut self, octets: &[u8]) -> usize {
        match self.stream.write_ready() {
            // A stream that fails to write fails to read: that is where it is noticed.
            Ok(true) => self.stream.write(octets).unwrap_or(0),
            Ok(false) | Err(_) => 0,
        }
    }
}

/// A stream that is waited for, the first one.
impl<P: Pattern, S: NodeStorage, T: Read + Write> Socket<P, S, T> {
    /// Sends one frame and waits until it has been written. `clock` tells the time.
    ///
    /// # Errors
    /// Why it was not sent.
    pub fn send_wait(&mut self, octets: &[u8], more: bool, mut clock: impl FnMut() -> Instant) -> Result<(), WaitError>
    where
        P: Sends,
    {
        loop {
            match self.node.send_bytes(octets, more) {
                Ok(()) => return self.write_all(),
                Err(SendErrorKind::Again) => self.exchange(clock())?,
                Err(kind) => return Err(WaitError::Send(kind)),
            }
        }
    }
    /// Waits for a frame. `clock` tells the time.
    ///
    /// # Errors
    /// Why there will be none.
    pub fn recv_wait(&mut self, mut clock: impl FnMut() -> Instant) -> Result<Frame<S::Body>, WaitError>
    where
        P: Receives,
    {
        loop {
            match self.node.recv() {
                Ok(frame) => return Ok(frame),
                Err(RecvError::Again) => self.exchange(clock())?,
                Err(error) => return Err(WaitError::Recv(error)),
            }
        }
    }
    /// Writes all there is to write, then reads once.
    fn exchange(&mut self, now: Instant) -> Result<(), WaitError> {
        let id = PipeId(0);
        self.node.handle_timeout(now);
        self.write_all()?;
        if let Some(wire) = self.wires.get_mut(id)
            && feed(&mut self.node, id, &mut wire.inbox, now)
            && wire.read(&mut self.node, id, now).is_err()
        {
            self.node.handle_eof(id);
        }
        if let Some(wire) = self.wires.get_mut(id) {
            feed(&mut self.node, id, &mut wire.inbox, now);
        }
        self.write_all()
    }
    fn write_all(&mut self) -> Result<(), WaitError> {
        let id = PipeId(0);
        let wire = self.wires.get_mut(id).ok_or(WaitError::Closed(CloseReason::Unwanted))?;
        loop {
            self.node.poll_transmit(id, &mut wire.outbox);
            if let Some(reason) = self.node.closed(id) {
                return Err(WaitError::Closed(reason));
            }
            if wire.outbox.octets().is_empty() {
                break;
            }
            let written = wire.stream.write_all(wire.outbox.octets());
            wire.outbox = Piece::EMPTY;
            if written.is_err() {
                self.node.handle_eof(id);
            }
        }
        if wire.stream.flush().is_err() {
            self.node.handle_eof(id);
        }
        Ok(())
    }
}

impl<P: Pattern, S: NodeStorage, T> fmt::Debug for Socket<P, S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("node", &self.node).finish_non_exhaustive()
    }
}
