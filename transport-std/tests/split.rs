//! Halves of sockets in two threads, and proxies between sockets.

mod support;

use omnimq::{Context, Error, Socket, SocketType, proxy, proxy_steerable};
use std::time::Duration;
use support::*;

#[test]
fn one_thread_sends_while_another_receives() {
    for at in TRANSPORTS {
        let context = Context::new().unwrap();
        let mut first = context.socket_with(SocketType::Dealer, marks(10, 10)).unwrap();
        let mut second = context.socket_with(SocketType::Dealer, marks(10, 10)).unwrap();
        second.connect(&first.bind(at).unwrap()).unwrap();
        let threads: Vec<_> = [first, second]
            .into_iter()
            .flat_map(|socket| {
                let Ok((mut sends, mut receives)) = socket.split() else { panic!("a DEALER has two directions") };
                let sender = std::thread::spawn(move || {
                    for n in 0..5000u32 {
                        sends.send(&n.to_be_bytes()).unwrap();
                    }
                });
                let receiver = std::thread::spawn(move || {
                    for n in 0..5000u32 {
                        assert_eq!(number(&receives.recv().unwrap()), n);
                    }
                });
                [sender, receiver]
            })
            .collect();
        bounded(|| threads.into_iter().for_each(|thread| thread.join().unwrap()));
    }
}

#[test]
fn a_socket_is_closed_with_its_last_half() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    let mut dealer = socket(&context, SocketType::Push);
    dealer.connect(&pull.bind("inproc://x").unwrap()).unwrap();
    let Ok((mut sends, receives)) = dealer.split() else { panic!("it has halves") };
    drop(receives);
    sends.send("still open").unwrap();
    drop(sends);
    assert_eq!(pull.recv().unwrap().bytes(), b"still open");
    assert!(matches!(socket(&context, SocketType::Req).split(), Err(Error::NotSupported)), "its calls take turns");
    let pair = omnimq::Pair::new(&context).unwrap();
    drop(pair.split());
    drop(pull);
    bounded(move || context.term());
}

/// A manual XPUB answers subscriptions in one thread while it publishes in another.
#[test]
fn the_half_that_hears_subscriptions_answers_them() {
    for at in TRANSPORTS {
        let context = Context::new().unwrap();
        let mut options = patient();
        options.pattern.manual = true;
        let mut publisher = context.socket_with(SocketType::XPub, options).unwrap();
        let endpoint = publisher.bind(at).unwrap();
        let Ok((mut sends, mut receives)) = publisher.split() else { panic!("an XPUB has two directions") };
        let answers = std::thread::spawn(move || {
            while let Ok(request) = receives.recv() {
                let topic = [&b"public "[..], &request.bytes()[1..]].concat();
                match request.bytes()[0] {
                    1 => receives.subscribe_last(topic).unwrap(),
                    _ => receives.unsubscribe_last(topic).unwrap(),
                }
            }
        });
        // A SUB would look at the topics itself.
        let mut sub = socket(&context, SocketType::XSub);
        sub.connect(&endpoint).unwrap();
        let mut published = |sub: &mut Socket, patience: Duration| {
            ["news", "public news", "public ends"].into_iter().for_each(|message| sends.send(message).unwrap());
            sub.recv_timeout(patience).map(|message| message.bytes().to_vec())
        };
        let soon = Duration::from_millis(10);
        sub.subscribe("news").unwrap();
        until(|| published(&mut sub, soon).is_ok_and(|message| message == b"public news"));
        sub.unsubscribe("news").unwrap();
        sub.subscribe("ends").unwrap();
        until(|| published(&mut sub, soon).is_ok_and(|message| message == b"public ends"));
        (0..10).for_each(|_| assert_eq!(published(&mut sub, PATIENCE).unwrap(), b"public ends"));
        context.shutdown();
        answers.join().unwrap();
    }
    let context = Context::new().unwrap();
    let Ok((_, mut receives)) = socket(&context, SocketType::Dealer).split() else { panic!("a DEALER has two directions") };
    assert!(matches!(receives.subscribe_last("x"), Err(Error::NotSupported)));
}

/// Front and back of a proxy, bound, and what runs it.
fn broker(context: &Context, capture: Option<SocketType>) -> std::thread::JoinHandle<Error> {
    let mut front = context.socket_with(SocketType::Router, patient()).unwrap();
    let mut back = context.socket_with(SocketType::Dealer, patient()).unwrap();
    front.bind("inproc://front").unwrap();
    back.bind("inproc://back").unwrap();
    let mut capture = capture.map(|socket_type| {
        let mut socket = context.socket_with(socket_type, patient()).unwrap();
        socket.bind("inproc://capture").unwrap();
        socket
    });
    std::thread::spawn(move || proxy(&mut front, &mut back, capture.as_mut()).unwrap_err())
}

#[test]
fn a_proxy_passes_questions_and_answers_until_the_context_ends() {
    let context = Context::new().unwrap();
    let broker = broker(&context, Some(SocketType::Push));
    let mut captured = socket(&context, SocketType::Pull);
    captured.connect("inproc://capture").unwrap();
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let mut rep = socket(&context, SocketType::Rep);
            rep.connect("inproc://back").unwrap();
            std::thread::spawn(move || {
                while let Ok(question) = rep.recv() {
                    if rep.send(question).is_err() {
                        break;
                    }
                }
            })
        })
        .collect();
    let mut req = socket(&context, SocketType::Req);
    req.connect("inproc://front").unwrap();
    for n in 0..500u32 {
        req.send([&b"question"[..], &n.to_be_bytes()]).unwrap();
        assert_eq!(number(&req.recv().unwrap()), n);
        for _ in 0..2 {
            // Routing id, delimiter, two frames: there and back.
            let copy = captured.recv().unwrap();
            assert_eq!((copy.len(), number(&copy)), (4, n));
        }
    }
    context.shutdown();
    assert!(matches!(broker.join().unwrap(), Error::Terminated));
    workers.into_iter().for_each(|worker| worker.join().unwrap());
}

/// Nobody takes what the proxy passes on: what was sent waits with its sender, at the marks, and in the proxy one.
#[test]
fn a_proxy_holds_no_more_than_the_marks() {
    let context = Context::new().unwrap();
    let mut front = context.socket_with(SocketType::Pull, marks(1, 2)).unwrap();
    let mut back = context.socket_with(SocketType::Push, marks(2, 1)).unwrap();
    front.bind("inproc://front").unwrap();
    back.bind("inproc://back").unwrap();
    std::thread::spawn(move || proxy(&mut front, &mut back, None));
    let mut pull = context.socket_with(SocketType::Pull, marks(1, 2)).unwrap();
    pull.connect("inproc://back").unwrap();
    let mut push = context.socket_with(SocketType::Push, marks(2, 1)).unwrap();
    push.connect("inproc://front").unwrap();
    let mut sent = 0u32;
    let quiet = Duration::from_millis(50);
    while push.send_timeout(&sent.to_be_bytes(), quiet).is_ok() {
        sent += 1;
    }
    // Two lanes of two and two. The one in between is the fifth read from the first lane, whose credit comes back in twos.
    assert_eq!(sent, 4 + 4);
    for n in 0..sent {
        assert_eq!(number(&pull.recv().unwrap()), n);
    }
    assert!(matches!(pull.recv_timeout(quiet), Err(Error::WouldBlock)));
    context.shutdown();
}

/// How often the calling thread has slept.
#[cfg(all(target_os = "linux", not(portable)))]
fn naps() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let naps = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    naps.unwrap().trim().parse().unwrap()
}

/// The message is for one peer, which has no room, and the socket is ready to send for it has others: the proxy sleeps
/// until that peer reads.
#[cfg(all(target_os = "linux", not(portable)))]
#[test]
fn a_proxy_sleeps_until_the_peer_that_a_message_is_for_has_room() {
    let context = Context::new().unwrap();
    let mut options = marks(2, 1);
    options.pattern.mandatory = true;
    let mut front = socket(&context, SocketType::Pull);
    let mut back = context.socket_with(SocketType::Router, options).unwrap();
    front.bind("inproc://front").unwrap();
    back.bind("inproc://back").unwrap();
    let [mut slow, mut other] = ["slow", "other"].map(|name| {
        let mut options = marks(1, 1);
        options.routing_id = name.as_bytes().into();
        let mut dealer = context.socket_with(SocketType::Dealer, options).unwrap();
        dealer.connect("inproc://back").unwrap();
        dealer
    });
    let mut push = socket(&context, SocketType::Push);
    push.connect("inproc://front").unwrap();
    let broker = std::thread::spawn(move || {
        let before = naps();
        let Err(error) = proxy(&mut front, &mut back, None) else { panic!("the proxy goes on") };
        assert!(matches!(error, Error::Terminated));
        naps() - before
    });
    for n in 0..20u32 {
        push.send([&b"slow"[..], &n.to_be_bytes()]).unwrap();
    }
    std::thread::sleep(Duration::from_millis(500));
    for n in 0..20u32 {
        assert_eq!(number(&slow.recv().unwrap()), n);
    }
    push.send([&b"other"[..], &20u32.to_be_bytes()]).unwrap();
    assert_eq!(number(&other.recv().unwrap()), 20);
    context.shutdown();
    // One for each message at most, some for locks that are held, and none for looking every few milliseconds.
    assert!(broker.join().unwrap() < 40);
}

#[test]
fn a_steered_proxy_obeys() {
    let context = Context::new().unwrap();
    let mut front = context.socket_with(SocketType::Pull, patient()).unwrap();
    let mut back = context.socket_with(SocketType::Push, patient()).unwrap();
    let mut control = context.socket_with(SocketType::Rep, patient()).unwrap();
    front.bind("inproc://front").unwrap();
    back.bind("inproc://back").unwrap();
    control.bind("inproc://control").unwrap();
    let steered = std::thread::spawn(move || proxy_steerable(&mut front, &mut back, None, &mut control));
    let [mut push, mut pull, mut steer] =
        [SocketType::Push, SocketType::Pull, SocketType::Req].map(|socket_type| socket(&context, socket_type));
    push.connect("inproc://front").unwrap();
    pull.connect("inproc://back").unwrap();
    steer.connect("inproc://control").unwrap();
    let mut order = |order: &str| {
        steer.send(order).unwrap();
        steer.recv().unwrap()
    };
    push.send(["one", "two"]).unwrap();
    assert_eq!(pull.recv().unwrap().len(), 2);
    assert_eq!(frames(&order("PAUSE")), [b""]);
    push.send("later").unwrap();
    assert!(matches!(pull.recv_timeout(Duration::from_millis(50)), Err(Error::WouldBlock)));
    assert_eq!(frames(&order("RESUME")), [b""]);
    assert_eq!(pull.recv().unwrap().bytes(), b"later");
    let numbers: Vec<_> =
        order("STATISTICS").iter().map(|frame| u64::from_ne_bytes(frame[..].try_into().unwrap())).collect();
    assert_eq!(numbers, [3, 11, 0, 0, 0, 0, 3, 11]);
    assert_eq!(frames(&order("nonsense")), [b""]);
    assert_eq!(frames(&order("TERMINATE")), [b""]);
    steered.join().unwrap().unwrap();
}
