//! PUSH, PULL and DEALER: one message to one peer, in turn; one message from one peer, in turn.

use crate::model::{Part, Rules};
use crate::peers::{Peers, Ring};
use crate::step::Seen;
use omnimq_core::{CloseReason, Options, RecvError, SendErrorKind};

#[derive(Default)]
pub(crate) struct Push(Ring);

impl Rules for Push {
    fn discards(&self) -> bool {
        true
    }
    fn send(&mut self, peers: &mut Peers, part: &[u8], more: bool) -> Result<(), SendErrorKind> {
        self.0.send(peers, part, more)
    }
    fn can_send(&mut self, peers: &mut Peers) -> bool {
        self.0.can_send(peers)
    }
}

pub(crate) struct Pull;

impl Rules for Pull {
    fn recv(&mut self, peers: &mut Peers, _: &Seen) -> Result<Part, RecvError> {
        peers.recv()
    }
    fn can_recv(&mut self, peers: &mut Peers) -> bool {
        peers.next_message().is_some()
    }
}

pub(crate) struct Dealer {
    ring: Ring,
    probe: bool,
}

impl Dealer {
    pub(crate) fn new(options: &Options) -> Self {
        Self { ring: Ring::default(), probe: options.probe_router }
    }
}

impl Rules for Dealer {
    fn configure(&mut self, options: &Options) {
        self.probe = options.probe_router;
    }
    fn open(&mut self, peers: &mut Peers, id: u32) -> Result<(), CloseReason> {
        if self.probe {
            peers.probe(id);
        }
        Ok(())
    }
    fn send(&mut self, peers: &mut Peers, part: &[u8], more: bool) -> Result<(), SendErrorKind> {
        self.ring.send(peers, part, more)
    }
    fn recv(&mut self, peers: &mut Peers, _: &Seen) -> Result<Part, RecvError> {
        peers.recv()
    }
    fn can_send(&mut self, peers: &mut Peers) -> bool {
        self.ring.can_send(peers)
    }
    fn can_recv(&mut self, peers: &mut Peers) -> bool {
        peers.next_message().is_some()
    }
}
