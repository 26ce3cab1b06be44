//! PUB: topics, fan-out, drops.

use crate::harness::{Bench, Small, both};
use omnimq_core::{CloseReason, Limit, Pub, SendErrorKind, Side};

both! {
    #[test]
    fn matches_the_first_part_by_prefix<S>() {
        let mut bench = Bench::<Pub, S>::new(Pub);
        let peers = bench.peers(4);
        for (peer, topic) in [(0, "a"), (1, "ab"), (2, "")] {
            bench.peer_subscribes(peers[peer], topic);
        }
        for message in ["abc|x", "b|ab"] {
            bench.send(message).unwrap();
        }
        assert_eq!(bench.peer_receives(peers[0]), ["abc|x"]);
        assert_eq!(bench.peer_receives(peers[1]), ["abc|x"]);
        assert_eq!(bench.peer_receives(peers[2]), ["abc|x", "b|ab"]);
        assert_eq!(bench.peer_receives(peers[3]), [""; 0]);
        assert_eq!(bench.socket.dropped(), 0);
    }

    #[test]
    fn identical_subscriptions_count_once<S>() {
        let mut bench = Bench::<Pub, S>::new(Pub);
        let peers = bench.peers(2);
        for topic in ["a", ""] {
            bench.peer_subscribes(peers[0], topic);
            bench.peer_subscribes(peers[0], topic);
            bench.peer_subscribes(peers[1], topic);
            bench.send("ab").unwrap();
            bench.peer_cancels(peers[0], topic);
            bench.peer_cancels(peers[0], "never asked for");
            bench.send("ac").unwrap();
            bench.peer_cancels(peers[1], topic);
            bench.send("ad").unwrap();
            assert_eq!(bench.peer_receives(peers[0]), ["ab"]);
            assert_eq!(bench.peer_receives(peers[1]), ["ab", "ac"]);
        }
    }

    #[test]
    fn a_full_peer_misses_whole_messages<S>() {
        let mut bench = Bench::<Pub, S>::new(Pub);
        let peers = bench.peers(2);
        for peer in &peers {
            bench.peer_subscribes(*peer, "");
        }
        bench.send("1").unwrap();
        bench.send("2").unwrap();
        assert_eq!(bench.peer_receives(peers[1]), ["1", "2"]);
        bench.send_part("3", true).unwrap();
        // Room that comes in the middle of a message is for the next one.
        assert_eq!(bench.peer_receives(peers[0]), ["1", "2"]);
        bench.send_part("rest", false).unwrap();
        bench.send("4").unwrap();
        assert_eq!(bench.peer_receives(peers[0]), ["4"]);
        assert_eq!(bench.peer_receives(peers[1]), ["3|rest", "4"]);
        assert_eq!(bench.socket.dropped(), 1);
    }

    #[test]
    fn nodrop_sends_to_all_or_none<S>() {
        let mut bench = Bench::<Pub, S>::with(Pub, |options| options.nodrop = true);
        let peers = bench.peers(2);
        bench.peer_subscribes(peers[0], "a");
        bench.peer_subscribes(peers[1], "");
        for message in ["a1", "a2"] {
            bench.send(message).unwrap();
        }
        assert_eq!(bench.peer_receives(peers[1]), ["a1", "a2"]);
        assert_eq!(bench.send("a3"), Err(SendErrorKind::Again));
        bench.send("b").unwrap();
        assert_eq!(bench.peer_receives(peers[0]), ["a1", "a2"]);
        bench.send("a3").unwrap();
        assert_eq!(bench.peer_receives(peers[0]), ["a3"]);
        assert_eq!(bench.peer_receives(peers[1]), ["b", "a3"]);
        assert_eq!(bench.socket.dropped(), 0);
    }

    #[test]
    fn inverted_matching_keeps_matches_back<S>() {
        let mut bench = Bench::<Pub, S>::with(Pub, |options| options.invert_matching = true);
        let peers = bench.peers(3);
        bench.peer_subscribes(peers[0], "a");
        bench.peer_subscribes(peers[1], "");
        bench.send("ab").unwrap();
        bench.send("b").unwrap();
        assert_eq!(bench.peer_receives(peers[0]), ["b"]);
        assert_eq!(bench.peer_receives(peers[1]), [""; 0]);
        assert_eq!(bench.peer_receives(peers[2]), ["ab", "b"]);
    }

    #[test]
    fn a_peer_with_too_many_topics_is_closed_alone<S>() {
        let mut bench = Bench::<Pub, S>::with(Pub, |options| (options.limits.topics, options.limits.topic_len) = (2, 3));
        let peers = bench.peers(3);
        for topic in ["a", "a", "b"] {
            bench.peer_subscribes(peers[0], topic);
            bench.peer_subscribes(peers[1], topic);
        }
        bench.peer_cancels(peers[0], "a");
        bench.peer_subscribes(peers[0], "c");
        bench.peer_subscribes(peers[1], "c");
        bench.peer_subscribes(peers[2], "long");
        assert_eq!(bench.wants_closed(peers[0]), None);
        assert_eq!(bench.wants_closed(peers[1]), Some(CloseReason::Limit(Limit::Topics)));
        assert_eq!(bench.wants_closed(peers[2]), Some(CloseReason::Limit(Limit::TopicLen)));
        bench.send("b").unwrap();
        assert_eq!(bench.peer_receives(peers[1]), [""; 0]);
        assert_eq!(bench.peer_receives(peers[0]), ["b"]);
    }

    #[test]
    fn a_new_connection_begins_without_topics<S>() {
        let mut bench = Bench::<Pub, S>::new(Pub);
        let peer = bench.attach(Side::Connect);
        bench.ready(peer, "");
        bench.peer_subscribes(peer, "a");
        bench.send("a1").unwrap();
        bench.ready(peer, "");
        bench.send("a2").unwrap();
        bench.peer_subscribes(peer, "a");
        bench.send("a3").unwrap();
        assert_eq!(bench.peer_receives(peer), ["a1", "a3"]);
    }

    #[test]
    fn ids_are_used_again_without_the_old_topics<S>() {
        let mut bench = Bench::<Pub, S>::new(Pub);
        let first = bench.peer("");
        for topic in ["", "a", "b"] {
            bench.peer_subscribes(first, topic);
        }
        bench.send_part("a", true).unwrap();
        assert!(bench.socket.close_pipe(first));
        let second = bench.peer("");
        assert_eq!(first, second);
        bench.send_part("rest", false).unwrap();
        bench.send("a").unwrap();
        assert_eq!(bench.peer_receives(second), [""; 0]);
        assert_eq!(bench.socket.dropped(), 1);
    }

    #[test]
    fn what_subscribers_send_is_thrown_away<S>() {
        let mut bench = Bench::<Pub, S>::new(Pub);
        let peer = bench.peer("");
        for _ in 0..9 {
            bench.peer_sends(peer, "user|message");
        }
        assert!(bench.socket.close_pipe(peer));
    }
}

#[test]
fn topics_that_do_not_fit_become_everything() {
    let mut bench = Bench::<Pub, Small>::new(Pub);
    let peers = bench.peers(2);
    for topic in ["a", "b", "c", "d", "e", "f", "g", "h", "i"] {
        bench.peer_subscribes(peers[0], topic);
    }
    bench.peer_subscribes(peers[1], "a");
    bench.send("a").unwrap();
    bench.send("zzz").unwrap();
    assert_eq!(bench.peer_receives(peers[0]), ["a", "zzz"]);
    assert_eq!(bench.peer_receives(peers[1]), ["a"]);
    assert!(bench.socket.close_pipe(peers[0]));
    bench.peer_subscribes(peers[1], "z");
    bench.send("zzz").unwrap();
    assert_eq!(bench.peer_receives(peers[1]), ["zzz"]);
}
