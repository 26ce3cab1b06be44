//! SUB: telling publishers, filtering locally.

use crate::harness::{Bench, Small, both, join};
use omnimq_core::{FilterError, Heap, PipeReader, PipeWriter, Pub, RecvError, Side, Signal, Sub};

both! {
    #[test]
    fn tells_every_publisher_and_filters<S>() {
        let mut bench = Bench::<Sub, S>::new(Sub);
        bench.socket.subscribe(b"a").unwrap();
        let (first, silent) = (bench.peer(""), bench.attach(Side::Connect));
        bench.socket.subscribe(b"b").unwrap();
        assert_eq!(bench.peer_hears(first), ["+a", "+b"]);
        assert_eq!(bench.peer_hears(silent), [""; 0]);
        for message in ["a|zz", "c|a", "b"] {
            bench.peer_sends(first, message);
        }
        assert_eq!(bench.recv_all(), ["a|zz", "b"]);
        bench.ready(silent, "");
        assert_eq!(bench.peer_hears(silent), ["+a", "+b"]);
        bench.socket.unsubscribe(b"a").unwrap();
        assert_eq!(bench.peer_hears(first), ["-a"]);
        assert_eq!(bench.peer_hears(silent), ["-a"]);
        bench.peer_sends(first, "a");
        assert_eq!(bench.recv(), Err(RecvError::Again));
    }

    #[test]
    fn subscribe_twice_unsubscribe_twice<S>() {
        let mut bench = Bench::<Sub, S>::new(Sub);
        let peer = bench.peer("");
        for (wanted, heard) in [(true, vec!["+a"]), (true, vec!["+a"]), (false, vec![]), (false, vec!["-a"]), (false, vec![])] {
            if wanted { bench.socket.subscribe(b"a") } else { bench.socket.unsubscribe(b"a") }.unwrap();
            assert_eq!(bench.peer_hears(peer), heard);
        }
        bench.socket.unsubscribe(b"never asked for").unwrap();
        bench.socket.subscribe(b"a").unwrap();
        assert_eq!(bench.peer_hears(peer), ["+a"]);
    }

    #[test]
    fn replays_at_each_handshake<S>() {
        let mut bench = Bench::<Sub, S>::new(Sub);
        let peer = bench.attach(Side::Connect);
        bench.ready(peer, "");
        for topic in ["a", "b", "c"] {
            bench.socket.subscribe(topic.as_bytes()).unwrap();
        }
        bench.socket.unsubscribe(b"b").unwrap();
        let mut known = std::collections::BTreeSet::new();
        for heard in bench.peer_hears(peer) {
            match heard.split_at(1) {
                ("+", topic) => known.insert(topic.to_owned()),
                (_, topic) => known.remove(topic),
            };
        }
        assert_eq!(known.into_iter().collect::<Vec<_>>(), ["a", "c"]);
        bench.ready(peer, "");
        assert_eq!(bench.peer_hears(peer), ["+a", "+c"]);
    }

    /// What a publisher was told goes with it: its successor hears of no end of what it never heard of.
    #[test]
    fn a_publisher_that_has_gone_is_owed_nothing<S>() {
        let mut bench = Bench::<Sub, S>::new(Sub);
        let first = bench.peer("");
        bench.socket.subscribe(b"a").unwrap();
        assert_eq!(bench.peer_hears(first), ["+a"]);
        assert!(bench.socket.close_pipe(first));
        bench.socket.unsubscribe(b"a").unwrap();
        bench.socket.subscribe(b"b").unwrap();
        let next = bench.peer("");
        assert_eq!(next, first);
        assert_eq!(bench.peer_hears(next), ["+b"]);
    }

    /// Topics come and go without end, while a publisher hears of each.
    #[test]
    fn a_topic_that_was_cancelled_makes_room_for_others<S>() {
        let mut bench = Bench::<Sub, S>::new(Sub);
        let peer = bench.peer("");
        for topic in 0..40 {
            let topic = topic.to_string();
            bench.socket.subscribe(topic.as_bytes()).unwrap();
            assert_eq!(bench.peer_hears(peer), [format!("+{topic}")]);
            bench.socket.unsubscribe(topic.as_bytes()).unwrap();
            assert_eq!(bench.peer_hears(peer), [format!("-{topic}")]);
        }
    }

    /// The lane still holds a subscription for the connection before; the next one hears it, and of its end.
    #[test]
    fn a_subscription_left_in_the_lane_is_taken_back<S>() {
        let mut bench = Bench::<Sub, S>::new(Sub);
        let peer = bench.attach(Side::Connect);
        bench.ready(peer, "");
        bench.socket.subscribe(b"a").unwrap();
        bench.ready(peer, "");
        bench.socket.unsubscribe(b"a").unwrap();
        assert_eq!(bench.peer_hears(peer).last().map(String::as_str), Some("-a"));
    }

    #[test]
    fn inverted_matching_flips_the_filter<S>() {
        let mut bench = Bench::<Sub, S>::with(Sub, |options| options.invert_matching = true);
        let peer = bench.peer("");
        bench.socket.subscribe(b"a").unwrap();
        bench.peer_sends(peer, "ab|b");
        bench.peer_sends(peer, "b|a");
        assert_eq!(bench.recv_all(), ["b|a"]);
    }

    #[test]
    fn can_recv_looks_behind_the_filter<S>() {
        let mut bench = Bench::<Sub, S>::new(Sub);
        let peer = bench.peer("");
        bench.socket.subscribe(b"yes").unwrap();
        for message in ["no|1", "no", ""] {
            bench.peer_sends(peer, message);
        }
        assert!(!bench.socket.can_recv());
        bench.peer_sends(peer, "yes");
        assert!(bench.socket.can_recv());
        assert_eq!(bench.recv(), Ok("yes".into()));
    }

    #[test]
    fn topics_too_long_or_too_many<S>() {
        let mut bench = Bench::<Sub, S>::new(Sub);
        let long = bench.socket.subscribe(&[b'x'; 33]);
        let many = (0..9).map(|topic: u8| bench.socket.subscribe(&[topic])).find(Result::is_err);
        if long.is_err() {
            assert_eq!((long, many), (Err(FilterError::TooLong), Some(Err(FilterError::NoRoom))));
            bench.socket.unsubscribe(&[0]).unwrap();
            bench.socket.subscribe(b"x").unwrap();
        } else {
            assert_eq!(many, None);
        }
    }

    #[test]
    fn a_dead_publishers_messages_are_filtered_too<S>() {
        let mut bench = Bench::<Sub, S>::new(Sub);
        let peer = bench.peer("");
        bench.socket.subscribe(b"a").unwrap();
        for message in ["b", "a", "c"] {
            bench.peer_sends(peer, message);
        }
        assert!(!bench.socket.close_pipe(peer));
        assert_eq!(bench.recv(), Ok("a".into()));
        assert_eq!(bench.recv(), Err(RecvError::Again));
        assert!(bench.socket.is_gone(peer));
    }

    #[test]
    fn reaches_a_publisher<S>() {
        let mut sub = Bench::<Sub, S>::new(Sub);
        let mut publisher = Bench::<Pub, S>::new(Pub);
        let (a, b) = (sub.attach(Side::Connect), publisher.peer(""));
        sub.ready(a, "");
        for topic in ["a", "b", "c"] {
            sub.socket.subscribe(topic.as_bytes()).unwrap();
        }
        sub.socket.unsubscribe(b"b").unwrap();
        join((&mut sub.socket, a), (&mut publisher.socket, b));
        for message in ["a1", "b1", "c1"] {
            publisher.send(message).unwrap();
            join((&mut sub.socket, a), (&mut publisher.socket, b));
        }
        assert_eq!(sub.recv_all(), ["a1", "c1"]);
    }
}

/// A lane that keeps one signal is asked again and again; every topic arrives once, in order.
#[test]
fn one_slot_loses_no_topic() {
    let mut bench = Bench::<Sub, Small>::with(Sub, |options| options.send_hwm = 1);
    let peer = bench.peer("");
    for topic in 0..8 {
        bench.socket.subscribe(&[b'a' + topic]).unwrap();
    }
    assert_eq!(bench.peer_hears(peer), ["+a", "+b", "+c", "+d", "+e", "+f", "+g", "+h"]);
    for topic in 0..8 {
        bench.socket.unsubscribe(&[b'a' + topic]).unwrap();
    }
    assert_eq!(bench.peer_hears(peer), ["-a", "-b", "-c", "-d", "-e", "-f", "-g", "-h"]);
}

/// As many topics as a busy application has, to publishers that come and go.
#[test]
fn a_hundred_thousand_topics() {
    let mut bench = Bench::<Sub, Heap>::with(Sub, |options| options.send_hwm = 1);
    let first = bench.peer("");
    let topics: Vec<String> = (0..100_000).map(|topic| format!("topic/{topic}")).collect();
    for topic in &topics {
        bench.socket.subscribe(topic.as_bytes()).unwrap();
    }
    let wanted: Vec<String> = topics.iter().map(|topic| format!("+{topic}")).collect();
    assert_eq!(bench.peer_hears(first), wanted);
    let second = bench.peer("");
    assert_eq!(bench.peer_hears(second), wanted);
    for topic in &topics {
        bench.socket.unsubscribe(topic.as_bytes()).unwrap();
    }
    while let Some(signal) = bench.socket.pipe(first).unwrap().tx.pop_signal() {
        assert!(matches!(signal, Signal::Cancel(_)));
    }
    bench.socket.close_pipe(first);
    assert_eq!(bench.peer_hears(second).len(), topics.len());
    assert!(bench.socket.pipe(second).unwrap().tx.writable());
}
