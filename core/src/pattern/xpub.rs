//! XPUB: PUB that shows subscriptions to the application (RFC 29).
//!
//! A subscription is received as 0x01 and the topic, a cancellation as 0x00 and the topic, a message of an XSUB as it
//! is. Events wait in a queue of their own; when it is full the signals of the peers wait in their lanes, and a peer
//! that has gone keeps its place until its cancellations have been shown: none is lost. A peer whose waiting events come
//! to more octets than allowed is closed.
//! A peer whose topics do not fit into the storage counts as subscribed to everything, and is shown as that.
//! With `manual` the topics that peers ask for are only shown and remembered; the application applies them.

use super::events::{Asker, Events};
use super::publisher::Publisher;
use super::topic_table::{Added, Removed, TopicTable};
use super::{FairQueue, Filters, Pattern, Receives, Routing, Sends};
use crate::body::{Body, Draft, Frame, Payload};
use crate::error::{CloseReason, FilterError, Limit, OptionError, RecvError, SendError};
use crate::options::{Options, Verbosity};
use crate::pipe::PipeWriter;
use crate::socket::Pipes;
use crate::storage::{PipeId, PipeSet, Storage, Table};
use crate::wire::SocketType;

/// PUB that shows subscriptions (ZMQ_XPUB).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct XPub;

impl Sends for XPub {}
impl Receives for XPub {}
impl Filters for XPub {}

impl Pattern for XPub {
    type State<S: Storage> = XPubState<S>;
    fn socket_type(self) -> SocketType {
        SocketType::XPub
    }
    fn start<S: Storage>(self, options: &Options) -> XPubState<S> {
        XPubState {
            publisher: Publisher::new(options),
            asked: TopicTable::new(&options.limits),
            queue: FairQueue::default(),
            events: Events::new(&options.limits),
            leaving: S::Set::default(),
            stamps: S::Table::default(),
            next_stamp: 0,
            last: None,
            welcome: None,
            verbosity: options.verbosity,
            manual: options.manual,
        }
    }
}

/// State of an XPUB socket.
pub struct XPubState<S: Storage> {
    publisher: Publisher<S>,
    /// With `manual`, what peers asked for.
    asked: TopicTable<S>,
    queue: FairQueue<S>,
    events: Events<S>,
    /// Pipes whose subscriptions have ended, not all of which could be shown yet.
    leaving: S::Set,
    /// Which of the pipes that had an id has it.
    stamps: S::Table<u32>,
    next_stamp: u32,
    /// Who sent the event received last.
    last: Option<Asker>,
    welcome: Option<S::Body>,
    verbosity: Verbosity,
    manual: bool,
}

impl<S: Storage> XPubState<S> {
    fn asker(&self, id: PipeId) -> Option<Asker> {
        Some((id, *self.stamps.get(id)?))
    }
    /// The peer that `subscribe` and `unsubscribe` are about.
    fn last_asker(&self) -> Result<Option<PipeId>, FilterError> {
        if !self.manual {
            return Err(FilterError::NotSupported);
        }
        Ok(self.last.filter(|last| self.asker(last.0) == Some(*last)).map(|last| last.0))
    }
    /// Ends the subscriptions of `id`: at once as far as messages are concerned with `manual`, and otherwise as soon
    /// as that can be shown.
    fn end(&mut self, pipes: &mut Pipes<S>, id: PipeId) {
        if self.manual {
            self.publisher.topics.forget(id, |_, _| true);
        }
        if self.asked.has_any(id) || self.publisher.topics.has_any(id) {
            self.leaving.insert(id);
            self.show_leaving(pipes);
        }
    }
    /// Shows what subscriptions have ended, as far as there is room.
    fn show_leaving(&mut self, pipes: &mut Pipes<S>) {
        let events = &mut self.events;
        let each = self.manual || self.verbosity == Verbosity::All;
        while let Some(id) = self.leaving.at_or_after(PipeId(0)) {
            let mut show = |topic: &[u8], last: bool| {
                let shown = last || each;
                if shown && !events.has_room() {
                    return false;
                }
                // Of those that have gone none is closed for it.
                !shown || events.push(false, topic, None).is_ok()
            };
            if !self.asked.forget(id, &mut show) || !self.publisher.topics.forget(id, &mut show) {
                return;
            }
            self.leaving.remove(id);
            pipes.on_read(id);
            pipes.on_signal_room();
        }
    }
    /// The next event as a frame. A topic that no frame of this storage can hold is passed over.
    fn recv_event(&mut self, pipes: &mut Pipes<S>) -> Option<Frame<S::Body>> {
        loop {
            let stamps = &self.stamps;
            let event =
                self.events.pop(|asker| stamps.get(asker.0).is_some_and(|stamp| *stamp == asker.1).then_some(asker))?;
            self.last = event.asker;
            if self.events.is_empty() {
                self.show_leaving(pipes);
            }
            pipes.on_signal_room();
            match image::<S::Body>(event.subscribe, event.topic.as_ref()) {
                Some(body) => return Some(Frame { body, more: false }),
                None => pipes.count_drop(),
            }
        }
    }
}

/// An event as the application sees it.
fn image<B: Body>(subscribe: bool, topic: &[u8]) -> Option<B> {
    let mut draft = B::Draft::with_len(topic.len().checked_add(1)?)?;
    for mut from in [&[u8::from(subscribe)], topic] {
        while !from.is_empty() {
            let space = draft.space();
            let (now, rest) = from.split_at_checked(space.len()).unwrap_or((from, &[]));
            if now.is_empty() {
                return None;
            }
            for (to, from) in space.iter_mut().zip(now) {
                *to = *from;
            }
            draft.advance(now.len());
            from = rest;
        }
    }
    Some(draft.freeze(0))
}

impl<S: Storage> Routing<S> for XPubState<S> {
    fn configure(&mut self, options: &Options) {
        self.publisher.configure(options);
        self.asked.configure(&options.limits);
        self.events.configure(&options.limits);
        (self.verbosity, self.manual) = (options.verbosity, options.manual);
    }
    fn on_attach(&mut self, pipes: &mut Pipes<S>, id: PipeId) -> Result<(), CloseReason> {
        self.publisher.on_attach(id);
        // Every pipe has a place in every table.
        let _ = self.stamps.put(id, self.next_stamp);
        self.next_stamp = self.next_stamp.wrapping_add(1);
        if let (Some(body), Some(tx)) = (&self.welcome, pipes.writer(id))
            && tx.write_shared(&Frame { body: body.clone(), more: false }).is_ok()
        {
            tx.flush();
        }
        Ok(())
    }
    /// The subscriptions of an earlier connection end before a new one begins.
    fn takes_ready(&mut self, pipes: &mut Pipes<S>, id: PipeId) -> bool {
        self.end(pipes, id);
        !self.leaving.contains(id)
    }
    fn takes_topic(&self) -> bool {
        self.events.has_room()
    }
    #[inline]
    fn on_readable(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.queue.activate(id);
    }
    fn on_subscribe(&mut self, _: &mut Pipes<S>, id: PipeId, topic: &[u8]) -> Result<(), CloseReason> {
        if self.manual {
            self.asked.add_exactly(id, topic)?.ok_or(CloseReason::Limit(Limit::Topics))?;
            return self.events.push(true, topic, self.asker(id));
        }
        let every = self.verbosity != Verbosity::Changes;
        match self.publisher.topics.add(id, topic)? {
            Added::Everything { first: true } => self.events.push(true, b"", self.asker(id)),
            Added::First => self.events.push(true, topic, self.asker(id)),
            Added::Further if every => self.events.push(true, topic, self.asker(id)),
            Added::Further | Added::Everything { first: false } => Ok(()),
        }
    }
    fn on_cancel(&mut self, _: &mut Pipes<S>, id: PipeId, topic: &[u8]) -> Result<(), CloseReason> {
        let shown = if self.manual {
            self.asked.remove(id, topic);
            true
        } else {
            match self.publisher.topics.remove(id, topic) {
                Removed::Last => true,
                Removed::Further => self.verbosity == Verbosity::All,
                Removed::Unknown => self.verbosity == Verbosity::All && !self.publisher.topics.overflows(id),
            }
        };
        if shown { self.events.push(false, topic, self.asker(id)) } else { Ok(()) }
    }
    fn on_close(&mut self, pipes: &mut Pipes<S>, id: PipeId) {
        self.publisher.on_close(pipes, id);
        self.stamps.take(id);
        self.events.forget(id);
        self.end(pipes, id);
    }
    fn on_detach(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.queue.forget(id);
    }
    fn reading(&self) -> Option<PipeId> {
        self.queue.current()
    }
    fn holds(&self, id: PipeId) -> bool {
        self.leaving.contains(id)
    }
    fn can_send(&mut self, _: &mut Pipes<S>) -> bool {
        true
    }
    fn can_recv(&mut self, pipes: &mut Pipes<S>) -> bool {
        !self.events.is_empty() || self.queue.select(pipes).is_some()
    }
    #[inline]
    fn send<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
        self.publisher.send(pipes, frame)
    }
    fn recv(&mut self, pipes: &mut Pipes<S>, into: &mut Frame<S::Body>) -> Result<(), RecvError> {
        if self.queue.current().is_none()
            && let Some(frame) = self.recv_event(pipes)
        {
            *into = frame;
            return Ok(());
        }
        self.queue.recv(pipes, into).map(|_| ()).ok_or(RecvError::Again)
    }
    fn subscribe(&mut self, _: &mut Pipes<S>, topic: &[u8]) -> Result<(), FilterError> {
        let Some(id) = self.last_asker()? else { return Ok(()) };
        match self.publisher.topics.add_exactly(id, topic) {
            Ok(Some(_)) => Ok(()),
            Ok(None) | Err(_) => Err(FilterError::NoRoom),
        }
    }
    fn unsubscribe(&mut self, _: &mut Pipes<S>, topic: &[u8]) -> Result<(), FilterError> {
        if let Some(id) = self.last_asker()? {
            self.publisher.topics.remove(id, topic);
        }
        Ok(())
    }
    fn welcome(&mut self, message: Option<S::Body>) -> Result<(), OptionError> {
        self.welcome = message;
        Ok(())
    }
}
