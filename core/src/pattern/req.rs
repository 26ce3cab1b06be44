//! REQ: one question, one answer, in lock-step (RFC 28).

use super::{LoadBalancer, Pattern, Receives, Routing, Sends};
use crate::body::{Frame, Payload};
use crate::error::{RecvError, SendError, SendErrorKind};
use crate::options::Options;
use crate::pipe::{PipeReader, PipeWriter};
use crate::socket::Pipes;
use crate::storage::{PipeId, Storage};
use crate::wire::SocketType;

#[derive(Clone, Copy, Default)]
pub struct Req;

impl Sends for Req {}
impl Receives for Req {}

impl Pattern for Req {
    type State<S: Storage> = ReqState<S>;
    fn socket_type(self) -> SocketType {
        SocketType::Req
    }
    fn start<S: Storage>(self, _: &Options) -> ReqState<S> {
        ReqState { balancer: LoadBalancer::default(), turn: Turn::Idle }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Idle,
    Asking(PipeId),
    Waiting(PipeId),
    Answering(PipeId),
}

pub struct ReqState<S: Storage> {
    balancer: LoadBalancer<S>,
    turn: Turn,
}

impl<S: Storage> ReqState<S> {
    fn begin(&mut self, pipes: &mut Pipes<S>) -> Option<PipeId> {
        let id = self.balancer.pick(pipes)?;
        while pipes.reader(id)?.read().is_some() {}
        let delimiter = Frame { body: S::Body::default(), more: true };
        pipes.writer(id)?.write(delimiter).ok()?;
        self.balancer.turn(id);
        Some(id)
    }
}

impl<S: Storage> Routing<S> for ReqState<S> {
    fn on_attach(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.balancer.activate(id);
    }
    fn on_detach(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.balancer.forget(id);
        if matches!(self.turn, Turn::Asking(at) | Turn::Waiting(at) | Turn::Answering(at) if at == id) {
            self.turn = Turn::Idle;
        }
    }
    fn on_writable(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.balancer.activate(id);
    }
    fn send<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
        let id = match self.turn {
            Turn::Idle => self.begin(pipes),
            Turn::Asking(id) => Some(id),
            Turn::Waiting(_) | Turn::Answering(_) => return Err(SendError::new(frame, SendErrorKind::State)),
        };
        let Some((id, tx)) = id.and_then(|id| Some((id, pipes.writer(id)?))) else {
            return Err(SendError::new(frame, SendErrorKind::Again));
        };
        let more = frame.more();
        if let Err((frame, refusal)) = frame.write(tx) {
            tx.rollback();
            self.turn = Turn::Idle;
            return Err(SendError::new(frame, refusal.into()));
        }
        self.turn = if more { Turn::Asking(id) } else { Turn::Waiting(id) };
        if !more {
            tx.flush();
        }
        Ok(())
    }
    fn recv(&mut self, pipes: &mut Pipes<S>) -> Result<Frame<S::Body>, RecvError> {
        let (id, mut first) = match self.turn {
            Turn::Waiting(id) => (id, true),
            Turn::Answering(id) => (id, false),
            Turn::Idle | Turn::Asking(_) => return Err(RecvError::State),
        };
        let rx = pipes.reader(id).ok_or(RecvError::Again)?;
        loop {
            let mut frame = rx.read().ok_or(RecvError::Again)?;
            if first && frame.more && frame.body.as_ref().is_empty() {
                first = false;
                continue;
            }
            if !first {
                self.turn = if frame.more { Turn::Answering(id) } else { Turn::Idle };
                return Ok(frame);
            }
            while frame.more {
                frame = rx.read().ok_or(RecvError::Again)?;
            }
        }
    }
}
