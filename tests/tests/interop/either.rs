//! One socket, ours or libzmq's: what is played with each of them in turn has to come out alike.

use crate::ours::{SOON, number, numbered, options, send_many, until};
use omnimq::{Context, Socket, SocketOptions, SocketType};
use omnimq_tests::libzmq::{Part, Peer, Socket as Theirs};
use std::time::Duration;

/// Whose a socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Ours,
    Theirs,
}

/// The sockets of two ends: whose each is.
pub(crate) const ENDS: [(Whose, Whose); 4] =
    [(Whose::Ours, Whose::Theirs), (Whose::Theirs, Whose::Ours), (Whose::Ours, Whose::Ours), (Whose::Theirs, Whose::Theirs)];

/// An option of a socket, under libzmq's name and ours.
pub(crate) struct Setting(pub(crate) &'static str, pub(crate) i64, pub(crate) fn(&mut SocketOptions));

/// ZMQ_CONFLATE.
pub(crate) const CONFLATE: Setting = Setting("CONFLATE", 1, |options| options.conflate = true);

/// ZMQ_IMMEDIATE.
pub(crate) const IMMEDIATE: Setting = Setting("IMMEDIATE", 1, |options| options.immediate = true);

/// ZMQ_XPUB_MANUAL.
pub(crate) const MANUAL: Setting = Setting("XPUB_MANUAL", 1, |options| options.pattern.manual = true);

/// Whoever comes late is soon found.
pub(crate) const QUICK: Setting =
    Setting("RECONNECT_IVL", 10, |options| options.reconnect.ivl = Some(Duration::from_millis(10)));

/// Where sockets of both kinds are made.
pub(crate) struct Makers<'a> {
    pub(crate) context: &'a Context,
    pub(crate) peer: &'a Peer,
}

pub(crate) enum Either<'a> {
    Ours(Box<Socket>),
    Theirs(Theirs<'a>),
}

impl<'a> Makers<'a> {
    pub(crate) fn socket(&self, whose: Whose, socket_type: SocketType, settings: &[Setting]) -> Either<'a> {
        match whose {
            Whose::Ours => {
                let mut options = options();
                settings.iter().for_each(|setting| setting.2(&mut options));
                Either::Ours(Box::new(self.context.socket_with(socket_type, options).unwrap()))
            }
            Whose::Theirs => {
                let settings: Vec<_> = settings.iter().map(|setting| (setting.0, setting.1)).collect();
                Either::Theirs(self.peer.socket_with(socket_type.name(), &settings))
            }
        }
    }
}

impl Either<'_> {
    pub(crate) fn bind(&mut self, endpoint: &str) -> String {
        match self {
            // A socket that was dropped a moment ago may have it still.
            Self::Ours(ours) => until("a free endpoint", || ours.bind(endpoint).ok()),
            Self::Theirs(theirs) => theirs.bind(endpoint),
        }
    }
    pub(crate) fn connect(&mut self, endpoint: &str) {
        match self {
            Self::Ours(ours) => ours.connect(endpoint).unwrap(),
            Self::Theirs(theirs) => theirs.connect(endpoint),
        }
    }
    pub(crate) fn close(self) {
        match self {
            Self::Ours(ours) => drop(ours),
            Self::Theirs(theirs) => theirs.close(Duration::ZERO),
        }
    }
    pub(crate) fn subscribe(&mut self, topic: &[u8]) {
        match self {
            Self::Ours(ours) => ours.subscribe(topic).unwrap(),
            Self::Theirs(theirs) => theirs.subscribe(topic),
        }
    }
    /// Receives a message of one part.
    pub(crate) fn hear_octets(&mut self) -> Vec<u8> {
        match self {
            Self::Ours(ours) => ours.recv().unwrap().bytes().to_vec(),
            Self::Theirs(theirs) => theirs.recv_octets(SOON).unwrap().remove(0),
        }
    }
    /// Sends a message of one part.
    pub(crate) fn say_octets(&mut self, body: &[u8]) {
        match self {
            Self::Ours(ours) => ours.send(body).unwrap(),
            Self::Theirs(theirs) => theirs.send(&[Part::from(body)], SOON).unwrap(),
        }
    }
    /// A manual XPUB gives the peer that asked last a topic.
    pub(crate) fn subscribe_last(&mut self, topic: &str) {
        match self {
            Self::Ours(ours) => ours.subscribe_last(topic).unwrap(),
            Self::Theirs(theirs) => theirs.subscribe(topic.as_bytes()),
        }
    }
    /// It takes a topic back.
    pub(crate) fn unsubscribe_last(&mut self, topic: &str) {
        match self {
            Self::Ours(ours) => ours.unsubscribe_last(topic).unwrap(),
            Self::Theirs(theirs) => theirs.unsubscribe(topic.as_bytes()),
        }
    }
    /// Sends numbered messages of `size` octets until one would have to wait; how many went.
    pub(crate) fn send_many(&mut self, first: u64, count: u64, size: usize) -> u64 {
        match self {
            Self::Ours(ours) => send_many(ours, first, count, size),
            Self::Theirs(theirs) => theirs.send_many(first, count, size, Duration::ZERO),
        }
    }
    /// Sends numbered messages of `size` octets, all of them.
    pub(crate) fn send_all(&mut self, first: u64, count: u64, size: usize) {
        match self {
            Self::Ours(ours) => (first..first + count).for_each(|n| ours.send(numbered(n, size)).unwrap()),
            Self::Theirs(theirs) => assert_eq!(theirs.send_many(first, count, size, SOON), count),
        }
    }
    /// Receives numbered messages up to this one, behind which there is none: their numbers.
    pub(crate) fn hear_until(&mut self, last: u64) -> Vec<u64> {
        let mut heard = Vec::new();
        while heard.last() != Some(&last) {
            heard.push(self.hear(SOON).unwrap_or_else(|| panic!("{last} does not come: {heard:?}")));
        }
        assert_eq!(self.hear(Duration::from_millis(10)), None);
        heard
    }
    /// Receives a numbered message, if one comes in time.
    pub(crate) fn hear(&mut self, wait: Duration) -> Option<u64> {
        match self {
            Self::Ours(ours) => ours.recv_timeout(wait).ok().as_ref().map(number),
            Self::Theirs(theirs) => theirs.recv_many(1, wait).first().map(|&(first, _)| first),
        }
    }
}
