//! Nobody is passed over for one who has more to say, nor held up by one who does not listen.

mod support;

use omnimq::{Context, Error, SocketType};
use std::time::{Duration, Instant};
use support::*;

/// One peer has a thousand messages queued, another twenty: they are heard in turn.
#[test]
fn a_flood_does_not_drown_a_quiet_peer() {
    for endpoint in TRANSPORTS {
        let context = Context::new().unwrap();
        let mut pull = context.socket_with(SocketType::Pull, marks(1000, 10_000)).unwrap();
        let endpoint = pull.bind(endpoint).unwrap();
        let [mut fast, mut slow] = [(); 2].map(|()| {
            let mut push = context.socket_with(SocketType::Push, marks(1000, 1000)).unwrap();
            push.connect(&endpoint).unwrap();
            push
        });
        for push in [&mut fast, &mut slow] {
            push.send(b"here").unwrap();
            push.flush();
            pull.recv().unwrap();
        }
        for _ in 0..1000 {
            fast.send(b"flood").unwrap();
        }
        for _ in 0..20 {
            slow.send(b"quiet").unwrap();
        }
        fast.flush();
        slow.flush();
        // The background reads both, up to their marks.
        std::thread::sleep(Duration::from_millis(200));
        let mut quiet = 0;
        for _ in 0..60 {
            quiet += u32::from(pull.recv().unwrap().bytes() == b"quiet");
        }
        assert_eq!(quiet, 20, "{endpoint}: two in turn, and a few that had come before");
    }
}

/// A peer that does not read is passed over: all that it has no room for goes to who does, without delay.
#[test]
fn work_goes_past_a_peer_that_does_not_read() {
    let context = Context::new().unwrap();
    let mut options = marks(10, 1000);
    options.send_buffer = Some(32 << 10);
    let mut push = context.socket_with(SocketType::Push, options).unwrap();
    let endpoint = push.bind(ANY).unwrap();
    let _stuck = Raw::connect(&endpoint).shake("PULL").unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    pull.connect(&endpoint).unwrap();
    let body = [7; 10_000];
    let reader = std::thread::spawn(move || {
        let mut heard = 0;
        while !pull.recv().unwrap().bytes().is_empty() {
            heard += 1;
        }
        heard
    });
    let start = Instant::now();
    for _ in 0..5000 {
        push.send(&body).unwrap();
    }
    let took = start.elapsed();
    // One of these two goes to who reads.
    for _ in 0..2 {
        let _ = push.try_send(b"");
        std::thread::sleep(Duration::from_millis(50));
    }
    let heard = reader.join().unwrap();
    println!("{heard} of 5000 heard, in {took:?}");
    assert!(heard >= 4000, "{heard}: the other holds a few hundred at most");
}

/// A subscriber that does not read costs the others nothing: a publisher and a subscriber in step are as quick as before.
#[test]
fn a_stuck_subscriber_slows_nobody() {
    const ROUNDS: u32 = 2000;
    let context = Context::new().unwrap();
    let mut publisher = context.socket_with(SocketType::Pub, marks(100, 100)).unwrap();
    let endpoint = publisher.bind(ANY).unwrap();
    let mut sub = socket(&context, SocketType::Sub);
    sub.subscribe("").unwrap();
    sub.connect(&endpoint).unwrap();
    until(|| {
        publisher.send(&0u32.to_be_bytes()).unwrap();
        sub.try_recv().is_ok()
    });
    while sub.recv_timeout(Duration::from_millis(50)).is_ok() {}
    let mut body = vec![0; 10_000];
    let mut in_step = || {
        let start = Instant::now();
        for n in 0..ROUNDS {
            body[..4].copy_from_slice(&n.to_be_bytes());
            publisher.send(body.as_slice()).unwrap();
            let message = sub.recv().unwrap();
            assert_eq!(message.bytes()[..4], n.to_be_bytes(), "none is missed");
        }
        start.elapsed()
    };
    let alone = in_step();
    let mut stuck = Raw::connect(&endpoint).shake("SUB").unwrap();
    stuck.say(&frame(0, b"\x01"));
    let mut beside = in_step();
    // Once is enough: the machine may have been busy elsewhere.
    for _ in 0..5 {
        if beside > alone * 3 {
            beside = in_step();
        }
    }
    println!("{alone:?} alone, {beside:?} beside one that is stuck");
    assert!(beside <= alone * 3, "{alone:?} alone, {beside:?} beside one that is stuck");
    assert!(matches!(sub.try_recv(), Err(Error::WouldBlock)));
}
