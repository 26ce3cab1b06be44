//! Every legal pair (ours, theirs), over tcp and ipc, either side binding: messages of all shapes and sizes pass unchanged
//! both ways.

use crate::ours::{SOON, TRANSPORTS, anywhere, digests, message, options, until};
use omnimq::{Context, Frame, Socket, SocketType};
use omnimq_tests::libzmq::{Digest, Part, Peer, Socket as Theirs};
use std::time::Duration;

/// How a pair converses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Talk {
    WeTell,
    TheyTell,
    BothTell,
    WeAsk,
    TheyAsk,
}

impl Talk {
    fn of(ours: SocketType, theirs: SocketType) -> Self {
        use SocketType as T;
        match (ours, theirs) {
            (T::Push | T::Pub | T::XPub, _) => Self::WeTell,
            (T::Pull | T::Sub | T::XSub, _) => Self::TheyTell,
            (T::Req, _) | (T::Dealer, T::Rep | T::Router) => Self::WeAsk,
            (_, T::Req) | (T::Rep | T::Router, T::Dealer) => Self::TheyAsk,
            _ => Self::BothTell,
        }
    }
}

/// What goes before a message from a socket of type `mine` to `peer`, whose routing id is `id`; also what comes before
/// one from there.
fn envelope(mine: SocketType, peer: SocketType, id: &str) -> Vec<Part> {
    use SocketType as T;
    match (mine, peer) {
        (T::Dealer, T::Rep) => vec![Part::from("")],
        (T::Router, T::Req) => vec![Part::from(id), Part::from("")],
        (T::Router, _) => vec![Part::from(id)],
        _ => Vec::new(),
    }
}

/// The routing ids of the two sides.
const OUR_ID: &str = "ours";
const THEIR_ID: &str = "theirs";

/// What passes each way.
fn messages() -> Vec<Vec<Part>> {
    let mut messages: Vec<Vec<Part>> =
        [0, 1, 255, 256, 64 << 10].into_iter().map(|size| vec![Part::Pattern(size, 1)]).collect();
    messages.push(vec![Part::from("head"), Part::from(""), Part::Pattern(300, 2)]);
    messages.push(vec![Part::from(""), Part::from("")]);
    messages.push((0..40).map(|at| Part::Pattern(at * 17, 3)).collect());
    messages.push(vec![Part::Pattern(255, 4), Part::Pattern(64 << 10, 5), Part::Pattern(1, 6)]);
    messages.push(vec![Part::from("head"), Part::Pattern(64 << 20, 7), Part::from("tail")]);
    messages
}

/// The two sockets and what they put around messages.
struct Pair<'a> {
    ours: Socket,
    theirs: &'a Theirs<'a>,
    our_envelope: Vec<Part>,
    their_envelope: Vec<Part>,
}

impl Pair<'_> {
    /// From us to them.
    fn tell(&mut self, parts: &[Part]) {
        let mut whole = self.our_envelope.clone();
        whole.extend_from_slice(parts);
        // A ROUTER does not know its peer before the handshake is over.
        until("send", || self.ours.send(message(&whole)).ok());
        assert_eq!(self.theirs.recv(SOON).unwrap(), expected(&self.their_envelope, parts));
    }
    /// From them to us.
    fn hear(&mut self, parts: &[Part]) {
        let mut whole = self.their_envelope.clone();
        whole.extend_from_slice(parts);
        until("send", || self.theirs.send(&whole, SOON).ok());
        assert_eq!(digests(&self.ours.recv().unwrap()), expected(&self.our_envelope, parts));
    }
    fn converse(&mut self, talk: Talk, parts: &[Part]) {
        match talk {
            Talk::WeTell => self.tell(parts),
            Talk::TheyTell => self.hear(parts),
            Talk::WeAsk => {
                self.tell(parts);
                self.hear(parts);
            }
            Talk::TheyAsk | Talk::BothTell => {
                self.hear(parts);
                self.tell(parts);
            }
        }
    }
    /// Lets a subscription get through: a publisher drops what is sent before. Numbered probes, the last of which
    /// ends what is to be passed over.
    fn await_subscription(&mut self, talk: Talk) {
        let brief = Duration::from_millis(50);
        let mut number = 0_u32;
        let digest = |number: u32| Digest::of(&number.to_be_bytes());
        until("a first message", || {
            number += 1;
            if talk == Talk::WeTell {
                self.ours.send(&number.to_be_bytes()).unwrap();
                self.theirs.recv(brief).ok().map(drop)
            } else {
                self.theirs.send(&[Part::from(&number.to_be_bytes())], brief).unwrap();
                self.ours.recv_timeout(brief).ok().map(drop)
            }
        });
        number += 1;
        if talk == Talk::WeTell {
            self.ours.send(&number.to_be_bytes()).unwrap();
            until("the last probe", || (self.theirs.recv(SOON).unwrap() == [digest(number)]).then_some(()));
        } else {
            self.theirs.send(&[Part::from(&number.to_be_bytes())], SOON).unwrap();
            until("the last probe", || (digests(&self.ours.recv().unwrap()) == [digest(number)]).then_some(()));
        }
    }
}

fn expected(envelope: &[Part], parts: &[Part]) -> Vec<Digest> {
    envelope.iter().chain(parts).map(Part::digest).collect()
}

/// One binds, the other connects.
fn join(ours: &mut Socket, theirs: &Theirs<'_>, endpoint: &str, we_bind: bool) {
    if we_bind {
        theirs.connect(&ours.bind(endpoint).unwrap());
    } else {
        ours.connect(&theirs.bind(endpoint)).unwrap();
    }
}

/// Makes a pair and runs `conversation` on it.
fn with_pair(
    peer: &Peer,
    (ours_type, theirs_type): (SocketType, SocketType),
    transport: &str,
    we_bind: bool,
    conversation: impl FnOnce(&mut Pair<'_>, Talk),
) {
    let context = Context::new().unwrap();
    let mut options = options();
    options.routing_id = Frame::from(OUR_ID.as_bytes());
    options.pattern.mandatory = true;
    let mut ours = context.socket_with(ours_type, options).unwrap();
    let theirs = peer.socket(theirs_type.name());
    if matches!(theirs_type, SocketType::Req | SocketType::Dealer | SocketType::Router) {
        theirs.set_octets("ROUTING_ID", THEIR_ID.as_bytes());
    }
    if theirs_type == SocketType::Router {
        theirs.set("ROUTER_MANDATORY", 1);
    }
    let endpoint = anywhere(transport);
    join(&mut ours, &theirs, &endpoint, we_bind);
    match (ours_type, theirs_type) {
        (SocketType::Sub | SocketType::XSub, _) => ours.subscribe("").unwrap(),
        (_, SocketType::Sub) => theirs.subscribe(b""),
        (_, SocketType::XSub) => theirs.send(&[Part::from(b"\x01")], SOON).unwrap(),
        _ => {}
    }
    match (ours_type, theirs_type) {
        (SocketType::XPub, _) => {
            // A binding SUB of libzmq sees a new peer, and tells it its topics, only when its application calls.
            let event = until("the subscription", || {
                assert!(theirs.recv(Duration::ZERO).is_err());
                ours.recv_timeout(Duration::from_millis(50)).ok()
            });
            assert_eq!(event.bytes(), b"\x01");
        }
        (_, SocketType::XPub) => assert_eq!(theirs.recv_octets(SOON).unwrap(), [b"\x01"]),
        _ => {}
    }
    let mut pair = Pair {
        ours,
        theirs: &theirs,
        our_envelope: envelope(ours_type, theirs_type, THEIR_ID),
        their_envelope: envelope(theirs_type, ours_type, OUR_ID),
    };
    let talk = Talk::of(ours_type, theirs_type);
    if matches!(ours_type, SocketType::Pub) || matches!(theirs_type, SocketType::Pub) {
        pair.await_subscription(talk);
    }
    conversation(&mut pair, talk);
    drop(pair);
    theirs.close(Duration::ZERO);
    if let Some(path) = endpoint.strip_prefix("ipc://") {
        // Whoever bound it has left it there, as libzmq does.
        std::fs::remove_file(path).unwrap();
    }
}

/// Each transport, both sides binding, all messages.
fn pair(ours: SocketType, theirs: SocketType) {
    let peer = Peer::start();
    for transport in TRANSPORTS {
        for we_bind in [true, false] {
            with_pair(&peer, (ours, theirs), transport, we_bind, |pair, talk| {
                messages().iter().for_each(|parts| pair.converse(talk, parts));
            });
        }
    }
}

macro_rules! pairs {
    ($($name:ident: $ours:ident $theirs:ident;)*) => {
        /// The pairs that have a test.
        const PAIRS: &[[SocketType; 2]] = &[$([SocketType::$ours, SocketType::$theirs]),*];

        $(#[test]
        fn $name() {
            pair(SocketType::$ours, SocketType::$theirs);
        })*
    };
}

pairs! {
    pair_to_pair: Pair Pair;
    pub_to_sub: Pub Sub;
    pub_to_xsub: Pub XSub;
    xpub_to_sub: XPub Sub;
    xpub_to_xsub: XPub XSub;
    sub_to_pub: Sub Pub;
    sub_to_xpub: Sub XPub;
    xsub_to_pub: XSub Pub;
    xsub_to_xpub: XSub XPub;
    req_to_rep: Req Rep;
    req_to_router: Req Router;
    rep_to_req: Rep Req;
    rep_to_dealer: Rep Dealer;
    dealer_to_rep: Dealer Rep;
    dealer_to_dealer: Dealer Dealer;
    dealer_to_router: Dealer Router;
    router_to_req: Router Req;
    router_to_dealer: Router Dealer;
    router_to_router: Router Router;
    push_to_pull: Push Pull;
    pull_to_push: Pull Push;
}

#[test]
fn every_legal_pair_has_a_test() {
    use SocketType as T;
    let eleven = [T::Pair, T::Pub, T::Sub, T::Req, T::Rep, T::Dealer, T::Router, T::Pull, T::Push, T::XPub, T::XSub];
    for ours in eleven {
        for theirs in eleven {
            assert_eq!(ours.pairs_with(theirs), PAIRS.contains(&[ours, theirs]), "{ours:?} {theirs:?}");
        }
    }
}
