//! Sockets under stress: hostile peers, extreme options, scarce resources, many threads at once.

mod support;

use omnimq::{Context, Error, SocketType};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use support::*;

/// A context goes on serving sockets however many it has made before.
#[test]
fn sockets_beyond_the_width_of_a_token() {
    let context = Context::new().unwrap();
    let mut options = patient();
    options.linger = Some(Duration::ZERO);
    for n in 0..6000 {
        drop(context.socket_with(SocketType::Push, options.clone()).unwrap());
        if n % 1000 == 999 {
            let mut pull = socket(&context, SocketType::Pull);
            let endpoint = pull.bind(ANY).unwrap();
            let mut push = socket(&context, SocketType::Push);
            push.connect(&endpoint).unwrap();
            push.send("here").unwrap();
            assert_eq!(pull.recv_timeout(Duration::from_secs(5)).unwrap().bytes(), b"here", "after {n}");
        }
    }
}

/// What a connection has to say beside messages does not wait for the next message.
#[test]
fn ping_is_answered_after_messages_went() {
    let context = Context::new().unwrap();
    let mut push = socket(&context, SocketType::Push);
    let endpoint = push.bind(ANY).unwrap();
    let mut raw = Raw::connect(&endpoint).shake("PULL").unwrap();
    push.send("one").unwrap();
    assert_eq!(raw.frame().unwrap(), (0, b"one".to_vec()));
    raw.0.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    raw.say(&command("PING", b"\0\0ctx"));
    assert_eq!(raw.frame().unwrap(), (4, b"\x04PONGctx".to_vec()));
}

#[test]
fn xsub_subscribes_after_it_sent() {
    let context = Context::new().unwrap();
    let mut xsub = socket(&context, SocketType::XSub);
    let endpoint = xsub.bind(ANY).unwrap();
    let mut raw = Raw::connect(&endpoint).shake("XPUB").unwrap();
    until(|| {
        xsub.send(&b"x"[..]).unwrap();
        raw.0.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        raw.frame().is_ok()
    });
    raw.0.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    bounded(move || {
        xsub.subscribe("topic").unwrap();
        loop {
            let frame = raw.frame().unwrap();
            if frame.0 == 4 {
                assert_eq!(frame.1, b"\x09SUBSCRIBEtopic");
                break;
            }
        }
    });
}

/// Spans that no clock can add mean for ever.
#[test]
fn times_beyond_the_clock_are_no_times() {
    let context = Context::new().unwrap();
    let mut options = patient();
    options.linger = Some(Duration::MAX);
    options.handshake = Some(Duration::MAX);
    options.send_timeout = Some(Duration::MAX);
    options.recv_timeout = Some(Duration::MAX);
    options.reconnect.ivl = Some(Duration::MAX);
    let mut push = context.socket_with(SocketType::Push, options.clone()).unwrap();
    push.connect(Port::reserve().endpoint()).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    drop(push);
    let mut pull = context.socket_with(SocketType::Pull, options.clone()).unwrap();
    let endpoint = pull.bind(ANY).unwrap();
    let mut push = context.socket_with(SocketType::Push, options).unwrap();
    push.connect(&endpoint).unwrap();
    push.send("here").unwrap();
    assert_eq!(bounded(move || pull.recv().unwrap()).bytes(), b"here");
}

#[test]
fn connecting_again_without_a_pause_starves_nobody() {
    let context = Context::new().unwrap();
    let mut options = patient();
    options.reconnect.ivl = Some(Duration::ZERO);
    let port = Port::reserve();
    let mut push = context.socket_with(SocketType::Push, options).unwrap();
    push.connect(port.endpoint()).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    bounded(move || {
        let mut pull = socket(&context, SocketType::Pull);
        let endpoint = pull.bind(ANY).unwrap();
        let mut push = socket(&context, SocketType::Push);
        push.connect(&endpoint).unwrap();
        push.send("here").unwrap();
        assert_eq!(pull.recv().unwrap().bytes(), b"here");
    });
    drop(push);
}

/// A message that never ends is not kept for ever.
#[test]
fn messages_without_an_end_are_bounded() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    let endpoint = pull.bind(ANY).unwrap();
    let mut raw = Raw::connect(&endpoint).shake("PUSH").unwrap();
    let frames = frame(1, b"").repeat(70_000);
    // The other side may have hung up before it has read all this.
    let _ = raw.0.write_all(&frames);
    assert!(raw.closed_within(PATIENCE));
    assert!(matches!(pull.try_recv(), Err(Error::WouldBlock)));
    let mut push = socket(&context, SocketType::Push);
    push.connect(&endpoint).unwrap();
    push.send("others go on").unwrap();
    assert_eq!(pull.recv().unwrap().bytes(), b"others go on");
}

/// Subscriptions that an XPUB's application does not look at hold their peer back, and none is lost.
#[test]
fn subscriptions_nobody_looks_at_hold_their_peer_back() {
    const PAIRS: u32 = 800_000;
    let context = Context::new().unwrap();
    let mut xpub = socket(&context, SocketType::XPub);
    let endpoint = xpub.bind(ANY).unwrap();
    let mut raw = Raw::connect(&endpoint).shake("SUB").unwrap();
    let said = Arc::new(AtomicU32::new(0));
    let progress = said.clone();
    let peer = std::thread::spawn(move || {
        for n in 0..PAIRS / 1000 {
            let pair = |n: u32| [command("SUBSCRIBE", &n.to_be_bytes()), command("CANCEL", &n.to_be_bytes())].concat();
            raw.say(&(n * 1000..(n + 1) * 1000).flat_map(pair).collect::<Vec<_>>());
            progress.store(n, Ordering::Relaxed);
        }
        raw
    });
    // Until it gets no further.
    let mut last = (0, Instant::now());
    until(|| {
        let now = said.load(Ordering::Relaxed);
        if now != last.0 {
            last = (now, Instant::now());
        }
        last.1.elapsed() > Duration::from_millis(300)
    });
    assert!(!peer.is_finished(), "everything was taken");
    for n in 0..PAIRS {
        for flag in [1, 0] {
            let event = xpub.recv().unwrap();
            assert_eq!((event.bytes()[0], number_of(&event.bytes()[1..])), (flag, n));
        }
    }
    drop(peer.join().unwrap());
}

fn number_of(octets: &[u8]) -> u32 {
    u32::from_be_bytes(octets.try_into().unwrap())
}

/// What is published in a burst of many times the mark arrives: only the kernel's buffers and the subscriber limit it, not
/// that nobody has written yet. The kernel's buffer takes a burst even while the subscriber does not get to run.
#[test]
fn a_burst_beyond_the_mark_is_written_not_dropped() {
    const BURST: u32 = 2_000;
    let (here, there) = (Context::new().unwrap(), Context::new().unwrap());
    let mut options = marks(10, 0);
    options.send_buffer = Some(1 << 20);
    let mut publisher = here.socket_with(SocketType::Pub, options).unwrap();
    let endpoint = publisher.bind(ANY).unwrap();
    let mut subscriber = there.socket_with(SocketType::Sub, marks(0, 0)).unwrap();
    subscriber.subscribe("").unwrap();
    subscriber.connect(&endpoint).unwrap();
    until(|| {
        publisher.send("there?").unwrap();
        subscriber.recv_timeout(Duration::from_millis(1)).is_ok()
    });
    let mut rounds = Vec::new();
    for round in 0..11 {
        for n in 0..BURST {
            publisher.send(n.to_be_bytes().to_vec()).unwrap();
        }
        let (end, mut got) = (format!("end of round {round}"), 0);
        'round: loop {
            // Said until it is heard: the mark may be reached when it is first said.
            publisher.send(end.as_str()).unwrap();
            while let Ok(message) = subscriber.recv_timeout(Duration::from_millis(5)) {
                if message.bytes() == end.as_bytes() {
                    break 'round;
                }
                got += u32::from(message.bytes().len() == 4);
            }
        }
        rounds.push(got);
    }
    assert!(rounds.iter().all(|got| *got > BURST / 2), "of {BURST} came {rounds:?}");
}
