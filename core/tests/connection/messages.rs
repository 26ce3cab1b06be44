//! Messages both ways, back-pressure, direct reads.

use crate::trace::{Side, Small, long_frame, message};
use omnimq_core::connection::Event;
use omnimq_core::{CloseReason, Draft, Fixed, Heap, LocalStorage, PipeReader, PipeWriter, SocketType};

#[test]
fn messages_keep_their_frames_and_their_order() {
    fn on<S: LocalStorage>() {
        let big = [7; 256];
        let octets = [message(&[b"a"]), message(&[b"b", b"", b"c"]), message(&[b""]), message(&[&big])].concat();
        let mut pull = Side::<S>::ready(SocketType::Pull, SocketType::Push, 1);
        send!(pull, octets);
        let expected = [vec![b"a".to_vec()], vec![b"b".to_vec(), vec![], b"c".to_vec()], vec![vec![]], vec![big.to_vec()]];
        assert_eq!(pull.messages(), expected);
        let mut push = Side::<S>::ready(SocketType::Push, SocketType::Pull, 1);
        for parts in &expected {
            push.write(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
        }
        recv!(push, octets);
        silent!(push);
    }
    on::<Heap>();
    on::<Small>();
}

#[test]
fn a_short_body_may_have_a_long_header() {
    let mut side = Side::<Heap>::ready(SocketType::Pull, SocketType::Push, 1);
    send!(side, long_frame(0, b"ab"), long_frame(1, b""), long_frame(0, b"c"));
    assert_eq!(side.messages(), [vec![b"ab".to_vec()], vec![vec![], b"c".to_vec()]]);
}

#[test]
fn a_full_pipe_leaves_octets_over_and_takes_them_later() {
    fn on<S: LocalStorage>() {
        let mut side = Side::<S>::ready(SocketType::Pull, SocketType::Push, 1);
        side.rx.set_hwm(2);
        let octets: Vec<u8> = (0..7_u8).flat_map(|n| message(&[&[n], &[n]])).collect();
        let (mut taken, mut got) = (0, vec![]);
        while taken < octets.len() {
            let before = taken;
            taken += side.feed(&octets[taken..]);
            assert!(taken > before, "an empty pipe takes something");
            assert!((taken - before) <= 2 * 6 + 2, "no more than the mark, and the header that shows it");
            let messages = side.messages();
            assert!(messages.len() <= 2);
            got.extend(messages);
        }
        got.extend({
            send!(side, b"");
            side.messages()
        });
        assert_eq!(got, (0..7_u8).map(|n| vec![vec![n], vec![n]]).collect::<Vec<_>>());
    }
    on::<Heap>();
    on::<Small>();
}

#[test]
fn a_begun_message_is_taken_whole_whatever_the_mark_says() {
    let mut side = Side::<Heap>::ready(SocketType::Pull, SocketType::Push, 1);
    side.rx.set_hwm(1);
    let parts: Vec<&[u8]> = vec![b"part"; 50];
    send!(side, message(&parts));
    assert_eq!(side.messages(), [parts]);
}

#[test]
fn a_half_received_message_is_not_seen_and_rolled_back_at_the_end() {
    fn on<S: LocalStorage>() {
        let octets = message(&[b"one", b"two", b"three"]);
        for len in 0..octets.len() {
            let mut side = Side::<S>::ready(SocketType::Pull, SocketType::Push, 1);
            send!(side, message(&[b"whole"]), octets[..len]);
            side.eof();
            assert_eq!(side.messages(), [[b"whole"]], "cut at {len}");
            events!(side, Event::Closed(CloseReason::EndOfStream));
            // The lane is fit for the next connection.
            side.rx.write_bytes(b"next", false).unwrap();
            assert_eq!(side.messages(), [[b"next"]]);
        }
    }
    on::<Heap>();
    on::<Small>();
}

#[test]
fn a_sink_of_any_size_gets_the_same_messages() {
    fn on<S: LocalStorage>() {
        let big = [7; 280];
        for room in 1..20 {
            let mut side = Side::<S>::ready(SocketType::Push, SocketType::Pull, 1);
            side.write(&[b"one", b"", b"two"]);
            side.write(&[&big]);
            let mut out = vec![];
            loop {
                let (octets, full) = side.drain_into(room);
                assert_eq!(octets.len() == room, full || octets.len() == room);
                out.extend(octets);
                if !full {
                    break;
                }
            }
            assert_eq!(out, [message(&[b"one", b"", b"two"]), message(&[&big])].concat(), "{room} at a time");
            assert_eq!(side.tx.front(), None);
        }
    }
    on::<Heap>();
    on::<Small>();
}

/// An empty frame that waits has left nothing in the input: the driver is told so.
#[test]
fn an_empty_frame_may_stall() {
    fn on<S: LocalStorage>() {
        let mut side = Side::<S>::ready(SocketType::Pull, SocketType::Push, 1);
        side.rx.set_hwm(1);
        send!(side, message(&[b"a"]));
        assert!(!side.connection.is_stalled());
        send!(side, message(&[b""]));
        assert!(side.connection.is_stalled());
        assert_eq!(side.messages(), [[b"a"]]);
        send!(side, b"");
        assert!(!side.connection.is_stalled());
        assert_eq!(side.messages(), [[b""]]);
    }
    on::<Heap>();
    on::<Small>();
}

/// A driver reads a large body to where it stays.
#[test]
fn a_body_is_filled_in_place() {
    let body: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let octets = message(&[&body, b"end"]);
    let mut side = Side::<Heap>::ready(SocketType::Pull, SocketType::Push, 1);
    assert_eq!(side.connection.wanted(), None);
    send!(side, octets[..100]);
    let mut at = 100;
    let mut steps = 0;
    while let Some(space) = side.connection.wanted() {
        let n = space.len().min(10_000);
        space[..n].copy_from_slice(&octets[at..at + n]);
        side.connection.filled(n);
        at += n;
        steps += 1;
    }
    assert!(steps >= 30);
    assert_eq!(side.messages(), [[[0; 0]; 0]; 0], "filled, not yet handled");
    send!(side, b"");
    send!(side, octets[at..]);
    assert_eq!(side.messages(), [[body, b"end".to_vec()]]);
}

/// A driver that does not hold on to the connection while it reads takes the body out.
#[test]
fn a_body_is_lent_and_given_back() {
    fn on<S: LocalStorage>() {
        let octets = message(&[&[7; 100], b"end"]);
        let mut side = Side::<S>::ready(SocketType::Pull, SocketType::Push, 1);
        assert!(side.connection.lend(1).is_none(), "no body has begun");
        send!(side, octets[..42]);
        assert!(side.connection.lend(61).is_none(), "60 octets are missing");
        let mut draft = side.connection.lend(60).expect("60 octets are missing");
        assert!(side.connection.wanted().is_none(), "it is out");
        let n = draft.space().len().min(60);
        draft.space()[..n].fill(7);
        draft.advance(n);
        side.connection.give_back(draft);
        assert_eq!(side.connection.wanted().map_or(0, |space| space.len()), 60 - n);
        assert!(side.connection.lend(0).is_none() || n < 60, "a whole body is not lent");
        send!(side, b"");
        send!(side, octets[42 + n..]);
        assert_eq!(side.messages(), [[vec![7; 100], b"end".to_vec()]]);
        // One that has closed meanwhile forgets it.
        send!(side, octets[..42]);
        let draft = side.connection.lend(1).expect("60 octets are missing");
        side.eof();
        side.connection.give_back(draft);
        assert!(side.connection.wanted().is_none() && !side.connection.is_stalled());
    }
    on::<Heap>();
    on::<Small>();
}

#[test]
fn more_than_was_wanted_cannot_be_filled() {
    let mut side = Side::<Fixed<1, 2, 32>>::ready(SocketType::Pull, SocketType::Push, 1);
    side.connection.filled(5);
    send!(side, b"\0\x04ab");
    side.connection.wanted().unwrap().copy_from_slice(b"cd");
    side.connection.filled(usize::MAX);
    side.connection.filled(3);
    send!(side, b"");
    assert_eq!(side.messages(), [[b"abcd"]]);
}

/// A PUSH keeps nothing: a peer that talks to it cannot hold its stream back.
#[test]
fn what_nobody_will_read_is_passed_over() {
    let mut side = Side::<Heap>::ready(SocketType::Push, SocketType::Pull, 1);
    for _ in 0..100 {
        send!(side, message(&[b"a", b"b"]));
    }
    assert_eq!(side.messages(), [[[0; 0]; 0]; 0]);
    events!(side);
}
