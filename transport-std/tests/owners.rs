//! Whose memory messages are in: what is said not to be copied is not.

mod support;

use futures::executor::block_on;
use omnimq::{Context, Frame, Message, SocketType};
use std::time::Duration;
use support::*;

static PAGE: [u8; 4096] = [7; 4096];

/// The same place, not the same octets.
#[track_caller]
fn same(one: &[u8], other: &[u8]) {
    assert_eq!((one.as_ptr(), one.len()), (other.as_ptr(), other.len()));
}

#[test]
fn messages_and_frames_keep_what_they_are_made_of() {
    same(Message::from_static(&PAGE).bytes(), &PAGE);
    same(&Frame::from_static(&PAGE), &PAGE);
    let vector = vec![1; 1000];
    let (at, len) = (vector.as_ptr(), vector.len());
    let frame = Frame::from(vector);
    assert_eq!((frame.as_ptr(), frame.len()), (at, len));
    let message = Message::from(vec![2; 1000]);
    same(message.clone().bytes(), message.bytes());
    same(&message.clone().into_frames()[0], message.bytes());
    let text = "x".repeat(100);
    let at = text.as_ptr();
    assert_eq!(Message::from(text).bytes().as_ptr(), at);
    let shared = std::sync::Arc::<[u8]>::from(vec![3; 1000]);
    let mut message = Message::from(Frame::from_owner(shared.clone()));
    same(message.bytes(), &shared);
    message.push(frame.clone());
    same(&message[1], &frame);
    // Slices are of the same place; what is small is inline.
    same(&message[0].slice(100..900).unwrap(), &shared[100..900]);
    same(&Frame::from_static(&PAGE).slice(1..4000).unwrap(), &PAGE[1..4000]);
    assert_ne!(message[0].slice(0..30).unwrap().as_ptr(), shared.as_ptr());
    drop(message);
    assert_eq!(std::sync::Arc::strong_count(&shared), 1);
}

/// Within the process a large frame arrives where it was: nothing on its way copies it, whatever its owner.
#[test]
fn large_frames_are_sent_by_reference() {
    static LARGE: [u8; 20_000] = [5; 20_000];
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    pull.bind("inproc://here").unwrap();
    let mut push = socket(&context, SocketType::Push);
    push.connect("inproc://here").unwrap();
    push.send(Frame::from_static(&LARGE)).unwrap();
    same(pull.recv().unwrap().bytes(), &LARGE);
    let message = Message::from(vec![1; 20_000]);
    push.send(&message).unwrap();
    same(pull.recv().unwrap().bytes(), message.bytes());
    push.send([message[0].clone(), Frame::from_static(&LARGE)]).unwrap();
    let both = pull.recv().unwrap();
    same(&both[0], message.bytes());
    same(&both[1], &LARGE);
}

/// What is given away is sent from where it is, and comes back from there when it is refused.
#[test]
fn large_vectors_and_strings_are_given_not_copied() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    pull.bind("inproc://here").unwrap();
    let mut push = socket(&context, SocketType::Push);
    push.connect("inproc://here").unwrap();
    let large = |n: u8| vec![n; 20_000];
    for n in 0..3 {
        let (vector, text) = (large(n), "x".repeat(20_000));
        let places = [vector.as_ptr(), text.as_ptr()];
        match n {
            0 => (push.send(vector).unwrap(), push.try_send(text).unwrap()),
            1 => block_on(async { (push.send_async(vector).await.unwrap(), push.send_async(text).await.unwrap()) }),
            _ => (push.send([vector, vec![1]]).unwrap(), push.send([text, String::new()]).unwrap()),
        };
        for place in places {
            assert_eq!(pull.recv().unwrap().bytes().as_ptr(), place);
        }
    }
    let (vector, text) = (large(1), "x".repeat(20_000));
    let (at, of_text) = (vector.as_ptr(), text.as_ptr());
    let vector = pull.send(vector).unwrap_err().message;
    let vector = pull.send_timeout(vector, Duration::ZERO).unwrap_err().message;
    let [vector, small] = pull.send([vector, vec![1]]).unwrap_err().message;
    let vector = block_on(pull.send_async(vector)).unwrap_err().message;
    assert_eq!((vector.as_ptr(), &vector, &small), (at, &large(1), &vec![1]));
    let text = pull.send(text).unwrap_err().message;
    let [text, empty] = pull.send([text, String::new()]).unwrap_err().message;
    assert_eq!((text.as_ptr(), &text[..3], text.len(), &empty[..]), (of_text, "xxx", 20_000, ""));
    // A copy of what was lent is sent: the caller keeps it.
    push.send(&vector).unwrap();
    assert_eq!(pull.recv().unwrap().bytes(), vector);
}

/// What arrives over a stream is where it was read to, and slices of it are there too.
#[test]
fn what_arrives_is_sliced_without_copying() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    let mut push = socket(&context, SocketType::Push);
    push.connect(&pull.bind(ANY).unwrap()).unwrap();
    for size in [1000, 100_000, 1 << 20] {
        push.send(vec![6; size]).unwrap();
        let frame = pull.recv().unwrap().into_frames().remove(0);
        same(&frame.slice(100..900).unwrap(), &frame[100..900]);
        same(&frame.clone(), &frame);
    }
}

#[cfg(feature = "bytes")]
mod bytes {
    use super::*;
    use ::bytes::Bytes;
    use omnimq::Error;

    #[test]
    fn bytes_are_kept_and_given_back() {
        let bytes = Bytes::from(vec![1; 1000]);
        let message = Message::from(bytes.clone());
        same(message.bytes(), &bytes);
        same(&message[0].slice(100..900).unwrap(), &bytes[100..900]);
        same(&message.into_bytes()[0], &bytes);
        let several = Message::from(vec![bytes.clone(), Bytes::from_static(b"small")]);
        same(&several[0], &bytes);
        let back = several.into_bytes();
        same(&back[0], &bytes);
        assert_eq!(&back[1][..], b"small");
        assert_eq!(Message::from(Vec::<Bytes>::new()).len(), 1);
        // A frame is what owns other bytes, and they keep it.
        let frame = Frame::from(vec![2; 1000]);
        let of_frame = Bytes::from_owner(frame.clone());
        same(&of_frame.slice(10..20), &frame[10..20]);
    }

    #[test]
    fn bytes_are_sent_and_come_back_refused() {
        let context = Context::new().unwrap();
        let mut pull = socket(&context, SocketType::Pull);
        pull.bind("inproc://here").unwrap();
        let mut push = socket(&context, SocketType::Push);
        push.connect("inproc://here").unwrap();
        let large = Bytes::from(vec![1; 20_000]);
        push.send(large.clone()).unwrap();
        let arrived = pull.recv().unwrap();
        same(arrived.bytes(), &large);
        same(&arrived.into_bytes()[0], &large);
        push.send([Bytes::from_static(b"topic"), large.clone()]).unwrap();
        push.send(vec![Bytes::from_static(b"topic"), large.clone()]).unwrap();
        for _ in 0..2 {
            let arrived = pull.recv().unwrap();
            assert_eq!(&arrived[0][..], b"topic");
            same(&arrived[1], &large);
        }
        let refused = pull.send(large.clone()).unwrap_err();
        assert!(matches!(refused.error, Error::NotSupported));
        same(&refused.message, &large);
    }
}
