//! Octets out: greeting, handshake, signals and messages, as far as the sink takes them.
//!
//! All that is sent beside messages is a function of the state, what is lent, and the signal in front; it is composed
//! again at every call, and only the offset is kept.

use super::{Connection, Local, Mechanism, Phase};
use crate::body::{Body, Sink};
use crate::pipe::{PipeReader, Signal};
use crate::wire::{GREETING_LEN, Greeting, PingContext, SocketType, Version};

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
    Pong(PingContext),
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
        if let Some(Signal::Close(reason)) = pipe.front_signal() {
            // Also when something is half sent: a peer that has stopped reading must not delay it.
            pipe.pop_signal();
            self.close(reason);
        }
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
                Item::Pong(context) => Progress::of(self.outflow.composed(true, [b"\x04PONG", context.as_ref()], sink)),
                Item::Greeting => self.send_greeting(local, sink),
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
        if !self.state.tx_open
            && let Some(item) = self.next_aside(pipe)
        {
            return item;
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
    fn send_greeting(&mut self, local: Local<'_>, sink: &mut impl Sink<B>) -> Progress {
        let octets =
            Greeting::new(self.state.mechanism.name(), false).emit(u8::try_from(local.routing_id.len()).unwrap_or(u8::MAX));
        let Phase::Greeting(incoming) = self.state.phase else {
            return Progress::of(self.outflow.octets(&octets, sink));
        };
        let allowed = octets.get(..incoming.allows().min(GREETING_LEN)).unwrap_or_default();
        if self.outflow.upto(allowed, sink) { Progress::Waits } else { Progress::Full }
    }
    /// READY: `Socket-Type`, and `Identity` from those whom a ROUTER may talk to.
    fn send_ready(&mut self, local: Local<'_>, sink: &mut impl Sink<B>) -> bool {
        let Mechanism::Null = self.state.mechanism;
        let count = |value: &[u8]| u8::try_from(value.len()).unwrap_or(u8::MAX);
        let name = local.socket_type.name().as_bytes();
        let (identity, routing_id): (&[u8], _) = match local.socket_type {
            SocketType::Req | SocketType::Dealer | SocketType::Router => (b"\x08Identity\0\0\0", local.routing_id),
            _ => (&[], &[][..]),
        };
        let counts = [count(name), count(routing_id)];
        let (name_len, id_len) = counts.split_at(1);
        let id_len = if identity.is_empty() { &[] } else { id_len };
        let pieces = [b"\x05READY\x0bSocket-Type\0\0\0", name_len, name, identity, id_len, routing_id];
        self.outflow.composed(true, pieces, sink)
    }
    /// SUBSCRIBE or CANCEL: a command to a 3.1 peer, a message that begins with 1 or 0 to an older one.
    fn send_signal<R: PipeReader<Body = B>>(&mut self, pipe: &mut R, sink: &mut impl Sink<B>) -> bool {
        let (command, old, topic): (&[u8], &[u8], _) = match pipe.front_signal() {
            Some(Signal::Subscribe(topic)) => (b"\x09SUBSCRIBE", b"\x01", topic),
            Some(Signal::Cancel(topic)) => (b"\x06CANCEL", b"\x00", topic),
            Some(Signal::Ready(_) | Signal::Close(_)) | None => return true,
        };
        let as_command = self.state.phase == Phase::Traffic(Version::V3_1);
        let gone = self.outflow.composed(as_command, [if as_command { command } else { old }, topic], sink);
        if gone {
            pipe.pop_signal();
        }
        gone
    }
}
