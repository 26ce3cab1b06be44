//! Peers that say, take or ask for as much as they can: nobody else waits for them, and no call lasts longer.

mod support;

use omnimq::{Context, Error, SocketType};
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use support::*;

/// Whatever happens is acted on this soon, in the median of [`TRIALS`].
const LIMIT: Duration = Duration::from_millis(20);

const TRIALS: usize = 11;

/// Does `flood` again and again until it is told that it is over, or says so itself.
fn repeat(over: &AtomicBool, flood: &mut impl FnMut() -> bool) {
    loop {
        if over.load(Ordering::Relaxed) || !flood() {
            return;
        }
    }
}

/// Runs `flood` again and again on a thread, and `play` meanwhile.
fn beside<T>(mut flood: impl FnMut() -> bool + Send, play: impl FnOnce() -> T) -> T {
    struct End<'a>(&'a AtomicBool);
    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| repeat(&over, &mut flood));
        let _end = End(&over);
        play()
    })
}

/// What the I/O threads have computed: what a machine that is busy with other things has them wait for does not count.
#[cfg(target_os = "linux")]
fn clock() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten().map(|thread| thread.path());
    let io =
        threads.filter(|path| std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.starts_with("omnimq-io")));
    let nanoseconds = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(path.join("schedstat")).unwrap();
        text.split(' ').next().unwrap().parse().unwrap()
    };
    io.map(nanoseconds).map(Duration::from_nanos).sum()
}

/// Where that is not told: the time that passes.
#[cfg(not(target_os = "linux"))]
fn clock() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// One test at a time, for the clock is that of the process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is computed before a new peer's handshake is over, in the median.
#[track_caller]
fn expect_handshakes(what: &str, endpoint: &str, theirs: &str) {
    let mut delays: Vec<_> = (0..TRIALS)
        .map(|_| {
            thread::sleep(Duration::from_millis(20));
            let before = clock();
            Raw::connect(endpoint).shake(theirs).unwrap();
            clock() - before
        })
        .collect();
    delays.sort_unstable();
    println!("{what}: a handshake takes {:?} in the median, {:?} at most", delays[TRIALS / 2], delays[TRIALS - 1]);
    assert!(delays[TRIALS / 2] <= LIMIT, "{what}: {delays:?}");
}

/// One peer subscribes and cancels without end, which costs no credit.
#[test]
fn a_peer_that_says_all_it_can_holds_up_no_other() {
    let _alone = alone();
    let context = Context::new().unwrap();
    let mut publisher = socket(&context, SocketType::Pub);
    let endpoint = publisher.bind(ANY).unwrap();
    let mut busy = Raw::connect(&endpoint).shake("SUB").unwrap();
    let octets = [command("SUBSCRIBE", b"topic"), command("CANCEL", b"topic")].concat().repeat(4000);
    let flood = || busy.0.write_all(&octets).is_ok();
    beside(flood, || expect_handshakes("beside a peer that subscribes and cancels", &endpoint, "SUB"));
}

/// One peer takes as fast as it can what an application sends as fast as it can.
#[test]
fn a_peer_that_takes_all_it_can_holds_up_no_other() {
    let _alone = alone();
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    let others = pull.bind(ANY).unwrap();
    let mut push = context.socket_with(SocketType::Push, marks(100_000, 1)).unwrap();
    let endpoint = push.bind(ANY).unwrap();
    let mut busy = Raw::connect(&endpoint).shake("PULL").unwrap();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut octets = vec![0; 1 << 20];
            repeat(&over, &mut || busy.0.read(&mut octets).is_ok_and(|n| n > 0));
        });
        let body = [7; 8000];
        beside(
            || {
                // Whatever is staged when another message follows is left to the I/O thread now and then.
                let sent = push.send_timeout(body.as_slice(), Duration::from_secs(1));
                sent.is_ok() || matches!(sent.map_err(Error::from), Err(Error::WouldBlock))
            },
            || expect_handshakes("beside a peer that takes a flood", &others, "PUSH"),
        );
        over.store(true, Ordering::Relaxed);
        // What is on its way ends the read.
        drop(push);
    });
}

/// What a peer says without end is nothing to hand out: a call ends in time all the same.
#[test]
fn a_flood_of_nothing_does_not_prolong_a_call() {
    let _alone = alone();
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    let endpoint = pull.bind(ANY).unwrap();
    let mut busy = Raw::connect(&endpoint).shake("PUSH").unwrap();
    let octets = command("N", b"").repeat(100_000);
    let start = Instant::now();
    beside(
        // If no call returned, the end of the flood would be the end of the call.
        || start.elapsed() < PATIENCE && busy.0.write_all(&octets).is_ok(),
        || {
            for wait in [0, 0, 20, 50, 0, 100].map(Duration::from_millis) {
                let start = Instant::now();
                assert!(matches!(pull.recv_timeout(wait), Err(Error::WouldBlock)));
                let took = start.elapsed();
                println!("{wait:?} took {took:?}");
                assert!(took < wait + Duration::from_secs(2), "{wait:?}: {took:?}");
            }
        },
    );
    drop(busy);
}

/// More peers come, while there is something else to do, than are accepted in one turn; nobody comes after them.
#[test]
fn all_who_come_at_once_are_accepted() {
    let _alone = alone();
    let context = Context::new().unwrap();
    let mut options = patient();
    options.backlog = 1000;
    let mut publisher = context.socket_with(SocketType::Pub, options).unwrap();
    let endpoint = publisher.bind(ANY).unwrap();
    let mut busy = Raw::connect(&endpoint).shake("SUB").unwrap();
    let octets = [command("SUBSCRIBE", b"topic"), command("CANCEL", b"topic")].concat().repeat(4000);
    let flood = || busy.0.write_all(&octets).is_ok();
    let peers: Vec<_> = beside(flood, || {
        thread::sleep(LIMIT);
        (0..300).map(|_| Raw::connect(&endpoint)).collect()
    });
    for peer in peers {
        peer.shake("SUB").unwrap();
    }
}

/// A peer ends its stream behind messages that there was no credit for: when these have been taken, the end is found, by
/// the application that takes them or for one that has gone away.
#[test]
fn an_end_behind_messages_without_credit_is_found() {
    let _alone = alone();
    for (mark, count, size) in
        [(1, 2, 10), (1, 3, 10), (2, 40, 10), (10, 1000, 10), (2, 7, 100_000), (1, 2, 400_000), (3, 6, 700_000)]
    {
        for away in [false, true] {
            let context = Context::new().unwrap();
            let mut pull = context.socket_with(SocketType::Pull, marks(1, mark)).unwrap();
            let endpoint = pull.bind(ANY).unwrap();
            let mut raw = Raw::connect(&endpoint).shake("PUSH").unwrap();
            let octets = frame(0, &vec![7; size]).repeat(count);
            let writer = thread::spawn(move || {
                raw.say(&octets);
                raw.0.shutdown(Shutdown::Write).unwrap();
                raw
            });
            if away {
                // All that can be read has been.
                thread::sleep(Duration::from_millis(30));
            }
            let case = format!("mark {mark}, {count} of {size} octets, away: {away}");
            for n in 0..count {
                let message = pull.recv().unwrap_or_else(|error| panic!("{case}: message {n}: {error}"));
                assert_eq!(message.bytes().len(), size, "{case}");
            }
            if !away {
                let _ = pull.recv_timeout(Duration::from_millis(1));
            }
            let mut raw = writer.join().unwrap();
            assert!(raw.closed_within(Duration::from_secs(2)), "{case}");
        }
    }
}
