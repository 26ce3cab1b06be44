//! Options that change while a socket lives.

mod support;

use omnimq::{Context, Error, Poller, Readiness, Router, SocketType, XPub};
use std::time::{Duration, Instant};
use support::*;

const MS: Duration = Duration::from_millis(1);

/// Raised and lowered, marks hold for the peers that there are: exactly, where nothing else keeps messages.
#[test]
fn marks_of_peers_that_there_are() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    for endpoint in [port.endpoint(), "inproc://nobody"] {
        let mut push = context.socket_with(SocketType::Push, marks(3, 1)).unwrap();
        push.connect(endpoint).unwrap();
        assert_eq!(fill(&mut push, b"x"), 3);
        push.set_send_hwm(10);
        assert_eq!(fill(&mut push, b"x"), 7);
        push.set_send_hwm(5);
        assert_eq!((fill(&mut push, b"x"), push.options().send_hwm), (0, 5));
        // And of those to come.
        push.connect(endpoint).unwrap();
        assert_eq!(fill(&mut push, b"x"), 5, "{endpoint}");
    }
}

#[test]
fn marks_between_sockets_of_a_process_are_sums() {
    let context = Context::new().unwrap();
    let mut pull = context.socket_with(SocketType::Pull, marks(1, 2)).unwrap();
    pull.bind("inproc://here").unwrap();
    let mut push = context.socket_with(SocketType::Push, marks(3, 1)).unwrap();
    push.connect("inproc://here").unwrap();
    assert_eq!(fill(&mut push, b"x"), 5);
    push.set_send_hwm(10);
    assert_eq!(fill(&mut push, b"x"), 7);
    pull.set_recv_hwm(20);
    assert_eq!(fill(&mut push, b"x"), 18);
    for _ in 0..30 {
        pull.recv().unwrap();
    }
    assert!(pull.try_recv().is_err());
    pull.set_recv_hwm(1);
    push.set_send_hwm(1);
    assert_eq!(fill(&mut push, b"x"), 2);
    // No limit on either side is none.
    pull.set_recv_hwm(0);
    for _ in 0..5000 {
        push.try_send("x").unwrap();
    }
}

/// A reader whose mark is raised reads on, without being asked, and nothing is lost on either way.
#[test]
fn reading_goes_on_at_a_higher_mark() {
    let context = Context::new().unwrap();
    let mut pull = context.socket_with(SocketType::Pull, marks(1, 10)).unwrap();
    let mut push = context.socket_with(SocketType::Push, marks(0, 1)).unwrap();
    push.connect(&pull.bind(ANY).unwrap()).unwrap();
    for n in 0..5000u32 {
        push.send(&n.to_be_bytes()).unwrap();
    }
    let unreceived = |pull: &omnimq::Socket| pull.statistics().peers.first().map_or(0, |peer| peer.unreceived);
    until(|| unreceived(&pull) == 10);
    pull.set_recv_hwm(1000);
    until(|| unreceived(&pull) == 1000);
    for n in 0..1000 {
        assert_eq!(number(&pull.recv().unwrap()), n);
    }
    pull.set_recv_hwm(5);
    for n in 1000..3000 {
        assert_eq!(number(&pull.recv().unwrap()), n);
    }
    pull.set_recv_hwm(0);
    until(|| unreceived(&pull) == 2000);
    for n in 3000..5000 {
        assert_eq!(number(&pull.recv().unwrap()), n);
    }
}

#[test]
fn whoever_waits_for_room_hears_of_a_higher_mark() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let mut dealer = context.socket_with(SocketType::Dealer, marks(1, 1)).unwrap();
    dealer.connect(port.endpoint()).unwrap();
    dealer.send("x").unwrap();
    let mut poller = Poller::new().unwrap();
    poller.add(1, &dealer, Readiness::SEND);
    assert!(poller.wait(Some(Duration::ZERO)).unwrap().is_empty());
    let waiting = std::thread::spawn(move || poller.wait(Some(PATIENCE)).unwrap().to_vec());
    dealer.set_send_hwm(2);
    assert_eq!(waiting.join().unwrap(), [(1, Readiness::SEND)]);
    dealer.try_send("y").unwrap();
    assert!(dealer.try_send("z").is_err());
}

#[test]
fn timeouts_and_linger() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let mut pull = context.socket(SocketType::Pull).unwrap();
    pull.set_recv_timeout(Some(20 * MS));
    let start = Instant::now();
    assert!(matches!(pull.recv(), Err(Error::WouldBlock)));
    assert!(start.elapsed() >= 20 * MS && start.elapsed() < PATIENCE);
    let mut push = context.socket(SocketType::Push).unwrap();
    push.connect(port.endpoint()).unwrap();
    push.send("for nobody").unwrap();
    push.set_linger(Some(50 * MS));
    drop((push, pull));
    // Each half has its own.
    let (mut send, mut recv) = context.socket(SocketType::Dealer).unwrap().split().unwrap();
    send.set_send_timeout(Some(MS));
    recv.set_recv_timeout(Some(MS));
    assert!(matches!(send.send("x").unwrap_err().error, Error::WouldBlock));
    assert!(matches!(recv.recv(), Err(Error::WouldBlock)));
    drop((send, recv));
    let start = Instant::now();
    bounded(move || context.term());
    assert!(start.elapsed() >= 40 * MS && start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_router_calls_its_peer_by_the_name_it_was_told() {
    let context = Context::new().unwrap();
    let mut there = socket(&context, SocketType::Router);
    let endpoint = there.bind(ANY).unwrap();
    let mut router = Router::with(&context, patient()).unwrap();
    router.set_connect_routing_id("server").unwrap();
    router.connect(&endpoint).unwrap();
    let mut pattern = router.options().pattern;
    pattern.mandatory = true;
    router.set_pattern(pattern);
    router.send(["server", "hello"]).unwrap();
    assert_eq!(&there.recv().unwrap()[1][..], b"hello");
    assert!(matches!(router.send(["nobody", "x"]).unwrap_err().error, Error::Unroutable));
    pattern.mandatory = false;
    router.set_pattern(pattern);
    router.send(["nobody", "x"]).unwrap();
    assert!(matches!(router.set_connect_routing_id("server"), Err(Error::RoutingIdInUse)));
    assert!(matches!(router.set_connect_routing_id(""), Err(Error::Option(_))));
    assert!(matches!(there.set_welcome("x"), Err(Error::Option(_))));
}

#[test]
fn whoever_subscribes_is_welcomed() {
    let context = Context::new().unwrap();
    let mut publisher = XPub::with(&context, patient()).unwrap();
    publisher.set_welcome("welcome").unwrap();
    let endpoint = publisher.bind(ANY).unwrap();
    let mut sub = socket(&context, SocketType::Sub);
    sub.subscribe("welcome").unwrap();
    sub.connect(&endpoint).unwrap();
    assert_eq!(sub.recv().unwrap().bytes(), b"welcome");
}
