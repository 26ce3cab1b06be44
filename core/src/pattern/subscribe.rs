//! SUB: fair queue with a local prefix filter; tells each publisher its topics (RFC 29).

use super::subscriptions::Subscriptions;
use super::{FairQueue, Filters, Pattern, Receives, Routing};
use crate::body::{Frame, Sink};
use crate::error::{CloseReason, FilterError, RecvError};
use crate::options::Options;
use crate::pipe::PipeReader;
use crate::socket::Pipes;
use crate::storage::{PipeId, Storage};
use crate::wire::SocketType;

/// Receives what it subscribed to (ZMQ_SUB).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sub;

impl Receives for Sub {}
impl Filters for Sub {}

impl Pattern for Sub {
    type State<S: Storage> = SubState<S>;
    fn socket_type(self) -> SocketType {
        SocketType::Sub
    }
    fn start<S: Storage>(self, options: &Options) -> SubState<S> {
        SubState {
            queue: FairQueue::default(),
            topics: Subscriptions::default(),
            wanted: false,
            invert: options.invert_matching,
        }
    }
}

/// State of a SUB socket.
pub struct SubState<S: Storage> {
    queue: FairQueue<S>,
    topics: Subscriptions<S>,
    /// The queue stands at or in a message that has passed the filter.
    wanted: bool,
    invert: bool,
}

impl<S: Storage> SubState<S> {
    /// Skips to a message that passes the filter.
    #[inline]
    fn find(&mut self, pipes: &mut Pipes<S>) -> bool {
        while !self.wanted {
            let Some(rx) = self.queue.begin(pipes).and_then(|id| pipes.reader(id)) else { return false };
            let mut filter = Filter { topics: &self.topics, matches: false };
            rx.lend(0, &mut filter);
            self.wanted = filter.matches != self.invert;
            if !self.wanted {
                self.queue.skip_rest(pipes);
            }
        }
        true
    }
}

/// Looks at the first frame of a message where it lies.
struct Filter<'a, S: Storage> {
    topics: &'a Subscriptions<S>,
    matches: bool,
}

impl<S: Storage> Sink<S::Body> for Filter<'_, S> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) -> usize {
        self.matches = self.topics.matches(bytes);
        bytes.len()
    }
}

impl<S: Storage> Routing<S> for SubState<S> {
    fn configure(&mut self, options: &Options) {
        self.invert = options.invert_matching;
    }
    fn on_attach(&mut self, _: &mut Pipes<S>, _: PipeId) -> Result<(), CloseReason> {
        Ok(())
    }
    fn on_ready(&mut self, pipes: &mut Pipes<S>, id: PipeId, _: S::Key) -> Result<Option<PipeId>, CloseReason> {
        self.topics.on_ready(pipes, id);
        Ok(None)
    }
    #[inline]
    fn on_readable(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.queue.activate(id);
    }
    #[inline]
    fn on_writable(&mut self, pipes: &mut Pipes<S>, id: PipeId) {
        self.topics.on_writable(pipes, id);
    }
    fn on_close(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.topics.forget(id);
    }
    fn on_detach(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.queue.forget(id);
    }
    fn reading(&self) -> Option<PipeId> {
        self.queue.current()
    }
    fn can_recv(&mut self, pipes: &mut Pipes<S>) -> bool {
        self.find(pipes)
    }
    #[inline]
    fn recv(&mut self, pipes: &mut Pipes<S>, into: &mut Frame<S::Body>) -> Result<(), RecvError> {
        if !self.find(pipes) {
            return Err(RecvError::Again);
        }
        self.queue.recv(pipes, into).ok_or(RecvError::Again)?;
        self.wanted = into.more;
        Ok(())
    }
    fn subscribe(&mut self, pipes: &mut Pipes<S>, topic: &[u8]) -> Result<(), FilterError> {
        self.topics.add(pipes, topic)
    }
    fn unsubscribe(&mut self, pipes: &mut Pipes<S>, topic: &[u8]) -> Result<(), FilterError> {
        self.topics.remove(pipes, topic);
        Ok(())
    }
}
