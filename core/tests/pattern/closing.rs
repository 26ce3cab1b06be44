//! Pipes that go: what may still be read, and when their id is free.

use crate::harness::{Bench, both};
use omnimq_core::{CloseReason, Dealer, Pull, Push, Router, SendErrorKind, Side, Signal, XPub};

both! {
    #[test]
    fn what_came_in_is_read_before_the_pipe_goes<S>() {
        let mut bench = Bench::<Pull, S>::new(Pull);
        let peers = bench.peers(2);
        bench.peer_sends(peers[0], "1|2");
        bench.peer_sends(peers[1], "3");
        bench.arrive(peers[0], "4");
        bench.signal(peers[0], Signal::Close(CloseReason::EndOfStream));
        assert!(!bench.socket.close_pipe(peers[0]));
        assert!(!bench.socket.close_pipe(peers[0]));
        assert_eq!(bench.recv(), Ok("1|2".into()));
        assert_eq!(bench.recv(), Ok("3".into()));
        assert!(!bench.socket.is_gone(peers[0]));
        assert_eq!(bench.recv(), Ok("4".into()));
        assert!(bench.socket.is_gone(peers[0]));
        assert_eq!(bench.socket.vacant(), Some(peers[0]));
        assert!(bench.socket.close_pipe(peers[0]));
        assert!(bench.socket.detach(peers[0]).is_none());
    }

    #[test]
    fn close_is_told_once_and_after_the_messages<S>() {
        let mut bench = Bench::<Pull, S>::new(Pull);
        let peer = bench.peer("");
        bench.arrive(peer, "last words");
        bench.socket.pipe(peer).unwrap();
        let rx = &mut bench.socket.pipe(peer).unwrap().rx;
        omnimq_core::PipeWriter::signal(rx, Signal::Close(CloseReason::PeerError)).unwrap();
        assert_eq!(bench.socket.process(peer), Some(CloseReason::PeerError));
        assert_eq!(bench.socket.process(peer), None);
        assert_eq!(bench.recv_all(), ["last words"]);
    }

    #[test]
    fn a_peer_that_came_spoke_and_died_unnoticed_is_heard<S>() {
        let mut bench = Bench::<Pull, S>::new(Pull);
        let peer = bench.attach(Side::Bind);
        let rx = &mut bench.socket.pipe(peer).unwrap().rx;
        omnimq_core::PipeWriter::signal(rx, Signal::Ready(b"")).unwrap();
        bench.arrive(peer, "hello");
        assert!(!bench.socket.close_pipe(peer));
        assert_eq!(bench.recv_all(), ["hello"]);
        assert!(bench.socket.is_gone(peer));
    }

    #[test]
    fn what_goes_out_ends_at_once<S>() {
        let mut bench = Bench::<Push, S>::new(Push);
        let peers = bench.peers(2);
        assert!(bench.socket.close_pipe(peers[0]));
        for message in ["1", "2"] {
            bench.send(message).unwrap();
        }
        assert!(bench.send("3").is_err());
        assert_eq!(bench.peer_receives(peers[1]), ["1", "2"]);
    }

    #[test]
    fn detach_waits_for_the_message_being_read<S>() {
        let mut bench = Bench::<Dealer, S>::new(Dealer);
        let peers = bench.peers(2);
        for message in ["1|2|3", "thrown away"] {
            bench.peer_sends(peers[0], message);
        }
        bench.peer_sends(peers[1], "4");
        assert_eq!(bench.recv_part(), Ok(("1".into(), true)));
        assert!(bench.socket.detach(peers[0]).is_none());
        assert!(!bench.socket.is_gone(peers[0]));
        assert_eq!(bench.recv(), Ok("2|3".into()));
        assert!(bench.socket.is_gone(peers[0]));
        assert_eq!(bench.recv_all(), ["4"]);
        assert!(bench.socket.detach(peers[1]).is_some());
    }

    #[test]
    fn the_id_frame_of_a_router_belongs_to_the_message<S>() {
        let mut bench = Bench::<Router, S>::new(Router);
        let (a, b) = (bench.peer("a"), bench.peer("b"));
        bench.peer_sends(a, "1");
        bench.peer_sends(b, "2");
        assert_eq!(bench.recv_part(), Ok(("a".into(), true)));
        assert!(bench.socket.detach(a).is_none());
        assert_eq!(bench.recv_part(), Ok(("1".into(), false)));
        assert!(bench.socket.is_gone(a));
        assert_eq!(bench.recv_all(), ["b|2"]);
    }

    #[test]
    fn detaching_a_closed_pipe_throws_the_rest_away<S>() {
        let mut bench = Bench::<Pull, S>::new(Pull);
        let peer = bench.peer("");
        for message in ["1", "2|3", "4"] {
            bench.peer_sends(peer, message);
        }
        assert!(!bench.socket.close_pipe(peer));
        assert_eq!(bench.recv(), Ok("1".into()));
        assert!(bench.socket.detach(peer).is_some());
        assert!(bench.recv().is_err());
        // The same in the middle of a message.
        let peer = bench.peer("");
        bench.peer_sends(peer, "5|6");
        bench.peer_sends(peer, "7");
        assert!(!bench.socket.close_pipe(peer));
        assert_eq!(bench.recv_part(), Ok(("5".into(), true)));
        assert!(bench.socket.detach(peer).is_none());
        assert_eq!(bench.recv_part(), Ok(("6".into(), false)));
        assert!(bench.socket.is_gone(peer));
        assert!(bench.recv().is_err());
    }

    #[test]
    fn a_detached_xpub_peer_keeps_its_id_until_its_end_has_been_shown<S>() {
        let mut bench = Bench::<XPub, S>::with(XPub, |options| options.limits.events = 1);
        let peer = bench.peer("");
        for topic in ["a", "b", "c", "d"] {
            bench.peer_subscribes(peer, topic);
            bench.recv().unwrap();
        }
        bench.peer_sends(peer, "thrown away");
        assert!(bench.socket.detach(peer).is_none());
        let mut shown = Vec::new();
        while !bench.socket.is_gone(peer) {
            shown.push(bench.recv().unwrap());
        }
        shown.extend(bench.recv_all());
        shown.sort();
        assert_eq!(shown, ["\u{0}a", "\u{0}b", "\u{0}c", "\u{0}d"]);
    }

    #[test]
    fn what_was_sent_to_a_pipe_that_was_left_stays_and_nothing_follows<S>() {
        let mut bench = Bench::<Dealer, S>::new(Dealer);
        let peer = bench.attach(Side::Connect);
        bench.send("kept|whole").unwrap();
        assert!(bench.socket.leave(peer));
        assert!(!bench.socket.can_send());
        assert!(!bench.socket.leave(peer), "it is left already");
        // Its connection comes, and what it brings may be read; that does not make it one to send to.
        bench.ready(peer, "");
        assert!(!bench.socket.can_send());
        bench.peer_sends(peer, "answer");
        assert_eq!(bench.recv_all(), ["answer"]);
        assert_eq!(bench.peer_receives(peer), ["kept|whole"]);
        assert!(bench.socket.close_pipe(peer));
        assert!(!bench.socket.leave(peer), "it has gone");
        // One that nobody has answered on, made by a bind, was never in use.
        let peer = bench.attach(Side::Bind);
        assert!(!bench.socket.leave(peer));
    }

    #[test]
    fn what_a_pipe_that_was_left_subscribes_to_is_not_heard<S>() {
        // Every subscription and cancellation of a peer is shown.
        let mut bench = Bench::<XPub, S>::with(XPub, |options| options.manual = true);
        let peer = bench.attach(Side::Connect);
        bench.ready(peer, "");
        bench.peer_subscribes(peer, "a");
        assert!(bench.socket.leave(peer));
        assert_eq!(bench.recv_all(), ["\u{1}a", "\u{0}a"]);
        bench.peer_subscribes(peer, "b");
        bench.peer_cancels(peer, "a");
        assert_eq!(bench.recv_all(), [""; 0]);
    }

    #[test]
    fn half_a_message_does_not_stay_with_a_pipe_that_was_left<S>() {
        let mut bench = Bench::<Push, S>::new(Push);
        let peer = bench.attach(Side::Connect);
        bench.send("whole").unwrap();
        bench.send_part("half", true).unwrap();
        assert!(bench.socket.leave(peer));
        assert_eq!(bench.peer_receives(peer), ["whole"]);
    }

    #[test]
    fn a_suspended_pipe_is_sent_to_from_its_next_ready_on<S>() {
        let mut bench = Bench::<Dealer, S>::new(Dealer);
        let peer = bench.attach(Side::Bind);
        assert!(!bench.socket.suspend(peer), "it is not in use yet");
        for round in 0..3 {
            assert_eq!(bench.send("too early"), Err(SendErrorKind::Again));
            bench.ready(peer, "");
            bench.send("sent").unwrap();
            assert_eq!(bench.peer_receives(peer), ["sent"]);
            bench.peer_sends(peer, "told");
            // Its last words lie in the lane; nobody has told the socket.
            bench.arrive(peer, "last words");
            bench.send_part("half", true).unwrap();
            assert!(bench.socket.suspend(peer));
            assert!(!bench.socket.suspend(peer), "it is suspended already");
            // The rest of what was begun goes where it went.
            bench.send_part("and half", false).unwrap();
            assert_eq!(bench.socket.dropped(), round + 1);
            assert_eq!(bench.peer_receives(peer), [""; 0]);
            assert_eq!(bench.recv_all(), ["told", "last words"]);
        }
        assert!(bench.socket.close_pipe(peer));
        assert!(!bench.socket.suspend(peer), "it has gone");
    }

    #[test]
    fn others_are_sent_to_while_a_pipe_is_suspended<S>() {
        let mut bench = Bench::<Push, S>::new(Push);
        let peers = bench.peers(2);
        assert!(bench.socket.suspend(peers[0]));
        for message in ["1", "2"] {
            bench.send(message).unwrap();
        }
        assert_eq!(bench.peer_receives(peers[1]), ["1", "2"]);
        bench.ready(peers[0], "");
        for message in ["3", "4"] {
            bench.send(message).unwrap();
        }
        assert_eq!(bench.peer_receives(peers[0]).len(), 1);
        assert_eq!(bench.peer_receives(peers[1]).len(), 1);
    }

    #[test]
    fn subscriptions_end_with_the_connection_of_a_suspended_pipe<S>() {
        let mut bench = Bench::<XPub, S>::new(XPub);
        let peer = bench.peer("");
        bench.peer_subscribes(peer, "a");
        assert_eq!(bench.recv_all(), ["\u{1}a"]);
        assert!(bench.socket.suspend(peer));
        assert_eq!(bench.recv_all(), ["\u{0}a"]);
        bench.ready(peer, "");
        bench.send("a").unwrap();
        assert_eq!(bench.peer_receives(peer), [""; 0]);
        bench.peer_subscribes(peer, "a");
        bench.send("a").unwrap();
        assert_eq!(bench.peer_receives(peer), ["a"]);
        assert_eq!(bench.recv_all(), ["\u{1}a"]);
    }

    #[test]
    fn nothing_happens_to_pipes_that_are_not_there<S>() {
        let mut bench = Bench::<Dealer, S>::new(Dealer);
        let peer = bench.peer("");
        assert!(bench.socket.detach(peer).is_some());
        assert_eq!(bench.socket.process(peer), None);
        assert!(bench.socket.is_gone(peer) && bench.socket.close_pipe(peer) && bench.socket.detach(peer).is_none());
        assert!(!bench.socket.can_send() && !bench.socket.can_recv());
    }
}
