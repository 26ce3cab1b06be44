//! Units that come in several packets (RFC 3208 section 9.3), as other senders than libzmq make them.
#![cfg(feature = "alloc")]

use omnimq_core::Instant;
use omnimq_pgm::wire::{Content, Data, Flags, Gsi, Opt, OptionBuffer, OptionKind, Packet};
use omnimq_pgm::{Delivery, Encapsulation, Fixed, Heap, Receiver, ReceiverConfig, Session, Sqn, Storage};
use std::net::{IpAddr, Ipv4Addr};

const SESSION: Session = Session {
    group: IpAddr::V4(Ipv4Addr::new(239, 192, 1, 1)),
    port: 5555,
    encapsulation: Encapsulation::Udp,
    max_tpdu: 1500,
};

/// A packet of data: of a unit that begins with the packet `first` and has `len` octets, if it is part of one.
fn packet(sqn: u32, unit: Option<(u32, u32, u32)>, tsdu: &[u8], trail: u32) -> Vec<u8> {
    let mut options = OptionBuffer::new();
    if let Some((first, offset, len)) = unit {
        let value = [first, offset, len].map(u32::to_be_bytes).concat();
        options.push(Opt { kind: OptionKind::FRAGMENT, flags: [0; 2], value: &value }).unwrap();
    }
    let content = Content::Odata(Data { sqn: Sqn(sqn), trail: Sqn(trail), options: options.options(), tsdu });
    let packet = Packet { source_port: 7, destination_port: 5555, gsi: Gsi([1; 6]), flags: Flags::default(), content };
    let mut octets = vec![0; 1500];
    let len = packet.emit(&mut octets).unwrap();
    octets.truncate(len);
    octets
}

fn deliveries<S: Storage>(receiver: &mut Receiver<S>, packets: &[Vec<u8>]) -> Vec<Delivery<Vec<u8>>> {
    let (from, now) = (IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), Instant::from_millis(1));
    let mut all = Vec::new();
    for octets in packets {
        receiver.handle_datagram(octets, from, SESSION.group, now);
        for peer in receiver.peers().collect::<Vec<_>>() {
            while let Some(delivery) = receiver.take(peer, now) {
                all.push(match delivery {
                    Delivery::Data(data) => Delivery::Data(data.as_ref().to_vec()),
                    Delivery::Gap(packets) => Delivery::Gap(packets),
                });
            }
        }
    }
    all
}

fn whole<S: Storage>() {
    let mut receiver = Receiver::<S>::new(ReceiverConfig::default(), SESSION);
    let part = |sqn, offset, octets: &[u8]| packet(sqn, Some((1, offset, 9)), octets, 0);
    // The parts of the unit in any order, and whole packets on both sides.
    let packets = [
        packet(0, None, b"zero", 0),
        part(3, 7, b"hi"),
        part(1, 0, b"abcd"),
        part(2, 4, b"efg"),
        packet(4, None, b"four", 0),
    ];
    let expected = [&b"zero"[..], b"abcdefghi", b"four"].map(|octets| Delivery::Data(octets.to_vec()));
    assert_eq!(deliveries(&mut receiver, &packets), expected);
}

#[test]
fn fragments_make_one_unit_in_its_place() {
    whole::<Heap>();
    whole::<Fixed<2, 16, 64>>();
}

/// One part can no longer be repaired: the unit is given up as a whole, and what follows is delivered.
#[test]
fn a_unit_without_one_of_its_parts_is_a_gap() {
    let mut receiver = Receiver::<Heap>::new(ReceiverConfig::default(), SESSION);
    let packets = [
        packet(0, None, b"zero", 0),
        packet(1, Some((1, 0, 9)), b"abcd", 0),
        packet(3, Some((1, 7, 9)), b"hi", 0),
        packet(4, None, b"four", 4),
    ];
    let expected = [Delivery::Data(b"zero".to_vec()), Delivery::Gap(3), Delivery::Data(b"four".to_vec())];
    assert_eq!(deliveries(&mut receiver, &packets), expected);
}

/// Parts that contradict each other, or claim more than a unit may have, cost no more than themselves.
#[test]
fn parts_that_make_no_unit_are_a_gap() {
    for (offset, len) in [(5, 9), (4, 8), (4, 70_000), (0, 9), (4, 4)] {
        let mut receiver = Receiver::<Heap>::new(ReceiverConfig::default(), SESSION);
        let packets = [
            packet(0, None, b"zero", 0),
            packet(1, Some((1, 0, 9)), b"abcd", 0),
            packet(2, Some((1, offset, len)), b"efghi", 0),
            packet(3, None, b"three", 0),
        ];
        let expected = [Delivery::Data(b"zero".to_vec()), Delivery::Gap(2), Delivery::Data(b"three".to_vec())];
        assert_eq!(deliveries(&mut receiver, &packets), expected, "{offset} of {len}");
    }
}
