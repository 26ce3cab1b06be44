//! ZMTP 3.x over one byte stream (RFC 37): greeting, handshake, traffic, and what passes beside messages.
//!
//! [`Connection`] has the contract and the loop that drives it. One file per direction (`receive`, `transmit`),
//! one for what commands mean (`command`), one for the peer's greeting (`greeting`).

mod command;
mod config;
mod event;
mod greeting;
mod receive;
mod timer;
mod transmit;

pub use config::{Config, Local, Mechanism};
pub use event::Event;

use crate::body::{Body, Input};
use crate::error::CloseReason;
use crate::flow::{Inflow, Outflow};
use crate::limits::Limits;
use crate::pipe::{PipeReader, PipeWriter, Signal};
use crate::time::Instant;
use crate::wire::{Framing, PingContext, Version};
use core::fmt;
use event::Events;
use greeting::Incoming;
use timer::{Timer, Timers};
use transmit::Item;

/// One byte stream's protocol state.
///
/// ```text
/// Greeting --64 octets--> Handshake --READY--> Traffic
///     \________ any error, end of stream, Close signal _\--> Closed
/// ```
///
/// It keeps offsets, and at most one inbound frame: the one that straddles inputs. Outbound messages stay in their
/// pipe until they have gone. It is generic in the body only; what it announces is lent to it at each call.
///
/// # The contract
///
/// * Inputs: [`handle_input`](Self::handle_input), [`handle_eof`](Self::handle_eof),
///   [`handle_timeout`](Self::handle_timeout). Outputs, in any order and number:
///   [`poll_transmit`](Self::poll_transmit), [`poll_event`](Self::poll_event), [`poll_timeout`](Self::poll_timeout).
/// * Any order of calls is safe, and each call does bounded work: bounded by the input, by the sink, by the pipe.
///   Nothing the peer sends makes it panic.
/// * Octets left over by `handle_input` mean that the pipe has no room: stop reading, and offer them again when it has.
///   [`is_stalled`](Self::is_stalled) tells of the same when the frame that waits has left the input.
/// * Output may be due after any input: call `poll_transmit` after each `handle_*`, and when the socket has sent.
///   It is due again when the sink, that was full, has room.
/// * An error closes the connection, is told once by `poll_event`, and goes up the pipe once as [`Signal::Close`], after
///   the whole messages that came before it. Later calls take what they are given and do nothing.
/// * [`Signal::Close`] from the socket closes at once: what has not gone stays in the pipe, and lingering is up to the
///   driver. It goes up too, with the next `handle_*`: call `handle_eof` when the stream has been closed.
/// * The pipe outlives the stream if [`release`](Self::release) ends the connection.
///
/// # The loop
///
/// ```
/// use omnimq_core::connection::{Config, Connection, Event, Local};
/// use omnimq_core::{Fixed, Instant, LocalStorage, PipeReader, Sink, SocketType, Storage};
///
/// type Memory = Fixed<1, 4, 64>;
/// type Body = <Memory as Storage>::Body;
/// type Lane = <Memory as LocalStorage>::Lane;
///
/// /// A stream that never blocks: what was read and not yet used, and what is to be written.
/// #[derive(Default)]
/// struct Stream { read: Vec<u8>, write: Vec<u8> }
///
/// impl Sink<Body> for Stream {
///     fn put(&mut self, bytes: &[u8]) -> usize {
///         self.write.extend_from_slice(bytes);
///         bytes.len()
///     }
/// }
///
/// /// One turn: call it when the stream has bytes or room, when `poll_timeout` is due, when the socket sent or received.
/// fn turn(
///     connection: &mut Connection<Body>,
///     local: Local<'_>,
///     stream: &mut Stream,
///     (tx, rx): (&mut Lane, &mut Lane),
///     now: Instant,
/// ) -> Option<Instant> {
///     // 1. What has come goes in, also when nothing has: a frame may be waiting for room in the pipe.
///     let mut at = 0;
///     connection.handle_input(local, stream.read.as_slice(), &mut at, rx, now);
///     stream.read.drain(..at);
///     // 2. Time.
///     if connection.poll_timeout().is_some_and(|due| due <= now) {
///         connection.handle_timeout(rx, now);
///     }
///     // 3. The socket looks at its pipe here: `Socket::process`.
///     // 4. What is due goes out; `true` asks for another turn when the stream has room.
///     let _full = connection.poll_transmit(local, tx, stream);
///     // 5. What is to be told is told.
///     while let Some(event) = connection.poll_event() {
///         match event {
///             Event::HandshakeSucceeded { minor } => assert_eq!(minor, 1),
///             Event::Closed(reason) => panic!("{reason}"),
///             _ => {}
///         }
///     }
///     // 6. When to come back at the latest.
///     connection.poll_timeout()
/// }
///
/// let now = Instant::ZERO;
/// let (push, pull) = (SocketType::Push, SocketType::Pull);
/// let (push, pull) = (Local { socket_type: push, routing_id: b"" }, Local { socket_type: pull, routing_id: b"" });
/// let (mut a, mut b) = (Connection::new(&Config::DEFAULT, now), Connection::new(&Config::DEFAULT, now));
/// let mut lanes = [(); 4].map(|()| Memory::lane(4));
/// let [from_push, to_push, from_pull, to_pull] = &mut lanes;
/// let (mut left, mut right) = (Stream::default(), Stream::default());
///
/// # use omnimq_core::PipeWriter;
/// from_push.write_bytes(b"hello", false).unwrap();
/// while !(a.is_ready() && b.is_ready() && to_pull.front().is_some()) {
///     turn(&mut a, push, &mut left, (&mut *from_push, &mut *to_push), now);
///     right.read.append(&mut left.write);
///     turn(&mut b, pull, &mut right, (&mut *from_pull, &mut *to_pull), now);
///     left.read.append(&mut right.write);
/// }
/// assert_eq!(to_pull.read().unwrap().body.as_ref(), b"hello");
/// ```
pub struct Connection<B: Body> {
    inflow: Inflow<B>,
    outflow: Outflow,
    state: State,
}

/// Where the stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Greeting(Incoming),
    Handshake(Version),
    Traffic(Version),
    Closed(CloseReason),
}

/// Where the message being received stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reception {
    /// The next frame is the first of a message.
    First,
    /// The next frame belongs to a message of which the pipe has nothing.
    Rest,
    /// The next frame belongs to a message of which the pipe has the beginning.
    Open,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    item: Item,
    reception: Reception,
    /// Frames of the message being received that the pipe has.
    frames: u32,
    /// A frame has gone whose message goes on.
    tx_open: bool,
    /// The peer is owed a PONG.
    pong: Option<PingContext>,
    /// Octets taken before the handshake ended.
    spent: u32,
    limits: Limits,
    mechanism: Mechanism,
    timers: Timers,
    events: Events,
    /// Signal::Close has yet to go up.
    farewell: bool,
}

impl<B: Body> Connection<B> {
    /// A connection on a stream that was opened at `now`.
    pub fn new(config: &Config, now: Instant) -> Self {
        let mut timers = Timers::default();
        timers.set(Timer::Handshake, config.handshake.map(|span| now + span));
        Self {
            inflow: Inflow::new(Framing::V3, config.max_frame),
            outflow: Outflow::new(Framing::V3),
            state: State {
                phase: Phase::Greeting(Incoming::START),
                item: Item::Greeting,
                reception: Reception::First,
                frames: 0,
                tx_open: false,
                pong: None,
                spent: 0,
                limits: config.limits,
                mechanism: config.mechanism,
                timers,
                events: Events::default(),
                farewell: false,
            },
        }
    }
    /// Takes stream bytes from `input[*at..]`, moving `at`. Bytes left over: stop reading until the pipe has room.
    #[inline]
    pub fn handle_input<I, W>(&mut self, local: Local<'_>, input: &I, at: &mut usize, pipe: &mut W, now: Instant)
    where
        I: Input<B> + ?Sized,
        W: PipeWriter<Body = B>,
    {
        if let Err(reason) = self.receive(local, input, at, pipe, now) {
            self.close(reason);
        }
        if let Phase::Closed(reason) = self.state.phase {
            *at = input.bytes().len();
            self.part(reason, pipe);
        }
        pipe.flush();
    }
    /// The stream has ended: the peer's last octet has been handed in, or the stream failed.
    pub fn handle_eof<W: PipeWriter<Body = B>>(&mut self, pipe: &mut W) {
        self.close(CloseReason::EndOfStream);
        self.settle(pipe);
    }
    /// Acts on the deadlines that have passed at `now`.
    pub fn handle_timeout<W: PipeWriter<Body = B>>(&mut self, pipe: &mut W, now: Instant) {
        if let Err(reason) = self.state.expire(now) {
            self.close(reason);
        }
        self.settle(pipe);
    }
    /// When [`handle_timeout`](Self::handle_timeout) is to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.state.timers.next()
    }
    /// What has happened since the last call.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.state.events.pop()
    }
    /// The body being received, as far as it is missing: a driver may read from its stream straight into it.
    pub fn wanted(&mut self) -> Option<&mut [u8]> {
        self.inflow.wanted()
    }
    /// `n` bytes of `wanted` have been filled. Call `handle_input` (with no bytes, if none are at hand) afterwards.
    pub fn filled(&mut self, n: usize) {
        self.inflow.filled(n);
    }
    /// As [`wanted`](Self::wanted), by value and only when at least `least` octets are missing: for a driver that does
    /// not hold on to the connection while it reads. Give it [back](Self::give_back) before the next input.
    pub fn lend(&mut self, least: usize) -> Option<B::Draft> {
        self.inflow.lend(least)
    }
    /// Puts back what [`lend`](Self::lend) took out, however far it has been filled; then call `handle_input`, with no
    /// bytes if none are at hand. A connection that has closed meanwhile forgets it.
    pub fn give_back(&mut self, draft: B::Draft) {
        if self.closed().is_none() {
            self.inflow.give_back(draft);
        }
    }
    /// Why the stream is to be closed, if it is.
    pub fn closed(&self) -> Option<CloseReason> {
        match self.state.phase {
            Phase::Closed(reason) => Some(reason),
            Phase::Greeting(_) | Phase::Handshake(_) | Phase::Traffic(_) => None,
        }
    }
    /// Whether the handshake is over and the connection is not closed.
    #[inline]
    pub fn is_ready(&self) -> bool {
        matches!(self.state.phase, Phase::Traffic(_))
    }
    /// Whether a whole frame waits here, and not in the driver's input, for room in the pipe: call `handle_input`, with
    /// no bytes if none are at hand, when there is some.
    pub fn is_stalled(&self) -> bool {
        self.inflow.is_complete()
    }
    /// Whether the ZMTP 3.x image of a committed message may go to the stream as it stands, between calls of
    /// [`poll_transmit`](Self::poll_transmit): traffic phase, the framing of 3.x and 2.0, a mechanism that leaves frames
    /// alone, and nothing half sent.
    #[inline]
    pub fn takes_images(&self) -> bool {
        let framing = match self.state.phase {
            Phase::Traffic(version) => version.framing(),
            Phase::Greeting(_) | Phase::Handshake(_) | Phase::Closed(_) => return false,
        };
        matches!(framing, Framing::V2 | Framing::V3)
            && self.state.mechanism.is_transparent()
            && self.state.item == Item::None
            && !self.state.tx_open
    }
    /// Whether [`poll_transmit`](Self::poll_transmit) may have something to say beside the pipe's messages and signals:
    /// greeting, handshake, PONG.
    #[inline]
    pub fn has_control(&self) -> bool {
        self.closed().is_none() && (!self.is_ready() || self.state.pong.is_some() || self.state.item != Item::None)
    }
    /// The stream is gone, the pipe lives on: forgets the half-received message and the rest of a half-sent one.
    /// A message of which no frame has gone entirely stays, for the next connection.
    pub fn release<R, W>(self, from_socket: &mut R, to_socket: &mut W)
    where
        R: PipeReader<Body = B>,
        W: PipeWriter<Body = B>,
    {
        to_socket.rollback();
        to_socket.flush();
        let mut open = self.state.tx_open;
        while open {
            open = from_socket.front().is_some_and(|front| front.more);
            from_socket.skip();
        }
    }
    /// Ends the connection unless it has ended.
    #[cold]
    fn close(&mut self, reason: CloseReason) {
        if self.closed().is_none() {
            self.state.phase = Phase::Closed(reason);
            self.state.timers.clear();
            self.state.events.push(Event::Closed(reason));
            self.state.farewell = true;
            self.inflow.clear();
        }
    }
    /// What a call that brings no octets leaves to do.
    fn settle<W: PipeWriter<Body = B>>(&mut self, pipe: &mut W) {
        if let Phase::Closed(reason) = self.state.phase {
            self.part(reason, pipe);
            pipe.flush();
        }
    }
    /// Takes leave of the pipe, which always has a place for that signal.
    #[cold]
    fn part<W: PipeWriter<Body = B>>(&mut self, reason: CloseReason, pipe: &mut W) {
        if core::mem::take(&mut self.state.farewell) {
            pipe.rollback();
            let _ = pipe.signal(Signal::Close(reason));
        }
    }
}

impl State {
    /// The first deadline that has passed at `now`.
    fn expire(&mut self, now: Instant) -> Result<(), CloseReason> {
        match self.timers.expire(now) {
            Some(Timer::Handshake) => Err(CloseReason::HandshakeTimeout),
            None => Ok(()),
        }
    }
}

impl<B: Body> fmt::Debug for Connection<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("phase", &self.state.phase)
            .field("inflow", &self.inflow)
            .field("outflow", &self.outflow)
            .finish_non_exhaustive()
    }
}
