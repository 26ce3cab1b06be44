//! XSUB: subscriptions as messages, messages to publishers.

use crate::harness::{Bench, both, join};
use omnimq_core::{Side, XPub, XSub};

both! {
    #[test]
    fn subscriptions_are_messages<S>() {
        let mut bench = Bench::<XSub, S>::new(XSub);
        let peer = bench.peer("");
        for (message, heard) in [
            ("\u{1}a", vec!["+a"]),
            ("\u{1}a", vec!["+a"]),
            ("\u{0}a", vec![]),
            ("\u{0}a", vec!["-a"]),
            ("\u{0}a", vec![]),
            ("\u{1}", vec!["+"]),
        ] {
            bench.send(message).unwrap();
            assert_eq!(bench.peer_hears(peer), heard, "{message:?}");
        }
        bench.socket.unsubscribe(b"").unwrap();
        assert_eq!(bench.peer_hears(peer), ["-"]);
        assert_eq!(bench.peer_receives(peer), [""; 0]);
    }

    #[test]
    fn does_not_filter<S>() {
        let mut bench = Bench::<XSub, S>::new(XSub);
        let peers = bench.peers(2);
        bench.peer_sends(peers[0], "never|asked");
        bench.peer_sends(peers[1], "for");
        assert_eq!(bench.recv_all(), ["never|asked", "for"]);
    }

    #[test]
    fn other_messages_go_to_all_with_room<S>() {
        let mut bench = Bench::<XSub, S>::new(XSub);
        let peers = bench.peers(2);
        bench.send("1|\u{1}not a topic|\u{0}nor this").unwrap();
        bench.send("2").unwrap();
        assert_eq!(bench.peer_hears(peers[0]), [""; 0]);
        assert_eq!(bench.peer_receives(peers[0]), ["1|\u{1}not a topic|\u{0}nor this", "2"]);
        bench.send("3").unwrap();
        assert_eq!(bench.peer_receives(peers[0]), ["3"]);
        assert_eq!(bench.peer_receives(peers[1]).len(), 2);
        assert_eq!(bench.socket.dropped(), 1);
    }

    #[test]
    fn parts_after_a_subscription_may_be_subscriptions<S>() {
        let mut bench = Bench::<XSub, S>::new(XSub);
        let peer = bench.peer("");
        bench.send("\u{1}a|\u{1}b|neither|\u{0}a").unwrap();
        bench.send("data").unwrap();
        assert_eq!(bench.peer_receives(peer), ["data"]);
        assert_eq!(bench.peer_hears(peer).last().unwrap().as_str(), "-a");
        bench.ready(peer, "");
        assert_eq!(bench.peer_hears(peer), ["+b"]);
    }

    #[test]
    fn reaches_an_xpub_both_ways<S>() {
        let mut xsub = Bench::<XSub, S>::new(XSub);
        let mut xpub = Bench::<XPub, S>::new(XPub);
        let (a, b) = (xsub.attach(Side::Connect), xpub.peer(""));
        xsub.ready(a, "");
        for message in ["\u{1}a", "hello|there"] {
            xsub.send(message).unwrap();
            join((&mut xsub.socket, a), (&mut xpub.socket, b));
        }
        assert_eq!(xpub.recv_all(), ["\u{1}a", "hello|there"]);
        for message in ["a1", "b1"] {
            xpub.send(message).unwrap();
        }
        join((&mut xsub.socket, a), (&mut xpub.socket, b));
        assert_eq!(xsub.recv_all(), ["a1"]);
    }
}
