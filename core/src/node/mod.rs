//! The single-owner composition: a socket, its connections and both ends of every lane, under one `&mut`.

mod connections;
mod streams;

pub use streams::Streams;

use crate::body::{Frame, Input, Payload, Piece, Sink};
use crate::connection::{Config, Connection, Event};
use crate::error::{CloseReason, FilterError, RecvError, SendError, SendErrorKind};
use crate::options::Options;
use crate::pattern::{Filters, Pattern, Receives, Sends};
use crate::socket::{Side, Socket};
use crate::storage::{NodeStorage, PipeId};
use crate::time::Instant;
use connections::Connections;
use core::fmt;

/// A ZeroMQ socket and its byte streams: `Node<Pub, Fixed<4, 8, 64>>`.
///
/// What [`Connection`] says of inputs, outputs and their order holds for each stream, named by its [`PipeId`].
///
/// ```
/// use omnimq_core::{Event, Fixed, Instant, LocalStorage, Node, Options, Pattern, PipeId, Pull, Push, Side, Sink};
///
/// /// A stream that never blocks: what was read and not yet used, and what is to be written.
/// #[derive(Default)]
/// struct Stream { read: Vec<u8>, write: Vec<u8> }
///
/// impl<B> Sink<B> for Stream {
///     fn put(&mut self, bytes: &[u8]) -> usize {
///         self.write.extend_from_slice(bytes);
///         bytes.len()
///     }
/// }
///
/// /// One turn: call it when a stream has bytes or room, when `poll_timeout` is due, after sending and receiving.
/// fn turn<P: Pattern, S: LocalStorage>(node: &mut Node<P, S>, streams: &mut [(PipeId, Stream)], now: Instant) {
///     for (id, stream) in streams.iter_mut() {
///         // What has come goes in, also when nothing has: a frame may be waiting for room in its pipe.
///         let used = node.handle_input(*id, stream.read.as_slice(), now);
///         stream.read.drain(..used);
///     }
///     node.handle_timeout(now);
///     for (id, stream) in streams.iter_mut() {
///         // `true` asks for another turn when the stream has room.
///         let _full = node.poll_transmit(*id, stream);
///     }
///     while let Some((id, event)) = node.poll_event() {
///         if let Event::Closed(_) = event {
///             // End the stream, then either let go of the pipe or connect again and call `reconnect`.
///             node.close(id);
///         }
///     }
///     // Come back at `node.poll_timeout()` at the latest.
/// }
///
/// let now = Instant::ZERO;
/// let mut push = Node::<Push, Fixed<1, 4, 64>>::new(Push, Options::default());
/// let mut pull = Node::<Pull, Fixed<1, 4, 64>>::new(Pull, Options::default());
/// let mut left = [(push.attach(Side::Connect, now).unwrap(), Stream::default())];
/// let mut right = [(pull.attach(Side::Bind, now).unwrap(), Stream::default())];
/// push.send_bytes(b"hello", false).unwrap();
/// let frame = loop {
///     turn(&mut push, &mut left, now);
///     right[0].1.read.append(&mut left[0].1.write);
///     turn(&mut pull, &mut right, now);
///     left[0].1.read.append(&mut right[0].1.write);
///     if let Ok(frame) = pull.recv() {
///         break frame;
///     }
/// };
/// assert_eq!(frame.body.as_ref(), b"hello");
/// ```
pub struct Node<P: Pattern, S: NodeStorage> {
    socket: Socket<P, S>,
    connections: Connections<S>,
}

impl<P: Pattern, S: NodeStorage> Node<P, S> {
    /// A socket without peers.
    pub fn new(pattern: P, options: Options) -> Self {
        Self::configured(pattern, options, Config { limits: options.limits, ..Config::DEFAULT })
    }
    /// A socket without peers whose connections are to keep to `config`.
    pub fn configured(pattern: P, options: Options, config: Config) -> Self {
        Self {
            socket: Socket::new(pattern, &options),
            connections: Connections::new(pattern.socket_type(), &options, config),
        }
    }
    /// Sets what holds for later connections.
    pub fn configure(&mut self, config: Config) {
        self.connections.config = config;
    }
    /// Sets the routing id announced to later peers (ZMQ_ROUTING_ID); `None` when it is longer than the storage or the
    /// protocol allows.
    pub fn set_routing_id(&mut self, routing_id: &[u8]) -> Option<()> {
        if routing_id.len() > 255 {
            return None;
        }
        self.connections.routing_id = S::key(routing_id)?;
        Some(())
    }
    /// The byte streams, apart from the pattern's type: what drives them is the same code for all patterns.
    #[inline]
    pub fn streams(&mut self) -> Streams<'_, S> {
        Streams { life: self.socket.life(), connections: &mut self.connections }
    }
    /// Adds a byte stream opened at `now`; `None` when all places are taken.
    pub fn attach(&mut self, side: Side, now: Instant) -> Option<PipeId> {
        self.streams().attach(side, now)
    }
    /// The byte stream has ended and no other will take its place. Messages towards the peer are given up; those that
    /// have arrived stay readable, and when they have been read the place is free.
    pub fn close(&mut self, id: PipeId) {
        self.streams().close(id);
    }
    /// Forgets a byte stream and its pipe, with the messages in it.
    pub fn detach(&mut self, id: PipeId) {
        self.streams().detach(id);
    }
    /// Another byte stream, opened at `now`, takes the place of one that has ended: the pipe and its messages stay.
    pub fn reconnect(&mut self, id: PipeId, now: Instant) {
        self.streams().reconnect(id, now);
    }
    /// Takes bytes from the stream; returns how many were used. If that is not all, offer the rest again after
    /// receiving.
    #[inline]
    pub fn handle_input<I: Input<S::Body> + ?Sized>(&mut self, id: PipeId, input: &I, now: Instant) -> usize {
        self.streams().handle_input(id, input, now)
    }
    /// The stream has ended: its last byte has been handed in, or it failed.
    pub fn handle_eof(&mut self, id: PipeId) {
        self.streams().handle_eof(id);
    }
    /// Acts on the deadlines that have passed at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.streams().handle_timeout(now);
    }
    /// When [`handle_timeout`](Self::handle_timeout) is to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.connections.poll_timeout()
    }
    /// What has happened to a connection, and to which.
    pub fn poll_event(&mut self) -> Option<(PipeId, Event)> {
        self.streams().poll_event()
    }
    /// Where the next bytes of the stream may be read to directly.
    pub fn wanted(&mut self, id: PipeId) -> Option<&mut [u8]> {
        self.connections.get_mut(id)?.wanted()
    }
    /// `n` bytes of `wanted` have been filled.
    pub fn filled(&mut self, id: PipeId, n: usize, now: Instant) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.filled(n);
        }
        self.handle_input(id, [].as_slice(), now);
    }
    /// Offers what is to be sent; true when the sink was full.
    #[inline]
    pub fn poll_transmit(&mut self, id: PipeId, sink: &mut impl Sink<S::Body>) -> bool {
        self.streams().poll_transmit(id, sink)
    }
    /// Why the stream is to be closed, if it is.
    pub fn closed(&self, id: PipeId) -> Option<CloseReason> {
        self.connections.get(id)?.closed()
    }
    /// Whether a whole frame waits in the connection for room in its pipe, and not in the driver's input: only then is an
    /// end of the stream not the end of what is to be heard.
    pub fn is_stalled(&self, id: PipeId) -> bool {
        self.connections.get(id).is_some_and(Connection::is_stalled)
    }
    /// Whether the handshake is over and the connection is not closed.
    pub fn is_ready(&self, id: PipeId) -> bool {
        self.connections.get(id).is_some_and(Connection::is_ready)
    }
    /// The socket of this node.
    pub fn socket(&mut self) -> &mut Socket<P, S> {
        &mut self.socket
    }
}

impl<P: Pattern, S: NodeStorage> Node<P, S> {
    /// Sends one frame by value.
    ///
    /// # Errors
    /// The frame comes back with the reason.
    #[inline]
    pub fn send<F: Payload<S::Body>>(&mut self, payload: F) -> Result<(), SendError<F>>
    where
        P: Sends,
    {
        self.socket.send(payload)
    }
    /// Copies `bytes` into a frame and sends it.
    ///
    /// # Errors
    /// Why it was not sent.
    #[inline]
    pub fn send_bytes(&mut self, bytes: &[u8], more: bool) -> Result<(), SendErrorKind>
    where
        P: Sends,
    {
        self.send(Piece { bytes, more }).map_err(|error| error.kind)
    }
    /// Receives one frame.
    ///
    /// # Errors
    /// Why there is none.
    #[inline]
    pub fn recv(&mut self) -> Result<Frame<S::Body>, RecvError>
    where
        P: Receives,
    {
        self.socket.recv()
    }
    /// Asks peers for messages that begin with `topic`.
    ///
    /// # Errors
    /// Why it was refused.
    pub fn subscribe(&mut self, topic: &[u8]) -> Result<(), FilterError>
    where
        P: Filters,
    {
        self.socket.subscribe(topic)
    }
    /// Takes one `subscribe` back.
    ///
    /// # Errors
    /// Why it was refused.
    pub fn unsubscribe(&mut self, topic: &[u8]) -> Result<(), FilterError>
    where
        P: Filters,
    {
        self.socket.unsubscribe(topic)
    }
}

impl<P: Pattern, S: NodeStorage> fmt::Debug for Node<P, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("socket_type", &self.connections.socket_type).finish_non_exhaustive()
    }
}
