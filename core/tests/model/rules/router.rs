//! ROUTER: the first frame is a name (RFC 28).

use crate::model::{Part, Rules};
use crate::peers::{Peers, Target};
use crate::step::{Octets, SEED, Seen};
use omnimq_core::{CloseReason, OptionError, Options, RecvError, SendErrorKind, Side};
use std::collections::BTreeMap;

/// Where a name comes from.
#[derive(Clone, Copy, PartialEq)]
enum Origin {
    Peer,
    Generated,
    Given,
}

pub(crate) struct Router {
    /// What the messages of each pipe begin with.
    names: BTreeMap<u32, (Octets, Origin)>,
    /// Who is reached by a name.
    holders: BTreeMap<Octets, u32>,
    number: u32,
    /// The name of the next connecting pipe.
    given: Option<Octets>,
    /// The message being sent, and where it goes.
    begun: Option<Option<Target>>,
    /// The name of the message being received has been given out.
    named: bool,
    mandatory: bool,
    handover: bool,
    probe: bool,
}

impl Router {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            names: BTreeMap::new(),
            holders: BTreeMap::new(),
            number: SEED,
            given: None,
            begun: None,
            named: false,
            mandatory: options.mandatory,
            handover: options.handover,
            probe: options.probe_router,
        }
    }
    /// `id` is reached by this name, and by no other.
    fn hold(&mut self, id: u32, name: Octets, origin: Origin) {
        self.release(id);
        self.holders.insert(name.clone(), id);
        self.names.insert(id, (name, origin));
    }
    fn release(&mut self, id: u32) {
        self.holders.retain(|_, holder| *holder != id);
    }
    fn generate(&mut self) -> Octets {
        loop {
            let name = [&[0], &self.number.to_be_bytes()[..]].concat();
            self.number += 1;
            if !self.holders.contains_key(&name) {
                return name;
            }
        }
    }
}

impl Rules for Router {
    fn configure(&mut self, options: &Options) {
        (self.mandatory, self.handover, self.probe) = (options.mandatory, options.handover, options.probe_router);
    }
    fn open(&mut self, peers: &mut Peers, id: u32) -> Result<(), CloseReason> {
        if peers.all[&id].side == Side::Connect
            && !self.names.contains_key(&id)
            && let Some(name) = self.given.take()
        {
            if self.holders.contains_key(&name) {
                return Err(CloseReason::DuplicateRoutingId);
            }
            self.hold(id, name, Origin::Given);
        }
        if self.probe {
            peers.probe(id);
        }
        Ok(())
    }
    /// A name that was given or generated is kept, unless another pipe has it by now.
    fn ready(&mut self, _: &mut Peers, id: u32, announced: &[u8]) -> Result<Option<u32>, CloseReason> {
        let (name, origin) = match self.names.get(&id).cloned() {
            Some((name, Origin::Given)) => (name, Origin::Given),
            Some((name, Origin::Generated)) if announced.is_empty() => {
                let free = self.holders.get(&name).is_none_or(|holder| *holder == id);
                (if free { name } else { self.generate() }, Origin::Generated)
            }
            _ if announced.is_empty() => (self.generate(), Origin::Generated),
            _ => (announced.to_vec(), Origin::Peer),
        };
        let elder = self.holders.get(&name).copied().filter(|elder| *elder != id);
        if elder.is_some() && !(self.handover && origin == Origin::Peer) {
            return Err(CloseReason::DuplicateRoutingId);
        }
        self.hold(id, name, origin);
        Ok(elder)
    }
    fn closed(&mut self, _: &mut Peers, id: u32) {
        self.release(id);
    }
    fn left(&mut self, id: u32) {
        self.release(id);
        self.names.remove(&id);
    }
    fn send(&mut self, peers: &mut Peers, part: &[u8], more: bool) -> Result<(), SendErrorKind> {
        let Some(target) = self.begun else {
            let holder = self.holders.get(part).copied();
            if !more {
                return Ok(());
            }
            let target = holder.filter(|id| peers.takes(*id)).and_then(|id| peers.target(id));
            if target.is_none() && self.mandatory {
                return Err(if holder.is_some() { SendErrorKind::Again } else { SendErrorKind::Unroutable });
            }
            self.begun = Some(target);
            return Ok(());
        };
        let target = target.filter(|target| peers.is_still(*target));
        match target {
            Some(target) => peers.write(&[target], part, more),
            None => peers.dropped += u64::from(!more),
        }
        self.begun = more.then_some(target);
        Ok(())
    }
    fn recv(&mut self, peers: &mut Peers, _: &Seen) -> Result<Part, RecvError> {
        if !self.named {
            let id = peers.next_message().ok_or(RecvError::Again)?;
            peers.reading = Some(id);
            self.named = true;
            return Ok((self.names[&id].0.clone(), true));
        }
        let part = peers.recv()?;
        self.named = part.1;
        Ok(part)
    }
    fn can_send(&mut self, peers: &mut Peers) -> bool {
        !self.mandatory || self.begun.is_some() || self.holders.values().any(|id| peers.takes(*id))
    }
    fn can_recv(&mut self, peers: &mut Peers) -> bool {
        peers.next_message().is_some()
    }
    fn name(&mut self, name: &[u8]) -> Result<(), OptionError> {
        if name.is_empty() {
            return Err(OptionError::Invalid);
        }
        if self.holders.contains_key(name) {
            return Err(OptionError::InUse);
        }
        self.given = Some(name.to_vec());
        Ok(())
    }
}
