//! What the peer's commands mean, and how large they may be.

use super::{Event, Local, Mechanism, Phase, State, Timer};
use crate::error::{CloseReason, Limit, Refusal};
use crate::pipe::{PipeWriter, Signal};
use crate::wire::{self, FrameHeader, SocketType, WireError};

/// Octets of a SUBSCRIBE or CANCEL beside the topic, at most.
const SUBSCRIBE: u64 = 10;

/// A PING's context, echoed by its PONG: at most 16 octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Context {
    len: u8,
    bytes: [u8; 16],
}

impl Context {
    /// The first 16 octets of `bytes`: what libzmq echoes of a longer one.
    fn new(bytes: &[u8]) -> Self {
        let mut context = Self::default();
        for (to, from) in context.bytes.iter_mut().zip(bytes) {
            *to = *from;
            context.len = context.len.saturating_add(1);
        }
        context
    }
    pub(super) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl State {
    /// Whether a frame may be kept, asked before any of its body is.
    #[cold]
    pub(super) fn admit(&self, header: FrameHeader) -> Result<(), CloseReason> {
        match self.phase {
            Phase::Traffic(_) => {
                let most = u64::from(self.limits.topic_len).saturating_add(SUBSCRIBE).max(self.limits.command.into());
                if header.len <= most { Ok(()) } else { Err(CloseReason::Limit(Limit::Command)) }
            }
            Phase::Handshake(_) if !header.command => Err(WireError::BadCommand.into()),
            Phase::Handshake(_) => {
                let octets = header.len.saturating_add(if header.len <= 255 { 2 } else { 9 });
                let left = self.limits.handshake.saturating_sub(self.spent);
                if octets <= left.into() { Ok(()) } else { Err(CloseReason::Limit(Limit::Handshake)) }
            }
            Phase::Greeting(_) | Phase::Closed(_) => Ok(()),
        }
    }
    /// A frame of the handshake; false when its signal has to wait.
    pub(super) fn on_handshake<W: PipeWriter>(
        &mut self,
        local: Local<'_>,
        body: &[u8],
        pipe: &mut W,
    ) -> Result<bool, CloseReason> {
        match (self.mechanism, wire::command(body).ok_or(WireError::BadCommand)?) {
            (Mechanism::Null, (b"READY", metadata)) => self.on_ready(local, metadata, pipe),
            (Mechanism::Null, (b"ERROR", _)) => Err(CloseReason::PeerError),
            (Mechanism::Null, _) => Err(WireError::BadCommand.into()),
        }
    }
    fn on_ready<W: PipeWriter>(&mut self, local: Local<'_>, metadata: &[u8], pipe: &mut W) -> Result<bool, CloseReason> {
        let Phase::Handshake(dialect) = self.phase else { return Ok(true) };
        if metadata.len() as u64 > self.limits.metadata.into() {
            return Err(CloseReason::Limit(Limit::Metadata));
        }
        let routing_id = peer_routing_id(local.socket_type, metadata)?;
        let mut sent = pipe.signal(Signal::Ready(routing_id));
        if sent == Err(Refusal::TooLarge) && local.socket_type != SocketType::Router {
            // Nobody but a ROUTER calls its peers by name.
            sent = pipe.signal(Signal::Ready(&[]));
        }
        if !taken(sent)? {
            return Ok(false);
        }
        self.phase = Phase::Traffic(dialect);
        self.timers.set(Timer::Handshake, None);
        self.events.push(Event::HandshakeSucceeded { minor: dialect.minor() });
        Ok(true)
    }
    /// A command in the traffic phase; false when its signal has to wait. Unknown and malformed ones are passed over, as
    /// libzmq does.
    pub(super) fn on_command<W: PipeWriter>(
        &mut self,
        subscribes: bool,
        body: &[u8],
        pipe: &mut W,
    ) -> Result<bool, CloseReason> {
        match wire::command(body) {
            Some((b"SUBSCRIBE", topic)) if subscribes => self.on_topic(Signal::Subscribe(topic), topic, pipe),
            Some((b"CANCEL", topic)) if subscribes => self.on_topic(Signal::Cancel(topic), topic, pipe),
            Some((b"PING", data)) => {
                let (_ttl, context) = data.split_first_chunk::<2>().ok_or(WireError::BadCommand)?;
                self.pong = Some(Context::new(context));
                Ok(true)
            }
            Some((b"ERROR", _)) => Err(CloseReason::PeerError),
            Some(_) | None => Ok(true),
        }
    }
    /// A subscription in the form of a message: 1 or 0, then the topic. Any version allows it.
    pub(super) fn on_subscription<W: PipeWriter>(&mut self, body: &[u8], pipe: &mut W) -> Result<bool, CloseReason> {
        match body.split_first() {
            Some((1, topic)) => self.on_topic(Signal::Subscribe(topic), topic, pipe),
            Some((_, topic)) => self.on_topic(Signal::Cancel(topic), topic, pipe),
            None => Ok(true),
        }
    }
    fn on_topic<W: PipeWriter>(&mut self, signal: Signal<&[u8]>, topic: &[u8], pipe: &mut W) -> Result<bool, CloseReason> {
        if topic.len() as u64 > self.limits.topic_len.into() {
            return Err(CloseReason::Limit(Limit::TopicLen));
        }
        taken(pipe.signal(signal))
    }
}

/// Whether a signal was taken; `false` when it has to wait.
fn taken(sent: Result<(), Refusal>) -> Result<bool, CloseReason> {
    match sent {
        Ok(()) => Ok(true),
        Err(Refusal::Full) => Ok(false),
        Err(Refusal::TooLarge) => Err(CloseReason::TooLarge),
    }
}

/// The routing id in a READY's metadata, if the peer's socket type may talk to `socket_type`.
fn peer_routing_id(socket_type: SocketType, mut metadata: &[u8]) -> Result<&[u8], CloseReason> {
    let (mut routing_id, mut peer): (&[u8], Option<&[u8]>) = (&[], None);
    while !metadata.is_empty() {
        let (name, value) = wire::property(&mut metadata).ok_or(WireError::BadCommand)?;
        if name.eq_ignore_ascii_case(b"Socket-Type") {
            peer = Some(value);
        } else if name.eq_ignore_ascii_case(b"Identity") {
            routing_id = value;
        }
    }
    if routing_id.len() > 255 {
        return Err(WireError::BadCommand.into());
    }
    match peer {
        Some(name) if socket_type.accepts(name) => Ok(routing_id),
        Some(_) => Err(CloseReason::IncompatiblePeer),
        None => Err(WireError::BadCommand.into()),
    }
}
