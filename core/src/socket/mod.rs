//! One ZeroMQ socket: its pipes and its pattern. Sees `PipeId` and frames, never bytes on a wire, never time.
//!
//! # Who calls what
//! A driver makes the two lanes of a pipe and gives the socket its ends with [`Socket::attach`]. From then on
//! - it calls [`Socket::process`] whenever the other ends have been touched (frames, signals or room may be there),
//!   also while the application is away; the answer `Some(reason)` says that the connection has ended;
//! - a connecting side that goes on with a new connection leaves the pipe alone: its next `Ready` brings the peer up
//!   to date. Otherwise the driver calls [`Socket::close_pipe`]: nothing more goes out, what came in stays readable,
//!   and the pipe goes by itself when that has been read. [`Socket::detach`] throws unread messages away;
//! - [`Socket::is_gone`] tells when a pipe has gone; its id is then free for the next one;
//! - a `Close` in the lane towards the connection asks the driver to end it, for the reason given. The pipe stays
//!   until the driver calls one of the two.
//!
//! The application calls `send`, `recv`, `subscribe`, `unsubscribe`, `can_send` and `can_recv`, and none of them blocks.

mod life;
mod pipes;

pub(crate) use life::Life;
pub use pipes::{Pipe, Pipes, Side};

use crate::body::{Body, Frame, Payload};
use crate::error::{CloseReason, FilterError, OptionError, RecvError, SendError};
use crate::options::Options;
use crate::pattern::{Filters, Pattern, Receives, Routing, Sends};
use crate::pipe::PipeReader;
use crate::storage::{PipeId, PipeSet, Storage};
use pipes::Phase;

/// Pattern `P` over storage `S`.
pub struct Socket<P: Pattern, S: Storage> {
    routing: P::State<S>,
    pipes: Pipes<S>,
}

/// Pipes.
impl<P: Pattern, S: Storage> Socket<P, S> {
    /// A socket without pipes.
    pub fn new(pattern: P, options: &Options) -> Self {
        Self { routing: pattern.start(options), pipes: Pipes::new(options.limits.peers) }
    }
    /// Changes the options that take effect at once: all but the high-water marks and the seed.
    pub fn configure(&mut self, options: &Options) {
        self.pipes.most = options.limits.peers;
        self.routing.configure(options);
    }
    /// The place the next pipe would take; `None` when the table is full or `limits.peers` is reached.
    pub fn vacant(&mut self) -> Option<PipeId> {
        self.pipes.vacant()
    }
    /// Adds a pipe; `None` when the table is full or `limits.peers` is reached. A pattern that does not want it
    /// (a second peer of a PAIR) says so by a `Close` in its lane.
    pub fn attach(&mut self, tx: S::Tx, rx: S::Rx, side: Side) -> Option<PipeId> {
        self.life().attach(side, || (tx, rx))
    }
    /// The connection of this pipe has gone and none will take its place. Messages towards the peer are given up at
    /// once; those that have arrived stay readable, then the pipe goes. True when it has gone already.
    pub fn close_pipe(&mut self, id: PipeId) -> bool {
        self.life().close_pipe(id)
    }
    /// The application has done with the pipe: nothing more is sent to it, what was sent stays in its lane, and what comes
    /// may be read. `close_pipe` follows when the lane has been written, or was waited for long enough; at once if this
    /// answers false: the pipe was not in use.
    pub fn leave(&mut self, id: PipeId) -> bool {
        self.life().leave(id)
    }
    /// The connection of this pipe has gone, and nothing is to be sent before the `Ready` of the next one. What has arrived
    /// may be read; what is in the lane towards the peer is the driver's, to be kept or thrown away. False: the pipe was not
    /// in use. (A pipe attached with [`Side::Bind`] is not before its first `Ready` either: so a driver offers ZMQ_IMMEDIATE.)
    pub fn suspend(&mut self, id: PipeId) -> bool {
        self.life().suspend(id)
    }
    /// Removes a pipe with all its messages. `None`: there is no such pipe, or a message of it is half read (or an
    /// XPUB has yet to show that its subscriptions ended); then it goes by itself, soon after.
    pub fn detach(&mut self, id: PipeId) -> Option<Pipe<S>> {
        self.life().detach(id)
    }
    /// Whether there is no such pipe, and its id is free.
    pub fn is_gone(&self, id: PipeId) -> bool {
        self.pipes.phase(id).is_none()
    }
    /// The pipe, for a driver that keeps both ends of its lanes there.
    pub fn pipe(&mut self, id: PipeId) -> Option<&mut Pipe<S>> {
        self.pipes.pipe(id)
    }
    /// How many messages were given up because the peer they were meant for had no room, was unknown or had gone.
    /// A message that several peers miss counts as many times.
    pub fn dropped(&self) -> u64 {
        self.pipes.dropped()
    }
    /// The pipe may have new messages, signals or room. Spurious calls are harmless.
    /// `Some`: its `Close` has arrived.
    #[inline]
    pub fn process(&mut self, id: PipeId) -> Option<CloseReason> {
        let pipe = self.pipes.pipe(id)?;
        let closed = if pipe.rx.front_signal().is_some() { self.life().take_signals(id) } else { None };
        match self.pipes.phase(id)? {
            Phase::Open => {
                self.routing.on_readable(&mut self.pipes, id);
                self.routing.on_writable(&mut self.pipes, id);
            }
            Phase::Leaving | Phase::Left | Phase::Draining => self.routing.on_readable(&mut self.pipes, id),
            Phase::Refused => self.pipes.discard(id),
            Phase::Waiting | Phase::Finishing => {}
        }
        self.settle();
        closed
    }
    #[inline]
    fn settle(&mut self) {
        if self.pipes.unsettled {
            self.life().settle_all();
        }
    }
    /// Pipes come and go by code that is the same for all patterns.
    #[inline]
    pub(crate) fn life(&mut self) -> Life<'_, S> {
        Life { routing: &mut self.routing, pipes: &mut self.pipes }
    }
    /// A pipe whose `Close` could not be told by [`process`](Self::process), because subscriptions before it waited
    /// until the application of an XPUB had read others. To be asked after a `recv` of such a socket.
    pub fn poll_closed(&mut self) -> Option<(PipeId, CloseReason)> {
        while let Some(id) = self.pipes.unheard.at_or_after(PipeId(0)) {
            self.pipes.unheard.remove(id);
            if let Some(reason) = self.pipes.pipe(id).and_then(|pipe| pipe.closed.take()) {
                return Some((id, reason));
            }
        }
        None
    }
}

/// Messages.
impl<P: Pattern, S: Storage> Socket<P, S> {
    /// Sends one frame; a message leaves when its last frame is taken.
    ///
    /// # Errors
    /// `Again` (EAGAIN) only on a first frame, `Unroutable` (EHOSTUNREACH) likewise, `State` (EFSM),
    /// `TooLarge` (EMSGSIZE): the whole message is given up. The frame comes back.
    #[inline]
    pub fn send<F: Payload<S::Body>>(&mut self, payload: F) -> Result<(), SendError<F>>
    where
        P: Sends,
    {
        self.routing.send(&mut self.pipes, payload)
    }
    /// Receives one frame.
    ///
    /// # Errors
    /// `Again` (EAGAIN) only before a first frame, `State` (EFSM).
    #[inline]
    pub fn recv(&mut self) -> Result<Frame<S::Body>, RecvError>
    where
        P: Receives,
    {
        let mut frame = Frame::default();
        self.recv_into(&mut frame).map(|()| frame)
    }
    /// Receives one frame to where it stays, replacing what `into` was; as [`recv`](Self::recv), with one copy less.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    #[inline]
    pub fn recv_into(&mut self, into: &mut Frame<S::Body>) -> Result<(), RecvError>
    where
        P: Receives,
    {
        let received = self.routing.recv(&mut self.pipes, into);
        self.settle();
        received
    }
    /// Whether a frame can be sent: POLLOUT. As in libzmq, PUB and XPUB always can, and so can a ROUTER that drops.
    #[inline]
    pub fn can_send(&mut self) -> bool {
        self.routing.can_send(&mut self.pipes)
    }
    /// Whether a frame can be received: POLLIN. Messages that would be skipped are skipped here.
    #[inline]
    pub fn can_recv(&mut self) -> bool {
        let can = self.routing.can_recv(&mut self.pipes);
        self.settle();
        can
    }
}

/// What some patterns can do besides.
impl<P: Pattern, S: Storage> Socket<P, S> {
    /// SUB and XSUB: asks publishers for messages beginning with `topic`, once more if it is asked for already
    /// (ZMQ_SUBSCRIBE). XPUB with `manual`: applies a topic to the peer whose event was received last.
    ///
    /// # Errors
    /// `NoRoom` (ENOBUFS), `TooLong` (EMSGSIZE), `NotSupported` (EINVAL) for an XPUB without `manual`.
    pub fn subscribe(&mut self, topic: &[u8]) -> Result<(), FilterError>
    where
        P: Filters,
    {
        self.routing.subscribe(&mut self.pipes, topic)
    }
    /// Takes one `subscribe` of `topic` back; an unknown topic is ignored (ZMQ_UNSUBSCRIBE).
    ///
    /// # Errors
    /// `NotSupported` (EINVAL) for an XPUB without `manual`.
    pub fn unsubscribe(&mut self, topic: &[u8]) -> Result<(), FilterError>
    where
        P: Filters,
    {
        self.routing.unsubscribe(&mut self.pipes, topic)
    }
    /// ROUTER and STREAM: the routing id of the next pipe attached with [`Side::Connect`], whatever its peer
    /// announces (ZMQ_CONNECT_ROUTING_ID). Should another peer have taken it by then, that pipe is closed with
    /// [`CloseReason::DuplicateRoutingId`].
    ///
    /// # Errors
    /// `NotSupported` (EINVAL), `Invalid` (EINVAL) for an empty or overlong id, `InUse` (EADDRINUSE).
    pub fn connect_routing_id(&mut self, id: &[u8]) -> Result<(), OptionError> {
        self.routing.connect_routing_id(id)
    }
    /// XPUB: the one-frame message that each new pipe begins with; empty for none (ZMQ_XPUB_WELCOME_MSG).
    ///
    /// # Errors
    /// `NotSupported` (EINVAL), `Invalid` (EINVAL) when the storage cannot keep it.
    pub fn welcome(&mut self, message: &[u8]) -> Result<(), OptionError> {
        let body = S::Body::copy_from(message).ok_or(OptionError::Invalid)?;
        self.routing.welcome((!message.is_empty()).then_some(body))
    }
}
