//! Subscriptions, in the form of commands and of messages, both ways.

use crate::trace::{BodyOf, Side, Small, command, frame, message};
use omnimq_core::connection::{Connection, Event};
use omnimq_core::{Fixed, Heap, LocalStorage, PipeReader, PipeWriter, Signal, SocketType};

fn subscribe(topic: &[u8]) -> Signal<Vec<u8>> {
    Signal::Subscribe(topic.to_vec())
}

fn cancel(topic: &[u8]) -> Signal<Vec<u8>> {
    Signal::Cancel(topic.to_vec())
}

#[test]
fn both_forms_come_from_any_version() {
    let topic = &[b'l'; 255][..];
    let table: [(Vec<u8>, Signal<Vec<u8>>); 8] = [
        (command(b"SUBSCRIBE", b"a"), subscribe(b"a")),
        (command(b"SUBSCRIBE", b""), subscribe(b"")),
        (command(b"SUBSCRIBE", topic), subscribe(topic)),
        (command(b"CANCEL", b"a"), cancel(b"a")),
        (frame(0, b"\x01a"), subscribe(b"a")),
        (frame(0, b"\x01"), subscribe(b"")),
        (frame(0, &[b"\x01", topic].concat()), subscribe(topic)),
        (frame(0, b"\0a"), cancel(b"a")),
    ];
    fn on<S: LocalStorage>(table: &[(Vec<u8>, Signal<Vec<u8>>)]) {
        for socket_type in [SocketType::Pub, SocketType::XPub] {
            for minor in [0, 1] {
                for (octets, signal) in table {
                    let mut side = Side::<S>::ready(socket_type, SocketType::Sub, minor);
                    send!(side, octets);
                    assert_eq!(side.signals(), std::slice::from_ref(signal), "{socket_type}, 3.{minor}, {octets:02x?}");
                    assert_eq!(side.messages(), [[[0; 0]; 0]; 0]);
                    events!(side);
                }
            }
        }
    }
    on::<Heap>(&table);
    on::<Small>(&table);
}

/// A signal, and the octets it becomes for a 3.1 peer and for a 3.0 peer.
type Told<'a> = (Signal<&'a [u8]>, &'a [u8], &'a [u8]);

/// What a 3.1 peer and a 3.0 peer are told, with the LONG flag where the length needs it.
#[test]
fn each_version_is_told_in_its_form() {
    let long = &[b'x'; 255][..];
    let long_message = [&b"\x02\0\0\0\0\0\0\x01\0\x01"[..], long].concat();
    let long_command = [&b"\x06\0\0\0\0\0\0\x01\x09\x09SUBSCRIBE"[..], long].concat();
    let fits = &[b'x'; 254][..];
    let short_message = [&b"\0\xff\0"[..], fits].concat();
    let long_cancel = [&b"\x06\0\0\0\0\0\0\x01\x05\x06CANCEL"[..], fits].concat();
    let table: [Told; 6] = [
        (Signal::Subscribe(b"ab"), b"\x04\x0c\x09SUBSCRIBEab", b"\0\x03\x01ab"),
        (Signal::Subscribe(b""), b"\x04\x0a\x09SUBSCRIBE", b"\0\x01\x01"),
        (Signal::Cancel(b"ab"), b"\x04\x09\x06CANCELab", b"\0\x03\0ab"),
        (Signal::Cancel(b""), b"\x04\x07\x06CANCEL", b"\0\x01\0"),
        (Signal::Subscribe(long), &long_command, &long_message),
        (Signal::Cancel(fits), &long_cancel, &short_message),
    ];
    fn on<S: LocalStorage>(table: &[Told]) {
        for (signal, as_command, as_message) in table {
            for (minor, octets) in [(1, as_command), (0, as_message)] {
                for room in [1, 3, usize::MAX] {
                    let mut side = Side::<S>::ready(SocketType::Sub, SocketType::Pub, minor);
                    side.tx.signal(*signal).unwrap();
                    let mut out = vec![];
                    while side.tx.front_signal().is_some() {
                        out.extend(side.drain_into(room).0);
                    }
                    assert_eq!(out, *octets, "{signal:?} to 3.{minor}, {room} at a time");
                    silent!(side);
                }
            }
        }
    }
    on::<Heap>(&table);
    on::<Small>(&table);
}

#[test]
fn many_signals_go_out_in_their_order_and_before_messages() {
    let mut side = Side::<Heap>::ready(SocketType::XSub, SocketType::XPub, 1);
    side.write(&[b"hello"]);
    for signal in [Signal::Subscribe(&b"a"[..]), Signal::Cancel(b"a"), Signal::Subscribe(b"b")] {
        side.tx.signal(signal).unwrap();
    }
    recv!(side, command(b"SUBSCRIBE", b"a"), command(b"CANCEL", b"a"), command(b"SUBSCRIBE", b"b"), message(&[b"hello"]));
}

#[test]
fn signals_wait_for_the_end_of_the_handshake() {
    let mut side = Side::<Heap>::new(SocketType::Sub);
    side.tx.signal(Signal::Subscribe(b"a")).unwrap();
    send!(side, crate::trace::greeting(3, 1));
    let own = side.drain();
    assert_eq!(own[64..], command(b"READY", b"\x0bSocket-Type\0\0\0\x03SUB"));
    silent!(side);
    send!(side, crate::trace::ready(SocketType::Pub, None));
    recv!(side, command(b"SUBSCRIBE", b"a"));
}

#[test]
fn signals_go_between_messages_never_within_one() {
    let mut side = Side::<Heap>::ready(SocketType::XSub, SocketType::XPub, 1);
    side.write(&[b"one", b"two"]);
    side.write(&[b"three"]);
    let (mut out, full) = side.drain_into(6);
    assert!(full);
    side.tx.signal(Signal::Subscribe(b"a")).unwrap();
    out.extend(side.drain());
    assert_eq!(out, [message(&[b"one", b"two"]), command(b"SUBSCRIBE", b"a"), message(&[b"three"])].concat());
}

/// One place for signals stalls the stream, and nothing is lost.
#[test]
fn a_full_place_stalls_the_stream() {
    fn on(octets: Vec<u8>) {
        let mut side = Side::<Fixed<1, 8, 64, 1, 8>>::ready(SocketType::XPub, SocketType::Sub, 1);
        let mut taken = side.feed(&octets);
        let mut signals = vec![];
        loop {
            let up = side.signals();
            if up.is_empty() {
                break;
            }
            assert_eq!(up.len(), 1);
            signals.extend(up);
            taken += side.feed(&octets[taken..]);
        }
        assert_eq!(taken, octets.len());
        assert_eq!(signals, [subscribe(b"a"), subscribe(b"b"), cancel(b"a"), subscribe(b"c")]);
        assert_eq!(side.messages(), [[b"data"]]);
        events!(side);
    }
    on([
        command(b"SUBSCRIBE", b"a"),
        command(b"SUBSCRIBE", b"b"),
        frame(0, b"\0a"),
        message(&[b"data"]),
        frame(0, b"\x01c"),
    ]
    .concat());
}

/// The frame that waits may have left the input: the driver is told so.
#[test]
fn a_stalled_frame_that_straddles_inputs_is_told_of() {
    let mut side = Side::<Fixed<1, 8, 64, 1, 8>>::ready(SocketType::Pub, SocketType::Sub, 1);
    send!(side, command(b"SUBSCRIBE", b"a"));
    let octets = command(b"SUBSCRIBE", b"b");
    send!(side, octets[..5]);
    assert!(!side.connection.is_stalled());
    send!(side, octets[5..]);
    assert!(side.connection.is_stalled());
    assert_eq!(side.connection.wanted(), None, "nothing is missing");
    assert_eq!(side.signals(), [subscribe(b"a")]);
    send!(side, b"");
    assert!(!side.connection.is_stalled());
    assert_eq!(side.signals(), [subscribe(b"b")]);
}

#[test]
fn user_messages_reach_xpub_and_no_pub() {
    let octets = [message(&[b"hello", b"\x01world"]), message(&[b""]), message(&[b"\x02two"])].concat();
    let mut side = Side::<Heap>::ready(SocketType::XPub, SocketType::XSub, 1);
    send!(side, octets);
    assert_eq!(side.messages(), [vec![b"hello".to_vec(), b"\x01world".to_vec()], vec![vec![]], vec![b"\x02two".to_vec()]]);
    assert_eq!(side.signals(), []);
    let mut side = Side::<Heap>::ready(SocketType::Pub, SocketType::XSub, 1);
    for _ in 0..100 {
        send!(side, octets, command(b"PING", b"\0\0"));
    }
    assert_eq!((side.messages(), side.signals()), (vec![], vec![]), "and its stream does not wait for a reader");
    recv!(side, command(b"PONG", b""));
}

/// Only the first part of a message can be a subscription; what follows it is a message of its own, or nothing.
#[test]
fn only_a_first_part_is_a_subscription() {
    let octets = message(&[b"\x01a", b"\x01b", b"\0c"]);
    let mut side = Side::<Heap>::ready(SocketType::XPub, SocketType::XSub, 1);
    send!(side, octets, message(&[b"\x01d"]));
    assert_eq!(side.signals(), [subscribe(b"a"), subscribe(b"d")]);
    assert_eq!(side.messages(), [[b"\x01b", b"\0c"]]);
    let mut side = Side::<Heap>::ready(SocketType::Pub, SocketType::XSub, 1);
    send!(side, octets, message(&[b"\x01d"]));
    assert_eq!(side.signals(), [subscribe(b"a"), subscribe(b"d")]);
    assert_eq!(side.messages(), [[[0; 0]; 0]; 0]);
}

#[test]
fn others_take_neither_form() {
    for (ours, theirs) in [(SocketType::Pull, SocketType::Push), (SocketType::Dealer, SocketType::Router)] {
        let mut side = Side::<Heap>::ready(ours, theirs, 1);
        send!(side, command(b"SUBSCRIBE", b"a"), command(b"CANCEL", b"a"), frame(0, b"\x01a"));
        assert_eq!(side.signals(), []);
        assert_eq!(side.messages(), [[b"\x01a"]]);
        events!(side);
    }
}

/// The signal of Ready that an inproc peer would be told of is not for a wire.
#[test]
fn ready_from_the_socket_is_passed_over() {
    let mut side = Side::<Heap>::ready(SocketType::Sub, SocketType::Pub, 1);
    side.tx.signal(Signal::Ready(b"name")).unwrap();
    side.tx.signal(Signal::Subscribe(b"a")).unwrap();
    recv!(side, command(b"SUBSCRIBE", b"a"));
    assert_eq!(side.tx.front_signal(), None);
}

/// A connection is a few words, whatever is subscribed to: ten thousand of them share what is lent.
#[test]
fn a_connection_is_small() {
    assert!(size_of::<Connection<BodyOf<Heap>>>() <= 384, "{} octets", size_of::<Connection<BodyOf<Heap>>>());
}
