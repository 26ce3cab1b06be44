//! Any calls in any order: nothing panics, what is promised of a closed connection holds, and memory stays bounded.

use crate::trace::{Room, cases, command, frame, greeting, ready};
use omnimq_core::connection::{Config, Connection, Event, Local};
use omnimq_core::{CloseReason, Fixed, Heap, Instant, LocalStorage, PipeReader, PipeWriter, Signal, SocketType};
use proptest::prelude::*;
use proptest::sample::Index;
use std::time::Duration;

/// Small enough that its limits are met.
type Tiny = Fixed<1, 3, 48, 2, 12>;

#[derive(Clone, Debug)]
enum Call {
    /// The peer sends these octets; what is left over is lost or offered again.
    Input(Vec<u8>, bool),
    /// The next octets of a stream that makes sense.
    Sense(Index),
    Filled(Vec<u8>),
    FilledTooMuch(usize),
    Eof,
    Timeout,
    Later(u64),
    Transmit(usize),
    Event,
    SocketSends(Vec<Vec<u8>>),
    SocketSignals(Signal<Vec<u8>>),
    SocketReads,
    SocketReadsSignal,
    NewStream,
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        prop::collection::vec(0_u8..8, 0..40),
        Just(greeting(3, 1)),
        Just(greeting(3, 0)),
        Just(ready(SocketType::Dealer, Some(b"peer"))),
        Just(b"\x02\0\0\x10\0\0\0\0\0".to_vec()),
        Just(b"\x02\0\0\0\0\0\x10\0\0abcdef".to_vec()),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(|body| frame(0, &body)),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(|body| frame(1, &body)),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(|data| command(b"PING", &data)),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(|data| command(b"SUBSCRIBE", &data)),
    ]
}

fn signal() -> impl Strategy<Value = Signal<Vec<u8>>> {
    let key = || prop::collection::vec(any::<u8>(), 0..16);
    prop_oneof![
        2 => key().prop_map(Signal::Subscribe),
        2 => key().prop_map(Signal::Cancel),
        1 => key().prop_map(Signal::Ready),
        1 => Just(Signal::Close(CloseReason::Unwanted)),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        6 => (octets(), any::<bool>()).prop_map(|(octets, again)| Call::Input(octets, again)),
        12 => any::<Index>().prop_map(Call::Sense),
        3 => octets().prop_map(Call::Filled),
        1 => any::<usize>().prop_map(Call::FilledTooMuch),
        1 => Just(Call::Eof),
        1 => Just(Call::Timeout),
        2 => (0_u64..40_000).prop_map(Call::Later),
        6 => prop_oneof![0_usize..5, 0_usize..200, Just(usize::MAX)].prop_map(Call::Transmit),
        2 => Just(Call::Event),
        4 => prop::collection::vec(prop::collection::vec(any::<u8>(), 0..30), 1..4).prop_map(Call::SocketSends),
        2 => signal().prop_map(Call::SocketSignals),
        4 => Just(Call::SocketReads),
        3 => Just(Call::SocketReadsSignal),
        1 => Just(Call::NewStream),
    ]
}

/// A peer of type DEALER, as long a stream as is asked for.
fn sense() -> Vec<u8> {
    let traffic = [
        frame(1, b"one"),
        frame(0, b"two"),
        command(b"PING", b"\0\x05context"),
        frame(0, &[7; 40]),
        frame(0, b"\x01topic"),
        command(b"CANCEL", b"topic"),
        frame(0, b""),
    ]
    .concat();
    [greeting(3, 1), ready(SocketType::Dealer, Some(b"peer")), traffic.repeat(40)].concat()
}

struct World<S: LocalStorage> {
    connection: Connection<S::Body>,
    config: Config,
    local: Local<'static>,
    tx: S::Lane,
    rx: S::Lane,
    now: Instant,
    stream: Vec<u8>,
    at: usize,
    events: Vec<Event>,
    closes: usize,
    arrived: usize,
}

impl<S: LocalStorage> World<S> {
    fn new(socket_type: SocketType, config: Config) -> Self {
        let now = Instant::ZERO;
        Self {
            connection: Connection::new(&config, now),
            config,
            local: Local { socket_type, routing_id: b"myself" },
            tx: S::lane(3),
            rx: S::lane(3),
            now,
            stream: sense(),
            at: 0,
            events: vec![],
            closes: 0,
            arrived: 0,
        }
    }
    fn input(&mut self, octets: &[u8]) -> usize {
        let mut at = 0;
        self.connection.handle_input(self.local, octets, &mut at, &mut self.rx, self.now);
        assert!(at <= octets.len());
        self.arrived += at;
        at
    }
    fn act(&mut self, call: Call) {
        match call {
            Call::Input(octets, again) => {
                let used = self.input(&octets);
                if again {
                    self.input(&octets[used..]);
                }
            }
            Call::Sense(step) => {
                let rest = self.stream[self.at..].to_vec();
                self.at += self.input(&rest[..step.index(rest.len() + 1).min(100)]);
            }
            Call::Filled(octets) => {
                let Some(space) = self.connection.wanted() else { return };
                let n = space.len().min(octets.len());
                space[..n].copy_from_slice(&octets[..n]);
                self.connection.filled(n);
                self.arrived += n;
            }
            Call::FilledTooMuch(n) => {
                self.arrived += self.connection.wanted().map_or(0, |space| space.len());
                self.connection.filled(n);
            }
            Call::Eof => self.connection.handle_eof(&mut self.rx),
            Call::Timeout => self.connection.handle_timeout(&mut self.rx, self.now),
            Call::Later(millis) => self.now = self.now + Duration::from_millis(millis),
            Call::Transmit(room) => {
                let mut sink = Room { octets: vec![], left: room };
                let full = self.connection.poll_transmit(self.local, &mut self.tx, &mut sink);
                assert!(!full || sink.left == 0, "full means full");
            }
            Call::Event => self.events.extend(self.connection.poll_event()),
            Call::SocketSends(parts) => self.send(&parts),
            Call::SocketSignals(signal) => _ = self.tx.signal(signal.as_ref()),
            Call::SocketReads => _ = self.rx.read(),
            Call::SocketReadsSignal => {
                self.closes += usize::from(matches!(self.rx.pop_signal(), Some(Signal::Close(_))));
            }
            Call::NewStream => self.reconnect(),
        }
    }
    fn send(&mut self, parts: &[Vec<u8>]) {
        if self.tx.room() == 0 {
            return;
        }
        for (n, part) in parts.iter().enumerate() {
            if self.tx.write_bytes(part, n + 1 < parts.len()).is_err() {
                self.tx.rollback();
                return;
            }
        }
    }
    fn reconnect(&mut self) {
        let fresh = Connection::new(&self.config, self.now);
        std::mem::replace(&mut self.connection, fresh).release(&mut self.tx, &mut self.rx);
        while self.rx.pop_signal().is_some() {}
        (self.at, self.arrived, self.closes) = (0, 0, 0);
        self.events.clear();
    }
    fn check(&mut self) {
        let mut probe = Room { octets: vec![], left: 0 };
        if let Some(reason) = self.connection.closed() {
            assert!(!self.connection.is_ready() && !self.connection.takes_images() && !self.connection.is_stalled());
            assert_eq!(self.connection.poll_timeout(), None);
            assert!(self.connection.wanted().is_none(), "a closed connection keeps nothing");
            assert!(!self.connection.poll_transmit(self.local, &mut self.tx, &mut probe), "and sends nothing");
            let told: Vec<_> = self.events.iter().filter(|event| matches!(event, Event::Closed(_))).collect();
            assert!(told.is_empty() || told == [&Event::Closed(reason)], "it is told once");
        } else {
            assert!(!self.events.iter().any(|event| matches!(event, Event::Closed(_))));
        }
        assert!(self.events.len() <= 2 && self.closes <= 1);
        let room = self.connection.wanted().map_or(0, |space| space.len());
        assert!(room <= (1 << 20) + 2 * self.arrived, "{room} octets of room after {} octets", self.arrived);
    }
}

fn play<S: LocalStorage>(socket_type: SocketType, config: Config, calls: &[Call]) {
    let mut world = World::<S>::new(socket_type, config);
    for call in calls {
        world.act(call.clone());
        world.check();
    }
    world.connection.handle_eof(&mut world.rx);
    world.events.extend(std::iter::from_fn(|| world.connection.poll_event()));
    let closed = world.events.iter().filter(|event| matches!(event, Event::Closed(_))).count();
    assert_eq!(closed, 1, "the end is told, once");
    while world.rx.front().is_some() {
        world.rx.read().unwrap();
    }
    while let Some(signal) = world.rx.pop_signal() {
        world.closes += usize::from(matches!(signal, Signal::Close(_)));
    }
    assert_eq!(world.closes, 1, "and goes up, once");
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn any_calls_in_any_order(
        socket_type in prop::sample::select(SocketType::ALL.to_vec()),
        max_frame in prop_oneof![Just(u64::MAX), 0_u64..100],
        limits in (0_u32..100, 60_u32..200, 0_u32..100, 0_u32..20),
        calls in prop::collection::vec(call(), 0..60),
    ) {
        let mut config = Config::DEFAULT;
        play::<Heap>(socket_type, config, &calls);
        play::<Tiny>(socket_type, config, &calls);
        config.max_frame = max_frame;
        let kept = &mut config.limits;
        (kept.metadata, kept.handshake, kept.command, kept.topic_len) = limits;
        play::<Heap>(socket_type, config, &calls);
    }

    /// The types whose peer is a DEALER go further than the rest.
    #[test]
    fn any_calls_in_any_order_in_traffic(
        router in any::<bool>(),
        calls in prop::collection::vec(call(), 20..120),
    ) {
        let socket_type = if router { SocketType::Router } else { SocketType::Dealer };
        play::<Heap>(socket_type, Config::DEFAULT, &calls);
        play::<Tiny>(socket_type, Config::DEFAULT, &calls);
    }
}

/// The stream of the properties is one: a connection that gets it whole stays open.
#[test]
fn the_stream_that_makes_sense_is_taken() {
    let mut world = World::<Heap>::new(SocketType::Router, Config::DEFAULT);
    let stream = sense();
    let mut at = 0;
    while at < stream.len() {
        at += world.input(&stream[at..]);
        while world.rx.read().is_some() {}
    }
    assert_eq!(world.connection.closed(), None);
}
