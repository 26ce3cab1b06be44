//! How long calls wait: as long as they were told to, whatever goes on meanwhile.

mod support;

use omnimq::{Context, Error, SocketType};
use std::time::{Duration, Instant};
use support::*;

const MS: Duration = Duration::from_millis(1);

/// What a busy machine may add.
const SLACK: Duration = Duration::from_secs(1);

#[track_caller]
fn takes<T: std::fmt::Debug>(span: Duration, call: impl FnOnce() -> Result<T, Error>) {
    let start = Instant::now();
    let done = call();
    let took = start.elapsed();
    assert!(matches!(done, Err(Error::WouldBlock)), "{done:?}");
    assert!(took >= span && took < span + SLACK, "{took:?} for {span:?}");
}

#[test]
fn a_receive_waits_as_long_as_it_was_told() {
    for endpoint in TRANSPORTS {
        let context = Context::new().unwrap();
        let mut options = patient();
        options.recv_timeout = Some(30 * MS);
        let mut pull = context.socket_with(SocketType::Pull, options).unwrap();
        let endpoint = pull.bind(endpoint).unwrap();
        // Alone, and with a peer that says nothing.
        for _ in 0..2 {
            takes(30 * MS, || pull.recv());
            takes(70 * MS, || pull.recv_timeout(70 * MS));
            takes(Duration::ZERO, || pull.recv_timeout(Duration::ZERO));
            takes(Duration::ZERO, || pull.try_recv());
            let mut push = socket(&context, SocketType::Push);
            push.connect(&endpoint).unwrap();
            push.send(b"hello").unwrap();
            assert_eq!(pull.recv_timeout(PATIENCE).unwrap().bytes(), b"hello");
        }
    }
}

#[test]
fn a_send_waits_as_long_as_it_was_told() {
    let context = Context::new().unwrap();
    let nobody = Port::reserve();
    for endpoint in [nobody.endpoint(), "inproc://nobody"] {
        let mut options = marks(1, 1);
        options.send_timeout = Some(30 * MS);
        let mut push = context.socket_with(SocketType::Push, options).unwrap();
        // Without a peer, then with one that is full.
        for _ in 0..2 {
            takes(30 * MS, || Ok(push.send(b"refused")?));
            takes(70 * MS, || Ok(push.send_timeout(b"refused", 70 * MS)?));
            takes(Duration::ZERO, || Ok(push.try_send(b"refused")?));
            push.connect(endpoint).unwrap();
            let _ = push.try_send(b"the mark");
        }
    }
}

/// Messages that are filtered out, and messages for others, do not prolong a wait.
#[test]
fn what_is_not_wanted_does_not_prolong_a_wait() {
    let context = Context::new().unwrap();
    let mut router = socket(&context, SocketType::Router);
    let endpoint = router.bind(ANY).unwrap();
    let mut rep = socket(&context, SocketType::Rep);
    let questions = rep.bind(ANY).unwrap();
    // Questions without a delimiter are thrown away where they arrive.
    let mut raw = Raw::connect(&questions).shake("DEALER").unwrap();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let noise = std::thread::spawn(move || {
        while stopped.try_recv().is_err() {
            raw.say(&frame(0, b"no question").repeat(10));
            std::thread::sleep(MS / 5);
        }
    });
    for _ in 0..5 {
        takes(40 * MS, || rep.recv_timeout(40 * MS));
    }
    stop.send(()).unwrap();
    noise.join().unwrap();
    // Connections that come and go bring nothing to receive either.
    let busy = std::thread::spawn(move || {
        for _ in 0..100 {
            drop(Raw::connect(&endpoint).shake("DEALER").unwrap());
        }
    });
    takes(40 * MS, || router.recv_timeout(40 * MS));
    busy.join().unwrap();
}

/// Without a timeout a call waits until there is something, and ends at once when there is.
#[test]
fn without_a_limit_a_call_waits_until_it_can_go_on() {
    for endpoint in TRANSPORTS {
        let context = Context::new().unwrap();
        let mut options = marks(1, 1);
        (options.recv_timeout, options.send_timeout) = (None, None);
        let mut pull = context.socket_with(SocketType::Pull, options.clone()).unwrap();
        let endpoint = pull.bind(endpoint).unwrap();
        let mut push = context.socket_with(SocketType::Push, options).unwrap();
        push.connect(&endpoint).unwrap();
        let sender = std::thread::spawn(move || {
            std::thread::sleep(80 * MS);
            for n in 0..50u32 {
                push.send(&n.to_be_bytes()).unwrap();
            }
            push
        });
        let push = bounded(move || {
            for n in 0..50 {
                assert_eq!(number(&pull.recv().unwrap()), n);
            }
            sender.join().unwrap()
        });
        drop(push);
    }
}
