//! PAIR: one peer, both ways.

use crate::harness::{Bench, both, join};
use omnimq_core::{CloseReason, LocalStorage, Options, Pair, RecvError, SendErrorKind, Side, Signal, Socket};

both! {
    #[test]
    fn talks_both_ways<S>() {
        let mut bench = Bench::<Pair, S>::new(Pair);
        assert_eq!(bench.send("early"), Err(SendErrorKind::Again));
        let peer = bench.peer("");
        bench.send("a|b").unwrap();
        bench.send("c").unwrap();
        assert_eq!(bench.send("d"), Err(SendErrorKind::Again));
        assert_eq!(bench.peer_receives(peer), ["a|b", "c"]);
        bench.send("d").unwrap();
        bench.peer_sends(peer, "x||y");
        assert_eq!(bench.recv(), Ok("x||y".into()));
        assert_eq!(bench.recv(), Err(RecvError::Again));
    }

    #[test]
    fn second_peer_is_refused_while_the_first_lives<S>() {
        let mut bench = Bench::<Pair, S>::new(Pair);
        let first = bench.peer("");
        let second = bench.peer("");
        assert_eq!(bench.wants_closed(second), Some(CloseReason::Unwanted));
        bench.peer_sends(second, "ignored");
        bench.peer_sends(first, "heard");
        assert_eq!(bench.recv_all(), ["heard"]);
        assert!(bench.socket.close_pipe(second));
        assert!(bench.socket.close_pipe(first));
        let third = bench.peer("");
        assert_eq!(bench.wants_closed(third), None);
        bench.send("hello").unwrap();
        assert_eq!(bench.peer_receives(third), ["hello"]);
    }

    #[test]
    fn second_connect_is_refused_and_accepted_once_the_first_has_gone<S>() {
        let mut bench = Bench::<Pair, S>::new(Pair);
        let first = bench.attach(Side::Connect);
        let second = bench.attach(Side::Connect);
        assert_eq!(bench.wants_closed(second), Some(CloseReason::Unwanted));
        bench.socket.detach(first);
        bench.ready(second, "");
        bench.send("hello").unwrap();
        assert_eq!(bench.peer_receives(second), ["hello"]);
    }

    #[test]
    fn connecting_side_keeps_its_messages_over_a_reconnect<S>() {
        let mut bench = Bench::<Pair, S>::new(Pair);
        let peer = bench.attach(Side::Connect);
        bench.send("a").unwrap();
        bench.ready(peer, "");
        bench.send("b").unwrap();
        bench.ready(peer, "");
        assert_eq!(bench.peer_receives(peer), ["a", "b"]);
    }

    #[test]
    fn a_dead_peers_messages_come_before_its_successors<S>() {
        let mut bench = Bench::<Pair, S>::new(Pair);
        let dead = bench.peer("");
        bench.peer_sends(dead, "1");
        bench.peer_sends(dead, "2|3");
        assert!(!bench.socket.close_pipe(dead));
        let next = bench.peer("");
        assert_eq!(bench.wants_closed(next), None);
        bench.peer_sends(next, "4");
        bench.send("reply").unwrap();
        assert_eq!(bench.peer_receives(next), ["reply"]);
        // Two dead ones: a third has to wait until the first has been read.
        assert!(!bench.socket.close_pipe(next));
        let third = bench.peer("");
        assert_eq!(bench.wants_closed(third), Some(CloseReason::Unwanted));
        assert_eq!(bench.recv_part(), Ok(("1".into(), false)));
        assert_eq!(bench.recv(), Ok("2|3".into()));
        assert!(bench.socket.is_gone(dead));
        assert_eq!(bench.recv(), Ok("4".into()));
        assert!(bench.socket.is_gone(next));
        bench.socket.close_pipe(third);
        let fourth = bench.peer("");
        assert_eq!(bench.wants_closed(fourth), None);
    }

    #[test]
    fn another_may_come_while_the_peer_is_suspended<S>() {
        let mut bench = Bench::<Pair, S>::new(Pair);
        let first = bench.peer("");
        // However often it was connected again.
        for _ in 0..3 {
            assert!(bench.socket.suspend(first));
            assert_eq!(bench.send("nobody"), Err(SendErrorKind::Again));
            bench.ready(first, "");
            bench.send("hello").unwrap();
            assert_eq!(bench.peer_receives(first), ["hello"]);
        }
        assert!(bench.socket.suspend(first));
        let second = bench.peer("");
        assert_eq!(bench.wants_closed(second), None);
        bench.send("hello").unwrap();
        assert_eq!(bench.peer_receives(second), ["hello"]);
        bench.ready(first, "");
        assert_eq!(bench.wants_closed(first), Some(CloseReason::Unwanted));
    }

    #[test]
    fn two_sockets_share_the_sum_of_their_marks<S>() {
        let mut options = Options::new(1);
        (options.send_hwm, options.recv_hwm) = (2, 3);
        let (mut left, mut right) = (Socket::<Pair, S>::new(Pair, &options), Socket::<Pair, S>::new(Pair, &options));
        let a = left.attach(S::lane(2), S::lane(3), Side::Connect).unwrap();
        let b = right.attach(S::lane(2), S::lane(3), Side::Connect).unwrap();
        let mut sent = 0;
        while left.send(omnimq_core::Piece { bytes: b"x", more: false }).is_ok() {
            sent += 1;
            join((&mut left, a), (&mut right, b));
        }
        assert_eq!(sent, 5);
    }
}

#[test]
fn a_half_sent_message_dies_with_its_peer() {
    fn run<S: LocalStorage>() {
        let mut bench = Bench::<Pair, S>::new(Pair);
        let first = bench.peer("");
        bench.send_part("a", true).unwrap();
        bench.signal(first, Signal::Close(CloseReason::EndOfStream));
        bench.socket.close_pipe(first);
        let second = bench.peer("");
        bench.send_part("b", false).unwrap();
        bench.send("c").unwrap();
        assert_eq!(bench.peer_receives(second), ["c"]);
        assert_eq!(bench.socket.dropped(), 1);
    }
    run::<omnimq_core::Heap>();
    run::<crate::harness::Small>();
}
