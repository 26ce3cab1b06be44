//! Octets out: greeting, handshake, signals and messages, as far as the sink takes them.
//!
//! All that is sent beside messages is a function of the state, what is lent, and the signal in front; it is composed
//! again at every call, and only the offset is kept.

use super::command::Context;
use super::greeting::{Dialect, GREETING};
use super::{Connection, Local, Mechanism, Phase};
use crate::body::{Body, Sink};
use crate::error::CloseReason;
use crate::pipe::{PipeReader, Signal};
use crate::wire::{self, FrameHeader, Framing, MAX_HEADER, SocketType};

/// What is being sent; the outflow's offset says how much of it has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// The greeting, as far as the peer's allows; then the wait for the peer's to end: READY must not go to a peer
    /// whose protocol is not known whole, or it could be talked down.
    Greeting,
    /// The mechanism's next command.
    Handshake,
    /// Nothing is half sent.
    None,
    /// The signal in front of the pipe.
    Signal,
    /// The answer to a PING.
    Pong(Context),
    /// The frame in front of the pipe.
    Frame,
}

/// How an item fared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// All of it has gone.
    Gone,
    /// The sink is full.
    Full,
    /// The peer has to say something first.
    Waits,
}

impl Progress {
    #[inline]
    const fn of(gone: bool) -> Self {
        if gone { Self::Gone } else { Self::Full }
    }
}

impl<B: Body> Connection<B> {
    /// Offers what is to be sent; true when the sink was full.
    #[inline]
    pub fn poll_transmit<R: PipeReader<Body = B>>(
        &mut self,
        local: Local<'_>,
        pipe: &mut R,
        sink: &mut impl Sink<B>,
    ) -> bool {
        loop {
            if let Phase::Closed(_) = self.state.phase {
                return false;
            }
            let progress = match self.state.item {
                Item::None => match self.next_item(pipe) {
                    Item::None => return false,
                    item => {
                        self.state.item = item;
                        continue;
                    }
                },
                Item::Frame => Progress::of(self.send_frames(pipe, sink)),
                Item::Signal => Progress::of(self.send_signal(pipe, sink)),
                Item::Pong(context) => Progress::of(self.send_command(b"\x04PONG", context.as_slice(), sink)),
                Item::Greeting => self.send_greeting(sink),
                Item::Handshake => Progress::of(self.send_ready(local, sink)),
            };
            match progress {
                Progress::Gone if self.state.item == Item::Greeting => self.state.item = Item::Handshake,
                Progress::Gone => self.state.item = Item::None,
                Progress::Full => return true,
                Progress::Waits => return false,
            }
        }
    }
    /// What to send next. Commands go between messages, never between the frames of one.
    #[inline]
    fn next_item<R: PipeReader<Body = B>>(&mut self, pipe: &mut R) -> Item {
        if !self.state.tx_open {
            if let Some(item) = self.next_aside(pipe) {
                return item;
            }
        }
        if self.is_ready() && pipe.front().is_some() { Item::Frame } else { Item::None }
    }
    #[inline]
    fn next_aside<R: PipeReader<Body = B>>(&mut self, pipe: &mut R) -> Option<Item> {
        if let Some(context) = self.state.pong.take() {
            return Some(Item::Pong(context));
        }
        while let Some(signal) = pipe.front_signal() {
            match signal {
                Signal::Subscribe(_) | Signal::Cancel(_) => return self.is_ready().then_some(Item::Signal),
                Signal::Ready(_) => {
                    pipe.pop_signal();
                }
                Signal::Close(reason) => {
                    pipe.pop_signal();
                    self.close(reason);
                    return Some(Item::None);
                }
            }
        }
        None
    }
    /// Frames until the sink is full or the pipe is empty. What waits beside them goes after the message in progress.
    #[inline]
    fn send_frames<R: PipeReader<Body = B>>(&mut self, pipe: &mut R, sink: &mut impl Sink<B>) -> bool {
        let waiting = self.state.pong.is_some() || pipe.front_signal().is_some();
        while let Some(front) = pipe.front() {
            if !self.outflow.frame(front, pipe, sink) {
                return false;
            }
            self.state.tx_open = front.more;
            if waiting && !front.more {
                break;
            }
        }
        true
    }
    fn send_greeting(&mut self, sink: &mut impl Sink<B>) -> Progress {
        let allowed = match self.state.phase {
            Phase::Greeting(incoming) => incoming.allows(),
            Phase::Handshake(_) | Phase::Traffic(_) | Phase::Closed(_) => GREETING,
        };
        let mut octets = [0; GREETING];
        wire::greeting(self.state.mechanism.name(), &mut octets);
        if !self.outflow.upto([octets.get(..allowed).unwrap_or_default()], sink) {
            return Progress::Full;
        }
        if let Phase::Greeting(_) = self.state.phase {
            return Progress::Waits;
        }
        Progress::of(self.outflow.pieces([octets.as_slice()], sink))
    }
    /// READY: `Socket-Type`, and `Identity` where ROUTER may want it.
    fn send_ready(&mut self, local: Local<'_>, sink: &mut impl Sink<B>) -> bool {
        let Mechanism::Null = self.state.mechanism;
        let name = local.socket_type.name().as_bytes();
        let (id_name, id): (&[u8], &[u8]) = match local.socket_type {
            SocketType::Req | SocketType::Dealer | SocketType::Router => (b"\x08Identity", local.routing_id),
            _ => (b"", b""),
        };
        let id_len = be32(id);
        let id_len: &[u8] = if id_name.is_empty() { b"" } else { &id_len };
        self.send_pieces(true, [b"\x05READY", b"\x0bSocket-Type", &be32(name), name, id_name, id_len, id], sink)
    }
    /// SUBSCRIBE or CANCEL: a command to a 3.1 peer, a message that begins with 1 or 0 to a 3.0 peer.
    fn send_signal<R: PipeReader<Body = B>>(&mut self, pipe: &mut R, sink: &mut impl Sink<B>) -> bool {
        let command = self.state.phase == Phase::Traffic(Dialect::V31);
        let (name, topic): (&[u8], &[u8]) = match (pipe.front_signal(), command) {
            (Some(Signal::Subscribe(topic)), true) => (b"\x09SUBSCRIBE", topic),
            (Some(Signal::Subscribe(topic)), false) => (b"\x01", topic),
            (Some(Signal::Cancel(topic)), true) => (b"\x06CANCEL", topic),
            (Some(Signal::Cancel(topic)), false) => (b"\x00", topic),
            (Some(Signal::Ready(_) | Signal::Close(_)) | None, _) => return true,
        };
        let gone = self.send_pieces(command, [name, topic], sink);
        if gone {
            pipe.pop_signal();
        }
        gone
    }
    fn send_command(&mut self, name: &[u8], data: &[u8], sink: &mut impl Sink<B>) -> bool {
        self.send_pieces(true, [name, data], sink)
    }
    /// A frame whose body is `pieces` put together.
    fn send_pieces<const N: usize>(&mut self, command: bool, pieces: [&[u8]; N], sink: &mut impl Sink<B>) -> bool {
        let len = pieces.iter().fold(0u64, |sum, piece| sum.saturating_add(piece.len() as u64));
        let mut head = [0; MAX_HEADER];
        let used = FrameHeader { more: false, command, len }.emit(Framing::V3, &mut head);
        let head = head.get(..used).unwrap_or_default();
        self.outflow.pieces(core::iter::once(head).chain(pieces), sink)
    }
}

fn be32(value: &[u8]) -> [u8; 4] {
    u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes()
}
