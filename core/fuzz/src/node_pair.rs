//! Two nodes over a wire that is cut into random pieces, and sometimes cut off: nothing torn, nothing out of order,
//! nothing lost but by a cut, subscriptions in force again after each.

use omnimq_core::pattern::{Receives, Sends};
use omnimq_core::{
    Config, Dealer, Fixed, Heap, Instant, LocalStorage, Node, Options, Pattern, PipeId, Pub, Pull, Push, RecvError, Rep,
    Req, Router, SendErrorKind, Side, Sink, Sub,
};
use omnimq_seeds::Decisions;
use std::collections::BTreeMap;

/// First octet: storage and patterns; second: the high-water marks; then operations.
pub fn node_pair(data: &[u8]) {
    let mut source = Decisions(data);
    match source.below(2) {
        0 => patterns::<Heap>(source),
        _ => patterns::<Fixed<2, 4, 64, 8, 8>>(source),
    }
}

fn patterns<S: LocalStorage>(mut source: Decisions<'_>) {
    match source.below(4) {
        0 => pipeline::<S>(source),
        1 => publish::<S>(source),
        2 => request::<S>(source),
        _ => echo::<S>(source),
    }
}

const HWM: [u32; 4] = [1, 2, 3, 0];
const NOW: Instant = Instant::ZERO;

struct Outlet<'a>(&'a mut Vec<u8>, usize);

impl<B> Sink<B> for Outlet<'_> {
    fn put(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(self.1);
        self.0.extend_from_slice(&bytes[..taken]);
        self.1 -= taken;
        taken
    }
}

/// One node, its one stream, and what it has written there.
struct End<P: Pattern, S: LocalStorage> {
    node: Node<P, S>,
    id: PipeId,
    written: Vec<u8>,
}

impl<P: Pattern, S: LocalStorage> End<P, S> {
    fn new(pattern: P, side: Side, hwm: u32) -> Self {
        let mut options = Options::default();
        (options.send_hwm, options.recv_hwm) = (hwm, hwm);
        let mut node = Node::new(pattern, options);
        node.configure(Config::DEFAULT);
        let id = node.attach(side, NOW).expect("the first peer");
        Self { node, id, written: Vec::new() }
    }
    /// Sends a message; false when there is no room. Once begun it is taken.
    fn send(&mut self, parts: &[Vec<u8>]) -> bool
    where
        P: Sends,
    {
        for (at, part) in parts.iter().enumerate() {
            match self.node.send_bytes(part, at + 1 < parts.len()) {
                Ok(()) => {}
                Err(SendErrorKind::Again) if at == 0 => return false,
                Err(kind) => panic!("part {at}: {kind}"),
            }
        }
        true
    }
    fn recv(&mut self) -> Option<Vec<Vec<u8>>>
    where
        P: Receives,
    {
        let mut parts = Vec::new();
        loop {
            match self.node.recv() {
                Ok(frame) => {
                    parts.push(frame.body.as_ref().to_vec());
                    if !frame.more {
                        return Some(parts);
                    }
                }
                Err(RecvError::Again | RecvError::State) if parts.is_empty() => return None,
                Err(error) => panic!("torn after {} parts: {error}", parts.len()),
            }
        }
    }
}

/// The two ends. `a` connects and keeps its pipe through a cut, `b` has bound and loses it.
struct Wire<P: Pattern, Q: Pattern, S: LocalStorage> {
    a: End<P, S>,
    b: End<Q, S>,
    cuts: usize,
}

impl<P: Pattern, Q: Pattern, S: LocalStorage> Wire<P, Q, S> {
    fn new(a: P, b: Q, source: &mut Decisions<'_>) -> Self {
        let (snd, rcv) = (source.pick(&HWM), source.pick(&HWM));
        Self { a: End::new(a, Side::Connect, snd), b: End::new(b, Side::Bind, rcv), cuts: 0 }
    }
    /// Moves a few octets, or cuts the wire.
    fn step(&mut self, source: &mut Decisions<'_>) {
        let what = usize::from(source.octet());
        let len = what / 5;
        match what % 5 {
            0 => self.a.transmit(len),
            1 => self.b.transmit(len),
            2 => drop(self.a.carry(len, &mut self.b)),
            3 => drop(self.b.carry(len, &mut self.a)),
            _ if what > 240 => self.cut(),
            _ => drop(self.exchange()),
        }
    }
    fn cut(&mut self) {
        self.cuts += 1;
        self.a.written.clear();
        self.b.written.clear();
        self.a.node.handle_eof(self.a.id);
        self.a.node.reconnect(self.a.id, NOW);
        self.b.node.handle_eof(self.b.id);
        self.b.node.detach(self.b.id);
        self.b.id = self.b.node.attach(Side::Bind, NOW).expect("its place is free");
        while self.a.node.poll_event().is_some() || self.b.node.poll_event().is_some() {}
    }
    /// Everything that is due goes over; true when anything did.
    fn exchange(&mut self) -> bool {
        let mut any = false;
        loop {
            self.a.transmit(usize::MAX);
            self.b.transmit(usize::MAX);
            if !(self.a.carry(usize::MAX, &mut self.b) | self.b.carry(usize::MAX, &mut self.a)) {
                return any;
            }
            any = true;
        }
    }
}

impl<P: Pattern, S: LocalStorage> End<P, S> {
    fn transmit(&mut self, room: usize) {
        let mut outlet = Outlet(&mut self.written, room);
        let full = self.node.poll_transmit(self.id, &mut outlet);
        assert!(!full || outlet.1 == 0);
    }
    /// Hands `len` of the octets written to the other end; true when it took any.
    fn carry<Q: Pattern>(&mut self, len: usize, to: &mut End<Q, S>) -> bool {
        let len = len.min(self.written.len());
        let used = to.node.handle_input(to.id, &self.written[..len], NOW);
        self.written.drain(..used);
        assert_eq!(to.node.closed(to.id), None, "nobody did anything wrong");
        used > 0
    }
}

/// Message `number`: one to three parts that tell where they belong.
fn message(number: u16) -> Vec<Vec<u8>> {
    let [high, low] = number.to_be_bytes();
    let parts = number % 3 + 1;
    (0..parts).map(|part| [&[high, low, part as u8][..], &vec![b'.'; usize::from(number % 7)]].concat()).collect()
}

/// The number of a message that is whole.
fn number(parts: &[Vec<u8>]) -> u16 {
    let number = u16::from_be_bytes([parts[0][0], parts[0][1]]);
    assert_eq!(parts, message(number), "torn or mixed");
    number
}

/// PUSH to PULL: numbers only grow, and all arrive unless the wire was cut.
fn pipeline<S: LocalStorage>(mut source: Decisions<'_>) {
    let mut wire = Wire::<_, _, S>::new(Push, Pull, &mut source);
    let (mut sent, mut received) = (0, Vec::<u16>::new());
    let take = |wire: &mut Wire<Push, Pull, S>, received: &mut Vec<u16>| {
        let Some(parts) = wire.b.recv() else { return false };
        received.push(number(&parts));
        true
    };
    while !source.is_empty() {
        match source.below(4) {
            0 => sent += u16::from(wire.a.send(&message(sent))),
            1 => drop(take(&mut wire, &mut received)),
            _ => wire.step(&mut source),
        }
    }
    while wire.exchange() | take(&mut wire, &mut received) {}
    assert!(received.is_sorted_by(|a, b| a < b), "out of order or twice: {received:?}");
    assert!(received.len() <= usize::from(sent));
    if wire.cuts == 0 {
        assert_eq!(received.len(), usize::from(sent), "lost");
    }
    assert!(wire.a.send(&message(sent)), "all was read, so there is room");
}

const TOPICS: [&[u8]; 5] = [b"", b"a", b"ab", b"b", b"abc"];

/// PUB to SUB: once all is quiet, what is subscribed to arrives and nothing else.
fn publish<S: LocalStorage>(mut source: Decisions<'_>) {
    let mut wire = Wire::<_, _, S>::new(Sub, Pub, &mut source);
    let mut wanted = BTreeMap::<&[u8], usize>::new();
    while !source.is_empty() {
        let topic = source.pick(&TOPICS);
        match source.below(6) {
            0 => {
                wire.a.node.subscribe(topic).expect("there is room");
                *wanted.entry(topic).or_default() += 1;
            }
            1 if wanted.contains_key(topic) => {
                wire.a.node.unsubscribe(topic).expect("it is there");
                let count = wanted.get_mut(topic).expect("it is there");
                *count -= 1;
                if *count == 0 {
                    wanted.remove(topic);
                }
            }
            2 => assert!(wire.b.send(&[topic.to_vec(), b"x".to_vec()]), "PUB drops, it never waits"),
            3 => drop(wire.a.recv()),
            _ => wire.step(&mut source),
        }
    }
    // A receive that finds nothing may yet have made room: it discards what is no longer wanted.
    while wire.exchange() | wire.a.recv().is_some() | wire.exchange() {}
    for topic in TOPICS {
        assert!(wire.b.send(&[topic.to_vec(), b"last".to_vec()]));
        wire.exchange();
        let arrives = wanted.keys().any(|prefix| topic.starts_with(prefix));
        let expected = arrives.then(|| vec![topic.to_vec(), b"last".to_vec()]);
        assert_eq!(wire.a.recv(), expected, "of {topic:?} with {wanted:?}");
    }
}

/// REQ to REP: strict alternation, and the reply is to the request.
fn request<S: LocalStorage>(mut source: Decisions<'_>) {
    let mut wire = Wire::<_, _, S>::new(Req, Rep, &mut source);
    let (mut next, mut owed, mut asked) = (0u16, None, None);
    let serve = |wire: &mut Wire<Req, Rep, S>, owed: &mut Option<u16>| match *owed {
        None => {
            *owed = wire.b.recv().map(|parts| number(&parts));
            owed.is_some()
        }
        Some(request) => {
            assert_eq!(wire.b.node.recv().map(|_| ()), Err(RecvError::State), "a reply is owed");
            assert!(wire.b.send(&message(request)), "a reply is never refused");
            *owed = None;
            true
        }
    };
    let ask = |wire: &mut Wire<Req, Rep, S>, asked: &mut Option<u16>, next: &mut u16| match *asked {
        None => {
            assert_eq!(wire.a.node.recv().map(|_| ()), Err(RecvError::State), "nothing was asked");
            if wire.a.send(&message(*next)) {
                *asked = Some(*next);
                *next += 1;
            }
            false
        }
        Some(request) => {
            assert_eq!(wire.a.node.send_bytes(b"again", false), Err(SendErrorKind::State), "a reply is awaited");
            let Some(parts) = wire.a.recv() else { return false };
            assert_eq!(number(&parts), request, "a reply to something else");
            *asked = None;
            true
        }
    };
    while !source.is_empty() {
        match source.below(4) {
            0 => drop(ask(&mut wire, &mut asked, &mut next)),
            1 => drop(serve(&mut wire, &mut owed)),
            _ => wire.step(&mut source),
        }
    }
    while wire.exchange() | serve(&mut wire, &mut owed) | (asked.is_some() && ask(&mut wire, &mut asked, &mut next)) {}
    assert!(wire.cuts > 0 || asked.is_none(), "the reply was lost");
}

/// DEALER to ROUTER and back: what returns was sent, in order, and all of it unless the wire was cut.
fn echo<S: LocalStorage>(mut source: Decisions<'_>) {
    let mut wire = Wire::<_, _, S>::new(Dealer, Router, &mut source);
    let (mut sent, mut returned, mut dropped) = (0, Vec::<u16>::new(), 0);
    let reflect = |wire: &mut Wire<Dealer, Router, S>, sent: u16, dropped: &mut u16| {
        let Some(parts) = wire.b.recv() else { return false };
        assert!(!parts[0].is_empty() && number(&parts[1..]) < sent);
        // A ROUTER drops what its peer has no room for.
        *dropped += 1;
        assert!(wire.b.send(&parts), "ROUTER never waits");
        true
    };
    let take = |wire: &mut Wire<Dealer, Router, S>, returned: &mut Vec<u16>| {
        let Some(parts) = wire.a.recv() else { return false };
        returned.push(number(&parts));
        true
    };
    while !source.is_empty() {
        match source.below(6) {
            0 | 1 => sent += u16::from(wire.a.send(&message(sent))),
            2 => drop(reflect(&mut wire, sent, &mut dropped)),
            3 => drop(take(&mut wire, &mut returned)),
            _ => wire.step(&mut source),
        }
    }
    while wire.exchange() | take(&mut wire, &mut returned) | reflect(&mut wire, sent, &mut dropped) {}
    assert!(returned.is_sorted_by(|a, b| a < b), "out of order or twice: {returned:?}");
    assert!(returned.len() <= usize::from(dropped) && dropped <= sent);
    assert!(wire.cuts > 0 || dropped == sent, "the ROUTER did not get all");
}
