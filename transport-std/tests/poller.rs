//! Waiting for many sockets at once, by the poller and by the sockets' descriptors, which cost nothing while nothing comes.
#![cfg(all(target_os = "linux", not(portable)))]

mod support;

use omnimq::{Context, Error, Poller, Readiness, Socket, SocketType};
use std::time::Duration;
use support::*;

const NOW: Option<Duration> = Some(Duration::ZERO);
const SOON: Option<Duration> = Some(PATIENCE);

/// Two sockets that have met.
fn pair(context: &Context, at: &str, first: SocketType, second: SocketType) -> (Socket, Socket) {
    let (mut first, mut second) = (socket(context, first), socket(context, second));
    second.connect(&first.bind(at).unwrap()).unwrap();
    (first, second)
}

#[test]
fn what_has_come_is_told_until_it_is_taken() {
    for at in TRANSPORTS {
        let context = Context::new().unwrap();
        let (mut pull, mut push) = pair(&context, at, SocketType::Pull, SocketType::Push);
        let (mut other, _peer) = pair(&context, ANY, SocketType::Pull, SocketType::Push);
        let mut poller = Poller::new().unwrap();
        poller.add(7, &pull, Readiness::RECEIVE);
        poller.add(8, &other, Readiness::RECEIVE);
        assert!(poller.wait(NOW).unwrap().is_empty());
        for n in 0..100u32 {
            push.send(&n.to_be_bytes()).unwrap();
            for _ in 0..2 {
                assert_eq!(poller.wait(SOON).unwrap(), [(7, Readiness::RECEIVE)]);
            }
            assert_eq!(number(&pull.try_recv().unwrap()), n);
            assert!(poller.wait(NOW).unwrap().is_empty());
        }
        poller.remove(7).unwrap();
        assert!(matches!(poller.remove(7), Err(Error::NotPolled(7))));
        push.send("unheard").unwrap();
        push.flush();
        assert!(poller.wait(Some(Duration::from_millis(20))).unwrap().is_empty());
        assert!(matches!(other.try_recv(), Err(Error::WouldBlock)));
    }
}

#[test]
fn room_is_told() {
    for at in TRANSPORTS {
        let context = Context::new().unwrap();
        let mut pull = context.socket_with(SocketType::Pull, marks(1, 3)).unwrap();
        let mut push = context.socket_with(SocketType::Push, marks(3, 1)).unwrap();
        let mut poller = Poller::new().unwrap();
        poller.add(1, &push, Readiness::SEND);
        assert!(poller.wait(NOW).unwrap().is_empty(), "nobody to send to");
        push.connect(&pull.bind(at).unwrap()).unwrap();
        assert_eq!(poller.wait(SOON).unwrap(), [(1, Readiness::SEND)]);
        let body = vec![1; 1 << 20];
        let mut sent = 0;
        until(|| {
            // Until it stays full: kernels take some of it in the background.
            sent += fill(&mut push, &body);
            poller.wait(Some(Duration::from_millis(50))).unwrap().is_empty()
        });
        for _ in 0..sent {
            pull.recv().unwrap();
        }
        assert_eq!(poller.wait(SOON).unwrap(), [(1, Readiness::SEND)]);
        poller.modify(1, Readiness::default()).unwrap();
        assert!(poller.wait(NOW).unwrap().is_empty());
    }
}

#[test]
fn many_sockets_and_descriptors() {
    use std::io::{Read as _, Write as _};
    let context = Context::new().unwrap();
    let mut poller = Poller::new().unwrap();
    let mut pairs: Vec<_> = (0..300)
        .map(|n| {
            let pair = pair(&context, &format!("inproc://{n}"), SocketType::Pull, SocketType::Push);
            poller.add(n, &pair.0, Readiness::RECEIVE);
            pair
        })
        .collect();
    let (mut near, mut far) = std::os::unix::net::UnixStream::pair().unwrap();
    poller.add_descriptor(1000, &near, Readiness::RECEIVE).unwrap();
    assert!(poller.wait(NOW).unwrap().is_empty());
    for n in [3, 299, 0, 150] {
        pairs[n].1.send("x").unwrap();
        assert_eq!(poller.wait(SOON).unwrap(), [(n, Readiness::RECEIVE)]);
        pairs[n].0.try_recv().unwrap();
        far.write_all(b"y").unwrap();
        assert_eq!(poller.wait(SOON).unwrap(), [(1000, Readiness::RECEIVE)]);
        near.read_exact(&mut [0]).unwrap();
    }
    poller.remove_descriptor(&near).unwrap();
    far.write_all(b"y").unwrap();
    assert!(poller.wait(NOW).unwrap().is_empty());
    context.shutdown();
    assert_eq!(poller.wait(SOON).unwrap().len(), 300, "all calls would say that it has ended");
}

#[test]
fn a_poller_waits_while_others_send_from_threads() {
    let context = Context::new().unwrap();
    let mut pulls = Vec::new();
    let mut poller = Poller::new().unwrap();
    for n in 0..6 {
        let mut pull = context.socket_with(SocketType::Pull, marks(2, 2)).unwrap();
        let endpoint = pull.bind(&if n % 2 == 0 { ANY.into() } else { format!("inproc://{n}") }).unwrap();
        poller.add(n, &pull, Readiness::RECEIVE);
        let context = context.clone();
        std::thread::spawn(move || {
            let mut push = context.socket_with(SocketType::Push, marks(2, 2)).unwrap();
            push.connect(&endpoint).unwrap();
            for n in 0..3000u32 {
                push.send(&n.to_be_bytes()).unwrap();
            }
            until(|| context.socket(SocketType::Push).is_err());
        });
        pulls.push((pull, 0u32));
    }
    while pulls.iter().any(|(_, next)| *next < 3000) {
        let ready = poller.wait(SOON).unwrap();
        assert!(!ready.is_empty(), "nothing for long");
        for (n, _) in ready {
            let (pull, next) = &mut pulls[*n];
            while let Ok(message) = pull.try_recv() {
                assert_eq!(number(&message), *next);
                *next += 1;
            }
        }
    }
    context.shutdown();
}

/// The descriptor in the hands of poll(2).
fn readable(socket: &Socket, limit: Duration) -> bool {
    let mut fds = [rustix::event::PollFd::new(socket, rustix::event::PollFlags::IN)];
    let limit = rustix::time::Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: i64::from(limit.subsec_nanos()) };
    rustix::event::poll(&mut fds, Some(&limit)).unwrap() > 0
}

#[test]
fn a_descriptor_tells_when_a_call_that_would_block_may_succeed() {
    for at in TRANSPORTS {
        let context = Context::new().unwrap();
        let (mut pull, mut push) = pair(&context, at, SocketType::Pull, SocketType::Push);
        assert!(!readable(&pull, Duration::ZERO));
        let mut told_late = 0;
        for n in 0..200u32 {
            if n % 2 == 0 {
                assert!(matches!(pull.try_recv(), Err(Error::WouldBlock)));
                assert!(!readable(&pull, Duration::ZERO));
                push.send(&n.to_be_bytes()).unwrap();
            } else {
                // It comes first; the descriptor may not have told.
                push.send(&n.to_be_bytes()).unwrap();
            }
            let message = within(PATIENCE, || match pull.try_recv() {
                Ok(message) => Some(message),
                Err(_) => {
                    assert!(readable(&pull, PATIENCE));
                    None
                }
            });
            assert_eq!(number(&message.0), n);
            // Whoever was about to tell when the call began may do so after it.
            told_late += u32::from(readable(&pull, Duration::ZERO));
        }
        assert!(told_late < 20, "{told_late} times without having been asked");
    }
}

#[test]
fn a_descriptor_tells_of_room() {
    let context = Context::new().unwrap();
    for at in TRANSPORTS {
        let mut pull = context.socket_with(SocketType::Pull, marks(1, 2)).unwrap();
        let mut push = context.socket_with(SocketType::Push, marks(2, 1)).unwrap();
        assert!(!readable(&push, Duration::ZERO));
        assert_eq!(fill(&mut push, b"x"), 0, "nobody");
        assert!(!readable(&push, Duration::ZERO));
        push.connect(&pull.bind(at).unwrap()).unwrap();
        assert!(readable(&push, PATIENCE));
        let body = vec![1; 1 << 20];
        let mut sent = 0;
        until(|| {
            sent += fill(&mut push, &body);
            !readable(&push, Duration::from_millis(50))
        });
        for _ in 0..sent {
            pull.recv().unwrap();
        }
        assert!(readable(&push, PATIENCE));
        push.try_send(b"x").unwrap();
        assert!(!readable(&push, Duration::ZERO));
        drop(pull);
    }
}

/// A receive of the application's own reads the stream, and leaves in the lane what it does not take.
#[test]
fn a_receive_in_between_leaves_nothing_untold() {
    let context = Context::new().unwrap();
    let (mut pull, mut push) = pair(&context, ANY, SocketType::Pull, SocketType::Push);
    push.send("first").unwrap();
    pull.recv().unwrap();
    let mut poller = Poller::new().unwrap();
    poller.add(1, &pull, Readiness::RECEIVE);
    for _ in 0..10 {
        assert!(poller.wait(NOW).unwrap().is_empty());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(20));
                (0..500u32).for_each(|n| push.send(&n.to_be_bytes()).unwrap());
                push.flush();
            });
            pull.recv().unwrap();
        });
        let mut left = 499;
        while left > 0 {
            assert_eq!(poller.wait(SOON).unwrap().len(), 1, "{left} left");
            while pull.try_recv().is_ok() {
                left -= 1;
            }
        }
    }
}

#[test]
fn a_send_in_between_leaves_the_poller_waiting() {
    let context = Context::new().unwrap();
    let mut push = socket(&context, SocketType::Push);
    let mut poller = Poller::new().unwrap();
    poller.add(1, &push, Readiness::SEND);
    assert!(poller.wait(NOW).unwrap().is_empty());
    assert!(push.send_timeout("x", Duration::from_millis(10)).is_err());
    let mut pull = socket(&context, SocketType::Pull);
    push.connect(&pull.bind(ANY).unwrap()).unwrap();
    assert_eq!(poller.wait(SOON).unwrap().len(), 1);
    push.try_send("x").unwrap();
}

#[test]
fn two_pollers_of_one_socket_are_both_told() {
    let context = Context::new().unwrap();
    let (mut pull, mut push) = pair(&context, ANY, SocketType::Pull, SocketType::Push);
    let mut pollers = [Poller::new().unwrap(), Poller::new().unwrap()];
    for poller in &mut pollers {
        poller.add(1, &pull, Readiness::RECEIVE);
        assert!(poller.wait(NOW).unwrap().is_empty());
    }
    push.send("x").unwrap();
    for poller in &mut pollers {
        assert_eq!(poller.wait(SOON).unwrap().len(), 1);
    }
    pull.try_recv().unwrap();
}
