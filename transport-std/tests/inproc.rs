//! Sockets of one context that meet at a name: who comes first, what fits in between, who goes.

mod support;

use omnimq::{Context, Error, Socket, SocketOptions, SocketType};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::time::Duration;
use support::*;

const NAME: &str = "inproc://a name";

fn empty(socket: &mut Socket) -> bool {
    matches!(socket.try_recv(), Err(Error::WouldBlock))
}

/// Two sockets that have met, the second having bound.
fn pair(
    context: &Context,
    (first, options): (SocketType, SocketOptions),
    (second, other_options): (SocketType, SocketOptions),
    bind_first: bool,
) -> (Socket, Socket) {
    let mut first = context.socket_with(first, options).unwrap();
    let mut second = context.socket_with(second, other_options).unwrap();
    if bind_first {
        second.bind(NAME).unwrap();
        first.connect(NAME).unwrap();
    } else {
        first.connect(NAME).unwrap();
        second.bind(NAME).unwrap();
    }
    (first, second)
}

#[test]
fn marks_add_up_exactly_whoever_comes_first() {
    for (send, recv) in [(1, 1), (2, 3), (1, 10), (10, 1), (7, 8), (1000, 1000), (1, 0), (0, 1), (0, 0)] {
        for bind_first in [true, false] {
            for sender_binds in [true, false] {
                let context = Context::new().unwrap();
                let push = (SocketType::Push, marks(send, 77));
                let pull = (SocketType::Pull, marks(99, recv));
                let (mut push, mut pull) = if sender_binds {
                    let (pull, push) = pair(&context, pull, push, bind_first);
                    (push, pull)
                } else {
                    pair(&context, push, pull, bind_first)
                };
                let room = if send == 0 || recv == 0 { 5000 } else { send + recv };
                for n in 0..room {
                    push.try_send(&n.to_be_bytes()).unwrap();
                }
                if send != 0 && recv != 0 {
                    assert_eq!(fill(&mut push, b"one more"), 0, "{send} + {recv}");
                }
                for n in 0..room {
                    assert_eq!(number(&pull.try_recv().unwrap()), n);
                }
                assert!(empty(&mut pull));
                assert!(push.try_send(b"room again").is_ok());
            }
        }
    }
}

#[test]
fn credit_comes_back_every_half_of_the_sum() {
    let context = Context::new().unwrap();
    let (mut push, mut pull) = pair(&context, (SocketType::Push, marks(40, 1)), (SocketType::Pull, marks(1, 60)), true);
    assert_eq!(fill(&mut push, b"x"), 100);
    for _ in 0..49 {
        pull.recv().unwrap();
    }
    assert_eq!(fill(&mut push, b"x"), 0);
    pull.recv().unwrap();
    assert_eq!(fill(&mut push, b"x"), 50);
}

#[test]
fn before_anybody_binds_the_connectors_mark_holds() {
    let context = Context::new().unwrap();
    let mut push = context.socket_with(SocketType::Push, marks(5, 1)).unwrap();
    push.connect(NAME).unwrap();
    for n in 0..5u32 {
        push.try_send(&n.to_be_bytes()).unwrap();
    }
    assert_eq!(fill(&mut push, b"x"), 0);
    let mut pull = context.socket_with(SocketType::Pull, marks(1, 3)).unwrap();
    pull.bind(NAME).unwrap();
    for n in 5..8u32 {
        push.try_send(&n.to_be_bytes()).unwrap();
    }
    assert_eq!(fill(&mut push, b"x"), 0);
    for n in 0..8u32 {
        assert_eq!(number(&pull.try_recv().unwrap()), n);
    }
    assert!(empty(&mut pull));
}

#[test]
fn messages_keep_their_frames_and_their_order() {
    let context = Context::new().unwrap();
    let large = vec![7; 100_000];
    for bind_first in [true, false] {
        let (mut a, mut b) = pair(&context, (SocketType::Pair, patient()), (SocketType::Pair, patient()), bind_first);
        for n in 0..50u32 {
            a.send([&n.to_be_bytes()[..], b"", &large, b"end"]).unwrap();
            a.send(&n.to_be_bytes()).unwrap();
            a.send([&large[..], &n.to_be_bytes()]).unwrap();
        }
        for n in 0..50u32 {
            assert_eq!(frames(&b.recv().unwrap()), [&n.to_be_bytes()[..], b"", &large, b"end"]);
            assert_eq!(frames(&b.recv().unwrap()), [n.to_be_bytes()]);
            assert_eq!(frames(&b.recv().unwrap()), [&large[..], &n.to_be_bytes()]);
        }
        assert!(empty(&mut b));
    }
}

/// Both directions at once, one thread each way, through marks that fill up all the time.
#[test]
fn floods_across_threads_arrive_whole_and_in_order() {
    const COUNT: u32 = 20_000;
    let context = Context::new().unwrap();
    let threads: Vec<_> = (0..3)
        .map(|n| {
            let context = context.clone();
            std::thread::spawn(move || {
                let mut push = context.socket_with(SocketType::Push, marks(3, 1)).unwrap();
                push.connect(NAME).unwrap();
                for number in 0..COUNT {
                    push.send([&[n][..], &number.to_be_bytes()]).unwrap();
                }
            })
        })
        .collect();
    let mut pull = context.socket_with(SocketType::Pull, marks(1, 5)).unwrap();
    pull.bind(NAME).unwrap();
    let mut next = [0u32; 3];
    for _ in 0..3 * COUNT {
        let message = pull.recv().unwrap();
        let from = usize::from(message[0][0]);
        assert_eq!(number(&message), next[from]);
        next[from] += 1;
    }
    assert_eq!(next, [COUNT; 3]);
    assert!(empty(&mut pull));
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn questions_and_answers_across_threads() {
    let context = Context::new().unwrap();
    let (mut req, mut rep) = pair(&context, (SocketType::Req, patient()), (SocketType::Rep, patient()), false);
    let answers = std::thread::spawn(move || {
        for _ in 0..20_000 {
            let question = rep.recv().unwrap();
            rep.send(question).unwrap();
        }
    });
    for n in 0..20_000u32 {
        req.send(&n.to_be_bytes()).unwrap();
        assert_eq!(number(&req.recv().unwrap()), n);
    }
    answers.join().unwrap();
}

#[test]
fn a_name_has_one_owner_in_each_context() {
    let (context, elsewhere) = (Context::new().unwrap(), Context::new().unwrap());
    let mut pull = socket(&context, SocketType::Pull);
    assert_eq!(pull.bind(NAME).unwrap(), NAME);
    assert_eq!(pull.last_endpoint(), NAME);
    assert_eq!(refused(pull.bind(NAME)), ErrorKind::AddrInUse);
    let mut other = socket(&context, SocketType::Pull);
    assert_eq!(refused(other.bind(NAME)), ErrorKind::AddrInUse);
    assert!(matches!(other.unbind(NAME), Err(Error::NotFound(_))), "another's");
    socket(&elsewhere, SocketType::Pull).bind(NAME).unwrap();
    pull.unbind(NAME).unwrap();
    assert!(matches!(pull.unbind(NAME), Err(Error::NotFound(_))));
    other.bind(NAME).unwrap();
    drop(other);
    pull.bind(NAME).unwrap();
    let long = format!("inproc://{}", "n".repeat(257));
    assert!(matches!(pull.bind(&long), Err(Error::TooLong(_))));
    pull.bind(&long[..long.len() - 1]).unwrap();
}

#[test]
fn unbind_keeps_those_who_have_met() {
    let context = Context::new().unwrap();
    let (mut push, mut pull) = pair(&context, (SocketType::Push, patient()), (SocketType::Pull, patient()), true);
    pull.unbind(NAME).unwrap();
    for n in 0..3000u32 {
        push.send(&n.to_be_bytes()).unwrap();
        assert_eq!(number(&pull.recv().unwrap()), n);
    }
    let mut late = socket(&context, SocketType::Push);
    late.connect(NAME).unwrap();
    late.send(b"waits").unwrap();
    late.flush();
    assert!(empty(&mut pull));
    pull.bind(NAME).unwrap();
    assert_eq!(pull.recv().unwrap().bytes(), b"waits");
}

#[test]
fn what_was_sent_is_read_after_its_sender_has_gone() {
    for bind_first in [true, false] {
        for sender_binds in [true, false] {
            let context = Context::new().unwrap();
            let (push, pull) = ((SocketType::Push, patient()), (SocketType::Pull, patient()));
            let (mut push, mut pull) = if sender_binds {
                let (pull, push) = pair(&context, pull, push, bind_first);
                (push, pull)
            } else {
                pair(&context, push, pull, bind_first)
            };
            for n in 0..1500u32 {
                push.send(&n.to_be_bytes()).unwrap();
            }
            drop(push);
            for n in 0..1500u32 {
                assert_eq!(number(&pull.try_recv().unwrap()), n);
            }
            assert!(empty(&mut pull));
            drop(pull);
            bounded(move || context.term());
        }
    }
}

#[test]
fn a_connection_that_waits_outlives_its_socket_as_long_as_it_may_linger() {
    let context = Context::new().unwrap();
    for linger in [None, Some(Duration::ZERO)] {
        let mut options = patient();
        options.linger = linger;
        let mut push = context.socket_with(SocketType::Push, options).unwrap();
        push.connect(NAME).unwrap();
        push.send(b"kept").unwrap();
        drop(push);
        let mut options = patient();
        options.linger = linger;
        if linger.is_some() {
            std::thread::sleep(Duration::from_millis(50));
        }
        let mut pull = context.socket_with(SocketType::Pull, options).unwrap();
        pull.bind(NAME).unwrap();
        assert_eq!(pull.try_recv().is_ok(), linger.is_none());
    }
    // Nobody will bind any more: the end of the context does not wait for that.
    let mut push = socket(&context, SocketType::Push);
    push.connect("inproc://nobody").unwrap();
    push.send(b"lost").unwrap();
    drop(push);
    bounded(move || context.term());
}

#[test]
fn who_binds_may_go_and_another_take_the_name() {
    let context = Context::new().unwrap();
    let mut push = socket(&context, SocketType::Push);
    for round in 0..100u32 {
        let mut pull = socket(&context, SocketType::Pull);
        pull.bind(NAME).unwrap();
        push.connect(NAME).unwrap();
        push.send(&round.to_be_bytes()).unwrap();
        assert_eq!(number(&pull.recv().unwrap()), round);
        drop(pull);
        assert_eq!(fill(&mut push, b"nobody"), 0, "there is no connecting again");
    }
}

#[test]
fn disconnected_is_disconnected() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    let mut push = socket(&context, SocketType::Push);
    assert!(matches!(push.disconnect(NAME), Err(Error::NotFound(_))));
    push.connect(NAME).unwrap();
    push.send(b"to nobody").unwrap();
    push.disconnect(NAME).unwrap();
    assert_eq!(fill(&mut push, b"x"), 0);
    pull.bind(NAME).unwrap();
    assert!(empty(&mut pull));
    for round in 0..100u32 {
        push.connect(NAME).unwrap();
        push.send(&round.to_be_bytes()).unwrap();
        push.disconnect(NAME).unwrap();
        assert!(matches!(push.disconnect(NAME), Err(Error::NotFound(_))));
        assert_eq!(number(&pull.recv().unwrap()), round, "what was sent before stays");
        assert_eq!(fill(&mut push, b"x"), 0);
    }
}

#[test]
fn a_waiting_receiver_is_woken_by_whatever_comes() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    pull.bind(NAME).unwrap();
    let receiver = std::thread::spawn(move || {
        let heard: BTreeSet<_> = (0..200).map(|_| number(&pull.recv().unwrap())).collect();
        assert!(heard.into_iter().eq(0..200));
    });
    for n in 0..200u32 {
        let mut push = socket(&context, SocketType::Push);
        push.connect(NAME).unwrap();
        push.send(&n.to_be_bytes()).unwrap();
    }
    receiver.join().unwrap();
}

#[test]
fn a_waiting_sender_is_woken_by_room_and_by_who_binds() {
    let context = Context::new().unwrap();
    for _ in 0..50 {
        let (other, name) = (context.clone(), NAME);
        let sender = std::thread::spawn(move || {
            let mut push = other.socket_with(SocketType::Push, marks(1, 1)).unwrap();
            push.connect(name).unwrap();
            for n in 0..100u32 {
                push.send(&n.to_be_bytes()).unwrap();
            }
        });
        let mut pull = context.socket_with(SocketType::Pull, marks(1, 1)).unwrap();
        pull.bind(name).unwrap();
        for n in 0..100u32 {
            assert_eq!(number(&pull.recv().unwrap()), n);
        }
        sender.join().unwrap();
    }
}

#[test]
fn those_who_may_not_talk_do_not_meet() {
    let context = Context::new().unwrap();
    for bind_first in [true, false] {
        let (mut push, mut sub) = pair(&context, (SocketType::Push, patient()), (SocketType::Sub, patient()), bind_first);
        assert_eq!(fill(&mut push, b"x"), 0);
        sub.subscribe("").unwrap();
        assert!(empty(&mut sub));
    }
}

#[test]
fn a_pair_has_one_companion() {
    let context = Context::new().unwrap();
    let (mut first, mut server) = pair(&context, (SocketType::Pair, patient()), (SocketType::Pair, patient()), true);
    let mut second = socket(&context, SocketType::Pair);
    second.connect(NAME).unwrap();
    second.flush();
    assert_eq!(fill(&mut second, b"x"), 0, "turned away");
    first.send(b"first").unwrap();
    assert_eq!(server.recv().unwrap().bytes(), b"first");
    server.send(b"answer").unwrap();
    assert_eq!(first.recv().unwrap().bytes(), b"answer");
    drop(first);
    let mut third = socket(&context, SocketType::Pair);
    third.connect(NAME).unwrap();
    third.send(b"third").unwrap();
    assert_eq!(server.recv().unwrap().bytes(), b"third");
}

#[test]
fn publishers_hear_of_topics_at_once_and_hold_on_to_nothing() {
    let context = Context::new().unwrap();
    for publisher in [SocketType::Pub, SocketType::XPub] {
        for bind_first in [true, false] {
            let (mut sub, mut publisher) = pair(&context, (SocketType::Sub, patient()), (publisher, patient()), bind_first);
            sub.subscribe("a").unwrap();
            publisher.send("a1").unwrap();
            publisher.send("b1").unwrap();
            sub.subscribe("b").unwrap();
            publisher.send("b2").unwrap();
            for text in ["a1", "b2"] {
                assert_eq!(sub.try_recv().unwrap().bytes(), text.as_bytes());
            }
            sub.unsubscribe("a").unwrap();
            sub.subscribe("c").unwrap();
            publisher.send("a3").unwrap();
            publisher.send("c3").unwrap();
            assert_eq!(sub.try_recv().unwrap().bytes(), b"c3");
            assert!(empty(&mut sub));
        }
    }
    // What comes upstream to a PUB is thrown away, and its room comes back.
    let (mut xsub, _publisher) = pair(&context, (SocketType::XSub, marks(2, 2)), (SocketType::Pub, marks(2, 2)), true);
    for _ in 0..100 {
        xsub.send("upstream").unwrap();
        xsub.flush();
    }
}

#[test]
fn a_socket_may_meet_itself() {
    let context = Context::new().unwrap();
    let mut dealer = socket(&context, SocketType::Dealer);
    dealer.bind(NAME).unwrap();
    dealer.connect(NAME).unwrap();
    for n in 0..1000u32 {
        dealer.send(&n.to_be_bytes()).unwrap();
        assert_eq!(number(&dealer.recv().unwrap()), n);
    }
    drop(dealer);
    bounded(move || context.term());
}

/// Connecting, binding, sending and going at once, from many threads: nothing hangs, nothing is torn.
#[test]
fn coming_and_going_at_once() {
    let context = Context::new().unwrap();
    let threads: Vec<_> = (0..6u32)
        .map(|n| {
            let context = context.clone();
            std::thread::spawn(move || {
                for round in 0..60u32 {
                    let name = format!("inproc://{}", (n + round) % 2);
                    let mut options = patient();
                    options.send_timeout = Some(Duration::from_millis(2));
                    options.recv_timeout = Some(Duration::from_millis(2));
                    let mut socket = context.socket_with(SocketType::Dealer, options).unwrap();
                    let bound = n % 2 == 0 && socket.bind(&name).is_ok();
                    if !bound {
                        socket.connect(&name).unwrap();
                    }
                    for _ in 0..20 {
                        let _ = socket.send([&b"head"[..], &round.to_be_bytes()]);
                        if let Ok(message) = socket.recv() {
                            assert_eq!((message.len(), message.bytes()), (2, &b"head"[..]));
                        }
                    }
                    if bound && round % 3 == 0 {
                        socket.unbind(&name).unwrap();
                    } else if !bound && round % 3 == 1 {
                        let _ = socket.disconnect(&name);
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    bounded(move || context.term());
}
