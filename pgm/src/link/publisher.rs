//! A source with its socket, fed from a lane.

use super::inbox::Inbox;
use super::interface::{Interface, scoped};
use super::neighbours::Neighbours;
use super::outbox::Outbox;
use super::{LinkError, LinkOptions, Warning, random, socket};
use crate::payload::Packer;
use crate::session::{Encapsulation, Session, Target};
use crate::source::{Source, SourceStatistics};
use crate::storage::Heap;
use crate::wire::{Gsi, Tsi};
use core::net::IpAddr;
use omnimq_core::{Instant, PipeReader};
use socket2::Socket;
use std::os::fd::{AsFd, BorrowedFd};
use std::vec::Vec;

/// How often one turn receives and sends at most, so that others have theirs.
const ROUNDS: usize = 8;

/// What a driver has to wait for after a turn, beside input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// The next turn is due then at the latest.
    pub due: Option<Instant>,
    /// The socket had no room: wait until it has. Nothing is due until then.
    pub blocked: bool,
    /// There is more to do: take another turn at once.
    pub more: bool,
    /// Input comes so fast that it is not to be waited for until `due`: one wake-up for each packet would cost more than
    /// reading it.
    pub rests: bool,
}

/// The sending end of a session on this host.
#[derive(Debug)]
pub struct Publisher {
    source: Source<Heap>,
    packer: Packer,
    socket: Socket,
    /// Where the system refuses it, what others get is lost.
    neighbours: Option<Neighbours>,
    interface: Interface,
    inbox: Inbox,
    outbox: Outbox,
    warnings: Vec<Warning>,
}

impl Publisher {
    /// Opens the link of a source that sends from `interface`, and draws its identifier.
    ///
    /// # Errors
    /// See [`LinkError`].
    pub fn open(session: Session, interface: Interface, options: &LinkOptions, now: Instant) -> Result<Self, LinkError> {
        options.check(session.max_tsdu())?;
        let socket = socket::unicast(&session, interface, options, true)?;
        let udp = session.encapsulation == Encapsulation::Udp;
        let source = Source::new(options.source_config(), session, identifier(session.port), interface.address, now);
        // Of raw IP everybody gets everything.
        let neighbours = if udp { Neighbours::open(source.tsi()).ok() } else { None };
        Ok(Self {
            source,
            packer: Packer::new(),
            socket,
            neighbours,
            interface,
            inbox: Inbox::new(!udp && session.group.is_ipv4()),
            outbox: Outbox::new(udp && options.offload),
            warnings: options.window_warning().into_iter().collect(),
        })
    }
    /// What is less than was asked for.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
    /// What the source has done.
    pub const fn statistics(&self) -> SourceStatistics {
        self.source.statistics()
    }
    /// The stream's identifier.
    pub const fn tsi(&self) -> Tsi {
        self.source.tsi()
    }
    /// Where packets leave.
    pub const fn address(&self) -> IpAddr {
        self.interface.address
    }
    /// What to wait for: input of all, and room of the first.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        core::iter::once(self.socket.as_fd()).chain(self.neighbours.as_ref().map(AsFd::as_fd))
    }
    /// The stream ends: receivers are told by the next turns.
    pub const fn close(&mut self) {
        self.source.close();
    }
    /// Whether the stream ends.
    pub const fn is_closed(&self) -> bool {
        self.source.is_closed()
    }
    /// Whether the end has been told.
    pub fn has_told_end(&self) -> bool {
        self.source.has_told_end() && self.outbox.is_empty()
    }
    /// Nobody is heard from here on: what has been asked for is repaired, and no more.
    pub const fn retire(&mut self) {
        self.source.retire();
    }
    /// Whether the end has been told, and no repair waits.
    pub fn is_finished(&self) -> bool {
        self.source.is_finished() && self.outbox.is_empty()
    }
    /// Hears what receivers ask for, and sends what may be sent: repairs, and messages out of `lane`.
    pub fn turn<R: PipeReader>(&mut self, lane: &mut R, now: Instant) -> Turn {
        self.receive(now);
        self.transmit(lane, now)
    }
    /// The first half of a turn, needless as long as no socket is readable: hears what receivers ask for.
    pub fn receive(&mut self, now: Instant) {
        let (source, neighbours) = (&mut self.source, &self.neighbours);
        let mut packet = |octets: &[u8]| {
            if let Some((other, neighbours)) = source.handle_datagram(octets, now).zip(neighbours.as_ref()) {
                neighbours.pass(octets, other);
            }
        };
        for _ in 0..ROUNDS {
            if !self.inbox.receive(&self.socket, |octets, _| packet(octets)).more {
                break;
            }
        }
        if let Some(neighbours) = neighbours {
            neighbours.receive(|octets| {
                source.handle_datagram(octets, now);
            });
        }
    }
    /// The second half of a turn: sends what may be sent.
    pub fn transmit<R: PipeReader>(&mut self, lane: &mut R, now: Instant) -> Turn {
        for round in 0..ROUNDS {
            if !self.outbox.flush(&self.socket) {
                return Turn { blocked: true, ..Turn::default() };
            }
            if !self.fill(lane, now) {
                break;
            }
            if round == ROUNDS - 1 {
                let blocked = !self.outbox.flush(&self.socket);
                return Turn { blocked, more: !blocked, ..Turn::default() };
            }
        }
        Turn { due: self.source.poll_timeout(), ..Turn::default() }
    }
    /// Writes packets as long as there are some and they fit; whether there were any.
    fn fill<R: PipeReader>(&mut self, lane: &mut R, now: Instant) -> bool {
        let packet = usize::from(self.source.session().max_tpdu);
        let port = self.source.session().port;
        let port = if self.source.session().encapsulation == Encapsulation::Udp { port } else { 0 };
        let group = self.source.session().group;
        let mut any = false;
        while let Some(space) = self.outbox.space(packet) {
            let packer = &mut self.packer;
            let Some(transmit) = self.source.poll_transmit(space, |tsdu| packer.pack(lane, tsdu), now) else { break };
            let address = match transmit.target {
                Target::Group | Target::Neighbours => group,
                Target::Host(address) => address,
            };
            self.outbox.push(transmit.len, scoped(address, port, self.interface.index));
            any = true;
        }
        any
    }
}

/// An identifier drawn at random, whose port is neither the session's nor 0.
fn identifier(port: u16) -> Tsi {
    let [a, b, c, d, e, f, g, h] = random().to_be_bytes();
    let own = u16::from_be_bytes([g, h]);
    let port = if own == port || own == 0 { port.wrapping_add(1).max(1) } else { own };
    Tsi { gsi: Gsi([a, b, c, d, e, f]), port }
}
