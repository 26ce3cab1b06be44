//! DEALER: round robin out, fair queue in (RFC 28).

use super::{FairQueue, LoadBalancer, Pattern, Receives, Routing, Sends, probe};
use crate::body::{Frame, Payload};
use crate::error::{CloseReason, RecvError, SendError};
use crate::options::Options;
use crate::socket::Pipes;
use crate::storage::{PipeId, Storage};
use crate::wire::SocketType;

/// Round robin out, fair queue in (ZMQ_DEALER).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dealer;

impl Sends for Dealer {}
impl Receives for Dealer {}

impl Pattern for Dealer {
    type State<S: Storage> = DealerState<S>;
    fn socket_type(self) -> SocketType {
        SocketType::Dealer
    }
    fn start<S: Storage>(self, options: &Options) -> DealerState<S> {
        DealerState { balancer: LoadBalancer::default(), queue: FairQueue::default(), probe: options.probe_router }
    }
}

/// State of a DEALER socket.
pub struct DealerState<S: Storage> {
    balancer: LoadBalancer<S>,
    queue: FairQueue<S>,
    probe: bool,
}

impl<S: Storage> Routing<S> for DealerState<S> {
    fn configure(&mut self, options: &Options) {
        self.probe = options.probe_router;
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
    }
    fn reading(&self) -> Option<PipeId> {
        self.queue.current()
    }
    #[inline]
    fn can_send(&mut self, pipes: &mut Pipes<S>) -> bool {
        self.balancer.can_send(pipes)
    }
    #[inline]
    fn can_recv(&mut self, pipes: &mut Pipes<S>) -> bool {
        self.queue.select(pipes).is_some()
    }
    #[inline]
    fn send<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
        self.balancer.send(pipes, frame)
    }
    #[inline]
    fn recv(&mut self, pipes: &mut Pipes<S>, into: &mut Frame<S::Body>) -> Result<(), RecvError> {
        self.queue.recv(pipes, into).map(|_| ()).ok_or(RecvError::Again)
    }
}
