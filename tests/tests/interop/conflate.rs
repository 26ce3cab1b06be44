//! Sockets that keep the last message alone, ours and libzmq's: where libzmq keeps whole messages, what comes out is the
//! same.

use crate::either::{CONFLATE, ENDS, Makers, QUICK, Whose};
use crate::ours::{A_MOMENT, ANY, Nowhere, SOON, TRANSPORTS, octets, options, until};
use omnimq::{Context, SocketType};
use omnimq_tests::libzmq::{Part, Peer};

/// Nobody is there yet: of all that was sent, the last message waits.
#[test]
fn what_waits_for_a_peer_is_the_last_message() {
    let (context, peer) = (Context::new().unwrap(), Peer::start());
    let makers = Makers { context: &context, peer: &peer };
    for transport in TRANSPORTS {
        for (sender, receiver) in ENDS {
            let nowhere = Nowhere::new(transport);
            let mut from = makers.socket(sender, SocketType::Push, &[CONFLATE, QUICK]);
            from.connect(nowhere.endpoint());
            assert_eq!(from.send_many(0, 3000, 64), 3000, "no mark holds {sender:?} back");
            let mut to = makers.socket(receiver, SocketType::Pull, &[]);
            to.bind(nowhere.endpoint());
            assert_eq!(to.hear_until(2999), [2999], "{sender:?} to {receiver:?} over {transport}");
        }
    }
}

/// A receiver that is away is said more than all marks and buffers hold, and has the last message when it is back.
#[test]
fn a_receiver_that_is_away_gets_the_last_message() {
    let (context, peer) = (Context::new().unwrap(), Peer::start());
    let makers = Makers { context: &context, peer: &peer };
    for transport in TRANSPORTS {
        for (sender, receiver) in ENDS {
            for (from, to) in [(SocketType::Push, SocketType::Pull), (SocketType::Dealer, SocketType::Dealer)] {
                let nowhere = Nowhere::new(transport);
                let mut to = makers.socket(receiver, to, &[CONFLATE]);
                let mut from = makers.socket(sender, from, &[]);
                from.connect(&to.bind(nowhere.endpoint()));
                from.send_all(0, 5000, 4000);
                let heard = to.hear_until(4999);
                assert!(heard.len() < 500 && heard.is_sorted(), "{sender:?} to {receiver:?}: {}", heard.len());
            }
        }
    }
}

/// Parts of a message take each other's place in libzmq; ours keeps messages whole.
#[test]
fn messages_of_several_parts_stay_whole() {
    let (context, peer) = (Context::new().unwrap(), Peer::start());
    let mut options = options();
    options.conflate = true;
    let mut ours = context.socket_with(SocketType::Pull, options).unwrap();
    let theirs = peer.socket_with("PULL", &[("CONFLATE", 1)]);
    let parts = ["head", "body", "tail"].map(Part::from);
    let push = peer.socket("PUSH");
    push.connect(&ours.bind(ANY).unwrap());
    push.send(&parts, SOON).unwrap();
    assert_eq!(octets(&ours.recv().unwrap()), [b"head", b"body", b"tail"]);
    let push = peer.socket("PUSH");
    push.connect(&theirs.bind(ANY));
    push.send(&parts, SOON).unwrap();
    until("the last part alone", || (theirs.recv_octets(SOON).unwrap() == [b"tail"]).then_some(()));
}

/// Topics take each other's place in libzmq; ours are all told.
#[test]
fn topics_do_not_take_each_others_place() {
    let (context, peer) = (Context::new().unwrap(), Peer::start());
    let makers = Makers { context: &context, peer: &peer };
    for (whose, told) in [(Whose::Ours, &["\x01a", "\x01b", "\x01c"][..]), (Whose::Theirs, &["\x01c"])] {
        let publisher = peer.socket("XPUB");
        let mut sub = makers.socket(whose, SocketType::Sub, &[CONFLATE]);
        ["a", "b", "c"].iter().for_each(|topic| sub.subscribe(topic.as_bytes()));
        sub.connect(&publisher.bind(ANY));
        for topic in told {
            assert_eq!(publisher.recv_octets(SOON).unwrap(), [topic.as_bytes()], "{whose:?}");
        }
        assert!(publisher.recv(A_MOMENT).is_err());
    }
}
