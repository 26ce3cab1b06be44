//! However a stream is cut, stored and handed over, the same comes out of it.

use crate::runs::Runs;
use crate::trace::{Messages, cases, command, frame, greeting, keys, long_frame, read_all, ready};
use omnimq_core::connection::{Config, Connection, Event, Local};
use omnimq_core::{
    Body, CloseReason, Fixed, Heap, Instant, LocalStorage, PipeReader, PipeWriter, Signal, SocketType, Storage,
};
use proptest::prelude::*;
use proptest::sample::Index;

/// Room for every message and topic that is generated, also when broken octets join several into one.
type Small = Fixed<1, 8, 24_000, 1, 320>;

/// What a stream came to.
#[derive(Debug, PartialEq)]
struct Outcome {
    messages: Messages,
    signals: Vec<Signal<Vec<u8>>>,
    events: Vec<Event>,
}

/// Where a stream is cut.
#[derive(Clone, Debug)]
enum Cuts {
    At(Vec<Index>),
    Everywhere,
}

/// How a stream is handed in.
#[derive(Clone, Debug)]
struct Manner {
    cuts: Cuts,
    /// The mark of the lane.
    hwm: u32,
    /// Whether bodies are filled in place.
    direct: bool,
}

struct Driver<'a, B: Body, L> {
    connection: Connection<B>,
    local: Local<'a>,
    lane: L,
    outcome: Outcome,
}

impl<B: Body, L: PipeWriter<Body = B> + PipeReader<Body = B>> Driver<'_, B, L> {
    /// One call, after which the socket empties its lane. Answers how far it came.
    fn step(&mut self, octets: &[u8]) -> (usize, bool) {
        let mut at = 0;
        self.connection.handle_input(self.local, octets, &mut at, &mut self.lane, Instant::ZERO);
        self.outcome.messages.extend(read_all(&mut self.lane));
        while let Some(signal) = self.lane.pop_signal() {
            self.outcome.signals.push(keys(signal));
        }
        self.outcome.events.extend(std::iter::from_fn(|| self.connection.poll_event()));
        (at, self.connection.is_stalled())
    }
    fn feed(&mut self, mut octets: &[u8], direct: bool) {
        let mut idle = 0;
        while !octets.is_empty() || self.connection.is_stalled() {
            if direct && let Some(space) = self.connection.wanted() {
                let n = space.len().min(octets.len());
                space[..n].copy_from_slice(&octets[..n]);
                self.connection.filled(n);
                octets = &octets[n..];
            }
            let (used, _) = self.step(octets);
            octets = &octets[used..];
            idle = if used == 0 { idle + 1 } else { 0 };
            assert!(idle < 4, "with an empty lane it goes on");
        }
    }
}

fn drive<B, L>(socket_type: SocketType, stream: &[u8], manner: &Manner, lane: L) -> Outcome
where
    B: Body,
    L: PipeWriter<Body = B> + PipeReader<Body = B>,
{
    let mut config = Config::DEFAULT;
    config.max_frame = 600;
    config.limits.command = 400;
    config.limits.topic_len = 300;
    let mut driver = Driver {
        connection: Connection::new(&config, Instant::ZERO),
        local: Local { socket_type, routing_id: b"" },
        lane,
        outcome: Outcome { messages: vec![], signals: vec![], events: vec![] },
    };
    driver.lane.set_hwm(manner.hwm);
    let mut cuts: Vec<usize> = match &manner.cuts {
        Cuts::At(cuts) => cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect(),
        Cuts::Everywhere => (0..stream.len()).collect(),
    };
    cuts.extend([0, stream.len()]);
    cuts.sort_unstable();
    for pair in cuts.windows(2) {
        driver.feed(&stream[pair[0]..pair[1]], manner.direct);
    }
    driver.connection.handle_eof(&mut driver.lane);
    driver.step(b"");
    driver.outcome
}

/// The stream in one piece over an unbounded lane: what all else is measured by.
fn whole(socket_type: SocketType, stream: &[u8]) -> Outcome {
    let manner = Manner { cuts: Cuts::At(vec![]), hwm: 0, direct: false };
    drive::<<Heap as Storage>::Body, _>(socket_type, stream, &manner, Heap::lane(0))
}

fn every_way(socket_type: SocketType, stream: &[u8], manner: &Manner) -> Vec<(&'static str, Outcome)> {
    fn runs<S: LocalStorage<Lane: Clone>>(socket_type: SocketType, stream: &[u8], manner: &Manner, most: u32) -> Outcome {
        drive(socket_type, stream, manner, Runs { lane: S::lane(manner.hwm), most, taken: 0 })
    }
    vec![
        ("Heap", drive(socket_type, stream, manner, Heap::lane(manner.hwm))),
        ("Heap with runs", runs::<Heap>(socket_type, stream, manner, u32::MAX)),
        ("Heap with short runs", runs::<Heap>(socket_type, stream, manner, 2)),
        ("Fixed", drive(socket_type, stream, manner, Small::lane(manner.hwm))),
        ("Fixed with runs", runs::<Small>(socket_type, stream, manner, u32::MAX)),
    ]
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => prop::collection::vec(any::<u8>(), 0..6),
        2 => (0_u8..3, prop::collection::vec(any::<u8>(), 0..20)).prop_map(|(first, rest)| [vec![first], rest].concat()),
        1 => prop::collection::vec(any::<u8>(), 250..280),
    ]
}

/// A message, a command, or now and then something that ends the stream.
fn item() -> impl Strategy<Value = Vec<u8>> {
    let message = prop::collection::vec((body(), any::<bool>()), 1..4).prop_map(|parts| {
        let last = parts.len() - 1;
        let framed = |(n, (body, long)): (usize, &(Vec<u8>, bool))| {
            let flags = u8::from(n < last);
            if *long { long_frame(flags, body) } else { frame(flags, body) }
        };
        parts.iter().enumerate().flat_map(framed).collect()
    });
    let names = prop::sample::select(vec![&b"SUBSCRIBE"[..], b"CANCEL", b"PING", b"PONG", b"JOIN", b"X"]);
    let commands = (names, body()).prop_map(|(name, data)| command(name, &data));
    let broken = prop_oneof![
        Just(b"\x02\0\0\0\0\0\0\x10\0".to_vec()),
        Just(b"\x02\xff\0\0\0\0\0\0\0".to_vec()),
        Just(b"\x05\x01\0".to_vec()),
        Just(command(b"PING", b"")),
        Just(command(b"ERROR", b"\0")),
        Just(b"\x04\x09cut".to_vec()),
        prop::collection::vec(any::<u8>(), 1..20),
    ];
    prop_oneof![12 => message, 4 => commands, 1 => broken]
}

fn stream() -> impl Strategy<Value = (SocketType, Vec<u8>)> {
    use SocketType::*;
    let types =
        prop::sample::select(vec![(Pull, Push), (Dealer, Router), (Sub, Pub), (XPub, Sub), (Pub, XSub), (Push, Pull)]);
    (types, 0_u8..2, prop::collection::vec(item(), 0..20), 0_usize..12).prop_map(|((ours, theirs), minor, items, cut)| {
        let mut octets = [greeting(3, minor), ready(theirs, None), items.concat()].concat();
        octets.truncate(octets.len() - cut);
        (ours, octets)
    })
}

fn manner() -> impl Strategy<Value = Manner> {
    (prop::collection::vec(any::<Index>(), 0..30), 1_u32..9, any::<bool>()).prop_map(|(cuts, hwm, direct)| Manner {
        cuts: Cuts::At(cuts),
        hwm,
        direct,
    })
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn a_stream_comes_to_the_same_however_it_is_cut((ours, octets) in stream(), manner in manner()) {
        let expected = whole(ours, &octets);
        for (way, outcome) in every_way(ours, &octets, &manner) {
            prop_assert_eq!(&outcome, &expected, "{}", way);
        }
    }

    #[test]
    fn a_stream_comes_to_the_same_octet_by_octet((ours, octets) in stream(), hwm in 1_u32..3) {
        let expected = whole(ours, &octets);
        for (way, outcome) in every_way(ours, &octets, &Manner { cuts: Cuts::Everywhere, hwm, direct: false }) {
            prop_assert_eq!(&outcome, &expected, "{}", way);
        }
    }
}

/// The streams of the properties do what they are meant to: messages come in runs where runs are taken.
#[test]
fn whole_messages_are_handed_over_in_runs() {
    let octets = [greeting(3, 1), ready(SocketType::Push, None), frame(0, b"a").repeat(5), b"\x01\x01b\0".to_vec()].concat();
    let mut connection = Connection::new(&Config::DEFAULT, Instant::ZERO);
    let mut lane = Runs { lane: Heap::lane(4), most: u32::MAX, taken: 0 };
    let local = Local { socket_type: SocketType::Pull, routing_id: b"" };
    let mut at = 0;
    connection.handle_input(local, octets.as_slice(), &mut at, &mut lane, Instant::ZERO);
    assert_eq!(lane.taken, 4, "as many as there is room for");
    assert_eq!(read_all(&mut lane).len(), 4);
    connection.handle_input(local, octets.as_slice(), &mut at, &mut lane, Instant::ZERO);
    assert_eq!(lane.taken, 4, "one comes alone: its header had been looked at when the lane was full");
    assert_eq!(at, octets.len());
    assert_eq!(read_all(&mut lane), [[b"a"]], "the last message has only begun");
    at = 0;
    connection.handle_input(local, b"\x01c\0\x01d".as_slice(), &mut at, &mut lane, Instant::ZERO);
    assert_eq!(read_all(&mut lane), [vec![b"b".to_vec(), b"c".to_vec()], vec![b"d".to_vec()]]);
    assert_eq!(lane.taken, 5);
}

/// Where frames may be subscriptions, each is looked at.
#[test]
fn subscriptions_do_not_come_in_runs() {
    for ours in [SocketType::Pub, SocketType::XPub] {
        let mut connection = Connection::new(&Config::DEFAULT, Instant::ZERO);
        let mut lane = Runs { lane: Heap::lane(9), most: u32::MAX, taken: 0 };
        let local = Local { socket_type: ours, routing_id: b"" };
        let octets = [greeting(3, 0), ready(SocketType::Sub, None), frame(0, b"\x01a"), frame(0, b"data")].concat();
        connection.handle_input(local, octets.as_slice(), &mut 0, &mut lane, Instant::ZERO);
        assert_eq!(lane.taken, 0);
        assert!(matches!(lane.pop_signal(), Some(Signal::Ready(_))));
        assert_eq!(lane.pop_signal().map(keys), Some(Signal::Subscribe(b"a".to_vec())));
    }
}

/// What is refused as a run comes frame by frame, up to the frame that is too large.
#[test]
fn a_run_with_a_message_too_large_is_taken_up_to_it() {
    type Tiny = Fixed<1, 8, 32, 1, 32>;
    let octets =
        [greeting(3, 1), ready(SocketType::Push, None), frame(0, b"a"), frame(0, &[1; 31]), frame(0, b"b")].concat();
    let manner = Manner { cuts: Cuts::At(vec![]), hwm: 8, direct: false };
    let outcome = drive(SocketType::Pull, &octets, &manner, Runs { lane: Tiny::lane(8), most: u32::MAX, taken: 0 });
    assert_eq!(outcome.messages, [[b"a"]]);
    assert_eq!(outcome.events, [Event::HandshakeSucceeded { minor: 1 }, Event::Closed(CloseReason::TooLarge)]);
}
