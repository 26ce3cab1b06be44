//! When the image of a whole message may go to the stream as it stands.

use crate::trace::{Side, command, greeting, ready};
use omnimq_core::{Heap, PipeWriter, Signal, SocketType};

#[test]
fn images_wait_for_the_traffic_phase() {
    let mut side = Side::<Heap>::new(SocketType::Push);
    assert!(!side.connection.takes_images());
    send!(side, greeting(3, 1));
    side.drain();
    assert!(!side.connection.takes_images());
    send!(side, ready(SocketType::Pull, None));
    assert!(side.connection.takes_images());
    side.eof();
    assert!(!side.connection.takes_images());
}

/// The peer's READY may come before the own one has gone.
#[test]
fn images_wait_for_the_own_ready() {
    let mut side = Side::<Heap>::new(SocketType::Push);
    send!(side, greeting(3, 0), ready(SocketType::Pull, None));
    for room in [10, 54, 10] {
        assert!(side.drain_into(room).1);
        assert!(!side.connection.takes_images());
    }
    side.drain();
    assert!(side.connection.takes_images());
}

#[test]
fn images_go_between_messages() {
    for cut in 0..12 {
        let mut side = Side::<Heap>::ready(SocketType::Push, SocketType::Pull, 1);
        side.write(&[b"one", b"two"]);
        side.drain_into(cut);
        assert_eq!(side.connection.takes_images(), cut == 10 || cut == 11, "{cut} octets sent");
    }
}

#[test]
fn images_do_not_tear_a_command() {
    let octets = command(b"SUBSCRIBE", b"abc");
    for cut in 1..octets.len() {
        let mut side = Side::<Heap>::ready(SocketType::XSub, SocketType::Pub, 1);
        side.tx.signal(Signal::Subscribe(b"abc")).unwrap();
        assert_eq!(side.drain_into(cut).0, octets[..cut]);
        assert!(!side.connection.takes_images(), "{cut} octets sent");
        recv!(side, octets[cut..]);
        assert!(side.connection.takes_images());
    }
}

/// A driver that sends images by itself asks whether anything else is to be sent.
#[test]
fn there_is_control_until_the_handshake_ends_and_for_each_pong() {
    let mut side = Side::<Heap>::new(SocketType::Push);
    assert!(side.connection.has_control());
    send!(side, greeting(3, 1), ready(SocketType::Pull, None));
    side.drain_into(70);
    assert!(side.connection.has_control(), "READY is half sent");
    side.drain();
    assert!(!side.connection.has_control());
    send!(side, command(b"PING", b"\0\0"));
    assert!(side.connection.has_control());
    side.drain_into(3);
    assert!(side.connection.has_control(), "PONG is half sent");
    side.drain();
    assert!(!side.connection.has_control());
    send!(side, command(b"PING", b"\0\0"));
    side.eof();
    assert!(!side.connection.has_control(), "a closed connection sends nothing");
}
