//! The eleven socket types over each transport, with either side binding, and what their calls refuse.

mod support;

use omnimq::{Context, Error, Socket, SocketType};
use std::time::{Duration, Instant};
use support::*;

/// Two sockets, connected one way or the other.
fn pair(context: &Context, first: SocketType, second: SocketType, first_binds: bool, at: &str) -> (Socket, Socket) {
    let (mut first, mut second) = (socket(context, first), socket(context, second));
    if first_binds {
        let endpoint = first.bind(at).unwrap();
        second.connect(&endpoint).unwrap();
    } else {
        let endpoint = second.bind(at).unwrap();
        first.connect(&endpoint).unwrap();
    }
    (first, second)
}

fn each_way(first: SocketType, second: SocketType, mut play: impl FnMut(Socket, Socket)) {
    for at in TRANSPORTS {
        for first_binds in [true, false] {
            let context = Context::new().unwrap();
            let (first, second) = pair(&context, first, second, first_binds, at);
            play(first, second);
        }
    }
}

fn refusal<T>(done: Result<(), omnimq::SendError<T>>) -> Error {
    Error::from(done.unwrap_err())
}

#[test]
fn push_pull() {
    each_way(SocketType::Push, SocketType::Pull, |mut push, mut pull| {
        for n in 0..100u32 {
            push.send([&b"part"[..], b"", &n.to_be_bytes()]).unwrap();
            let message = pull.recv().unwrap();
            assert_eq!((message.len(), number(&message)), (3, n));
        }
        assert!(matches!(push.try_recv(), Err(Error::NotSupported)));
        assert!(matches!(refusal(pull.try_send(b"x")), Error::NotSupported));
    });
}

#[test]
fn pair_pair_and_nobody_else() {
    each_way(SocketType::Pair, SocketType::Pair, |mut a, mut b| {
        for n in 0..100u32 {
            a.send(&n.to_be_bytes()).unwrap();
            assert_eq!(number(&b.recv().unwrap()), n);
            b.send([&b"more"[..], &n.to_be_bytes()]).unwrap();
            assert_eq!(number(&a.recv().unwrap()), n);
        }
    });
    // A second peer is turned away while the first lives, and accepted when it has gone.
    let context = Context::new().unwrap();
    let mut server = socket(&context, SocketType::Pair);
    let endpoint = server.bind(ANY).unwrap();
    let mut first = Raw::connect(&endpoint).shake("PAIR").unwrap();
    server.send(b"for the first").unwrap();
    assert_eq!(first.frame().unwrap().1, b"for the first");
    let mut second = Raw::connect(&endpoint);
    second.say(&greeting());
    second.say(&ready("PAIR"));
    second.say(&frame(0, b"from the second"));
    assert!(second.closed_within(PATIENCE), "a second peer is refused");
    server.send(b"still the first").unwrap();
    assert_eq!(first.frame().unwrap().1, b"still the first");
    assert!(matches!(server.try_recv(), Err(Error::WouldBlock)));
    drop(first);
    until(|| server.try_send(b"x").is_err());
    let mut third = Raw::connect(&endpoint).shake("PAIR").unwrap();
    server.send(b"for the third").unwrap();
    assert_eq!(third.frame().unwrap().1, b"for the third");
}

#[test]
fn req_rep_take_turns() {
    each_way(SocketType::Req, SocketType::Rep, |mut req, mut rep| {
        assert!(matches!(req.try_recv(), Err(Error::State)), "nothing was asked");
        assert!(matches!(refusal(rep.try_send(b"x")), Error::State), "nobody asked");
        for n in 0..50u32 {
            req.send([&b"question"[..], &n.to_be_bytes()]).unwrap();
            assert!(matches!(refusal(req.try_send(b"x")), Error::State));
            assert_eq!(number(&rep.recv().unwrap()), n);
            assert!(matches!(rep.try_recv(), Err(Error::State)));
            rep.send([&b"answer"[..], &n.to_be_bytes()]).unwrap();
            assert_eq!(number(&req.recv().unwrap()), n);
        }
    });
}

#[test]
fn dealer_router_envelopes() {
    each_way(SocketType::Dealer, SocketType::Router, |mut dealer, mut router| {
        dealer.send([&b""[..], b"hello", b"there"]).unwrap();
        let question = frames(&router.recv().unwrap());
        assert_eq!(question[0].len(), 5, "a generated routing id");
        assert_eq!(question[0][0], 0);
        assert_eq!(question[1..], [&b""[..], b"hello", b"there"]);
        router.send([&question[0][..], b"", b"back"]).unwrap();
        assert_eq!(frames(&dealer.recv().unwrap()), [&b""[..], b"back"]);
    });
    each_way(SocketType::Req, SocketType::Router, |mut req, mut router| {
        req.send(b"ask").unwrap();
        let question = frames(&router.recv().unwrap());
        assert_eq!(question[1..], [&b""[..], b"ask"]);
        router.send([&question[0][..], b"", b"told"]).unwrap();
        assert_eq!(req.recv().unwrap().bytes(), b"told");
    });
    each_way(SocketType::Dealer, SocketType::Rep, |mut dealer, mut rep| {
        dealer.send([&b"route"[..], b"", b"ask"]).unwrap();
        assert_eq!(rep.recv().unwrap().bytes(), b"ask");
        rep.send(b"told").unwrap();
        assert_eq!(frames(&dealer.recv().unwrap()), [&b"route"[..], b"", b"told"]);
    });
    each_way(SocketType::Dealer, SocketType::Dealer, |mut a, mut b| {
        a.send(b"there").unwrap();
        assert_eq!(b.recv().unwrap().bytes(), b"there");
        b.send(b"back").unwrap();
        assert_eq!(a.recv().unwrap().bytes(), b"back");
    });
}

#[test]
fn router_by_name() {
    for mandatory in [false, true] {
        let context = Context::new().unwrap();
        let mut options = patient();
        options.pattern.mandatory = mandatory;
        let mut router = context.socket_with(SocketType::Router, options).unwrap();
        let endpoint = router.bind(ANY).unwrap();
        let unknown = router.try_send([&b"nobody"[..], b"x"]);
        if mandatory {
            assert!(matches!(refusal(unknown), Error::Unroutable));
        } else {
            unknown.unwrap();
        }
        let mut dealers: Vec<_> = ["anna", "berta"]
            .iter()
            .map(|name| {
                let mut options = patient();
                options.routing_id = name.as_bytes().into();
                let mut dealer = context.socket_with(SocketType::Dealer, options).unwrap();
                dealer.connect(&endpoint).unwrap();
                dealer.send(b"here").unwrap();
                let hello = frames(&router.recv().unwrap());
                assert_eq!(hello, [name.as_bytes(), b"here"]);
                dealer
            })
            .collect();
        router.send([&b"berta"[..], b"to berta"]).unwrap();
        router.send([&b"anna"[..], b"to anna"]).unwrap();
        assert_eq!(dealers[0].recv().unwrap().bytes(), b"to anna");
        assert_eq!(dealers[1].recv().unwrap().bytes(), b"to berta");
        // One that goes is unknown again.
        dealers.pop();
        if mandatory {
            until(|| matches!(router.try_send([&b"berta"[..], b"x"]).map_err(Error::from), Err(Error::Unroutable)));
        }
        router.send([&b"anna"[..], b"again"]).unwrap();
        assert_eq!(dealers[0].recv().unwrap().bytes(), b"again");
    }
}

/// Two ROUTERs know each other by name.
#[test]
fn router_router() {
    let context = Context::new().unwrap();
    let named = |name: &str| {
        let mut options = patient();
        options.routing_id = name.as_bytes().into();
        options.pattern.mandatory = true;
        context.socket_with(SocketType::Router, options).unwrap()
    };
    for at in TRANSPORTS {
        let (mut a, mut b) = (named("a"), named("b"));
        let endpoint = a.bind(at).unwrap();
        b.connect(&endpoint).unwrap();
        until(|| b.try_send([&b"a"[..], b"hello"]).is_ok());
        assert_eq!(frames(&a.recv().unwrap()), [&b"b"[..], b"hello"]);
        a.send([&b"b"[..], b"back"]).unwrap();
        assert_eq!(frames(&b.recv().unwrap()), [&b"a"[..], b"back"]);
    }
}

#[test]
fn mandatory_router_blocks_at_the_mark() {
    let context = Context::new().unwrap();
    let mut options = marks(5, 1000);
    options.pattern.mandatory = true;
    options.send_timeout = Some(Duration::from_millis(100));
    let mut router = context.socket_with(SocketType::Router, options).unwrap();
    let endpoint = router.bind(ANY).unwrap();
    let mut options = patient();
    options.routing_id = b"slow"[..].into();
    options.recv_hwm = 5;
    let mut dealer = context.socket_with(SocketType::Dealer, options).unwrap();
    dealer.connect(&endpoint).unwrap();
    dealer.send(b"here").unwrap();
    router.recv().unwrap();
    let large = vec![1; 1 << 20];
    let mut sent = 0;
    let error = loop {
        match router.send([&b"slow"[..], &large]).map_err(Error::from) {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
        assert!(sent < 1000);
    };
    assert!(matches!(error, Error::WouldBlock), "{error}");
    for _ in 0..sent {
        assert_eq!(dealer.recv().unwrap().bytes().len(), 1 << 20);
    }
    assert!(matches!(dealer.recv_timeout(Duration::from_millis(50)), Err(Error::WouldBlock)));
}

/// Publishes until the subscriber has it: subscriptions travel in the background.
fn publish_until(publisher: &mut Socket, subscriber: &mut Socket, text: &str) {
    until(|| {
        publisher.send(text).unwrap();
        subscriber.recv_timeout(Duration::from_millis(10)).is_ok_and(|message| message.bytes() == text.as_bytes())
    });
}

#[test]
fn topics_before_and_after_connecting() {
    for (publisher, subscriber) in [
        (SocketType::Pub, SocketType::Sub),
        (SocketType::Pub, SocketType::XSub),
        (SocketType::XPub, SocketType::Sub),
        (SocketType::XPub, SocketType::XSub),
    ] {
        for (at, sub_binds) in TRANSPORTS.iter().flat_map(|at| [(at, false), (at, true)]) {
            for before in [false, true] {
                let context = Context::new().unwrap();
                let (mut publisher, mut subscriber) = (socket(&context, publisher), socket(&context, subscriber));
                if before {
                    subscriber.subscribe(b"top").unwrap();
                }
                if sub_binds {
                    let endpoint = subscriber.bind(at).unwrap();
                    publisher.connect(&endpoint).unwrap();
                } else {
                    let endpoint = publisher.bind(at).unwrap();
                    subscriber.connect(&endpoint).unwrap();
                }
                if !before {
                    subscriber.subscribe(b"top").unwrap();
                }
                publish_until(&mut publisher, &mut subscriber, "topic");
                while subscriber.recv_timeout(Duration::from_millis(20)).is_ok() {}
                publisher.send(b"other").unwrap();
                publisher.send([&b"topped"[..], b"more"]).unwrap();
                assert_eq!(frames(&subscriber.recv().unwrap()), [&b"topped"[..], b"more"]);
                subscriber.unsubscribe(b"top").unwrap();
                subscriber.subscribe(b"new").unwrap();
                publish_until(&mut publisher, &mut subscriber, "new");
                publisher.send(b"top").unwrap();
                publisher.send(b"new end").unwrap();
                until(|| subscriber.recv().unwrap().bytes() == b"new end");
            }
        }
    }
}

#[test]
fn xpub_sees_subscriptions() {
    each_way(SocketType::XPub, SocketType::XSub, |mut publisher, mut subscriber| {
        // As messages.
        subscriber.send(b"\x01one").unwrap();
        assert_eq!(publisher.recv().unwrap().bytes(), b"\x01one");
        subscriber.send(b"\x00one").unwrap();
        assert_eq!(publisher.recv().unwrap().bytes(), b"\x00one");
        // As calls.
        subscriber.subscribe(b"two").unwrap();
        assert_eq!(publisher.recv().unwrap().bytes(), b"\x01two");
        // And what is no subscription goes upstream.
        subscriber.send(b"upstream").unwrap();
        assert_eq!(publisher.recv().unwrap().bytes(), b"upstream");
        publisher.send(b"two!").unwrap();
        assert_eq!(subscriber.recv().unwrap().bytes(), b"two!");
    });
    // The dead unsubscribe; where the publisher connects, its pipe lives on and so do they, until the next handshake.
    let context = Context::new().unwrap();
    let (mut publisher, mut subscriber) = pair(&context, SocketType::XPub, SocketType::Sub, true, ANY);
    subscriber.subscribe(b"two").unwrap();
    assert_eq!(publisher.recv().unwrap().bytes(), b"\x01two");
    drop(subscriber);
    assert_eq!(publisher.recv().unwrap().bytes(), b"\x00two");
}

/// With `manual` each peer gets what it is given, whatever it asks for.
#[test]
fn a_manual_xpub_gives_what_it_likes() {
    let mut options = patient();
    options.pattern.manual = true;
    for at in TRANSPORTS {
        let context = Context::new().unwrap();
        let mut publisher = context.socket_with(SocketType::XPub, options.clone()).unwrap();
        publisher.subscribe_last("nobody has asked").unwrap();
        let endpoint = publisher.bind(at).unwrap();
        let mut subs = [socket(&context, SocketType::Sub), socket(&context, SocketType::Sub)];
        for (sub, given) in subs.iter_mut().zip(["one", "other"]) {
            sub.connect(&endpoint).unwrap();
            sub.subscribe("").unwrap();
            assert_eq!(publisher.recv().unwrap().bytes(), b"\x01", "each is shown");
            publisher.subscribe_last(given).unwrap();
        }
        let [one, other] = &mut subs;
        ["none", "one", "other", "one!"].into_iter().for_each(|topic| publisher.send(topic).unwrap());
        assert_eq!([one.recv().unwrap().bytes(), one.recv().unwrap().bytes()], [b"one".as_slice(), b"one!"]);
        assert_eq!(other.recv().unwrap().bytes(), b"other");
        // Whoever asked last is whom it is about.
        one.unsubscribe("").unwrap();
        assert_eq!(publisher.recv().unwrap().bytes(), b"\x00");
        publisher.unsubscribe_last("one").unwrap();
        publisher.unsubscribe_last("other").unwrap();
        publisher.send("one").unwrap();
        publisher.send("other").unwrap();
        assert_eq!(other.recv().unwrap().bytes(), b"other");
        assert!(matches!(one.recv_timeout(Duration::from_millis(10)), Err(Error::WouldBlock)));
    }
    let context = Context::new().unwrap();
    let mut publisher = socket(&context, SocketType::XPub);
    assert!(matches!(publisher.subscribe_last("x"), Err(Error::Option(_))), "manual is off");
    assert!(matches!(publisher.unsubscribe_last("x"), Err(Error::Option(_))));
    let mut sub = context.socket_with(SocketType::Sub, options).unwrap();
    assert!(matches!(sub.subscribe_last("x"), Err(Error::NotSupported)));
}

/// What an XSUB says upstream is thrown away by a PUB, and never stands in the way of its subscriptions.
#[test]
fn pub_throws_away_what_comes() {
    each_way(SocketType::Pub, SocketType::XSub, |mut publisher, mut subscriber| {
        subscriber.subscribe(b"first").unwrap();
        publish_until(&mut publisher, &mut subscriber, "first");
        for n in 0..5000u32 {
            subscriber.send([&b"noise"[..], &n.to_be_bytes()]).unwrap();
        }
        subscriber.subscribe(b"second").unwrap();
        publish_until(&mut publisher, &mut subscriber, "second");
    });
    // More than the mark in one read.
    let context = Context::new().unwrap();
    let mut publisher = socket(&context, SocketType::Pub);
    let endpoint = publisher.bind(ANY).unwrap();
    let mut raw = Raw::connect(&endpoint).shake("XSUB").unwrap();
    raw.say(&frame(0, b"noise").repeat(20_000));
    raw.say(&command("SUBSCRIBE", b""));
    raw.0.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    until(|| {
        publisher.send(b"heard").unwrap();
        raw.frame().is_ok_and(|(_, body)| body == b"heard")
    });
}

/// Likewise a PUSH whose peer sends.
#[test]
fn push_notices_the_end_of_a_peer_that_talks() {
    let context = Context::new().unwrap();
    let mut push = socket(&context, SocketType::Push);
    let endpoint = push.bind(ANY).unwrap();
    let mut raw = Raw::connect(&endpoint).shake("PULL").unwrap();
    push.send(b"x").unwrap();
    raw.frame().unwrap();
    raw.say(&frame(0, b"noise").repeat(20_000));
    drop(raw);
    until(|| push.try_send(b"x").is_err());
}

#[test]
fn pub_never_blocks() {
    let context = Context::new().unwrap();
    let mut publisher = context.socket_with(SocketType::Pub, marks(10, 1000)).unwrap();
    let endpoint = publisher.bind(ANY).unwrap();
    // One that reads and one that does not.
    let mut stuck = Raw::connect(&endpoint).shake("SUB").unwrap();
    stuck.say(&command("SUBSCRIBE", b""));
    let mut sub = socket(&context, SocketType::Sub);
    sub.connect(&endpoint).unwrap();
    sub.subscribe(b"").unwrap();
    publish_until(&mut publisher, &mut sub, "begin");
    let large = vec![1; 100_000];
    let start = Instant::now();
    for n in 0..500u32 {
        publisher.try_send([&n.to_be_bytes()[..], &large]).unwrap();
        // Those that read get everything.
        loop {
            let message = sub.recv().unwrap();
            if message.len() == 2 {
                assert_eq!(message[0][..], n.to_be_bytes());
                break;
            }
        }
    }
    assert!(start.elapsed() < PATIENCE);
    // What the one that was stuck gets is whole, and in order.
    publisher.send(b"the end").unwrap();
    let (mut last, mut got) = (None, 0);
    stuck.0.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    while let Ok((flags, first)) = stuck.frame() {
        if flags == 1 {
            let n = u32::from_be_bytes(first[..4].try_into().unwrap());
            assert!(last < Some(n));
            assert_eq!(stuck.frame().unwrap(), (0, large.clone()));
            last = Some(n);
            got += 1;
        }
    }
    assert!(got > 0 && got < 500, "{got}");
}

#[test]
fn sharing_is_even_and_fair() {
    let context = Context::new().unwrap();
    let mut push = socket(&context, SocketType::Push);
    let mut pulls: Vec<_> = (0..4)
        .map(|_| {
            let mut pull = socket(&context, SocketType::Pull);
            let endpoint = pull.bind(ANY).unwrap();
            push.connect(&endpoint).unwrap();
            pull
        })
        .collect();
    for n in 0..400u32 {
        push.send(&n.to_be_bytes()).unwrap();
    }
    for (at, pull) in pulls.iter_mut().enumerate() {
        for n in 0..100 {
            assert_eq!(number(&pull.recv().unwrap()), n * 4 + at as u32);
        }
    }
    // In the other direction: of several that always have something, none waits for long.
    let mut pull = socket(&context, SocketType::Pull);
    let endpoint = pull.bind(ANY).unwrap();
    let mut pushes: Vec<_> = (0..4)
        .map(|_| {
            let mut push = socket(&context, SocketType::Push);
            push.connect(&endpoint).unwrap();
            push
        })
        .collect();
    for (at, push) in pushes.iter_mut().enumerate() {
        for _ in 0..500 {
            push.send(&(at as u32).to_be_bytes()).unwrap();
        }
        push.flush();
    }
    // All of it is here when the background had time to read it.
    std::thread::sleep(Duration::from_millis(100));
    let mut counts = [0u32; 4];
    for _ in 0..400 {
        counts[number(&pull.recv().unwrap()) as usize] += 1;
    }
    assert!(counts.iter().all(|count| (80..=120).contains(count)), "{counts:?}");
}

#[test]
fn time_limits_hold() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    pull.bind(ANY).unwrap();
    let mut push = socket(&context, SocketType::Push);
    push.bind(ANY).unwrap();
    for millis in [0u64, 1, 10, 50, 120] {
        let limit = Duration::from_millis(millis);
        for sends in [false, true] {
            // The best of three, for the upper bound; the lower one holds always.
            let took = (0..3)
                .map(|_| {
                    let start = Instant::now();
                    let error =
                        if sends { refusal(push.send_timeout(b"x", limit)) } else { pull.recv_timeout(limit).unwrap_err() };
                    assert!(matches!(error, Error::WouldBlock));
                    assert!(start.elapsed() >= limit, "too early");
                    start.elapsed()
                })
                .min()
                .unwrap();
            assert!(took < limit + Duration::from_millis(30), "{limit:?}: {took:?}");
        }
    }
    let mut options = patient();
    options.recv_timeout = Some(Duration::from_millis(30));
    let mut pull = context.socket_with(SocketType::Pull, options).unwrap();
    let start = Instant::now();
    assert!(matches!(pull.recv(), Err(Error::WouldBlock)));
    assert!(start.elapsed() >= Duration::from_millis(30));
}

#[test]
fn refused_messages_come_back() {
    let context = Context::new().unwrap();
    let mut push = socket(&context, SocketType::Push);
    push.bind(ANY).unwrap();
    let message = omnimq::Message::from(["two", "frames"]);
    let refused = push.try_send(message.clone()).unwrap_err();
    assert!(refused.message == message);
    let refused = push.try_send(vec![7u8; 3]).unwrap_err();
    assert_eq!(refused.message, [7, 7, 7]);
}

#[test]
fn endpoints_that_make_no_sense() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    for endpoint in ["", "tcp", "tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", "tcp://127.0.0.1:x", "://x"] {
        assert!(matches!(pull.bind(endpoint), Err(Error::Endpoint(_))), "bind {endpoint:?}");
        assert!(matches!(pull.connect(endpoint), Err(Error::Endpoint(_))), "connect {endpoint:?}");
    }
    assert!(matches!(pull.connect("tcp://127.0.0.1:*"), Err(Error::Endpoint(_))));
    assert!(matches!(pull.bind("nosuch://x"), Err(Error::Transport(_))));
    assert!(matches!(pull.bind("tcp://192.0.2.1:*"), Err(Error::System { .. })));
}
