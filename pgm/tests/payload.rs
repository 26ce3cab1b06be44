//! ZeroMQ messages in packets: as libzmq has them on the wire, cut anywhere, joined anywhere, and broken.
#![cfg(feature = "alloc")]

#[path = "../../core/tests/connection/runs.rs"]
mod runs;

use omnimq_core::{Blob, CloseReason, Heap, Limit, LocalStorage, PipeReader, PipeWriter};
use omnimq_pgm::{Packer, Unpacked, Unpacker};
use proptest::prelude::*;
use runs::Runs;

type Lane = <Heap as LocalStorage>::Lane;
type Message = Vec<Vec<u8>>;

fn lane(messages: &[Message]) -> Lane {
    let mut lane = Heap::lane(0);
    for message in messages {
        for (at, frame) in message.iter().enumerate() {
            lane.write_bytes(frame, at + 1 < message.len()).unwrap();
        }
    }
    lane
}

fn messages(lane: &mut impl PipeReader) -> Vec<Message> {
    let mut all = vec![];
    let mut message = vec![];
    while let Some(frame) = lane.read() {
        message.push(frame.body.as_ref().to_vec());
        if !frame.more {
            all.push(std::mem::take(&mut message));
        }
    }
    assert!(message.is_empty(), "half a message was seen");
    all
}

/// The packets that carry `messages`, each of at most `len` octets.
fn packets(messages: &[Message], len: usize) -> Vec<Vec<u8>> {
    let (mut packer, mut from) = (Packer::new(), lane(messages));
    let mut packets = vec![];
    loop {
        let mut tsdu = vec![0; len];
        match packer.pack(&mut from, &mut tsdu) {
            0 => return packets,
            used => packets.push(tsdu[..used].to_vec()),
        }
    }
}

fn unpacker() -> Unpacker<Blob> {
    Unpacker::new(1 << 20, 16)
}

fn take(unpacker: &mut Unpacker<Blob>, packet: &[u8], to: &mut Lane) -> Unpacked {
    unpacker.unpack(packet, &mut 0, to)
}

/// 3000 octets in packets of 1428, as captured from libzmq: offsets 0000, ffff, and 009e where the next one begins.
#[test]
fn packets_are_filled_like_libzmqs() {
    let sent = packets(&[vec![vec![7; 3000]], vec![b"next".to_vec()]], 1428);
    let offsets: Vec<_> = sent.iter().map(|packet| [packet[0], packet[1]]).collect();
    assert_eq!(offsets, [[0, 0], [0xff, 0xff], [0, 0x9e]]);
    assert_eq!(sent.iter().map(Vec::len).collect::<Vec<_>>(), [1428, 1428, 2 + 0x9e + 6]);
    assert_eq!(sent[0][2..12], [0xff, 0, 0, 0, 0, 0, 0, 0x0b, 0xb9, 0]);
}

/// Where a packet ends a message and begins none, libzmq gives the length of the stream instead of ffff.
#[test]
fn an_offset_at_the_end_is_none_at_all() {
    let mut to = Heap::lane(0);
    let mut unpacker = unpacker();
    assert_eq!(take(&mut unpacker, &[0, 0, 5, 0, b'a', b'b'], &mut to), Unpacked::Done);
    assert_eq!(take(&mut unpacker, &[0, 2, b'c', b'd'], &mut to), Unpacked::Done);
    assert_eq!(take(&mut unpacker, &[0, 0, 2, 0, b'e'], &mut to), Unpacked::Done);
    assert_eq!(messages(&mut to), [[b"abcd".to_vec()], [b"e".to_vec()]]);
    let mut late = self::unpacker();
    assert_eq!(take(&mut late, &[0, 2, b'c', b'd'], &mut to), Unpacked::Done);
    assert_eq!(take(&mut late, &[0, 0, 2, 0, b'e'], &mut to), Unpacked::Done);
    assert_eq!(messages(&mut to), [[b"e".to_vec()]]);
}

/// Of four messages in a packet all but the one that goes on in the next come in one piece.
#[test]
fn whole_messages_of_a_packet_come_in_one_piece() {
    let sent: [Message; 4] =
        [vec![b"one".to_vec()], vec![b"two".to_vec(), vec![2; 300]], vec![vec![]], vec![b"next".to_vec()]];
    for (most, taken) in [(u32::MAX, 3), (1, 0)] {
        let (mut unpacker, mut to) = (unpacker(), Runs { lane: Heap::lane(0), most, taken: 0 });
        let mut outcome = packets(&sent, 328).into_iter().map(|packet| unpacker.unpack(&packet[..], &mut 0, &mut to));
        if taken > 0 {
            assert!(outcome.all(|unpacked| unpacked == Unpacked::Done));
            assert_eq!((messages(&mut to), to.taken), (sent.to_vec(), taken));
        } else {
            assert_eq!(outcome.next(), Some(Unpacked::Broken(CloseReason::TooLarge)), "a lane that does not keep it");
        }
    }
}

#[test]
fn what_is_no_stream_is_skipped_to_the_next_message() {
    let good: &[u8] = &[0, 0, 2, 0, b'a'];
    let table: [&[u8]; 6] =
        [&[], &[0], &[0, 4, 1, 0, 0], &[0xff, 0xfe, 1], &[0, 0, 0, 0], &[0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]];
    for bad in table {
        let (mut unpacker, mut to) = (unpacker(), Heap::lane(0));
        assert_eq!(take(&mut unpacker, good, &mut to), Unpacked::Done);
        assert!(matches!(take(&mut unpacker, bad, &mut to), Unpacked::Broken(_)), "{bad:?}");
        assert_eq!(take(&mut unpacker, &[0xff, 0xff, 9, 9], &mut to), Unpacked::Done);
        assert_eq!(take(&mut unpacker, good, &mut to), Unpacked::Done);
        assert_eq!(messages(&mut to), [[b"a".to_vec()], [b"a".to_vec()]], "{bad:?}");
    }
}

#[test]
fn messages_beyond_the_limits_are_given_up_whole() {
    let long: Message = vec![vec![1; 5]; 17];
    let (mut unpacker, mut to) = (unpacker(), Heap::lane(0));
    let outcome: Vec<_> = packets(&[long], 1000).iter().map(|packet| take(&mut unpacker, packet, &mut to)).collect();
    assert_eq!(outcome, [Unpacked::Broken(CloseReason::Limit(Limit::Frames))]);
    let mut narrow = Unpacker::<Blob>::new(4, 16);
    for (packet, expected) in
        packets(&[vec![vec![1; 4], vec![2; 5]]], 1000).iter().zip([Unpacked::Broken(CloseReason::TooLarge)])
    {
        assert_eq!(take(&mut narrow, packet, &mut to), expected);
    }
    assert_eq!(messages(&mut to), Vec::<Message>::new());
}

fn any_messages() -> impl Strategy<Value = Vec<Message>> {
    let frame = prop_oneof![prop::collection::vec(any::<u8>(), 0..8), (200_usize..700).prop_map(|len| vec![len as u8; len])];
    prop::collection::vec(prop::collection::vec(frame, 1..4), 1..12)
}

proptest! {
    /// Any messages in packets of any length, through a lane that is full after each message, or after a few.
    #[test]
    fn what_is_packed_is_unpacked(sent in any_messages(), len in 3_usize..1500, room in 1_u32..5) {
        let (mut unpacker, mut got) = (unpacker(), vec![]);
        let mut to = Runs { lane: Heap::lane(room), most: u32::MAX, taken: 0 };
        for packet in packets(&sent, len) {
            prop_assert!(packet.len() > 2 && packet.len() <= len);
            let offset = u16::from_be_bytes([packet[0], packet[1]]);
            prop_assert!(offset == 0xffff || usize::from(offset) < packet.len() - 2);
            let mut at = 0;
            while unpacker.unpack(packet.as_slice(), &mut at, &mut to) == Unpacked::Full {
                prop_assert!(to.front().is_some());
                got.extend(messages(&mut to));
            }
            got.extend(messages(&mut to));
        }
        prop_assert_eq!(got, sent);
    }

    /// Packets lost anywhere, the first ones too: what comes is whole messages in order, and none that lay beside a
    /// lost packet.
    #[test]
    fn a_loss_costs_the_messages_it_touches(sent in any_messages(), len in 3_usize..300, lost in any::<[bool; 16]>()) {
        let mut numbered = sent;
        for (n, message) in numbered.iter_mut().enumerate() {
            message[0] = (n as u32).to_be_bytes().to_vec();
        }
        let (mut unpacker, mut to) = (unpacker(), Heap::lane(0));
        let mut gap = false;
        for (at, packet) in packets(&numbered, len).iter().enumerate() {
            if lost[at % 16] {
                gap = true;
                continue;
            }
            if std::mem::take(&mut gap) {
                unpacker.handle_gap(&mut to);
            }
            prop_assert_eq!(take(&mut unpacker, packet, &mut to), Unpacked::Done);
        }
        let got = messages(&mut to);
        let mut rest = numbered.iter();
        for message in &got {
            prop_assert!(rest.any(|sent| sent == message), "invented, torn, twice or out of order");
        }
        if !lost.contains(&true) {
            prop_assert_eq!(got.len(), numbered.len());
        }
    }
}
