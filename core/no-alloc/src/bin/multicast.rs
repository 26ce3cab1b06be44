//! A source and a receiver of PGM with windows of fixed size, over a network that loses two packets: one is repaired, the
//! other cannot be, and the gap is told. The exit status tells whether all else came, in order.
#![no_std]
#![no_main]

use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;
use omnimq_core::storage::fixed::Bytes;
use omnimq_core::{Fixed, Instant, LocalStorage, PipeReader, PipeWriter};
use omnimq_no_alloc::{Place, exit, print};
use omnimq_pgm::wire::{Content, Gsi, Packet, Tsi};
use omnimq_pgm::{Delivery, Encapsulation, Event, PeerId, Session, Sqn};
use omnimq_pgm::{Packer, Receiver, ReceiverConfig, Source, SourceConfig, Unpacked, Unpacker};

/// One peer, windows of eight packets of up to 96 octets of data.
type Small = omnimq_pgm::Fixed<1, 8, 96>;
/// Four messages of up to 64 octets.
type Lane = <Fixed<1, 4, 64> as LocalStorage>::Lane;

const SESSION: Session = Session {
    group: IpAddr::V4(Ipv4Addr::new(239, 192, 1, 1)),
    port: 5555,
    encapsulation: Encapsulation::Udp,
    max_tpdu: 128,
};
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 1));
const TSI: Tsi = Tsi { gsi: Gsi([1, 2, 3, 4, 5, 6]), port: 1234 };

/// Messages, each in a packet of its own, and the time between two.
const MESSAGES: u8 = 40;
const EVERY: Duration = Duration::from_millis(5);
/// The first packet's number: numbers wrap on the way.
const FIRST: Sqn = Sqn(u32::MAX - 9);
/// The message whose packet is lost once, and the one whose repairs are lost too.
const ONCE: u8 = 7;
const ALWAYS: u8 = 20;

static NODE_SOURCE: Place<Source<Small>> = Place::new();
static NODE_RECEIVER: Place<Receiver<Small>> = Place::new();

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    let heard = exchange().is_some();
    print(if heard { c"PGM: one loss was repaired, one was told, all else came\n" } else { c"PGM: FAILED\n" });
    exit(heard)
}

/// `None` when anything is not as it should be.
fn exchange() -> Option<()> {
    let mut config = SourceConfig::default();
    // The source gives a packet up before the receiver, which waits for it, has no more room.
    (config.rate, config.window) = (0, 6);
    let (mut now, mut sent) = (Instant::ZERO, 0);
    let source = NODE_SOURCE.put(Source::starting_at(FIRST, config, SESSION, TSI, HERE, now))?;
    let receiver = NODE_RECEIVER.put(Receiver::new(ReceiverConfig::default(), SESSION))?;
    let (mut packer, mut sending, mut heard) = (Packer::new(), Fixed::<1, 4, 64>::lane(4), Heard::new());
    while !heard.left && now < Instant::from_millis(10_000) {
        let due = Instant::ZERO + EVERY.saturating_mul(u32::from(sent));
        if sent == MESSAGES {
            source.close();
        } else if due <= now {
            sending.write_bytes(&message(sent), false).ok()?;
            sent = sent.wrapping_add(1);
        }
        let mut octets = [0; 128];
        while let Some(packet) = source.poll_transmit(&mut octets, |tsdu| packer.pack(&mut sending, tsdu), now) {
            let packet = octets.get(..packet.len)?;
            if !is_lost(packet)? {
                receiver.handle_datagram(packet, HERE, SESSION.group, now);
            }
        }
        receiver.handle_timeout(now);
        while let Some(packet) = receiver.poll_transmit(&mut octets, now) {
            source.handle_datagram(octets.get(..packet.len)?, now);
        }
        heard.take(receiver, now)?;
        let more = (sent < MESSAGES).then_some(EVERY.saturating_mul(u32::from(sent))).map(|span| Instant::ZERO + span);
        let next = [source.poll_timeout(), receiver.poll_timeout(), more].into_iter().flatten().min()?;
        now = next.max(now);
    }
    let statistics = receiver.statistics();
    let whole = heard.left && heard.next == MESSAGES && (heard.gaps, statistics.lost, statistics.repaired) == (1, 1, 1);
    whole.then_some(())
}

/// Fifty octets that tell of which message they are.
fn message(number: u8) -> [u8; 50] {
    let mut octets = [!number; 50];
    octets[0] = number;
    octets
}

/// Whether the network loses this packet; `None` when it is none.
fn is_lost(packet: &[u8]) -> Option<bool> {
    let sqn = |number: u8| FIRST.plus(u32::from(number));
    Some(match Packet::parse(packet).ok()?.content {
        Content::Odata(data) => data.sqn == sqn(ONCE) || data.sqn == sqn(ALWAYS),
        Content::Rdata(data) => data.sqn == sqn(ALWAYS),
        _ => false,
    })
}

/// What has come.
struct Heard {
    peer: Option<PeerId>,
    left: bool,
    unpacker: Unpacker<Bytes<64>>,
    lane: Lane,
    /// The message that is to come next.
    next: u8,
    gaps: u64,
}

impl Heard {
    fn new() -> Self {
        let (unpacker, lane) = (Unpacker::new(64, 1), Fixed::<1, 4, 64>::lane(4));
        Self { peer: None, left: false, unpacker, lane, next: 0, gaps: 0 }
    }
    /// Takes what there is; `None` when it is not what should come.
    fn take(&mut self, receiver: &mut Receiver<Small>, now: Instant) -> Option<()> {
        loop {
            match receiver.poll_event() {
                Some(Event::Joined { peer, tsi, from }) if (tsi, from) == (TSI, HERE) => self.peer = Some(peer),
                Some(Event::Joined { .. }) => return None,
                Some(Event::Left { .. }) => self.left = true,
                None => {}
            }
            let Some(delivery) = self.peer.and_then(|peer| receiver.take(peer, now)) else { return Some(()) };
            match delivery {
                Delivery::Gap(packets) => {
                    self.gaps = self.gaps.wrapping_add(packets);
                    self.unpacker.handle_gap(&mut self.lane);
                    (self.next == ALWAYS).then_some(())?;
                    self.next = ALWAYS.wrapping_add(1);
                }
                Delivery::Data(data) => {
                    let done = self.unpacker.unpack(data.as_slice(), &mut 0, &mut self.lane);
                    (done == Unpacked::Done && self.lane.read()?.body.as_slice() == message(self.next)).then_some(())?;
                    self.next = self.next.wrapping_add(1);
                }
            }
        }
    }
}
