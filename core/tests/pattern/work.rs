//! PUSH, PULL and DEALER: round robin out, fair queue in.

use crate::harness::{Bench, both};
use omnimq_core::{Dealer, Pull, Push, RecvError, Router, SendErrorKind, Side};

both! {
    #[test]
    fn push_goes_round_and_passes_over_full_peers<S>() {
        let mut bench = Bench::<Push, S>::new(Push);
        assert_eq!(bench.send("early"), Err(SendErrorKind::Again));
        let peers = bench.peers(3);
        for message in ["a", "b|c", "d", "e"] {
            bench.send(message).unwrap();
        }
        assert_eq!(bench.peer_receives(peers[1]), ["b|c"]);
        for message in ["f", "g", "h", "i"] {
            bench.send(message).unwrap_or_else(|error| assert_eq!((message, error), ("i", SendErrorKind::Again)));
        }
        assert_eq!(bench.peer_receives(peers[0]), ["a", "e"]);
        assert_eq!(bench.peer_receives(peers[1]), ["f", "h"]);
        assert_eq!(bench.peer_receives(peers[2]), ["d", "g"]);
        bench.send("j").unwrap();
        assert_eq!(bench.peer_receives(peers[2]), ["j"]);
    }

    #[test]
    fn a_newcomer_joins_the_ring<S>() {
        let mut bench = Bench::<Push, S>::new(Push);
        let first = bench.peer("");
        bench.send("a").unwrap();
        let second = bench.peer("");
        bench.send("b").unwrap();
        bench.send("c").unwrap();
        assert_eq!((bench.peer_receives(first), bench.peer_receives(second)), (vec!["a".into(), "c".into()], vec!["b".into()]));
    }

    #[test]
    fn connecting_pipes_take_exactly_their_mark_before_the_peer_answers<S>() {
        let mut bench = Bench::<Push, S>::new(Push);
        let peer = bench.attach(Side::Connect);
        let bound = bench.attach(Side::Bind);
        let sent = (0..9).take_while(|_| bench.send("m").is_ok()).count();
        assert_eq!(sent, 2);
        bench.ready(bound, "");
        bench.send("n").unwrap();
        assert_eq!(bench.peer_receives(peer).len() + bench.peer_receives(bound).len(), 3);
    }

    #[test]
    fn the_rest_of_a_message_dies_with_its_peer<S>() {
        let mut bench = Bench::<Push, S>::new(Push);
        let peers = bench.peers(2);
        bench.send_part("a", true).unwrap();
        bench.socket.detach(peers[0]);
        bench.send_part("b", true).unwrap();
        bench.send_part("c", false).unwrap();
        bench.send("d").unwrap();
        assert_eq!(bench.peer_receives(peers[1]), ["d"]);
        assert_eq!(bench.socket.dropped(), 1);
    }

    #[test]
    fn push_throws_away_what_it_is_sent<S>() {
        let mut bench = Bench::<Push, S>::new(Push);
        let peer = bench.peer("");
        for _ in 0..9 {
            bench.peer_sends(peer, "why|not");
        }
        assert!(bench.socket.close_pipe(peer));
    }

    #[test]
    fn pull_takes_one_message_from_each_in_turn<S>() {
        let mut bench = Bench::<Pull, S>::new(Pull);
        let peers = bench.peers(3);
        for (peer, message) in [(0, "a1"), (0, "a2|x"), (0, "a3"), (2, "c1|y|z"), (2, "c2"), (1, "b1")] {
            bench.peer_sends(peers[peer], message);
        }
        assert_eq!(bench.recv_all(), ["a1", "b1", "c1|y|z", "a2|x", "c2", "a3"]);
        assert_eq!(bench.recv(), Err(RecvError::Again));
    }

    #[test]
    fn a_message_is_not_interrupted_by_another<S>() {
        let mut bench = Bench::<Pull, S>::new(Pull);
        let peers = bench.peers(2);
        bench.peer_sends(peers[1], "b|c");
        assert_eq!(bench.recv_part(), Ok(("b".into(), true)));
        bench.peer_sends(peers[0], "a");
        assert_eq!(bench.recv_part(), Ok(("c".into(), false)));
        assert_eq!(bench.recv_part(), Ok(("a".into(), false)));
    }

    #[test]
    fn dealer_does_both<S>() {
        let mut bench = Bench::<Dealer, S>::new(Dealer);
        let peers = bench.peers(2);
        for message in ["1", "2", "3"] {
            bench.send(message).unwrap();
        }
        assert_eq!(bench.peer_receives(peers[0]), ["1", "3"]);
        assert_eq!(bench.peer_receives(peers[1]), ["2"]);
        bench.peer_sends(peers[1], "|answer");
        assert_eq!(bench.recv_all(), ["|answer"]);
    }

    #[test]
    fn a_message_too_large_is_given_up_whole<S>() {
        let mut bench = Bench::<Push, S>::new(Push);
        let peer = bench.peer("");
        let large = "x".repeat(100);
        let refused = bench.send(&format!("a|{large}")).is_err();
        bench.send("b").unwrap();
        let got = bench.peer_receives(peer);
        assert_eq!(got.len(), if refused { 1 } else { 2 });
        assert_eq!(got.last().unwrap(), "b");
    }

    #[test]
    fn limits_peers<S>() {
        let mut bench = Bench::<Pull, S>::with(Pull, |options| options.limits.peers = 2);
        let peers = bench.peers(2);
        assert_eq!(bench.socket.vacant(), None);
        assert_eq!(bench.socket.attach(S::lane(1), S::lane(1), Side::Connect), None);
        bench.socket.detach(peers[0]).unwrap();
        assert_eq!(bench.socket.vacant(), Some(peers[0]));
        bench.peer("");
    }

    #[test]
    fn probe_router_announces_a_dealer<S>() {
        let mut dealer = Bench::<Dealer, S>::with(Dealer, |options| options.probe_router = true);
        let mut router = Bench::<Router, S>::new(Router);
        let (a, b) = (dealer.attach(Side::Connect), router.peer("d"));
        crate::harness::join((&mut dealer.socket, a), (&mut router.socket, b));
        assert_eq!(router.recv_all(), ["d|"]);
        router.send("d|hello").unwrap();
        crate::harness::join((&mut dealer.socket, a), (&mut router.socket, b));
        assert_eq!(dealer.recv_all(), ["hello"]);
    }
}
