//! XPUB: what of the subscriptions is shown, and that none of it is lost.

use crate::harness::{Bench, Small, both};
use omnimq_core::{
    CloseReason, FilterError, Limit, LocalStorage, OptionError, PipeWriter, Pub, RecvError, Refusal, Side, Signal,
    Verbosity, XPub,
};
use std::collections::BTreeSet;

/// Two peers subscribe to and cancel `a`, one of them twice; the other dies with it.
fn shown<S: LocalStorage>(verbosity: Verbosity) -> Vec<String> {
    let mut bench = Bench::<XPub, S>::with(XPub, |options| options.verbosity = verbosity);
    let peers = bench.peers(2);
    let mut shown = Vec::new();
    for step in 0..7 {
        match step {
            0 | 1 => bench.peer_subscribes(peers[0], "a"),
            2 | 5 => bench.peer_subscribes(peers[1], "a"),
            3 | 4 => bench.peer_cancels(peers[0], "a"),
            _ => assert!(bench.socket.close_pipe(peers[1]) || bench.socket.can_recv()),
        }
        shown.extend(bench.recv_all());
        shown.push("/".into());
    }
    shown
}

both! {
    #[test]
    fn verbosity_decides_what_is_shown<S>() {
        let cases = [
            (Verbosity::Changes, vec!["\u{1}a", "/", "/", "/", "/", "/", "/", "\u{0}a", "/"]),
            (Verbosity::Subscriptions, vec!["\u{1}a", "/", "\u{1}a", "/", "\u{1}a", "/", "/", "/", "\u{1}a", "/", "\u{0}a", "/"]),
            (
                Verbosity::All,
                vec!["\u{1}a", "/", "\u{1}a", "/", "\u{1}a", "/", "\u{0}a", "/", "\u{0}a", "/", "\u{1}a", "/", "\u{0}a", "/"],
            ),
        ];
        for (verbosity, wanted) in cases {
            assert_eq!(shown::<S>(verbosity), wanted, "{verbosity:?}");
        }
    }

    #[test]
    fn manual_leaves_the_topics_to_the_application<S>() {
        let mut bench = Bench::<XPub, S>::with(XPub, |options| options.manual = true);
        let peers = bench.peers(2);
        bench.socket.subscribe(b"nobody's").unwrap();
        bench.peer_subscribes(peers[0], "a");
        bench.peer_subscribes(peers[1], "a");
        bench.send("a").unwrap();
        assert_eq!(bench.recv(), Ok("\u{1}a".into()));
        bench.socket.subscribe(b"x").unwrap();
        assert_eq!(bench.recv(), Ok("\u{1}a".into()));
        bench.socket.subscribe(b"y").unwrap();
        for message in ["a", "x", "y"] {
            bench.send(message).unwrap();
        }
        assert_eq!(bench.peer_receives(peers[0]), ["x"]);
        assert_eq!(bench.peer_receives(peers[1]), ["y"]);
        bench.peer_cancels(peers[1], "a");
        assert_eq!(bench.recv(), Ok("\u{0}a".into()));
        bench.socket.unsubscribe(b"y").unwrap();
        bench.send("y").unwrap();
        assert_eq!(bench.peer_receives(peers[1]), [""; 0]);
        // What a peer asked for ends with it, and so does what it was given.
        assert!(bench.socket.close_pipe(peers[0]));
        assert_eq!(bench.recv(), Ok("\u{0}a".into()));
        let next = bench.peer("");
        assert_eq!(next, peers[0]);
        bench.socket.subscribe(b"x").unwrap();
        bench.send("x").unwrap();
        assert_eq!(bench.peer_receives(next), [""; 0]);
    }

    #[test]
    fn an_answer_to_a_peer_that_has_gone_does_not_reach_its_successor<S>() {
        let mut bench = Bench::<XPub, S>::with(XPub, |options| options.manual = true);
        let first = bench.peer("");
        bench.peer_subscribes(first, "a");
        assert_eq!(bench.recv(), Ok("\u{1}a".into()));
        bench.peer_subscribes(first, "b");
        bench.socket.close_pipe(first);
        assert_eq!(bench.recv(), Ok("\u{1}b".into()));
        bench.socket.subscribe(b"").unwrap();
        assert_eq!(bench.recv_all(), ["\u{0}a", "\u{0}b"]);
        let second = bench.peer("");
        assert_eq!(first, second);
        bench.send("x").unwrap();
        assert_eq!(bench.peer_receives(second), [""; 0]);
    }

    #[test]
    fn without_manual_there_is_nothing_to_apply<S>() {
        let mut bench = Bench::<XPub, S>::new(XPub);
        assert_eq!(bench.socket.subscribe(b"a"), Err(FilterError::NotSupported));
        assert_eq!(bench.socket.unsubscribe(b"a"), Err(FilterError::NotSupported));
        assert_eq!(Bench::<Pub, S>::new(Pub).socket.welcome(b"hi"), Err(OptionError::NotSupported));
        assert_eq!(bench.socket.connect_routing_id(b"hi"), Err(OptionError::NotSupported));
    }

    #[test]
    fn welcomes_each_pipe_once<S>() {
        let mut bench = Bench::<XPub, S>::new(XPub);
        let before = bench.peer("");
        bench.socket.welcome(b"hello").unwrap();
        let (bound, connecting) = (bench.peer(""), bench.attach(Side::Connect));
        bench.ready(connecting, "");
        bench.ready(connecting, "");
        assert_eq!(bench.peer_receives(before), [""; 0]);
        assert_eq!(bench.peer_receives(bound), ["hello"]);
        assert_eq!(bench.peer_receives(connecting), ["hello"]);
        bench.socket.welcome(b"").unwrap();
        let after = bench.peer("");
        assert_eq!(bench.peer_receives(after), [""; 0]);
    }

    #[test]
    fn user_messages_are_received_whole_between_events<S>() {
        let mut bench = Bench::<XPub, S>::new(XPub);
        let peer = bench.peer("");
        bench.peer_sends(peer, "u|v");
        assert_eq!(bench.recv_part(), Ok(("u".into(), true)));
        bench.peer_subscribes(peer, "a");
        assert_eq!(bench.recv_part(), Ok(("v".into(), false)));
        assert_eq!(bench.recv_all(), ["\u{1}a"]);
    }

    #[test]
    fn signals_wait_in_their_lane_while_events_do<S>() {
        let mut bench = Bench::<XPub, S>::with(XPub, |options| options.limits.events = 1);
        let peer = bench.peer("");
        let topics = ["a", "b", "c", "d", "e", "f"];
        let mut sent = topics.iter();
        let mut next = sent.next();
        let mut shown = Vec::new();
        while shown.len() < topics.len() {
            while let Some(topic) = next {
                let rx = &mut bench.socket.pipe(peer).unwrap().rx;
                if rx.signal(Signal::Subscribe(topic.as_bytes())) == Err(Refusal::Full) {
                    break;
                }
                next = sent.next();
                bench.socket.process(peer);
            }
            shown.push(bench.recv().expect("an event"));
        }
        assert_eq!(shown, ["\u{1}a", "\u{1}b", "\u{1}c", "\u{1}d", "\u{1}e", "\u{1}f"]);
        assert_eq!(bench.recv(), Err(RecvError::Again));
    }

    #[test]
    fn a_dying_peers_cancellations_are_all_shown<S>() {
        let mut bench = Bench::<XPub, S>::with(XPub, |options| options.limits.events = 2);
        let (dying, other) = (bench.peer(""), bench.peer(""));
        let topics = ["", "a", "b", "c", "d", "e", "f", "g"];
        for topic in topics {
            bench.peer_subscribes(dying, topic);
            assert_eq!(bench.recv(), Ok(format!("\u{1}{topic}")));
        }
        bench.peer_subscribes(other, "g");
        bench.peer_sends(dying, "bye");
        assert!(!bench.socket.close_pipe(dying));
        bench.send("a").unwrap();
        let shown: BTreeSet<String> = (0..7).map(|_| bench.recv().unwrap()).filter(|shown| shown != "bye").collect();
        assert!(!bench.socket.is_gone(dying) || shown.len() == 7);
        let shown: BTreeSet<String> = shown.into_iter().chain(bench.recv_all()).filter(|shown| shown != "bye").collect();
        let wanted: BTreeSet<String> = topics.iter().filter(|topic| **topic != "g").map(|topic| format!("\u{0}{topic}")).collect();
        assert_eq!(shown, wanted);
        assert!(bench.socket.is_gone(dying));
    }

    #[test]
    fn a_new_connection_waits_until_the_old_topics_have_been_shown_to_end<S>() {
        let mut bench = Bench::<XPub, S>::with(XPub, |options| options.limits.events = 1);
        let peer = bench.attach(Side::Connect);
        bench.ready(peer, "");
        for topic in ["a", "b", "c", "d"] {
            bench.peer_subscribes(peer, topic);
            assert_eq!(bench.recv(), Ok(format!("\u{1}{topic}")));
        }
        bench.ready(peer, "");
        let ended: BTreeSet<String> = (0..4).map(|_| bench.recv().unwrap()).collect();
        assert_eq!(ended.into_iter().collect::<Vec<_>>(), ["\u{0}a", "\u{0}b", "\u{0}c", "\u{0}d"]);
        bench.peer_subscribes(peer, "a");
        assert_eq!(bench.recv_all(), ["\u{1}a"]);
    }

    #[test]
    fn a_close_behind_waiting_subscriptions_is_told_later<S>() {
        let mut bench = Bench::<XPub, S>::with(XPub, |options| options.limits.events = 1);
        let peer = bench.peer("");
        for topic in ["a", "b"] {
            bench.peer_subscribes(peer, topic);
        }
        let rx = &mut bench.socket.pipe(peer).unwrap().rx;
        rx.signal(Signal::Subscribe(b"c")).unwrap();
        rx.signal(Signal::Close(CloseReason::EndOfStream)).unwrap();
        assert_eq!(bench.socket.process(peer), None);
        assert_eq!(bench.recv(), Ok("\u{1}a".into()));
        assert_eq!(bench.socket.poll_closed(), Some((peer, CloseReason::EndOfStream)));
        assert_eq!(bench.socket.poll_closed(), None);
    }
}

/// A peer with more topics than fit is shown as subscribed to everything, and as cancelling that when it dies.
#[test]
fn topics_that_do_not_fit_are_shown_as_everything() {
    let mut bench = Bench::<XPub, Small>::new(XPub);
    let peers = bench.peers(2);
    let mut shown = Vec::new();
    for topic in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] {
        bench.peer_subscribes(peers[0], topic);
        shown.extend(bench.recv_all());
    }
    assert_eq!(shown.split_off(8), ["\u{1}"]);
    bench.peer_subscribes(peers[1], "");
    bench.peer_cancels(peers[0], "i");
    assert_eq!(bench.recv_all(), [""; 0]);
    bench.peer_cancels(peers[1], "");
    assert_eq!(bench.recv_all(), [""; 0], "the other one still wants everything");
    bench.peer_subscribes(peers[1], "");
    assert_eq!(bench.recv_all(), [""; 0]);
    bench.socket.close_pipe(peers[1]);
    assert_eq!(bench.recv_all(), [""; 0]);
    bench.socket.close_pipe(peers[0]);
    let ended: BTreeSet<String> = bench.recv_all().into_iter().collect();
    let wanted = ["", "a", "b", "c", "d", "e", "f", "g", "h"].map(|topic| format!("\u{0}{topic}"));
    assert_eq!(ended, wanted.into());
    assert!(bench.socket.is_gone(peers[0]));
}

/// A peer that is put down for everything goes on to be, whoever else asked for everything and cancels that, and whatever
/// it cancels that was not kept.
#[test]
fn everything_is_wanted_as_long_as_one_is_put_down_for_it() {
    let mut bench = Bench::<XPub, Small>::with(XPub, |options| options.verbosity = Verbosity::All);
    let peers = bench.peers(2);
    for topic in ["a", "b", "c", "d", "e", "f", "g", "h", "does not fit"] {
        bench.peer_subscribes(peers[0], topic);
        bench.recv_all();
    }
    bench.peer_subscribes(peers[1], "");
    bench.recv_all();
    bench.peer_cancels(peers[0], "does not fit");
    assert_eq!(bench.recv_all(), [""; 0], "it was not shown");
    bench.peer_cancels(peers[1], "never asked for");
    assert_eq!(bench.recv_all(), ["\u{0}never asked for"]);
    bench.send("to whoever wants everything").unwrap();
    for peer in &peers {
        assert_eq!(bench.peer_receives(*peer).len(), 1);
    }
}

/// With `manual` nothing can be assumed for a peer: one that asks for too much is closed.
#[test]
fn manual_closes_a_peer_whose_topics_do_not_fit() {
    let mut bench = Bench::<XPub, Small>::with(XPub, |options| options.manual = true);
    let peer = bench.peer("");
    for topic in ["a", "b", "c", "d", "e", "f", "g", "h", "i"] {
        bench.peer_subscribes(peer, topic);
        bench.recv_all();
    }
    assert_eq!(bench.wants_closed(peer), Some(CloseReason::Limit(Limit::Topics)));
    bench.socket.close_pipe(peer);
    assert_eq!(bench.recv_all().len(), 0);
    assert!(bench.socket.is_gone(peer));
}

/// 100,000 topics of a peer that dies are shown to end, through a queue of 1,000.
#[test]
fn a_hundred_thousand_cancellations() {
    let mut bench = Bench::<XPub, omnimq_core::Heap>::with(XPub, |options| options.limits.events = 1_000);
    let peer = bench.peer("");
    for topic in 0..100_000 {
        bench.peer_subscribes(peer, &topic.to_string());
        bench.recv().unwrap();
    }
    assert!(!bench.socket.close_pipe(peer));
    let mut shown = vec![false; 100_000];
    while let Ok(event) = bench.recv() {
        let topic: usize = event.strip_prefix('\u{0}').unwrap().parse().unwrap();
        assert!(!std::mem::replace(&mut shown[topic], true));
    }
    assert!(shown.into_iter().all(|shown| shown));
    assert!(bench.socket.is_gone(peer));
}

/// The peer's own lane is written by the test: signals are never refused for want of messages' room.
#[test]
fn events_do_not_count_towards_the_mark() {
    let mut bench = Bench::<XPub, omnimq_core::Heap>::with(XPub, |options| options.recv_hwm = 1);
    let peer = bench.peer("");
    bench.peer_sends(peer, "fills the lane");
    assert!(!bench.socket.pipe(peer).unwrap().rx.writable());
    bench.peer_subscribes(peer, "a");
    assert_eq!(bench.recv_all(), ["\u{1}a", "fills the lane"]);
}
