//! What the peer's commands mean, and how large they may be.

use super::{Event, Local, Mechanism, Phase, State, Timer};
use crate::error::{CloseReason, Limit, Refusal};
use crate::pipe::{PipeWriter, Signal};
use crate::wire::{Command, FrameHeader, Metadata, Property, SocketType, Version, WireError};

/// Octets of a SUBSCRIBE or CANCEL beside the topic, at most.
const SUBSCRIBE: u64 = 10;

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
        match (self.mechanism, Command::parse(body)?) {
            (Mechanism::Null, Command::Ready(metadata)) => self.on_ready(local, metadata, pipe),
            (Mechanism::Null, Command::Error(_)) => Err(CloseReason::PeerError),
            (Mechanism::Null, _) => Err(WireError::BadCommand.into()),
        }
    }
    fn on_ready<W: PipeWriter>(
        &mut self,
        local: Local<'_>,
        metadata: Metadata<'_>,
        pipe: &mut W,
    ) -> Result<bool, CloseReason> {
        let Phase::Handshake(version) = self.phase else { return Ok(true) };
        if metadata.0.len() as u64 > self.limits.metadata.into() {
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
        self.phase = Phase::Traffic(version);
        self.timers.set(Timer::Handshake, None);
        self.events.push(Event::HandshakeSucceeded { minor: u8::from(version == Version::V3_1) });
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
        match Command::parse(body) {
            Ok(Command::Subscribe(topic)) if subscribes => self.on_topic(Signal::Subscribe(topic), topic, pipe),
            Ok(Command::Cancel(topic)) if subscribes => self.on_topic(Signal::Cancel(topic), topic, pipe),
            Ok(Command::Ping { context, .. }) => {
                self.pong = Some(context);
                Ok(true)
            }
            Ok(Command::Error(_)) => Err(CloseReason::PeerError),
            Err(WireError::BadPing) => Err(WireError::BadPing.into()),
            Ok(_) | Err(_) => Ok(true),
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
fn peer_routing_id(socket_type: SocketType, metadata: Metadata<'_>) -> Result<&[u8], CloseReason> {
    let peer = metadata.find(Property::SOCKET_TYPE)?.ok_or(WireError::BadMetadata)?;
    if !socket_type.accepts(peer) {
        return Err(CloseReason::IncompatiblePeer);
    }
    let routing_id = metadata.find(Property::IDENTITY)?.unwrap_or_default();
    if routing_id.len() <= 255 { Ok(routing_id) } else { Err(WireError::BadIdentity.into()) }
}
