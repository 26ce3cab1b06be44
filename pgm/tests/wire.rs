//! Packets as captured from OpenPGM, packets that are none, and the round trip of all that can be represented.

use omnimq_pgm::Sqn;
use omnimq_pgm::wire::{
    Ack, Content, Data, Flags, Fragment, Gsi, Nak, Opt, OptionBuffer, OptionKind, Options, Packet, Poll, Polr, Spm,
    WireError,
};
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const GSI: Gsi = Gsi([0xb7, 0xc6, 0xd1, 0xbc, 0x03, 0x8a]);
const SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 1));
const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(239, 192, 1, 1));

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn packet(source_port: u16, destination_port: u16, flags: u8, content: Content<'_>) -> Packet<'_> {
    Packet { source_port, destination_port, gsi: GSI, flags: Flags(flags), content }
}

fn list(sqns: &[u32]) -> OptionBuffer {
    let mut options = OptionBuffer::new();
    options.push_list(&sqns.iter().copied().map(Sqn).collect::<Vec<_>>()).unwrap();
    options
}

/// What OpenPGM says, and what it means; both ways.
#[test]
fn captured_packets() {
    let twelve_and_seventeen = list(&[12, 17]);
    let mut fin = OptionBuffer::new();
    fin.push(Opt { kind: OptionKind::FIN, flags: [0; 2], value: &[] }).unwrap();
    let missing = Nak { sqn: Sqn(9), source: SOURCE, group: GROUP, options: twelve_and_seventeen.options() };
    let single = Nak { sqn: Sqn(0x1f), source: SOURCE, group: GROUP, options: Options::NONE };
    let spm = Spm { sqn: Sqn(0), trail: Sqn(0), lead: Sqn(u32::MAX), path: SOURCE, options: Options::NONE };
    let last = Spm { sqn: Sqn(8), trail: Sqn(0), lead: Sqn(0x7a), path: SOURCE, options: fin.options() };
    let table = [
        ("abf615b3 0000a6f9 b7c6d1bc 038a0000 00000000 00000000 ffffffff 00010000 0a4d0001", 0, Content::Spm(spm)),
        (
            "15b3abf6 08032bed b7c6d1bc 038a0000 00000009 00010000 0a4d0001 00010000 efc00101 00040010 820c0000 0000000c 00000011",
            3,
            Content::Nak(missing),
        ),
        (
            "abf615b3 0a0329ed b7c6d1bc 038a0000 00000009 00010000 0a4d0001 00010000 efc00101 00040010 820c0000 0000000c 00000011",
            3,
            Content::Ncf(missing),
        ),
        ("15b332cc 0c001e73 b7c6d1bc 038a0000", 0, Content::Spmr(Options::NONE)),
        ("15b3b94a 0800a0c3 b7c6d1bc 038a0000 0000001f 00010000 0a4d0001 00010000 efc00101", 0, Content::Nak(single)),
        (
            "772815b3 00014d34 b7c6d1bc 038a0000 00000008 00000000 0000007a 00010000 0a4d0001 00040008 8e040000",
            1,
            Content::Spm(last),
        ),
    ];
    for (hex, flags, content) in table {
        let wire = octets(hex);
        let ports = [0, 2].map(|at| u16::from_be_bytes([wire[at], wire[at + 1]]));
        let expected = packet(ports[0], ports[1], flags, content);
        assert_eq!(Packet::parse(&wire), Ok(expected), "{hex}");
        let mut out = [0; 1500];
        let len = expected.emit(&mut out).unwrap();
        assert_eq!(out[..len], wire, "{hex}");
    }
}

#[test]
fn captured_data() {
    // 102 octets of ZMTP 1.0 behind the offset. What the body was is not known, so the checksum is not compared.
    let mut tsdu = vec![0, 0, 0x65, 0];
    tsdu.resize(0x68, 0);
    let data = Data { sqn: Sqn(0), trail: Sqn(0), options: Options::NONE, tsdu: &tsdu };
    let mut out = [0; 1500];
    let len = packet(0xabf6, 0x15b3, 0, Content::Odata(data)).emit(&mut out).unwrap();
    out[6..8].fill(0);
    assert_eq!(out[..24], octets("abf615b3 04000000 b7c6d1bc 038a0068 00000000 00000000"));
    packet(0xabf6, 0x15b3, 0, Content::Odata(data)).emit(&mut out).unwrap();
    assert_eq!(Packet::parse(&out[..len]).unwrap().content, Content::Odata(data));
}

#[test]
fn sqns_of_a_nak_are_the_first_and_the_list() {
    let options = list(&[12, 17]);
    let nak = Nak { sqn: Sqn(9), source: SOURCE, group: GROUP, options: options.options() };
    assert_eq!(nak.sqns().collect::<Vec<_>>(), [9, 12, 17].map(Sqn));
}

/// A packet with its checksum made right, so that the fault behind it is reached.
fn sealed(hex: &str) -> Vec<u8> {
    let mut wire = octets(hex);
    if wire.len() >= 8 {
        wire[6..8].fill(0);
        let sum = !omnimq_pgm::wire::checksum(&wire);
        wire[6..8].copy_from_slice(&sum.to_be_bytes());
    }
    wire
}

#[test]
fn what_is_no_packet_is_refused_for_its_fault() {
    let head = "abf615b3 0000a6f9 b7c6d1bc 038a0000";
    let table = [
        ("", WireError::Truncated),
        ("abf615b3 0000a6f9 b7c6d1bc 038a00", WireError::Truncated),
        (head, WireError::Truncated),
        ("abf615b3 03000000 b7c6d1bc 038a0000", WireError::Type),
        ("abf615b3 06000000 b7c6d1bc 038a0000", WireError::Type),
        ("abf615b3 00000000 b7c6d1bc 038a0000 00000000 00000000 ffffffff 00030000 0a4d0001", WireError::AddressFamily),
        ("abf615b3 04000000 b7c6d1bc 038a0002 00000000 00000000 00", WireError::Length),
        ("abf615b3 04000000 b7c6d1bc 038a0002 00000000 00000000 000000", WireError::Length),
        // Options: without their length, with none, with a length beyond the packet, without a last one, overlapping.
        ("abf615b3 0c010000 b7c6d1bc 038a0000", WireError::Truncated),
        ("abf615b3 0c010000 b7c6d1bc 038a0000 8e040000", WireError::Options),
        ("abf615b3 0c010000 b7c6d1bc 038a0000 00040004", WireError::Options),
        ("abf615b3 0c010000 b7c6d1bc 038a0000 00040002", WireError::Options),
        ("abf615b3 0c010000 b7c6d1bc 038a0000 0004ffff 8e040000", WireError::Truncated),
        ("abf615b3 0c010000 b7c6d1bc 038a0000 00040008 0e040000", WireError::Options),
        ("abf615b3 0c010000 b7c6d1bc 038a0000 00040008 8e030000", WireError::Options),
        ("abf615b3 0c010000 b7c6d1bc 038a0000 00040008 8e000000", WireError::Options),
        ("abf615b3 0c010000 b7c6d1bc 038a0000 00040008 8e050000", WireError::Options),
        ("abf615b3 0c010000 b7c6d1bc 038a0000 0004000c 8e040000 8e040000", WireError::Options),
        ("abf615b3 0c010000 b7c6d1bc 038a0000 0004000c 00040000 8e040000", WireError::Options),
    ];
    for (hex, error) in table {
        assert_eq!(Packet::parse(&sealed(hex)), Err(error), "{hex}");
    }
}

#[test]
fn checksums_are_mandatory_on_data_alone() {
    let absent = "abf615b3 04000000 b7c6d1bc 038a0000 00000000 00000000";
    assert_eq!(Packet::parse(&octets(absent)), Err(WireError::Checksum));
    assert!(Packet::parse(&octets("abf615b3 0c000000 b7c6d1bc 038a0000")).is_ok());
    assert_eq!(Packet::parse(&octets("15b332cc 0c001e72 b7c6d1bc 038a0000")), Err(WireError::Checksum));
}

#[test]
fn too_short_a_buffer_takes_nothing() {
    let whole = packet(1, 2, 0, Content::Odata(Data { sqn: Sqn(1), trail: Sqn(0), options: Options::NONE, tsdu: b"abc" }));
    assert_eq!(whole.emit(&mut [0; 27]), Some(27));
    assert!((0..27).all(|len| whole.emit(&mut vec![0; len]).is_none()));
}

fn addresses() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(|octets| Ipv4Addr::from(octets).into()),
        any::<[u8; 16]>().prop_map(|octets| Ipv6Addr::from(octets).into()),
    ]
}

type Described = (u8, [u8; 2], Vec<u8>);

fn described() -> impl Strategy<Value = Vec<Described>> {
    prop::collection::vec((1_u8..0x80, any::<[u8; 2]>(), prop::collection::vec(any::<u8>(), 0..40)), 0..5)
}

proptest! {
    /// Every type, any options, both families.
    #[test]
    fn what_is_emitted_is_parsed_back(
        kind in 0_usize..10,
        numbers in any::<[u32; 4]>(),
        ports in any::<[u16; 4]>(),
        gsi in any::<[u8; 6]>(),
        flags in any::<u8>(),
        nlas in (addresses(), addresses()),
        described in described(),
        tsdu in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let mut buffer = OptionBuffer::new();
        for (kind, flags, value) in &described {
            let taken = buffer.push(Opt { kind: OptionKind(*kind), flags: *flags, value });
            prop_assert!(taken.is_some());
        }
        let options = buffer.options();
        let [a, b, c, d] = numbers;
        let nak = Nak { sqn: Sqn(a), source: nlas.0, group: nlas.1, options };
        let data = Data { sqn: Sqn(a), trail: Sqn(b), options, tsdu: &tsdu };
        let content = match kind {
            0 => Content::Spm(Spm { sqn: Sqn(a), trail: Sqn(b), lead: Sqn(c), path: nlas.0, options }),
            1 => Content::Poll(Poll {
                sqn: Sqn(a), round: ports[2], subtype: ports[3], path: nlas.0, back_off: b, random: c, mask: d, options,
            }),
            2 => Content::Polr(Polr { sqn: Sqn(a), round: ports[2], options }),
            3 => Content::Odata(data),
            4 => Content::Rdata(data),
            5 => Content::Nak(nak),
            6 => Content::Nnak(nak),
            7 => Content::Ncf(nak),
            8 => Content::Spmr(options),
            _ => Content::Ack(Ack { highest: Sqn(a), bitmap: b, options }),
        };
        let flags = if options.is_empty() { flags & !1 } else { flags | 1 };
        let packet = Packet { source_port: ports[0], destination_port: ports[1], gsi: Gsi(gsi), flags: Flags(flags), content };
        let mut out = [0; 1500];
        let len = packet.emit(&mut out).unwrap();
        prop_assert_eq!(Packet::parse(&out[..len]), Ok(packet));
        let seen: Vec<Described> =
            options.iter().map(|option| (option.kind.0, option.flags, option.value.to_vec())).collect();
        prop_assert_eq!(seen, described);
        for cut in 0..len {
            prop_assert!(Packet::parse(&out[..cut]).is_err() || !matches!(content, Content::Odata(_) | Content::Rdata(_)));
        }
    }

    #[test]
    fn any_octets_are_parsed_or_refused(octets in prop::collection::vec(any::<u8>(), 0..120)) {
        let mut octets = octets;
        if let Ok(packet) = Packet::parse(&octets) {
            let _ = packet.content.options().iter().count();
        }
        // Without a checksum the parser gets behind it.
        if octets.len() >= 8 {
            octets[6..8].fill(0);
            let _ = Packet::parse(&octets);
        }
    }

    #[test]
    fn fragments_come_back(numbers in any::<[u32; 3]>()) {
        let value: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        let mut buffer = OptionBuffer::new();
        buffer.push(Opt { kind: OptionKind::FRAGMENT, flags: [0; 2], value: &value }).unwrap();
        let expected = Fragment { first: Sqn(numbers[0]), offset: numbers[1], len: numbers[2] };
        prop_assert_eq!(buffer.options().fragment(), Some(expected));
    }
}
