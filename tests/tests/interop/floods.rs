//! libzmq's processes are killed and started again while messages flood: no call fails, no message is torn, repeated or out
//! of order, what was queued for whoever comes next survives, and subscriptions are told again.

use crate::ours::{Nowhere, SOON, options, until, would_block};
use omnimq::{Context, Error, Message, PeerState, Socket, SocketType};
use omnimq_tests::libzmq::{Peer, Socket as Theirs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often a peer comes and is killed.
const LIVES: u64 = 2;

/// A socket of ours that sends without end, on a thread of its own.
struct Flood {
    over: Arc<AtomicBool>,
    thread: JoinHandle<(Socket, u64)>,
}

impl Flood {
    /// Sends what `message` makes of numbers from zero on. To have no room is no failure, all else is.
    fn begin(mut socket: Socket, message: impl Fn(u64) -> Message + Send + 'static) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let asked = over.clone();
        let thread = thread::spawn(move || {
            let mut number = 0;
            while !asked.load(Ordering::SeqCst) {
                if number % 64 == 0 {
                    // Who waits for nobody leaves others their processor.
                    thread::sleep(Duration::from_micros(50));
                }
                match socket.send_timeout(message(number), Duration::from_millis(5)).map_err(Error::from) {
                    Ok(()) => number += 1,
                    Err(Error::WouldBlock) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            socket.flush();
            (socket, number)
        });
        Self { over, thread }
    }
    /// The socket, and how many messages it took.
    fn end(self) -> (Socket, u64) {
        self.over.store(true, Ordering::SeqCst);
        self.thread.join().unwrap()
    }
}

/// A socket of ours; with `we_bind` it is bound, else connected to where nobody is yet. Where the two meet.
fn ours(context: &Context, socket_type: SocketType, nowhere: &Nowhere, we_bind: bool) -> Socket {
    let mut options = options();
    options.reconnect.ivl = Some(Duration::from_millis(10));
    let mut socket = context.socket_with(socket_type, options).unwrap();
    if we_bind {
        socket.bind(nowhere.endpoint()).unwrap();
    } else {
        socket.connect(nowhere.endpoint()).unwrap();
    }
    socket
}

/// The other side, in a process that has just been started.
fn theirs<'a>(peer: &'a Peer, socket_type: SocketType, nowhere: &Nowhere, we_bind: bool) -> Theirs<'a> {
    let socket = peer.socket_with(socket_type.name(), &[("RECONNECT_IVL", 10)]);
    if socket_type == SocketType::Dealer {
        socket.set_octets("ROUTING_ID", b"theirs");
    }
    if socket_type == SocketType::Sub {
        ["a.", "c."].iter().for_each(|topic| socket.subscribe(topic.as_bytes()));
    }
    if we_bind {
        socket.connect(nowhere.endpoint());
    } else {
        socket.bind(nowhere.endpoint());
    }
    socket
}

/// Processes for all lives of a peer, started at once: each takes its time to begin.
fn lives() -> impl Iterator<Item = (u64, Peer)> {
    (0..LIVES).zip((0..LIVES).map(|_| Peer::start()).collect::<Vec<_>>())
}

/// A topic and a number, as [`Theirs::flood`] sends them.
fn text(topics: &[&str], number: u64) -> Vec<u8> {
    [topics[number as usize % topics.len()].as_bytes(), &number.to_be_bytes(), &[0; 48]].concat()
}

/// The number behind a topic of `len` octets.
fn number_of(text: &[u8], len: usize) -> u64 {
    assert_eq!(text.len(), len + 56, "torn");
    u64::from_be_bytes(text[len..len + 8].try_into().unwrap())
}

/// We send, they receive and are killed.
#[test]
fn what_we_send_goes_on_at_whoever_comes_next() {
    use SocketType::{Dealer, Pull, Push, Router};
    for (from, to, we_bind) in [(Push, Pull, true), (Push, Pull, false), (Dealer, Router, false)] {
        let (context, nowhere) = (Context::new().unwrap(), Nowhere::new("tcp"));
        let flood = Flood::begin(ours(&context, from, &nowhere, we_bind), |number| text(&[""], number).into());
        let mut next = 0;
        for (_, peer) in lives() {
            let socket = theirs(&peer, to, &nowhere, we_bind);
            // In one life nothing is missing; of two lives, what the first took along.
            let [(first, count @ 5000)] = socket.recv_many(5000, SOON)[..] else { panic!("with gaps") };
            assert!(first >= next, "repeated");
            next = first + count;
            peer.kill();
        }
        let (socket, sent) = flood.end();
        if we_bind {
            // What waited for one who came goes with him.
            until("the loss is noticed", || socket.statistics().peers.is_empty().then_some(()));
            continue;
        }
        // What the kernel was not given waits for the next, to the message.
        until("the loss is noticed", || (socket.statistics().peers[0].state == PeerState::Connecting).then_some(()));
        let statistics = socket.statistics();
        assert_eq!(statistics.sent.messages, sent);
        let unsent = u64::from(statistics.peers[0].unsent);
        assert!(unsent > 0, "nothing is queued");
        let peer = Peer::start();
        assert_eq!(theirs(&peer, to, &nowhere, we_bind).recv_many(unsent, SOON), [(sent - unsent, unsent)]);
    }
}

/// They send and are killed, we receive.
#[test]
fn what_they_send_is_whole_whoever_was_killed() {
    use SocketType::{Dealer, Pull, Push, Router};
    for (from, to, we_bind) in [(Push, Pull, false), (Dealer, Router, true), (Dealer, Router, false)] {
        let (context, nowhere) = (Context::new().unwrap(), Nowhere::new("tcp"));
        let mut socket = ours(&context, to, &nowhere, we_bind);
        for (life, peer) in lives() {
            theirs(&peer, from, &nowhere, we_bind).flood(&[""], life << 32);
            let mut due = life << 32;
            let mut hear = |socket: &mut Socket, wait| {
                let message = socket.recv_timeout(wait);
                if would_block(&message) {
                    return false;
                }
                let message = message.unwrap();
                assert_eq!(message.len(), if to == Router { 2 } else { 1 });
                assert_eq!(number_of(message.last().unwrap(), 0), due, "lost, repeated or out of order");
                due += 1;
                true
            };
            (0..5000).for_each(|_| assert!(hear(&mut socket, SOON)));
            peer.kill();
            // What it had said is received, and ends between two messages.
            while hear(&mut socket, Duration::from_millis(5)) || is_connected(&socket) {}
        }
    }
}

fn is_connected(socket: &Socket) -> bool {
    socket.statistics().peers.iter().any(|peer| peer.state == PeerState::Connected)
}

/// We publish to whoever is there, and never wait for who is not.
#[test]
fn what_we_publish_reaches_whoever_is_there() {
    use SocketType::{Dealer, Pub, Router, Sub};
    const TOPICS: [&str; 3] = ["a.", "b.", "c."];
    for (from, to, we_bind) in [(Pub, Sub, true), (Pub, Sub, false), (Router, Dealer, true)] {
        let (context, nowhere) = (Context::new().unwrap(), Nowhere::new("tcp"));
        let flood = Flood::begin(ours(&context, from, &nowhere, we_bind), move |number| match from {
            Router => Message::from([&b"theirs"[..], &text(&TOPICS, number)]),
            _ => text(&TOPICS, number).into(),
        });
        let mut last = None;
        for (_, peer) in lives() {
            let socket = theirs(&peer, to, &nowhere, we_bind);
            for _ in 0..300 {
                let parts = socket.recv_octets(SOON).unwrap();
                let number = number_of(&parts[0], 2);
                assert!(to == Dealer || number % 3 != 1, "not asked for");
                assert!(last < Some(number), "repeated");
                last = Some(number);
            }
            peer.kill();
        }
        flood.end();
    }
}

/// They publish and are killed: whoever comes next is told what we want.
#[test]
fn subscriptions_are_told_again_during_a_flood() {
    const TOPICS: [&str; 3] = ["a.", "b.", "c."];
    for we_bind in [true, false] {
        let (context, nowhere) = (Context::new().unwrap(), Nowhere::new("tcp"));
        let mut sub = ours(&context, SocketType::Sub, &nowhere, we_bind);
        ["a.", "c."].iter().for_each(|topic| sub.subscribe(topic).unwrap());
        for (life, peer) in lives() {
            theirs(&peer, SocketType::Pub, &nowhere, we_bind).flood(&TOPICS, life << 32);
            let (mut last, mut heard) = (None, [0, 0, 0]);
            while heard[0] < 1000 || heard[2] < 1000 {
                let number = number_of(sub.recv().unwrap().bytes(), 2);
                if number >> 32 < life {
                    continue;
                }
                assert!(last < Some(number), "repeated");
                last = Some(number);
                heard[number as usize % 3] += 1;
            }
            assert_eq!(heard[1], 0, "not asked for");
            peer.kill();
        }
    }
}
