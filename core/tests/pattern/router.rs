//! ROUTER: names, and messages by name. STREAM: the same over raw bytes.

use crate::harness::{Bench, both};
use omnimq_core::{CloseReason, OptionError, PipeWriter, RecvError, Router, SendErrorKind, Side, Signal, Stream};

/// The generated routing ids, as parts of a message.
fn generated(number: u32) -> String {
    [&[0], number.to_be_bytes().as_slice()].concat().into_iter().map(char::from).collect()
}

both! {
    #[test]
    fn prefixes_and_routes<S>() {
        let mut bench = Bench::<Router, S>::new(Router);
        let (named, anonymous) = (bench.peer("a"), bench.peer(""));
        bench.peer_sends(named, "x|y");
        bench.peer_sends(anonymous, "z");
        assert_eq!(bench.recv(), Ok("a|x|y".into()));
        assert_eq!(bench.recv(), Ok(format!("{}|z", generated(7))));
        bench.send(&format!("{}||hello", generated(7))).unwrap();
        bench.send("a|1").unwrap();
        bench.send("a").unwrap();
        bench.send("nobody|lost|rest").unwrap();
        assert_eq!(bench.peer_receives(anonymous), ["|hello"]);
        assert_eq!(bench.peer_receives(named), ["1"]);
        assert_eq!(bench.socket.dropped(), 1);
    }

    #[test]
    fn drops_for_a_full_peer_unless_mandatory<S>() {
        let mut bench = Bench::<Router, S>::new(Router);
        let peer = bench.peer("a");
        for message in ["a|1", "a|2", "a|3"] {
            bench.send(message).unwrap();
        }
        assert_eq!((bench.socket.dropped(), bench.socket.can_send()), (1, true));
        bench.options.mandatory = true;
        bench.socket.configure(&bench.options);
        assert_eq!(bench.send("a|4"), Err(SendErrorKind::Again));
        assert_eq!(bench.send("b|4"), Err(SendErrorKind::Unroutable));
        assert!(!bench.socket.can_send());
        assert_eq!(bench.peer_receives(peer), ["1", "2"]);
        assert!(bench.socket.can_send());
        bench.send("a|5").unwrap();
        assert_eq!(bench.peer_receives(peer), ["5"]);
    }

    #[test]
    fn does_not_read_a_peer_before_it_has_a_name<S>() {
        let mut bench = Bench::<Router, S>::new(Router);
        let peer = bench.attach(Side::Connect);
        bench.peer_sends(peer, "early");
        assert_eq!(bench.recv(), Err(RecvError::Again));
        bench.ready(peer, "a");
        assert_eq!(bench.recv(), Ok("a|early".into()));
    }

    #[test]
    fn a_duplicate_is_closed_never_mute<S>() {
        let mut bench = Bench::<Router, S>::new(Router);
        let (elder, newcomer) = (bench.peer("a"), bench.peer("a"));
        assert_eq!(bench.wants_closed(newcomer), Some(CloseReason::DuplicateRoutingId));
        bench.peer_sends(newcomer, "ignored");
        bench.peer_sends(elder, "heard");
        bench.send("a|x").unwrap();
        assert_eq!(bench.recv_all(), ["a|heard"]);
        assert_eq!(bench.peer_receives(elder), ["x"]);
        assert!(bench.socket.close_pipe(newcomer));
        bench.socket.close_pipe(elder);
        let third = bench.peer("a");
        assert_eq!(bench.wants_closed(third), None);
    }

    #[test]
    fn handover_closes_the_elder_after_its_messages<S>() {
        let mut bench = Bench::<Router, S>::with(Router, |options| options.handover = true);
        let elder = bench.peer("a");
        bench.send_part("a", true).unwrap();
        bench.peer_sends(elder, "1|2");
        bench.peer_sends(elder, "3");
        assert_eq!(bench.recv_part(), Ok(("a".into(), true)));
        let newcomer = bench.peer("a");
        bench.peer_sends(newcomer, "4");
        bench.send_part("lost", false).unwrap();
        assert_eq!(bench.wants_closed(elder), Some(CloseReason::Replaced));
        assert_eq!(bench.recv(), Ok("1|2".into()));
        assert_eq!(bench.recv(), Ok("a|4".into()));
        assert!(!bench.socket.close_pipe(elder));
        bench.send("a|to the newcomer").unwrap();
        assert_eq!(bench.recv_all(), ["a|3"]);
        assert!(bench.socket.is_gone(elder));
        assert_eq!(bench.peer_receives(newcomer), ["to the newcomer"]);
        assert_eq!(bench.socket.dropped(), 1);
    }

    #[test]
    fn the_name_may_change_at_each_handshake<S>() {
        let mut bench = Bench::<Router, S>::with(Router, |options| options.mandatory = true);
        let peer = bench.attach(Side::Connect);
        for (announced, name) in [("a", "a".into()), ("a", "a".into()), ("b", "b".into()), ("", generated(7)), ("", generated(7))] {
            bench.ready(peer, announced);
            bench.send(&format!("{name}|hello")).unwrap();
            assert_eq!(bench.peer_receives(peer), ["hello"]);
        }
        assert_eq!(bench.send("a|x"), Err(SendErrorKind::Unroutable));
        assert_eq!(bench.send("b|x"), Err(SendErrorKind::Unroutable));
    }

    #[test]
    fn a_refused_connecting_pipe_may_come_back_under_another_name<S>() {
        let mut bench = Bench::<Router, S>::new(Router);
        bench.peer("a");
        let peer = bench.attach(Side::Connect);
        bench.ready(peer, "a");
        assert_eq!(bench.wants_closed(peer), Some(CloseReason::DuplicateRoutingId));
        bench.ready(peer, "b");
        assert_eq!(bench.wants_closed(peer), None);
        bench.peer_sends(peer, "x");
        assert_eq!(bench.recv(), Ok("b|x".into()));
    }

    #[test]
    fn who_comes_back_when_another_has_the_name_is_not_mute<S>() {
        let mut bench = Bench::<Router, S>::with(Router, |options| options.handover = true);
        let generated_one = bench.attach(Side::Connect);
        bench.ready(generated_one, "");
        bench.socket.connect_routing_id(b"given").unwrap();
        let given_one = bench.attach(Side::Connect);
        bench.ready(given_one, "");
        bench.peer(&generated(7));
        bench.peer("given");
        for replaced in [generated_one, given_one] {
            assert_eq!(bench.wants_closed(replaced), Some(CloseReason::Replaced));
            bench.ready(replaced, "");
        }
        assert_eq!(bench.wants_closed(given_one), Some(CloseReason::DuplicateRoutingId));
        bench.send(&format!("{}|x", generated(8))).unwrap();
        assert_eq!(bench.peer_receives(generated_one), ["x"]);
    }

    #[test]
    fn generated_names_avoid_those_that_peers_announce<S>() {
        let mut bench = Bench::<Router, S>::new(Router);
        let bold = bench.peer(&generated(7));
        let anonymous = bench.peer("");
        bench.peer_sends(anonymous, "x");
        bench.peer_sends(bold, "y");
        assert_eq!(bench.recv_all(), [format!("{}|y", generated(7)), format!("{}|x", generated(8))]);
    }

    #[test]
    fn connect_routing_id_names_one_pipe<S>() {
        let mut bench = Bench::<Router, S>::new(Router);
        for (id, answer) in [("", Err(OptionError::Invalid)), ("given", Ok(()))] {
            assert_eq!(bench.socket.connect_routing_id(id.as_bytes()), answer);
        }
        let bound = bench.peer("bound");
        let (given, next) = (bench.attach(Side::Connect), bench.attach(Side::Connect));
        bench.send("given|early").unwrap();
        bench.ready(given, "announced");
        bench.ready(next, "next");
        bench.send("announced|x").unwrap();
        bench.send("given|y").unwrap();
        assert_eq!(bench.peer_receives(given), ["early", "y"]);
        assert_eq!(bench.socket.connect_routing_id(b"bound"), Err(OptionError::InUse));
        bench.socket.connect_routing_id(b"soon taken").unwrap();
        bench.ready(next, "soon taken");
        let late = bench.attach(Side::Connect);
        assert_eq!(bench.wants_closed(late), Some(CloseReason::DuplicateRoutingId));
        bench.send("bound|z").unwrap();
        assert_eq!(bench.peer_receives(bound), ["z"]);
    }

    #[test]
    fn the_name_stays_with_unread_messages_and_is_free_for_others<S>() {
        let mut bench = Bench::<Router, S>::with(Router, |options| options.mandatory = true);
        let dead = bench.peer("a");
        bench.peer_sends(dead, "1");
        assert!(!bench.socket.close_pipe(dead));
        assert_eq!(bench.send("a|x"), Err(SendErrorKind::Unroutable));
        let next = bench.peer("a");
        assert_eq!(bench.wants_closed(next), None);
        bench.peer_sends(next, "2");
        bench.send("a|x").unwrap();
        assert_eq!(bench.recv_all(), ["a|1", "a|2"]);
        assert!(bench.socket.is_gone(dead));
        assert_eq!(bench.peer_receives(next), ["x"]);
    }

    #[test]
    fn probe_router_greets_each_pipe<S>() {
        let mut bench = Bench::<Router, S>::with(Router, |options| options.probe_router = true);
        let peer = bench.peer("a");
        assert_eq!(bench.peer_receives(peer), [""]);
    }

    #[test]
    fn stream_closes_by_an_empty_frame<S>() {
        let mut bench = Bench::<Stream, S>::new(Stream);
        let peer = bench.peer("");
        bench.peer_sends(peer, "GET /");
        assert_eq!(bench.recv(), Ok(format!("{}|GET /", generated(7))));
        // MORE on the data frame is ignored.
        bench.send_part(&generated(7), true).unwrap();
        bench.send_part("200", true).unwrap();
        assert_eq!(bench.send("nobody|x"), Err(SendErrorKind::Unroutable));
        assert_eq!(bench.peer_receives(peer), ["200"]);
        bench.send(&format!("{}|", generated(7))).unwrap();
        assert_eq!(bench.wants_closed(peer), Some(CloseReason::Unwanted));
    }
}

#[test]
fn overlong_routing_ids_are_refused() {
    let mut bench = Bench::<Router, omnimq_core::Heap>::new(Router);
    assert_eq!(bench.socket.connect_routing_id(&[b'x'; 256]), Err(OptionError::Invalid));
    assert_eq!(bench.socket.connect_routing_id(&[b'y'; 255]), Ok(()));
    let (longest, longer) = (bench.peer(&"x".repeat(255)), bench.attach(Side::Bind));
    assert_eq!(bench.wants_closed(longest), None);
    bench.socket.pipe(longer).unwrap().rx.signal(Signal::Ready(&[b'x'; 256])).unwrap();
    bench.socket.process(longer);
    assert_eq!(bench.wants_closed(longer), Some(CloseReason::TooLarge));
}
