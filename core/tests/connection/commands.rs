//! Commands in traffic other than subscriptions.

use crate::trace::{Side, Small, command, frame, message};
use omnimq_core::connection::Event;
use omnimq_core::wire::WireError;
use omnimq_core::{CloseReason, Heap, LocalStorage, SocketType};

#[test]
fn a_ping_is_answered_with_its_context() {
    fn on<S: LocalStorage>() {
        let table: [(&[u8], &[u8]); 4] = [
            (b"\0\0", b"\x04\x05\x04PONG"),
            (b"\x02\x8e", b"\x04\x05\x04PONG"),
            (b"\0\x01hello", b"\x04\x0a\x04PONGhello"),
            (b"\xff\xff0123456789abcdefghij", b"\x04\x15\x04PONG0123456789abcdef"),
        ];
        for (data, pong) in table {
            let mut side = Side::<S>::ready(SocketType::Pull, SocketType::Push, 1);
            send!(side, command(b"PING", data));
            recv!(side, pong);
            silent!(side);
            events!(side);
        }
    }
    on::<Heap>();
    on::<Small>();
}

#[test]
fn a_short_ping_is_never_answered() {
    for data in [&b""[..], b"\0"] {
        let mut side = Side::<Heap>::ready(SocketType::Pull, SocketType::Push, 1);
        send!(side, message(&[b"before"]), command(b"PING", data));
        silent!(side);
        events!(side, Event::Closed(CloseReason::Protocol(WireError::BadPing)));
        assert_eq!(side.messages(), [[b"before"]]);
    }
}

#[test]
fn the_latest_of_two_pings_is_answered() {
    let mut side = Side::<Heap>::ready(SocketType::Pull, SocketType::Push, 1);
    send!(side, command(b"PING", b"\0\0one"), command(b"PING", b"\0\0two"));
    recv!(side, command(b"PONG", b"two"));
    silent!(side);
}

/// A PONG that has begun to leave is not changed by the next PING, which gets its own.
#[test]
fn a_half_sent_pong_ends_as_it_began() {
    let (one, two) = (command(b"PONG", b"one"), command(b"PONG", b"three"));
    for cut in 1..one.len() {
        let mut side = Side::<Heap>::ready(SocketType::Pull, SocketType::Push, 1);
        send!(side, command(b"PING", b"\0\0one"));
        let (mut out, full) = side.drain_into(cut);
        assert!(full);
        send!(side, command(b"PING", b"\0\0two"), command(b"PING", b"\0\0three"));
        out.extend(side.drain());
        assert_eq!(out, [&one[..], &two[..]].concat(), "cut at {cut}");
    }
}

#[test]
fn a_pong_goes_between_messages() {
    let mut side = Side::<Heap>::ready(SocketType::Dealer, SocketType::Dealer, 1);
    side.write(&[b"one", b"two"]);
    side.write(&[b"three"]);
    let (mut out, _) = side.drain_into(3);
    send!(side, command(b"PING", b"\0\0"));
    out.extend(side.drain());
    assert_eq!(out, [message(&[b"one", b"two"]), command(b"PONG", b""), message(&[b"three"])].concat());
}

#[test]
fn commands_between_the_frames_of_a_message_do_not_tear_it() {
    let mut side = Side::<Heap>::ready(SocketType::Dealer, SocketType::Dealer, 1);
    send!(side, frame(1, b"one"), command(b"PING", b"\0\0"), frame(1, b""), command(b"OTHER", b"x"), frame(0, b"two"));
    assert_eq!(side.messages(), [[b"one".to_vec(), vec![], b"two".to_vec()]]);
    recv!(side, command(b"PONG", b""));
}

#[test]
fn unknown_and_malformed_commands_are_passed_over() {
    fn on<S: LocalStorage>() {
        let table = [
            command(b"JOIN", b"group"),
            command(b"LEAVE", b"group"),
            command(b"WHATEVER", b""),
            command(b"READY", b"garbage"),
            command(b"PONG", b""),
            command(b"PONG", b"of any context, however long"),
            command(b"subscribe", b"a"),
            frame(4, b""),
            frame(4, b"\0"),
            frame(4, b"\x09SUBS"),
            command(b"ERROR", b""),
        ];
        for octets in table {
            let mut side = Side::<S>::ready(SocketType::XPub, SocketType::Sub, 1);
            send!(side, octets, message(&[b"after"]));
            events!(side);
            assert_eq!(side.signals(), []);
            assert_eq!(side.messages(), [[b"after"]], "{octets:02x?}");
            silent!(side);
        }
    }
    on::<Heap>();
    on::<Small>();
}

#[test]
fn reserved_flags_are_passed_over() {
    let mut side = Side::<Heap>::ready(SocketType::Pull, SocketType::Push, 1);
    send!(side, b"\xf9\x01a", b"\xf8\x01b", b"\x7c\x07\x04PING\0\0");
    assert_eq!(side.messages(), [[b"a", b"b"]]);
    recv!(side, command(b"PONG", b""));
}
