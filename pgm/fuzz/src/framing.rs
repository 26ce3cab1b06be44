//! Any data of packets as a stream of messages, into lanes of both storages and of any room: whole messages come out,
//! and after a gap a message that is well formed is heard again.

use omnimq_core::{Blob, Fixed, Heap, LocalStorage, PipeReader};
use omnimq_pgm::{Packer, Unpacked, Unpacker};
use omnimq_seeds::Decisions;

/// The first octet chooses the storage and the mark, the others are packets with their lengths.
pub fn framing(data: &[u8]) {
    let mut decisions = Decisions(data);
    let choice = decisions.octet();
    let hwm = u32::from(choice >> 4);
    if choice.is_multiple_of(2) { run::<Heap>(hwm, decisions) } else { run::<Fixed<1, 4, 64>>(hwm, decisions) }
}

fn run<S: LocalStorage>(hwm: u32, mut decisions: Decisions<'_>) {
    let mut lane = S::lane(hwm);
    let mut unpacker = Unpacker::<S::Body>::new(1000, 8);
    while !decisions.is_empty() {
        let len = decisions.octet();
        if len == 0 {
            unpacker.handle_gap(&mut lane);
            continue;
        }
        offer::<S>(&mut unpacker, decisions.take(usize::from(len)), &mut lane);
    }
    unpacker.handle_gap(&mut lane);
    read::<S>(&mut lane);
    offer::<S>(&mut unpacker, &[0, 0, 4, 0, b'e', b'n', b'd'], &mut lane);
    assert_eq!(read::<S>(&mut lane), Some(vec![b"end".to_vec()]));
}

fn offer<S: LocalStorage>(unpacker: &mut Unpacker<S::Body>, packet: &[u8], lane: &mut S::Lane) {
    let mut at = 0;
    while unpacker.unpack(packet, &mut at, lane) == Unpacked::Full {
        assert!(read::<S>(lane).is_some(), "a lane without room has a message");
    }
}

/// Takes all messages; what the last one was. They are packed again, and come back the same.
fn read<S: LocalStorage>(lane: &mut S::Lane) -> Option<Vec<Vec<u8>>> {
    let (mut last, mut message) = (None, vec![]);
    while let Some(frame) = lane.read() {
        message.push(frame.body.as_ref().to_vec());
        if !frame.more {
            again(&message);
            last = Some(std::mem::take(&mut message));
        }
    }
    assert!(message.is_empty(), "half a message");
    last
}

fn again(message: &[Vec<u8>]) {
    use omnimq_core::PipeWriter;
    let (mut from, mut to) = (Heap::lane(0), Heap::lane(0));
    for (at, frame) in message.iter().enumerate() {
        from.write_bytes(frame, at + 1 < message.len()).expect("there is no mark");
    }
    let (mut packer, mut unpacker) = (Packer::new(), Unpacker::<Blob>::new(1000, 8));
    let mut tsdu = [0; 50];
    loop {
        let used = packer.pack(&mut from, &mut tsdu);
        if used == 0 {
            break;
        }
        assert_eq!(unpacker.unpack(&tsdu[..used], &mut 0, &mut to), Unpacked::Done);
    }
    let got: Vec<Vec<u8>> = std::iter::from_fn(|| to.read()).map(|frame| frame.body.to_vec()).collect();
    assert_eq!(got, message);
}
