//! REQ and REP: envelopes and alternation.

use crate::harness::{Bench, both, join};
use omnimq_core::{Dealer, Options, RecvError, Rep, Req, SendErrorKind, Side};

/// A request id as a part of a message.
fn id(number: u32) -> String {
    number.to_ne_bytes().map(char::from).iter().collect()
}

both! {
    #[test]
    fn req_alternates<S>() {
        let mut bench = Bench::<Req, S>::new(Req);
        assert_eq!(bench.recv(), Err(RecvError::State));
        assert_eq!(bench.send("early"), Err(SendErrorKind::Again));
        let peer = bench.peer("");
        bench.send_part("a", true).unwrap();
        assert_eq!(bench.recv(), Err(RecvError::State));
        bench.send_part("b", false).unwrap();
        assert_eq!(bench.send("c"), Err(SendErrorKind::State));
        assert_eq!(bench.recv(), Err(RecvError::Again));
        assert_eq!(bench.peer_receives(peer), ["|a|b"]);
        bench.peer_sends(peer, "|x|y");
        assert!(!bench.socket.can_send());
        assert_eq!(bench.recv_part(), Ok(("x".into(), true)));
        assert_eq!(bench.send("c"), Err(SendErrorKind::State));
        assert_eq!(bench.recv_part(), Ok(("y".into(), false)));
        assert_eq!(bench.recv(), Err(RecvError::State));
        bench.send("c").unwrap();
    }

    #[test]
    fn req_skips_what_is_not_the_reply<S>() {
        let mut bench = Bench::<Req, S>::new(Req);
        let peers = bench.peers(2);
        bench.peer_sends(peers[0], "|stale");
        bench.send("question").unwrap();
        for (peer, message) in [(0, "no delimiter"), (1, "|not asked"), (0, "x|body"), (0, "")] {
            bench.peer_sends(peers[peer], message);
        }
        assert_eq!(bench.recv(), Err(RecvError::Again));
        bench.peer_sends(peers[0], "|answer");
        bench.peer_sends(peers[0], "|second");
        assert_eq!(bench.recv(), Ok("answer".into()));
        bench.send("again").unwrap();
        assert_eq!(bench.peer_receives(peers[1]), ["|again"]);
        assert_eq!(bench.recv(), Err(RecvError::Again));
        bench.peer_sends(peers[1], "|fresh");
        assert_eq!(bench.recv(), Ok("fresh".into()));
    }

    #[test]
    fn req_takes_a_reply_from_anyone_once_the_peer_asked_has_died<S>() {
        let mut bench = Bench::<Req, S>::new(Req);
        let peers = bench.peers(2);
        bench.send("question").unwrap();
        assert!(bench.socket.close_pipe(peers[0]));
        assert_eq!(bench.send("again"), Err(SendErrorKind::State));
        assert_eq!(bench.recv(), Err(RecvError::Again));
        bench.peer_sends(peers[1], "|from another");
        assert_eq!(bench.recv(), Ok("from another".into()));
    }

    #[test]
    fn req_reads_the_reply_of_a_peer_that_died_after_answering<S>() {
        let mut bench = Bench::<Req, S>::new(Req);
        let peers = bench.peers(2);
        bench.send("question").unwrap();
        bench.peer_sends(peers[1], "|wrong");
        bench.peer_sends(peers[0], "|right|rest");
        assert!(!bench.socket.close_pipe(peers[0]));
        assert_eq!(bench.recv_part(), Ok(("right".into(), true)));
        assert!(!bench.socket.is_gone(peers[0]));
        assert_eq!(bench.recv_part(), Ok(("rest".into(), false)));
        assert!(bench.socket.is_gone(peers[0]));
    }

    #[test]
    fn req_dies_in_mid_request<S>() {
        let mut bench = Bench::<Req, S>::new(Req);
        let peers = bench.peers(2);
        bench.send_part("a", true).unwrap();
        bench.socket.close_pipe(peers[0]);
        bench.send_part("b", false).unwrap();
        assert_eq!(bench.socket.dropped(), 1);
        assert_eq!(bench.peer_receives(peers[1]), [""; 0]);
        assert_eq!(bench.send("again"), Err(SendErrorKind::State));
    }

    #[test]
    fn relaxed_and_correlated<S>() {
        let mut bench = Bench::<Req, S>::with(Req, |options| (options.relaxed, options.correlate) = (true, true));
        let peer = bench.peer("");
        bench.send("one").unwrap();
        assert!(bench.socket.can_send());
        bench.send("two").unwrap();
        assert_eq!(bench.peer_receives(peer), [format!("{}||one", id(7)), format!("{}||two", id(8))]);
        for reply in [format!("{}||old", id(7)), "||bare".into(), id(8), format!("{}|x|new", id(8))] {
            bench.peer_sends(peer, &reply);
        }
        assert_eq!(bench.recv(), Err(RecvError::Again));
        bench.peer_sends(peer, &format!("{}||new", id(8)));
        assert_eq!(bench.recv(), Ok("new".into()));
    }

    #[test]
    fn relaxed_gives_up_a_half_read_reply<S>() {
        let mut bench = Bench::<Req, S>::with(Req, |options| options.relaxed = true);
        let peer = bench.peer("");
        bench.send("one").unwrap();
        bench.peer_sends(peer, "|a|b");
        assert_eq!(bench.recv_part(), Ok(("a".into(), true)));
        bench.send("two").unwrap();
        assert_eq!(bench.recv(), Err(RecvError::Again));
        bench.peer_sends(peer, "|c");
        assert_eq!(bench.recv(), Ok("c".into()));
    }

    #[test]
    fn a_refused_relaxed_request_leaves_the_old_one_waiting<S>() {
        let mut bench = Bench::<Req, S>::with(Req, |options| (options.relaxed, options.send_hwm) = (true, 1));
        let peer = bench.peer("");
        bench.send("one").unwrap();
        assert_eq!(bench.send("two"), Err(SendErrorKind::Again));
        bench.peer_sends(peer, "|a");
        assert_eq!(bench.recv(), Ok("a".into()));
    }

    #[test]
    fn rep_replays_the_envelope<S>() {
        let mut bench = Bench::<Rep, S>::new(Rep);
        let peers = bench.peers(2);
        assert_eq!(bench.send("early"), Err(SendErrorKind::State));
        assert_eq!(bench.recv(), Err(RecvError::Again));
        for (peer, message) in [(0, "no delimiter"), (0, "x|y|"), (0, "|plain"), (1, "hop1|hop2||deep|er")] {
            bench.peer_sends(peers[peer], message);
        }
        // Each request without delimiter takes a turn.
        assert_eq!(bench.recv_part(), Ok(("deep".into(), true)));
        assert_eq!(bench.send("early"), Err(SendErrorKind::State));
        assert_eq!(bench.recv_part(), Ok(("er".into(), false)));
        assert_eq!(bench.recv(), Err(RecvError::State));
        bench.send("re|ply").unwrap();
        assert_eq!(bench.recv(), Ok("plain".into()));
        bench.send("ok").unwrap();
        assert_eq!(bench.peer_receives(peers[0]), ["|ok"]);
        assert_eq!(bench.peer_receives(peers[1]), ["hop1|hop2||re|ply"]);
        assert_eq!(bench.socket.dropped(), 0);
    }

    #[test]
    fn a_reply_to_a_gone_or_full_peer_vanishes<S>() {
        let mut bench = Bench::<Rep, S>::with(Rep, |options| options.send_hwm = 1);
        let peers = bench.peers(2);
        for message in ["|1", "|2"] {
            bench.peer_sends(peers[0], message);
            assert!(bench.recv().is_ok());
            bench.send("answer").unwrap();
        }
        assert_eq!(bench.peer_receives(peers[0]), ["|answer"]);
        assert_eq!(bench.socket.dropped(), 1);
        bench.peer_sends(peers[1], "|3");
        assert!(bench.recv().is_ok());
        assert!(bench.socket.close_pipe(peers[1]));
        bench.send("an|swer").unwrap();
        assert_eq!(bench.socket.dropped(), 2);
        assert_eq!(bench.recv(), Err(RecvError::Again));
    }

    #[test]
    fn a_reply_begun_dies_with_its_peer<S>() {
        let mut bench = Bench::<Rep, S>::new(Rep);
        let peers = bench.peers(2);
        bench.peer_sends(peers[0], "|1");
        bench.peer_sends(peers[1], "|2");
        assert_eq!(bench.recv(), Ok("1".into()));
        bench.send_part("half", true).unwrap();
        bench.socket.detach(peers[0]);
        bench.send_part("other half", false).unwrap();
        assert_eq!(bench.recv(), Ok("2".into()));
        bench.send("whole").unwrap();
        assert_eq!(bench.peer_receives(peers[1]), ["|whole"]);
    }

    #[test]
    fn rep_serves_req_and_dealer<S>() {
        let mut rep = Bench::<Rep, S>::new(Rep);
        let mut req = Bench::<Req, S>::with(Req, |options: &mut Options| options.correlate = true);
        let mut dealer = Bench::<Dealer, S>::new(Dealer);
        let (r1, r2) = (rep.peer(""), rep.peer(""));
        let (q, d) = (req.attach(Side::Connect), dealer.attach(Side::Connect));
        for round in ["a", "b", "c"] {
            req.send(round).unwrap();
            dealer.send(&format!("tag||{round}{round}")).unwrap();
            for _ in 0..2 {
                join((&mut req.socket, q), (&mut rep.socket, r1));
                join((&mut dealer.socket, d), (&mut rep.socket, r2));
                let question = rep.recv().unwrap();
                rep.send(&format!("re {question}")).unwrap();
            }
            join((&mut req.socket, q), (&mut rep.socket, r1));
            join((&mut dealer.socket, d), (&mut rep.socket, r2));
            assert_eq!(req.recv(), Ok(format!("re {round}")));
            assert_eq!(dealer.recv(), Ok(format!("tag||re {round}{round}")));
        }
    }
}
