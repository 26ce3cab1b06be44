//! The pipes of the model, and turns among them.

use crate::queue::Queue;
use crate::step::{Octets, PEERS};
use omnimq_core::{CloseReason, Options, RecvError, SendErrorKind, Side};
use std::collections::BTreeMap;

/// What a pipe may still be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Bound, and no peer has greeted.
    Waiting,
    /// In use.
    Open,
    /// Turned away: what comes is thrown away.
    Refused,
    /// Asked to go: what comes may be read.
    Leaving,
    /// The driver has let go of it: there until it has been read.
    Draining,
    /// Thrown away in the middle of a message: there until that has been read.
    Finishing,
}

pub(crate) struct Peer {
    pub(crate) side: Side,
    pub(crate) phase: Phase,
    /// Its handshake is over and its stream has not ended.
    pub(crate) connected: bool,
    /// Which of all openings of all pipes this one's last was.
    pub(crate) opening: u32,
    pub(crate) out: Queue,
    pub(crate) inbox: Queue,
    /// Why it was asked to close, until it hears.
    pub(crate) farewell: Option<CloseReason>,
}

impl Peer {
    pub(crate) fn new(side: Side, options: &Options) -> Self {
        let (out, inbox) = (Queue::new(options.send_hwm), Queue::new(options.recv_hwm));
        Self { side, phase: Phase::Waiting, connected: false, opening: 0, out, inbox, farewell: None }
    }
    pub(crate) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }
    pub(crate) fn takes(&self) -> bool {
        self.is_open() && self.out.has_room()
    }
}

/// A pipe as long as it stays open: a message is for whom it was begun for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) id: u32,
    opening: u32,
}

#[derive(Default)]
pub(crate) struct Peers {
    pub(crate) all: BTreeMap<u32, Peer>,
    /// Whose message the application is in the middle of.
    pub(crate) reading: Option<u32>,
    /// Whose turn to be read it is.
    turn: u32,
    pub(crate) dropped: u64,
    pub(crate) openings: u32,
    /// Pipes that went while being read.
    pub(crate) gone: Vec<u32>,
}

impl Peers {
    /// The first pipe from `turn` on, round the table, that `suits`.
    pub(crate) fn round(&self, turn: u32, suits: impl Fn(&Peer) -> bool) -> Option<u32> {
        let ids = (turn..PEERS).chain(0..turn.min(PEERS));
        ids.into_iter().find(|id| self.all.get(id).is_some_and(&suits))
    }
    /// The pipe whose message is to be read.
    pub(crate) fn next_message(&self) -> Option<u32> {
        self.reading.or_else(|| self.round(self.turn, |peer| peer.inbox.front().is_some()))
    }
    /// The next frame of a pipe.
    pub(crate) fn read(&mut self, id: u32) -> Result<(Octets, bool), RecvError> {
        let peer = self.all.get_mut(&id).ok_or(RecvError::Again)?;
        let (part, more) = peer.inbox.read().ok_or(RecvError::Again)?;
        self.reading = more.then_some(id);
        if !more {
            self.turn = id + 1;
            let read = peer.inbox.front().is_none();
            if peer.phase == Phase::Finishing || peer.phase == Phase::Draining && read {
                self.all.remove(&id);
                self.gone.push(id);
            }
        }
        Ok((part, more))
    }
    /// The next frame of whoever's turn it is.
    pub(crate) fn recv(&mut self) -> Result<(Octets, bool), RecvError> {
        self.next_message().ok_or(RecvError::Again).and_then(|id| self.read(id))
    }
    /// Throws away what is left of the message of a pipe.
    pub(crate) fn skip(&mut self, id: u32) {
        while self.read(id).is_ok_and(|(_, more)| more) {}
    }
    pub(crate) fn takes(&self, id: u32) -> bool {
        self.all.get(&id).is_some_and(Peer::takes)
    }
    pub(crate) fn target(&self, id: u32) -> Option<Target> {
        let peer = self.all.get(&id).filter(|peer| peer.is_open())?;
        Some(Target { id, opening: peer.opening })
    }
    /// The pipe of a message begun earlier, unless it was closed since.
    pub(crate) fn still(&mut self, target: Target) -> Option<&mut Peer> {
        self.all.get_mut(&target.id).filter(|peer| peer.is_open() && peer.opening == target.opening)
    }
    pub(crate) fn is_still(&self, target: Target) -> bool {
        self.target(target.id) == Some(target)
    }
    /// A frame to each; those that closed miss it.
    pub(crate) fn write(&mut self, targets: &[Target], part: &[u8], more: bool) {
        for target in targets {
            if let Some(peer) = self.still(*target) {
                peer.out.write(part.to_vec(), more);
            }
        }
    }
    /// An empty message on a new pipe.
    pub(crate) fn probe(&mut self, id: u32) {
        if let Some(peer) = self.all.get_mut(&id).filter(|peer| peer.takes()) {
            peer.out.write(Octets::new(), false);
        }
    }
}

/// Messages to one pipe each, in turn.
#[derive(Default)]
pub(crate) struct Ring {
    turn: u32,
    /// Whom the message begun is for.
    begun: Option<Target>,
}

impl Ring {
    pub(crate) fn can_send(&self, peers: &Peers) -> bool {
        self.begun.is_some() || peers.round(self.turn, Peer::takes).is_some()
    }
    /// Whom the message being sent is for.
    pub(crate) fn target(&self) -> Option<Target> {
        self.begun
    }
    /// A message whose pipe closes before its end is lost.
    pub(crate) fn send(&mut self, peers: &mut Peers, part: &[u8], more: bool) -> Result<(), SendErrorKind> {
        let target = match self.begun {
            Some(target) => target,
            None => {
                let id = peers.round(self.turn, Peer::takes).ok_or(SendErrorKind::Again)?;
                peers.target(id).expect("an open pipe")
            }
        };
        if peers.is_still(target) {
            peers.write(&[target], part, more);
            if !more {
                self.turn = target.id + 1;
            }
        } else if !more {
            peers.dropped += 1;
        }
        self.begun = more.then_some(target);
        Ok(())
    }
}
