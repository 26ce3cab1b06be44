//! REQ and REP: a question, an answer, in lock-step (RFC 28).

use crate::model::{Part, Rules};
use crate::peers::{Peers, Ring, Target};
use crate::step::{Octets, SEED, Seen};
use omnimq_core::{CloseReason, Options, RecvError, SendErrorKind};

#[derive(Clone, Copy, PartialEq)]
enum Turn {
    /// REQ: may ask. REP: may be asked.
    Idle,
    /// In the middle of the request.
    Request,
    /// The request is complete.
    Asked,
    /// In the middle of the reply.
    Reply,
}

pub(crate) struct Req {
    ring: Ring,
    turn: Turn,
    /// Who was asked, while it is there.
    asked: Option<u32>,
    /// What the reply begins with.
    envelope: Vec<Octets>,
    number: u32,
    correlate: bool,
    relaxed: bool,
    probe: bool,
}

impl Req {
    pub(crate) fn new(options: &Options) -> Self {
        let (correlate, relaxed, probe) = (options.correlate, options.relaxed, options.probe_router);
        let (ring, envelope) = (Ring::default(), Vec::new());
        Self { ring, turn: Turn::Idle, asked: None, envelope, number: SEED, correlate, relaxed, probe }
    }
    fn may_ask(&self) -> bool {
        self.turn == Turn::Idle || self.relaxed && matches!(self.turn, Turn::Asked | Turn::Reply)
    }
    fn begin(&mut self, peers: &mut Peers) -> Result<(), SendErrorKind> {
        let id = self.number.to_ne_bytes().to_vec();
        let envelope = if self.correlate { vec![id, Octets::new()] } else { vec![Octets::new()] };
        for part in &envelope {
            self.ring.send(peers, part, true)?;
        }
        self.number += u32::from(self.correlate);
        self.envelope = envelope;
        self.asked = self.ring.target().map(|target| target.id);
        while peers.recv().is_ok() {}
        Ok(())
    }
    /// Drops messages up to one that is a reply, and that one's envelope.
    fn find(&mut self, peers: &mut Peers) -> bool {
        while let Some(id) = peers.next_message() {
            let message = peers.all[&id].inbox.front().expect("a message");
            let shaped = message.len() > self.envelope.len() && message.iter().zip(&self.envelope).all(|(a, b)| a == b);
            if shaped && self.asked.is_none_or(|asked| asked == id) {
                for _ in 0..self.envelope.len() {
                    peers.read(id).expect("the envelope");
                }
                self.turn = Turn::Reply;
                return true;
            }
            peers.skip(id);
        }
        false
    }
}

impl Rules for Req {
    fn configure(&mut self, options: &Options) {
        (self.correlate, self.relaxed, self.probe) = (options.correlate, options.relaxed, options.probe_router);
    }
    fn open(&mut self, peers: &mut Peers, id: u32) -> Result<(), CloseReason> {
        if self.probe {
            peers.probe(id);
        }
        Ok(())
    }
    fn left(&mut self, id: u32) {
        self.asked = self.asked.filter(|asked| *asked != id);
    }
    fn send(&mut self, peers: &mut Peers, part: &[u8], more: bool) -> Result<(), SendErrorKind> {
        if self.may_ask() {
            self.begin(peers)?;
        } else if self.turn != Turn::Request {
            return Err(SendErrorKind::State);
        }
        self.turn = if more { Turn::Request } else { Turn::Asked };
        self.ring.send(peers, part, more)
    }
    fn recv(&mut self, peers: &mut Peers, _: &Seen) -> Result<Part, RecvError> {
        let turn = self.turn;
        match turn {
            Turn::Idle | Turn::Request => return Err(RecvError::State),
            Turn::Asked if !self.find(peers) => return Err(RecvError::Again),
            Turn::Asked | Turn::Reply => {}
        }
        let part = peers.recv()?;
        self.turn = if part.1 { Turn::Reply } else { Turn::Idle };
        Ok(part)
    }
    fn can_send(&mut self, peers: &mut Peers) -> bool {
        self.turn == Turn::Request || self.may_ask() && self.ring.can_send(peers)
    }
    fn can_recv(&mut self, peers: &mut Peers) -> bool {
        self.turn == Turn::Reply || self.turn == Turn::Asked && self.find(peers)
    }
}

pub(crate) struct Rep {
    turn: Turn,
    asker: Option<Target>,
    /// What goes before the reply.
    envelope: Vec<Octets>,
}

impl Default for Rep {
    fn default() -> Self {
        Self { turn: Turn::Idle, asker: None, envelope: Vec::new() }
    }
}

impl Rep {
    /// Drops messages up to one with a delimiter, and takes that one's envelope.
    fn find(&mut self, peers: &mut Peers) -> bool {
        while let Some(id) = peers.next_message() {
            let message = peers.all[&id].inbox.front().expect("a message");
            let delimiter = message.iter().position(Vec::is_empty).filter(|at| at + 1 < message.len());
            let Some(delimiter) = delimiter else {
                peers.skip(id);
                continue;
            };
            self.asker = peers.target(id).filter(|_| peers.takes(id));
            self.envelope = (0..=delimiter).map(|_| peers.read(id).expect("the envelope").0).collect();
            self.turn = Turn::Request;
            return true;
        }
        false
    }
}

impl Rules for Rep {
    fn send(&mut self, peers: &mut Peers, part: &[u8], more: bool) -> Result<(), SendErrorKind> {
        if !self.can_send(peers) {
            return Err(SendErrorKind::State);
        }
        self.turn = if more { Turn::Reply } else { Turn::Idle };
        self.asker = self.asker.filter(|asker| peers.is_still(*asker));
        match self.asker {
            None => peers.dropped += u64::from(!more),
            Some(asker) => {
                for part in std::mem::take(&mut self.envelope) {
                    peers.write(&[asker], &part, true);
                }
                peers.write(&[asker], part, more);
            }
        }
        Ok(())
    }
    fn recv(&mut self, peers: &mut Peers, _: &Seen) -> Result<Part, RecvError> {
        let turn = self.turn;
        match turn {
            Turn::Asked | Turn::Reply => return Err(RecvError::State),
            Turn::Idle if !self.find(peers) => return Err(RecvError::Again),
            Turn::Idle | Turn::Request => {}
        }
        let part = peers.recv()?;
        self.turn = if part.1 { Turn::Request } else { Turn::Asked };
        Ok(part)
    }
    fn can_send(&mut self, _: &mut Peers) -> bool {
        matches!(self.turn, Turn::Asked | Turn::Reply)
    }
    fn can_recv(&mut self, peers: &mut Peers) -> bool {
        self.turn == Turn::Request || self.turn == Turn::Idle && self.find(peers)
    }
}
