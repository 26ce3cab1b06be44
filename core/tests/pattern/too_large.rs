//! Frames that the storage cannot keep: the whole message is given up, and the next one leaves as if it had not been.

use crate::harness::{Bench, Small};
use omnimq_core::{AnyPattern, PipeId, SendErrorKind};

const SENDING: [AnyPattern; 9] = [
    AnyPattern::Pair,
    AnyPattern::Push,
    AnyPattern::Dealer,
    AnyPattern::Req,
    AnyPattern::Rep,
    AnyPattern::Router,
    AnyPattern::Pub,
    AnyPattern::XPub,
    AnyPattern::XSub,
];

/// The beginning of a message, as far as the pattern asks for one.
fn begin(bench: &mut Bench<AnyPattern, Small>, pattern: AnyPattern, peer: PipeId) {
    match pattern {
        AnyPattern::Rep => {
            bench.peer_sends(peer, "|question");
            assert_eq!(bench.recv(), Ok("question".into()));
        }
        AnyPattern::Router => bench.send_part("name", true).unwrap(),
        _ => {}
    }
}

fn gives_up(pattern: AnyPattern, frames_before: usize, more: bool) {
    let mut bench = Bench::<AnyPattern, Small>::new(pattern);
    let peers = [bench.peer("name"), bench.peer("other")];
    for peer in peers {
        bench.peer_subscribes(peer, "");
        if pattern == AnyPattern::XPub {
            let _ = bench.recv();
        }
    }
    begin(&mut bench, pattern, peers[0]);
    for _ in 0..frames_before {
        bench.send_part("a", true).unwrap();
    }
    let what = format!("{pattern:?}, {frames_before} frames before, more: {more}");
    assert_eq!(bench.send_part(&"x".repeat(100), more), Err(SendErrorKind::TooLarge), "{what}");
    begin(&mut bench, pattern, peers[0]);
    bench.send("b|c").unwrap();
    let envelope = if matches!(pattern, AnyPattern::Req | AnyPattern::Rep) { "|" } else { "" };
    assert_eq!(bench.peer_receives(peers[0]), [format!("{envelope}b|c")], "{what}");
    let others = bench.peer_receives(peers[1]);
    let all = matches!(pattern, AnyPattern::Pub | AnyPattern::XPub | AnyPattern::XSub);
    assert_eq!(others, ["b|c"].map(String::from)[..usize::from(all)], "{what}");
}

#[test]
fn a_message_with_a_frame_that_does_not_fit_is_given_up_whole() {
    for pattern in SENDING {
        for frames_before in 0..3 {
            gives_up(pattern, frames_before, true);
            gives_up(pattern, frames_before, false);
        }
    }
}
