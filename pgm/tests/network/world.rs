//! A network in virtual time: sources, receivers and what is on its way between them.
//!
//! Each packet of data says which source and incarnation it is of and what number it has, so that a receiver's account
//! of a stream can be exact: what is delivered continues where the last delivery or gap ended, to the packet.

use super::plan::{Plan, between};
use omnimq_core::Instant;
use omnimq_pgm::wire::{Gsi, Packet, Tsi};
use omnimq_pgm::{
    Delivery, Encapsulation, Event, PeerId, Receiver, ReceiverConfig, Session, Source, SourceConfig, Sqn, Storage, Target,
};
use omnimq_seeds::Rng;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

pub(crate) const SESSION: Session = Session {
    group: IpAddr::V4(Ipv4Addr::new(239, 192, 1, 1)),
    port: 5555,
    encapsulation: Encapsulation::Udp,
    max_tpdu: 1500,
};

/// One that sends packets of data at fixed times.
pub(crate) struct Sender<S: Storage> {
    pub(crate) source: Source<S>,
    pub(crate) address: IpAddr,
    pub(crate) every: Duration,
    pub(crate) left: u64,
    pub(crate) len: usize,
    /// Told apart from another stream of the same identifier.
    incarnation: u8,
    next: Instant,
    pub(crate) sent: u64,
    pub(crate) running: bool,
}

/// What is known of one stream at one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) peer: PeerId,
    pub(crate) from: IpAddr,
    pub(crate) incarnation: u8,
    pub(crate) first: u64,
    /// The number expected next.
    pub(crate) next: u64,
    pub(crate) delivered: u64,
    pub(crate) lost: u64,
    /// Packets lost before anything was delivered.
    early: u64,
    pub(crate) left: bool,
}

pub(crate) struct Listener<S: Storage> {
    pub(crate) receiver: Receiver<S>,
    pub(crate) address: IpAddr,
    pub(crate) plan: Plan,
    pub(crate) accounts: Vec<Account>,
    /// Does not take anything between these times, in milliseconds.
    pub(crate) away: (u64, u64),
    burst: u64,
    pub(crate) dropped: u64,
    last: Instant,
}

pub(crate) struct World<S: Storage> {
    pub(crate) now: Instant,
    pub(crate) senders: Vec<Sender<S>>,
    pub(crate) listeners: Vec<Listener<S>>,
    /// Of what listeners send.
    pub(crate) upstream: Plan,
    /// Thousandths of what senders send that no listener hears, and how many packets of original data those were.
    pub(crate) common_loss: u64,
    pub(crate) common_losses: u64,
    queue: BTreeMap<(Instant, u64), (IpAddr, IpAddr, Vec<u8>)>,
    count: u64,
    rng: Rng,
    pub(crate) naks: u64,
}

impl<S: Storage> World<S> {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            now: Instant::from_millis(10),
            senders: Vec::new(),
            listeners: Vec::new(),
            upstream: Plan::calm(),
            common_loss: 0,
            common_losses: 0,
            queue: BTreeMap::new(),
            count: 0,
            rng: Rng::new(seed),
            naks: 0,
        }
    }
    pub(crate) fn tsi(n: u8) -> Tsi {
        Tsi { gsi: Gsi([n; 6]), port: 1000 + u16::from(n) }
    }
    /// Adds a source: `left` packets of `len` octets, one each `every`.
    pub(crate) fn sender(&mut self, n: u8, tsi: Tsi, first: u32, config: SourceConfig, every: Duration, left: u64) {
        let address = Ipv4Addr::new(10, 0, 0, n).into();
        let source = Source::starting_at(Sqn(first), config, SESSION, tsi, address, self.now);
        let sender =
            Sender { source, address, every, left, len: 100, incarnation: n, next: self.now, sent: 0, running: true };
        self.senders.push(sender);
    }
    /// The sender dies and begins anew, as `incarnation`.
    pub(crate) fn restart(&mut self, at: usize, incarnation: u8, tsi: Tsi, config: SourceConfig, left: u64) {
        let sender = &mut self.senders[at];
        sender.source = Source::new(config, SESSION, tsi, sender.address, self.now);
        (sender.incarnation, sender.sent, sender.left, sender.next) = (incarnation, 0, left, self.now);
    }
    pub(crate) fn listener(&mut self, n: u8, mut config: ReceiverConfig, plan: Plan) {
        let address = Ipv4Addr::new(10, 0, 1, n).into();
        config.seed = self.rng.draw();
        self.listeners.push(Listener {
            receiver: Receiver::new(config, SESSION),
            address,
            plan,
            accounts: Vec::new(),
            away: (0, 0),
            burst: 0,
            dropped: 0,
            last: Instant::ZERO,
        });
    }
    /// Runs for so long.
    pub(crate) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(next) = self.next().filter(|&next| next <= end) {
            self.now = next.max(self.now);
            self.deliver();
            (0..self.senders.len()).for_each(|at| self.drive_sender(at));
            (0..self.listeners.len()).for_each(|at| self.drive_listener(at));
        }
        self.now = end;
    }
    fn next(&self) -> Option<Instant> {
        let arrivals = self.queue.keys().next().map(|&(at, _)| at);
        let senders = self.senders.iter().filter(|sender| sender.running).flat_map(|sender| {
            [sender.source.poll_timeout(), (sender.left > 0).then_some(sender.next)].into_iter().flatten()
        });
        let listeners = self.listeners.iter().flat_map(|listener| {
            let back = Instant::from_millis(listener.away.1);
            [listener.receiver.poll_timeout(), (back > self.now).then_some(back)].into_iter().flatten()
        });
        // Time passes, so that a deadline that is not met shows as a test that does not end in time, not as a hang.
        senders.chain(listeners).chain(arrivals).min().map(|next| next.max(self.now + Duration::from_micros(1)))
    }
    fn deliver(&mut self) {
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let (to, from, octets) = entry.remove();
            for sender in self.senders.iter_mut().filter(|sender| sender.address == to && sender.running) {
                sender.source.handle_datagram(&octets, self.now);
            }
            for listener in self.listeners.iter_mut().filter(|listener| listener.address == to) {
                listener.receiver.handle_datagram(&octets, from, SESSION.group, self.now);
            }
        }
    }
    fn drive_sender(&mut self, at: usize) {
        let mut buf = [0; 1500];
        loop {
            let sender = &mut self.senders[at];
            if !sender.running {
                return;
            }
            let due = sender.left > 0 && sender.next <= self.now;
            let (mut used, len, head) = (false, sender.len.max(10), (sender.incarnation, sender.sent));
            let data = |space: &mut [u8]| {
                if !due {
                    return 0;
                }
                used = true;
                tell(head.0, head.1, len, space)
            };
            let Some(transmit) = sender.source.poll_transmit(&mut buf, data, self.now) else { return };
            if used {
                sender.left -= 1;
                sender.sent += 1;
                sender.next = sender.next + sender.every;
            }
            assert_eq!(transmit.target, Target::Group);
            let from = sender.address;
            if self.rng.chance(self.common_loss) {
                self.common_losses += u64::from(buf[4] == 4);
                continue;
            }
            for listener in 0..self.listeners.len() {
                let to = self.listeners[listener].address;
                if self.listeners[listener].survives(&buf[..transmit.len], self.now, &mut self.rng) {
                    let plan = self.listeners[listener].plan.clone();
                    self.send(&plan, Some(listener), from, to, &buf[..transmit.len]);
                }
            }
        }
    }
    fn send(&mut self, plan: &Plan, listener: Option<usize>, from: IpAddr, to: IpAddr, octets: &[u8]) {
        let copies = 1 + u64::from(self.rng.chance(plan.duplication));
        for _ in 0..copies {
            let mut at = self.now + between(&mut self.rng, plan.delay);
            if let Some(listener) = listener {
                // Links keep the order...
                at = at.max(self.listeners[listener].last);
                self.listeners[listener].last = at;
            }
            if self.rng.chance(plan.reordering) {
                // ...unless they are told not to.
                at = at + between(&mut self.rng, (Duration::ZERO, plan.late));
            }
            self.count += 1;
            self.queue.insert((at, self.count), (to, from, octets.to_vec()));
        }
    }
    fn drive_listener(&mut self, at: usize) {
        let mut buf = [0; 1500];
        let now = self.now;
        self.listeners[at].receiver.handle_timeout(now);
        self.listeners[at].take(now);
        while let Some(transmit) = self.listeners[at].receiver.poll_transmit(&mut buf, now) {
            let Target::Host(to) = transmit.target else { continue };
            let octets = &buf[..transmit.len];
            self.naks += u64::from(Packet::parse(octets).unwrap().content.kind() == 8);
            let (plan, from) = (self.upstream.clone(), self.listeners[at].address);
            if !plan.partitions.iter().any(|part| within(now, *part)) && !self.rng.chance(plan.loss) {
                self.send(&plan, None, from, to, octets);
            }
        }
        self.listeners[at].take(now);
    }
}

fn within(now: Instant, (from, to): (u64, u64)) -> bool {
    (Instant::from_millis(from)..Instant::from_millis(to)).contains(&now)
}

/// Data that says what it is: incarnation, number, and octets that follow from them.
pub(crate) fn tell(incarnation: u8, number: u64, len: usize, space: &mut [u8]) -> usize {
    space[0] = incarnation;
    space[1..9].copy_from_slice(&number.to_be_bytes());
    space[9..len].fill(number as u8 ^ incarnation);
    len
}

impl<S: Storage> Listener<S> {
    fn survives(&mut self, octets: &[u8], now: Instant, rng: &mut Rng) -> bool {
        let concerned = self.plan.types.is_empty() || self.plan.types.contains(&octets[4]);
        if self.burst == 0 && concerned && rng.chance(self.plan.burst) {
            self.burst = self.plan.burst_len;
        }
        let in_burst = concerned && self.burst > 0;
        self.burst -= u64::from(in_burst);
        let parted = self.plan.partitions.iter().any(|part| within(now, *part));
        let lost = parted || in_burst || (concerned && rng.chance(self.plan.loss));
        self.dropped += u64::from(lost);
        !lost
    }
    fn take(&mut self, now: Instant) {
        while let Some(event) = self.receiver.poll_event() {
            self.on_event(event);
        }
        if within(now, self.away) {
            return;
        }
        for peer in self.receiver.peers().collect::<Vec<_>>() {
            while let Some(delivery) = self.receiver.take(peer, now) {
                self.on_delivery(peer, delivery);
            }
        }
        while let Some(event) = self.receiver.poll_event() {
            self.on_event(event);
        }
    }
    fn on_event(&mut self, event: Event) {
        match event {
            Event::Joined { peer, from, .. } => {
                assert!(self.accounts.iter().all(|account| account.peer != peer || account.left), "one place for two");
                let new =
                    Account { peer, from, incarnation: 0, first: 0, next: 0, delivered: 0, lost: 0, early: 0, left: false };
                self.accounts.push(new);
            }
            Event::Left { peer } => self.account(peer).left = true,
        }
    }
    fn account(&mut self, peer: PeerId) -> &mut Account {
        let account = self.accounts.iter_mut().find(|account| account.peer == peer && !account.left);
        account.expect("data of a source that was not announced")
    }
    /// The invariants: in order, exactly once, nothing invented, each gap told to the packet.
    fn on_delivery(&mut self, peer: PeerId, delivery: Delivery<S::Packet>) {
        let account = self.account(peer);
        match delivery {
            Delivery::Gap(packets) => {
                assert!(packets > 0);
                account.lost += packets;
                account.next += packets;
                if account.delivered == 0 {
                    account.early += packets;
                }
            }
            Delivery::Data(data) => {
                let data = data.as_ref();
                let number = u64::from_be_bytes(data[1..9].try_into().unwrap());
                let mut expected = [0; 1500];
                let len = tell(data[0], number, data.len(), &mut expected);
                assert_eq!(data, &expected[..len], "octets that nobody sent");
                if account.delivered == 0 {
                    assert!(number >= account.early, "more lost than were sent");
                    (account.incarnation, account.first) = (data[0], number - account.early);
                } else {
                    assert_eq!(
                        (data[0], number),
                        (account.incarnation, account.next),
                        "out of order, twice, or an untold gap"
                    );
                }
                account.next = number + 1;
                account.delivered += 1;
            }
        }
    }
    /// The account of what one incarnation sent.
    pub(crate) fn of(&self, incarnation: u8) -> Account {
        let mut found = self.accounts.iter().filter(|account| account.delivered > 0 && account.incarnation == incarnation);
        let account = found.next().unwrap_or_else(|| panic!("nothing came of {incarnation}")).clone();
        assert_eq!(found.next(), None, "one stream as two");
        account
    }
}
