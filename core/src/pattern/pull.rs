//! PULL: messages from all peers, in turn (RFC 30).

use super::{FairQueue, Pattern, Receives, Routing};
use crate::body::Frame;
use crate::error::{CloseReason, RecvError};
use crate::options::Options;
use crate::socket::Pipes;
use crate::storage::{PipeId, Storage};
use crate::wire::SocketType;

/// Receives work (ZMQ_PULL).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pull;

impl Receives for Pull {}

impl Pattern for Pull {
    type State<S: Storage> = PullState<S>;
    fn socket_type(self) -> SocketType {
        SocketType::Pull
    }
    fn start<S: Storage>(self, _: &Options) -> PullState<S> {
        PullState { queue: FairQueue::default() }
    }
}

/// State of a PULL socket.
pub struct PullState<S: Storage> {
    queue: FairQueue<S>,
}

impl<S: Storage> Routing<S> for PullState<S> {
    fn on_attach(&mut self, _: &mut Pipes<S>, _: PipeId) -> Result<(), CloseReason> {
        Ok(())
    }
    #[inline]
    fn on_readable(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.queue.activate(id);
    }
    fn on_close(&mut self, _: &mut Pipes<S>, _: PipeId) {}
    fn on_detach(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.queue.forget(id);
    }
    fn reading(&self) -> Option<PipeId> {
        self.queue.current()
    }
    #[inline]
    fn can_recv(&mut self, pipes: &mut Pipes<S>) -> bool {
        self.queue.select(pipes).is_some()
    }
    #[inline]
    fn recv(&mut self, pipes: &mut Pipes<S>, into: &mut Frame<S::Body>) -> Result<(), RecvError> {
        self.queue.recv(pipes, into).map(|_| ()).ok_or(RecvError::Again)
    }
}
