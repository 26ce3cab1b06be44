//! What is sent leaves although the application that sent it never calls again.

use omnimq::{Context, Error, Pull, Push, SocketOptions};
use omnimq_core::ReconnectPolicy;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

fn options(mark: u32) -> SocketOptions {
    let mut options = SocketOptions::default();
    (options.send_hwm, options.recv_hwm) = (mark, mark);
    options.linger = Some(Duration::ZERO);
    options.reconnect = ReconnectPolicy::from_options(1, 0, 0);
    options
}

/// The message that ended a wait for room is not forgotten: with the mark reached and nobody there, a peer appears,
/// takes what is queued, and the sender, who has been trying all the time, gets one more message in and goes away.
#[test]
fn a_message_that_waited_for_room_leaves() {
    let context = Context::new().unwrap();
    for mark in [1, 2, 3, 8, 100, 1000].into_iter().cycle().take(60) {
        let mut pull = Pull::with(&context, options(mark)).unwrap();
        let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
        pull.unbind(&endpoint).unwrap();
        drop(pull);
        let mut push = Push::with(&context, options(mark)).unwrap();
        push.connect(&endpoint).unwrap();
        for number in 0..mark {
            push.try_send(&number.to_be_bytes()).unwrap();
        }
        let refused = push.try_send(&mark.to_be_bytes()).unwrap_err();
        assert!(matches!(refused.error, Error::WouldBlock));
        let mut pull = Pull::with(&context, options(mark)).unwrap();
        pull.bind(&endpoint).unwrap();
        let sender = std::thread::spawn(move || {
            while push.try_send(&mark.to_be_bytes()).is_err() {}
            push
        });
        for number in 0..=mark {
            let message = pull.recv_timeout(SOON).unwrap_or_else(|error| panic!("message {number} of {mark}: {error}"));
            assert_eq!(message.bytes(), number.to_be_bytes());
        }
        drop(sender.join().unwrap());
    }
}
