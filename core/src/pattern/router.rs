//! ROUTER: the first frame names the peer (RFC 28).
//!
//! A peer is known by the routing id it announces, 1 to 255 octets, or by one made here: 0x00 and a u32, big endian.
//! The name is decided at each handshake, so a peer may come back under another one. Two peers of one name: the
//! newcomer is closed ([`CloseReason::DuplicateRoutingId`]), or with `handover` takes the name over and the elder is
//! closed ([`CloseReason::Replaced`]). A closed pipe's name is free at once; its unread messages still carry it. Should
//! its connecting side come back, a generated name that somebody has by then is replaced by another, and a pipe whose
//! name the application gave is closed: never silently mute.

use super::{FairQueue, LoadBalancer, Pattern, Receives, Routing, Sends, probe};
use crate::body::{Body, Frame, Payload};
use crate::error::{CloseReason, OptionError, RecvError, SendError, SendErrorKind};
use crate::options::Options;
use crate::pipe::{PipeWriter, Signal};
use crate::socket::{Pipes, Side};
use crate::storage::{Map, PipeId, Storage, Table};
use crate::wire::SocketType;

/// The longest routing id (RFC 28).
const MAX_ID: usize = 255;

/// Addresses peers by routing id (ZMQ_ROUTER).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Router;

impl Sends for Router {}
impl Receives for Router {}

impl Pattern for Router {
    type State<S: Storage> = RouterState<S>;
    fn socket_type(self) -> SocketType {
        SocketType::Router
    }
    fn start<S: Storage>(self, options: &Options) -> RouterState<S> {
        RouterState::new(options, Kind::Router)
    }
}

/// What stands at the other ends of the pipes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// ZMTP peers.
    Router,
    /// Raw bytes: one data frame per message, an empty one closes the peer, nothing is dropped silently.
    Stream,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    None,
    Pipe(PipeId),
    /// Nobody of that name, or no room: the message vanishes.
    Nobody,
}

/// Where a peer's name comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The peer announced it.
    Peer,
    /// It was made here, because the peer announced none.
    Generated,
    /// The application gave it to this pipe; what the peer announces does not matter.
    Given,
}

struct Name<K> {
    key: K,
    origin: Origin,
}

/// State of a ROUTER or STREAM socket.
pub struct RouterState<S: Storage> {
    kind: Kind,
    /// Who can be sent to.
    names: S::Names<Option<PipeId>>,
    /// What each pipe's messages are prefixed with.
    keys: S::Table<Name<S::Key>>,
    queue: FairQueue<S>,
    /// The id frame of the current message has been given out.
    prefixed: bool,
    target: Target,
    /// Named pipes that may have room.
    writable: LoadBalancer<S>,
    next_id: u32,
    /// The name of the next connecting pipe.
    given: Option<S::Key>,
    mandatory: bool,
    handover: bool,
    probe: bool,
}

impl<S: Storage> RouterState<S> {
    pub(super) fn new(options: &Options, kind: Kind) -> Self {
        let mut state = Self {
            kind,
            names: S::Names::default(),
            keys: S::Table::default(),
            queue: FairQueue::default(),
            prefixed: false,
            target: Target::None,
            writable: LoadBalancer::default(),
            next_id: options.seed,
            given: None,
            mandatory: false,
            handover: false,
            probe: false,
        };
        state.configure(options);
        state
    }
    fn holder(&self, name: &[u8]) -> Option<PipeId> {
        self.names.get(name).copied().flatten()
    }
    /// Whether nobody but `id` has the name.
    fn may_hold(&self, id: PipeId, name: &[u8]) -> bool {
        self.holder(name).is_none_or(|holder| holder == id)
    }
    /// A name that nobody has. Peers may announce such names too, hence the search; it ends within one round of them.
    fn generate(&mut self) -> Option<S::Key> {
        for _ in 0..=self.names.len() {
            let [a, b, c, d] = self.next_id.to_be_bytes();
            self.next_id = self.next_id.wrapping_add(1);
            let name = [0, a, b, c, d];
            if self.holder(&name).is_none() {
                return S::key(&name);
            }
        }
        None
    }
    /// Gives `id` a name, and up the one it had.
    fn rename(&mut self, id: PipeId, key: S::Key, origin: Origin) -> Result<(), CloseReason> {
        self.release(id);
        *self.names.entry(key.as_ref()).ok_or(CloseReason::TooLarge)? = Some(id);
        self.keys.put(id, Name { key, origin }).map_err(|_| CloseReason::TooLarge)?;
        self.writable.activate(id);
        Ok(())
    }
    /// Frees the name of `id` for others.
    fn release(&mut self, id: PipeId) {
        let Some(name) = self.keys.get(id) else { return };
        if self.holder(name.key.as_ref()) == Some(id) {
            self.names.remove(name.key.as_ref());
        }
    }
    /// Where a message to `name` goes.
    fn aim(&mut self, pipes: &mut Pipes<S>, name: &[u8]) -> Result<Target, SendErrorKind> {
        match self.holder(name) {
            Some(id) if pipes.writable(id) => Ok(Target::Pipe(id)),
            Some(_) if self.reports() => Err(SendErrorKind::Again),
            None if self.reports() => Err(SendErrorKind::Unroutable),
            Some(_) | None => Ok(Target::Nobody),
        }
    }
    fn reports(&self) -> bool {
        self.mandatory || self.kind == Kind::Stream
    }
    /// Sends a frame after the id frame.
    fn pass<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, id: PipeId, frame: F) -> Result<(), SendError<F>> {
        let Some(tx) = pipes.writer(id) else { return Ok(()) };
        let frame = if self.kind == Kind::Stream {
            if frame.bytes().is_empty() {
                // `Close` is always taken.
                let _ = tx.signal(Signal::Close(CloseReason::Unwanted));
                tx.flush();
                return Ok(());
            }
            frame.last()
        } else {
            frame
        };
        let more = frame.more();
        if let Err((frame, refusal)) = frame.write(tx) {
            tx.rollback();
            return Err(SendError::new(frame, refusal.into()));
        }
        if !more {
            tx.flush();
        }
        Ok(())
    }
}

impl<S: Storage> Routing<S> for RouterState<S> {
    fn configure(&mut self, options: &Options) {
        (self.mandatory, self.handover) = (options.mandatory, options.handover);
        self.probe = options.probe_router && self.kind == Kind::Router;
    }
    fn on_attach(&mut self, pipes: &mut Pipes<S>, id: PipeId) -> Result<(), CloseReason> {
        if pipes.side(id) == Some(Side::Connect)
            && self.keys.get(id).is_none()
            && let Some(key) = self.given.take()
        {
            if self.holder(key.as_ref()).is_some() {
                return Err(CloseReason::DuplicateRoutingId);
            }
            self.rename(id, key, Origin::Given)?;
        }
        if self.probe {
            probe(pipes, id);
        }
        Ok(())
    }
    fn on_ready(&mut self, _: &mut Pipes<S>, id: PipeId, identity: S::Key) -> Result<Option<PipeId>, CloseReason> {
        let announced = identity.as_ref();
        if announced.len() > MAX_ID {
            return Err(CloseReason::TooLarge);
        }
        let known = self.keys.get(id).map(|name| (name.key.clone(), name.origin));
        let (key, origin) = match known {
            Some(given @ (_, Origin::Given)) => given,
            Some(own @ (_, Origin::Generated)) if announced.is_empty() && self.may_hold(id, own.0.as_ref()) => own,
            _ if announced.is_empty() => (self.generate().ok_or(CloseReason::TooLarge)?, Origin::Generated),
            _ => (identity, Origin::Peer),
        };
        let elder = self.holder(key.as_ref()).filter(|elder| *elder != id);
        if elder.is_some() && !(self.handover && origin == Origin::Peer) {
            return Err(CloseReason::DuplicateRoutingId);
        }
        self.rename(id, key, origin)?;
        Ok(elder)
    }
    #[inline]
    fn on_readable(&mut self, _: &mut Pipes<S>, id: PipeId) {
        if self.keys.get(id).is_some() {
            self.queue.activate(id);
        }
    }
    #[inline]
    fn on_writable(&mut self, _: &mut Pipes<S>, id: PipeId) {
        if self.keys.get(id).is_some() {
            self.writable.activate(id);
        }
    }
    fn on_close(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.release(id);
        self.writable.forget(id);
        if self.target == Target::Pipe(id) {
            self.target = Target::Nobody;
        }
    }
    fn on_detach(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.release(id);
        self.keys.take(id);
        self.queue.forget(id);
    }
    fn reading(&self) -> Option<PipeId> {
        self.queue.current()
    }
    fn can_send(&mut self, pipes: &mut Pipes<S>) -> bool {
        !self.reports() || self.target != Target::None || self.writable.pick(pipes).is_some()
    }
    #[inline]
    fn can_recv(&mut self, pipes: &mut Pipes<S>) -> bool {
        self.queue.select(pipes).is_some()
    }
    fn send<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
        let more = frame.more() && self.kind == Kind::Router;
        match self.target {
            // An id without a message.
            Target::None if !frame.more() => Ok(()),
            Target::None => match self.aim(pipes, frame.bytes()) {
                Ok(target) => {
                    self.target = target;
                    Ok(())
                }
                Err(kind) => Err(SendError::new(frame, kind)),
            },
            Target::Nobody => {
                if !more {
                    self.target = Target::None;
                    pipes.count_drop();
                }
                Ok(())
            }
            Target::Pipe(id) => {
                let passed = self.pass(pipes, id, frame);
                if !more || passed.is_err() {
                    self.target = Target::None;
                }
                passed
            }
        }
    }
    fn recv(&mut self, pipes: &mut Pipes<S>, into: &mut Frame<S::Body>) -> Result<(), RecvError> {
        if !self.prefixed {
            let id = self.queue.begin(pipes).ok_or(RecvError::Again)?;
            let key = self.keys.get(id).map(|name| name.key.as_ref());
            let body = S::Body::copy_from(key.unwrap_or_default()).unwrap_or_default();
            self.prefixed = true;
            *into = Frame { body, more: true };
            return Ok(());
        }
        self.queue.recv(pipes, into).ok_or(RecvError::Again)?;
        self.prefixed = into.more;
        Ok(())
    }
    fn connect_routing_id(&mut self, id: &[u8]) -> Result<(), OptionError> {
        if id.is_empty() || id.len() > MAX_ID {
            return Err(OptionError::Invalid);
        }
        if self.holder(id).is_some() {
            return Err(OptionError::InUse);
        }
        self.given = Some(S::key(id).ok_or(OptionError::Invalid)?);
        Ok(())
    }
}
