//! Every row of `Limits`: what is just allowed is taken, and one more closes the peer that asks for it, which is told
//! once, while nobody else notices.

use crate::trace::{Room, command, frame, greeting, property, ready};
use omnimq_core::connection::Event;
use omnimq_core::{
    AnyPattern, CloseReason, Heap, Instant, Limit, Limits, Node, Options, Pattern, PipeId, Side, SocketType, Verbosity,
};

const NOW: Instant = Instant::ZERO;

/// A socket with two peers: one that behaves, and one that does not.
struct Bench {
    node: Node<AnyPattern, Heap>,
    good: PipeId,
    bad: PipeId,
}

impl Bench {
    /// With both handshakes done.
    fn new(pattern: AnyPattern, change: impl FnOnce(&mut Options)) -> Self {
        let mut bench = Self::silent(pattern, change);
        let bad = bench.bad;
        bench.feed(bad, &hello(pattern));
        assert_eq!(bench.told(), [(bad, Event::HandshakeSucceeded { minor: 1 })]);
        bench
    }
    /// With a peer that has said nothing yet.
    fn silent(pattern: AnyPattern, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::default();
        change(&mut options);
        let mut node = Node::new(pattern, options);
        let [good, bad] = [(); 2].map(|()| node.attach(Side::Bind, NOW).expect("room for two"));
        let mut bench = Self { node, good, bad };
        bench.feed(good, &hello(pattern));
        assert_eq!(bench.told(), [(good, Event::HandshakeSucceeded { minor: 1 })]);
        bench
    }
    fn feed(&mut self, id: PipeId, octets: &[u8]) {
        assert_eq!(self.node.handle_input(id, octets, NOW), octets.len());
        self.node.poll_transmit(id, &mut Room { octets: vec![], left: usize::MAX });
    }
    fn told(&mut self) -> Vec<(PipeId, Event)> {
        std::iter::from_fn(|| self.node.poll_event()).collect()
    }
    /// The peer may send the former and must not send the latter.
    fn check(mut self, within: &[u8], beyond: &[u8], limit: Limit) {
        let bad = self.bad;
        self.feed(bad, within);
        let told: Vec<_> = self.told().into_iter().filter(|(_, event)| matches!(event, Event::Closed(_))).collect();
        assert_eq!(told, [], "this much is allowed");
        self.feed(bad, beyond);
        assert_eq!(self.told(), [(bad, Event::Closed(CloseReason::Limit(limit)))]);
        assert_eq!(self.node.closed(bad), Some(CloseReason::Limit(limit)));
        assert!(self.node.is_ready(self.good), "nobody else notices");
        self.node.close(bad);
        while self.node.recv().is_ok() {}
        assert_eq!(self.node.attach(Side::Bind, NOW), Some(bad), "its place is free");
        assert_eq!(self.told(), []);
    }
}

fn peer(pattern: AnyPattern) -> SocketType {
    let accepts = |peer: &SocketType| pattern.socket_type().accepts(peer.name().as_bytes());
    SocketType::ALL.into_iter().find(accepts).expect("each type has a peer")
}

fn hello(pattern: AnyPattern) -> Vec<u8> {
    [greeting(3, 1), ready(peer(pattern), None)].concat()
}

fn subscribe(topic: &[u8]) -> Vec<u8> {
    command(b"SUBSCRIBE", topic)
}

fn cancel(topic: &[u8]) -> Vec<u8> {
    command(b"CANCEL", topic)
}

const PUBLISHERS: [AnyPattern; 2] = [AnyPattern::Pub, AnyPattern::XPub];

#[test]
fn topics() {
    for pattern in PUBLISHERS {
        let bench = Bench::new(pattern, |options| options.limits.topics = 2);
        // What is asked for twice, or taken back, does not count.
        let within = [subscribe(b"a"), subscribe(b"b"), subscribe(b"b"), cancel(b"a"), subscribe(b"")].concat();
        bench.check(&within, &subscribe(b"c"), Limit::Topics);
    }
}

#[test]
fn topic_len() {
    for pattern in PUBLISHERS {
        let bench = Bench::new(pattern, |options| options.limits.topic_len = 9);
        bench.check(&subscribe(&[b'a'; 9]), &subscribe(&[b'a'; 10]), Limit::TopicLen);
    }
}

#[test]
fn topic_octets() {
    for pattern in PUBLISHERS {
        for manual in [false, true] {
            let bench = Bench::new(pattern, |options| {
                options.limits.topic_octets = 10;
                options.manual = manual;
            });
            let within =
                [subscribe(b"four"), subscribe(b"five5"), subscribe(b"five5"), cancel(b"four"), subscribe(b"five6")];
            bench.check(&within.concat(), &subscribe(b"x"), Limit::TopicOctets);
        }
    }
}

#[test]
fn peers() {
    let mut bench = Bench::new(AnyPattern::Pull, |options| options.limits.peers = 2);
    for side in [Side::Bind, Side::Connect] {
        assert_eq!(bench.node.attach(side, NOW), None, "a third one is refused");
    }
    assert_eq!(bench.told(), []);
    assert!(bench.node.is_ready(bench.good) && bench.node.is_ready(bench.bad));
    bench.node.detach(bench.bad);
    assert_eq!(bench.node.attach(Side::Bind, NOW), Some(bench.bad));
}

/// READY whose metadata has so many octets.
fn ready_of(len: usize) -> Vec<u8> {
    let socket_type = property(b"Socket-Type", b"PUSH");
    let filler = len - socket_type.len() - property(b"X-Fill", b"").len();
    command(b"READY", &[socket_type, property(b"X-Fill", &vec![b'.'; filler])].concat())
}

#[test]
fn metadata() {
    let change = |options: &mut Options| options.limits.metadata = 100;
    let beyond = [greeting(3, 1), ready_of(101)].concat();
    Bench::silent(AnyPattern::Pull, change).check(&[], &beyond, Limit::Metadata);
    let mut bench = Bench::silent(AnyPattern::Pull, change);
    let bad = bench.bad;
    bench.feed(bad, &[greeting(3, 1), ready_of(100)].concat());
    assert!(bench.node.is_ready(bad));
}

#[test]
fn handshake() {
    // Greeting, 2 octets of header, "\x05READY" and the metadata.
    let change = |options: &mut Options| options.limits.handshake = 64 + 2 + 6 + 100;
    let beyond = [greeting(3, 1), ready_of(101)].concat();
    Bench::silent(AnyPattern::Pull, change).check(&greeting(3, 1), &beyond[64..], Limit::Handshake);
    let mut bench = Bench::silent(AnyPattern::Pull, change);
    let bad = bench.bad;
    bench.feed(bad, &[greeting(3, 1), ready_of(100)].concat());
    assert!(bench.node.is_ready(bad));
}

#[test]
fn command_octets() {
    let bench = Bench::new(AnyPattern::Pull, |options| (options.limits.command, options.limits.topic_len) = (100, 0));
    let whatever = |len: usize| command(b"WHATEVER", &vec![0; len - 9]);
    bench.check(&whatever(100), &whatever(101), Limit::Command);
}

#[test]
fn frames() {
    let bench = Bench::new(AnyPattern::Pull, |options| options.limits.frames = 3);
    let message = |frames: usize| [frame(1, b"x").repeat(frames - 1), frame(0, b"x")].concat();
    bench.check(&message(3), &message(4), Limit::Frames);
}

#[test]
fn event_octets() {
    for (manual, verbosity) in [(true, Verbosity::Changes), (false, Verbosity::All), (false, Verbosity::Changes)] {
        let bench = |octets: u32| {
            Bench::new(AnyPattern::XPub, |options| {
                (options.manual, options.verbosity, options.limits.event_octets) = (manual, verbosity, octets);
            })
        };
        let within = [subscribe(b"four"), cancel(b"four"), subscribe(b"")].concat();
        bench(8).check(&within, &subscribe(b"x"), Limit::EventOctets);
        bench(7).check(&subscribe(b"four"), &cancel(b"four"), Limit::EventOctets);
        // What has been received does not count.
        let mut bench = bench(4);
        let bad = bench.bad;
        for octets in [subscribe(b"four"), cancel(b"four"), subscribe(b"five"), cancel(b"five")] {
            bench.feed(bad, &octets);
            assert!(bench.node.recv().is_ok());
        }
        assert_eq!((bench.told(), bench.node.closed(bad)), (vec![], None));
    }
}

/// What peers leave behind that come and go is bounded too: while it is not received, others wait, and none is closed.
#[test]
fn event_octets_of_peers_that_have_gone() {
    let mut bench = Bench::new(AnyPattern::XPub, |options| options.limits.event_octets = 100);
    let mut left = 0;
    for number in 0..20 {
        let id = bench.node.attach(Side::Bind, NOW).expect("a free place");
        bench.feed(id, &[hello(AnyPattern::XPub), subscribe(&[number; 60])].concat());
        assert_eq!(bench.node.closed(id), None);
        bench.node.close(id);
        left += usize::from(!bench.node.socket().is_gone(id));
    }
    let mut shown = 0;
    while bench.node.recv().is_ok() {
        shown += 1;
    }
    // A peer that went before its subscription was taken was never subscribed.
    assert!((2..10).contains(&shown) && left <= 1, "{shown} events, {left} peers kept");
    let good = bench.good;
    bench.feed(good, &subscribe(b"good"));
    assert_eq!(bench.node.recv().map(|frame| frame.body.as_ref().to_vec()), Ok(b"\x01good".to_vec()));
}

#[test]
fn events() {
    let mut bench = Bench::new(AnyPattern::XPub, |options| options.limits.events = 2);
    let bad = bench.bad;
    bench.feed(bad, &[b"a", b"b", b"c", b"d", b"e"].map(|topic| subscribe(topic)).concat());
    let shown: Vec<Vec<u8>> = std::iter::from_fn(|| Some(bench.node.recv().ok()?.body.as_ref().to_vec())).collect();
    assert_eq!(shown, [b"\x01a", b"\x01b", b"\x01c", b"\x01d", b"\x01e"], "what waited is shown in order");
    assert_eq!(bench.told(), []);
}

#[test]
fn limits_may_change_in_use() {
    let changed = |change: fn(&mut Options)| {
        let mut bench = Bench::new(AnyPattern::XPub, |_| {});
        let mut options = Options::default();
        change(&mut options);
        bench.node.socket().configure(&options);
        bench
    };
    changed(|options| options.limits.topics = 1).check(&subscribe(b"a"), &subscribe(b"b"), Limit::Topics);
    let bench = changed(|options| options.limits.topic_octets = 4);
    bench.check(&subscribe(b"four"), &subscribe(b"x"), Limit::TopicOctets);
    let bench = changed(|options| options.limits.event_octets = 4);
    bench.check(&subscribe(b"four"), &subscribe(b"x"), Limit::EventOctets);
    let mut bench = changed(|options| options.limits.peers = 2);
    assert_eq!(bench.node.attach(Side::Bind, NOW), None);
}

/// A row without a test here is noticed.
#[test]
fn no_row_is_missing() {
    let rows = format!("{:?}", Limits::DEFAULT);
    let rows: Vec<&str> = rows.split(['{', ',', '}']).filter_map(|row| Some(row.split_once(':')?.0.trim())).collect();
    let tested = [
        "topics",
        "topic_len",
        "topic_octets",
        "peers",
        "metadata",
        "handshake",
        "command",
        "frames",
        "event_octets",
        "events",
    ];
    assert_eq!(rows, tested);
}
