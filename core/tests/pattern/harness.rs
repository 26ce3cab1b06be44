//! A socket whose peers are played by the test: a message is written `a|b|c`, one part between bars.

use omnimq_core::{
    CloseReason, Fixed, Frame, LocalStorage, Options, Pattern, Piece, PipeId, PipeReader, PipeWriter, Receives, RecvError,
    SendErrorKind, Sends, Side, Signal, Socket, Storage,
};

/// Four pipes of four messages of 96 octets; eight topics.
pub(crate) type Small = Fixed<4, 4, 96, 8, 32>;

/// Makes each test twice: over `Heap` and over `Small`.
macro_rules! both {
    ($($(#[$meta:meta])* fn $name:ident<$storage:ident>() $body:block)*) => { $(
        mod $name {
            use super::*;
            fn run<$storage: omnimq_core::LocalStorage>() $body
            $(#[$meta])* fn heap() { run::<omnimq_core::Heap>(); }
            $(#[$meta])* fn fixed() { run::<crate::harness::Small>(); }
        }
    )* };
}
pub(crate) use both;

/// A socket and what its peers do.
pub(crate) struct Bench<P: Pattern, S: LocalStorage> {
    pub(crate) socket: Socket<P, S>,
    pub(crate) options: Options,
}

impl<P: Pattern, S: LocalStorage> Bench<P, S> {
    pub(crate) fn new(pattern: P) -> Self {
        Self::with(pattern, |_| {})
    }
    pub(crate) fn with(pattern: P, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::new(7);
        (options.send_hwm, options.recv_hwm) = (2, 4);
        change(&mut options);
        Self { socket: Socket::new(pattern, &options), options }
    }
    /// A pipe whose peer has not answered yet.
    pub(crate) fn attach(&mut self, side: Side) -> PipeId {
        let (tx, rx) = (S::lane(self.options.send_hwm), S::lane(self.options.recv_hwm));
        self.socket.attach(tx, rx, side).expect("a free place")
    }
    /// A pipe made by a bind, whose peer announces `identity`.
    pub(crate) fn peer(&mut self, identity: &str) -> PipeId {
        let id = self.attach(Side::Bind);
        self.ready(id, identity);
        id
    }
    pub(crate) fn peers(&mut self, count: usize) -> Vec<PipeId> {
        (0..count).map(|_| self.peer("")).collect()
    }
    pub(crate) fn ready(&mut self, id: PipeId, identity: &str) {
        self.signal(id, Signal::Ready(identity.as_bytes()));
    }
    pub(crate) fn signal(&mut self, id: PipeId, signal: Signal<&[u8]>) {
        self.socket.pipe(id).unwrap().rx.signal(signal).unwrap();
        self.socket.process(id);
    }
    pub(crate) fn peer_subscribes(&mut self, id: PipeId, topic: &str) {
        self.signal(id, Signal::Subscribe(topic.as_bytes()));
    }
    pub(crate) fn peer_cancels(&mut self, id: PipeId, topic: &str) {
        self.signal(id, Signal::Cancel(topic.as_bytes()));
    }
    /// The peer's message arrives.
    pub(crate) fn peer_sends(&mut self, id: PipeId, message: &str) {
        self.arrive(id, message);
        self.socket.process(id);
    }
    /// The peer's message lies in the lane; nobody has told the socket.
    pub(crate) fn arrive(&mut self, id: PipeId, message: &str) {
        let rx = &mut self.socket.pipe(id).unwrap().rx;
        assert!(rx.writable(), "the peer has no room");
        for (part, more) in parts(message) {
            rx.write_bytes(part.as_bytes(), more).unwrap();
        }
    }
    /// All messages that have been sent to the peer.
    pub(crate) fn peer_receives(&mut self, id: PipeId) -> Vec<String> {
        let mut messages = Vec::new();
        while let Some(message) = read(&mut self.socket.pipe(id).unwrap().tx) {
            messages.push(message);
        }
        self.socket.process(id);
        messages
    }
    /// All signals to the peer: `+a` subscribe, `-a` cancel, `!` close. The socket is told of each slot that gets free.
    pub(crate) fn peer_hears(&mut self, id: PipeId) -> Vec<String> {
        let mut heard = Vec::new();
        while let Some(signal) = self.socket.pipe(id).and_then(|pipe| pipe.tx.pop_signal()) {
            heard.push(match signal {
                Signal::Subscribe(topic) => format!("+{}", text(topic.as_ref())),
                Signal::Cancel(topic) => format!("-{}", text(topic.as_ref())),
                Signal::Ready(_) => "ready".into(),
                Signal::Close(reason) => format!("!{reason:?}"),
            });
            self.socket.process(id);
        }
        heard
    }
    /// Why the socket wants the pipe closed.
    pub(crate) fn wants_closed(&mut self, id: PipeId) -> Option<CloseReason> {
        while let Some(signal) = self.socket.pipe(id)?.tx.pop_signal() {
            if let Signal::Close(reason) = signal {
                return Some(reason);
            }
        }
        None
    }
    pub(crate) fn send(&mut self, message: &str) -> Result<(), SendErrorKind>
    where
        P: Sends,
    {
        for (part, more) in parts(message) {
            self.send_part(part, more)?;
        }
        Ok(())
    }
    pub(crate) fn send_part(&mut self, part: &str, more: bool) -> Result<(), SendErrorKind>
    where
        P: Sends,
    {
        let could = self.socket.can_send();
        let sent = self.socket.send(Piece { bytes: part.as_bytes(), more }).map_err(|error| error.kind);
        assert!(could || sent.is_err(), "sent {part:?} without being able to");
        sent
    }
    pub(crate) fn recv(&mut self) -> Result<String, RecvError>
    where
        P: Receives,
    {
        let (mut message, mut more) = self.recv_part()?;
        while more {
            let (part, rest) = self.recv_part().expect("the rest of a message");
            (message, more) = (message + "|" + &part, rest);
        }
        Ok(message)
    }
    pub(crate) fn recv_part(&mut self) -> Result<(String, bool), RecvError>
    where
        P: Receives,
    {
        let could = self.socket.can_recv();
        let received = self.socket.recv();
        assert_eq!(could, received.is_ok(), "{received:?}");
        received.map(|frame: Frame<<S as Storage>::Body>| (text(frame.body.as_ref()), frame.more))
    }
    /// Everything that can be received.
    pub(crate) fn recv_all(&mut self) -> Vec<String>
    where
        P: Receives,
    {
        std::iter::from_fn(|| self.recv().ok()).collect()
    }
}

/// The next message in a lane.
fn read(lane: &mut impl PipeReader) -> Option<String> {
    let mut frame = lane.read()?;
    let mut message = text(frame.body.as_ref());
    while frame.more {
        frame = lane.read().expect("whole messages");
        message = message + "|" + &text(frame.body.as_ref());
    }
    Some(message)
}

/// The parts of a message, and whether more follow.
fn parts(message: &str) -> impl Iterator<Item = (&str, bool)> {
    let count = message.split('|').count();
    message.split('|').enumerate().map(move |(at, part)| (part, at + 1 < count))
}

/// Octets as characters.
fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// Frames pass between two sockets until none is left.
pub(crate) fn join<P: Pattern, Q: Pattern, S: LocalStorage>(
    (left, a): (&mut Socket<P, S>, PipeId),
    (right, b): (&mut Socket<Q, S>, PipeId),
) {
    for _ in 0..64 {
        let (Some(one), Some(other)) = (left.pipe(a), right.pipe(b)) else { return };
        let _ = omnimq_core::pipe::relay(&mut one.tx, &mut other.rx);
        let _ = omnimq_core::pipe::relay(&mut other.tx, &mut one.rx);
        left.process(a);
        right.process(b);
    }
}
