//! The application behind a socket under test: says numbered messages, answers, writes down what it hears.

use crate::kind::Kind;
use crate::message::Stamp;
use omnimq_core::{Instant, SendErrorKind, SocketType};
use omnimq_tests::world::{Message, NodeId, World};
use std::time::Duration;

/// What an application does with its socket, given the type of its peer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Says, never hears.
    Talk,
    /// Hears, never says.
    Listen,
    /// Says and hears, independently.
    Both,
    /// Says one and waits for its echo.
    Ask,
    /// Sends back what it hears.
    Echo,
}

impl Part {
    /// The part of a socket of type `mine` towards one of type `peer`.
    pub(crate) fn of(mine: SocketType, peer: SocketType) -> Self {
        match (mine, peer) {
            (SocketType::Push | SocketType::Pub | SocketType::XPub, _) => Self::Talk,
            (SocketType::Pull | SocketType::Sub | SocketType::XSub, _) => Self::Listen,
            (SocketType::Pair, _) | (SocketType::Dealer, SocketType::Dealer) | (SocketType::Router, SocketType::Router) => {
                Self::Both
            }
            (SocketType::Req | SocketType::Dealer, _) => Self::Ask,
            (SocketType::Rep | SocketType::Router, _) => Self::Echo,
            (mine, peer) => panic!("{mine:?} and {peer:?} do not talk"),
        }
    }
    pub(crate) fn says(self) -> bool {
        matches!(self, Self::Talk | Self::Both | Self::Ask)
    }
}

/// One application.
#[derive(Debug)]
pub(crate) struct Player {
    pub(crate) node: NodeId,
    pub(crate) part: Part,
    socket_type: SocketType,
    pub(crate) from: u8,
    pub(crate) topic: u8,
    /// What goes before and comes before each message: a routing id, an empty delimiter.
    pub(crate) envelope: Message,
    /// The number of the next message it says.
    pub(crate) next: u32,
    /// What it heard, oldest first.
    pub(crate) heard: Vec<Stamp>,
    /// XPUB: how many subscription events it heard.
    pub(crate) subscriptions: usize,
    /// ASK: until when to wait for the echo of the last message.
    waiting: Option<Instant>,
    /// ASK: how long it waits before it asks something else.
    patience: Duration,
    /// ECHO: an answer that found no room yet.
    owed: Option<Message>,
    quiet_until: Instant,
}

impl Player {
    pub(crate) fn new(node: NodeId, from: u8, mine: SocketType, peer: SocketType, streams_end: bool) -> Self {
        let envelope = match (mine, peer) {
            (SocketType::Dealer, SocketType::Rep) => vec![Vec::new()],
            (SocketType::Router, SocketType::Router) => vec![vec![b'n', 1 - from]],
            _ => Vec::new(),
        };
        let part = Part::of(mine, peer);
        Self {
            node,
            part,
            socket_type: mine,
            subscriptions: 0,
            from,
            topic: b't',
            envelope,
            next: 0,
            heard: Vec::new(),
            waiting: None,
            patience: if streams_end { Duration::from_millis(500) } else { Duration::from_secs(3_600) },
            owed: None,
            quiet_until: Instant::ZERO,
        }
    }
    /// Says its next message if the socket takes it and `pause` has passed since the last.
    pub(crate) fn say<S: Kind>(&mut self, world: &mut World<S>, pause: Duration) {
        let now = world.now();
        let waits = self.waiting.is_some_and(|until| now < until);
        if !self.part.says() || waits || now < self.quiet_until {
            return;
        }
        let stamp = Stamp { from: self.from, number: self.next };
        let mut message = self.envelope.clone();
        message.extend(stamp.message(self.topic, S::LARGEST));
        match world.send(self.node, &message) {
            Ok(()) => {
                self.next += 1;
                self.quiet_until = now + pause;
                world.alarm(self.quiet_until);
                if self.part == Part::Ask {
                    self.waiting = Some(now + self.patience);
                    world.alarm(now + self.patience);
                }
            }
            Err(SendErrorKind::Again | SendErrorKind::Unroutable | SendErrorKind::State) => {}
            Err(kind) => panic!("{kind}"),
        }
    }
    /// Takes what has come, echoing if that is its part. Returns how many messages came.
    pub(crate) fn hear<S: Kind>(&mut self, world: &mut World<S>) -> usize {
        if self.part == Part::Talk {
            return self.hear_subscriptions(world);
        }
        if self.part == Part::Echo {
            return self.echo(world);
        }
        let before = self.heard.len();
        while let Some(message) = world.recv(self.node) {
            let inner = message.strip_prefix(self.envelope.as_slice()).expect("the envelope");
            let stamp = Stamp::of(inner, S::LARGEST);
            if self.part == Part::Ask && stamp.number + 1 == self.next {
                self.waiting = None;
            }
            self.heard.push(stamp);
        }
        self.heard.len() - before
    }
    /// XPUB hears of subscriptions: of this one topic, on and off in turn.
    fn hear_subscriptions<S: Kind>(&mut self, world: &mut World<S>) -> usize {
        if self.socket_type != SocketType::XPub {
            return 0;
        }
        let before = self.subscriptions;
        while let Some(event) = world.recv(self.node) {
            let on = u8::from(self.subscriptions.is_multiple_of(2));
            assert_eq!(event, [[on, self.topic]], "event {} of XPUB", self.subscriptions);
            self.subscriptions += 1;
        }
        self.subscriptions - before
    }
    fn echo<S: Kind>(&mut self, world: &mut World<S>) -> usize {
        let mut answered = 0;
        while let Some(message) = self.owed.take().or_else(|| world.recv(self.node)) {
            match world.send(self.node, &message) {
                Ok(()) => answered += 1,
                Err(SendErrorKind::Again) => {
                    self.owed = Some(message);
                    break;
                }
                // The asker has gone.
                Err(SendErrorKind::Unroutable) => {}
                Err(kind) => panic!("{kind}"),
            }
        }
        answered
    }
}
