//! Sources that claim what is not true, and more of them than there are places.
#![cfg(feature = "alloc")]

use omnimq_core::Instant;
use omnimq_pgm::wire::{Content, Data, Flags, Gsi, Opt, OptionBuffer, OptionKind, Options, Packet, Spm};
use omnimq_pgm::{Delivery, Encapsulation, Event, Heap, Receiver, ReceiverConfig, Session, Sqn, window_of};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

const SESSION: Session = Session {
    group: IpAddr::V4(Ipv4Addr::new(239, 192, 1, 1)),
    port: 5555,
    encapsulation: Encapsulation::Udp,
    max_tpdu: 1500,
};
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

const fn packet(sqn: u32) -> Data<'static> {
    Data { sqn: Sqn(sqn), trail: Sqn(0), options: Options::NONE, tsdu: &[0, 0, 1, 0] }
}

/// A receiver, and what sources say to it.
struct Stage {
    receiver: Receiver<Heap>,
    now: Instant,
    events: Vec<Event>,
    delivered: usize,
    sent: usize,
    turns: usize,
}

impl Stage {
    fn new(config: ReceiverConfig) -> Self {
        let receiver = Receiver::new(config, SESSION);
        Self { receiver, now: Instant::from_millis(1), events: Vec::new(), delivered: 0, sent: 0, turns: 0 }
    }
    fn hear(&mut self, source: u16, content: Content<'_>) {
        let (gsi, flags) = (Gsi([1; 6]), Flags::default());
        let packet = Packet { source_port: source, destination_port: SESSION.port, gsi, flags, content };
        let mut octets = [0; 1500];
        let len = packet.emit(&mut octets).unwrap();
        self.receiver.handle_datagram(&octets[..len], ADDRESS, SESSION.group, self.now);
        self.take();
    }
    fn data(&mut self, source: u16, sqn: u32) {
        self.hear(
            source,
            Content::Odata(Data { sqn: Sqn(sqn), trail: Sqn(0), options: Options::NONE, tsdu: &[0, 0, 1, 0] }),
        );
    }
    /// The source has sent up to `lead`, and that is the end if `ended`.
    fn spm(&mut self, source: u16, lead: u32, ended: bool) {
        let mut options = OptionBuffer::new();
        if ended {
            options.push(Opt { kind: OptionKind::FIN, flags: [0; 2], value: &[] }).unwrap();
        }
        let spm = Spm { sqn: Sqn(lead), trail: Sqn(0), lead: Sqn(lead), path: ADDRESS, options: options.options() };
        self.hear(source, Content::Spm(spm));
    }
    fn take(&mut self) {
        self.events.extend(std::iter::from_fn(|| self.receiver.poll_event()));
        for peer in self.receiver.peers().collect::<Vec<_>>() {
            while let Some(delivery) = self.receiver.take(peer, self.now) {
                self.delivered += usize::from(matches!(delivery, Delivery::Data(_)));
            }
        }
        self.events.extend(std::iter::from_fn(|| self.receiver.poll_event()));
    }
    /// Serves the receiver when something is due, for so long.
    fn run(&mut self, span: Duration) {
        let end = self.now + span;
        let mut octets = [0; 1500];
        while let Some(due) = self.receiver.poll_timeout().filter(|&due| due <= end) {
            self.now = due.max(self.now + Duration::from_micros(1));
            self.receiver.handle_timeout(self.now);
            while self.receiver.poll_transmit(&mut octets, self.now).is_some() {
                self.sent += 1;
            }
            self.take();
            self.turns += 1;
        }
        self.now = end;
    }
    fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|event| wanted(event)).count()
    }
    fn joined(&self) -> usize {
        self.count(|event| matches!(event, Event::Joined { .. }))
    }
    fn left(&self) -> usize {
        self.count(|event| matches!(event, Event::Left { .. }))
    }
}

/// Each of many sources claims to have sent far more than was heard of it, at a rate at which windows are large: what is
/// remembered of that is within the cap, asking for it costs little and sends little to where they say they are, and from
/// others what is missing is asked for, and what comes meanwhile kept.
#[test]
fn what_is_claimed_to_be_missing_takes_no_more_than_allowed() {
    let mut config = ReceiverConfig::default();
    config.window = window_of(10_000, 1_000_000, 1500);
    config.window_bytes = 8 << 20;
    let mut stage = Stage::new(config);
    for source in 0..63 {
        stage.data(source, 0);
        for lead in 1..50 {
            stage.spm(source, lead << 24, false);
        }
    }
    let begin = std::time::Instant::now();
    stage.run(Duration::from_millis(500));
    let spent = begin.elapsed();
    assert!(stage.receiver.window_bytes() <= (8 << 20) + 64 * 100, "{}", stage.receiver.window_bytes());
    assert!(stage.sent < 1500, "{}", stage.sent);
    let each = spent / u32::try_from(stage.turns).unwrap();
    assert!(each < Duration::from_millis(1), "{each:?} for each of {} turns", stage.turns);
    stage.delivered = 0;
    stage.data(100, 0);
    stage.spm(100, 299, false);
    (100..300).for_each(|sqn| stage.data(100, sqn));
    stage.run(Duration::from_millis(5));
    (1..100).for_each(|sqn| stage.hear(100, Content::Rdata(packet(sqn))));
    assert_eq!((stage.delivered, stage.receiver.statistics().refused), (300, 0));
}

/// A source that said its end, and that much is missing before it, is asked as long as any other that is silent.
#[test]
fn a_source_that_ends_far_ahead_of_what_was_heard_is_forgotten_in_time() {
    let mut stage = Stage::new(ReceiverConfig::default());
    stage.data(1, 0);
    stage.spm(1, 1 << 28, true);
    stage.run(Duration::from_secs(299));
    assert_eq!(stage.left(), 0);
    stage.run(Duration::from_secs(2));
    assert_eq!((stage.left(), stage.receiver.poll_timeout()), (1, None));
}

/// Units in many parts, of each of which the last is missing: they are not looked through each time.
#[test]
fn parts_of_what_never_becomes_whole_cost_little() {
    let mut stage = Stage::new(ReceiverConfig::default());
    for (source, sqn) in (0..16).flat_map(|source| (0..1000).map(move |sqn| (source, sqn))) {
        let mut options = OptionBuffer::new();
        let value = [0, sqn * 60, 60_060].map(u32::to_be_bytes).concat();
        options.push(Opt { kind: OptionKind::FRAGMENT, flags: [0; 2], value: &value }).unwrap();
        let (trail, options) = (Sqn(0), options.options());
        stage.hear(source, Content::Odata(Data { sqn: Sqn(sqn), trail, options, tsdu: &[0; 60] }));
    }
    let begin = std::time::Instant::now();
    (0..1000).for_each(|_| stage.take());
    let each = begin.elapsed() / 1000;
    assert!(each < Duration::from_micros(100), "{each:?} to find nothing");
}

/// Places go to those who speak: one that is only remembered gives way at once, one that is silent when it seems to have
/// gone, and one that is heard never.
#[test]
fn who_has_gone_gives_way_to_who_speaks() {
    let mut config = ReceiverConfig::default();
    config.peers = 2;
    let mut stage = Stage::new(config);
    for source in 0..100 {
        stage.data(source, 0);
        stage.spm(source, 0, true);
    }
    assert_eq!((stage.joined(), stage.left(), stage.receiver.statistics().unheard), (100, 100, 0));
    stage.data(100, 0);
    stage.run(Duration::from_secs(50));
    stage.data(101, 0);
    stage.data(102, 0);
    assert_eq!((stage.joined(), stage.receiver.statistics().unheard), (102, 1));
    stage.run(Duration::from_secs(11));
    stage.data(102, 0);
    stage.data(102, 1);
    assert_eq!((stage.joined(), stage.left(), stage.receiver.statistics().unheard), (103, 101, 2));
    stage.data(101, 1);
    stage.data(103, 0);
    assert_eq!((stage.joined(), stage.receiver.statistics().unheard), (103, 3));
}
