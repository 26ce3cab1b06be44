//! Messages for completed connections only: none waits for a peer in the making, none for one that was lost.

mod support;

use omnimq::{Context, Error, PeerState, Poller, Readiness, Socket, SocketOptions, SocketType};
use std::net::TcpListener;
use std::time::{Duration, Instant};
use support::*;

const MS: Duration = Duration::from_millis(1);

fn immediate() -> SocketOptions {
    let mut options = patient();
    options.immediate = true;
    options
}

/// The next connection, its handshake over.
fn accept(listener: &TcpListener, socket_type: &str) -> Raw {
    Raw::on(listener.accept().unwrap().0).shake(socket_type).unwrap()
}

/// Where streams are made: over inproc there is nothing in the making.
fn endpoints(places: &Places) -> Vec<String> {
    places.endpoints().into_iter().filter(|endpoint| !endpoint.starts_with("inproc")).collect()
}

#[test]
fn nothing_is_taken_while_nobody_is_there() {
    use SocketType::{Dealer, Pair, Push, Req};
    let places = Places::new();
    for endpoint in endpoints(&places) {
        for socket_type in [Push, Dealer, Req, Pair] {
            let context = Context::new().unwrap();
            let mut socket = context.socket_with(socket_type, immediate()).unwrap();
            socket.connect(&endpoint).unwrap();
            let refused = socket.try_send(String::from("mine")).unwrap_err();
            assert_eq!((refused.message.as_str(), refused.error.errno()), ("mine", Error::WouldBlock.errno()));
            let begun = Instant::now();
            assert!(matches!(socket.send_timeout("x", 20 * MS).map_err(Error::from), Err(Error::WouldBlock)));
            assert!(begun.elapsed() >= 20 * MS);
        }
    }
}

/// A stream alone is no peer yet.
#[test]
fn nothing_is_taken_before_the_handshake_is_over() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let listener = port.listen();
    let mut push = context.socket_with(SocketType::Push, immediate()).unwrap();
    push.connect(port.endpoint()).unwrap();
    let raw = Raw::on(listener.accept().unwrap().0);
    until(|| push.statistics().peers[0].state == PeerState::Handshaking);
    assert_eq!(fill(&mut push, b"x"), 0);
    let mut raw = raw.shake("PULL").unwrap();
    push.send(b"x").unwrap();
    assert_eq!(raw.frame().unwrap().1, b"x");
}

/// Whoever waits to send goes on when a peer comes, and so does whoever waits for a poller to say so.
#[test]
fn a_send_waits_for_a_peer_to_come() {
    let places = Places::new();
    for endpoint in endpoints(&places) {
        let context = Context::new().unwrap();
        let mut push = context.socket_with(SocketType::Push, immediate()).unwrap();
        push.connect(&endpoint).unwrap();
        let sender = std::thread::spawn(move || {
            push.send(b"waited").unwrap();
            push
        });
        std::thread::sleep(20 * MS);
        let mut pull = socket(&context, SocketType::Pull);
        pull.bind(&endpoint).unwrap();
        assert_eq!(pull.recv().unwrap().bytes(), b"waited");
        drop((sender.join().unwrap(), pull));

        let mut push = context.socket_with(SocketType::Push, immediate()).unwrap();
        push.connect(&endpoint).unwrap();
        let mut poller = Poller::new().unwrap();
        poller.add(1, &push, Readiness::SEND);
        assert!(poller.wait(Some(20 * MS)).unwrap().is_empty());
        let mut pull = socket(&context, SocketType::Pull);
        bind_again(&mut pull, &endpoint);
        assert_eq!(poller.wait(Some(PATIENCE)).unwrap().len(), 1);
        push.try_send(b"told").unwrap();
        assert_eq!(pull.recv().unwrap().bytes(), b"told");
    }
}

/// Work goes past a peer that is not there.
#[test]
fn others_get_what_would_wait_for_nobody() {
    let (places, context) = (Places::new(), Context::new().unwrap());
    let mut pull = socket(&context, SocketType::Pull);
    let mut push = context.socket_with(SocketType::Push, immediate()).unwrap();
    endpoints(&places).iter().for_each(|endpoint| push.connect(endpoint).unwrap());
    push.connect(&pull.bind(ANY).unwrap()).unwrap();
    send_numbers(&mut push, 0..100);
    hears(&mut pull, 0..100);
}

/// What waited for a peer that was lost is given up, and the next one gets what is sent to it alone.
#[test]
fn what_waited_for_a_lost_peer_is_given_up() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let listener = port.listen();
    let mut options = immediate();
    (options.send_hwm, options.send_buffer) = (10, Some(32 << 10));
    let mut push = context.socket_with(SocketType::Push, options).unwrap();
    push.connect(port.endpoint()).unwrap();
    for round in 0..3 {
        let raw = accept(&listener, "PULL");
        push.send(vec![1; 100_000]).unwrap();
        fill(&mut push, &[1; 100_000]);
        assert!(push.statistics().peers[0].unsent > 0, "more than the kernel takes");
        drop(raw);
        until(|| push.statistics().peers[0].unsent == 0);
        assert_eq!(fill(&mut push, b"x"), 0, "nobody is there");
        let mut raw = accept(&listener, "PULL");
        push.send(&[round]).unwrap();
        assert_eq!(raw.frame().unwrap().1, [round]);
    }
}

/// What it had said may be received.
#[test]
fn what_a_lost_peer_said_is_received() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let listener = port.listen();
    let mut dealer = context.socket_with(SocketType::Dealer, immediate()).unwrap();
    dealer.connect(port.endpoint()).unwrap();
    for round in 0..3 {
        let mut raw = accept(&listener, "DEALER");
        dealer.send(b"hello").unwrap();
        assert_eq!(raw.frame().unwrap().1, b"hello");
        for n in 0..100 {
            raw.say(&frame(0, &[round, n]));
        }
        drop(raw);
        until(|| dealer.statistics().peers[0].state == PeerState::Connecting);
        for n in 0..100 {
            assert_eq!(dealer.recv().unwrap().bytes(), [round, n]);
        }
    }
}

/// Every publisher that comes is told the topics, and every subscriber that goes takes its own along.
#[test]
fn subscriptions_belong_to_connections() {
    let places = Places::new();
    for endpoint in endpoints(&places) {
        let context = Context::new().unwrap();
        let mut sub = context.socket_with(SocketType::Sub, immediate()).unwrap();
        sub.connect(&endpoint).unwrap();
        sub.subscribe("topic").unwrap();
        for _ in 0..3 {
            let mut publisher = socket(&context, SocketType::XPub);
            bind_again(&mut publisher, &endpoint);
            assert_eq!(publisher.recv().unwrap().bytes(), b"\x01topic");
            publisher.send("topic").unwrap();
            assert_eq!(sub.recv().unwrap().bytes(), b"topic");
        }
        drop(sub);
        let mut publisher = context.socket_with(SocketType::XPub, immediate()).unwrap();
        publisher.connect(&endpoint).unwrap();
        for _ in 0..3 {
            let mut sub = socket(&context, SocketType::Sub);
            sub.subscribe("topic").unwrap();
            bind_again(&mut sub, &endpoint);
            assert_eq!(publisher.recv().unwrap().bytes(), b"\x01topic");
            drop(sub);
            assert_eq!(publisher.recv().unwrap().bytes(), b"\x00topic", "nobody wants it any more");
        }
    }
}

/// Nothing lingers for a peer that was lost, whether the socket was closed or disconnected.
#[test]
fn lingering_ends_with_the_peer() {
    for close in [false, true] {
        let context = Context::new().unwrap();
        let port = Port::reserve();
        let listener = port.listen();
        let mut options = immediate();
        options.linger = None;
        let mut push = context.socket_with(SocketType::Push, options).unwrap();
        push.connect(port.endpoint()).unwrap();
        let raw = accept(&listener, "PULL");
        for _ in 0..40 {
            push.send(vec![1; 1 << 20]).unwrap();
        }
        let open = |push: &Option<Socket>| push.as_ref().is_some_and(|push| !push.statistics().peers.is_empty());
        let mut push = Some(push);
        if close {
            push = None;
            assert!(matches!(context.term_timeout(50 * MS), Err(Error::StillOpen(_))));
        } else if let Some(push) = &mut push {
            push.disconnect(port.endpoint()).unwrap();
            std::thread::sleep(50 * MS);
            assert_eq!(push.statistics().peers.len(), 1, "it lingers");
        }
        drop(raw);
        until(|| !open(&push));
        drop(push);
        bounded(move || context.term());
    }
}

/// As with libzmq it is about connections that have to be made: within a process what is sent waits for a name to be bound.
#[test]
fn names_of_a_process_are_connected_at_once() {
    let context = Context::new().unwrap();
    let mut push = context.socket_with(SocketType::Push, immediate()).unwrap();
    push.connect("inproc://later").unwrap();
    send_numbers(&mut push, 0..100);
    let mut pull = socket(&context, SocketType::Pull);
    pull.bind("inproc://later").unwrap();
    hears(&mut pull, 0..100);
}

/// Servers come and go under a flood: no send fails, and what arrives is whole and in order.
#[test]
fn a_flood_goes_to_whoever_is_there() {
    let places = Places::new();
    for endpoint in endpoints(&places) {
        let context = Context::new().unwrap();
        let mut push = context.socket_with(SocketType::Push, immediate()).unwrap();
        push.connect(&endpoint).unwrap();
        let (stop, over) = std::sync::mpsc::channel::<()>();
        let sender = std::thread::spawn(move || {
            let mut n = 0u32;
            while over.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                if push.send_timeout(&n.to_be_bytes(), 10 * MS).is_ok() {
                    n += 1;
                }
            }
            n
        });
        let mut last = None;
        for _ in 0..5 {
            let mut pull = socket(&context, SocketType::Pull);
            bind_again(&mut pull, &endpoint);
            for _ in 0..2000 {
                let n = number(&pull.recv().unwrap());
                assert!(last.is_none_or(|last| last < n));
                last = Some(n);
            }
        }
        drop(stop);
        assert!(sender.join().unwrap() >= 10_000);
    }
}
