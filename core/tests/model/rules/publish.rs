//! PUB and XPUB: each message to every peer that wants it and has room (RFC 29).

use crate::model::{Part, Rules};
use crate::peers::{Peers, Target};
use crate::step::{Octets, Seen};
use omnimq_core::{CloseReason, FilterError, OptionError, Options, RecvError, SendErrorKind, Verbosity};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Who gets the message being sent.
#[derive(Default)]
pub(crate) struct FanOut(Option<Vec<Target>>);

impl FanOut {
    pub(crate) fn is_begun(&self) -> bool {
        self.0.is_some()
    }
    /// Begins a message for those who want it; who has no room misses it.
    pub(crate) fn begin(&mut self, peers: &mut Peers, wanting: Vec<u32>) {
        let (takers, full): (Vec<u32>, Vec<u32>) = wanting.into_iter().partition(|id| peers.takes(*id));
        peers.dropped += full.len() as u64;
        self.0 = Some(takers.into_iter().filter_map(|id| peers.target(id)).collect());
    }
    pub(crate) fn send(&mut self, peers: &mut Peers, part: &[u8], more: bool) {
        let targets = self.0.take().unwrap_or_default();
        peers.write(&targets, part, more);
        self.0 = more.then_some(targets);
    }
    /// Who closes in the middle of a message misses it.
    pub(crate) fn forget(&mut self, peers: &mut Peers, id: u32) {
        if let Some(targets) = &mut self.0 {
            let before = targets.len();
            targets.retain(|target| target.id != id);
            peers.dropped += (before - targets.len()) as u64;
        }
    }
}

type Wants = BTreeMap<u32, BTreeSet<Octets>>;

pub(crate) struct Pub {
    wants: Wants,
    fan_out: FanOut,
    nodrop: bool,
    invert: bool,
}

impl Pub {
    pub(crate) fn new(options: &Options) -> Self {
        let (wants, fan_out) = (Wants::new(), FanOut::default());
        Self { wants, fan_out, nodrop: options.nodrop, invert: options.invert_matching }
    }
    fn wants(&self, id: u32, text: &[u8]) -> bool {
        let matches = self.wants.get(&id).is_some_and(|topics| topics.iter().any(|topic| text.starts_with(topic)));
        matches != self.invert
    }
}

impl Rules for Pub {
    fn configure(&mut self, options: &Options) {
        (self.nodrop, self.invert) = (options.nodrop, options.invert_matching);
    }
    fn discards(&self) -> bool {
        true
    }
    fn ready(&mut self, _: &mut Peers, id: u32, _: &[u8]) -> Result<Option<u32>, CloseReason> {
        self.wants.remove(&id);
        Ok(None)
    }
    fn closed(&mut self, peers: &mut Peers, id: u32) {
        self.fan_out.forget(peers, id);
        self.wants.remove(&id);
    }
    fn want(&mut self, _: &mut Peers, id: u32, topic: &[u8]) {
        self.wants.entry(id).or_default().insert(topic.to_vec());
    }
    fn unwant(&mut self, _: &mut Peers, id: u32, topic: &[u8]) {
        self.wants.entry(id).or_default().remove(topic);
    }
    fn send(&mut self, peers: &mut Peers, part: &[u8], more: bool) -> Result<(), SendErrorKind> {
        if !self.fan_out.is_begun() {
            let open = peers.all.iter().filter(|(_, peer)| peer.is_open()).map(|(id, _)| *id);
            let wanting: Vec<u32> = open.filter(|id| self.wants(*id, part)).collect();
            if self.nodrop && !wanting.iter().all(|id| peers.takes(*id)) {
                return Err(SendErrorKind::Again);
            }
            self.fan_out.begin(peers, wanting);
        }
        self.fan_out.send(peers, part, more);
        Ok(())
    }
    fn can_send(&mut self, _: &mut Peers) -> bool {
        true
    }
}

/// Subscriptions to be shown.
enum Event {
    /// One, and who asked.
    One(Octets, Option<Target>),
    /// Cancellations of one peer that went, in any order.
    End(BTreeSet<Octets>),
}

pub(crate) struct XPub {
    base: Pub,
    /// With `manual`, what peers asked for; `base` has what they were given.
    asked: Wants,
    events: VecDeque<Event>,
    /// Who asked last.
    last: Option<Target>,
    unordered: bool,
    welcome: Octets,
    manual: bool,
    verbosity: Verbosity,
}

impl XPub {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            base: Pub::new(options),
            asked: Wants::new(),
            events: VecDeque::new(),
            last: None,
            unordered: false,
            welcome: Octets::new(),
            manual: options.manual,
            verbosity: options.verbosity,
        }
    }
    /// What peers have asked for.
    fn asks(&mut self) -> &mut Wants {
        if self.manual { &mut self.asked } else { &mut self.base.wants }
    }
    /// How many peers have asked for a topic.
    fn askers(&mut self, topic: &[u8]) -> usize {
        self.asks().values().filter(|topics| topics.contains(topic)).count()
    }
    fn show(&mut self, first: u8, topic: &[u8], asker: Option<Target>) {
        self.events.push_back(Event::One([&[first], topic].concat(), asker));
    }
    /// The peer's subscriptions end, and that is shown.
    fn end(&mut self, id: u32) {
        let ended = self.asks().remove(&id).unwrap_or_default();
        self.base.wants.remove(&id);
        let each = self.manual || self.verbosity == Verbosity::All;
        let shown = ended.into_iter().filter(|topic| each || self.askers(topic) == 0);
        let shown: BTreeSet<Octets> = shown.collect::<Vec<_>>().iter().map(|topic| [&[0], &topic[..]].concat()).collect();
        if !shown.is_empty() {
            self.events.push_back(Event::End(shown));
        }
    }
    fn next_event(&mut self, seen: &Seen) -> Option<Octets> {
        self.unordered = false;
        self.last = None;
        match self.events.pop_front()? {
            Event::One(image, asker) => {
                self.last = asker;
                Some(image)
            }
            Event::End(mut topics) => {
                self.unordered = true;
                let given = match seen {
                    Seen::Received(Ok((image, false))) => topics.take(image),
                    _ => None,
                };
                let image = given.or_else(|| topics.pop_first());
                if !topics.is_empty() {
                    self.events.push_front(Event::End(topics));
                }
                image
            }
        }
    }
    fn answered(&self, peers: &Peers) -> Result<Option<u32>, FilterError> {
        if !self.manual {
            return Err(FilterError::NotSupported);
        }
        Ok(self.last.filter(|last| peers.is_still(*last)).map(|last| last.id))
    }
}

impl Rules for XPub {
    fn configure(&mut self, options: &Options) {
        self.base.configure(options);
        self.verbosity = options.verbosity;
    }
    fn open(&mut self, peers: &mut Peers, id: u32) -> Result<(), CloseReason> {
        if let Some(peer) = peers.all.get_mut(&id).filter(|peer| peer.takes() && !self.welcome.is_empty()) {
            peer.out.write(self.welcome.clone(), false);
        }
        Ok(())
    }
    fn ready(&mut self, _: &mut Peers, id: u32, _: &[u8]) -> Result<Option<u32>, CloseReason> {
        self.end(id);
        Ok(None)
    }
    fn closed(&mut self, peers: &mut Peers, id: u32) {
        self.base.fan_out.forget(peers, id);
        self.end(id);
    }
    fn want(&mut self, peers: &mut Peers, id: u32, topic: &[u8]) {
        let first = self.askers(topic) == 0;
        self.asks().entry(id).or_default().insert(topic.to_vec());
        if first || self.manual || self.verbosity != Verbosity::Changes {
            self.show(1, topic, peers.target(id));
        }
    }
    fn unwant(&mut self, peers: &mut Peers, id: u32, topic: &[u8]) {
        let had = self.asks().entry(id).or_default().remove(topic);
        let last = had && self.askers(topic) == 0;
        if last || self.manual || self.verbosity == Verbosity::All {
            self.show(0, topic, peers.target(id));
        }
    }
    fn send(&mut self, peers: &mut Peers, part: &[u8], more: bool) -> Result<(), SendErrorKind> {
        self.base.send(peers, part, more)
    }
    fn recv(&mut self, peers: &mut Peers, seen: &Seen) -> Result<Part, RecvError> {
        self.unordered = false;
        if peers.reading.is_none() && !self.events.is_empty() {
            return self.next_event(seen).map(|image| (image, false)).ok_or(RecvError::Again);
        }
        peers.recv()
    }
    fn can_send(&mut self, _: &mut Peers) -> bool {
        true
    }
    fn can_recv(&mut self, peers: &mut Peers) -> bool {
        !self.events.is_empty() || peers.next_message().is_some()
    }
    fn was_unordered(&self) -> bool {
        self.unordered
    }
    fn subscribe(&mut self, peers: &mut Peers, topic: &[u8]) -> Result<(), FilterError> {
        if let Some(id) = self.answered(peers)? {
            self.base.want(peers, id, topic);
        }
        Ok(())
    }
    fn unsubscribe(&mut self, peers: &mut Peers, topic: &[u8]) -> Result<(), FilterError> {
        if let Some(id) = self.answered(peers)? {
            self.base.unwant(peers, id, topic);
        }
        Ok(())
    }
    fn welcome(&mut self, message: &[u8]) -> Result<(), OptionError> {
        self.welcome = message.to_vec();
        Ok(())
    }
}
