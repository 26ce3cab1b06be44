//! The high-water marks: exact where nobody reads, and never in the way of what was accepted.

mod support;

use omnimq::{Context, Error, SocketType};
use std::time::Duration;
use support::*;

#[test]
fn unconnected_peer_accepts_exactly_the_mark() {
    for socket_type in [SocketType::Push, SocketType::Dealer, SocketType::Pair] {
        for mark in [1, 2, 3, 10, 1000] {
            let context = Context::new().unwrap();
            let mut socket = context.socket_with(socket_type, marks(mark, 1000)).unwrap();
            let nobody = Port::reserve();
            socket.connect(nobody.endpoint()).unwrap();
            assert_eq!(fill(&mut socket, b"body"), mark, "{socket_type:?}");
            assert_eq!(fill(&mut socket, &[0; 100_000]), 0, "{socket_type:?}: full is full");
        }
    }
}

#[test]
fn each_of_several_peers_has_its_own_mark() {
    let context = Context::new().unwrap();
    let mut push = context.socket_with(SocketType::Push, marks(7, 1000)).unwrap();
    let nobody = [(); 3].map(|()| Port::reserve());
    for (n, nobody) in nobody.iter().enumerate() {
        push.connect(nobody.endpoint()).unwrap();
        assert_eq!(fill(&mut push, b"body"), 7, "peer {n}");
    }
}

#[test]
fn nobody_there_accepts_nothing() {
    let context = Context::new().unwrap();
    for socket_type in [SocketType::Push, SocketType::Dealer, SocketType::Pair, SocketType::Req] {
        let mut socket = socket(&context, socket_type);
        socket.bind(ANY).unwrap();
        assert_eq!(fill(&mut socket, b"body"), 0, "{socket_type:?}");
    }
}

#[test]
fn zero_is_no_limit() {
    let context = Context::new().unwrap();
    let mut push = context.socket_with(SocketType::Push, marks(0, 1000)).unwrap();
    let port = Port::reserve();
    let endpoint = port.endpoint();
    push.connect(endpoint).unwrap();
    for n in 0..50_000u32 {
        push.try_send(&n.to_be_bytes()).unwrap();
    }
    let mut pull = context.socket_with(SocketType::Pull, marks(1000, 0)).unwrap();
    pull.bind(endpoint).unwrap();
    for n in 0..50_000u32 {
        assert_eq!(number(&pull.recv().unwrap()), n);
    }
}

#[test]
fn what_a_full_socket_accepted_arrives_when_a_peer_comes() {
    for mark in [1, 2, 10, 1000] {
        let context = Context::new().unwrap();
        let mut push = context.socket_with(SocketType::Push, marks(mark, 1000)).unwrap();
        let port = Port::reserve();
        let endpoint = port.endpoint();
        push.connect(endpoint).unwrap();
        for n in 0..mark {
            push.try_send(&n.to_be_bytes()).unwrap();
        }
        assert!(matches!(push.try_send(b"no").map_err(Error::from), Err(Error::WouldBlock)));
        let mut pull = socket(&context, SocketType::Pull);
        pull.bind(endpoint).unwrap();
        for n in 0..mark {
            assert_eq!(number(&pull.recv().unwrap()), n);
        }
        // The credit has come back: as many again.
        for n in 0..mark {
            push.send(&n.to_be_bytes()).unwrap();
            assert_eq!(number(&pull.recv().unwrap()), n);
        }
    }
}

/// A peer that shakes hands and reads nothing: what is accepted goes to the kernel's buffers until these are full;
/// then exactly the mark is queued.
#[test]
fn kernel_full_and_the_mark_is_queued() {
    const SIZE: usize = 60_000;
    for mark in [1u32, 2, 10, 100] {
        let context = Context::new().unwrap();
        let mut push = context.socket_with(SocketType::Push, marks(mark, 1000)).unwrap();
        let endpoint = push.bind(ANY).unwrap();
        let mut raw = Raw::connect(&endpoint).shake("PULL").unwrap();
        let mut body = vec![0; SIZE];
        let mut accepted = 0u32;
        // Full when nothing is accepted for long.
        while push.send_timeout(body.as_slice(), Duration::from_millis(300)).is_ok() {
            accepted += 1;
            body[..4].copy_from_slice(&accepted.to_be_bytes());
            assert!(accepted < 10_000);
        }
        let queued = unread(&raw, SIZE + 9);
        println!("mark {mark}: accepted {accepted}, kernel {queued}");
        for n in 0..accepted {
            let (flags, body) = raw.frame().unwrap();
            assert_eq!((flags, body.len()), (0, SIZE));
            assert_eq!(body[..4], n.to_be_bytes());
        }
        // And it is writable again.
        push.send(b"more").unwrap();
        assert_eq!(raw.frame().unwrap().1, b"more");
    }
}

/// How many frames of `len` octets the receiving side's kernel buffer holds.
fn unread(raw: &Raw, len: usize) -> usize {
    let mut octets = vec![0; 16 << 20];
    raw.0.peek(&mut octets).unwrap() / len
}

/// A PULL whose application takes nothing keeps at most its mark beside what the kernel and one read hold.
#[test]
fn reader_that_is_away_keeps_its_mark() {
    const SIZE: usize = 4096;
    // Two socket buffers of this machine, and a read of 256 KiB.
    let slack = (kernel_buffers() + (256 << 10)) / SIZE as u64 + 1;
    for (send, recv) in [(1, 1), (10, 10), (100, 1000), (1000, 100)] {
        let context = Context::new().unwrap();
        let mut pull = context.socket_with(SocketType::Pull, marks(1000, recv)).unwrap();
        let endpoint = pull.bind(ANY).unwrap();
        let mut push = context.socket_with(SocketType::Push, marks(send, 1000)).unwrap();
        push.connect(&endpoint).unwrap();
        let mut body = vec![0; SIZE];
        let mut accepted = 0u32;
        while push.send_timeout(body.as_slice(), Duration::from_millis(300)).is_ok() {
            accepted += 1;
            body[..4].copy_from_slice(&accepted.to_be_bytes());
            assert!(u64::from(accepted) < 100_000 + slack, "never blocks");
        }
        println!("marks {send} + {recv}: {accepted} accepted, slack {slack}");
        assert!(u64::from(accepted) <= u64::from(send + recv) + slack, "{accepted}");
        assert!(accepted >= send + recv, "{accepted}");
        for n in 0..accepted {
            assert_eq!(number(&pull.recv().unwrap()), n);
        }
        push.send(accepted.to_be_bytes().as_slice()).unwrap();
        assert_eq!(number(&pull.recv().unwrap()), accepted);
    }
}

/// What the kernel may hold between two sockets: the largest send and receive buffers, in octets.
fn kernel_buffers() -> u64 {
    let largest = |name| -> u64 {
        let text = std::fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).unwrap();
        text.split_whitespace().last().unwrap().parse().unwrap()
    };
    largest("tcp_wmem") + largest("tcp_rmem")
}

/// A sender that is blocked most of the time, on every mark: nothing is lost, doubled or out of order.
#[test]
fn blocked_and_resumed_without_loss() {
    for (send, recv, size) in [(1, 1, 4), (1, 1, 70_000), (2, 3, 1000), (1000, 1, 20_000), (1, 1000, 100), (3, 2, 17_000)] {
        let context = Context::new().unwrap();
        let mut pull = context.socket_with(SocketType::Pull, marks(1000, recv)).unwrap();
        let endpoint = pull.bind(ANY).unwrap();
        let mut push = context.socket_with(SocketType::Push, marks(send, 1000)).unwrap();
        push.connect(&endpoint).unwrap();
        let count = if size > 10_000 { 1000u32 } else { 5000 };
        let sender = std::thread::spawn(move || {
            let mut body = vec![0; size];
            for n in 0..count {
                body[..4].copy_from_slice(&n.to_be_bytes());
                push.send(body.as_slice()).unwrap();
            }
            push
        });
        for n in 0..count {
            if n % 500 == 499 {
                // The sender runs against the marks.
                std::thread::sleep(Duration::from_millis(5));
            }
            let message = pull.recv().unwrap_or_else(|error| panic!("marks {send} {recv}, size {size}, at {n}: {error}"));
            assert_eq!((number(&message), message.bytes().len()), (n, size));
        }
        sender.join().unwrap();
    }
}

/// Credit comes back in batches: a full socket stays full until half its mark has gone.
#[test]
fn credit_returns_in_batches() {
    // Sizes at which the kernel takes nothing more: frames larger than all its buffers.
    let size = kernel_buffers() as usize + (1 << 20);
    let context = Context::new().unwrap();
    let mut push = context.socket_with(SocketType::Push, marks(4, 1000)).unwrap();
    let endpoint = push.bind(ANY).unwrap();
    let mut raw = Raw::connect(&endpoint).shake("PULL").unwrap();
    let large = omnimq::Frame::from(vec![0; size]);
    // The fifth is refused: the first is on its way, not gone.
    for _ in 0..4 {
        push.send(&large).unwrap();
    }
    assert!(push.try_send(&large).is_err());
    raw.frame().unwrap();
    // One of four has gone: (4 + 1) / 2 = 2 make a batch.
    assert!(push.send_timeout(&large, Duration::from_millis(200)).is_err());
    raw.frame().unwrap();
    push.send(&large).unwrap();
}
