//! A receiver: it follows every source of a session, asks for what is missing and delivers in order
//! (RFC 3208 section 6).
//!
//! # The contract
//! Datagrams go in with [`handle_datagram`](Receiver::handle_datagram), and deadlines with
//! [`handle_timeout`](Receiver::handle_timeout). Out come packets to send ([`poll_transmit`](Receiver::poll_transmit)),
//! events ([`poll_event`](Receiver::poll_event)), data of each source ([`take`](Receiver::take)) and the next deadline
//! ([`poll_timeout`](Receiver::poll_timeout)), in any order. Data that is not taken stays, up to the window; what comes
//! beyond is asked for again later. A packet lost for good is a [`Delivery::Gap`] in its place, and delivery goes on.
//!
//! A source is known by its identifier and the address it sends from, so that two that drew the same identifier are two.
//! A session may be heard in several groups; a NAK names the one that its source is heard in.

mod assembly;
mod back_off;
mod config;
mod context;
mod patience;
mod peer;
mod statistics;
mod window;

pub use config::ReceiverConfig;
pub use statistics::ReceiverStatistics;

use crate::ring::SLOT_OCTETS;
use crate::rng::Rng;
use crate::session::{Session, Target, Transmit};
use crate::sqn::Sqn;
use crate::storage::{Cells, Storage};
use crate::wire::{Content, Flags, MAX_LISTED, Nak, OptionBuffer, Options, Packet, Tsi};
use context::{Context, Taken};
use core::fmt;
use core::net::IpAddr;
use omnimq_core::Instant;
use peer::{Life, Origin, Peer, Told};

/// Which part of the octets of all windows may go to numbers whose packets have not come.
const HOLES: usize = 4;
/// Which part of its expiry a source may be silent for where another one has no place.
const SOON: u32 = 5;

/// A source that is being heard. Used again some time after it has [left](Event::Left).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub u32);

/// What has happened to a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It is heard for the first time, or again after it left.
    Joined {
        /// How it is called here.
        peer: PeerId,
        /// Its identifier.
        tsi: Tsi,
        /// The address it sends from.
        from: IpAddr,
    },
    /// It said its end, fell silent or began anew, and all that came from it has been taken.
    Left {
        /// How it was called here.
        peer: PeerId,
    },
}

/// What comes next of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery<P> {
    /// The data of the next packet, or of the next unit in several packets.
    Data(P),
    /// So many packets are lost for good before what comes next.
    Gap(u64),
}

/// The receiving end of a session.
pub struct Receiver<S: Storage> {
    config: ReceiverConfig,
    session: Session,
    peers: S::Peers<Peer<S>>,
    /// No peer has as large a number.
    bound: u32,
    /// Who sent last.
    recent: u32,
    /// By the windows of all.
    taken: Taken,
    rng: Rng,
    statistics: ReceiverStatistics,
}

impl<S: Storage> Receiver<S> {
    /// A receiver that has heard nobody.
    pub fn new(config: ReceiverConfig, session: Session) -> Self {
        Self {
            config,
            session,
            peers: S::Peers::default(),
            bound: 0,
            recent: 0,
            taken: Taken::default(),
            rng: Rng(config.seed),
            statistics: ReceiverStatistics::default(),
        }
    }
    /// What has been done.
    pub const fn statistics(&self) -> ReceiverStatistics {
        self.statistics
    }
    /// The sources that have not left, in the order of their numbers.
    pub fn peers(&self) -> impl Iterator<Item = PeerId> + use<'_, S> {
        (0..self.bound).filter(|&at| self.peers.get(at).is_some_and(|peer| peer.told != Told::Left)).map(PeerId)
    }
    /// What the windows take, in octets.
    pub fn window_bytes(&self) -> usize {
        let each = (0..self.bound).filter_map(|at| self.peers.get(at)).map(|peer| peer.taken().octets);
        debug_assert_eq!(self.taken.octets, each.sum::<usize>());
        self.taken.octets
    }
    /// Lets the peer at a place act, with what it needs for that.
    fn with<T>(&mut self, at: u32, now: Instant, act: impl FnOnce(&mut Peer<S>, &mut Context<'_>) -> T) -> Option<T> {
        let peer = self.peers.get_mut(at)?;
        let room = self.config.window_bytes.saturating_sub(self.taken.octets);
        let most = self.config.window_bytes / HOLES / SLOT_OCTETS;
        let holes = (most.saturating_sub(self.taken.holes), most / (self.config.peers as usize).max(1));
        let (config, statistics, rng) = (&self.config, &mut self.statistics, &mut self.rng);
        let before = peer.taken();
        let done = act(peer, &mut Context { config, statistics, rng, now, room, holes });
        self.taken.on_change(before, peer.taken());
        Some(done)
    }
    fn forget(&mut self, at: u32) {
        if let Some(peer) = self.peers.take(at) {
            self.taken.on_change(peer.taken(), Taken::default());
        }
    }

    /// Takes a packet that `from` sent to `group`, which need not be the session's.
    pub fn handle_datagram(&mut self, octets: &[u8], from: IpAddr, group: IpAddr, now: Instant) {
        let Ok(packet) = Packet::parse(octets) else {
            self.statistics.malformed = self.statistics.malformed.saturating_add(1);
            return;
        };
        if packet.destination_port != self.session.port {
            self.statistics.foreign = self.statistics.foreign.saturating_add(1);
            return;
        }
        let origin = Origin { tsi: packet.downstream(), from, group };
        let at = self.find(&origin);
        match packet.content {
            Content::Spm(spm) => {
                self.statistics.spm = self.statistics.spm.saturating_add(1);
                let known = at.filter(|&at| !self.supersede(at, |peer, config| peer.restarts_at(&spm, config, now)));
                let at = match known {
                    None if spm.ends() => None,
                    None => self.join(origin, spm.lead.next(), now),
                    known => known,
                };
                if let Some(at) = at {
                    self.with(at, now, |peer, context| peer.on_spm(&spm, context));
                }
            }
            Content::Odata(data) => {
                self.statistics.odata = self.statistics.odata.saturating_add(1);
                let known = at.filter(|&at| !self.supersede(at, |peer, config| peer.restarts_with(&data, config, now)));
                let at = known.or_else(|| self.join(origin, data.sqn, now));
                if let Some(at) = at {
                    self.with(at, now, |peer, context| peer.on_data(&data, true, context));
                }
            }
            Content::Rdata(data) => {
                self.statistics.rdata = self.statistics.rdata.saturating_add(1);
                if let Some(at) = at {
                    self.with(at, now, |peer, context| peer.on_data(&data, false, context));
                }
            }
            Content::Ncf(nak) if nak.group == group => {
                if let Some(at) = at {
                    self.with(at, now, |peer, context| peer.on_confirmed(nak.sqns(), context));
                }
            }
            _ => self.statistics.foreign = self.statistics.foreign.saturating_add(1),
        }
    }
    fn find(&mut self, origin: &Origin) -> Option<u32> {
        let is = |peer: &Peer<S>| peer.origin.is_same(origin) && peer.life != Life::Ending;
        if self.peers.get(self.recent).is_some_and(is) {
            return Some(self.recent);
        }
        self.recent = (0..self.bound).find(|&at| self.peers.get(at).is_some_and(is))?;
        Some(self.recent)
    }
    /// Whether the peer has begun anew; then the one that was known ends.
    fn supersede(&mut self, at: u32, begins: impl Fn(&Peer<S>, &ReceiverConfig) -> bool) -> bool {
        let Some(peer) = self.peers.get_mut(at).filter(|peer| begins(peer, &self.config)) else { return false };
        peer.end(&mut self.statistics);
        self.statistics.restarts = self.statistics.restarts.saturating_add(1);
        true
    }
    /// A place for a source whose first number is `first`.
    fn join(&mut self, origin: Origin, first: Sqn, now: Instant) -> Option<u32> {
        let Some(at) = self.vacant(now) else {
            self.statistics.unheard = self.statistics.unheard.saturating_add(1);
            self.give_way(now);
            return None;
        };
        let peer = Peer::new(origin, first, &self.config, now);
        self.forget(at);
        if !self.peers.grow(at.saturating_add(1)) || self.peers.put(at, peer).is_err() {
            return None;
        }
        self.bound = self.bound.max(at.saturating_add(1));
        self.recent = at;
        Some(at)
    }
    /// A place that nobody has, or else that of the source that is only remembered for the longest time.
    fn vacant(&self, now: Instant) -> Option<u32> {
        let most = self.config.peers.min(<S::Peers<Peer<S>> as Cells<Peer<S>>>::MOST);
        let free = (0..most).find(|&at| self.peers.get(at).is_none_or(|peer| peer.is_forgotten(now)));
        let remembered = || (0..most).filter_map(|at| Some((self.peers.get(at)?.remembered()?, at))).min();
        free.or_else(|| remembered().map(|(_, at)| at))
    }
    /// Ends the source that has been silent for the longest time, if that is so long that it seems to have gone.
    fn give_way(&mut self, now: Instant) {
        let longest = (0..self.bound).filter_map(|at| Some((self.peers.get(at)?.silent(now)?, at))).max();
        let Some((_, at)) = longest.filter(|(silent, _)| silent.saturating_mul(SOON) >= self.config.expiry) else { return };
        if let Some(peer) = self.peers.get_mut(at) {
            peer.end(&mut self.statistics);
        }
    }

    /// Acts on the deadlines that have passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        for at in 0..self.bound {
            if self.peers.get(at).is_some_and(|peer| peer.is_forgotten(now)) {
                self.forget(at);
            }
            self.with(at, now, Peer::on_timeout);
        }
    }
    /// When [`handle_timeout`](Self::handle_timeout) and [`poll_transmit`](Self::poll_transmit) are to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        (0..self.bound).filter_map(|at| self.peers.get(at)?.due(&self.config)).min()
    }
    /// The next packet to be sent, written into `buf`.
    pub fn poll_transmit(&mut self, buf: &mut [u8], now: Instant) -> Option<Transmit> {
        (0..self.bound).find_map(|at| self.question(at, buf, now))
    }
    fn question(&mut self, at: u32, buf: &mut [u8], now: Instant) -> Option<Transmit> {
        let peer = self.peers.get_mut(at)?;
        let Origin { tsi, from, group } = peer.origin;
        let packet = |content, flags| Packet {
            source_port: self.session.port,
            destination_port: tsi.port,
            gsi: tsi.gsi,
            flags,
            content,
        };
        if peer.ask.is_some_and(|due| due <= now) {
            let len = packet(Content::Spmr(Options::NONE), Flags::default()).emit(buf)?;
            // RFC 3208 section 6.1: to the neighbours, and to the source where it is known.
            let target = if from.is_unspecified() { Target::Neighbours } else { Target::Host(from) };
            peer.on_asked(now);
            self.statistics.spmr = self.statistics.spmr.saturating_add(1);
            return Some(Transmit { len, target });
        }
        let source = peer.path.filter(|_| peer.asking)?;
        let mut sqns = [Sqn(0); MAX_LISTED + 1];
        let count = peer.collect(&mut sqns, &self.config, now);
        let (&sqn, listed) = sqns.get(..count)?.split_first()?;
        let mut options = OptionBuffer::new();
        let listed = options.push_list(listed).map_or(Flags::default(), |()| Flags::SIGNIFICANT);
        let content = Content::Nak(Nak { sqn, source, group, options: options.options() });
        let len = packet(content, listed).emit(buf)?;
        self.statistics.naks = self.statistics.naks.saturating_add(1);
        self.statistics.asked = self.statistics.asked.saturating_add(count as u64);
        Some(Transmit { len, target: Target::Host(source) })
    }
    /// What has happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        for at in 0..self.bound {
            let Some(peer) = self.peers.get_mut(at) else { continue };
            if peer.told == Told::Nothing {
                peer.told = Told::Joined;
                let Origin { tsi, from, .. } = peer.origin;
                return Some(Event::Joined { peer: PeerId(at), tsi, from });
            }
            if peer.told == Told::Joined && peer.is_drained() {
                peer.told = Told::Left;
                return Some(Event::Left { peer: PeerId(at) });
            }
        }
        None
    }
    /// What comes next of a source, if it is here.
    pub fn take(&mut self, peer: PeerId, now: Instant) -> Option<Delivery<S::Packet>> {
        self.with(peer.0, now, Peer::take)?
    }
}

impl<S: Storage> fmt::Debug for Receiver<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("statistics", &self.statistics).finish_non_exhaustive()
    }
}
