//! Disconnecting and unbinding: what was sent still leaves as far as linger allows, and nobody else is parted.

mod support;

use omnimq::{Context, Error, SocketOptions, SocketType};
use std::time::{Duration, Instant};
use support::*;

const MS: Duration = Duration::from_millis(1);

fn lingering(linger: Option<Duration>) -> SocketOptions {
    let mut options = patient();
    options.linger = linger;
    options
}

/// Nobody is there yet: what was sent waits for whoever comes, apart from what is sent by another connection to there.
#[test]
fn what_was_sent_before_disconnecting_waits_for_whoever_comes() {
    let places = Places::new();
    for endpoint in places.endpoints() {
        let context = Context::new().unwrap();
        let mut push = context.socket_with(SocketType::Push, lingering(None)).unwrap();
        push.connect(&endpoint).unwrap();
        send_numbers(&mut push, 0..500);
        push.disconnect(&endpoint).unwrap();
        assert!(matches!(push.disconnect(&endpoint), Err(Error::NotFound(_))), "{endpoint} is left");
        assert_eq!(fill(&mut push, b"x"), 0, "{endpoint}: nobody to send to");
        let mut pull = socket(&context, SocketType::Pull);
        pull.bind(&endpoint).unwrap();
        hears(&mut pull, 0..500);
        assert_eq!(fill(&mut push, b"x"), 0, "{endpoint}: it is not connected again");
        push.connect(&endpoint).unwrap();
        send_numbers(&mut push, 500..510);
        hears(&mut pull, 500..510);
    }
}

/// A peer that does not read for a while gets everything all the same, and the sender's other connection goes on.
#[test]
fn what_was_sent_before_disconnecting_reaches_a_slow_peer() {
    let large = vec![7; 1 << 20];
    for endpoint in TRANSPORTS {
        let context = Context::new().unwrap();
        let mut pull = socket(&context, SocketType::Pull);
        let endpoint = pull.bind(endpoint).unwrap();
        let mut push = context.socket_with(SocketType::Push, lingering(None)).unwrap();
        push.connect(&endpoint).unwrap();
        for _ in 0..40 {
            push.send(large.as_slice()).unwrap();
        }
        push.disconnect(&endpoint).unwrap();
        push.connect(&endpoint).unwrap();
        push.send(b"by another way").unwrap();
        let mut sizes = Vec::new();
        for _ in 0..41 {
            sizes.push(pull.recv().unwrap().bytes().len());
        }
        assert_eq!(sizes.iter().filter(|&&size| size == large.len()).count(), 40, "{endpoint}");
        assert_eq!(sizes.iter().filter(|&&size| size == 14).count(), 1, "{endpoint}");
    }
}

/// The peer is lost while what was sent lingers: the rest goes to the next that comes there.
#[test]
fn what_lingers_after_disconnecting_is_sent_to_the_next_that_comes() {
    let context = Context::new().unwrap();
    let (_push, mut next, listener) = next_gets_what_lingers(&context, |mut push, endpoint| {
        push.disconnect(endpoint).unwrap();
        push
    });
    assert!(next.closed_within(PATIENCE), "it goes when all has been written");
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "and does not come back");
}

/// Closing the socket ends what lingers as it ends all else: in its own time.
#[test]
fn closing_waits_for_what_was_disconnected() {
    let places = Places::new();
    for endpoint in places.endpoints() {
        let inproc = endpoint.starts_with("inproc");
        let context = Context::new().unwrap();
        let mut push = context.socket_with(SocketType::Push, lingering(Some(150 * MS))).unwrap();
        push.connect(&endpoint).unwrap();
        push.send(b"for nobody").unwrap();
        push.disconnect(&endpoint).unwrap();
        let start = Instant::now();
        drop(push);
        let took = bounded(move || {
            context.term();
            start.elapsed()
        });
        // At the end of a context nobody will bind a name any more.
        assert!(inproc || took >= 100 * MS, "{endpoint}: {took:?}");
        assert!(took < Duration::from_secs(2), "{endpoint}: {took:?}");
    }
}

/// What has come is read after disconnecting, whatever was sent.
#[test]
fn what_has_come_is_read_after_disconnecting() {
    for endpoint in TRANSPORTS {
        for linger in [None, Some(Duration::ZERO)] {
            let context = Context::new().unwrap();
            let mut server = context.socket_with(SocketType::Dealer, patient()).unwrap();
            let endpoint = server.bind(endpoint).unwrap();
            let mut dealer = context.socket_with(SocketType::Dealer, lingering(linger)).unwrap();
            dealer.connect(&endpoint).unwrap();
            dealer.send(b"hello").unwrap();
            server.recv().unwrap();
            for n in 0..100u32 {
                server.send(&n.to_be_bytes()).unwrap();
            }
            server.flush();
            assert_eq!(number(&dealer.recv().unwrap()), 0);
            dealer.disconnect(&endpoint).unwrap();
            let mut next = 1;
            while let Ok(message) = dealer.recv_timeout(20 * MS) {
                assert_eq!(number(&message), next);
                next += 1;
            }
            assert!(next > 1, "{endpoint}: what came with the first is there");
            until(|| server.try_send(b"gone").is_err());
        }
    }
}

/// Subscriptions that nobody has heard of keep nothing: a SUB goes at once.
#[test]
fn a_subscriber_has_nothing_to_linger_for() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let mut sub = context.socket_with(SocketType::Sub, lingering(None)).unwrap();
    sub.connect(port.endpoint()).unwrap();
    sub.subscribe("topic").unwrap();
    sub.disconnect(port.endpoint()).unwrap();
    let mut publisher = socket(&context, SocketType::XPub);
    publisher.bind(port.endpoint()).unwrap();
    assert!(matches!(publisher.recv_timeout(60 * MS), Err(Error::WouldBlock)));
    sub.connect(port.endpoint()).unwrap();
    assert_eq!(publisher.recv().unwrap().bytes(), b"\x01topic");
    // And its end waits for nobody either.
    drop(publisher);
    drop(sub);
    bounded(move || context.term());
}

/// Those who have met stay together, with what is queued between them, when the name or port is given back.
#[test]
fn unbind_keeps_live_pipes_and_their_queues() {
    for endpoint in TRANSPORTS {
        let context = Context::new().unwrap();
        let mut pull = context.socket_with(SocketType::Pull, marks(10, 10)).unwrap();
        let endpoint = pull.bind(endpoint).unwrap();
        let mut push = context.socket_with(SocketType::Push, marks(1000, 10)).unwrap();
        push.connect(&endpoint).unwrap();
        send_numbers(&mut push, 0..900);
        hears(&mut pull, 0..1);
        pull.unbind(&endpoint).unwrap();
        hears(&mut pull, 1..900);
        send_numbers(&mut push, 900..1000);
        hears(&mut pull, 900..1000);
        // Whoever comes now finds nobody.
        let mut late = context.socket_with(SocketType::Push, marks(5, 5)).unwrap();
        late.connect(&endpoint).unwrap();
        late.send(b"late").unwrap();
        assert!(matches!(pull.recv_timeout(30 * MS), Err(Error::WouldBlock)), "{endpoint}");
    }
}
