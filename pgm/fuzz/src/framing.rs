//! Any data of packets as a stream of messages, into lanes of both storages and of any room, and into one that takes runs:
//! whole messages come out, the same of either kind of lane, and after a gap a message that is well formed is heard again.

#[path = "../../../core/tests/connection/runs.rs"]
mod runs;

use omnimq_core::{Blob, Fixed, Heap, LocalStorage, PipeReader, PipeWriter};
use omnimq_pgm::{Packer, Unpacked, Unpacker};
use omnimq_seeds::Decisions;
use runs::Runs;

type Message = Vec<Vec<u8>>;

/// The first octet chooses the storage and the mark, the others are packets with their lengths.
pub fn framing(data: &[u8]) {
    let mut decisions = Decisions(data);
    let choice = decisions.octet();
    let hwm = u32::from(choice >> 4);
    if choice.is_multiple_of(2) {
        let got = run(Heap::lane(hwm), Decisions(decisions.0));
        let in_runs = run(Runs { lane: Heap::lane(hwm), most: u32::MAX, taken: 0 }, decisions);
        assert_eq!(got, in_runs);
    } else {
        run(Fixed::<1, 4, 64>::lane(hwm), decisions);
    }
}

/// All messages that came out.
fn run<L>(mut lane: L, mut decisions: Decisions<'_>) -> Vec<Message>
where
    L: PipeWriter + PipeReader<Body = <L as PipeWriter>::Body>,
{
    let (mut got, mut unpacker) = (vec![], Unpacker::new(1000, 8));
    while !decisions.is_empty() {
        let len = decisions.octet();
        if len == 0 {
            unpacker.handle_gap(&mut lane);
            continue;
        }
        offer(&mut unpacker, decisions.take(usize::from(len)), &mut lane, &mut got);
    }
    unpacker.handle_gap(&mut lane);
    read(&mut lane, &mut got);
    offer(&mut unpacker, &[0, 0, 4, 0, b'e', b'n', b'd'], &mut lane, &mut got);
    read(&mut lane, &mut got);
    assert_eq!(got.last(), Some(&vec![b"end".to_vec()]));
    got
}

fn offer<L>(unpacker: &mut Unpacker<<L as PipeWriter>::Body>, packet: &[u8], lane: &mut L, got: &mut Vec<Message>)
where
    L: PipeWriter + PipeReader<Body = <L as PipeWriter>::Body>,
{
    let mut at = 0;
    while unpacker.unpack(packet, &mut at, lane) == Unpacked::Full {
        let before = got.len();
        read(lane, got);
        assert!(got.len() > before, "a lane without room has a message");
    }
}

/// Takes all messages. They are packed again, and come back the same.
fn read(lane: &mut impl PipeReader, got: &mut Vec<Message>) {
    let mut message = vec![];
    while let Some(frame) = lane.read() {
        message.push(frame.body.as_ref().to_vec());
        if !frame.more {
            again(&message);
            got.push(std::mem::take(&mut message));
        }
    }
    assert!(message.is_empty(), "half a message");
}

fn again(message: &[Vec<u8>]) {
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
    let got: Message = std::iter::from_fn(|| to.read()).map(|frame| frame.body.to_vec()).collect();
    assert_eq!(got, message);
}
