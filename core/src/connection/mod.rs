//! ZMTP 3.x over one byte stream (RFC 37): greeting, NULL handshake, traffic, subscription commands.
//!
//! ```text
//! Greeting --64 octets--> Handshake --READY--> Traffic
//!     \___________ any error, Close signal ________\--> Closed
//! ```
//! Keeps offsets and at most one inbound frame that straddles inputs. Outbound messages stay in their pipe.

use crate::body::{Body, Frame, Input, Sink};
use crate::error::{CloseReason, Refusal};
use crate::flow::{Inflow, Outflow};
use crate::pipe::{PipeReader, PipeWriter, Signal};
use crate::wire::{self, FrameHeader, Framing, MAX_HEADER, SocketType, WireError};

/// What a connection announces: lent at each call, so that many connections share one.
#[derive(Clone, Copy)]
pub struct Local<'a> {
    pub socket_type: SocketType,
    pub identity: &'a [u8],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Greeting { at: u8 },
    Handshake,
    Traffic,
    Closed(CloseReason),
}

/// What is being sent; `Outflow::sent` says how much of it has gone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Item {
    Greeting,
    /// READY has to wait for the peer's greeting: an older peer gets something else.
    Await,
    Ready,
    None,
    Signal,
    Frame,
}

struct State {
    phase: Phase,
    item: Item,
    minor: u8,
    rx_open: bool,
    tx_open: bool,
    close_told: bool,
}

/// One byte stream's protocol state.
pub struct Connection<B: Body> {
    inflow: Inflow<B>,
    outflow: Outflow,
    state: State,
}

impl<B: Body> Connection<B> {
    pub fn new(max: u64) -> Self {
        Self {
            inflow: Inflow::new(Framing::V3, max),
            outflow: Outflow::new(Framing::V3),
            state: State {
                phase: Phase::Greeting { at: 0 },
                item: Item::Greeting,
                minor: 1,
                rx_open: false,
                tx_open: false,
                close_told: false,
            },
        }
    }
    pub fn closed(&self) -> Option<CloseReason> {
        match self.state.phase {
            Phase::Closed(reason) => Some(reason),
            Phase::Greeting { .. } | Phase::Handshake | Phase::Traffic => None,
        }
    }
    /// The stream is gone, the pipe lives on: forgets the half-received message and the rest of a half-sent one.
    /// A message of which no frame has gone entirely stays, for the next connection.
    pub fn release<R, W>(self, from_socket: &mut R, to_socket: &mut W)
    where
        R: PipeReader<Body = B>,
        W: PipeWriter<Body = B>,
    {
        to_socket.rollback();
        let mut open = self.state.tx_open;
        while open {
            open = from_socket.front().is_some_and(|front| front.more);
            from_socket.skip();
        }
    }
    /// Takes stream bytes from `input[*at..]`, moving `at`. Bytes left over: stop reading until the pipe has room.
    #[inline]
    pub fn handle_input<I, W>(&mut self, local: Local<'_>, input: &I, at: &mut usize, pipe: &mut W)
    where
        I: Input<B> + ?Sized,
        W: PipeWriter<Body = B>,
    {
        if let Err(reason) = self.advance(local, input, at, pipe) {
            self.state.phase = Phase::Closed(reason);
        }
        if let Phase::Closed(reason) = self.state.phase {
            pipe.rollback();
            self.state.close_told = self.state.close_told || pipe.signal(Signal::Close(reason)).is_ok();
            *at = input.bytes().len();
        }
        pipe.flush();
    }
    fn advance<I, W>(&mut self, local: Local<'_>, input: &I, at: &mut usize, pipe: &mut W) -> Result<(), CloseReason>
    where
        I: Input<B> + ?Sized,
        W: PipeWriter<Body = B>,
    {
        while let Phase::Greeting { .. } = self.state.phase {
            let Some(&byte) = input.bytes().get(*at) else { return Ok(()) };
            *at += 1;
            self.state.greet(byte)?;
        }
        while let Some(header) = self.inflow.poll(input, at)? {
            if !self.deliver(local, header, input, at, pipe)? {
                break;
            }
        }
        Ok(())
    }
    /// Passes the polled frame on; false when it has to wait.
    #[inline]
    fn deliver<I, W>(
        &mut self,
        local: Local<'_>,
        header: FrameHeader,
        input: &I,
        at: &mut usize,
        pipe: &mut W,
    ) -> Result<bool, CloseReason>
    where
        I: Input<B> + ?Sized,
        W: PipeWriter<Body = B>,
    {
        let bytes = self.inflow.bytes(header, input, *at);
        if header.command || self.state.is_subscription(local, bytes) {
            let taken = self.state.on_command(local, header, bytes, pipe)?;
            if taken {
                self.inflow.discard(header, at);
            }
            return Ok(taken);
        }
        if self.state.phase != Phase::Traffic {
            return Err(WireError::BadCommand.into());
        }
        if !self.state.rx_open && !pipe.writable() {
            return Ok(false);
        }
        let (body, more) = self.body(header, input, at)?;
        pipe.write(Frame { body, more }).map_err(|_| CloseReason::TooLarge)?;
        self.state.rx_open = more;
        Ok(true)
    }
    #[inline]
    fn body<I: Input<B> + ?Sized>(
        &mut self,
        header: FrameHeader,
        input: &I,
        at: &mut usize,
    ) -> Result<(B, bool), CloseReason> {
        let body = self.inflow.take(header, input, at, 0).ok_or(CloseReason::TooLarge)?;
        Ok((body, header.more))
    }
    /// The body being received, as far as it is missing: a driver may read from its stream straight into it.
    pub fn wanted(&mut self) -> Option<&mut [u8]> {
        self.inflow.wanted()
    }
    /// `n` bytes of `wanted` have been filled. Call `handle_input` (with no bytes, if none are at hand) afterwards.
    pub fn filled(&mut self, n: usize) {
        self.inflow.filled(n);
    }
    /// Offers what is to be sent; true when the sink was full.
    #[inline]
    pub fn poll_transmit<R: PipeReader<Body = B>>(
        &mut self,
        local: Local<'_>,
        pipe: &mut R,
        sink: &mut impl Sink<B>,
    ) -> bool {
        loop {
            if self.state.item == Item::None {
                self.state.item = self.next_item(pipe);
            }
            if self.state.item == Item::Await && !matches!(self.state.phase, Phase::Greeting { .. }) {
                self.state.item = Item::Ready;
            }
            let gone = match self.state.item {
                Item::None | Item::Await => return false,
                Item::Frame => self.send_frames(pipe, sink),
                Item::Greeting => {
                    let mut octets = [0; 64];
                    wire::greeting("NULL", &mut octets);
                    self.outflow.pieces(&[&octets], sink)
                }
                Item::Ready => self.send_ready(local, sink),
                Item::Signal => self.send_signal(pipe, sink),
            };
            if !gone {
                return true;
            }
            self.state.item = if self.state.item == Item::Greeting { Item::Await } else { Item::None };
        }
    }
    #[inline]
    fn next_item<R: PipeReader<Body = B>>(&mut self, pipe: &mut R) -> Item {
        if self.state.phase != Phase::Traffic {
            return Item::None;
        }
        if !self.state.tx_open {
            match pipe.front_signal() {
                Some(Signal::Subscribe(_) | Signal::Cancel(_)) => return Item::Signal,
                Some(Signal::Close(reason)) => {
                    self.state.phase = Phase::Closed(reason);
                    pipe.pop_signal();
                    return Item::None;
                }
                Some(Signal::Ready(_)) => {
                    pipe.pop_signal();
                }
                None => {}
            }
        }
        if pipe.front().is_some() { Item::Frame } else { Item::None }
    }
    /// Frames until the sink is full or the pipe is empty; signals go after the burst.
    #[inline]
    fn send_frames<R: PipeReader<Body = B>>(&mut self, pipe: &mut R, sink: &mut impl Sink<B>) -> bool {
        while let Some(front) = pipe.front() {
            if !self.outflow.frame(front, pipe, sink) {
                return false;
            }
            self.state.tx_open = front.more;
        }
        true
    }
    /// READY with `Socket-Type` and `Identity`, recomputed on every call: only the offset is kept.
    fn send_ready(&mut self, local: Local<'_>, sink: &mut impl Sink<B>) -> bool {
        let name = local.socket_type.name().as_bytes();
        let len = 6 + 12 + 4 + name.len() + 9 + 4 + local.identity.len();
        let mut head = [0; MAX_HEADER];
        let used = FrameHeader { more: false, command: true, len: len as u64 }.emit(Framing::V3, &mut head);
        self.outflow.pieces(
            &[
                head.get(..used).unwrap_or_default(),
                b"\x05READY\x0bSocket-Type",
                &(name.len() as u32).to_be_bytes(),
                name,
                b"\x08Identity",
                &(local.identity.len() as u32).to_be_bytes(),
                local.identity,
            ],
            sink,
        )
    }
    /// SUBSCRIBE or CANCEL: a command to a 3.1 peer, a message beginning 1 or 0 to a 3.0 peer.
    fn send_signal<R: PipeReader<Body = B>>(&mut self, pipe: &mut R, sink: &mut impl Sink<B>) -> bool {
        let command = self.state.minor >= 1;
        let (name, topic): (&[u8], &[u8]) = match (pipe.front_signal(), command) {
            (Some(Signal::Subscribe(topic)), true) => (b"\x09SUBSCRIBE", topic),
            (Some(Signal::Subscribe(topic)), false) => (b"\x01", topic),
            (Some(Signal::Cancel(topic)), true) => (b"\x06CANCEL", topic),
            (Some(Signal::Cancel(topic)), false) => (b"\x00", topic),
            (Some(Signal::Ready(_) | Signal::Close(_)) | None, _) => return true,
        };
        let mut head = [0; MAX_HEADER];
        let len = (name.len() + topic.len()) as u64;
        let used = FrameHeader { more: false, command, len }.emit(Framing::V3, &mut head);
        let gone = self.outflow.pieces(&[head.get(..used).unwrap_or_default(), name, topic], sink);
        if gone {
            pipe.pop_signal();
        }
        gone
    }
}

impl State {
    /// Checks the greeting octet by octet: nothing is gathered.
    fn greet(&mut self, byte: u8) -> Result<(), CloseReason> {
        let Phase::Greeting { at } = self.phase else { return Ok(()) };
        let mechanism = at.checked_sub(12).and_then(|n| b"NULL\0".get(usize::from(n)));
        let right = match (at, mechanism) {
            (0, _) => byte == 0xff,
            (9, _) => byte & 1 == 1,
            (10, _) => byte >= 3,
            (11, _) => {
                self.minor = byte;
                true
            }
            (_, Some(&octet)) => byte == octet,
            _ => true,
        };
        if !right {
            return Err(WireError::BadGreeting.into());
        }
        self.phase = if at < 63 { Phase::Greeting { at: at + 1 } } else { Phase::Handshake };
        Ok(())
    }
    /// The form that 3.0 peers use; 3.1 allows it too.
    #[inline]
    fn is_subscription(&self, local: Local<'_>, bytes: &[u8]) -> bool {
        self.phase == Phase::Traffic
            && local.socket_type == SocketType::Pub
            && !self.rx_open
            && matches!(bytes.first(), Some(0 | 1))
    }
    /// Acts on a command; false when its signal has to wait.
    #[cold]
    fn on_command<W: PipeWriter>(
        &mut self,
        local: Local<'_>,
        header: FrameHeader,
        body: &[u8],
        pipe: &mut W,
    ) -> Result<bool, CloseReason> {
        let signal = if header.command {
            match (self.phase, wire::command(body).ok_or(WireError::BadCommand)?) {
                (Phase::Handshake, (b"READY", data)) => Signal::Ready(peer_identity(local, data)?),
                (Phase::Traffic, (b"SUBSCRIBE", topic)) => Signal::Subscribe(topic),
                (Phase::Traffic, (b"CANCEL", topic)) => Signal::Cancel(topic),
                (Phase::Traffic, _) => return Ok(true),
                (_, (b"ERROR", _)) => return Err(CloseReason::PeerError),
                _ => return Err(WireError::BadCommand.into()),
            }
        } else {
            match body.split_first() {
                Some((1, topic)) => Signal::Subscribe(topic),
                Some((_, topic)) => Signal::Cancel(topic),
                None => return Ok(true),
            }
        };
        match pipe.signal(signal) {
            Ok(()) => {}
            Err(Refusal::Full) => return Ok(false),
            Err(Refusal::TooLarge) => return Err(CloseReason::TooLarge),
        }
        if let Signal::Ready(_) = signal {
            self.phase = Phase::Traffic;
        }
        Ok(true)
    }
}

fn peer_identity<'a>(local: Local<'_>, mut data: &'a [u8]) -> Result<&'a [u8], CloseReason> {
    let (mut identity, mut accepted): (&[u8], bool) = (&[], false);
    while !data.is_empty() {
        let (name, value) = wire::property(&mut data).ok_or(WireError::BadCommand)?;
        if name.eq_ignore_ascii_case(b"Socket-Type") {
            accepted = local.socket_type.accepts(value);
        } else if name.eq_ignore_ascii_case(b"Identity") {
            identity = value;
        }
    }
    if accepted { Ok(identity) } else { Err(CloseReason::IncompatiblePeer) }
}
