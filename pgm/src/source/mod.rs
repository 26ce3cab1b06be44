//! A source: it sends a stream to a group, keeps what it sent and repairs what receivers miss (RFC 3208 section 5).
//!
//! ```text
//! trail ... sent, repairable ... lead | next
//! ```
//! What leaves, in this order: NCFs, repairs, SPMs that are due, data. Any call order is safe, and each call does bounded work:
//! repairs are paced like data, so that no number of NAKs makes a source send more than twice its rate.

mod config;
mod schedule;

pub use config::SourceConfig;

use crate::pace::Pace;
use crate::ring::{Ring, cost};
use crate::session::{Session, Target, Transmit};
use crate::sqn::Sqn;
use crate::storage::Storage;
use crate::wire::{
    Content, DATA_HEAD_LEN, Data, Flags, MAX_LISTED, Nak, Opt, OptionBuffer, OptionKind, Options, Packet, Spm, Tsi,
};
use core::fmt;
use core::net::IpAddr;
use omnimq_core::storage::Queue;
use omnimq_core::{Body, Instant};
use schedule::Schedule;

/// How many SPMs say that the stream has ended.
const FINS: u8 = 3;

/// What a source has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceStatistics {
    /// Packets of original data sent.
    pub odata: u64,
    /// Octets of original data sent, without any headers.
    pub octets: u64,
    /// Repairs sent.
    pub rdata: u64,
    /// SPMs sent.
    pub spm: u64,
    /// NCFs sent.
    pub ncf: u64,
    /// NAKs received.
    pub naks: u64,
    /// Numbers in them.
    pub missing: u64,
    /// Numbers asked for that were in the window no longer.
    pub gone: u64,
    /// Packets that were no PGM packets.
    pub malformed: u64,
}

/// A packet sent.
#[derive(Debug)]
struct Sent<P> {
    tsdu: P,
    repair: Repair,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repair {
    Idle,
    Waiting,
    Left(Instant),
}

/// The packets that can be repaired.
type Window<S> = Ring<Sent<<S as Storage>::Packet>, <S as Storage>::Window<Sent<<S as Storage>::Packet>>>;

/// The sending end of a stream.
pub struct Source<S: Storage> {
    config: SourceConfig,
    session: Session,
    tsi: Tsi,
    path: IpAddr,
    window: Window<S>,
    bytes: usize,
    /// Numbers whose NAKs are to be confirmed.
    confirmations: S::Queue<Sqn>,
    repairs: S::Queue<Sqn>,
    pace: Pace,
    repair_pace: Pace,
    schedule: Schedule,
    spm: Sqn,
    /// Data waited for the bucket to fill.
    held: bool,
    /// SPMs with FIN that have left, once the stream ends.
    fins: Option<u8>,
    /// Nobody is heard any more.
    deaf: bool,
    statistics: SourceStatistics,
}

impl<S: Storage> Source<S> {
    /// A source whose packets are from `tsi` and the address `path`. Its first packet has the number 0.
    pub fn new(config: SourceConfig, session: Session, tsi: Tsi, path: IpAddr, now: Instant) -> Self {
        Self::starting_at(Sqn(0), config, session, tsi, path, now)
    }
    /// A source whose first packet has the number `first`.
    pub fn starting_at(first: Sqn, config: SourceConfig, session: Session, tsi: Tsi, path: IpAddr, now: Instant) -> Self {
        Self {
            config,
            session,
            tsi,
            path,
            window: Ring::new(first, config.window),
            bytes: 0,
            confirmations: S::Queue::default(),
            repairs: S::Queue::default(),
            pace: Pace::new(config.rate, now),
            repair_pace: Pace::new(config.rate, now),
            schedule: Schedule::new(&config, now),
            spm: Sqn(0),
            held: false,
            fins: None,
            deaf: false,
            statistics: SourceStatistics::default(),
        }
    }
    /// The stream's identifier.
    pub const fn tsi(&self) -> Tsi {
        self.tsi
    }
    /// The session that it sends to.
    pub const fn session(&self) -> &Session {
        &self.session
    }
    /// What has been done.
    pub const fn statistics(&self) -> SourceStatistics {
        self.statistics
    }
    /// The earliest packet that can be repaired.
    pub const fn trail(&self) -> Sqn {
        self.window.first()
    }
    /// The number of the next packet.
    pub const fn next(&self) -> Sqn {
        self.window.end()
    }
    /// What the packets in the window take, in octets.
    pub const fn window_bytes(&self) -> usize {
        self.bytes
    }
    /// Whether a packet of data may leave. If not, [`poll_timeout`](Self::poll_timeout) tells when.
    pub fn may_send(&mut self, now: Instant) -> bool {
        let may = self.fins.is_none() && self.pace.allows(now);
        self.held = !may;
        may
    }
    /// The stream ends: SPMs say so. Repairs go on as long as this source is driven.
    pub const fn close(&mut self) {
        if self.fins.is_none() {
            self.fins = Some(0);
        }
    }
    /// Whether the stream ends.
    pub const fn is_closed(&self) -> bool {
        self.fins.is_some()
    }
    /// Whether the end has been told.
    pub fn has_told_end(&self) -> bool {
        self.fins == Some(FINS)
    }
    /// Nobody is heard from here on: what has been asked for is repaired, and no more.
    pub const fn retire(&mut self) {
        self.deaf = true;
    }
    /// Whether the end has been told, and no repair waits.
    pub fn is_finished(&self) -> bool {
        self.has_told_end() && self.repairs.is_empty() && self.confirmations.is_empty()
    }

    /// Takes a packet that came from anybody. Returns whom it asks, when that is another source.
    pub fn handle_datagram(&mut self, octets: &[u8], now: Instant) -> Option<Tsi> {
        let Ok(packet) = Packet::parse(octets) else {
            self.statistics.malformed = self.statistics.malformed.saturating_add(1);
            return None;
        };
        let asked = packet.upstream();
        match packet.content {
            Content::Nak(_) | Content::Spmr(_) if asked != self.tsi => return Some(asked),
            _ if self.deaf || packet.source_port != self.session.port => {}
            Content::Nak(nak) if nak.source == self.path && nak.group == self.session.group => self.on_nak(&nak, now),
            Content::Spmr(_) => self.schedule.on_request(),
            _ => {}
        }
        None
    }
    fn on_nak(&mut self, nak: &Nak<'_>, now: Instant) {
        self.statistics.naks = self.statistics.naks.saturating_add(1);
        for sqn in nak.sqns() {
            self.statistics.missing = self.statistics.missing.saturating_add(1);
            let Some(sent) = self.window.get_mut(sqn) else {
                if sqn.is_before(self.window.first()) {
                    // Who asks for it does not know that the trailing edge has moved.
                    self.statistics.gone = self.statistics.gone.saturating_add(1);
                    self.schedule.on_request();
                }
                continue;
            };
            let wanted = match sent.repair {
                Repair::Idle => true,
                Repair::Waiting => false,
                Repair::Left(at) => now.since(at) >= self.config.repair_hold_off,
            };
            if wanted && self.repairs.push(sqn).is_ok() {
                sent.repair = Repair::Waiting;
                let _ = self.confirmations.push(sqn);
            }
        }
    }

    /// The next packet to be sent, written into `buf`, which should hold what the session allows.
    ///
    /// `data` is asked for the data of a packet of original data when one may leave: it fills the front of the slice it
    /// is given and returns how many octets there are; 0 when there is nothing to send.
    pub fn poll_transmit(
        &mut self,
        buf: &mut [u8],
        data: impl FnOnce(&mut [u8]) -> usize,
        now: Instant,
    ) -> Option<Transmit> {
        let len = self
            .confirmation(buf)
            .or_else(|| self.repair(buf, now))
            .or_else(|| self.ambient(buf, now))
            .or_else(|| self.original(buf, data, now))
            .or_else(|| self.last(buf))?;
        Some(Transmit { len, target: Target::Group })
    }
    fn packet<'a>(&self, content: Content<'a>) -> Packet<'a> {
        let (source_port, destination_port) = (self.tsi.port, self.session.port);
        let listed = content.options().nak_list().is_some();
        let flags = if listed { Flags::SIGNIFICANT } else { Flags::default() };
        Packet { source_port, destination_port, gsi: self.tsi.gsi, flags, content }
    }
    /// Confirms what NAKs asked for, as many numbers as fit into one NCF.
    fn confirmation(&mut self, buf: &mut [u8]) -> Option<usize> {
        let sqn = self.confirmations.pop()?;
        let mut listed = [Sqn(0); MAX_LISTED];
        let mut count: usize = 0;
        for place in &mut listed {
            let Some(sqn) = self.confirmations.pop() else { break };
            *place = sqn;
            count = count.saturating_add(1);
        }
        let mut options = OptionBuffer::new();
        let _ = options.push_list(listed.get(..count).unwrap_or_default());
        let nak = Nak { sqn, source: self.path, group: self.session.group, options: options.options() };
        self.statistics.ncf = self.statistics.ncf.saturating_add(1);
        self.packet(Content::Ncf(nak)).emit(buf)
    }
    fn repair(&mut self, buf: &mut [u8], now: Instant) -> Option<usize> {
        while !self.repairs.is_empty() && self.repair_pace.allows(now) {
            let sqn = self.repairs.pop()?;
            let Some(sent) = self.window.get_mut(sqn) else { continue };
            sent.repair = Repair::Left(now);
            let Some(sent) = self.window.get(sqn) else { continue };
            let data = Data { sqn, trail: self.trail(), options: Options::NONE, tsdu: sent.tsdu.as_ref() };
            let len = self.packet(Content::Rdata(data)).emit(buf)?;
            self.repair_pace.spend(len.saturating_add(self.session.envelope()));
            self.statistics.rdata = self.statistics.rdata.saturating_add(1);
            self.schedule.on_data(now);
            return Some(len);
        }
        None
    }
    fn ambient(&mut self, buf: &mut [u8], now: Instant) -> Option<usize> {
        if self.schedule.due() > now {
            return None;
        }
        let len = self.spm(buf, Options::NONE)?;
        self.schedule.on_sent(now);
        Some(len)
    }
    fn spm(&mut self, buf: &mut [u8], options: Options<'_>) -> Option<usize> {
        let lead = self.window.end().previous();
        let spm = Spm { sqn: self.spm, trail: self.trail(), lead, path: self.path, options };
        let len = self.packet(Content::Spm(spm)).emit(buf)?;
        self.spm = self.spm.next();
        self.statistics.spm = self.statistics.spm.saturating_add(1);
        Some(len)
    }
    fn original(&mut self, buf: &mut [u8], data: impl FnOnce(&mut [u8]) -> usize, now: Instant) -> Option<usize> {
        if !self.may_send(now) {
            return None;
        }
        let most = usize::try_from(S::Packet::MAX_LEN).unwrap_or(usize::MAX).min(self.session.max_tsdu());
        let space = buf.get_mut(DATA_HEAD_LEN..)?;
        let most = most.min(space.len());
        let used = data(space.get_mut(..most)?).min(most);
        if used == 0 {
            return None;
        }
        let tsdu = S::Packet::copy_from(space.get(..used)?)?;
        while self.window.is_full()
            || (self.bytes.saturating_add(cost(used)) > self.config.window_bytes && !self.window.is_empty())
        {
            let Some(old) = self.window.pop() else { break };
            self.bytes = self.bytes.saturating_sub(cost(old.tsdu.as_ref().len()));
        }
        let sqn = self.window.end();
        self.window.push(Sent { tsdu, repair: Repair::Idle }).ok()?;
        self.bytes = self.bytes.saturating_add(cost(used));
        let head = Data { sqn, trail: self.trail(), options: Options::NONE, tsdu: &[] };
        let len = self.packet(Content::Odata(head)).emit_before(buf, used)?;
        self.pace.spend(len.saturating_add(self.session.envelope()));
        self.statistics.odata = self.statistics.odata.saturating_add(1);
        self.statistics.octets = self.statistics.octets.saturating_add(used as u64);
        self.schedule.on_data(now);
        Some(len)
    }
    /// The end of the stream, told several times.
    fn last(&mut self, buf: &mut [u8]) -> Option<usize> {
        let told = self.fins.filter(|&told| told < FINS)?;
        let mut options = OptionBuffer::new();
        options.push(Opt { kind: OptionKind::FIN, flags: [0; 2], value: &[] })?;
        let len = self.spm(buf, options.options())?;
        self.fins = Some(told.saturating_add(1));
        Some(len)
    }

    /// When [`poll_transmit`](Self::poll_transmit) is to be called next, if nothing else happens.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.fins.is_some_and(|told| told < FINS) {
            return Some(Instant::ZERO);
        }
        let mut due = self.schedule.due();
        if self.held && self.fins.is_none() {
            due = due.min(self.pace.due());
        }
        if !self.repairs.is_empty() {
            due = due.min(self.repair_pace.due());
        }
        (self.fins.is_none() || !self.repairs.is_empty()).then_some(due)
    }
}

impl<S: Storage> fmt::Debug for Source<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("tsi", &self.tsi).field("next", &self.next()).finish_non_exhaustive()
    }
}
