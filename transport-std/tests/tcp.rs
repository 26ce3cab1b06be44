//! Sockets over tcp on one machine.

use omnimq::{Context, Error, Pull, Push, Rep, Req, SocketOptions};
use std::time::Duration;

fn patient() -> SocketOptions {
    let mut options = SocketOptions::default();
    options.recv_timeout = Some(Duration::from_secs(20));
    options.send_timeout = Some(Duration::from_secs(20));
    options
}

#[test]
fn questions_and_answers() {
    let context = Context::new().unwrap();
    let mut rep = Rep::with(&context, patient()).unwrap();
    let endpoint = rep.bind("tcp://127.0.0.1:*").unwrap();
    let mut req = Req::with(&context, patient()).unwrap();
    req.connect(&endpoint).unwrap();
    let answerer = std::thread::spawn(move || {
        for _ in 0..2000 {
            let question = rep.recv().unwrap();
            rep.send(question).unwrap();
        }
    });
    for n in 0..2000u32 {
        req.send(&n.to_be_bytes()).unwrap();
        assert_eq!(req.recv().unwrap().bytes(), n.to_be_bytes());
    }
    answerer.join().unwrap();
}

#[test]
fn a_flood_arrives_whole_and_in_order() {
    for size in [8usize, 64, 1000, 40_000] {
        let context = Context::new().unwrap();
        let mut pull = Pull::with(&context, patient()).unwrap();
        let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
        let mut push = Push::with(&context, patient()).unwrap();
        push.connect(&endpoint).unwrap();
        let count = 2_000_000 / (size as u32 + 20);
        let sender = std::thread::spawn(move || {
            let mut body = vec![7; size];
            for n in 0..count {
                body[..4].copy_from_slice(&n.to_be_bytes());
                push.send(body.as_slice()).unwrap();
            }
        });
        for n in 0..count {
            let message = pull.recv().unwrap();
            assert_eq!(message.bytes().len(), size);
            assert_eq!(message.bytes()[..4], n.to_be_bytes(), "size {size}");
        }
        sender.join().unwrap();
        assert!(matches!(pull.try_recv(), Err(Error::WouldBlock)));
    }
}

#[test]
fn multipart_and_large() {
    let context = Context::new().unwrap();
    let mut pull = Pull::with(&context, patient()).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
    let mut push = Push::with(&context, patient()).unwrap();
    push.connect(&endpoint).unwrap();
    let large = vec![3u8; 5 << 20];
    push.send([&b"a"[..], b"", &large, b"end"]).unwrap();
    let message = pull.recv().unwrap();
    assert_eq!(message.len(), 4);
    assert_eq!((&message[0][..], &message[1][..], &message[3][..]), (&b"a"[..], &b""[..], &b"end"[..]));
    assert!(message[2][..] == large[..]);
}

#[test]
fn what_is_sent_before_the_socket_is_dropped_arrives() {
    let context = Context::new().unwrap();
    let mut pull = Pull::with(&context, patient()).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
    let mut push = Push::with(&context, patient()).unwrap();
    push.connect(&endpoint).unwrap();
    for n in 0..1000u32 {
        push.send(&n.to_be_bytes()).unwrap();
    }
    drop(push);
    for n in 0..1000u32 {
        assert_eq!(pull.recv().unwrap().bytes(), n.to_be_bytes());
    }
    drop(pull);
    context.term_timeout(Duration::from_secs(10)).unwrap();
}
