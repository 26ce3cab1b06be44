//! A socket and its streams in one place: events, deadlines, capacity, what becomes of a pipe.

use crate::trace::{Room, command, frame, greeting, message, ready};
use omnimq_core::connection::{Config, Event};
use omnimq_core::{
    CloseReason, Dealer, Fixed, Heap, Instant, LocalStorage, Node, Options, Pair, Pattern, PipeId, Pub, Pull, Push, Side,
    SocketType, Sub,
};
use std::time::Duration;

type Small = Fixed<2, 4, 320, 4, 16>;

const NOW: Instant = Instant::ZERO;
const PEER: Event = Event::HandshakeSucceeded { minor: 1 };

fn drain<P: Pattern, S: LocalStorage>(node: &mut Node<P, S>, id: PipeId) -> Vec<u8> {
    let mut sink = Room { octets: vec![], left: usize::MAX };
    assert!(!node.poll_transmit(id, &mut sink));
    sink.octets
}

fn feed<P: Pattern, S: LocalStorage>(node: &mut Node<P, S>, id: PipeId, octets: &[u8]) {
    assert_eq!(node.handle_input(id, octets, NOW), octets.len());
}

fn events<P: Pattern, S: LocalStorage>(node: &mut Node<P, S>) -> Vec<(PipeId, Event)> {
    std::iter::from_fn(|| node.poll_event()).collect()
}

/// Adds a stream whose peer has finished the handshake.
fn join<P: Pattern, S: LocalStorage>(node: &mut Node<P, S>, peer: SocketType) -> PipeId {
    let id = node.attach(Side::Bind, NOW).expect("a free place");
    feed(node, id, &[greeting(3, 1), ready(peer, None)].concat());
    drain(node, id);
    assert_eq!(events(node), [(id, PEER)]);
    id
}

#[test]
fn events_name_their_connection() {
    fn on<S: LocalStorage>() {
        let mut node = Node::<Pull, S>::new(Pull, Options::default());
        let a = node.attach(Side::Bind, NOW).unwrap();
        let b = node.attach(Side::Connect, NOW).unwrap();
        assert_ne!(a, b);
        feed(&mut node, b, &[greeting(3, 0), ready(SocketType::Push, None)].concat());
        feed(&mut node, a, b"HTTP");
        let mut told = events(&mut node);
        told.sort_by_key(|(id, _)| id.0);
        let refused = Event::Closed(CloseReason::UnsupportedVersion);
        assert_eq!(told, [(a, refused), (b, Event::HandshakeSucceeded { minor: 0 })]);
        assert_eq!((node.closed(a), node.closed(b)), (Some(CloseReason::UnsupportedVersion), None));
        assert_eq!((node.is_ready(a), node.is_ready(b)), (false, true));
        node.handle_eof(b);
        assert_eq!(events(&mut node), [(b, Event::Closed(CloseReason::EndOfStream))]);
    }
    on::<Heap>();
    on::<Small>();
}

#[test]
fn no_peer_waits_behind_another_for_its_events() {
    let mut node = Node::<Pull, Heap>::new(Pull, Options::default());
    let ids: Vec<PipeId> = (0..5).map(|_| node.attach(Side::Bind, NOW).unwrap()).collect();
    for id in &ids {
        feed(&mut node, *id, &[greeting(3, 1), ready(SocketType::Push, None), b"\x04\x05\x04PING".to_vec()].concat());
    }
    let told: Vec<_> = events(&mut node).into_iter().map(|(id, _)| id).collect();
    assert_eq!(told, ids.iter().flat_map(|id| [*id, *id]).collect::<Vec<_>>(), "two each: success, then the end");
}

#[test]
fn places_are_refused_at_capacity_and_free_again() {
    let mut node = Node::<Pull, Small>::new(Pull, Options::default());
    let a = node.attach(Side::Bind, NOW).unwrap();
    let b = node.attach(Side::Bind, NOW).unwrap();
    assert_eq!(node.attach(Side::Bind, NOW), None);
    assert_eq!(node.attach(Side::Connect, NOW), None);
    node.detach(a);
    assert_eq!(node.attach(Side::Bind, NOW), Some(a));
    node.close(b);
    assert_eq!(node.attach(Side::Bind, NOW), Some(b), "nothing was left to read");
}

#[test]
fn deadlines_are_each_connections_own() {
    let mut node = Node::<Pull, Heap>::new(Pull, Options::default());
    let mut config = Config::DEFAULT;
    config.handshake = Some(Duration::from_millis(50));
    assert_eq!(node.poll_timeout(), None);
    let slow = node.attach(Side::Bind, NOW).unwrap();
    node.configure(config);
    let quick = node.attach(Side::Bind, Instant::from_millis(10)).unwrap();
    assert_eq!(node.poll_timeout(), Some(Instant::from_millis(60)));
    node.handle_timeout(Instant::from_millis(59));
    assert_eq!(events(&mut node), []);
    node.handle_timeout(Instant::from_millis(60));
    assert_eq!(events(&mut node), [(quick, Event::Closed(CloseReason::HandshakeTimeout))]);
    assert_eq!(node.poll_timeout(), Some(Instant::from_millis(30_000)));
    node.handle_timeout(Instant::from_millis(30_000));
    assert_eq!(events(&mut node), [(slow, Event::Closed(CloseReason::HandshakeTimeout))]);
    assert_eq!(node.poll_timeout(), None);
}

#[test]
fn a_reconnected_pipe_sends_what_it_kept() {
    fn on<S: LocalStorage>() {
        let mut node = Node::<Push, S>::new(Push, Options::default());
        let id = join(&mut node, SocketType::Pull);
        node.send_bytes(b"gone", false).unwrap();
        node.send_bytes(b"kept", false).unwrap();
        let mut sink = Room { octets: vec![], left: 9 };
        assert!(node.poll_transmit(id, &mut sink));
        node.handle_eof(id);
        node.reconnect(id, Instant::from_millis(70));
        assert_eq!(node.closed(id), None);
        assert_eq!(node.poll_timeout(), Some(Instant::from_millis(30_070)), "the time begins anew");
        feed(&mut node, id, &[greeting(3, 1), ready(SocketType::Pull, None)].concat());
        assert!(drain(&mut node, id).ends_with(&message(&[b"kept"])));
        assert_eq!(events(&mut node), [(id, PEER)]);
    }
    on::<Heap>();
    on::<Small>();
}

#[test]
fn a_closed_pipe_is_read_to_its_end() {
    fn on<S: LocalStorage>() {
        let mut node = Node::<Pull, S>::new(Pull, Options::default());
        let id = join(&mut node, SocketType::Push);
        feed(&mut node, id, &[message(&[b"one", b"two"]), b"\x01\x01x".to_vec()].concat());
        node.handle_eof(id);
        node.close(id);
        assert_eq!(node.recv().unwrap().body.as_ref(), b"one");
        assert_eq!(node.recv().unwrap().body.as_ref(), b"two");
        assert!(node.recv().is_err(), "the half-received message is not seen");
        assert_eq!(node.closed(id), None, "its place is free");
    }
    on::<Heap>();
    on::<Small>();
}

#[test]
fn a_second_peer_of_a_pair_is_sent_away() {
    fn on<S: LocalStorage>() {
        let mut node = Node::<Pair, S>::new(Pair, Options::default());
        let first = join(&mut node, SocketType::Pair);
        let second = node.attach(Side::Bind, NOW).unwrap();
        feed(&mut node, second, &[greeting(3, 1), ready(SocketType::Pair, None)].concat());
        drain(&mut node, second);
        assert_eq!(events(&mut node).last(), Some(&(second, Event::Closed(CloseReason::Unwanted))));
        node.close(second);
        assert!(node.is_ready(first));
    }
    on::<Heap>();
    on::<Small>();
}

/// One place for signals, and many in one input or output: none waits for another call.
#[test]
fn many_subscriptions_pass_one_place_in_one_call() {
    let mut node = Node::<Pub, Small>::new(Pub, Options::default());
    let id = join(&mut node, SocketType::Sub);
    let topics = [b"a", b"b", b"c", b"d"];
    feed(&mut node, id, &topics.map(|topic| command(b"SUBSCRIBE", topic)).concat());
    for topic in topics {
        node.send_bytes(topic, false).unwrap();
    }
    node.send_bytes(b"e", false).unwrap();
    assert_eq!(drain(&mut node, id), topics.map(|topic| frame(0, topic)).concat());

    let mut node = Node::<Sub, Small>::new(Sub, Options::default());
    for topic in topics {
        node.subscribe(topic).unwrap();
    }
    let id = node.attach(Side::Connect, NOW).unwrap();
    feed(&mut node, id, &[greeting(3, 1), ready(SocketType::Pub, None)].concat());
    let out = drain(&mut node, id);
    for topic in topics {
        let told = command(b"SUBSCRIBE", topic);
        assert!(out.windows(told.len()).any(|window| window == told), "{topic:?} is told");
    }
}

/// A frame that straddles inputs and then waits for its turn goes up without another input.
#[test]
fn a_straddling_subscription_passes_one_place() {
    let mut node = Node::<Pub, Small>::new(Pub, Options::default());
    let id = join(&mut node, SocketType::Sub);
    let octets = [command(b"SUBSCRIBE", b"a"), command(b"SUBSCRIBE", b"b")].concat();
    for octet in &octets {
        feed(&mut node, id, &[*octet]);
    }
    node.send_bytes(b"b", false).unwrap();
    assert_eq!(drain(&mut node, id), frame(0, b"b"));
}

#[test]
fn a_body_is_filled_in_place() {
    let mut node = Node::<Pull, Heap>::new(Pull, Options::default());
    let id = join(&mut node, SocketType::Push);
    let body = [5; 300];
    feed(&mut node, id, &message(&[&body])[..50]);
    let space = node.wanted(id).expect("a body in progress");
    let missing = space.len();
    space.fill(5);
    node.filled(id, missing, NOW);
    assert_eq!(node.recv().unwrap().body.as_ref(), body);
    assert_eq!(node.wanted(id), None);
}

#[test]
fn a_routing_id_is_announced_to_later_peers() {
    let mut node = Node::<Dealer, Heap>::new(Dealer, Options::default());
    assert_eq!(node.set_routing_id(&[1; 256]), None);
    node.set_routing_id(b"me").unwrap();
    let id = node.attach(Side::Connect, NOW).unwrap();
    feed(&mut node, id, &greeting(3, 1));
    assert!(drain(&mut node, id).ends_with(&ready(SocketType::Dealer, Some(b"me"))));
}

#[test]
fn calls_for_a_connection_that_is_not_there_do_nothing() {
    let mut node = Node::<Pull, Small>::new(Pull, Options::default());
    for id in [PipeId(0), PipeId(7), PipeId(u32::MAX)] {
        assert_eq!(node.handle_input(id, b"octets".as_slice(), NOW), 0);
        assert_eq!(drain(&mut node, id), b"");
        node.handle_eof(id);
        node.filled(id, 3, NOW);
        node.reconnect(id, NOW);
        node.close(id);
        node.detach(id);
        assert_eq!((node.closed(id), node.is_ready(id)), (None, false));
        assert_eq!(node.wanted(id), None);
    }
    assert_eq!(events(&mut node), []);
}
