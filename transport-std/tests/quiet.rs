//! What registered sockets cost while they have nothing to tell. A program of its own, for it counts the time of the
//! process.
#![cfg(all(target_os = "linux", not(portable)))]

mod support;

use omnimq::{Context, Error, Socket, SocketType};
use std::time::{Duration, Instant};
use support::*;

/// Two sockets that have met.
fn pair(context: &Context, at: &str, first: SocketType, second: SocketType) -> (Socket, Socket) {
    let (mut first, mut second) = (socket(context, first), socket(context, second));
    second.connect(&first.bind(at).unwrap()).unwrap();
    (first, second)
}

/// The descriptor in the hands of poll(2).
fn readable(socket: &Socket, limit: Duration) -> bool {
    let mut fds = [rustix::event::PollFd::new(socket, rustix::event::PollFlags::IN)];
    let limit = rustix::time::Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: i64::from(limit.subsec_nanos()) };
    rustix::event::poll(&mut fds, Some(&limit)).unwrap() > 0
}

/// Processor time of this process.
fn spent() -> Duration {
    let clock = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(clock.tv_sec as u64, clock.tv_nsec as u32)
}

/// An idle PUB, a DEALER that could send, and a PULL with input that nobody has asked for: whoever polls them sleeps.
#[test]
fn descriptors_that_have_nothing_to_tell_are_quiet() {
    let context = Context::new().unwrap();
    let (publisher, _sub) = pair(&context, ANY, SocketType::Pub, SocketType::Sub);
    let (mut dealer, mut router) = pair(&context, ANY, SocketType::Dealer, SocketType::Router);
    let (mut pull, mut push) = pair(&context, ANY, SocketType::Pull, SocketType::Push);
    until(|| dealer.try_send("hello").is_ok());
    router.recv().unwrap();
    assert!(matches!(pull.try_recv(), Err(Error::WouldBlock)));
    for _ in 0..100 {
        push.send("unread").unwrap();
    }
    push.flush();
    assert!(readable(&pull, PATIENCE));
    pull.recv().unwrap();
    let sockets = [publisher, dealer, pull];
    assert!(sockets.iter().all(|socket| !readable(socket, Duration::ZERO)));
    // What is under way settles.
    std::thread::sleep(Duration::from_millis(200));
    let (start, before) = (Instant::now(), spent());
    let mut fds: Vec<_> =
        sockets.iter().map(|socket| rustix::event::PollFd::new(socket, rustix::event::PollFlags::IN)).collect();
    let limit = rustix::time::Timespec { tv_sec: 5, tv_nsec: 0 };
    assert_eq!(rustix::event::poll(&mut fds, Some(&limit)).unwrap(), 0);
    let spent = spent() - before;
    assert!(start.elapsed() >= Duration::from_secs(5));
    assert!(spent < Duration::from_millis(5), "{spent:?} in five idle seconds");
}
