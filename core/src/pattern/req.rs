//! REQ: one question, one answer, in lock-step (RFC 28).
//!
//! ```text
//! Idle --first frame--> Asking --last frame--> Waiting --first frame of the reply--> Answering --last frame--> Idle
//! ```
//! A request is [request id, u32, with `correlate`], empty delimiter, body. A reply has the same shape and comes from
//! the pipe asked, or from any if that has died; everything else is skipped. With `relaxed` a request may also be sent
//! while `Waiting` or `Answering`: the old reply is forgotten, reliably so only with `correlate`.

use super::{FairQueue, LoadBalancer, Pattern, Receives, Routing, Sends, probe};
use crate::body::{Frame, Payload, Piece};
use crate::error::{CloseReason, RecvError, SendError, SendErrorKind};
use crate::options::Options;
use crate::socket::Pipes;
use crate::storage::{PipeId, Storage};
use crate::wire::SocketType;

/// Asks, then awaits the reply (ZMQ_REQ).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Req;

impl Sends for Req {}
impl Receives for Req {}

impl Pattern for Req {
    type State<S: Storage> = ReqState<S>;
    fn socket_type(self) -> SocketType {
        SocketType::Req
    }
    fn start<S: Storage>(self, options: &Options) -> ReqState<S> {
        let mut state = ReqState {
            balancer: LoadBalancer::default(),
            queue: FairQueue::default(),
            turn: Turn::Idle,
            asked: None,
            id: None,
            next_id: options.seed,
            correlate: false,
            relaxed: false,
            probe: false,
        };
        state.configure(options);
        state
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Idle,
    /// The request has begun.
    Asking,
    /// The reply has not begun.
    Waiting,
    /// The reply's envelope has been read.
    Answering,
}

/// State of a REQ socket.
pub struct ReqState<S: Storage> {
    balancer: LoadBalancer<S>,
    queue: FairQueue<S>,
    turn: Turn,
    /// Where the reply has to come from; `None`: from anywhere, the pipe asked has died.
    asked: Option<PipeId>,
    /// What the reply has to begin with.
    id: Option<[u8; 4]>,
    next_id: u32,
    correlate: bool,
    relaxed: bool,
    probe: bool,
}

impl<S: Storage> ReqState<S> {
    /// Begins a request: its envelope. On refusal nothing has changed.
    fn begin(&mut self, pipes: &mut Pipes<S>) -> Result<(), SendErrorKind> {
        let id = self.correlate.then(|| self.next_id.to_ne_bytes());
        if let Some(id) = id {
            self.balancer.send(pipes, Piece { bytes: &id, more: true }).map_err(|error| error.kind)?;
            self.next_id = self.next_id.wrapping_add(1);
        }
        let delimiter = Piece { bytes: &[], more: true };
        self.balancer.send(pipes, delimiter).map_err(|error| error.kind)?;
        self.id = id;
        self.asked = self.balancer.current();
        self.turn = Turn::Asking;
        // Old replies are not to be taken for new ones.
        while self.queue.next(pipes).is_some() {}
        Ok(())
    }
    /// Reads up to the body of the reply, skipping all that is not it.
    fn find_reply(&mut self, pipes: &mut Pipes<S>) -> bool {
        while let Some(from) = self.queue.begin(pipes) {
            let right = self.asked.is_none_or(|asked| asked == from)
                && self.id.is_none_or(|id| self.next_is(pipes, &id))
                && self.next_is(pipes, b"");
            if right {
                self.turn = Turn::Answering;
                return true;
            }
            self.queue.skip_rest(pipes);
        }
        false
    }
    /// Reads a frame of the message that `begin` selected; whether it has these bytes and is not the last.
    fn next_is(&mut self, pipes: &mut Pipes<S>, bytes: &[u8]) -> bool {
        self.queue.next(pipes).is_some_and(|frame| frame.more && frame.body.as_ref() == bytes)
    }
}

impl<S: Storage> Routing<S> for ReqState<S> {
    fn configure(&mut self, options: &Options) {
        (self.correlate, self.relaxed, self.probe) = (options.correlate, options.relaxed, options.probe_router);
    }
    fn on_attach(&mut self, pipes: &mut Pipes<S>, id: PipeId) -> Result<(), CloseReason> {
        if self.probe {
            probe(pipes, id);
        }
        self.balancer.activate(id);
        Ok(())
    }
    #[inline]
    fn on_readable(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.queue.activate(id);
    }
    #[inline]
    fn on_writable(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.balancer.activate(id);
    }
    fn on_close(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.balancer.forget(id);
    }
    fn on_detach(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.queue.forget(id);
        self.asked = self.asked.filter(|asked| *asked != id);
    }
    fn reading(&self) -> Option<PipeId> {
        self.queue.current()
    }
    fn can_send(&mut self, pipes: &mut Pipes<S>) -> bool {
        match self.turn {
            Turn::Idle => self.balancer.can_send(pipes),
            Turn::Asking => true,
            Turn::Waiting | Turn::Answering => self.relaxed && self.balancer.can_send(pipes),
        }
    }
    fn can_recv(&mut self, pipes: &mut Pipes<S>) -> bool {
        match self.turn {
            Turn::Idle | Turn::Asking => false,
            Turn::Waiting => self.find_reply(pipes),
            Turn::Answering => true,
        }
    }
    fn send<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
        match self.turn {
            Turn::Waiting | Turn::Answering if !self.relaxed => return Err(SendError::new(frame, SendErrorKind::State)),
            Turn::Idle | Turn::Waiting | Turn::Answering => {
                if let Err(kind) = self.begin(pipes) {
                    return Err(SendError::new(frame, kind));
                }
            }
            Turn::Asking => {}
        }
        let more = frame.more();
        let sent = self.balancer.send(pipes, frame);
        self.turn = match (&sent, more) {
            (Ok(()), true) => Turn::Asking,
            (Ok(()), false) => Turn::Waiting,
            (Err(_), _) => Turn::Idle,
        };
        sent
    }
    fn recv(&mut self, pipes: &mut Pipes<S>, into: &mut Frame<S::Body>) -> Result<(), RecvError> {
        let turn = self.turn;
        match turn {
            Turn::Idle | Turn::Asking => return Err(RecvError::State),
            Turn::Waiting if !self.find_reply(pipes) => return Err(RecvError::Again),
            Turn::Waiting | Turn::Answering => {}
        }
        self.queue.recv(pipes, into).ok_or(RecvError::Again)?;
        if !into.more {
            self.turn = Turn::Idle;
        }
        Ok(())
    }
}
