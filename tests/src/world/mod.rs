//! The virtual wire: N nodes of the core in virtual time, on links that delay, split, stall and die by a seed.
//!
//! Itself without I/O, clock or hidden randomness: one seed gives one history, whose digest is
//! [`World::history`]. A scenario drives it in steps:
//!
//! ```
//! use omnimq_core::{Heap, Options, SocketType};
//! use omnimq_tests::world::{Plan, World};
//!
//! let mut world = World::<Heap>::new(7, Plan::SPLIT);
//! let pull = world.node(SocketType::Pull, Options::default());
//! let push = world.node(SocketType::Push, Options::default());
//! world.connect(push, pull);
//! world.send(push, &[b"work"]).unwrap();
//! let mut got = None;
//! world.run_until(1_000_000, |world| {
//!     got = world.recv(pull);
//!     got.is_some()
//! });
//! assert_eq!(got.unwrap(), [b"work"]);
//! ```

mod link;
mod plan;
mod stream;

pub use link::{End, LinkId, LinkState};
pub use plan::{Micros, Plan};

use link::{Link, Trouble};
use omnimq_core::{
    AnyPattern, Event, Failure, FilterError, Instant, LocalStorage, Node, Options, PipeId, Reconnect, RecvError,
    SendErrorKind, Side, SocketType,
};
use omnimq_seeds::Rng;
use std::collections::BTreeSet;
use std::time::Duration;
use stream::{Offer, Stream};

/// A node's place in its world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(usize);

/// Whole messages, as lists of parts.
pub type Message = Vec<Vec<u8>>;

/// What a node told of one of its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happening {
    /// When.
    pub at: Instant,
    /// Who told.
    pub node: NodeId,
    /// Of which of its pipes.
    pub pipe: PipeId,
    /// What.
    pub event: Event,
}

/// Nodes, the links between them, and the time.
pub struct World<S: LocalStorage> {
    /// What the links do; may be changed at any time.
    pub plan: Plan,
    now: Instant,
    rng: Rng,
    nodes: Vec<Node<AnyPattern, S>>,
    links: Vec<Link>,
    alarms: BTreeSet<Instant>,
    events: Vec<Happening>,
    /// The application sent or received: there may be something to move.
    touched: bool,
    history: u64,
}

impl<S: LocalStorage> World<S> {
    /// An empty world.
    pub fn new(seed: u64, plan: Plan) -> Self {
        Self {
            plan,
            now: Instant::ZERO,
            rng: Rng::new(seed),
            nodes: Vec::new(),
            links: Vec::new(),
            alarms: BTreeSet::new(),
            events: Vec::new(),
            touched: false,
            history: 0xcbf2_9ce4_8422_2325,
        }
    }
    /// Adds a socket.
    pub fn node(&mut self, socket_type: SocketType, options: Options) -> NodeId {
        let pattern = AnyPattern::new(socket_type).expect("a socket type with a pattern");
        self.nodes.push(Node::new(pattern, options));
        NodeId(self.nodes.len() - 1)
    }
    /// Names a socket to its later peers.
    pub fn identify(&mut self, node: NodeId, identity: &[u8]) {
        self.nodes[node.0].set_routing_id(identity).expect("an identity that the storage can keep");
    }
    /// `connect` connects to `bind`. The pipe of the connecting side is there at once, the stream at the next step.
    pub fn connect(&mut self, connect: NodeId, bind: NodeId) -> LinkId {
        let mut link = Link::new(bind, connect, Reconnect::new(self.plan.reconnect, self.rng.draw()));
        let pipe = self.nodes[connect.0].attach(Side::Connect, self.now);
        link.side(End::Connect).pipe = Some(pipe.expect("a free place at the connecting node"));
        link.foresee(&self.plan, self.now, &mut self.rng);
        self.links.push(link);
        self.touched = true;
        LinkId(self.links.len() - 1)
    }
    /// The time.
    pub fn now(&self) -> Instant {
        self.now
    }
    /// The world's own random numbers: what a scenario draws here belongs to its history.
    pub fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }
    /// A digest of everything that went over the links so far, and when.
    pub fn history(&self) -> u64 {
        self.history
    }
    /// What the nodes have told of their connections, oldest first.
    pub fn events(&self) -> &[Happening] {
        &self.events
    }
    /// The node itself.
    pub fn core(&mut self, node: NodeId) -> &mut Node<AnyPattern, S> {
        self.touched = true;
        &mut self.nodes[node.0]
    }
    /// Makes [`run_until`](Self::run_until) look again at `at`.
    pub fn alarm(&mut self, at: Instant) {
        self.alarms.insert(at);
    }
}

/// The application's side.
impl<S: LocalStorage> World<S> {
    /// Sends a whole message.
    ///
    /// # Errors
    /// Why the first part was refused. Once begun, a message is taken to its end.
    pub fn send(&mut self, node: NodeId, parts: &[impl AsRef<[u8]>]) -> Result<(), SendErrorKind> {
        for (at, part) in parts.iter().enumerate() {
            let sent = self.nodes[node.0].send_bytes(part.as_ref(), at + 1 < parts.len());
            if let Err(kind) = sent {
                assert!(at == 0 || kind != SendErrorKind::Again, "EAGAIN in the middle of a message");
                return Err(kind);
            }
        }
        self.touched = true;
        Ok(())
    }
    /// Receives a whole message, if one is at hand.
    pub fn recv(&mut self, node: NodeId) -> Option<Message> {
        let mut message = Message::new();
        loop {
            match self.nodes[node.0].recv() {
                Ok(frame) => {
                    message.push(frame.body.as_ref().to_vec());
                    if !frame.more {
                        self.touched = true;
                        return Some(message);
                    }
                }
                Err(RecvError::Again | RecvError::State) if message.is_empty() => return None,
                Err(error) => panic!("{error} after {} parts of a message", message.len()),
            }
        }
    }
    /// Adds a topic.
    ///
    /// # Errors
    /// Why it was refused.
    pub fn subscribe(&mut self, node: NodeId, topic: &[u8]) -> Result<(), FilterError> {
        self.touched = true;
        self.nodes[node.0].subscribe(topic)
    }
    /// Takes one subscription of a topic back.
    ///
    /// # Errors
    /// Why it was refused.
    pub fn unsubscribe(&mut self, node: NodeId, topic: &[u8]) -> Result<(), FilterError> {
        self.touched = true;
        self.nodes[node.0].unsubscribe(topic)
    }
}

/// The passing of time.
impl<S: LocalStorage> World<S> {
    /// Goes on until `done`, which plays the applications: it is asked after everything possible has moved, again
    /// when it sent or received, and then once per moment at which something happens.
    ///
    /// # Panics
    /// When `micros` have passed, or nothing will ever happen any more, and `done` was false all the time.
    pub fn run_until(&mut self, micros: u64, mut done: impl FnMut(&mut Self) -> bool) {
        let deadline = self.now + Duration::from_micros(micros);
        loop {
            self.touched = false;
            self.exchange();
            if done(self) {
                return;
            }
            if self.touched {
                continue;
            }
            match self.next() {
                Some(next) if next <= deadline => self.advance(next),
                next => panic!("stuck at {:?}, next is {next:?}: {:#?}", self.now, self.links),
            }
        }
    }
    /// Lets `micros` pass, the applications being away.
    pub fn run(&mut self, micros: u64) {
        let deadline = self.now + Duration::from_micros(micros);
        self.exchange();
        while let Some(next) = self.next().filter(|next| *next <= deadline) {
            self.advance(next);
            self.exchange();
        }
        self.now = deadline;
    }
    /// When something happens next.
    fn next(&self) -> Option<Instant> {
        let alarms = self.alarms.iter().copied().filter(|at| *at > self.now);
        let timeouts = self.nodes.iter().filter_map(Node::poll_timeout);
        self.links.iter().filter_map(|link| link.next(self.now)).chain(alarms).chain(timeouts).min()
    }
    fn advance(&mut self, next: Instant) {
        self.now = self.now.max(next);
        self.alarms.retain(|at| *at > next);
        for at in (0..self.links.len()).map(LinkId) {
            while let Some(trouble) = self.links[at.0].trouble(&self.plan, self.now, &mut self.rng) {
                match trouble {
                    Trouble::Cut => self.cut(at),
                    Trouble::HalfClose(end) => self.half_close(at, end),
                    Trouble::Stall(end, lasts) => self.stall(at, end, lasts),
                }
            }
            self.links[at.0].foresee(&self.plan, self.now, &mut self.rng);
        }
    }
    /// Moves everything that can move at this moment.
    fn exchange(&mut self) {
        loop {
            let mut moved = false;
            for node in &mut self.nodes {
                node.handle_timeout(self.now);
            }
            for at in (0..self.links.len()).map(LinkId) {
                if self.links[at.0].tries(self.now) {
                    self.establish(at);
                }
                for end in End::BOTH {
                    moved |= self.transmit(at, end) | self.deliver(at, end);
                    moved |= self.reap(at, end);
                }
            }
            self.listen();
            if !moved {
                return;
            }
        }
    }
    /// Writes down what the nodes have to tell.
    fn listen(&mut self) {
        for (at, node) in self.nodes.iter_mut().enumerate() {
            while let Some((pipe, event)) = node.poll_event() {
                let node = NodeId(at);
                self.events.push(Happening { at: self.now, node, pipe, event });
                let mine = |link: &&mut Link| link.connects(node, pipe);
                if let (Event::HandshakeSucceeded { .. }, Some(link)) = (event, self.links.iter_mut().find(mine)) {
                    link.reconnect.on_handshake();
                }
            }
        }
    }
}

/// What befalls links.
impl<S: LocalStorage> World<S> {
    /// Where the link stands.
    pub fn state(&self, link: LinkId) -> LinkState {
        self.links[link.0].state()
    }
    /// Whether both ends have finished the handshake of the present stream.
    pub fn is_ready(&self, link: LinkId) -> bool {
        let ready = |side: &link::Side| side.pipe.is_some_and(|pipe| self.nodes[side.node.0].is_ready(pipe));
        self.links[link.0].sides.iter().all(ready)
    }
    /// Streams made for this link so far.
    pub fn streams_made(&self, link: LinkId) -> u32 {
        self.links[link.0].streams_made
    }
    /// Both directions die; what is in flight is lost. The connecting side will try again.
    pub fn cut(&mut self, at: LinkId) {
        if !self.links[at.0].up {
            return;
        }
        self.record(at, 0xc0, b"cut");
        for end in End::BOTH {
            self.hang_up(at, end);
        }
        self.take_down(at);
    }
    /// What `from` sends ends here, after what it sent before; the other direction lives on.
    pub fn half_close(&mut self, at: LinkId, from: End) {
        if self.links[at.0].up {
            self.record(at, 0xe0, b"half-close");
            let due = self.now + self.latency();
            self.links[at.0].from(from).finish(due);
        }
    }
    /// What `from` sends is not delivered for a while.
    pub fn stall(&mut self, at: LinkId, from: End, lasts: Duration) {
        self.record(at, 0xa0, b"stall");
        let until = self.now + lasts;
        self.links[at.0].from(from).hold(until);
    }
    /// Whether attempts to connect fail from here on: the other side does not listen.
    pub fn refuse(&mut self, at: LinkId, refused: bool) {
        self.links[at.0].refused = refused;
        self.touched = true;
    }
    /// The host at `end` closes its stream: what it has not taken is lost, what it sent still gets there.
    fn hang_up(&mut self, at: LinkId, end: End) {
        let link = &mut self.links[at.0];
        let side = link.side(end);
        if !side.open {
            return;
        }
        side.open = false;
        let node = &mut self.nodes[side.node.0];
        side.pipe.into_iter().for_each(|pipe| node.handle_eof(pipe));
        self.listen();
        let link = &mut self.links[at.0];
        let side = link.side(end);
        match (end, side.pipe) {
            (End::Bind, Some(pipe)) => {
                self.nodes[side.node.0].close(pipe);
                side.pipe = None;
            }
            (End::Connect, Some(pipe)) => {
                if let Some(reason) = self.nodes[side.node.0].closed(pipe) {
                    link.reconnect.on_close(reason, self.now);
                }
            }
            (_, None) => {}
        }
        *link.from(end.other()) = Stream::default();
        let due = self.now + Self::draw_latency(&self.plan, &mut self.rng);
        self.links[at.0].from(end).finish(due);
    }
    /// The stream is gone at both ends.
    fn take_down(&mut self, at: LinkId) {
        let link = &mut self.links[at.0];
        link.streams = [Stream::default(), Stream::default()];
        link.up = false;
    }
    /// The connecting side tries to get a stream.
    fn establish(&mut self, at: LinkId) {
        let link = &mut self.links[at.0];
        if link.refused {
            link.reconnect.on_failure(Failure::Refused, self.now);
            return;
        }
        let binder = &mut self.nodes[link.side(End::Bind).node.0];
        let Some(pipe) = binder.attach(Side::Bind, self.now) else {
            link.reconnect.on_failure(Failure::Handshake, self.now);
            return;
        };
        link.side(End::Bind).pipe = Some(pipe);
        let side = link.side(End::Connect);
        side.pipe.into_iter().for_each(|pipe| self.nodes[side.node.0].reconnect(pipe, self.now));
        for end in End::BOTH {
            link.side(end).open = true;
        }
        link.up = true;
        link.streams_made += 1;
        self.record(at, 0x50, b"up");
    }
}

/// Octets.
impl<S: LocalStorage> World<S> {
    /// Takes what the node at `end` has to send, as far as the window allows.
    fn transmit(&mut self, at: LinkId, end: End) -> bool {
        let window = self.plan.window;
        let link = &mut self.links[at.0];
        let space = window.saturating_sub(link.from(end).len());
        if link.from(end).finished() || space == 0 {
            return false;
        }
        let side = link.side(end);
        let (Some(pipe), true) = (side.pipe, side.open) else { return false };
        let room = if self.plan.split { Self::piece(&mut self.rng, space) } else { space };
        let mut offer = Offer { octets: Vec::new(), room };
        self.nodes[side.node.0].poll_transmit(pipe, &mut offer);
        if offer.octets.is_empty() {
            return false;
        }
        self.record(at, end.index() as u8, &offer.octets);
        let due = self.now + self.latency();
        let link = &mut self.links[at.0];
        if link.side(end.other()).open {
            link.from(end).send(offer.octets, due);
        }
        true
    }
    /// Hands what has arrived to the node at `end`; true when it took something.
    fn deliver(&mut self, at: LinkId, end: End) -> bool {
        let link = &mut self.links[at.0];
        let (Some(pipe), true) = (link.side(end).pipe, link.side(end).open) else { return false };
        let node = &mut self.nodes[link.side(end).node.0];
        let stream = link.from(end.other());
        stream.land(self.now);
        // A frame that was complete but had no room needs no more octets to go on.
        node.handle_input(pipe, [].as_slice(), self.now);
        let mut moved = false;
        while !stream.arrived().is_empty() {
            let arrived = stream.arrived();
            let n = if self.plan.split { Self::piece(&mut self.rng, arrived.len()) } else { arrived.len() };
            let direct = self.plan.split && self.rng.one_in(2);
            let used = match node.wanted(pipe).filter(|_| direct) {
                Some(space) => {
                    let n = n.min(space.len());
                    space[..n].copy_from_slice(&arrived[..n]);
                    node.filled(pipe, n, self.now);
                    n
                }
                None => node.handle_input(pipe, &arrived[..n], self.now),
            };
            stream.take(used);
            moved |= used > 0;
            if used < n {
                break;
            }
        }
        moved
    }
    /// Ends what has ended at `end`: by its own node's wish, or because the other side's octets have come to their end.
    fn reap(&mut self, at: LinkId, end: End) -> bool {
        let now = self.now;
        let link = &mut self.links[at.0];
        let (Some(pipe), true) = (link.side(end).pipe, link.side(end).open) else { return false };
        let closed = self.nodes[link.side(end).node.0].closed(pipe);
        if closed.is_none() && !link.from(end.other()).at_end(now) {
            return false;
        }
        self.hang_up(at, end);
        let link = &mut self.links[at.0];
        if link.sides.iter().all(|side| !side.open) {
            self.take_down(at);
        }
        true
    }
    fn latency(&mut self) -> Duration {
        Self::draw_latency(&self.plan, &mut self.rng)
    }
    fn draw_latency(plan: &Plan, rng: &mut Rng) -> Duration {
        Duration::from_micros(rng.within(&plan.latency))
    }
    /// A length up to `most`, the small ones likelier.
    fn piece(rng: &mut Rng, most: usize) -> usize {
        let bound = [1, 4, 40, most][rng.length(0..=3)];
        rng.length(1..=bound.min(most))
    }
    /// Adds to the digest of the history (FNV-1a).
    fn record(&mut self, at: LinkId, what: u8, octets: &[u8]) {
        let head = self.now.micros().to_le_bytes().into_iter().chain([at.0 as u8, what]);
        for byte in head.chain(octets.iter().copied()) {
            self.history = (self.history ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}
