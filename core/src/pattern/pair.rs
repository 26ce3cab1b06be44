//! PAIR: one peer, both ways (RFC 31).
//!
//! A second pipe is refused while the first lives. What a dead peer left unread is read before its successor's
//! messages; two dead peers' messages are kept apart by refusing a third until the first has been read.

use super::{LoadBalancer, Pattern, Receives, Routing, Sends};
use crate::body::{Frame, Payload};
use crate::error::{CloseReason, RecvError, SendError};
use crate::options::Options;
use crate::pipe::PipeReader;
use crate::socket::Pipes;
use crate::storage::{PipeId, Storage};
use crate::wire::SocketType;

/// One peer, both ways (ZMQ_PAIR).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pair;

impl Sends for Pair {}
impl Receives for Pair {}

impl Pattern for Pair {
    type State<S: Storage> = PairState<S>;
    fn socket_type(self) -> SocketType {
        SocketType::Pair
    }
    fn start<S: Storage>(self, _: &Options) -> PairState<S> {
        PairState { out: LoadBalancer::default(), peer: None, former: None, half: None }
    }
}

/// State of a PAIR socket.
pub struct PairState<S: Storage> {
    /// A ring of one: the peer while it lives.
    out: LoadBalancer<S>,
    peer: Option<PipeId>,
    /// The peer before, while it has unread messages.
    former: Option<PipeId>,
    /// Whose message is half read.
    half: Option<PipeId>,
}

impl<S: Storage> PairState<S> {
    /// The pipe to read from.
    fn select(&self, pipes: &mut Pipes<S>) -> Option<PipeId> {
        let mut has_message = |id: &PipeId| pipes.reader(*id).is_some_and(|rx| rx.front().is_some());
        self.half.or_else(|| self.former.filter(&mut has_message)).or_else(|| self.peer.filter(&mut has_message))
    }
}

impl<S: Storage> Routing<S> for PairState<S> {
    fn on_attach(&mut self, _: &mut Pipes<S>, id: PipeId) -> Result<(), CloseReason> {
        if self.peer.is_some_and(|peer| peer != id) {
            return Err(CloseReason::Unwanted);
        }
        self.peer = Some(id);
        self.out.activate(id);
        Ok(())
    }
    fn on_readable(&mut self, _: &mut Pipes<S>, _: PipeId) {}
    #[inline]
    fn on_writable(&mut self, _: &mut Pipes<S>, id: PipeId) {
        if self.peer == Some(id) {
            self.out.activate(id);
        }
    }
    fn on_close(&mut self, _: &mut Pipes<S>, id: PipeId) {
        if self.peer == Some(id) {
            self.out.forget(id);
            if self.former.is_none_or(|former| former == id) {
                self.former = self.peer.take();
            }
        }
    }
    fn on_detach(&mut self, pipes: &mut Pipes<S>, id: PipeId) {
        self.half = self.half.filter(|half| *half != id);
        if self.peer == Some(id) {
            self.peer = None;
        }
        if self.former == Some(id) {
            self.former = None;
            if self.peer.is_some_and(|peer| !pipes.is_open(peer)) {
                self.former = self.peer.take();
            }
        }
    }
    fn reading(&self) -> Option<PipeId> {
        self.half
    }
    #[inline]
    fn can_send(&mut self, pipes: &mut Pipes<S>) -> bool {
        self.out.can_send(pipes)
    }
    #[inline]
    fn can_recv(&mut self, pipes: &mut Pipes<S>) -> bool {
        self.select(pipes).is_some()
    }
    #[inline]
    fn send<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
        self.out.send(pipes, frame)
    }
    #[inline]
    fn recv(&mut self, pipes: &mut Pipes<S>, into: &mut Frame<S::Body>) -> Result<(), RecvError> {
        let id = self.select(pipes).ok_or(RecvError::Again)?;
        if !pipes.reader(id).is_some_and(|rx| rx.read_into(into)) {
            return Err(RecvError::Again);
        }
        self.half = into.more.then_some(id);
        if !into.more {
            pipes.on_read(id);
        }
        Ok(())
    }
}
