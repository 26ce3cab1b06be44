//! Greeting and READY, octet by octet.

use crate::trace::{Side, Small, command, greeting, greeting_of, property, ready};
use omnimq_core::connection::{Config, Event};
use omnimq_core::{CloseReason, Heap, LocalStorage, PipeWriter, Signal, SocketType};
use std::time::Duration;

/// What is sent to a peer, whatever its minor version is.
const OWN: &[u8; 64] = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
    \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

#[test]
fn handshake_3_1_in_libzmqs_steps() {
    fn on<S: LocalStorage>() {
        let mut side = Side::<S>::new(SocketType::Dealer);
        // The signature goes out at once: two peers that both waited would wait for ever.
        recv!(side, OWN[..10]);
        silent!(side);
        send!(side, b"\xff\0\0\0\0\0\0\0\x01");
        silent!(side);
        send!(side, b"\x7f");
        recv!(side, b"\x03");
        silent!(side);
        send!(side, b"\x03");
        recv!(side, OWN[11..]);
        send!(side, b"\x01NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", [0; 31]);
        // One octet short of a greeting: READY might yet have gone to a peer that speaks something else.
        silent!(side);
        send!(side, [0]);
        recv!(side, b"\x04\x29\x05READY\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\0");
        events!(side);
        assert!(!side.connection.is_ready());
        send!(side, b"\x04\x29\x05READY\x0bSocket-Type\0\0\0\x06ROUTER\x08Identity\0\0\0\0");
        events!(side, Event::HandshakeSucceeded { minor: 1 });
        assert_eq!(side.signals(), [Signal::Ready(vec![])]);
        assert!(side.connection.is_ready());
        silent!(side);
    }
    on::<Heap>();
    on::<Small>();
}

#[test]
fn handshake_3_0_in_one_step() {
    fn on<S: LocalStorage>() {
        let mut side = Side::<S>::new(SocketType::Pull);
        send!(side, greeting(3, 0), b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PUSH");
        events!(side, Event::HandshakeSucceeded { minor: 0 });
        recv!(side, OWN, b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PULL");
        send!(side, b"\0\x02hi");
        assert_eq!(side.messages(), [[b"hi"]]);
    }
    on::<Heap>();
    on::<Small>();
}

/// For every number of octets that the peer has sent, the octets that have come back.
#[test]
fn as_much_goes_out_as_the_peers_octets_allow() {
    let ready_out = b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PULL";
    let own = [&OWN[..], ready_out].concat();
    let peer = [greeting(3, 1), ready(SocketType::Push, None)].concat();
    for sent in 0..=peer.len() {
        let mut side = Side::<Heap>::new(SocketType::Pull);
        for octet in &peer[..sent] {
            send!(side, [*octet]);
        }
        let allowed = match sent {
            ..10 => 10,
            10 => 11,
            11..64 => 64,
            _ => own.len(),
        };
        assert_eq!(side.drain(), own[..allowed], "after {sent} octets");
        assert_eq!(side.connection.is_ready(), sent == peer.len());
    }
}

#[test]
fn a_sink_of_any_size_gets_the_same_octets() {
    for room in 1..=100 {
        let mut side = Side::<Heap>::new(SocketType::Pull);
        send!(side, greeting(3, 1), ready(SocketType::Push, None));
        let mut out = vec![];
        loop {
            let (octets, full) = side.drain_into(room);
            out.extend(octets);
            if !full {
                break;
            }
        }
        assert_eq!(out, [&OWN[..], b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PULL"].concat(), "{room} at a time");
    }
}

#[test]
fn other_major_versions_are_answered_as_3_1() {
    for (major, minor, spoken) in [(2, 0, 1), (3, 2, 1), (3, 255, 1), (4, 0, 1), (255, 0, 1), (3, 0, 0)] {
        let mut side = Side::<Heap>::new(SocketType::Pull);
        send!(side, greeting(major, minor), ready(SocketType::Push, None));
        events!(side, Event::HandshakeSucceeded { minor: spoken });
    }
}

#[test]
fn as_server_and_padding_are_not_looked_at() {
    let mut side = Side::<Heap>::new(SocketType::Pull);
    let mut octets = greeting_of(3, 1, b"NULL", 1);
    octets[1..9].fill(0xaa);
    octets[33..].fill(0x55);
    send!(side, octets, ready(SocketType::Push, None));
    events!(side, Event::HandshakeSucceeded { minor: 1 });
}

#[test]
fn the_routing_id_is_announced_where_a_router_may_hear_it() {
    use SocketType::*;
    for socket_type in SocketType::ALL {
        let mut side = Side::<Heap>::new(socket_type);
        side.routing_id = b"me";
        send!(side, greeting(3, 1));
        let identity: Option<&[u8]> = matches!(socket_type, Req | Dealer | Router).then_some(b"me");
        let own = side.drain();
        assert_eq!(own[..10], *b"\xff\0\0\0\0\0\0\0\x03\x7f", "{socket_type}: what a 1.0 peer takes for a length");
        assert_eq!(own[64..], ready(socket_type, identity), "{socket_type}");
    }
}

#[test]
fn the_longest_routing_id_passes_both_ways() {
    let id: &'static [u8] = Box::leak(Box::new([7; 255]));
    let mut side = Side::<Heap>::new(SocketType::Router);
    side.routing_id = id;
    send!(side, greeting(3, 1), ready(SocketType::Dealer, Some(id)));
    assert_eq!(side.signals(), [Signal::Ready(id.to_vec())]);
    assert_eq!(side.drain()[64..], ready(SocketType::Router, Some(id)));
}

#[test]
fn properties_come_in_any_order_and_case_and_strange_ones_are_passed_over() {
    let data = [
        property(b"X-Colour", b"blue"),
        property(b"IDENTITY", b"peer"),
        property(b"socket-type", b"DEALER"),
        property(b"Resource", b""),
    ];
    let mut side = Side::<Heap>::new(SocketType::Router);
    send!(side, greeting(3, 1), command(b"READY", &data.concat()));
    assert_eq!(side.signals(), [Signal::Ready(b"peer".to_vec())]);
    events!(side, Event::HandshakeSucceeded { minor: 1 });
}

/// Nobody but a ROUTER calls its peers by name, so others need no room for it.
#[test]
fn a_name_too_long_to_keep_matters_to_router_only() {
    type Tiny = omnimq_core::Fixed<1, 2, 64, 1, 4>;
    let octets = [greeting(3, 1), ready(SocketType::Dealer, Some(b"longer"))].concat();
    let mut side = Side::<Tiny>::new(SocketType::Rep);
    send!(side, octets);
    events!(side, Event::HandshakeSucceeded { minor: 1 });
    assert_eq!(side.signals(), [Signal::Ready(vec![])]);
    let mut side = Side::<Tiny>::new(SocketType::Router);
    send!(side, octets);
    events!(side, Event::Closed(CloseReason::TooLarge));
}

#[test]
fn a_silent_peer_is_given_up_when_the_time_is_over() {
    for sent in [0, 1, 10, 11, 63, 64, 70] {
        let mut side = Side::<Heap>::new(SocketType::Pull);
        let octets = [greeting(3, 1), ready(SocketType::Push, None)].concat();
        send!(side, octets[..sent]);
        at!(side, 29_999);
        events!(side);
        assert_eq!(side.connection.poll_timeout(), Some(omnimq_core::Instant::from_millis(30_000)));
        at!(side, 30_000);
        events!(side, Event::Closed(CloseReason::HandshakeTimeout));
        assert_eq!(side.signals(), [Signal::Close(CloseReason::HandshakeTimeout)]);
        assert_eq!(side.connection.poll_timeout(), None);
    }
}

#[test]
fn a_finished_handshake_has_no_deadline() {
    let mut side = Side::<Heap>::ready(SocketType::Pull, SocketType::Push, 1);
    assert_eq!(side.connection.poll_timeout(), None);
    at!(side, u64::MAX / 1000);
    side.connection.handle_timeout(&mut side.rx, side.now);
    events!(side);
}

/// A lane with a place for one signal may have one from before.
#[test]
fn the_peers_ready_waits_for_its_place() {
    let mut side = Side::<Small>::new(SocketType::Pull);
    side.rx.signal(Signal::Ready(b"before")).unwrap();
    let octets = [greeting(3, 1), ready(SocketType::Push, None)].concat();
    let taken = side.feed(&octets);
    assert!(taken < octets.len() && !side.connection.is_ready());
    events!(side);
    assert_eq!(side.signals(), [Signal::Ready(b"before".to_vec())]);
    send!(side, octets[taken..]);
    assert_eq!(side.signals(), [Signal::Ready(vec![])]);
    events!(side, Event::HandshakeSucceeded { minor: 1 });
}

/// The outcome does not depend on whether the driver looks at its clock or at its stream first.
#[test]
fn octets_after_the_deadline_come_too_late() {
    let mut side = Side::<Heap>::new(SocketType::Pull);
    side.now = omnimq_core::Instant::from_millis(30_000);
    send!(side, greeting(3, 1), ready(SocketType::Push, None));
    events!(side, Event::Closed(CloseReason::HandshakeTimeout));
}

#[test]
fn the_time_for_the_handshake_can_be_set_and_unset() {
    let mut config = Config::DEFAULT;
    config.handshake = Some(Duration::from_millis(5));
    let mut side = Side::<Heap>::with(SocketType::Pull, config);
    at!(side, 5);
    events!(side, Event::Closed(CloseReason::HandshakeTimeout));
    config.handshake = None;
    let mut side = Side::<Heap>::with(SocketType::Pull, config);
    assert_eq!(side.connection.poll_timeout(), None);
    at!(side, u64::MAX / 1000);
    events!(side);
}
