//! Messages part by part.

mod support;

use omnimq::{Context, Dealer, Error, Frame, Message, Pull, Push, SocketType};
use std::time::Duration;
use support::*;

fn pair(at: &str) -> (Context, Push, Pull) {
    let context = Context::new().unwrap();
    let mut pull = Pull::with(&context, patient()).unwrap();
    let endpoint = pull.bind(at).unwrap();
    let mut push = Push::with(&context, patient()).unwrap();
    push.connect(&endpoint).unwrap();
    (context, push, pull)
}

/// The last part may be given by any call that sends, and be several; taken part by part or whole it is the same message.
#[test]
fn parts_are_one_message() {
    for at in TRANSPORTS {
        let (_context, mut push, mut pull) = pair(at);
        push.send_more("a").unwrap();
        push.send_more(vec![7; 100_000]).unwrap();
        push.send("c").unwrap();
        push.send_more("a").unwrap();
        push.try_send(["b", "c"]).unwrap();
        push.send_more(Frame::from_static(b"a")).unwrap();
        push.send_timeout(Message::from("b"), PATIENCE).unwrap();
        push.send("alone").unwrap();

        let whole = pull.recv().unwrap();
        assert_eq!(whole.iter().map(|frame| frame.len()).collect::<Vec<_>>(), [1, 100_000, 1]);
        for (n, part) in [b"a", b"b", b"c"].into_iter().enumerate() {
            assert_eq!(pull.has_more(), n > 0);
            assert_eq!(&pull.recv_part().unwrap()[..], part);
        }
        assert!(!pull.has_more());
        assert_eq!(&pull.recv_part().unwrap()[..], b"a");
        assert_eq!(&pull.try_recv_part().unwrap()[..], b"b");
        assert_eq!(&pull.recv_part().unwrap()[..], b"alone");
        assert!(!pull.has_more());
        assert!(matches!(pull.try_recv_part(), Err(Error::WouldBlock)));
    }
}

#[test]
fn whoever_receives_a_message_gets_what_is_left_of_one_begun() {
    let (_context, mut push, mut pull) = pair(ANY);
    push.send(["a", "b", "c"]).unwrap();
    push.send("next").unwrap();
    pull.recv_part().unwrap();
    assert_eq!(frames(&pull.recv().unwrap()), [b"b", b"c"]);
    assert!(!pull.has_more());
    assert_eq!(pull.recv_timeout(PATIENCE).unwrap().bytes(), b"next");
}

/// Nobody sees a message that has been begun, nor is it in the way of anything that is received.
#[test]
fn a_half_given_message_is_seen_by_nobody() {
    let context = Context::new().unwrap();
    let mut router = socket(&context, SocketType::Router);
    let endpoint = router.bind(ANY).unwrap();
    let mut dealer = Dealer::with(&context, patient()).unwrap();
    dealer.connect(&endpoint).unwrap();
    dealer.send_more("forgotten").unwrap();
    dealer.forget_parts();
    dealer.send("question").unwrap();
    dealer.send_more("begun").unwrap();
    let question = router.recv().unwrap();
    assert_eq!(question.len(), 2, "nothing of what was forgotten");
    router.send(question).unwrap();
    assert_eq!(dealer.recv().unwrap().bytes(), b"question");
    assert!(matches!(router.recv_timeout(Duration::from_millis(20)), Err(Error::WouldBlock)));
    // Halves go on with it.
    let (mut send, mut recv) = dealer.split();
    send.send("ended").unwrap();
    assert_eq!(frames(&router.recv().unwrap())[1..], [b"begun", b"ended"]);
    assert!(recv.try_recv_part().is_err() && !recv.has_more());
    send.send_more("begun, and dropped").unwrap();
    drop((send, recv));
    assert!(matches!(router.recv_timeout(Duration::from_millis(20)), Err(Error::WouldBlock)));
}

/// Refused, a last part comes back alone, and can be given again behind those before it.
#[test]
fn a_refused_last_part_comes_back_alone() {
    let context = Context::new().unwrap();
    let mut push = Push::with(&context, marks(1, 1)).unwrap();
    let endpoint = push.bind(ANY).unwrap();
    push.send_more("a").unwrap();
    for _ in 0..2 {
        let refused = push.try_send(vec![1, 2]).unwrap_err();
        assert!(matches!(refused.error, Error::WouldBlock));
        assert_eq!(refused.message, [1, 2]);
    }
    let mut pull = Pull::with(&context, patient()).unwrap();
    pull.connect(&endpoint).unwrap();
    push.send(vec![1, 2]).unwrap();
    assert_eq!(frames(&pull.recv().unwrap()), [b"a".to_vec(), vec![1, 2]]);

    let mut pull = socket(&context, SocketType::Pull);
    pull.send_more("a").unwrap();
    assert!(matches!(pull.send("no PULL sends").unwrap_err().error, Error::NotSupported));
    context.shutdown();
    let refused = push.send_more("late").unwrap_err();
    assert!(matches!(refused.error, Error::Terminated));
    assert_eq!(&refused.message[..], b"late");
}
