//! Pipes that keep the last message alone: what is received is whole and the newest, and nobody is held back.

mod support;

use omnimq::{Context, Error, Poller, Readiness, Socket, SocketOptions, SocketType};
use std::time::Duration;
use support::*;

const MS: Duration = Duration::from_millis(1);

/// Options of a socket that keeps the last message alone, or that keeps them all.
fn conflating(conflate: bool) -> SocketOptions {
    let mut options = patient();
    options.conflate = conflate;
    // A publisher that keeps all messages drops none.
    options.send_hwm = if conflate { 1000 } else { 0 };
    options.routing_id = b"name"[..].into();
    options
}

/// Two sockets that have met at `at`.
fn pair(
    context: &Context,
    (sender, sender_conflates): (SocketType, bool),
    (receiver, receiver_conflates): (SocketType, bool),
    at: &str,
    sender_binds: bool,
) -> (Socket, Socket) {
    let mut from = context.socket_with(sender, conflating(sender_conflates)).unwrap();
    let mut to = context.socket_with(receiver, conflating(receiver_conflates)).unwrap();
    let (binder, other) = if sender_binds { (&mut from, &mut to) } else { (&mut to, &mut from) };
    other.connect(&binder.bind(at).unwrap()).unwrap();
    if receiver == SocketType::Sub {
        to.subscribe("").unwrap();
    }
    // A publisher drops what is sent before it has heard of the topic, a ROUTER what is for a name it has not heard of.
    until(|| {
        say(&mut from, u32::MAX);
        to.recv_timeout(MS).is_ok()
    });
    let left = |from: omnimq::Statistics| from.sent.messages - from.replaced;
    until(|| to.statistics().received.messages == left(from.statistics()));
    while to.try_recv().is_ok() {}
    (from, to)
}

fn say(from: &mut Socket, n: u32) {
    match from.socket_type() {
        SocketType::Router => from.send([&b"name"[..], &n.to_be_bytes()]).unwrap(),
        _ => from.send(&n.to_be_bytes()).unwrap(),
    }
    from.flush();
}

/// The numbers of what is received until nothing comes for a moment.
fn received(socket: &mut Socket) -> Vec<u32> {
    std::iter::from_fn(|| socket.recv_timeout(60 * MS).ok()).map(|message| number(&message)).collect()
}

/// All that was sent has come, and the last of it is there to be received: nothing else is.
#[test]
fn a_receiver_gets_the_last_of_what_came() {
    use SocketType::{Dealer, Pub, Pull, Push, Router, Sub};
    for (sender, receiver) in [(Push, Pull), (Dealer, Dealer), (Pub, Sub), (Router, Dealer)] {
        for at in TRANSPORTS {
            for sender_binds in [false, true] {
                let context = Context::new().unwrap();
                let (mut from, mut to) = pair(&context, (sender, false), (receiver, true), at, sender_binds);
                let before = to.statistics().received.messages;
                (0..1500).for_each(|n| say(&mut from, n));
                until(|| to.statistics().received.messages == before + 1500);
                assert_eq!(to.statistics().peers[0].unreceived, 1, "{sender:?} to {receiver:?} over {at}");
                assert_eq!(number(&to.recv().unwrap()), 1499);
                assert!(matches!(to.try_recv(), Err(Error::WouldBlock)));
                assert_eq!(to.statistics().peers[0].unreceived, 0);
            }
        }
    }
}

/// Within a process either end may ask for it.
#[test]
fn over_inproc_either_end_may_ask_for_it() {
    use SocketType::{Pull, Push};
    for sender_binds in [false, true] {
        let context = Context::new().unwrap();
        let (mut from, mut to) = pair(&context, (Push, true), (Pull, false), "inproc://meet", sender_binds);
        (0..1500).for_each(|n| say(&mut from, n));
        assert_eq!(received(&mut to), [1499]);
    }
}

/// Nobody is there: what waits for whoever comes is the last message, and no mark holds anybody back.
#[test]
fn what_waits_for_a_peer_is_the_last_message() {
    let places = Places::new();
    for endpoint in places.endpoints() {
        for size in [4, 100_000] {
            let context = Context::new().unwrap();
            let mut options = conflating(true);
            options.send_hwm = 3;
            let mut push = context.socket_with(SocketType::Push, options).unwrap();
            push.connect(&endpoint).unwrap();
            push.set_send_hwm(2);
            let mut body = vec![7; size];
            for n in 0..500u32 {
                body[..4].copy_from_slice(&n.to_be_bytes());
                push.try_send(body.as_slice()).unwrap();
            }
            push.flush();
            let statistics = push.statistics();
            assert_eq!((statistics.sent.messages, statistics.peers[0].unsent), (500, 1), "{endpoint}");
            let mut pull = socket(&context, SocketType::Pull);
            pull.bind(&endpoint).unwrap();
            assert_eq!(received(&mut pull), [499], "{endpoint}");
            pull.unbind(&endpoint).unwrap();
        }
    }
}

/// A peer that reads slowly misses messages and never a part of one, and has the last in the end.
#[test]
fn a_slow_peer_gets_whole_messages_and_the_last() {
    let context = Context::new().unwrap();
    let mut options = conflating(true);
    options.send_buffer = Some(32 << 10);
    let mut push = context.socket_with(SocketType::Push, options).unwrap();
    let mut raw = Raw::connect(&push.bind(ANY).unwrap()).shake("PULL").unwrap();
    push.send(b"first").unwrap();
    assert_eq!(raw.frame().unwrap().1, b"first");
    let sender = std::thread::spawn(move || {
        for n in 1..=200 {
            // Of both kinds: those that are copied and those that are kept.
            push.try_send(vec![n; if n % 2 == 0 { 10_000 } else { 300_000 }].as_slice()).unwrap();
        }
        push
    });
    let mut seen = Vec::new();
    while seen.last() != Some(&200) {
        let (flags, body) = raw.frame().unwrap();
        assert!(flags & 1 == 0 && body.iter().all(|&octet| octet == body[0]), "torn");
        assert_eq!(body.len(), if body[0] % 2 == 0 { 10_000 } else { 300_000 });
        seen.push(body[0]);
        std::thread::sleep(MS);
    }
    assert!(seen.is_sorted_by(|one, next| one < next), "{seen:?}");
    assert!(seen.len() < 150, "it misses some: {}", seen.len());
    drop(sender.join().unwrap());
}

/// Messages of several parts take each other's place as messages of one do: whole.
#[test]
fn messages_of_several_parts_stay_whole() {
    use SocketType::{Pull, Push};
    let places = Places::new();
    let parts = |n: u32| [n.to_be_bytes().to_vec(), vec![n as u8; 40_000], vec![], n.to_be_bytes().to_vec()];
    let whole = |message: &omnimq::Message| {
        assert_eq!(frames(message), parts(number(message)));
        number(message)
    };
    for endpoint in places.endpoints() {
        for (sender_conflates, receiver_conflates) in [(false, true), (true, false), (true, true)] {
            let context = Context::new().unwrap();
            let mut push = context.socket_with(Push, conflating(sender_conflates)).unwrap();
            push.connect(&endpoint).unwrap();
            (0..100).for_each(|n| push.send(parts(n)).unwrap());
            let mut pull = context.socket_with(Pull, conflating(receiver_conflates)).unwrap();
            pull.bind(&endpoint).unwrap();
            let mut last = None;
            while last != Some(99) {
                let n = whole(&pull.recv().unwrap());
                assert!(last.is_none_or(|last| last < n));
                last = Some(n);
            }
            pull.unbind(&endpoint).unwrap();
        }
    }
}

/// What comes while a message is received part by part does not mix with it.
#[test]
fn a_message_begun_is_received_to_its_end() {
    use SocketType::{Pull, Push};
    for at in TRANSPORTS {
        let context = Context::new().unwrap();
        let (mut push, mut pull) = pair(&context, (Push, false), (Pull, true), at, false);
        let before = pull.statistics().received.messages;
        push.send(["one", "two"]).unwrap();
        assert_eq!(&pull.recv_part().unwrap()[..], b"one");
        push.send(["three", "four"]).unwrap();
        push.flush();
        until(|| pull.statistics().received.messages == before + 2);
        assert_eq!(&pull.recv_part().unwrap()[..], b"two");
        assert_eq!(frames(&pull.recv().unwrap()), [&b"three"[..], b"four"]);
    }
}

/// An application that is away does not hold its peer back.
#[test]
fn a_receiver_that_is_away_holds_nobody_back() {
    use SocketType::{Pull, Push};
    for at in TRANSPORTS {
        let context = Context::new().unwrap();
        let (mut push, mut pull) = pair(&context, (Push, false), (Pull, true), at, false);
        let before = pull.statistics().received.messages;
        let mut body = [0; 4000];
        for n in 0..4000u32 {
            body[..4].copy_from_slice(&n.to_be_bytes());
            push.send(&body).unwrap();
        }
        push.flush();
        until(|| pull.statistics().received.messages == before + 4000);
        assert_eq!(number(&pull.recv().unwrap()), 3999);
        assert!(matches!(pull.try_recv(), Err(Error::WouldBlock)), "{at}");
    }
}

/// What one end sent the other received, or a later message took its place: each message counts once, at the end where that
/// was.
#[test]
fn what_is_replaced_is_counted() {
    use SocketType::{Dealer, Pull, Push};
    for at in TRANSPORTS {
        for (sender, receiver) in
            [((Push, true), (Pull, false)), ((Push, false), (Pull, true)), ((Dealer, true), (Dealer, true))]
        {
            let context = Context::new().unwrap();
            let (mut from, mut to) = pair(&context, sender, receiver, at, false);
            let counts = |from: &Socket, to: &Socket| {
                let (from, to) = (from.statistics(), to.statistics());
                [from.sent.messages, from.replaced, to.received.messages, to.replaced]
            };
            let before = counts(&from, &to);
            for n in 0..1000u32 {
                from.send([&n.to_be_bytes()[..], &[7; 20_000][..n as usize % 20_000]]).unwrap();
            }
            from.flush();
            let since = |from: &Socket, to: &Socket| std::array::from_fn(|n| counts(from, to)[n] - before[n]);
            until(|| {
                let [sent, given_up, received, _] = since(&from, &to);
                sent == given_up + received
            });
            let taken = std::iter::from_fn(|| to.try_recv().ok()).count() as u64;
            let [sent, given_up, received, replaced] = since(&from, &to);
            assert_eq!((sent, received), (1000, taken + replaced), "{sender:?} to {receiver:?} over {at}");
            assert!(given_up == 0 || sender.1, "{sender:?} to {receiver:?} over {at}");
            assert!(taken == 1 || !receiver.1 && !at.starts_with("inproc"), "{sender:?} to {receiver:?} over {at}: {taken}");
        }
    }
}

/// Topics are not messages: none of them is lost, whichever end keeps the last message alone.
#[test]
fn subscriptions_do_not_take_each_others_place() {
    use SocketType::{Pub, Sub};
    for at in TRANSPORTS {
        for (publisher_conflates, subscriber_conflates) in [(true, false), (false, true)] {
            let context = Context::new().unwrap();
            let mut publisher = context.socket_with(Pub, conflating(publisher_conflates)).unwrap();
            let mut sub = context.socket_with(Sub, conflating(subscriber_conflates)).unwrap();
            ["a", "b", "c"].into_iter().for_each(|topic| sub.subscribe(topic).unwrap());
            sub.connect(&publisher.bind(at).unwrap()).unwrap();
            for topic in ["a", "b", "c"] {
                until(|| {
                    publisher.send(topic).unwrap();
                    sub.recv_timeout(MS).is_ok_and(|message| message.bytes() == topic.as_bytes())
                });
            }
        }
    }
}

/// What a poller has told of is received; what has come since, next.
#[test]
fn what_was_told_of_is_received() {
    use SocketType::{Pull, Push};
    let context = Context::new().unwrap();
    let (mut push, mut pull) = pair(&context, (Push, false), (Pull, true), ANY, false);
    let mut poller = Poller::new().unwrap();
    poller.add(1, &pull, Readiness::RECEIVE);
    say(&mut push, 1);
    assert_eq!(poller.wait(Some(PATIENCE)).unwrap().len(), 1);
    (2..10).for_each(|n| say(&mut push, n));
    let mut all = vec![number(&pull.recv().unwrap())];
    while all.last() != Some(&9) {
        all.push(number(&pull.recv().unwrap()));
    }
    assert!(all.is_sorted(), "{all:?}");
    assert!(matches!(pull.try_recv(), Err(Error::WouldBlock)));
}

/// As with libzmq, sockets of other types keep all messages whatever they were told.
#[test]
fn other_types_keep_all_messages() {
    use SocketType::Pair;
    for at in TRANSPORTS {
        let context = Context::new().unwrap();
        let (mut from, mut to) = pair(&context, (Pair, true), (Pair, true), at, false);
        send_numbers(&mut from, 0..100);
        hears(&mut to, 0..100);
    }
}
