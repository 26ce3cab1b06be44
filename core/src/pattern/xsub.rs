//! XSUB: SUB whose subscriptions may be sent as messages, 0x01 or 0x00 and the topic, and which does not filter
//! (RFC 29). Other messages go to all publishers; one without room misses them.
//!
//! A subscription is looked for in the first part of a message, and in the parts after a subscription. A part
//! beginning with 0x00 or 0x01 within another message is data: libzmq takes it out, which tears the message, unless
//! told not to (ZMQ_ONLY_FIRST_SUBSCRIBE).

use super::fan_out::FanOut;
use super::subscriptions::Subscriptions;
use super::{FairQueue, Filters, Pattern, Receives, Routing, Sends};
use crate::body::{Frame, Payload};
use crate::error::{CloseReason, FilterError, RecvError, SendError, SendErrorKind};
use crate::options::Options;
use crate::socket::Pipes;
use crate::storage::{PipeId, PipeSet, Storage};
use crate::wire::SocketType;

/// SUB whose subscriptions are messages (ZMQ_XSUB).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct XSub;

impl Sends for XSub {}
impl Receives for XSub {}
impl Filters for XSub {}

impl Pattern for XSub {
    type State<S: Storage> = XSubState<S>;
    fn socket_type(self) -> SocketType {
        SocketType::XSub
    }
    fn start<S: Storage>(self, _: &Options) -> XSubState<S> {
        XSubState {
            queue: FairQueue::default(),
            topics: Subscriptions::default(),
            fan_out: FanOut::default(),
            attached: S::Set::default(),
            part: Part::First,
        }
    }
}

/// What the next frame sent is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The first of a message.
    First,
    /// One after a subscription.
    Subscription,
    /// One of a message to all publishers.
    Data,
}

/// State of an XSUB socket.
pub struct XSubState<S: Storage> {
    queue: FairQueue<S>,
    topics: Subscriptions<S>,
    fan_out: FanOut<S>,
    attached: S::Set,
    part: Part,
}

impl<S: Storage> XSubState<S> {
    /// Acts on a subscription or cancellation; false when the frame is neither.
    fn change(&mut self, pipes: &mut Pipes<S>, bytes: &[u8]) -> Result<bool, FilterError> {
        match bytes.split_first() {
            Some((1, topic)) => self.topics.add(pipes, topic)?,
            Some((0, topic)) => self.topics.remove(pipes, topic),
            Some(_) | None => return Ok(false),
        }
        Ok(true)
    }
    fn send_subscription<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
        match self.change(pipes, frame.bytes()) {
            Ok(_) => {
                self.part = if frame.more() { Part::Subscription } else { Part::First };
                Ok(())
            }
            Err(_) => Err(SendError::new(frame, SendErrorKind::TooLarge)),
        }
    }
    fn send_data<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
        if !self.fan_out.is_open() {
            self.fan_out.targets().merge(&self.attached);
            self.fan_out.prune(pipes);
        }
        let sent = self.fan_out.send(pipes, frame);
        self.part = if self.fan_out.is_open() { Part::Data } else { Part::First };
        sent
    }
}

impl<S: Storage> Routing<S> for XSubState<S> {
    fn on_attach(&mut self, _: &mut Pipes<S>, id: PipeId) -> Result<(), CloseReason> {
        self.attached.insert(id);
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
    fn on_close(&mut self, pipes: &mut Pipes<S>, id: PipeId) {
        self.topics.forget(id);
        self.attached.remove(id);
        self.fan_out.forget(pipes, id);
    }
    fn on_detach(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.queue.forget(id);
    }
    fn reading(&self) -> Option<PipeId> {
        self.queue.current()
    }
    fn can_send(&mut self, _: &mut Pipes<S>) -> bool {
        true
    }
    #[inline]
    fn can_recv(&mut self, pipes: &mut Pipes<S>) -> bool {
        self.queue.select(pipes).is_some()
    }
    fn send<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
        let subscription = matches!(frame.bytes().first(), Some(0 | 1));
        match self.part {
            Part::First if !subscription => self.send_data(pipes, frame),
            Part::First | Part::Subscription => self.send_subscription(pipes, frame),
            Part::Data => self.send_data(pipes, frame),
        }
    }
    #[inline]
    fn recv(&mut self, pipes: &mut Pipes<S>, into: &mut Frame<S::Body>) -> Result<(), RecvError> {
        self.queue.recv(pipes, into).map(|_| ()).ok_or(RecvError::Again)
    }
    fn subscribe(&mut self, pipes: &mut Pipes<S>, topic: &[u8]) -> Result<(), FilterError> {
        self.topics.add(pipes, topic)
    }
    fn unsubscribe(&mut self, pipes: &mut Pipes<S>, topic: &[u8]) -> Result<(), FilterError> {
        self.topics.remove(pipes, topic);
        Ok(())
    }
}
