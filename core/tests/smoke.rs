//! The whole core, once round: a PUSH node feeds a PULL node over a wire cut at every octet.
#![cfg(feature = "alloc")]

use omnimq_core::{Fixed, Heap, Instant, LocalStorage, Node, Options, Pull, Push, RecvError, Side, Sink};

const NOW: Instant = Instant::ZERO;

struct Wire(Vec<u8>);

impl<B> Sink<B> for Wire {
    fn put(&mut self, bytes: &[u8]) -> usize {
        self.0.extend_from_slice(bytes);
        bytes.len()
    }
}

fn once<S: LocalStorage>() {
    let mut push = Node::<Push, S>::new(Push, Options::default());
    let mut pull = Node::<Pull, S>::new(Pull, Options::default());
    let (a, b) = (push.attach(Side::Connect, NOW).unwrap(), pull.attach(Side::Bind, NOW).unwrap());
    push.send_bytes(b"hello", true).unwrap();
    push.send_bytes(b"world", false).unwrap();
    for _ in 0..8 {
        let mut wire = Wire(Vec::new());
        push.poll_transmit(a, &mut wire);
        for byte in wire.0 {
            assert_eq!(pull.handle_input(b, [byte].as_slice(), NOW), 1);
        }
        let mut wire = Wire(Vec::new());
        pull.poll_transmit(b, &mut wire);
        push.handle_input(a, wire.0.as_slice(), NOW);
    }
    let first = pull.recv().unwrap();
    assert_eq!((first.body.as_ref(), first.more), (&b"hello"[..], true));
    let second = pull.recv().unwrap();
    assert_eq!((second.body.as_ref(), second.more), (&b"world"[..], false));
    assert_eq!(pull.recv().unwrap_err(), RecvError::Again);
}

#[test]
fn heap() {
    once::<Heap>();
}

#[test]
fn fixed() {
    once::<Fixed<2, 4, 64>>();
}
