//! One source as a receiver sees it: its window, what it said of itself, and when something is due.

use super::assembly::{Assembly, assemble};
use super::back_off::BackOff;
use super::context::{Context, Taken};
use super::patience::Patience;
use super::window::{Filled, Missing, Phase, Slot, Verdict, Window};
use super::{Delivery, ReceiverConfig, ReceiverStatistics};
use crate::ring::{SLOT_OCTETS, cost};
use crate::sqn::Sqn;
use crate::storage::Storage;
use crate::wire::{Data, Fragment, MAX_LISTED, Spm, Tsi};
use core::net::IpAddr;
use core::time::Duration;
use omnimq_core::{Body, Instant};

/// How long to wait for an SPM before asking for one, drawn between these.
const ASK_SPM: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(5));
/// How long to wait before asking again: twice as long each time, up to this many doublings of the first.
const ASK_SPM_AGAIN: Duration = Duration::from_millis(25);
const ASK_SPM_DOUBLINGS: u8 = 8;

/// How long a source that said its end is remembered, so that stray packets do not bring it back.
const REMEMBERED: Duration = Duration::from_secs(10);

/// Numbers that may be asked for at once, of a source that has repaired something and of any other; further ones wait for
/// these. Who repairs nothing shall not have much sent to an address that need not be its own.
const MOST_ASKED: u32 = 512;
const FIRST_ASKED: u32 = MAX_LISTED as u32 + 1;

/// Places that are made at once for what is missing, so that no packet costs much; others follow.
const STRIDE: u32 = 4096;

/// The slots of a peer's window.
pub(super) type Places<S> = <S as Storage>::Window<Slot<<S as Storage>::Packet>>;

/// Where a source is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    Live,
    /// It said its end.
    Finished(Instant),
    /// Silent for too long, or another one took its place: what has come is still delivered.
    Ending,
}

/// What has been told of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Nothing,
    /// Its coming.
    Joined,
    /// Its going.
    Left,
}

/// Who sends, and where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) tsi: Tsi,
    pub(super) from: IpAddr,
    /// As it is heard in: what the source takes NAKs for.
    pub(super) group: IpAddr,
}

impl Origin {
    /// Whether it is the same source: one sends to one group, in whatever groups its packets come.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.tsi, self.from) == (other.tsi, other.from)
    }
}

/// See the module.
pub(super) struct Peer<S: Storage> {
    pub(super) origin: Origin,
    /// Where NAKs go, once an SPM has told.
    pub(super) path: Option<IpAddr>,
    pub(super) life: Life,
    pub(super) told: Told,
    window: Window<S::Packet, Places<S>>,
    /// The last number known to have been sent.
    highest: Sqn,
    trail: Sqn,
    spm: Option<Sqn>,
    /// Numbers lost and not told.
    lost: u64,
    /// Nothing has been delivered, so nothing is known to be torn.
    fresh: bool,
    /// What the unit at the front waits for: it is not looked through again before that is here.
    awaited: Option<Sqn>,
    /// The packets in the window, and their octets.
    packets: u32,
    bytes: usize,
    heard: Instant,
    progress: Instant,
    /// When something missing is to be looked at.
    naks: Option<Instant>,
    /// When what waits is to be asked for.
    back_off: BackOff,
    patience: Patience,
    /// It has repaired something.
    repairs: bool,
    /// When an SPM is to be asked for, and how often it was.
    pub(super) ask: Option<Instant>,
    asked: u8,
    /// Numbers to be asked for.
    pub(super) asking: bool,
}

impl<S: Storage> Peer<S> {
    /// A source whose next number is `first`.
    pub(super) fn new(origin: Origin, first: Sqn, config: &ReceiverConfig, now: Instant) -> Self {
        Self {
            origin,
            path: None,
            life: Life::Live,
            told: Told::Nothing,
            window: Window::new(first, config.window),
            highest: first.previous(),
            trail: first,
            spm: None,
            lost: 0,
            fresh: true,
            awaited: None,
            packets: 0,
            bytes: 0,
            heard: now,
            progress: now,
            naks: None,
            back_off: BackOff::new(),
            patience: Patience::default(),
            repairs: false,
            ask: None,
            asked: 0,
            asking: false,
        }
    }

    /// Whether data that came now can only be of a source that begins anew.
    pub(super) fn restarts_with(&self, data: &Data<'_>, config: &ReceiverConfig, now: Instant) -> bool {
        !self.highest.is_before(data.sqn)
            && self.window.ring.get(data.sqn).is_none_or(|slot| !matches!(slot, Slot::Missing(_)))
            && self.is_stuck(config, now)
    }
    /// Whether an SPM that came now can only be of a source that begins anew, or says that what we believe is false.
    pub(super) fn restarts_at(&self, spm: &Spm<'_>, config: &ReceiverConfig, now: Instant) -> bool {
        if let Life::Finished(at) = self.life {
            return !spm.ends() && now.since(at) >= config.restart;
        }
        let newer = self.spm.is_none_or(|last| last.is_before(spm.sqn));
        let behind = spm.lead.is_before(self.highest);
        if newer {
            behind && self.highest.since(spm.lead) > self.window.ring.most()
        } else {
            behind && self.is_stuck(config, now)
        }
    }
    fn is_stuck(&self, config: &ReceiverConfig, now: Instant) -> bool {
        now.since(self.progress) >= config.restart
    }

    /// What its window takes.
    pub(super) fn taken(&self) -> Taken {
        let (len, packets) = (self.window.ring.len() as usize, self.packets as usize);
        let octets = len.saturating_mul(SLOT_OCTETS).saturating_add(self.bytes);
        Taken { octets, holes: len.saturating_sub(packets) }
    }
    fn on_kept(&mut self, len: usize) {
        self.packets = self.packets.saturating_add(1);
        self.bytes = self.bytes.saturating_add(len);
    }
    fn on_gone(&mut self, len: usize) {
        self.packets = self.packets.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(len);
    }

    /// Takes an SPM.
    pub(super) fn on_spm(&mut self, spm: &Spm<'_>, context: &mut Context<'_>) {
        self.heard = context.now;
        if self.spm.is_some_and(|last| !last.is_before(spm.sqn)) || spm.lead.next().is_before(spm.trail) {
            return;
        }
        self.spm = Some(spm.sqn);
        if self.path.replace(spm.path).is_none() {
            (self.ask, self.asked) = (None, 0);
        }
        self.advance(spm.trail, context.statistics);
        self.reach(spm.lead, context);
        if self.life == Life::Live && spm.ends() {
            self.life = Life::Finished(context.now);
        }
    }

    /// Takes data, original or repaired.
    pub(super) fn on_data(&mut self, data: &Data<'_>, original: bool, context: &mut Context<'_>) {
        self.heard = context.now;
        if data.sqn.is_before(data.trail) {
            context.statistics.malformed = context.statistics.malformed.saturating_add(1);
            return;
        }
        self.advance(data.trail, context.statistics);
        let ahead = self.highest.is_before(data.sqn);
        if self.path.is_none() || (!ahead && original && self.is_stuck(context.config, context.now)) {
            self.want_spm(context);
        }
        let fragment = data.options.fragment();
        let cost = cost(data.tsdu.len());
        let next = data.sqn == self.window.ring.first();
        if cost > context.room && !next {
            // The window is full of octets: the number stays missing. It is asked for when there is room.
            context.statistics.refused = context.statistics.refused.saturating_add(1);
            return self.reach(data.sqn, context);
        }
        if !ahead && !self.window.wants(data.sqn) {
            return self.unwanted(data.sqn, context);
        }
        let Some(packet) = S::Packet::copy_from(data.tsdu) else {
            context.statistics.refused = context.statistics.refused.saturating_add(1);
            return self.reach(data.sqn, context);
        };
        if ahead && data.sqn == self.window.ring.end() && self.window.append(packet.clone(), fragment) {
            self.highest = data.sqn;
            self.progress = context.now;
            self.on_kept(data.tsdu.len());
            return self.hurry(context);
        }
        self.reach(data.sqn, context);
        self.place(data.sqn, packet, fragment, original, context);
    }
    fn unwanted(&self, sqn: Sqn, context: &mut Context<'_>) {
        let inside = sqn.is_before(self.window.ring.end());
        let count = if inside { &mut context.statistics.duplicates } else { &mut context.statistics.refused };
        *count = count.saturating_add(1);
    }
    fn place(&mut self, sqn: Sqn, packet: S::Packet, fragment: Option<Fragment>, original: bool, context: &mut Context<'_>) {
        let len = packet.as_ref().len();
        match self.window.fill(sqn, packet, fragment) {
            Filled::Missing(missing) => {
                self.on_kept(len);
                if !original {
                    self.on_repaired(&missing, context);
                }
            }
            Filled::Duplicate => context.statistics.duplicates = context.statistics.duplicates.saturating_add(1),
            Filled::Beyond => context.statistics.refused = context.statistics.refused.saturating_add(1),
        }
    }
    fn on_repaired(&mut self, missing: &Missing, context: &mut Context<'_>) {
        let waited = u64::try_from(context.now.since(missing.since).as_micros()).unwrap_or(u64::MAX);
        context.statistics.on_repair(waited);
        self.repairs = true;
        if !missing.phase.is_unasked() && missing.asked < 2 {
            self.patience.on_answer(context.now.since(missing.last));
        }
        self.on_suppressed(usize::from(missing.phase.is_unasked()), context);
    }
    /// The source has sent up to `lead`.
    fn reach(&mut self, lead: Sqn, context: &mut Context<'_>) {
        if self.highest.is_before(lead) {
            self.highest = lead;
            self.progress = context.now;
            if lead.since(self.window.ring.first()) >= self.window.ring.most().saturating_mul(2) {
                // Far ahead of what can be kept: true or not, the source itself will say.
                self.want_spm(context);
            }
        }
        self.extend(context);
    }
    /// Makes places for what is known to have been sent.
    fn extend(&mut self, context: &mut Context<'_>) {
        if self.highest.is_before(self.window.ring.end()) || self.window.ring.is_full() {
            return;
        }
        let before = self.window.waiting();
        if before == 0 {
            self.back_off.end();
        }
        // Whoever claims much leaves others their share; what comes next has its place in any case.
        let share = context.holes.0.max(context.holes.1.saturating_sub(self.taken().holes));
        let most = (context.room / SLOT_OCTETS).min(share).max(usize::from(self.window.ring.is_empty()));
        let most = u32::try_from(most).unwrap_or(u32::MAX).min(STRIDE);
        self.window.extend(self.highest, self.trail, most, context.now);
        if self.window.waiting() > before {
            self.wait(context);
        }
        self.hurry(context);
    }
    /// Something waits to be asked for.
    fn wait(&mut self, context: &mut Context<'_>) {
        let due = self.back_off.begin(context.config, context.rng, context.now);
        self.look_at(due);
    }
    /// What is missing is to be looked at then, if not before.
    fn look_at(&mut self, due: Instant) {
        self.naks = Some(self.naks.map_or(due, |naks| naks.min(due)));
    }
    /// What waits to be asked for waits less if there are many, or the source or the window will soon have no room for it.
    fn hurry(&mut self, context: &mut Context<'_>) {
        if self.window.waiting() == 0 {
            return;
        }
        let Some(earliest) = self.window.earliest() else { return };
        let half = |part: u32, whole: u32| part > whole / 2;
        let ring = &self.window.ring;
        let outrun = half(self.highest.since(earliest), self.highest.since(self.trail));
        let full = half(self.highest.since(ring.first()), ring.most());
        let many = self.window.waiting() > MAX_LISTED as u32;
        let due = if outrun || full || many { self.back_off.hurry(context.rng, context.now) } else { None };
        if let Some(due) = due {
            self.look_at(due);
        }
    }
    /// Others have asked for so many numbers that this receiver would have asked for.
    fn on_suppressed(&mut self, numbers: usize, context: &mut Context<'_>) {
        if numbers > 0 {
            context.statistics.suppressed = context.statistics.suppressed.saturating_add(numbers as u64);
            self.back_off.on_suppressed(numbers, context.now);
        }
        if self.window.waiting() == 0 {
            self.back_off.end();
        }
    }
    /// The source repairs nothing before `trail`.
    fn advance(&mut self, trail: Sqn, statistics: &mut ReceiverStatistics) {
        if self.trail.is_before(trail) {
            self.trail = trail;
            let lost = self.window.lose_before(trail);
            statistics.outrun = statistics.outrun.saturating_add(u64::from(lost));
        }
    }
    fn want_spm(&mut self, context: &mut Context<'_>) {
        if self.ask.is_none() {
            self.asked = 0;
            self.ask = Some(context.drawn(ASK_SPM));
        }
    }
    /// A request for an SPM has left.
    pub(super) fn on_asked(&mut self, now: Instant) {
        let wait = ASK_SPM_AGAIN.saturating_mul(1 << self.asked.min(ASK_SPM_DOUBLINGS));
        self.asked = self.asked.saturating_add(1);
        // With a path only one answer is wanted, and an SPM that is old news may be all there is.
        self.ask = self.path.is_none().then_some(now + wait);
    }

    /// The source, or who repairs for it, confirms that somebody asked.
    pub(super) fn on_confirmed(&mut self, sqns: impl Iterator<Item = Sqn>, context: &mut Context<'_>) {
        self.heard = context.now;
        let mut suppressed: usize = 0;
        for sqn in sqns {
            let patience = self.patience;
            if let Some(before) = self.window.confirm(sqn, context.now, |asked| patience.of(context.config, asked)) {
                suppressed = suppressed.saturating_add(usize::from(before.is_unasked()));
                self.look_at(context.now + patience.of(context.config, 0));
            }
        }
        self.on_suppressed(suppressed, context);
    }

    /// Acts on what is due.
    pub(super) fn on_timeout(&mut self, context: &mut Context<'_>) {
        let now = context.now;
        if self.silent(now).is_some_and(|silent| silent >= context.config.expiry) {
            self.end(context.statistics);
        }
        if self.naks.is_none_or(|due| due > now) {
            return;
        }
        if self.is_blocked(context.room) {
            // No room for repairs: asking now would only move the source's window for nothing.
            self.naks = Some(now + context.config.patience);
            return;
        }
        self.extend(context);
        self.review(context);
        if self.asking && self.path.is_none() {
            // Without a path nothing is asked; giving up goes on.
            let soon = now + context.config.patience;
            self.naks = Some(self.naks.map_or(soon, |naks| naks.min(soon)));
        }
    }
    /// Looks at what is missing: what is to be asked for, what is not answered, and what is to be given up.
    fn review(&mut self, context: &mut Context<'_>) {
        let now = context.now;
        let due = self.back_off.due().is_some_and(|due| due <= now);
        let ReceiverConfig { give_up, patience, .. } = *context.config;
        let (mut next, mut asking, mut under_way, mut crowded) = (None, 0_usize, 0_u32, false);
        let most = if self.repairs { MOST_ASKED } else { FIRST_ASKED };
        // How many there are, and have not been looked at: under way, and waiting.
        let mut unseen = (self.window.under_way(), self.window.waiting());
        let lost = self.window.walk(|_, missing| {
            let kind = if missing.phase == Phase::BackOff { &mut unseen.1 } else { &mut unseen.0 };
            *kind = kind.saturating_sub(1);
            if now.since(missing.since) >= give_up {
                return Verdict::Lose;
            }
            match missing.phase {
                // One NAK for all, however new: that others overtook a packet is rare, and a repair too many does no harm.
                Phase::BackOff if due && under_way < most => missing.phase = Phase::Ask,
                Phase::BackOff => crowded |= due,
                Phase::Asked | Phase::Confirmed if missing.due <= now => missing.phase = Phase::BackOff,
                _ => {}
            }
            under_way = under_way.saturating_add(u32::from(missing.phase != Phase::BackOff));
            asking = asking.saturating_add(usize::from(missing.phase == Phase::Ask));
            if matches!(missing.phase, Phase::Asked | Phase::Confirmed) {
                next = Some(next.map_or(missing.due, |next: Instant| next.min(missing.due)));
            }
            // The others wait, are younger, and go on waiting.
            let rest = unseen.0 == 0 && (!due || under_way >= most);
            if rest { Verdict::Stop } else { Verdict::Keep }
        });
        crowded |= due && unseen.1 > 0;
        context.statistics.given_up = context.statistics.given_up.saturating_add(u64::from(lost));
        if due {
            self.back_off.end();
        }
        if asking > 0 {
            self.back_off.on_asked(asking, now);
        }
        (self.naks, self.asking) = (next, asking > 0);
        if crowded {
            // The repairs under way come first: they are in order, and the source has its rate.
            self.back_off.postpone(now + patience / 4);
        }
        if self.window.waiting() > 0 {
            self.wait(context);
        }
    }
    /// Whether the application is away and everything is full.
    fn is_blocked(&self, room: usize) -> bool {
        (room == 0 || self.window.ring.is_full()) && matches!(self.window.ring.front(), Some(Slot::Here(_, None)))
    }
    /// Collects numbers to be asked for in one NAK; returns how many.
    pub(super) fn collect(&mut self, to: &mut [Sqn; MAX_LISTED + 1], config: &ReceiverConfig, now: Instant) -> usize {
        let mut places = to.iter_mut();
        let (mut count, mut more) = (0_usize, false);
        let mut next = self.naks;
        let patience = self.patience;
        let mut unseen = self.window.asks();
        self.window.walk(|sqn, missing| {
            if missing.phase != Phase::Ask {
                return if unseen == 0 { Verdict::Stop } else { Verdict::Keep };
            }
            unseen = unseen.saturating_sub(1);
            let Some(place) = places.next() else {
                more = true;
                return Verdict::Stop;
            };
            *place = sqn;
            count = count.saturating_add(1);
            missing.phase = Phase::Asked;
            (missing.last, missing.due) = (now, now + patience.of(config, missing.asked));
            missing.asked = missing.asked.saturating_add(1);
            next = Some(next.map_or(missing.due, |next| next.min(missing.due)));
            Verdict::Keep
        });
        (self.asking, self.naks) = (more, next);
        count
    }
    /// When something is due, if it is.
    pub(super) fn due(&self, config: &ReceiverConfig) -> Option<Instant> {
        let life = match self.life {
            Life::Finished(at) if self.told == Told::Left => Some(at + REMEMBERED),
            Life::Live | Life::Finished(_) => Some(self.heard + config.expiry),
            Life::Ending => None,
        };
        [life, self.naks, self.ask].into_iter().flatten().min()
    }

    /// How long it has been silent; `None` when it is known to have gone.
    pub(super) fn silent(&self, now: Instant) -> Option<Duration> {
        (self.life != Life::Ending && self.told != Told::Left).then(|| now.since(self.heard))
    }
    /// No more of this source: what is missing is lost, what is here is delivered.
    pub(super) fn end(&mut self, statistics: &mut ReceiverStatistics) {
        let lost = self.window.walk(|_, _| Verdict::Lose);
        statistics.given_up = statistics.given_up.saturating_add(u64::from(lost));
        self.life = Life::Ending;
        (self.naks, self.ask, self.asking) = (None, None, false);
        self.back_off.end();
    }
    /// Whether everything has been delivered and told.
    pub(super) fn is_drained(&self) -> bool {
        self.life != Life::Live && self.window.ring.is_empty() && self.lost == 0 && self.reached_end()
    }
    fn reached_end(&self) -> bool {
        self.life == Life::Ending || self.highest.is_before(self.window.ring.end())
    }
    /// When it said its end, if that is all there is to remember.
    pub(super) fn remembered(&self) -> Option<Instant> {
        match self.life {
            Life::Finished(at) => (self.told == Told::Left).then_some(at),
            Life::Live | Life::Ending => None,
        }
    }
    /// Whether nothing is left to remember.
    pub(super) fn is_forgotten(&self, now: Instant) -> bool {
        self.told == Told::Left
            && match self.life {
                Life::Live => false,
                Life::Finished(at) => now.since(at) >= REMEMBERED,
                Life::Ending => true,
            }
    }

    /// The next data in order, or how many packets are missing for good before it.
    pub(super) fn take(&mut self, context: &mut Context<'_>) -> Option<Delivery<S::Packet>> {
        let taken = self.take_front(context.statistics);
        if taken.is_some() && self.life != Life::Ending {
            self.extend(context);
        }
        taken
    }
    fn take_front(&mut self, statistics: &mut ReceiverStatistics) -> Option<Delivery<S::Packet>> {
        loop {
            match self.window.ring.front() {
                Some(Slot::Lost) => self.drop_front(),
                Some(Slot::Missing(_)) => return self.gap(statistics),
                None => {
                    let end = self.window.ring.end();
                    if end.is_before(self.trail) {
                        self.lost = self.lost.saturating_add(u64::from(self.trail.since(end)));
                        self.window.ring.restart(self.trail);
                        self.highest = if self.highest.is_before(self.trail) { self.trail.previous() } else { self.highest };
                    }
                    return self.gap(statistics);
                }
                Some(Slot::Here(_, None)) => {
                    if let Some(gap) = self.gap(statistics) {
                        return Some(gap);
                    }
                    let packet = self.pop_front()?;
                    self.fresh = false;
                    return Some(Delivery::Data(packet));
                }
                Some(Slot::Here(_, Some(_))) if self.awaits() => return self.gap(statistics),
                Some(Slot::Here(_, Some(_))) => match assemble(&self.window.ring) {
                    Assembly::Incomplete(sqn) => self.awaited = Some(sqn),
                    Assembly::Broken => self.drop_front(),
                    Assembly::Whole { packet, count } => {
                        if let Some(gap) = self.gap(statistics) {
                            return Some(gap);
                        }
                        for _ in 0..count {
                            self.pop_front();
                        }
                        self.fresh = false;
                        return Some(Delivery::Data(packet));
                    }
                },
            }
        }
    }
    /// Whether the unit at the front is known to be incomplete.
    fn awaits(&self) -> bool {
        let ring = &self.window.ring;
        let awaited = self.awaited.filter(|sqn| !sqn.is_before(ring.first()));
        awaited.is_some_and(|sqn| matches!(ring.get(sqn), None | Some(Slot::Missing(_))))
    }
    /// Takes the first number out of the window, and its packet, if that is here.
    fn pop_front(&mut self) -> Option<S::Packet> {
        let Some(Slot::Here(packet, _)) = self.window.ring.pop() else { return None };
        self.on_gone(packet.as_ref().len());
        Some(packet)
    }
    /// What cannot be delivered is lost, unless it is the rest of a unit that began before we joined.
    fn drop_front(&mut self) {
        let torn = self.fresh && matches!(self.window.ring.front(), Some(Slot::Here(..)));
        self.pop_front();
        self.lost = self.lost.saturating_add(u64::from(!torn));
    }
    fn gap(&mut self, statistics: &mut ReceiverStatistics) -> Option<Delivery<S::Packet>> {
        let lost = core::mem::take(&mut self.lost);
        statistics.lost = statistics.lost.saturating_add(lost);
        (lost > 0).then_some(Delivery::Gap(lost))
    }
}
