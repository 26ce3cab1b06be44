//! SUB and XSUB: what was subscribed to, from every publisher in turn (RFC 29).

use super::publish::FanOut;
use crate::model::{Part, Rules};
use crate::peers::Peers;
use crate::step::{Octets, Seen};
use omnimq_core::{FilterError, Options, RecvError, SendErrorKind};
use std::collections::{BTreeMap, BTreeSet};

/// How often each topic was asked for.
#[derive(Default)]
struct Topics(BTreeMap<Octets, u32>);

impl Topics {
    fn add(&mut self, topic: &[u8]) {
        *self.0.entry(topic.to_vec()).or_default() += 1;
    }
    fn remove(&mut self, topic: &[u8]) {
        if let Some(count) = self.0.get_mut(topic) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(topic);
            }
        }
    }
    fn matches(&self, text: &[u8]) -> bool {
        self.0.keys().any(|topic| text.starts_with(topic))
    }
    fn set(&self) -> BTreeSet<Octets> {
        self.0.keys().cloned().collect()
    }
}

pub(crate) struct Sub {
    topics: Topics,
    /// The message at hand has passed the filter.
    wanted: bool,
    invert: bool,
}

impl Sub {
    pub(crate) fn new(options: &Options) -> Self {
        Self { topics: Topics::default(), wanted: false, invert: options.invert_matching }
    }
    /// Drops messages up to one that is wanted.
    fn find(&mut self, peers: &mut Peers) -> bool {
        while !self.wanted {
            let Some(id) = peers.next_message() else { return false };
            let text = peers.all[&id].inbox.front().and_then(|message| message.front());
            self.wanted = text.is_some_and(|text| self.topics.matches(text) != self.invert);
            if self.wanted {
                peers.reading = Some(id);
            } else {
                peers.skip(id);
            }
        }
        true
    }
}

impl Rules for Sub {
    fn configure(&mut self, options: &Options) {
        self.invert = options.invert_matching;
    }
    fn topics(&self) -> BTreeSet<Octets> {
        self.topics.set()
    }
    fn recv(&mut self, peers: &mut Peers, _: &Seen) -> Result<Part, RecvError> {
        if !self.find(peers) {
            return Err(RecvError::Again);
        }
        let part = peers.recv()?;
        self.wanted = part.1;
        Ok(part)
    }
    fn can_recv(&mut self, peers: &mut Peers) -> bool {
        self.find(peers)
    }
    fn subscribe(&mut self, _: &mut Peers, topic: &[u8]) -> Result<(), FilterError> {
        self.topics.add(topic);
        Ok(())
    }
    fn unsubscribe(&mut self, _: &mut Peers, topic: &[u8]) -> Result<(), FilterError> {
        self.topics.remove(topic);
        Ok(())
    }
}

/// What the message being sent began with.
#[derive(Clone, Copy, Default, PartialEq)]
enum Begun {
    #[default]
    Nothing,
    Subscription,
    Data,
}

#[derive(Default)]
pub(crate) struct XSub {
    topics: Topics,
    fan_out: FanOut,
    begun: Begun,
}

impl Rules for XSub {
    fn topics(&self) -> BTreeSet<Octets> {
        self.topics.set()
    }
    fn closed(&mut self, peers: &mut Peers, id: u32) {
        self.fan_out.forget(peers, id);
    }
    fn send(&mut self, peers: &mut Peers, part: &[u8], more: bool) -> Result<(), SendErrorKind> {
        if self.begun == Begun::Nothing {
            self.begun = if matches!(part, [0 | 1, ..]) { Begun::Subscription } else { Begun::Data };
        }
        match (self.begun, part) {
            (Begun::Subscription, [1, topic @ ..]) => self.topics.add(topic),
            (Begun::Subscription, [0, topic @ ..]) => self.topics.remove(topic),
            (Begun::Subscription, _) => {}
            _ => {
                if !self.fan_out.is_begun() {
                    let open = peers.all.iter().filter(|(_, peer)| peer.is_open()).map(|(id, _)| *id).collect();
                    self.fan_out.begin(peers, open);
                }
                self.fan_out.send(peers, part, more);
            }
        }
        if !more {
            self.begun = Begun::Nothing;
        }
        Ok(())
    }
    fn recv(&mut self, peers: &mut Peers, _: &Seen) -> Result<Part, RecvError> {
        peers.recv()
    }
    fn can_send(&mut self, _: &mut Peers) -> bool {
        true
    }
    fn can_recv(&mut self, peers: &mut Peers) -> bool {
        peers.next_message().is_some()
    }
    fn subscribe(&mut self, _: &mut Peers, topic: &[u8]) -> Result<(), FilterError> {
        self.topics.add(topic);
        Ok(())
    }
    fn unsubscribe(&mut self, _: &mut Peers, topic: &[u8]) -> Result<(), FilterError> {
        self.topics.remove(topic);
        Ok(())
    }
}
