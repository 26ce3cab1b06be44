//! Patterns: who gets a frame, whose frame comes next. A pattern sees pipe ids and frames.
//!
//! One file per socket type, over five building blocks: [`FairQueue`] (in), [`LoadBalancer`] and `FanOut` (out),
//! `TopicTable` (what peers subscribed to) and `Subscriptions` (what we subscribed to). No pattern stores a message
//! and none counts towards a high-water mark: both are the pipe's business.

mod any;
mod dealer;
mod events;
mod fair_queue;
mod fan_out;
mod load_balancer;
mod pair;
mod publish;
mod publisher;
mod pull;
mod push;
mod rep;
mod req;
mod router;
mod stream;
mod subscribe;
mod subscriptions;
mod topic_table;
mod xpub;
mod xsub;

pub use any::{AnyPattern, AnyState};
pub use dealer::{Dealer, DealerState};
pub use fair_queue::FairQueue;
pub use load_balancer::LoadBalancer;
pub use pair::{Pair, PairState};
pub use publish::{Pub, PubState};
pub use pull::{Pull, PullState};
pub use push::{Push, PushState};
pub use rep::{Rep, RepState};
pub use req::{Req, ReqState};
pub use router::{Router, RouterState};
pub use stream::Stream;
pub use subscribe::{Sub, SubState};
pub use xpub::{XPub, XPubState};
pub use xsub::{XSub, XSubState};

use crate::body::{Frame, Payload};
use crate::error::{CloseReason, FilterError, OptionError, RecvError, SendError, SendErrorKind};
use crate::options::Options;
use crate::pipe::PipeWriter;
use crate::socket::Pipes;
use crate::storage::{PipeId, Storage};
use crate::wire::SocketType;

/// Names a pattern in a type: `Socket<Pub, Fixed<4, 8, 64>>`. The state it needs depends on the storage.
pub trait Pattern: Copy {
    /// What a socket of this pattern keeps.
    type State<S: Storage>: Routing<S>;
    /// What it announces to peers.
    fn socket_type(self) -> SocketType;
    /// The state of a socket without pipes.
    fn start<S: Storage>(self, options: &Options) -> Self::State<S>;
}

/// Patterns that can send.
///
/// ```compile_fail,E0277
/// use omnimq_core::{Fixed, Options, Piece, Pull, Socket};
/// let mut socket = Socket::<Pull, Fixed<1, 1, 64>>::new(Pull, &Options::default());
/// let _ = socket.send(Piece { bytes: b"", more: false }); // Pull sockets cannot send
/// ```
#[diagnostic::on_unimplemented(message = "{Self} sockets cannot send")]
pub trait Sends: Pattern {}

/// Patterns that can receive.
///
/// ```compile_fail,E0277
/// use omnimq_core::{Fixed, Options, Pub, Socket};
/// let mut socket = Socket::<Pub, Fixed<1, 1, 64>>::new(Pub, &Options::default());
/// let _ = socket.recv(); // Pub sockets cannot receive
/// ```
#[diagnostic::on_unimplemented(message = "{Self} sockets cannot receive")]
pub trait Receives: Pattern {}

/// Patterns with subscriptions.
///
/// ```compile_fail,E0277
/// use omnimq_core::{Fixed, Options, Push, Socket};
/// let mut socket = Socket::<Push, Fixed<1, 1, 64>>::new(Push, &Options::default());
/// let _ = socket.subscribe(b""); // Push sockets have no subscriptions
/// ```
#[diagnostic::on_unimplemented(message = "{Self} sockets have no subscriptions")]
pub trait Filters: Pattern {}

/// What a pattern does. The socket calls `on_*` when something has happened to a pipe, the rest for the application.
///
/// A pipe is attached, then any number of times ready, readable and writable, then closed (nothing more goes out), then
/// detached (nothing more comes in). Closing and detaching may come for pipes that were never attached.
pub trait Routing<S: Storage> {
    /// Options have changed.
    fn configure(&mut self, _options: &Options) {}
    /// The pipe may be sent to.
    ///
    /// # Errors
    /// It is not wanted: close it for this reason.
    fn on_attach(&mut self, pipes: &mut Pipes<S>, id: PipeId) -> Result<(), CloseReason>;
    /// A handshake on this pipe is over; the peer announced this routing id. It knows nothing of earlier ones.
    /// `Some(old)`: `old` has been replaced, close it.
    ///
    /// # Errors
    /// The peer is not wanted: close the pipe for this reason.
    fn on_ready(&mut self, _pipes: &mut Pipes<S>, _id: PipeId, _identity: S::Key) -> Result<Option<PipeId>, CloseReason> {
        Ok(None)
    }
    /// The pipe may have a message. A pattern that does not receive throws it away.
    fn on_readable(&mut self, pipes: &mut Pipes<S>, id: PipeId) {
        pipes.discard(id);
    }
    /// The pipe may have room for messages or signals.
    fn on_writable(&mut self, _pipes: &mut Pipes<S>, _id: PipeId) {}
    /// Whether [`on_ready`](Self::on_ready) can be called for this pipe. If not, its signals wait in their lane until
    /// the pattern calls [`Pipes::on_signal_room`].
    fn takes_ready(&mut self, _pipes: &mut Pipes<S>, _id: PipeId) -> bool {
        true
    }
    /// Whether a subscription or cancellation can be taken; as [`takes_ready`](Self::takes_ready).
    fn takes_topic(&self) -> bool {
        true
    }
    /// The peer wants a topic.
    ///
    /// # Errors
    /// It wants too much: close the pipe for this reason.
    fn on_subscribe(&mut self, _pipes: &mut Pipes<S>, _id: PipeId, _topic: &[u8]) -> Result<(), CloseReason> {
        Ok(())
    }
    /// The peer no longer wants a topic.
    ///
    /// # Errors
    /// It cancels more than can be shown: close the pipe for this reason.
    fn on_cancel(&mut self, _pipes: &mut Pipes<S>, _id: PipeId, _topic: &[u8]) -> Result<(), CloseReason> {
        Ok(())
    }
    /// Nothing more can be sent to the pipe. What has arrived from it may be read on.
    fn on_close(&mut self, pipes: &mut Pipes<S>, id: PipeId);
    /// Nothing more is to be read from the pipe either: forget it.
    fn on_detach(&mut self, pipes: &mut Pipes<S>, id: PipeId);
    /// The pipe whose message the application has begun to receive.
    fn reading(&self) -> Option<PipeId> {
        None
    }
    /// Whether something besides messages is still owed to the application because of a closed pipe.
    /// When it is done the pattern calls [`Pipes::on_read`].
    fn holds(&self, _id: PipeId) -> bool {
        false
    }
    /// Whether `send` would take a frame.
    fn can_send(&mut self, _pipes: &mut Pipes<S>) -> bool {
        false
    }
    /// Whether `recv` would give a frame.
    fn can_recv(&mut self, _pipes: &mut Pipes<S>) -> bool {
        false
    }
    /// Sends one frame.
    ///
    /// # Errors
    /// The frame comes back with the reason.
    fn send<F: Payload<S::Body>>(&mut self, _pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>>
    where
        Self: Sized,
    {
        Err(SendError::new(frame, SendErrorKind::NotSupported))
    }
    /// Receives one frame into `into`.
    ///
    /// # Errors
    /// Why there is none.
    fn recv(&mut self, _pipes: &mut Pipes<S>, _into: &mut Frame<S::Body>) -> Result<(), RecvError> {
        Err(RecvError::NotSupported)
    }
    /// Asks for a topic.
    ///
    /// # Errors
    /// Why it was refused.
    fn subscribe(&mut self, _pipes: &mut Pipes<S>, _topic: &[u8]) -> Result<(), FilterError> {
        Err(FilterError::NotSupported)
    }
    /// Takes one `subscribe` back.
    ///
    /// # Errors
    /// Why it was refused.
    fn unsubscribe(&mut self, _pipes: &mut Pipes<S>, _topic: &[u8]) -> Result<(), FilterError> {
        Err(FilterError::NotSupported)
    }
    /// Names the next connecting pipe.
    ///
    /// # Errors
    /// Why it was refused.
    fn connect_routing_id(&mut self, _id: &[u8]) -> Result<(), OptionError> {
        Err(OptionError::NotSupported)
    }
    /// Sets what each new pipe begins with.
    ///
    /// # Errors
    /// Why it was refused.
    fn welcome(&mut self, _message: Option<S::Body>) -> Result<(), OptionError> {
        Err(OptionError::NotSupported)
    }
}

/// ZMQ_PROBE_ROUTER: one empty message, so that a ROUTER learns of the pipe.
fn probe<S: Storage>(pipes: &mut Pipes<S>, id: PipeId) {
    let Some(tx) = pipes.writer(id) else { return };
    let frame = Frame { body: S::Body::default(), more: false };
    if tx.write(frame).is_ok() {
        tx.flush();
    }
}
