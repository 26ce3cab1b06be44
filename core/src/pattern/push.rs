//! PUSH: each message to one peer, in turn (RFC 30). What peers send is thrown away.

use super::{LoadBalancer, Pattern, Routing, Sends};
use crate::body::Payload;
use crate::error::{CloseReason, SendError};
use crate::options::Options;
use crate::socket::Pipes;
use crate::storage::{PipeId, Storage};
use crate::wire::SocketType;

/// Hands out work (ZMQ_PUSH).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Push;

impl Sends for Push {}

impl Pattern for Push {
    type State<S: Storage> = PushState<S>;
    fn socket_type(self) -> SocketType {
        SocketType::Push
    }
    fn start<S: Storage>(self, _: &Options) -> PushState<S> {
        PushState { balancer: LoadBalancer::default() }
    }
}

/// State of a PUSH socket.
pub struct PushState<S: Storage> {
    balancer: LoadBalancer<S>,
}

impl<S: Storage> Routing<S> for PushState<S> {
    fn on_attach(&mut self, _: &mut Pipes<S>, id: PipeId) -> Result<(), CloseReason> {
        self.balancer.activate(id);
        Ok(())
    }
    #[inline]
    fn on_writable(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.balancer.activate(id);
    }
    fn on_close(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.balancer.forget(id);
    }
    fn on_detach(&mut self, _: &mut Pipes<S>, _: PipeId) {}
    #[inline]
    fn can_send(&mut self, pipes: &mut Pipes<S>) -> bool {
        self.balancer.can_send(pipes)
    }
    #[inline]
    fn send<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
        self.balancer.send(pipes, frame)
    }
}
