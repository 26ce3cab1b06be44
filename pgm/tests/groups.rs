//! Several groups at one receiver: what it asks of a source names the group that the source sends to, for that is what
//! sources look at.
#![cfg(feature = "alloc")]

use omnimq_core::Instant;
use omnimq_pgm::wire::{Content, Gsi, Packet, Tsi};
use omnimq_pgm::{
    Delivery, Encapsulation, Event, Heap, Receiver, ReceiverConfig, Session, Source, SourceConfig, Sqn, Target,
};
use std::net::{IpAddr, Ipv4Addr};

const fn session(group: u8) -> Session {
    let group = IpAddr::V4(Ipv4Addr::new(239, 192, 1, group));
    Session { group, port: 5555, encapsulation: Encapsulation::Udp, max_tpdu: 1500 }
}

/// A source in the group `n`, from an address of its own.
fn source(n: u8) -> (Source<Heap>, IpAddr) {
    let path = IpAddr::V4(Ipv4Addr::new(10, 77, 0, n));
    let tsi = Tsi { gsi: Gsi([n; 6]), port: 1000 + u16::from(n) };
    (Source::new(SourceConfig::default(), session(n), tsi, path, Instant::ZERO), path)
}

/// The next packet, of original data if nothing else is due.
fn next(source: &mut Source<Heap>, number: u8, now: Instant) -> Option<Vec<u8>> {
    let mut octets = vec![0; 1500];
    let data = |space: &mut [u8]| {
        space[..8].fill(number);
        8
    };
    let sent = source.poll_transmit(&mut octets, data, now)?;
    octets.truncate(sent.len);
    Some(octets)
}

/// Of each of two sources an SPM and three packets of data, the second of which is lost.
#[test]
fn each_source_is_asked_in_its_own_group() {
    let mut receiver = Receiver::<Heap>::new(ReceiverConfig::default(), session(9));
    let mut sources = [source(1), source(2)];
    for (source, from) in &mut sources {
        for number in 0..4 {
            let packet = next(source, number, Instant::ZERO).unwrap();
            if number != 2 {
                receiver.handle_datagram(&packet, *from, source.session().group, Instant::ZERO);
            }
        }
    }
    let (now, mut octets) = (Instant::from_millis(5), [0; 1500]);
    receiver.handle_timeout(now);
    for (source, from) in &mut sources {
        let sent = receiver.poll_transmit(&mut octets, now).unwrap();
        assert_eq!(sent.target, Target::Host(*from));
        let Content::Nak(nak) = Packet::parse(&octets[..sent.len]).unwrap().content else { panic!("no NAK") };
        assert_eq!((nak.sqn, nak.source, nak.group), (Sqn(1), *from, source.session().group));
        source.handle_datagram(&octets[..sent.len], now);
        for _ in 0..2 {
            // The confirmation and the repair.
            receiver.handle_datagram(&next(source, 9, now).unwrap(), *from, source.session().group, now);
        }
        assert_eq!(source.statistics().rdata, 1);
    }
    while let Some(Event::Joined { peer, .. }) = receiver.poll_event() {
        for number in 1..4 {
            let Some(Delivery::Data(data)) = receiver.take(peer, now) else { panic!("{number} is missing") };
            assert_eq!(&data[..], [number; 8]);
        }
    }
    assert_eq!((receiver.statistics().repaired, receiver.statistics().foreign), (2, 0));
}
