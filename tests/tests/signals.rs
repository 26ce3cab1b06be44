//! Signals end no call: whoever waits goes on waiting, no longer than it was told to. (libzmq's calls end with EINTR.)

use nix::sys::pthread::{pthread_kill, pthread_self};
use nix::sys::signal::Signal;
use omnimq::{Context, Error, Poller, Pull, Push, Readiness, SocketOptions, SocketType};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const MS: Duration = Duration::from_millis(1);
const SPAN: Duration = Duration::from_millis(150);

/// Does `work` on a thread that is interrupted all the while.
fn interrupted<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let caught = Arc::new(AtomicUsize::new(0));
    let counted = caught.clone();
    let handler = signal_hook::flag::register_usize(signal_hook::consts::SIGUSR1, counted, 1).unwrap();
    let done = std::thread::scope(|scope| {
        let (tell, told) = std::sync::mpsc::channel();
        let worker = scope.spawn(move || {
            tell.send(pthread_self()).unwrap();
            work()
        });
        let thread = told.recv().unwrap();
        while !worker.is_finished() {
            // It may have ended since: then there is nobody to interrupt.
            let _ = pthread_kill(thread, Signal::SIGUSR1);
            std::thread::sleep(MS);
        }
        worker.join().unwrap()
    });
    assert_eq!(caught.load(Ordering::Relaxed), 1, "no signal came");
    signal_hook::low_level::unregister(handler);
    done
}

fn waits_out(call: impl FnOnce() -> Result<(), Error>) {
    let start = Instant::now();
    assert!(matches!(call(), Err(Error::WouldBlock)));
    let took = start.elapsed();
    assert!(took >= SPAN && took < SPAN * 8, "{took:?}");
}

#[test]
fn calls_go_on_waiting() {
    for endpoint in ["tcp://127.0.0.1:*", "inproc://signals"] {
        interrupted(|| {
            let context = Context::new().unwrap();
            let mut options = SocketOptions::default();
            (options.send_hwm, options.recv_hwm, options.linger) = (1, 1, Some(Duration::ZERO));
            let mut pull = Pull::with(&context, options.clone()).unwrap();
            let endpoint = pull.bind(endpoint).unwrap();
            waits_out(|| pull.recv_timeout(SPAN).map(drop));
            let mut push = Push::with(&context, options.clone()).unwrap();
            waits_out(|| Ok(push.send_timeout(b"to nobody", SPAN)?));
            push.connect(&endpoint).unwrap();
            push.send(b"hello").unwrap();
            assert_eq!(pull.recv().unwrap().bytes(), b"hello");
            waits_out(|| pull.recv_timeout(SPAN).map(drop));
            // And what comes late is waited for.
            let sender = std::thread::spawn(move || {
                std::thread::sleep(SPAN);
                push.send(b"late").unwrap();
                push
            });
            assert_eq!(pull.recv().unwrap().bytes(), b"late");
            drop(sender.join().unwrap());
        });
    }
}

#[test]
fn pollers_go_on_waiting() {
    interrupted(|| {
        let context = Context::new().unwrap();
        let mut pull = context.socket(SocketType::Pull).unwrap();
        pull.bind("tcp://127.0.0.1:*").unwrap();
        let mut poller = Poller::new().unwrap();
        poller.add(1, &pull, Readiness::RECEIVE);
        let start = Instant::now();
        let ready = poller.wait(Some(SPAN)).unwrap();
        assert!(ready.is_empty());
        assert!(start.elapsed() >= SPAN, "{:?}", start.elapsed());
    });
}
