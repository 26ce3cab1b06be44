//! One connection under random operations, in either role, against whatever a peer may send; and how that is cut.

use omnimq_core::wire::{Command, Decoder, FrameHeader, Framing, Greeting, MAX_HEADER, Mechanism, Property};
use omnimq_core::{
    CloseReason, Config, Connection, Event, Fixed, Heap, Instant, Local, LocalStorage, PipeReader, PipeWriter, Signal, Sink,
    SocketType, Storage,
};
use omnimq_seeds::{Decisions, pieces};
use std::time::Duration;

/// First octets: storage, socket type, frame limit, how much of a proper handshake the peer's stream begins with.
/// The rest is a list of operations, and once more a stream, cut in two ways.
pub fn connection(data: &[u8]) {
    let mut source = Decisions(data);
    let fixed = source.below(2) == 1;
    let setting = Setting::draw(&mut source);
    if fixed {
        Trial::<Fixed<1, 3, 96>>::new(&setting).run(source);
        cut_alike::<Fixed<1, 3, 96>>(&setting, source);
    } else {
        Trial::<Heap>::new(&setting).run(source);
        cut_alike::<Heap>(&setting, source);
    }
}

struct Setting {
    local: Local<'static>,
    config: Config,
    prelude: Vec<u8>,
}

impl Setting {
    fn draw(source: &mut Decisions<'_>) -> Self {
        let socket_type = SocketType::ALL[source.below(11)];
        let mut config = Config::DEFAULT;
        config.max_frame = source.pick(&[u64::MAX, 64, 1 << 20]);
        let peer = SocketType::ALL.into_iter().find(|peer| socket_type.pairs_with(*peer)).expect("each of these has one");
        let how = source.octet();
        let (stage, old) = (how & 3, how & 4 != 0);
        let mut prelude = Vec::new();
        if stage > 0 {
            let minor = u8::from(!old);
            prelude.extend_from_slice(&Greeting { minor, ..Greeting::new(Mechanism::NULL, false) }.emit(0));
        }
        if stage > 1 {
            let property = Property { name: Property::SOCKET_TYPE, value: peer.name().as_bytes() };
            let metadata = property.pieces().expect("a name").slices().concat();
            let ready = Command::Ready(omnimq_core::wire::Metadata(&metadata)).pieces().slices().concat();
            frame(false, true, &ready, &mut prelude);
        }
        Self { local: Local { socket_type, routing_id: b"us" }, config, prelude }
    }
}

fn frame(more: bool, command: bool, body: &[u8], out: &mut Vec<u8>) {
    let mut head = [0; MAX_HEADER];
    let used = FrameHeader { more, command, len: body.len() as u64 }.emit(Framing::V3, &mut head);
    out.extend_from_slice(&head[..used]);
    out.extend_from_slice(body);
}

/// What the socket has seen come up.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    messages: Vec<Vec<Vec<u8>>>,
    signals: Vec<Signal<Vec<u8>>>,
    closed: Option<CloseReason>,
}

impl Seen {
    /// Takes a message, and checks that it is whole.
    fn read(&mut self, pipe: &mut impl PipeReader) -> bool {
        if pipe.front().is_none() {
            return false;
        }
        let mut message = Vec::new();
        loop {
            let front = pipe.front().expect("only whole messages are visible");
            let frame = pipe.read().expect("there is a front");
            assert_eq!((front.len, front.more), (frame.body.as_ref().len(), frame.more));
            message.push(frame.body.as_ref().to_vec());
            if !frame.more {
                break;
            }
        }
        self.messages.push(message);
        true
    }
    fn pop_signal(&mut self, pipe: &mut impl PipeReader) -> bool {
        let Some(signal) = pipe.pop_signal().and_then(|signal| signal.try_map(|key| Some(key.to_vec()))) else {
            return false;
        };
        match signal {
            Signal::Ready(_) => assert!(self.signals.is_empty(), "Ready comes first and once"),
            Signal::Close(reason) => assert_eq!(self.closed.replace(reason), None, "Close comes once"),
            Signal::Subscribe(_) | Signal::Cancel(_) => assert!(!self.signals.is_empty(), "before Ready"),
        }
        assert!(self.closed.is_none() || matches!(signal, Signal::Close(_)), "after Close");
        if !matches!(signal, Signal::Close(_)) {
            self.signals.push(signal);
        }
        true
    }
    fn drain(&mut self, pipe: &mut impl PipeReader) {
        while self.read(pipe) || self.pop_signal(pipe) {}
    }
}

/// Takes as much as it is told to.
struct Outlet<'a> {
    room: usize,
    written: &'a mut Vec<u8>,
}

impl<B> Sink<B> for Outlet<'_> {
    fn put(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(self.room);
        self.written.extend_from_slice(&bytes[..taken]);
        self.room -= taken;
        taken
    }
}

struct Trial<'a, S: LocalStorage> {
    setting: &'a Setting,
    connection: Connection<<S as Storage>::Body>,
    /// From the socket, and to it.
    down: S::Lane,
    up: S::Lane,
    /// Of the peer's stream, what was not taken.
    pending: Vec<u8>,
    written: Vec<u8>,
    sent: u8,
    seen: Seen,
    succeeded: bool,
    closed: Option<CloseReason>,
    /// The socket has asked for the end.
    dismissed: bool,
    now: Instant,
}

impl<'a, S: LocalStorage> Trial<'a, S> {
    fn new(setting: &'a Setting) -> Self {
        Self {
            setting,
            connection: Connection::new(&setting.config, Instant::ZERO),
            down: S::lane(3),
            up: S::lane(3),
            pending: setting.prelude.clone(),
            written: Vec::new(),
            sent: 0,
            seen: Seen::default(),
            succeeded: false,
            closed: None,
            dismissed: false,
            now: Instant::ZERO,
        }
    }
    fn run(mut self, mut source: Decisions<'_>) {
        while !source.is_empty() {
            self.operate(&mut source);
            self.check();
        }
        self.finish();
    }
    fn operate(&mut self, source: &mut Decisions<'_>) {
        let len = usize::from(source.octet());
        match len % 13 {
            0..=2 => {
                self.pending.extend_from_slice(source.take(len / 13));
                self.offer();
            }
            3 | 4 => {
                let shape = source.octet();
                frame(shape & 1 != 0, shape & 6 == 6, source.take(len / 13), &mut self.pending);
                self.offer();
            }
            5 | 6 => self.transmit(len / 6),
            7 => self.send(len),
            8 => self.signal(source),
            9 => drop(self.seen.read(&mut self.up)),
            10 => drop(self.seen.pop_signal(&mut self.up)),
            11 => self.fill(source.take(len / 13)),
            _ => self.pass_time(len),
        }
    }
    fn offer(&mut self) {
        let mut at = 0;
        self.connection.handle_input(self.setting.local, self.pending.as_slice(), &mut at, &mut self.up, self.now);
        assert!(at <= self.pending.len());
        self.pending.drain(..at);
        if !self.pending.is_empty() {
            let reason = !self.up.writable() || self.up.front_signal().is_some();
            assert!(reason, "octets were left though the pipe has room");
        }
    }
    fn transmit(&mut self, room: usize) {
        let before = self.written.len();
        let closed = self.connection.closed().is_some();
        let mut outlet = Outlet { room, written: &mut self.written };
        let full = self.connection.poll_transmit(self.setting.local, &mut self.down, &mut outlet);
        assert!(!full || outlet.room == 0, "the sink was not full");
        assert!(!closed || self.written.len() == before, "a closed connection spoke");
    }
    /// A message of one to three frames, of which each tells its place.
    fn send(&mut self, len: usize) {
        if !self.down.writable() {
            return;
        }
        let last = len / 13 % 3;
        for part in 0..=last {
            let mut body = vec![b'm', self.sent, part as u8];
            body.resize(3 + len % 17, b'.');
            self.down.write_bytes(&body, part < last).expect("a message begun is taken");
        }
        self.down.flush();
        self.sent = self.sent.wrapping_add(1);
    }
    fn signal(&mut self, source: &mut Decisions<'_>) {
        let what = source.octet();
        let topic = source.take(usize::from(what >> 4));
        let signal = match what & 7 {
            0..=3 => Signal::Subscribe(topic),
            4..=6 => Signal::Cancel(topic),
            _ => Signal::Close(CloseReason::Unwanted),
        };
        self.dismissed |= matches!(signal, Signal::Close(_));
        let _ = self.down.signal(signal);
    }
    /// Octets read straight into the body that waits for them.
    fn fill(&mut self, octets: &[u8]) {
        let Some(space) = self.connection.wanted() else { return };
        assert!(!space.is_empty() && self.pending.is_empty(), "octets before these wait");
        let len = space.len().min(octets.len());
        space[..len].copy_from_slice(&octets[..len]);
        self.connection.filled(len);
        self.offer();
    }
    fn pass_time(&mut self, len: usize) {
        match len / 13 % 4 {
            0 => self.now = self.now + Duration::from_secs(len as u64 / 8),
            1 => self.connection.handle_timeout(&mut self.up, self.now),
            2 if len > 240 => self.connection.handle_eof(&mut self.up),
            _ => self.poll_event(),
        }
    }
    fn poll_event(&mut self) {
        match self.connection.poll_event() {
            Some(Event::HandshakeSucceeded { minor }) => {
                assert!(minor <= 1 && !self.succeeded && self.closed.is_none());
                self.succeeded = true;
            }
            Some(Event::Closed(reason)) => {
                assert_eq!(self.connection.closed(), Some(reason));
                assert_eq!(self.closed.replace(reason), None, "told twice");
            }
            Some(_) | None => {}
        }
    }
    fn check(&mut self) {
        let closed = self.connection.closed();
        assert!(self.closed.is_none() || self.closed == closed, "a reason changed");
        assert!(self.seen.closed.is_none() || self.seen.closed == closed, "the pipe heard another reason");
        if closed.is_some() {
            assert!(!self.connection.is_ready() && !self.connection.takes_images() && !self.connection.is_stalled());
            assert!(self.connection.wanted().is_none() && self.connection.poll_timeout().is_none());
        }
        let silent = closed.is_none() && self.connection.poll_timeout().is_none();
        assert!(!silent || self.connection.is_ready(), "a handshake has a deadline");
    }
    /// The stream ends; everything is told once, and what is left in the pipe begins with a message.
    fn finish(mut self) {
        while self.connection.closed().is_none() {
            self.seen.drain(&mut self.up);
            let before = self.pending.len();
            self.offer();
            if self.pending.len() == before {
                self.connection.handle_eof(&mut self.up);
            }
        }
        for _ in 0..3 {
            self.seen.drain(&mut self.up);
            self.connection.handle_eof(&mut self.up);
            self.poll_event();
        }
        self.check();
        assert!(self.closed.is_some() && self.seen.closed == self.closed, "the end was not told");
        assert_eq!(self.succeeded, !self.seen.signals.is_empty(), "Ready and its event go together");
        self.connection.release(&mut self.down, &mut self.up);
        self.seen.drain(&mut self.up);
        if let Some(frame) = self.down.read() {
            assert_eq!(frame.body.as_ref()[2], 0, "a message was torn at release");
        }
        spoken(&self.written, self.succeeded);
    }
}

/// What was sent is a greeting, READY, commands, and messages whose frames are in order.
fn spoken(written: &[u8], succeeded: bool) {
    assert!(written.len() <= 64 || written[64..].starts_with(&[4]), "READY follows the greeting");
    assert!(succeeded || written.iter().filter(|&&octet| octet == b'm').count() < 3, "messages before the handshake");
    let (mut decoder, mut at, mut expected) = (Decoder::new(Framing::V3, u64::MAX), 64, (None, 0));
    while let Some(header) = decoder.header(written, &mut at).expect("what is sent can be read") {
        let Some(body) = written.get(at..at + header.len as usize) else { break };
        at += body.len();
        decoder.finish();
        match body {
            _ if header.command => drop(Command::parse(body).expect("a command")),
            [b'm', number, part, ..] => {
                assert_eq!(*part, expected.1, "frames are in order");
                assert!(expected.0.is_none_or(|last: u8| *number == last.wrapping_add(u8::from(*part == 0))));
                expected = (Some(*number), if header.more { part + 1 } else { 0 });
                continue;
            }
            [0 | 1, ..] => {}
            _ => panic!("{body:?} was never sent"),
        }
        assert_eq!(expected.1, 0, "a command between the frames of a message");
    }
}

/// The same stream in one piece, in the pieces drawn, and octet by octet.
fn cut_alike<S: LocalStorage>(setting: &Setting, mut source: Decisions<'_>) {
    let cuts = source.cuts();
    let stream = [setting.prelude.as_slice(), source.0].concat();
    let whole = receive::<S>(setting, [stream.as_slice()].into_iter());
    assert_eq!(receive::<S>(setting, pieces(&stream, &cuts)), whole);
    assert_eq!(receive::<S>(setting, stream.chunks(1)), whole);
}

fn receive<'s, S: LocalStorage>(setting: &Setting, pieces: impl Iterator<Item = &'s [u8]>) -> Seen {
    let mut connection = Connection::<S::Body>::new(&setting.config, Instant::ZERO);
    let (mut up, mut seen) = (S::lane(0), Seen::default());
    for piece in pieces {
        let mut at = 0;
        loop {
            connection.handle_input(setting.local, piece, &mut at, &mut up, Instant::ZERO);
            let stalled = connection.is_stalled();
            seen.drain(&mut up);
            if at == piece.len() && !stalled {
                break;
            }
        }
    }
    seen.drain(&mut up);
    seen.closed = connection.closed();
    seen
}
