//! Connections come and go: the connecting side's pipe outlives them, the binding side's does not.

mod support;

use omnimq::{Context, Error, Event, SocketType};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use support::*;

#[test]
fn connect_before_bind() {
    for (client, server) in
        [(SocketType::Push, SocketType::Pull), (SocketType::Dealer, SocketType::Rep), (SocketType::Req, SocketType::Rep)]
    {
        let context = Context::new().unwrap();
        let port = Port::reserve();
        let mut client = socket(&context, client);
        client.connect(port.endpoint()).unwrap();
        if client.socket_type() == SocketType::Dealer {
            client.send([&b""[..], b"early"]).unwrap();
        } else {
            client.send(b"early").unwrap();
        }
        // A few refusals first.
        std::thread::sleep(Duration::from_millis(60));
        let mut server = socket(&context, server);
        server.bind(port.endpoint()).unwrap();
        assert_eq!(server.recv().unwrap().bytes(), b"early");
    }
}

/// The server is dropped and made again on its port while a client floods. What no server received was in the kernel's
/// hands; what arrives is in order, once, and the last server has everything since it came.
#[test]
fn flood_survives_servers() {
    const SERVERS: u32 = 12;
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let endpoint = port.endpoint().to_owned();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let mut push = socket(&context, SocketType::Push);
    push.connect(&endpoint).unwrap();
    let sender = std::thread::spawn(move || {
        let mut n = 0u32;
        while stopped.try_recv().is_err() {
            push.send(&n.to_be_bytes()).unwrap();
            n += 1;
        }
        push.send(&u32::MAX.to_be_bytes()).unwrap();
        (push, n)
    });
    let mut next = 0;
    let mut received = 0u32;
    for server in 0..SERVERS {
        let mut pull = socket(&context, SocketType::Pull);
        bind_again(&mut pull, &endpoint);
        let mut in_a_row = 0;
        for _ in 0..2000 {
            let n = number(&pull.recv().unwrap());
            assert!(n >= next, "server {server}: {n} after {next}");
            in_a_row = if n == next { in_a_row + 1 } else { 0 };
            next = n + 1;
            received += 1;
        }
        assert!(in_a_row >= 1999, "server {server}: the gap is before its first message, yet {in_a_row}");
    }
    let mut pull = socket(&context, SocketType::Pull);
    bind_again(&mut pull, &endpoint);
    let first = number(&pull.recv().unwrap());
    stop.send(()).unwrap();
    let mut expected = first + 1;
    loop {
        let n = number(&pull.recv().unwrap());
        if n == u32::MAX {
            break;
        }
        assert_eq!(n, expected);
        expected += 1;
    }
    let (_push, sent) = sender.join().unwrap();
    assert_eq!(expected, sent);
    println!("{received} received by {SERVERS} servers of {sent} sent");
}

/// What is queued while nobody is there goes to whoever comes.
#[test]
fn queue_outlives_the_connection() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let mut push = context.socket_with(SocketType::Push, marks(50, 1000)).unwrap();
    push.connect(port.endpoint()).unwrap();
    let mut raw = Raw::on(port.listen().accept().unwrap().0).shake("PULL").unwrap();
    push.send(b"first").unwrap();
    assert_eq!(raw.frame().unwrap().1, b"first");
    drop(raw);
    // The loss is noticed when the stream ends, whatever is sent then is kept: at most one write comes too early.
    let mut kept = 0;
    let deadline = Instant::now() + PATIENCE;
    while kept < 50 && Instant::now() < deadline {
        match push.try_send(&(kept as u32).to_be_bytes()) {
            Ok(()) => kept += 1,
            Err(_) => break,
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut pull = socket(&context, SocketType::Pull);
    pull.bind(port.endpoint()).unwrap();
    let first = number(&pull.recv().unwrap());
    assert!(first <= 20, "kept from {first}");
    for n in first + 1..kept as u32 {
        assert_eq!(number(&pull.recv().unwrap()), n);
    }
    push.send(&1000u32.to_be_bytes()).unwrap();
    assert_eq!(number(&pull.recv().unwrap()), 1000);
}

#[test]
fn subscriptions_are_replayed() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let mut sub = socket(&context, SocketType::Sub);
    sub.connect(port.endpoint()).unwrap();
    sub.subscribe(b"a").unwrap();
    sub.subscribe(b"b").unwrap();
    sub.subscribe(b"gone").unwrap();
    sub.unsubscribe(b"gone").unwrap();
    for round in 0..6u32 {
        let mut publisher = socket(&context, SocketType::XPub);
        bind_again(&mut publisher, port.endpoint());
        let mut wanted = BTreeSet::from([b"\x01a".to_vec(), b"\x01b".to_vec()]);
        if round >= 3 {
            wanted.insert(b"\x01c".to_vec());
        }
        let seen: BTreeSet<_> = wanted.iter().map(|_| publisher.recv().unwrap().bytes().to_vec()).collect();
        assert_eq!(seen, wanted, "round {round}");
        for topic in ["a", "x", "gone", "b"] {
            publisher.send(&*format!("{topic}{round}")).unwrap();
        }
        assert_eq!(sub.recv().unwrap().bytes(), format!("a{round}").as_bytes());
        assert_eq!(sub.recv().unwrap().bytes(), format!("b{round}").as_bytes());
        if round == 2 {
            drop(publisher);
            // Subscribed while nobody is there.
            sub.subscribe(b"c").unwrap();
        }
    }
}

#[test]
fn many_subscriptions_over_a_mark_of_one() {
    const TOPICS: u32 = 100_000;
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let mut sub = context.socket_with(SocketType::Sub, marks(1, 1)).unwrap();
    sub.connect(port.endpoint()).unwrap();
    for n in 0..TOPICS {
        sub.subscribe(n.to_be_bytes()).unwrap();
    }
    for _ in 0..2 {
        let mut publisher = context.socket_with(SocketType::XPub, marks(1, 1)).unwrap();
        bind_again(&mut publisher, port.endpoint());
        let mut seen = BTreeSet::new();
        for _ in 0..TOPICS {
            let event = publisher.recv().unwrap();
            assert_eq!(event.bytes()[0], 1);
            seen.insert(event.bytes()[1..].to_vec());
        }
        assert_eq!(seen.len(), TOPICS as usize);
    }
}

/// A request whose server died stays unanswered; with relaxed alternation the next one is.
#[test]
fn req_goes_on_after_its_server_died() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let mut options = patient();
    (options.pattern.relaxed, options.pattern.correlate) = (true, true);
    let mut req = context.socket_with(SocketType::Req, options).unwrap();
    req.connect(port.endpoint()).unwrap();
    for round in 0..5u32 {
        let mut rep = socket(&context, SocketType::Rep);
        bind_again(&mut rep, port.endpoint());
        // A question sent into the dead connection is lost: it is asked again.
        let asked = (0..100).any(|_| {
            req.send(&round.to_be_bytes()).unwrap();
            rep.recv_timeout(Duration::from_millis(200)).is_ok_and(|question| number(&question) == round)
        });
        assert!(asked, "round {round}");
        // Asked more than once, perhaps: the old answers are thrown away.
        rep.send(b"old").unwrap();
        req.send(b"last").unwrap();
        while rep.recv().unwrap().bytes() != b"last" {
            rep.send(b"old").unwrap();
        }
        rep.send(b"answer").unwrap();
        assert_eq!(req.recv().unwrap().bytes(), b"answer");
        // And one that dies owing an answer.
        req.send(b"unanswered").unwrap();
        rep.recv().unwrap();
    }
}

/// A peer that dies in the middle of a message leaves no part of it.
#[test]
fn half_a_message_is_no_message() {
    for cut in 1..=4 {
        let context = Context::new().unwrap();
        let mut pull = socket(&context, SocketType::Pull);
        let endpoint = pull.bind(ANY).unwrap();
        let mut raw = Raw::connect(&endpoint).shake("PUSH").unwrap();
        let large = frame(0, &[7; 300_000]);
        let parts = [frame(0, b"whole"), frame(1, b"one"), frame(1, b"two"), frame(1, b""), large];
        for part in &parts[..cut] {
            raw.say(part);
        }
        // And a piece of the next frame.
        raw.say(&parts[cut][..parts[cut].len() - 1]);
        drop(raw);
        assert_eq!(frames(&pull.recv().unwrap()), [b"whole"]);
        let mut push = socket(&context, SocketType::Push);
        push.connect(&endpoint).unwrap();
        push.send([&b"next"[..], b"message"]).unwrap();
        assert_eq!(frames(&pull.recv().unwrap()), [&b"next"[..], b"message"], "cut {cut}");
    }
}

/// The same on the connecting side, whose pipe lives on.
#[test]
fn half_a_message_is_no_message_for_a_pipe_that_lives_on() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let mut pull = socket(&context, SocketType::Pull);
    let listener = port.listen();
    pull.connect(port.endpoint()).unwrap();
    for round in 0..5u32 {
        let mut raw = Raw::on(listener.accept().unwrap().0).shake("PUSH").unwrap();
        raw.say(&frame(1, &round.to_be_bytes()));
        raw.say(&frame(0, b"end"));
        raw.say(&frame(1, b"half"));
        raw.say(&frame(1, b"of it")[..3]);
        let message = pull.recv().unwrap();
        assert_eq!(frames(&message), [round.to_be_bytes().to_vec(), b"end".to_vec()]);
    }
}

/// A multipart message that was half written when the peer died is not continued on the next connection.
#[test]
fn half_written_message_is_not_continued() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let listener = port.listen();
    let mut push = socket(&context, SocketType::Push);
    push.connect(port.endpoint()).unwrap();
    for round in 0..4u32 {
        let mut raw = Raw::on(listener.accept().unwrap().0).shake("PULL").unwrap();
        // More than kernels keep: the first frame goes, the second gets stuck.
        let large = vec![round as u8; 32 << 20];
        push.send([&b"torn"[..], &large, b"end"]).unwrap();
        push.send([&b"next"[..], &round.to_be_bytes()]).unwrap();
        assert_eq!(raw.frame().unwrap(), (1, b"torn".to_vec()));
        drop(raw);
        let mut raw = Raw::on(listener.accept().unwrap().0).shake("PULL").unwrap();
        assert_eq!(raw.frame().unwrap(), (1, b"next".to_vec()), "round {round}");
        assert_eq!(raw.frame().unwrap(), (0, round.to_be_bytes().to_vec()));
    }
}

/// Waits between tries are as long as the policy says: from `ivl` doubling, at `max` no less than three quarters of it.
#[test]
fn back_off_is_respected() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let listener = port.listen();
    let mut options = patient();
    options.reconnect.ivl = Some(Duration::from_millis(40));
    options.reconnect.max = Some(Duration::from_millis(160));
    let mut push = context.socket_with(SocketType::Push, options).unwrap();
    push.connect(port.endpoint()).unwrap();
    // Accepted and hung up on before the handshake: no success, the wait grows.
    let times: Vec<_> = (0..6)
        .map(|_| {
            drop(listener.accept().unwrap());
            Instant::now()
        })
        .collect();
    let waits: Vec<_> = times.windows(2).map(|two| two[1] - two[0]).collect();
    println!("{waits:?}");
    for (wait, least) in waits.iter().zip([40, 80, 120, 120, 120]) {
        // The clock starts when our close has been noticed, a little after the time taken here.
        assert!(*wait >= Duration::from_millis(least - 5), "{waits:?}");
    }
    // After a handshake it begins anew. The best of three: a busy machine adds to it.
    let restart = (0..3)
        .map(|_| {
            drop(Raw::on(listener.accept().unwrap().0).shake("PULL").unwrap());
            let lost = Instant::now();
            let again = listener.accept().unwrap();
            let wait = lost.elapsed();
            drop(again);
            // The next of the three finds the socket after a failed handshake.
            wait
        })
        .min()
        .unwrap();
    assert!(restart >= Duration::from_millis(35) && restart < Duration::from_millis(140), "{restart:?}");
}

/// Waits have a random part, so that those who lost one server do not come back in one instant.
#[test]
fn waits_differ() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let listener = port.listen();
    let mut options = patient();
    options.reconnect.ivl = Some(Duration::from_millis(200));
    let sockets: Vec<_> = (0..12)
        .map(|_| {
            let mut push = context.socket_with(SocketType::Push, options.clone()).unwrap();
            push.connect(port.endpoint()).unwrap();
            push
        })
        .collect();
    let peers: Vec<_> = sockets.iter().map(|_| Raw::on(listener.accept().unwrap().0).shake("PULL").unwrap()).collect();
    let lost = Instant::now();
    drop(peers);
    let waits: Vec<_> = sockets
        .iter()
        .map(|_| {
            let _ = listener.accept().unwrap();
            lost.elapsed()
        })
        .collect();
    // As libzmq's without a longest wait: one to two times what was asked for.
    let (first, last) = (waits[0], waits[waits.len() - 1]);
    assert!(first >= Duration::from_millis(200) && first < Duration::from_millis(400), "{waits:?}");
    assert!(last - first >= Duration::from_millis(40), "{waits:?}");
}

/// Each condition to stop at ends the attempts, and nothing but that does.
#[test]
fn attempts_end_at_what_they_were_told_to_stop_at() {
    let context = Context::new().unwrap();
    for stop in ["refused", "handshake", "disconnected", "nothing"] {
        let port = Port::reserve();
        let mut options = patient();
        options.reconnect.stop_refused = stop == "refused";
        options.reconnect.stop_handshake = stop == "handshake";
        options.reconnect.stop_disconnected = stop == "disconnected";
        let mut push = context.socket_with(SocketType::Push, options).unwrap();
        let monitor = push.monitor();
        push.connect(port.endpoint()).unwrap();
        let given_up = |patience| {
            let end = Instant::now() + patience;
            std::iter::from_fn(|| monitor.recv_timeout(end.saturating_duration_since(Instant::now())))
                .any(|event| matches!(event, Event::ConnectGivenUp { .. }))
        };
        const SHORT: Duration = Duration::from_millis(60);
        if stop == "refused" {
            assert!(given_up(PATIENCE), "{stop}");
            continue;
        }
        assert!(!given_up(SHORT), "{stop}: nobody is there");
        let listener = port.listen();
        drop(listener.accept().unwrap());
        if stop == "handshake" {
            assert!(given_up(PATIENCE), "{stop}");
            continue;
        }
        assert!(!given_up(SHORT), "{stop}: no handshake");
        drop(Raw::on(listener.accept().unwrap().0).shake("PULL").unwrap());
        // The attempts above were hung up on while this one was made, or it may have been one of them.
        assert_eq!(
            given_up(if stop == "disconnected" { PATIENCE } else { SHORT }),
            stop == "disconnected",
            "{stop}: it was connected"
        );
        if stop == "disconnected" {
            // The pipe goes a moment after that has been told.
            until(|| push.try_send(b"x").is_err());
        } else {
            push.try_send(b"x").expect("there is a pipe as long as it is tried");
        }
    }
}

#[test]
fn never_connects_again_when_told_so() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let listener = port.listen();
    let mut options = patient();
    options.reconnect.ivl = None;
    let mut push = context.socket_with(SocketType::Push, options).unwrap();
    push.connect(port.endpoint()).unwrap();
    drop(Raw::on(listener.accept().unwrap().0).shake("PULL").unwrap());
    // The pipe is gone: there is nobody to send to.
    until(|| push.try_send(b"x").is_err());
    assert!(matches!(push.disconnect(port.endpoint()), Err(Error::NotFound(_))));
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err());
}

#[test]
fn port_is_free_when_unbind_returns() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let mut first = socket(&context, SocketType::Pull);
    let mut second = socket(&context, SocketType::Pull);
    for _ in 0..50 {
        first.bind(port.endpoint()).unwrap();
        assert!(matches!(second.bind(port.endpoint()), Err(Error::System { .. })), "taken");
        first.unbind(port.endpoint()).unwrap();
        second.bind(port.endpoint()).unwrap();
        second.unbind(port.endpoint()).unwrap();
    }
    assert!(matches!(first.unbind(port.endpoint()), Err(Error::NotFound(_))));
}

#[test]
fn port_is_free_soon_after_drop() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    for _ in 0..20 {
        let mut pull = socket(&context, SocketType::Pull);
        until(|| pull.bind(port.endpoint()).is_ok());
        let mut push = socket(&context, SocketType::Push);
        push.connect(port.endpoint()).unwrap();
        push.send(b"x").unwrap();
        pull.recv().unwrap();
    }
}

#[test]
fn unbind_keeps_accepted_connections() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    let endpoint = pull.bind(ANY).unwrap();
    let mut push = socket(&context, SocketType::Push);
    push.connect(&endpoint).unwrap();
    push.send(b"1").unwrap();
    assert_eq!(pull.recv().unwrap().bytes(), b"1");
    pull.unbind(&endpoint).unwrap();
    push.send(b"2").unwrap();
    assert_eq!(pull.recv().unwrap().bytes(), b"2");
    assert!(std::net::TcpStream::connect(address(&endpoint)).is_err());
}

#[test]
fn disconnect_ends_the_connection() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    let endpoint = pull.bind(ANY).unwrap();
    for _ in 0..20 {
        let mut push = socket(&context, SocketType::Push);
        push.connect(&endpoint).unwrap();
        push.send(b"1").unwrap();
        assert_eq!(pull.recv().unwrap().bytes(), b"1");
        push.disconnect(&endpoint).unwrap();
        assert!(matches!(push.try_send(b"2").map_err(Error::from), Err(Error::WouldBlock)), "nobody is there");
        assert!(matches!(push.disconnect(&endpoint), Err(Error::NotFound(_))));
        push.connect(&endpoint).unwrap();
        push.send(b"3").unwrap();
        assert_eq!(pull.recv().unwrap().bytes(), b"3");
    }
}

/// A dead accepted peer's unread messages are still read, those too that the kernel holds when a send finds that
/// the stream takes no more; what was queued for it is not given to others.
#[test]
fn bound_side_reads_what_the_dead_left() {
    for mark in [3, 10, 1000] {
        let context = Context::new().unwrap();
        let mut dealer = context.socket_with(SocketType::Dealer, marks(1000, mark)).unwrap();
        let endpoint = dealer.bind(ANY).unwrap();
        let mut raw = Raw::connect(&endpoint).shake("DEALER").unwrap();
        raw.say(&frame(0, b"hello"));
        assert_eq!(dealer.recv().unwrap().bytes(), b"hello");
        for n in 0..500u32 {
            raw.say(&frame(0, &n.to_be_bytes()));
        }
        // It dies with something unread: its system refuses whatever comes after.
        dealer.send(b"unread").unwrap();
        raw.0.peek(&mut [0]).unwrap();
        drop(raw);
        for _ in 0..20 {
            let _ = dealer.try_send(b"refused");
            std::thread::sleep(Duration::from_millis(1));
        }
        for n in 0..500 {
            assert_eq!(number(&dealer.recv().unwrap()), n, "mark {mark}");
        }
        until(|| dealer.try_send(b"refused").is_err());
        let mut other = Raw::connect(&endpoint).shake("DEALER").unwrap();
        dealer.send(b"new").unwrap();
        assert_eq!(other.frame().unwrap().1, b"new");
    }
}

/// As with libzmq: four types connect to an endpoint once however often they are told to, the others each time.
#[test]
fn connecting_twice_to_one_endpoint() {
    let context = Context::new().unwrap();
    let nobody = Port::reserve();
    let types = [
        (SocketType::Dealer, 1),
        (SocketType::Sub, 1),
        (SocketType::Pub, 1),
        (SocketType::Req, 1),
        (SocketType::Push, 3),
        (SocketType::Pull, 3),
        (SocketType::Router, 3),
        (SocketType::Rep, 3),
        (SocketType::XPub, 3),
        (SocketType::XSub, 3),
    ];
    for (socket_type, connections) in types {
        let mut socket = socket(&context, socket_type);
        for _ in 0..3 {
            socket.connect(nobody.endpoint()).unwrap();
        }
        for n in 0..connections {
            socket.disconnect(nobody.endpoint()).unwrap_or_else(|error| panic!("{socket_type:?}, {n}: {error}"));
        }
        assert!(matches!(socket.disconnect(nobody.endpoint()), Err(Error::NotFound(_))), "{socket_type:?}");
        // Another endpoint is another matter, and so is this one again.
        for endpoint in [nobody.endpoint(), Port::reserve().endpoint()] {
            socket.connect(endpoint).unwrap();
            socket.disconnect(endpoint).unwrap();
        }
    }
}

/// A connection that is given up for good does not stand in the way of another to the same endpoint.
#[test]
fn connecting_again_after_a_breach_of_the_protocol() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let listener = port.listen();
    let mut dealer = socket(&context, SocketType::Dealer);
    dealer.connect(port.endpoint()).unwrap();
    let mut wrong = Raw::on(listener.accept().unwrap().0);
    wrong.say(&[greeting(), ready("PUB")].concat());
    assert!(wrong.closed_within(PATIENCE));
    listener.set_nonblocking(true).unwrap();
    let (stream, _) = within(PATIENCE, || {
        // The end of the stream is seen here a moment before the socket has let the pipe go.
        dealer.connect(port.endpoint()).unwrap();
        listener.accept().ok()
    })
    .0;
    stream.set_nonblocking(false).unwrap();
    let mut router = Raw::on(stream).shake("ROUTER").unwrap();
    dealer.send(b"at last").unwrap();
    assert_eq!(router.frame().unwrap(), (0, b"at last".to_vec()));
}
