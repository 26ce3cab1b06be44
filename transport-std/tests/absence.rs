//! What goes on while an application computes and does not call: each within [`LIMIT`], in the median of many trials.
//!
//! Only one application at a time computes here, on one processor, and leaves the other to the I/O thread. Peers are
//! plain streams, so what is measured is what a peer sees.

mod support;

use omnimq::{Context, Socket, SocketOptions, SocketType};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use support::*;

/// Whatever happens is acted on this soon.
const LIMIT: Duration = Duration::from_millis(100);

/// How long an application computes.
const ABSENCE: Duration = Duration::from_secs(5);

/// Trials in one absence.
const TRIALS: u32 = 20;

/// Computes for `span`: calls nothing, waits for nothing.
fn compute(span: Duration) {
    let start = Instant::now();
    while start.elapsed() < span {
        std::hint::spin_loop();
    }
}

/// Each test has the processors to itself.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Computes for `span` while `play` goes on beside it, and returns what that returned: all of it during the absence.
fn absent<T: Send>(span: Duration, play: impl FnOnce() -> T + Send) -> T {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let play = scope.spawn(|| {
            let outcome = play();
            assert!(!over.load(Ordering::SeqCst), "took longer than the absence: {span:?}");
            outcome
        });
        compute(span);
        over.store(true, Ordering::SeqCst);
        play.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Runs [`TRIALS`] trials in a row, spread over an absence.
fn trials(mut trial: impl FnMut(u32) -> Duration + Send) -> Vec<Duration> {
    absent(ABSENCE, || {
        (0..TRIALS)
            .map(|n| {
                thread::sleep(ABSENCE / TRIALS / 3);
                trial(n)
            })
            .collect()
    })
}

/// The median is within the limit.
#[track_caller]
fn judge(what: &str, mut delays: Vec<Duration>) {
    delays.sort_unstable();
    let (least, median, most) = (delays[0], delays[delays.len() / 2], delays[delays.len() - 1]);
    println!("{what}: least {least:?}, median {median:?}, most {most:?}");
    assert!(median <= LIMIT, "{what}: {delays:?}");
}

fn bound(context: &Context, socket_type: SocketType, options: SocketOptions) -> (Socket, String) {
    let mut socket = context.socket_with(socket_type, options).unwrap();
    let endpoint = socket.bind(ANY).unwrap();
    (socket, endpoint)
}

/// The application is in the middle of something: it has just read as fast as it can.
fn busy_spell(socket: &mut Socket, peer: &mut Raw) {
    for _ in 0..200 {
        peer.say(&frame(0, b"busy"));
        assert_eq!(socket.recv().unwrap().bytes(), b"busy");
    }
}

/// From the first octet to the peer's READY.
#[test]
fn a_new_peer_completes_its_handshake() {
    let _turn = alone();
    let context = Context::new().unwrap();
    let (mut pull, endpoint) = bound(&context, SocketType::Pull, patient());
    let mut busy = Raw::connect(&endpoint).shake("PUSH").unwrap();
    busy_spell(&mut pull, &mut busy);
    let mut peers = Vec::new();
    let delays = trials(|_| {
        let start = Instant::now();
        peers.push(Raw::connect(&endpoint).shake("PUSH").unwrap());
        start.elapsed()
    });
    judge("handshakes", delays);
}

/// From the end of a peer to the end of its connection on our side, whichever way it ended.
#[test]
fn a_dead_peer_is_noticed() {
    let _turn = alone();
    let context = Context::new().unwrap();
    let (mut pull, endpoint) = bound(&context, SocketType::Pull, patient());
    let mut busy = Raw::connect(&endpoint).shake("PUSH").unwrap();
    let mut peers: Vec<_> = (0..TRIALS).map(|_| Raw::connect(&endpoint).shake("PUSH").unwrap()).collect();
    busy_spell(&mut pull, &mut busy);
    let delays = trials(|_| {
        let mut peer = peers.pop().unwrap();
        let start = Instant::now();
        peer.0.shutdown(Shutdown::Write).unwrap();
        assert!(peer.closed_within(PATIENCE));
        start.elapsed()
    });
    judge("ends of peers that were accepted", delays);
}

/// From the death of a server to the next attempt to connect; the wait of 10 to 20 ms that the back-off demands
/// included.
#[test]
fn a_dead_server_is_noticed() {
    let _turn = alone();
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let listener = port.listen();
    let mut push = socket(&context, SocketType::Push);
    push.connect(port.endpoint()).unwrap();
    let mut server = Some(Raw::on(listener.accept().unwrap().0).shake("PULL").unwrap());
    push.send(b"x").unwrap();
    let delays = trials(|n| {
        let old = server.take().unwrap();
        if n % 2 == 0 {
            // The kernel kills the connection instead of ending it.
            socket2::SockRef::from(&old.0).set_linger(Some(Duration::ZERO)).unwrap();
        }
        let start = Instant::now();
        drop(old);
        let next = Raw::on(listener.accept().unwrap().0);
        let took = start.elapsed();
        server = Some(next.shake("PULL").unwrap());
        took
    });
    judge("ends of servers that were connected to", delays);
}

/// From the return of the last send to the arrival of all that was sent: a short flood leaves a batch unwritten.
#[test]
fn what_was_sent_leaves() {
    let _turn = alone();
    let context = Context::new().unwrap();
    let (mut push, endpoint) = bound(&context, SocketType::Push, patient());
    let mut peer = Raw::connect(&endpoint).shake("PULL").unwrap();
    let delays = (0..TRIALS)
        .map(|n| {
            let count = 50 + n;
            for number in 0..count {
                push.send(&number.to_be_bytes()).unwrap();
            }
            let start = Instant::now();
            // The last absence is as long as any.
            absent(if n + 1 < TRIALS { 2 * LIMIT } else { ABSENCE }, || {
                for number in 0..count {
                    assert_eq!(peer.frame().unwrap(), (0, number.to_be_bytes().to_vec()));
                }
                start.elapsed()
            })
        })
        .collect();
    judge("batches", delays);
}

/// From the moment that a peer begins to read to the arrival of all that was queued for it.
#[test]
fn what_was_queued_leaves_as_soon_as_its_peer_reads() {
    const MARK: u32 = 20;
    const SIZE: usize = 60_000;
    let _turn = alone();
    let context = Context::new().unwrap();
    let mut options = marks(MARK, 1);
    options.send_buffer = Some(64 << 10);
    let (mut push, endpoint) = bound(&context, SocketType::Push, options);
    let mut peers: Vec<_> = (0..TRIALS).map(|_| Raw::connect(&endpoint).shake("PULL").unwrap()).collect();
    while push.send_timeout(&[7; SIZE], Duration::from_millis(300)).is_ok() {}
    let delays = trials(|_| {
        let mut peer = peers.pop().unwrap();
        let start = Instant::now();
        for _ in 0..MARK {
            let (flags, body) = peer.frame().unwrap();
            assert_eq!((flags, body.len()), (0, SIZE));
        }
        start.elapsed()
    });
    judge("queues", delays);
}

/// Each peer writes as many messages as the mark allows, of which the kernel's buffers hold a part only: from the first
/// octet until the last is written, the rest has been read.
#[test]
fn input_is_read_up_to_the_mark() {
    const MARK: u32 = 20;
    const SIZE: usize = 60_000;
    let _turn = alone();
    let context = Context::new().unwrap();
    let mut options = marks(1, MARK);
    options.recv_buffer = Some(64 << 10);
    let (mut pull, endpoint) = bound(&context, SocketType::Pull, options);
    let mut peers: Vec<_> = (0..TRIALS)
        .map(|_| {
            let peer = Raw::connect(&endpoint).shake("PUSH").unwrap();
            socket2::SockRef::from(&peer.0).set_send_buffer_size(64 << 10).unwrap();
            peer
        })
        .collect();
    busy_spell(&mut pull, &mut peers[0]);
    let messages = frame(0, &[7; SIZE]).repeat(MARK as usize);
    let mut written = Vec::new();
    let delays = trials(|_| {
        let mut peer = peers.pop().unwrap();
        let start = Instant::now();
        peer.say(&messages);
        let took = start.elapsed();
        written.push(peer);
        took
    });
    judge("input", delays);
    for _ in 0..TRIALS * MARK {
        assert_eq!(pull.recv().unwrap().bytes().len(), SIZE);
    }
}

/// The I/O thread lets a busy application read for itself: that it has gone is noticed all the same.
#[test]
fn an_absence_that_begins_in_a_busy_spell_is_noticed() {
    const MARK: u32 = 20;
    const SIZE: usize = 60_000;
    let _turn = alone();
    let context = Context::new().unwrap();
    let mut options = marks(1, MARK);
    options.recv_buffer = Some(64 << 10);
    let (mut pull, endpoint) = bound(&context, SocketType::Pull, options);
    let mut peer = Raw::connect(&endpoint).shake("PUSH").unwrap();
    socket2::SockRef::from(&peer.0).set_send_buffer_size(64 << 10).unwrap();
    let messages = frame(0, &[7; SIZE]).repeat(MARK as usize);
    let delays = (0..TRIALS)
        .map(|_| {
            busy_spell(&mut pull, &mut peer);
            let took = absent(3 * LIMIT, || {
                let start = Instant::now();
                peer.say(&messages);
                start.elapsed()
            });
            for _ in 0..MARK {
                assert_eq!(pull.recv().unwrap().bytes().len(), SIZE);
            }
            took
        })
        .collect();
    judge("input behind a busy spell", delays);
}
