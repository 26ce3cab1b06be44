//! What a socket counts, against what was sent.

mod support;

use omnimq::{Context, PeerState, SocketType, Statistics, Traffic};
use support::*;

fn traffic(traffic: Traffic) -> (u64, u64) {
    (traffic.messages, traffic.octets)
}

/// Octets of frames in ZMTP's framing.
fn framed(bodies: &[usize]) -> u64 {
    bodies.iter().map(|len| (len + if *len > 255 { 9 } else { 2 }) as u64).sum()
}

#[test]
fn both_ends_count_the_same() {
    for at in TRANSPORTS {
        let context = Context::new().unwrap();
        let mut pull = socket(&context, SocketType::Pull);
        let endpoint = pull.bind(at).unwrap();
        let mut push = socket(&context, SocketType::Push);
        push.connect(&endpoint).unwrap();
        let mut octets = 0;
        // In runs, in pieces, by reference; one message or several at a time.
        for size in [0, 1, 30, 31, 255, 256, 5000, 20_000, 1 << 20] {
            for _ in 0..5 {
                let body = vec![7; size];
                push.send([&body[..], b"end"]).unwrap();
                octets += framed(&[size, 3]);
            }
        }
        for _ in 0..20 {
            pull.recv().unwrap();
        }
        until(|| traffic(pull.statistics().received) == (45, octets));
        let (there, here) = (pull.statistics(), push.statistics());
        assert_eq!(traffic(here.sent), (45, octets), "{at}");
        assert_eq!((here.received, there.sent), (Traffic::default(), Traffic::default()));
        let ([there], [here]) = (&there.peers[..], &here.peers[..]) else { panic!("one peer each") };
        assert_eq!((there.received, there.unreceived), (pull.statistics().received, 25));
        assert_eq!((here.sent, here.unsent), (push.statistics().sent, 0));
        assert_eq!((there.state, here.state), (PeerState::Connected, PeerState::Connected));
        assert_eq!(here.endpoint.as_deref(), Some(&endpoint[..]));
        assert_eq!(there.endpoint.as_deref(), Some(&endpoint[..]));
        assert_eq!(push.last_peer(), Some(here.peer));
        // What a peer did stays counted when it has gone, and it itself as long as something is left of it.
        drop(push);
        until(|| pull.statistics().peers.iter().all(|peer| peer.state == PeerState::Gone && peer.unreceived == 25));
        for _ in 0..25 {
            pull.recv().unwrap();
        }
        until(|| pull.statistics().peers.is_empty());
        assert_eq!(traffic(pull.statistics().received), (45, octets));
    }
}

/// Where no peer is, what waits for it is told; with whom there is no handshake, that.
#[test]
fn queues_and_states() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let mut push = socket(&context, SocketType::Push);
    let peer = |statistics: Statistics| statistics.peers.into_iter().next().unwrap();
    for endpoint in [port.endpoint(), "inproc://nobody"] {
        push.connect(endpoint).unwrap();
        for _ in 0..7 {
            push.send("x").unwrap();
        }
        let peer = peer(push.statistics());
        assert_eq!((peer.state, peer.unsent, traffic(peer.sent)), (PeerState::Connecting, 7, (7, 21)), "{endpoint}");
        assert_eq!(peer.endpoint.as_deref(), Some(endpoint));
        push.disconnect(endpoint).unwrap();
        push = socket(&context, SocketType::Push);
    }
    let listener = port.listen();
    push.connect(port.endpoint()).unwrap();
    let raw = Raw::on(listener.accept().unwrap().0);
    until(|| peer(push.statistics()).state == PeerState::Handshaking);
    let raw = raw.shake("PULL").unwrap();
    until(|| peer(push.statistics()).state == PeerState::Connected);
    drop((raw, listener));
    until(|| peer(push.statistics()).state == PeerState::Connecting);
}

#[test]
fn what_is_dropped_is_counted() {
    let context = Context::new().unwrap();
    let mut publisher = context.socket_with(SocketType::Pub, marks(10, 1)).unwrap();
    let mut sub = context.socket_with(SocketType::Sub, marks(1, 5)).unwrap();
    publisher.bind("inproc://here").unwrap();
    sub.subscribe("").unwrap();
    sub.connect("inproc://here").unwrap();
    for _ in 0..100 {
        publisher.send("x").unwrap();
    }
    let statistics = publisher.statistics();
    assert_eq!((statistics.sent.messages, statistics.dropped), (15, 85));
}
