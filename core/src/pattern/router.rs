//! ROUTER: the first frame names the peer (RFC 28). STREAM is the same over pipes of raw bytes.

use super::{FairQueue, Pattern, Receives, Routing, Sends};
use crate::body::{Body, Frame, Payload};
use crate::error::CloseReason;
use crate::error::{RecvError, SendError, SendErrorKind};
use crate::options::Options;
use crate::pipe::{PipeWriter, Signal};
use crate::socket::Pipes;
use crate::storage::{Map, PipeId, Storage, Table};
use crate::wire::SocketType;

#[derive(Clone, Copy, Default)]
pub struct Router;
#[derive(Clone, Copy, Default)]
pub struct Stream;

impl Sends for Router {}
impl Receives for Router {}
impl Sends for Stream {}
impl Receives for Stream {}

impl Pattern for Router {
    type State<S: Storage> = RouterState<S>;
    fn socket_type(self) -> SocketType {
        SocketType::Router
    }
    fn start<S: Storage>(self, options: &Options) -> RouterState<S> {
        RouterState::new(options, false)
    }
}

impl Pattern for Stream {
    type State<S: Storage> = RouterState<S>;
    fn socket_type(self) -> SocketType {
        SocketType::Stream
    }
    fn start<S: Storage>(self, options: &Options) -> RouterState<S> {
        RouterState::new(options, true)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    None,
    Pipe(PipeId),
    /// Nobody of that name, or no room: the message vanishes.
    Drop,
}

pub struct RouterState<S: Storage> {
    names: S::Names<Option<PipeId>>,
    keys: S::Table<S::Key>,
    queue: FairQueue<S>,
    /// The id frame of the current message has been given out.
    named: bool,
    target: Target,
    next_id: u32,
    mandatory: bool,
    handover: bool,
    /// STREAM: an empty frame to a peer closes it.
    raw: bool,
}

impl<S: Storage> RouterState<S> {
    fn new(options: &Options, raw: bool) -> Self {
        Self {
            names: S::Names::default(),
            keys: S::Table::default(),
            queue: FairQueue::default(),
            named: false,
            target: Target::None,
            next_id: options.seed,
            mandatory: options.mandatory || raw,
            handover: options.handover,
            raw,
        }
    }
    fn generate(&mut self) -> Option<S::Key> {
        let [a, b, c, d] = self.next_id.to_be_bytes();
        self.next_id = self.next_id.wrapping_add(1);
        S::key(&[0, a, b, c, d])
    }
    fn name(&mut self, id: PipeId, key: S::Key) -> Option<()> {
        *self.names.entry(key.as_ref())? = Some(id);
        self.keys.put(id, key).ok()
    }
    fn aim(&mut self, pipes: &mut Pipes<S>, name: &[u8]) -> Result<Target, SendErrorKind> {
        let found = self.names.get(name).copied().flatten();
        match found {
            Some(id) if pipes.writable(id) => Ok(Target::Pipe(id)),
            Some(_) if self.mandatory => Err(SendErrorKind::Again),
            None if self.mandatory => Err(SendErrorKind::Unroutable),
            Some(_) | None => Ok(Target::Drop),
        }
    }
    fn pass<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, id: PipeId, frame: F) -> Result<(), SendError<F>> {
        let Some(tx) = pipes.writer(id) else { return Ok(()) };
        if self.raw && frame.bytes().is_empty() {
            let _ = tx.signal(Signal::Close(CloseReason::EndOfStream));
            tx.flush();
            return Ok(());
        }
        let last = !frame.more() || self.raw;
        let frame = if last { frame.last() } else { frame };
        if let Err((frame, refusal)) = frame.write(tx) {
            tx.rollback();
            return Err(SendError::new(frame, refusal.into()));
        }
        if last {
            tx.flush();
        }
        Ok(())
    }
}

impl<S: Storage> Routing<S> for RouterState<S> {
    fn on_attach(&mut self, _: &mut Pipes<S>, id: PipeId) {
        if self.keys.get(id).is_none() {
            let _ = self.generate().and_then(|key| self.name(id, key));
        }
    }
    fn on_detach(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.queue.forget(id);
        if let Some(key) = self.keys.take(id) {
            self.names.remove(key.as_ref());
        }
        if self.target == Target::Pipe(id) {
            self.target = Target::Drop;
        }
    }
    fn on_ready(&mut self, _: &mut Pipes<S>, id: PipeId, identity: S::Key) -> Result<Option<PipeId>, CloseReason> {
        if identity.as_ref().is_empty() {
            return Ok(None);
        }
        let old = self.names.get(identity.as_ref()).copied().flatten().filter(|old| *old != id);
        if let Some(old) = old {
            if !self.handover {
                return Err(CloseReason::DuplicateRoutingId);
            }
            let fresh = self.generate().ok_or(CloseReason::TooLarge)?;
            self.name(old, fresh).ok_or(CloseReason::TooLarge)?;
        } else if let Some(key) = self.keys.take(id) {
            self.names.remove(key.as_ref());
        }
        self.name(id, identity).ok_or(CloseReason::TooLarge)?;
        Ok(old)
    }
    fn on_readable(&mut self, _: &mut Pipes<S>, id: PipeId) {
        if self.keys.get(id).is_some() {
            self.queue.activate(id);
        }
    }
    fn send<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
        let more = frame.more();
        match self.target {
            Target::None if !more => return Ok(()),
            Target::None => match self.aim(pipes, frame.bytes()) {
                Ok(target) => self.target = target,
                Err(kind) => return Err(SendError::new(frame, kind)),
            },
            Target::Drop if more => {}
            Target::Drop => self.target = Target::None,
            Target::Pipe(id) => {
                let passed = self.pass(pipes, id, frame);
                if !more || self.raw || passed.is_err() {
                    self.target = Target::None;
                }
                return passed;
            }
        }
        Ok(())
    }
    fn recv(&mut self, pipes: &mut Pipes<S>) -> Result<Frame<S::Body>, RecvError> {
        if !self.named {
            let id = self.queue.select(pipes).ok_or(RecvError::Again)?;
            let key = self.keys.get(id).ok_or(RecvError::Again)?;
            let body = S::Body::copy_from(key.as_ref()).ok_or(RecvError::Again)?;
            self.named = true;
            return Ok(Frame { body, more: true });
        }
        let (_, frame) = self.queue.recv(pipes).ok_or(RecvError::Again)?;
        self.named = frame.more;
        Ok(frame)
    }
}
