//! PUB: every message to each pipe with a matching subscription and room (RFC 29).

use super::{Pattern, Routing, Sends};
use crate::body::Payload;
use crate::error::SendError;
use crate::options::Options;
use crate::pipe::PipeWriter;
use crate::socket::Pipes;
use crate::storage::{Map, PipeId, PipeSet, Storage, Topics};
use crate::wire::SocketType;

#[derive(Clone, Copy, Default)]
pub struct Pub;

impl Sends for Pub {}

impl Pattern for Pub {
    type State<S: Storage> = PubState<S>;
    fn socket_type(self) -> SocketType {
        SocketType::Pub
    }
    fn start<S: Storage>(self, _: &Options) -> PubState<S> {
        PubState { topics: S::Topics::default(), everything: S::Set::default(), targets: S::Set::default(), open: false }
    }
}

pub struct PubState<S: Storage> {
    topics: S::Topics<S::Set>,
    /// Pipes whose topics did not fit: they get all messages and filter for themselves.
    everything: S::Set,
    /// Who gets the message being sent.
    targets: S::Set,
    open: bool,
}

impl<S: Storage> PubState<S> {
    fn aim(&mut self, pipes: &mut Pipes<S>, topic: &[u8]) {
        let (topics, targets) = (&self.topics, &mut self.targets);
        targets.clear();
        targets.merge(&self.everything);
        topics.prefixes(topic, |set| targets.merge(set));
        let mut at = PipeId(0);
        while let Some(id) = targets.at_or_after(at) {
            if !pipes.writable(id) {
                targets.remove(id);
            }
            at = id.next();
        }
    }
}

impl<S: Storage> Routing<S> for PubState<S> {
    fn on_attach(&mut self, _: &mut Pipes<S>, _: PipeId) {}
    fn on_detach(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.everything.remove(id);
        self.targets.remove(id);
        self.topics.retain(|_, set| {
            set.remove(id);
            !set.is_empty()
        });
    }
    fn on_subscribe(&mut self, id: PipeId, topic: &[u8]) {
        self.topics.entry(topic).unwrap_or(&mut self.everything).insert(id);
    }
    fn on_cancel(&mut self, id: PipeId, topic: &[u8]) {
        self.topics.retain(|key, set| {
            if key == topic {
                set.remove(id);
            }
            !set.is_empty()
        });
    }
    fn send<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
        if !self.open {
            self.aim(pipes, frame.bytes());
        }
        self.open = frame.more();
        let mut at = PipeId(0);
        while let Some(id) = self.targets.at_or_after(at) {
            at = id.next();
            let Some(tx) = pipes.writer(id) else { continue };
            if frame.share(tx).is_err() {
                tx.rollback();
                self.targets.remove(id);
            } else if !frame.more() {
                tx.flush();
            }
        }
        Ok(())
    }
}
