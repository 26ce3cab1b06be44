//! Messages for completed connections only: with ours and with libzmq's sockets the same comes out.

use crate::either::{ENDS, IMMEDIATE, Makers, QUICK, Setting, Whose};
use crate::ours::{Nowhere, SOON, TRANSPORTS, until};
use omnimq::{Context, SocketType};
use omnimq_tests::libzmq::Peer;
use std::time::Duration;

/// Small queues, so that a few messages fill them.
const SEND_TEN: Setting = Setting("SNDHWM", 10, |options| options.send_hwm = 10);
const RECEIVE_TEN: Setting = Setting("RCVHWM", 10, |options| options.recv_hwm = 10);

/// Nobody is there: nothing is taken. Somebody comes and goes: what waited for him is given up, and the next one gets what
/// is sent to him alone.
#[test]
fn nothing_waits_for_a_peer_in_the_making_or_for_one_that_was_lost() {
    let (context, peer) = (Context::new().unwrap(), Peer::start());
    let makers = Makers { context: &context, peer: &peer };
    for transport in TRANSPORTS {
        for (sender, receiver) in ENDS {
            for (from, to) in [(SocketType::Push, SocketType::Pull), (SocketType::Dealer, SocketType::Dealer)] {
                let what = format!("{sender:?} to {receiver:?} over {transport}");
                let nowhere = Nowhere::new(transport);
                let mut from = makers.socket(sender, from, &[IMMEDIATE, SEND_TEN, QUICK]);
                from.connect(nowhere.endpoint());
                assert_eq!(from.send_many(0, 1, 64), 0, "{what}: nobody is there");

                let mut first = makers.socket(receiver, to, &[RECEIVE_TEN]);
                first.bind(nowhere.endpoint());
                from.send_all(0, 1, 64);
                assert_eq!(first.hear(SOON), Some(0), "{what}");
                // More than both marks and the buffers of the kernel hold.
                assert!(from.send_many(1, 500, 100_000) < 500);
                first.close();
                let mut second = makers.socket(receiver, to, &[]);
                second.bind(nowhere.endpoint());
                // What is said before the sender has noticed goes with the first as well.
                let mut said = 7000..;
                let heard = until("a message for the second", || {
                    from.send_many(said.next().unwrap(), 1, 64);
                    second.hear(Duration::from_millis(20))
                });
                assert!(heard >= 7000, "{what}: what waited for the first is given up, and not {heard}");
            }
        }
    }
}

/// It is about connections that have to be made: within a process a name is connected at once.
#[test]
fn names_of_a_process_are_connected_at_once() {
    let (context, peer) = (Context::new().unwrap(), Peer::start());
    let makers = Makers { context: &context, peer: &peer };
    for whose in [Whose::Ours, Whose::Theirs] {
        let mut push = makers.socket(whose, SocketType::Push, &[IMMEDIATE]);
        push.connect("inproc://later");
        assert_eq!(push.send_many(0, 10, 64), 10, "{whose:?}");
        let mut pull = makers.socket(whose, SocketType::Pull, &[]);
        pull.bind("inproc://later");
        assert_eq!(pull.hear_until(9), (0..10).collect::<Vec<_>>(), "{whose:?}");
    }
}
