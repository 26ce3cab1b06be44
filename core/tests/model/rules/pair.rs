//! PAIR: one peer. The next may come when it has closed, and is read after it; a third not before it has been read.

use crate::model::{Part, Rules};
use crate::peers::{Peers, Ring};
use crate::step::Seen;
use omnimq_core::{CloseReason, RecvError, SendErrorKind};

#[derive(Default)]
pub(crate) struct Pair {
    out: Ring,
    /// At most two, of which only the last may be open.
    admitted: Vec<u32>,
}

impl Pair {
    fn next(&self, peers: &Peers) -> Option<u32> {
        let has_message = |id: &&u32| peers.all.get(id).is_some_and(|peer| peer.inbox.front().is_some());
        peers.reading.or_else(|| self.admitted.iter().find(has_message).copied())
    }
}

impl Rules for Pair {
    fn open(&mut self, peers: &mut Peers, id: u32) -> Result<(), CloseReason> {
        let is_open = |other: &u32| peers.all.get(other).is_some_and(|peer| peer.is_open());
        if self.admitted.len() == 2 || self.admitted.iter().any(is_open) {
            return Err(CloseReason::Unwanted);
        }
        self.admitted.push(id);
        Ok(())
    }
    fn left(&mut self, id: u32) {
        self.admitted.retain(|admitted| *admitted != id);
    }
    fn send(&mut self, peers: &mut Peers, part: &[u8], more: bool) -> Result<(), SendErrorKind> {
        self.out.send(peers, part, more)
    }
    fn recv(&mut self, peers: &mut Peers, _: &Seen) -> Result<Part, RecvError> {
        self.next(peers).ok_or(RecvError::Again).and_then(|id| peers.read(id))
    }
    fn can_send(&mut self, peers: &mut Peers) -> bool {
        self.out.can_send(peers)
    }
    fn can_recv(&mut self, peers: &mut Peers) -> bool {
        self.next(peers).is_some()
    }
}
