//! One side under test: a connection, the two lanes of its pipe, and a peer played by hand.

use omnimq_core::connection::{Config, Connection, Event, Local};
use omnimq_core::{Fixed, Instant, LocalStorage, PipeReader, PipeWriter, Signal, Sink, SocketType, Storage};
use proptest::test_runner::{Config as ProptestConfig, RngSeed};

/// The same cases in every run, unless the environment asks for others (`PROPTEST_RNG_SEED`, `PROPTEST_CASES`).
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    let rng_seed = match default.rng_seed {
        RngSeed::Random => RngSeed::Fixed(31),
        chosen => chosen,
    };
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { cases };
    ProptestConfig { rng_seed, cases, failure_persistence: None, max_shrink_iters: 2000, ..default }
}

/// Storage of fixed size, large enough for the traces.
pub(crate) type Small = Fixed<2, 8, 320, 4, 300>;

/// Whole messages, each a list of frames.
pub(crate) type Messages = Vec<Vec<Vec<u8>>>;

/// The peer sends these octets; all of them are taken.
macro_rules! send {
    ($side:expr, $($octets:expr),+ $(,)?) => {{
        let octets = [$(AsRef::<[u8]>::as_ref(&$octets)),+].concat();
        assert_eq!($side.feed(&octets), octets.len(), "not all of {octets:02x?} was taken");
    }};
}

/// Exactly these octets come back.
macro_rules! recv {
    ($side:expr, $($octets:expr),+ $(,)?) => {{
        let octets = [$(AsRef::<[u8]>::as_ref(&$octets)),+].concat();
        assert_eq!($side.drain(), octets);
    }};
}

/// Nothing comes back.
macro_rules! silent {
    ($side:expr) => {
        assert_eq!($side.drain(), b"")
    };
}

/// This many milliseconds after the stream was opened.
macro_rules! at {
    ($side:expr, $millis:expr) => {
        $side.pass_to($millis)
    };
}

/// Exactly these events are told.
macro_rules! events {
    ($side:expr $(, $event:expr)* $(,)?) => {
        assert_eq!($side.events(), [$($event),*] as [Event; _])
    };
}

/// A sink with room for so many octets.
pub(crate) struct Room {
    pub octets: Vec<u8>,
    pub left: usize,
}

impl<B> Sink<B> for Room {
    fn put(&mut self, bytes: &[u8]) -> usize {
        let n = bytes.len().min(self.left);
        self.left -= n;
        self.octets.extend_from_slice(&bytes[..n]);
        n
    }
}

pub(crate) struct Side<S: LocalStorage> {
    pub connection: Connection<S::Body>,
    pub socket_type: SocketType,
    pub routing_id: &'static [u8],
    /// From the socket to the peer.
    pub tx: S::Lane,
    /// From the peer to the socket.
    pub rx: S::Lane,
    pub now: Instant,
}

impl<S: LocalStorage> Side<S> {
    pub(crate) fn new(socket_type: SocketType) -> Self {
        Self::with(socket_type, Config::DEFAULT)
    }
    pub(crate) fn with(socket_type: SocketType, config: Config) -> Self {
        let connection = Connection::new(&config, Instant::ZERO);
        Self { connection, socket_type, routing_id: b"", tx: S::lane(8), rx: S::lane(8), now: Instant::ZERO }
    }
    /// A side whose peer, of type `peer` and ZMTP 3.`minor`, has finished the handshake.
    pub(crate) fn ready(socket_type: SocketType, peer: SocketType, minor: u8) -> Self {
        Self::ready_with(socket_type, peer, minor, Config::DEFAULT)
    }
    pub(crate) fn ready_with(socket_type: SocketType, peer: SocketType, minor: u8, config: Config) -> Self {
        let mut side = Self::with(socket_type, config);
        send!(side, greeting(3, minor), ready(peer, None));
        side.drain();
        events!(side, Event::HandshakeSucceeded { minor });
        assert_eq!(side.signals(), [Signal::Ready(vec![])]);
        assert!(side.connection.is_ready());
        side
    }
    pub(crate) fn local(&self) -> Local<'static> {
        Local { socket_type: self.socket_type, routing_id: self.routing_id }
    }
    /// The peer sends `octets`; answers how many were taken.
    pub(crate) fn feed(&mut self, octets: &[u8]) -> usize {
        let mut at = 0;
        self.connection.handle_input(self.local(), octets, &mut at, &mut self.rx, self.now);
        at
    }
    /// All that comes back.
    pub(crate) fn drain(&mut self) -> Vec<u8> {
        let mut sink = Room { octets: Vec::new(), left: usize::MAX };
        assert!(!self.connection.poll_transmit(self.local(), &mut self.tx, &mut sink), "an endless sink is never full");
        sink.octets
    }
    /// At most `room` octets of what comes back, and whether that was not all.
    pub(crate) fn drain_into(&mut self, room: usize) -> (Vec<u8>, bool) {
        let mut sink = Room { octets: Vec::new(), left: room };
        let full = self.connection.poll_transmit(self.local(), &mut self.tx, &mut sink);
        (sink.octets, full)
    }
    pub(crate) fn pass_to(&mut self, millis: u64) {
        self.now = Instant::from_millis(millis);
        if self.connection.poll_timeout().is_some_and(|due| due <= self.now) {
            self.connection.handle_timeout(&mut self.rx, self.now);
        }
    }
    pub(crate) fn eof(&mut self) {
        self.connection.handle_eof(&mut self.rx);
    }
    pub(crate) fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.connection.poll_event()).collect()
    }
    /// The socket hands a message down.
    pub(crate) fn write(&mut self, message: &[&[u8]]) {
        for (n, body) in message.iter().enumerate() {
            self.tx.write_bytes(body, n + 1 < message.len()).unwrap();
        }
    }
    /// The signals that have gone up.
    pub(crate) fn signals(&mut self) -> Vec<Signal<Vec<u8>>> {
        let pop = || self.rx.pop_signal()?.try_map(|key| Some(key.to_vec()));
        std::iter::from_fn(pop).collect()
    }
    /// The messages that have gone up.
    pub(crate) fn messages(&mut self) -> Messages {
        read_all(&mut self.rx)
    }
}

/// All messages in a lane.
pub(crate) fn read_all<R: PipeReader>(lane: &mut R) -> Messages {
    let mut messages = vec![];
    while lane.front().is_some() {
        let mut message = vec![];
        loop {
            let frame = lane.read().expect("only whole messages are visible");
            message.push(frame.body.as_ref().to_vec());
            if !frame.more {
                break;
            }
        }
        messages.push(message);
    }
    messages
}

/// The 64 octets of a peer with NULL.
pub(crate) fn greeting(major: u8, minor: u8) -> Vec<u8> {
    greeting_of(major, minor, b"NULL", 0)
}

pub(crate) fn greeting_of(major: u8, minor: u8, mechanism: &[u8], as_server: u8) -> Vec<u8> {
    let mut octets = b"\xff\0\0\0\0\0\0\0\x01\x7f".to_vec();
    octets.extend([major, minor]);
    octets.extend(mechanism);
    octets.resize(32, 0);
    octets.push(as_server);
    octets.resize(64, 0);
    octets
}

/// A frame with a short header if it may have one.
pub(crate) fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    match u8::try_from(body.len()) {
        Ok(len) => [&[flags, len], body].concat(),
        Err(_) => long_frame(flags, body),
    }
}

/// A frame with a long header.
pub(crate) fn long_frame(flags: u8, body: &[u8]) -> Vec<u8> {
    [&[flags | 2][..], &(body.len() as u64).to_be_bytes(), body].concat()
}

/// A message of frames.
pub(crate) fn message(parts: &[&[u8]]) -> Vec<u8> {
    parts.iter().enumerate().flat_map(|(n, part)| frame(u8::from(n + 1 < parts.len()), part)).collect()
}

/// A command frame.
pub(crate) fn command(name: &[u8], data: &[u8]) -> Vec<u8> {
    frame(4, &[&[u8::try_from(name.len()).unwrap()], name, data].concat())
}

/// A property of READY.
pub(crate) fn property(name: &[u8], value: &[u8]) -> Vec<u8> {
    let (name_len, len) = (u8::try_from(name.len()).unwrap(), u32::try_from(value.len()).unwrap());
    [&[name_len], name, &len.to_be_bytes(), value].concat()
}

/// READY of a peer of that type.
pub(crate) fn ready(socket_type: SocketType, identity: Option<&[u8]>) -> Vec<u8> {
    let mut data = property(b"Socket-Type", socket_type.name().as_bytes());
    data.extend(identity.map(|identity| property(b"Identity", identity)).unwrap_or_default());
    command(b"READY", &data)
}

/// What keeps the key of a signal readable as octets.
pub(crate) fn keys<K: AsRef<[u8]>>(signal: Signal<K>) -> Signal<Vec<u8>> {
    signal.try_map(|key| Some(key.to_vec())).expect("a vector holds any key")
}

/// The body type of a storage.
pub(crate) type BodyOf<S> = <S as Storage>::Body;
