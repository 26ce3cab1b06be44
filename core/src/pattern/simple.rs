//! PUSH, PULL and DEALER: a load balancer, a fair queue, both (RFC 30, RFC 28).

use super::{FairQueue, LoadBalancer, Pattern, Receives, Routing, Sends};
use crate::body::{Frame, Payload};
use crate::error::{RecvError, SendError};
use crate::options::Options;
use crate::socket::Pipes;
use crate::storage::{PipeId, Storage};
use crate::wire::SocketType;

#[derive(Clone, Copy, Default)]
pub struct Push;
#[derive(Clone, Copy, Default)]
pub struct Pull;
#[derive(Clone, Copy, Default)]
pub struct Dealer;

impl Sends for Push {}
impl Sends for Dealer {}
impl Receives for Pull {}
impl Receives for Dealer {}

impl Pattern for Push {
    type State<S: Storage> = PushState<S>;
    fn socket_type(self) -> SocketType {
        SocketType::Push
    }
    fn start<S: Storage>(self, _: &Options) -> PushState<S> {
        PushState(LoadBalancer::default())
    }
}

impl Pattern for Pull {
    type State<S: Storage> = PullState<S>;
    fn socket_type(self) -> SocketType {
        SocketType::Pull
    }
    fn start<S: Storage>(self, _: &Options) -> PullState<S> {
        PullState(FairQueue::default())
    }
}

impl Pattern for Dealer {
    type State<S: Storage> = DealerState<S>;
    fn socket_type(self) -> SocketType {
        SocketType::Dealer
    }
    fn start<S: Storage>(self, _: &Options) -> DealerState<S> {
        DealerState(LoadBalancer::default(), FairQueue::default())
    }
}

pub struct PushState<S: Storage>(LoadBalancer<S>);
pub struct PullState<S: Storage>(FairQueue<S>);
pub struct DealerState<S: Storage>(LoadBalancer<S>, FairQueue<S>);

impl<S: Storage> Routing<S> for PushState<S> {
    fn on_attach(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.0.activate(id);
    }
    fn on_detach(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.0.forget(id);
    }
    #[inline]
    fn on_writable(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.0.activate(id);
    }
    #[inline]
    fn send<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
        self.0.send(pipes, frame)
    }
}

impl<S: Storage> Routing<S> for PullState<S> {
    fn on_attach(&mut self, _: &mut Pipes<S>, _: PipeId) {}
    fn on_detach(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.0.forget(id);
    }
    #[inline]
    fn on_readable(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.0.activate(id);
    }
    #[inline]
    fn recv(&mut self, pipes: &mut Pipes<S>) -> Result<Frame<S::Body>, RecvError> {
        self.0.recv(pipes).map(|(_, frame)| frame).ok_or(RecvError::Again)
    }
}

impl<S: Storage> Routing<S> for DealerState<S> {
    fn on_attach(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.0.activate(id);
    }
    fn on_detach(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.0.forget(id);
        self.1.forget(id);
    }
    fn on_readable(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.1.activate(id);
    }
    fn on_writable(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.0.activate(id);
    }
    fn send<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
        self.0.send(pipes, frame)
    }
    fn recv(&mut self, pipes: &mut Pipes<S>) -> Result<Frame<S::Body>, RecvError> {
        self.1.recv(pipes).map(|(_, frame)| frame).ok_or(RecvError::Again)
    }
}
