//! PUB: every message to each peer that subscribed to a prefix of it and has room (RFC 29).
//! What peers send is thrown away.

use super::publisher::Publisher;
use super::{Pattern, Routing, Sends};
use crate::body::Payload;
use crate::error::{CloseReason, SendError};
use crate::options::Options;
use crate::socket::Pipes;
use crate::storage::{PipeId, Storage};
use crate::wire::SocketType;

/// Fans out to subscribers (ZMQ_PUB).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pub;

impl Sends for Pub {}

impl Pattern for Pub {
    type State<S: Storage> = PubState<S>;
    fn socket_type(self) -> SocketType {
        SocketType::Pub
    }
    fn start<S: Storage>(self, options: &Options) -> PubState<S> {
        PubState { publisher: Publisher::new(options) }
    }
}

/// State of a PUB socket.
pub struct PubState<S: Storage> {
    publisher: Publisher<S>,
}

impl<S: Storage> PubState<S> {
    fn forget(&mut self, id: PipeId) {
        self.publisher.topics.forget(id, |_, _| true);
    }
}

impl<S: Storage> Routing<S> for PubState<S> {
    fn configure(&mut self, options: &Options) {
        self.publisher.configure(options);
    }
    fn on_attach(&mut self, _: &mut Pipes<S>, id: PipeId) -> Result<(), CloseReason> {
        self.publisher.on_attach(id);
        Ok(())
    }
    /// The peer's subscriptions of an earlier connection end here, not when that ended: until now messages could
    /// queue for it.
    fn on_ready(&mut self, _: &mut Pipes<S>, id: PipeId, _: S::Key) -> Result<Option<PipeId>, CloseReason> {
        self.forget(id);
        Ok(None)
    }
    fn on_subscribe(&mut self, _: &mut Pipes<S>, id: PipeId, topic: &[u8]) -> Result<(), CloseReason> {
        self.publisher.topics.add(id, topic).map(|_| ())
    }
    fn on_cancel(&mut self, _: &mut Pipes<S>, id: PipeId, topic: &[u8]) -> Result<(), CloseReason> {
        self.publisher.topics.remove(id, topic);
        Ok(())
    }
    fn on_close(&mut self, pipes: &mut Pipes<S>, id: PipeId) {
        self.publisher.on_close(pipes, id);
        self.forget(id);
    }
    fn on_detach(&mut self, _: &mut Pipes<S>, _: PipeId) {}
    fn can_send(&mut self, _: &mut Pipes<S>) -> bool {
        true
    }
    #[inline]
    fn send<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
        self.publisher.send(pipes, frame)
    }
}
