//! The routing ids of a ROUTER against a map: each name leads to the one pipe that has it, whatever came and went.

use crate::{Outcome, Roomy, runner};
use omnimq_core::{
    CloseReason, Heap, LocalStorage, OptionError, Options, Piece, PipeId, PipeReader, PipeWriter, Router, SendErrorKind,
    Side, Signal, Socket,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const NAMES: [&[u8]; 6] = [b"", b"a", b"b", b"ab", b"\0\0\0\0\x07", b"\0\0\0\0\x09"];

#[derive(Clone, Debug)]
enum Step {
    /// A peer comes from either side and announces a name.
    Come(Side, usize),
    /// The peer of a pipe that connects comes back under a name.
    Again(usize, usize),
    Go(usize),
    /// The next pipe that connects is given a name.
    Give(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (n, side) = (|| 0..NAMES.len(), prop_oneof![Just(Side::Bind), Just(Side::Connect)]);
    let step = prop_oneof![
        4 => (side, n()).prop_map(|(side, name)| Step::Come(side, name)),
        3 => (n(), n()).prop_map(|(pipe, name)| Step::Again(pipe, name)),
        1 => n().prop_map(Step::Go),
        1 => n().prop_map(Step::Give),
    ];
    prop::collection::vec(step, 0..60)
}

/// A pipe as the test knows it: where it comes from, the name it was given, what it is reached by.
struct Known {
    side: Side,
    given: Option<Vec<u8>>,
    name: Option<Vec<u8>>,
}

struct Trial<S: LocalStorage> {
    socket: Socket<Router, S>,
    handover: bool,
    pipes: BTreeMap<u32, Known>,
    given: Option<Vec<u8>>,
}

impl<S: LocalStorage> Trial<S> {
    fn new(handover: bool) -> Self {
        let mut options = Options::new(7);
        (options.mandatory, options.handover, options.limits.peers) = (true, handover, 4);
        Self { socket: Socket::new(Router, &options), handover, pipes: BTreeMap::new(), given: None }
    }
    fn holder(&self, name: &[u8]) -> Option<u32> {
        self.pipes.iter().find(|(_, known)| known.name.as_deref() == Some(name)).map(|(id, _)| *id)
    }
    fn act(&mut self, step: &Step) -> Outcome<()> {
        let pipe = |at: usize| self.pipes.keys().nth(at.checked_rem(self.pipes.len())?).copied();
        match *step {
            Step::Come(side, name) => self.come(side, NAMES[name]),
            Step::Again(at, name) => match pipe(at).filter(|id| self.pipes[id].side == Side::Connect) {
                Some(id) => self.greet(id, NAMES[name]),
                None => Ok(()),
            },
            Step::Go(at) => {
                if let Some(id) = pipe(at) {
                    prop_assert!(self.socket.close_pipe(PipeId(id)), "nothing of it is unread");
                    self.pipes.remove(&id);
                }
                Ok(())
            }
            Step::Give(name) => self.give(NAMES[name]),
        }
    }
    fn give(&mut self, name: &[u8]) -> Outcome<()> {
        let expected = match name {
            b"" => Err(OptionError::Invalid),
            _ if self.holder(name).is_some() => Err(OptionError::InUse),
            _ => Ok(()),
        };
        prop_assert_eq!(self.socket.connect_routing_id(name), expected);
        if expected.is_ok() {
            self.given = Some(name.to_vec());
        }
        Ok(())
    }
    fn come(&mut self, side: Side, name: &[u8]) -> Outcome<()> {
        let Some(id) = self.socket.attach(S::lane(2), S::lane(2), side) else {
            prop_assert_eq!(self.pipes.len(), 4, "there is room");
            return Ok(());
        };
        let mut known = Known { side, given: None, name: None };
        if let Some(given) = self.given.take_if(|_| side == Side::Connect) {
            let free = self.holder(&given).is_none();
            prop_assert_eq!(self.close_of(id.0), (!free).then_some(CloseReason::DuplicateRoutingId));
            known.name = free.then_some(given);
            known.given.clone_from(&known.name);
        }
        self.pipes.insert(id.0, known);
        self.greet(id.0, name)
    }
    /// The peer announces a name.
    fn greet(&mut self, id: u32, announced: &[u8]) -> Outcome<()> {
        let pipe = self.socket.pipe(PipeId(id)).expect("a pipe");
        pipe.rx.signal(Signal::Ready(announced)).expect("room for a signal");
        self.socket.process(PipeId(id));
        let given = self.pipes[&id].given.clone();
        let may_take_over = self.handover && given.is_none();
        let name = match given {
            Some(given) => Some(given),
            None if announced.is_empty() => self.name_of(id)?,
            None => Some(announced.to_vec()),
        };
        let elder = name.as_ref().and_then(|name| self.holder(name)).filter(|elder| *elder != id);
        if let Some(elder) = elder {
            if !may_take_over {
                return self.turned_away(id);
            }
            prop_assert_eq!(self.close_of(elder), Some(CloseReason::Replaced));
            self.pipes.get_mut(&elder).expect("a pipe").name = None;
        }
        self.pipes.get_mut(&id).expect("a pipe").name = name;
        Ok(())
    }
    /// The name comes in use, or was given to another: the pipe is closed and has none.
    fn turned_away(&mut self, id: u32) -> Outcome<()> {
        prop_assert_eq!(self.close_of(id), Some(CloseReason::DuplicateRoutingId));
        let known = self.pipes.get_mut(&id).expect("a pipe");
        (known.given, known.name) = (None, None);
        Ok(())
    }
    fn close_of(&mut self, id: u32) -> Option<CloseReason> {
        match self.socket.pipe(PipeId(id)).expect("a pipe").tx.pop_signal() {
            Some(Signal::Close(reason)) => Some(reason),
            _ => None,
        }
    }
    /// What the messages of a pipe come with: a name made for it has five octets, of which the first is 0. One that
    /// was closed has none.
    fn name_of(&mut self, id: u32) -> Outcome<Option<Vec<u8>>> {
        self.socket.pipe(PipeId(id)).expect("a pipe").rx.write_bytes(b"hi", false).expect("room");
        self.socket.process(PipeId(id));
        let Ok(name) = self.socket.recv() else { return Ok(None) };
        let name = name.body.as_ref().to_vec();
        prop_assert_eq!(self.socket.recv().map(|frame| frame.body.as_ref().to_vec()), Ok(b"hi".to_vec()));
        prop_assert_eq!((name.len(), name[0]), (5, 0));
        prop_assert!(self.holder(&name).is_none_or(|holder| holder == id), "a name that another has");
        Ok(Some(name))
    }
    /// Every name leads where the map says.
    fn check(&mut self) -> Outcome<()> {
        let own = self.pipes.values().filter_map(|known| known.name.clone());
        let names: Vec<Vec<u8>> = NAMES.iter().map(|name| name.to_vec()).chain(own).collect();
        for name in names {
            let holder = self.holder(&name);
            let sent = self.socket.send(Piece { bytes: &name, more: true }).map_err(|error| error.kind);
            prop_assert_eq!(sent, holder.map(drop).ok_or(SendErrorKind::Unroutable), "to {:?}", name);
            let Some(holder) = holder else { continue };
            prop_assert_eq!(self.socket.send(Piece { bytes: &name, more: false }), Ok(()));
            let frame = self.socket.pipe(PipeId(holder)).and_then(|pipe| pipe.tx.read()).expect("its message");
            prop_assert_eq!(frame.body.as_ref(), &name[..]);
            self.socket.process(PipeId(holder));
        }
        Ok(())
    }
}

fn names_equal_a_map<S: LocalStorage>() {
    let run = |(handover, steps): (bool, Vec<Step>)| {
        let mut trial = Trial::<S>::new(handover);
        for step in &steps {
            trial.act(step)?;
            trial.check()?;
        }
        Ok(())
    };
    runner().run(&(any::<bool>(), steps()), run).unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn names_equal_a_map_on_heap() {
    names_equal_a_map::<Heap>();
}

#[test]
fn names_equal_a_map_on_fixed() {
    names_equal_a_map::<Roomy>();
}
