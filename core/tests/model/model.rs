//! The life of pipes as the socket's documentation has it, whatever the pattern; patterns add their rules.

use crate::peers::{Peer, Peers, Phase};
use crate::step::{Alphabet, Octets, PEERS, Seen, Step, text};
use crate::subject::Setting;
use omnimq_core::{CloseReason, FilterError, OptionError, Options, RecvError, SendErrorKind, Side};
use std::collections::BTreeSet;

pub(crate) type Part = (Octets, bool);

/// What a pattern does. The defaults are those of a pattern that cannot do it.
pub(crate) trait Rules {
    fn configure(&mut self, _options: &Options) {}
    /// Whether messages of peers are thrown away as they come.
    fn discards(&self) -> bool {
        false
    }
    /// A pipe comes into use; or why it is turned away.
    fn open(&mut self, _peers: &mut Peers, _id: u32) -> Result<(), CloseReason> {
        Ok(())
    }
    /// A peer has greeted: another pipe that has to go for it, or why it is turned away.
    fn ready(&mut self, _peers: &mut Peers, _id: u32, _name: &[u8]) -> Result<Option<u32>, CloseReason> {
        Ok(None)
    }
    /// Nothing more goes out to a pipe.
    fn closed(&mut self, _peers: &mut Peers, _id: u32) {}
    /// A pipe is forgotten.
    fn left(&mut self, _id: u32) {}
    fn want(&mut self, _peers: &mut Peers, _id: u32, _topic: &[u8]) {}
    fn unwant(&mut self, _peers: &mut Peers, _id: u32, _topic: &[u8]) {}
    /// What peers ought to have been told of.
    fn topics(&self) -> BTreeSet<Octets> {
        BTreeSet::new()
    }
    fn send(&mut self, _peers: &mut Peers, _part: &[u8], _more: bool) -> Result<(), SendErrorKind> {
        Err(SendErrorKind::NotSupported)
    }
    /// `seen` is what the socket gave, where several answers are right.
    fn recv(&mut self, _peers: &mut Peers, _seen: &Seen) -> Result<Part, RecvError> {
        Err(RecvError::NotSupported)
    }
    fn can_send(&mut self, _peers: &mut Peers) -> bool {
        false
    }
    fn can_recv(&mut self, _peers: &mut Peers) -> bool {
        false
    }
    /// Whether the order of what was received last says nothing.
    fn was_unordered(&self) -> bool {
        false
    }
    fn subscribe(&mut self, _peers: &mut Peers, _topic: &[u8]) -> Result<(), FilterError> {
        Err(FilterError::NotSupported)
    }
    fn unsubscribe(&mut self, _peers: &mut Peers, _topic: &[u8]) -> Result<(), FilterError> {
        Err(FilterError::NotSupported)
    }
    fn name(&mut self, _name: &[u8]) -> Result<(), OptionError> {
        Err(OptionError::NotSupported)
    }
    fn welcome(&mut self, _message: &[u8]) -> Result<(), OptionError> {
        Err(OptionError::NotSupported)
    }
}

pub(crate) struct Model {
    pub(crate) peers: Peers,
    pub(crate) rules: Box<dyn Rules>,
    setting: Setting,
    alphabet: Alphabet,
}

impl Model {
    pub(crate) fn new(setting: &Setting, rules: Box<dyn Rules>) -> Self {
        let alphabet = Alphabet::of(setting.pattern);
        Self { peers: Peers::default(), rules, setting: setting.clone(), alphabet }
    }
    /// The pipe that a step is about, if the step can happen; 0 for one that is about none.
    pub(crate) fn resolve(&self, step: &Step) -> Option<u32> {
        let pipe = |at: usize| {
            let (id, peer) = self.peers.all.iter().nth(at.checked_rem(self.peers.all.len())?)?;
            Some((*id, peer))
        };
        match *step {
            Step::Ready(at, _) => {
                let (id, peer) = pipe(at)?;
                let again = peer.side == Side::Connect && !matches!(peer.phase, Phase::Draining | Phase::Finishing);
                (!peer.connected && (again || peer.phase == Phase::Waiting)).then_some(id)
            }
            Step::HangUp(at) | Step::Arrive(at, _) | Step::Fetch(at) | Step::Hear(at) => {
                pipe(at).filter(|(_, peer)| peer.connected).map(|(id, _)| id)
            }
            Step::Want(at, _) | Step::Unwant(at, _) => pipe(at).filter(|(_, peer)| peer.connected).map(|(id, _)| id),
            Step::Close(at) | Step::Detach(at) => pipe(at).map(|(id, _)| id),
            _ => Some(0),
        }
    }
    /// What is to be seen when the `number`th step happens to the pipe named.
    pub(crate) fn act(&mut self, number: usize, step: &Step, id: u32, seen: &Seen) -> Seen {
        let Self { peers, rules, setting, alphabet } = self;
        match *step {
            Step::Attach(side) => Seen::Attached(self.attach(side)),
            Step::Ready(_, name) => {
                let name = text(alphabet.names, name, number);
                self.ready(id, &name);
                Seen::Done
            }
            Step::HangUp(_) => {
                self.peer(id).connected = false;
                Seen::Ended(true)
            }
            Step::Close(_) => Seen::Gone(self.close(id)),
            Step::Detach(_) => Seen::Gone(self.detach(id)),
            Step::Arrive(_, message) => Seen::Room(self.arrive(number, id, message)),
            Step::Fetch(_) => Seen::Message(self.peer(id).out.read_message()),
            Step::Hear(_) => Seen::Heard(rules.topics(), self.peer(id).farewell.take()),
            Step::Want(_, topic) | Step::Unwant(_, topic) => {
                let topic = text(alphabet.topics, topic, number);
                if !peers.all[&id].is_open() {
                } else if matches!(step, Step::Want(..)) {
                    rules.want(peers, id, &topic);
                } else {
                    rules.unwant(peers, id, &topic);
                }
                Seen::Done
            }
            Step::Send(part, more) => Seen::Sent(rules.send(peers, &text(alphabet.sent, part, number), more)),
            Step::Recv => Seen::Received(rules.recv(peers, seen)),
            Step::CanSend => Seen::Can(rules.can_send(peers)),
            Step::CanRecv => Seen::Can(rules.can_recv(peers)),
            Step::Subscribe(topic) => Seen::Filtered(rules.subscribe(peers, &text(alphabet.topics, topic, number))),
            Step::Unsubscribe(topic) => Seen::Filtered(rules.unsubscribe(peers, &text(alphabet.topics, topic, number))),
            Step::Name(name) => Seen::Set(rules.name(&text(alphabet.names, name, number))),
            Step::Welcome(topic) => Seen::Set(rules.welcome(&text(alphabet.topics, topic, number))),
            Step::Configure(chance) => {
                rules.configure(&setting.changed(chance).options);
                Seen::Done
            }
        }
    }
    /// Pipes that were read to their end have gone.
    pub(crate) fn settle(&mut self) {
        for id in std::mem::take(&mut self.peers.gone) {
            self.rules.left(id);
        }
    }
    fn peer(&mut self, id: u32) -> &mut Peer {
        self.peers.all.get_mut(&id).expect("a pipe")
    }
    fn attach(&mut self, side: Side) -> Option<u32> {
        let id = (0..PEERS).find(|id| !self.peers.all.contains_key(id))?;
        self.peers.all.insert(id, Peer::new(side, &self.setting.options));
        if side == Side::Connect {
            self.open(id);
        }
        Some(id)
    }
    fn open(&mut self, id: u32) {
        self.peers.openings += 1;
        let opening = self.peers.openings;
        let peer = self.peer(id);
        (peer.phase, peer.opening) = (Phase::Open, opening);
        if let Err(reason) = self.rules.open(&mut self.peers, id) {
            self.refuse(id, reason);
        }
    }
    fn ready(&mut self, id: u32, name: &[u8]) {
        self.peer(id).connected = true;
        match self.rules.ready(&mut self.peers, id, name) {
            Ok(None) => {}
            Ok(Some(old)) => self.retire(old, CloseReason::Replaced, Phase::Leaving),
            Err(reason) => return self.refuse(id, reason),
        }
        if !self.peers.all[&id].is_open() {
            self.open(id);
        }
    }
    /// Turns a pipe away, once the message in the middle of which it is has been read.
    fn refuse(&mut self, id: u32, reason: CloseReason) {
        if self.peers.reading == Some(id) {
            return self.retire(id, reason, Phase::Leaving);
        }
        self.retire(id, reason, Phase::Refused);
        self.rules.left(id);
        self.peer(id).inbox.discard();
    }
    fn retire(&mut self, id: u32, reason: CloseReason, phase: Phase) {
        let peer = self.peer(id);
        peer.out.roll_back();
        peer.farewell.get_or_insert(reason);
        peer.phase = phase;
        self.rules.closed(&mut self.peers, id);
    }
    fn arrive(&mut self, number: usize, id: u32, message: usize) -> bool {
        let parts = self.alphabet.arriving[message % self.alphabet.arriving.len()];
        let discards = self.rules.discards();
        let peer = self.peer(id);
        if !peer.inbox.has_room() {
            return false;
        }
        for at in 0..parts.len() {
            peer.inbox.write(text(parts, at, number), at + 1 < parts.len());
        }
        if discards || peer.phase == Phase::Refused {
            peer.inbox.discard();
        }
        true
    }
    /// Whether the pipe has gone. What came stays readable.
    fn close(&mut self, id: u32) -> bool {
        let peer = self.peer(id);
        let phase = std::mem::replace(&mut peer.phase, Phase::Draining);
        peer.connected = false;
        match phase {
            Phase::Draining | Phase::Finishing => {
                peer.phase = phase;
                return false;
            }
            Phase::Waiting | Phase::Refused => peer.inbox.discard(),
            Phase::Open => self.rules.closed(&mut self.peers, id),
            Phase::Leaving => {}
        }
        if self.peers.reading != Some(id) && self.peer(id).inbox.front().is_none() {
            self.remove(id);
        }
        !self.peers.all.contains_key(&id)
    }
    /// Whether the pipe has gone. Only a message that is half read keeps it.
    fn detach(&mut self, id: u32) -> bool {
        if self.peers.all[&id].is_open() {
            self.peer(id).phase = Phase::Draining;
            self.rules.closed(&mut self.peers, id);
        }
        let (held, peer) = (self.peers.reading == Some(id), self.peer(id));
        peer.connected = false;
        peer.phase = Phase::Finishing;
        if !held {
            self.remove(id);
        }
        !held
    }
    fn remove(&mut self, id: u32) {
        self.peers.all.remove(&id);
        self.rules.left(id);
    }
}
