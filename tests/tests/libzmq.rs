//! The harness around libzmq, shown to work between two libzmqs, so that a failure with ours means ours.

use omnimq_tests::checksum::pattern;
use omnimq_tests::libzmq::{Digest, Part, Peer};
use std::time::{Duration, Instant};

const ANY: &str = "tcp://127.0.0.1:*";
const SOON: Duration = Duration::from_secs(5);

/// EAGAIN on Linux.
const EAGAIN: i64 = 11;

#[test]
fn it_is_the_release_that_is_compared_with() {
    assert_eq!(Peer::start().libzmq_version(), "4.3.5");
}

#[test]
fn messages_of_all_sizes_pass_between_two_peers() {
    let (left, right) = (Peer::start(), Peer::start());
    let (push, pull) = (left.socket("PUSH"), right.socket("PULL"));
    push.connect(&pull.bind(ANY));
    let message = [Part::from("name"), Part::from(""), Part::Pattern(1 << 20, 7), Part::Pattern(255, 8)];
    push.send(&message, SOON).unwrap();
    assert_eq!(pull.recv(SOON).unwrap(), message.map(|part| part.digest()));
    push.send(&[Part::from(b"\x00\xff")], SOON).unwrap();
    assert_eq!(pull.recv_octets(SOON).unwrap(), [b"\x00\xff"]);
    assert_eq!(Part::Pattern(1 << 20, 7).digest(), Digest::of(&pattern(1 << 20, 7)));
}

#[test]
fn refusals_have_their_number_and_take_their_time() {
    let peer = Peer::start();
    let begun = Instant::now();
    assert_eq!(peer.socket("PULL").recv(Duration::from_millis(100)).unwrap_err().errno, EAGAIN);
    assert!(begun.elapsed() >= Duration::from_millis(100));
    let push = peer.socket_with("PUSH", &[("SNDHWM", 3)]);
    push.connect("tcp://127.0.0.1:1");
    assert_eq!(push.send_many(0, 10, 64, Duration::from_millis(50)), 3);
}

#[test]
fn subscriptions_and_events_are_told() {
    let (left, right) = (Peer::start(), Peer::start());
    let (xpub, sub) = (left.socket("XPUB"), right.socket("SUB"));
    sub.monitor();
    sub.connect(&xpub.bind(ANY));
    sub.await_event("HANDSHAKE_SUCCEEDED", SOON);
    sub.subscribe(b"weather");
    assert_eq!(xpub.recv_octets(SOON).unwrap(), [b"\x01weather"]);
    xpub.send(&[Part::from("news"), Part::from("none")], SOON).unwrap();
    xpub.send(&[Part::from("weather"), Part::from("fine")], SOON).unwrap();
    assert_eq!(sub.recv_octets(SOON).unwrap(), [&b"weather"[..], b"fine"]);
    sub.unsubscribe(b"weather");
    assert_eq!(xpub.recv_octets(SOON).unwrap(), [b"\x00weather"]);
}

#[test]
fn a_killed_peer_comes_back_on_its_port() {
    let left = Peer::start();
    let push = left.socket("PUSH");
    push.monitor();
    let right = Peer::start();
    let endpoint = right.socket("PULL").bind(ANY);
    push.connect(&endpoint);
    push.await_event("HANDSHAKE_SUCCEEDED", SOON);
    right.kill();
    push.await_event("DISCONNECTED", SOON);
    assert_eq!(push.send_many(0, 100, 64, SOON), 100);
    let right = Peer::start();
    let pull = right.socket("PULL");
    assert_eq!(pull.bind(&endpoint), endpoint);
    assert_eq!(pull.recv_many(100, SOON), [(0, 100)]);
}

#[test]
fn what_lingers_leaves_before_the_context_ends() {
    let (left, right) = (Peer::start(), Peer::start());
    let (push, pull) = (left.socket("PUSH"), right.socket("PULL"));
    push.connect(&pull.bind(ANY));
    assert_eq!(push.send_many(0, 500, 1000, SOON), 500);
    push.close(SOON);
    left.term(SOON);
    left.kill();
    assert_eq!(pull.recv_many(500, SOON), [(0, 500)]);
}
