//! A receiver with its sockets, which fills a lane for each source.

use super::inbox::Inbox;
use super::interface::{Interface, Scopes, scoped};
use super::outbox::Outbox;
use super::publisher::Turn;
use super::rest::Rest;
use super::{LinkError, LinkOptions, Warning, random, socket};
use crate::payload::{Unpacked, Unpacker};
use crate::receiver::{Delivery, Event, PeerId, Receiver, ReceiverStatistics};
use crate::session::{Encapsulation, Session, Target};
use crate::storage::Heap;
use crate::wire::Tsi;
use core::net::{IpAddr, SocketAddr};
use core::ops::Range;
use omnimq_core::{Blob, Input, Instant, Limits, PipeWriter};
use socket2::Socket;
use std::os::fd::{AsFd, BorrowedFd};
use std::vec::Vec;

/// How often one turn receives at most from one socket, so that others have theirs.
const ROUNDS: usize = 8;

/// The stream of one source, of all that one subscriber has heard. Never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

/// Who gets what a [`Subscriber`] receives: a lane for each source.
pub trait Streams {
    /// Where the messages of one source go.
    type Lane: PipeWriter<Body = Blob>;
    /// A source is heard: a lane is wanted for it.
    fn on_joined(&mut self, stream: StreamId, tsi: Tsi, from: IpAddr);
    /// The source has gone, and all that came of it is in its lane.
    fn on_left(&mut self, stream: StreamId);
    /// So many packets of the source are lost for good. What comes next begins a message.
    fn on_gap(&mut self, stream: StreamId, packets: u64);
    /// The lane of a source; `None` when nothing of it is wanted.
    fn lane(&mut self, stream: StreamId) -> Option<&mut Self::Lane>;
}

/// One source's stream on its way into a lane.
#[derive(Debug)]
struct Stream {
    id: StreamId,
    peer: PeerId,
    unpacker: Unpacker<Blob>,
    /// The packet being taken apart, and how far it is.
    current: Option<(Tsdu, usize)>,
    /// The receiver has forgotten the source: `current` is all there is.
    left: bool,
}

/// The streams of all sources.
#[derive(Debug)]
struct Known {
    streams: Vec<Stream>,
    /// How many there have been.
    count: u64,
    /// Packets with data of no use.
    broken: u64,
    /// Octets of the longest frame.
    max_frame: u64,
}

/// The data of a packet, of which bodies are slices.
#[derive(Debug)]
struct Tsdu(Blob);

impl Input<Blob> for Tsdu {
    fn bytes(&self) -> &[u8] {
        &self.0
    }
    fn body(&self, range: Range<usize>) -> Option<Blob> {
        self.0.slice(range)
    }
}

/// The receiving end of a session on this host.
#[derive(Debug)]
pub struct Subscriber {
    receiver: Receiver<Heap>,
    known: Known,
    /// One for each group.
    groups: Vec<(IpAddr, Socket)>,
    /// NAKs leave by it.
    upstream: Socket,
    session: Session,
    interface: Interface,
    scopes: Scopes,
    inbox: Inbox,
    rest: Rest,
    outbox: Outbox,
    warnings: Vec<Warning>,
}

impl Subscriber {
    /// Opens the links of a receiver of `groups` on all of `interfaces`; a NAK leaves by the one that leads to its source.
    ///
    /// # Errors
    /// See [`LinkError`].
    pub fn open(
        session: Session,
        groups: &[IpAddr],
        interfaces: &[Interface],
        options: &LinkOptions,
    ) -> Result<Self, LinkError> {
        options.check(session.max_tsdu())?;
        // Of several interfaces the one that leads to a source is the routing table's to know.
        let interface = match interfaces {
            [] => return Err(LinkError::NoInterface("".into())),
            [only] => *only,
            _ => Interface::any(session.group),
        };
        let mut warnings: Vec<_> = options.window_warning().into_iter().collect();
        let mut sockets = Vec::new();
        for group in groups {
            let (socket, warning) = socket::multicast(&session, *group, interfaces, options)?;
            sockets.push((*group, socket));
            warnings.extend(warning);
        }
        let udp = session.encapsulation == Encapsulation::Udp;
        Ok(Self {
            receiver: Receiver::new(options.receiver_config(random()), session),
            known: Known { streams: Vec::new(), count: 0, broken: 0, max_frame: options.max_frame },
            groups: sockets,
            upstream: socket::unicast(&session, interface, options, false)?,
            session,
            interface,
            scopes: Scopes::default(),
            inbox: Inbox::new(!udp && session.group.is_ipv4()),
            rest: Rest::default(),
            outbox: Outbox::new(false),
            warnings,
        })
    }
    /// What is less than was asked for.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
    /// What the receiver has done.
    pub const fn statistics(&self) -> ReceiverStatistics {
        self.receiver.statistics()
    }
    /// Packets whose data was no stream of messages, or held a message that was too large.
    pub const fn broken(&self) -> u64 {
        self.known.broken
    }
    /// Octets that the windows take.
    pub fn window_bytes(&self) -> usize {
        self.receiver.window_bytes()
    }
    /// What to wait for.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.groups.iter().map(|(_, socket)| socket.as_fd())
    }
    /// Receives, asks for what is missing, and fills the lanes.
    pub fn turn<T: Streams>(&mut self, streams: &mut T, now: Instant) -> Turn {
        let (mut more, mut units) = (false, 0_usize);
        for (group, socket) in &self.groups {
            let mut rounds = 0;
            loop {
                let (receiver, scopes) = (&mut self.receiver, &mut self.scopes);
                let packet = |octets: &[u8], from: SocketAddr| {
                    scopes.learn(from);
                    receiver.handle_datagram(octets, from.ip(), *group, now);
                };
                let received = self.inbox.receive(socket, packet);
                units = units.saturating_add(received.units);
                self.known.deliver(&mut self.receiver, streams, now);
                rounds += 1;
                if !received.more || rounds >= ROUNDS {
                    more |= received.more;
                    break;
                }
            }
        }
        self.receiver.handle_timeout(now);
        self.known.deliver(&mut self.receiver, streams, now);
        let blocked = !self.ask(now);
        let rest = self.rest.on_turn(units, now);
        let due = self.receiver.poll_timeout().into_iter().chain(rest).min();
        Turn { due, blocked: false, more: more && !blocked, rests: rest.is_some() }
    }
    /// Sends NAKs; false when the socket has no room. They are not worth waiting for: the next deadline sends them.
    fn ask(&mut self, now: Instant) -> bool {
        if !self.outbox.flush(&self.upstream) {
            return false;
        }
        let udp = self.session.encapsulation == Encapsulation::Udp;
        let port = if udp { self.session.port } else { 0 };
        while let Some(space) = self.outbox.space(usize::from(self.session.max_tpdu)) {
            let Some(transmit) = self.receiver.poll_transmit(space, now) else { break };
            let address = match transmit.target {
                Target::Group | Target::Neighbours => self.session.group,
                Target::Host(address) => address,
            };
            let index = if self.interface.index > 0 { self.interface.index } else { self.scopes.of(address) };
            self.outbox.push(transmit.len, scoped(address, port, index));
        }
        self.outbox.flush(&self.upstream)
    }
}

impl Known {
    /// Takes what has come in order, as far as the lanes have room.
    fn deliver<T: Streams>(&mut self, receiver: &mut Receiver<Heap>, streams: &mut T, now: Instant) {
        self.on_events(receiver, streams);
        for stream in &mut self.streams {
            while stream.step(receiver, &mut self.broken, streams, now) {}
            if let Some(lane) = streams.lane(stream.id) {
                lane.flush();
            }
        }
        self.on_events(receiver, streams);
        self.streams.retain_mut(|stream| {
            let gone = stream.left && stream.current.is_none();
            if gone {
                if let Some(lane) = streams.lane(stream.id) {
                    stream.unpacker.handle_gap(lane);
                }
                streams.on_left(stream.id);
            }
            !gone
        });
    }
    fn on_events<T: Streams>(&mut self, receiver: &mut Receiver<Heap>, streams: &mut T) {
        while let Some(event) = receiver.poll_event() {
            match event {
                Event::Joined { peer, tsi, from } => {
                    let (id, unpacker) = (StreamId(self.count), Unpacker::new(self.max_frame, Limits::DEFAULT.frames));
                    self.count = self.count.wrapping_add(1);
                    self.streams.push(Stream { id, peer, unpacker, current: None, left: false });
                    streams.on_joined(id, tsi, from);
                }
                // The place may be used again at once: from here on it is not this stream's.
                Event::Left { peer } => {
                    let mut of = self.streams.iter_mut().filter(|stream| stream.peer == peer && !stream.left);
                    of.next().into_iter().for_each(|stream| stream.left = true);
                }
            }
        }
    }
}

impl Stream {
    /// Takes one packet further; false when there is none, or no room.
    fn step<T: Streams>(&mut self, receiver: &mut Receiver<Heap>, broken: &mut u64, streams: &mut T, now: Instant) -> bool {
        if self.current.is_none() {
            if self.left {
                return false;
            }
            match receiver.take(self.peer, now) {
                None => return false,
                Some(Delivery::Data(packet)) => self.current = Some((Tsdu(packet), 0)),
                Some(Delivery::Gap(packets)) => {
                    if let Some(lane) = streams.lane(self.id) {
                        self.unpacker.handle_gap(lane);
                    }
                    streams.on_gap(self.id, packets);
                    return true;
                }
            }
        }
        let Some((tsdu, at)) = &mut self.current else { return false };
        let unpacked = match streams.lane(self.id) {
            Some(lane) => self.unpacker.unpack(tsdu, at, lane),
            None => Unpacked::Done,
        };
        match unpacked {
            Unpacked::Full => return false,
            Unpacked::Done => {}
            Unpacked::Broken(_) => *broken = broken.saturating_add(1),
        }
        self.current = None;
        true
    }
}
