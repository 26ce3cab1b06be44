//! Patterns: who gets a frame, whose frame comes next. A pattern sees pipe ids and frames.

mod any;
mod fair_queue;
mod load_balancer;
mod publish;
mod rep;
mod req;
mod router;
mod simple;
mod subscribe;

pub use any::{AnyPattern, AnyState};
pub use fair_queue::FairQueue;
pub use load_balancer::LoadBalancer;
pub use publish::Pub;
pub use rep::Rep;
pub use req::Req;
pub use router::{Router, Stream};
pub use simple::{Dealer, Pull, Push};
pub use subscribe::Sub;

use crate::body::{Frame, Payload};
use crate::error::CloseReason;
use crate::error::{FilterError, RecvError, SendError, SendErrorKind};
use crate::options::Options;
use crate::socket::Pipes;
use crate::storage::{PipeId, Storage};
use crate::wire::SocketType;

/// Names a pattern in a type: `Socket<Pub, Fixed<4, 8, 64>>`. The state it needs depends on the storage.
pub trait Pattern: Copy {
    type State<S: Storage>: Routing<S>;
    fn socket_type(self) -> SocketType;
    fn start<S: Storage>(self, options: &Options) -> Self::State<S>;
}

/// Patterns that can send.
#[diagnostic::on_unimplemented(message = "{Self} sockets cannot send")]
pub trait Sends: Pattern {}
/// Patterns that can receive.
#[diagnostic::on_unimplemented(message = "{Self} sockets cannot receive")]
pub trait Receives: Pattern {}
/// Patterns that filter by topic.
#[diagnostic::on_unimplemented(message = "{Self} sockets have no subscriptions")]
pub trait Filters: Pattern {}

/// What a pattern does. Every method but the first four has a refusing default.
pub trait Routing<S: Storage> {
    /// The pipe may be sent to.
    fn on_attach(&mut self, pipes: &mut Pipes<S>, id: PipeId);
    /// The pipe is about to go.
    fn on_detach(&mut self, pipes: &mut Pipes<S>, id: PipeId);
    /// The pipe may have a message.
    fn on_readable(&mut self, _pipes: &mut Pipes<S>, _id: PipeId) {}
    /// The pipe may have room for messages or signals.
    fn on_writable(&mut self, _pipes: &mut Pipes<S>, _id: PipeId) {}
    /// The handshake is over. `Ok(Some(old))`: close `old`, it has been replaced. `Err`: close `id`.
    fn on_ready(&mut self, _pipes: &mut Pipes<S>, _id: PipeId, _identity: S::Key) -> Result<Option<PipeId>, CloseReason> {
        Ok(None)
    }
    fn on_subscribe(&mut self, _id: PipeId, _topic: &[u8]) {}
    fn on_cancel(&mut self, _id: PipeId, _topic: &[u8]) {}
    fn send<F: Payload<S::Body>>(&mut self, _pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
        Err(SendError::new(frame, SendErrorKind::NotSupported))
    }
    fn recv(&mut self, _pipes: &mut Pipes<S>) -> Result<Frame<S::Body>, RecvError> {
        Err(RecvError::NotSupported)
    }
    fn subscribe(&mut self, _pipes: &mut Pipes<S>, _topic: &[u8]) -> Result<(), FilterError> {
        Err(FilterError::NotSupported)
    }
    fn unsubscribe(&mut self, _pipes: &mut Pipes<S>, _topic: &[u8]) -> Result<(), FilterError> {
        Err(FilterError::NotSupported)
    }
}
