//! Fork: a child that touches no socket of its parent's harms nobody, and may make a context of its own. A program of its
//! own: a child has but the thread that made it.

use fork::Fork;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use omnimq::{Context, Pull, Push, Rep, Req};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

/// A child that does this and ends, without a look at what it inherited; whether that went well is its parent's to ask.
fn child(work: impl FnOnce() + std::panic::UnwindSafe) -> Pid {
    match fork::fork().unwrap() {
        Fork::Parent(pid) => Pid::from_raw(pid),
        Fork::Child => std::process::exit(i32::from(std::panic::catch_unwind(work).is_err())),
    }
}

/// Questions and answers, and a flood, between sockets of a new context.
fn converse(at: &str) {
    let context = Context::new().unwrap();
    let mut rep = Rep::new(&context).unwrap();
    let mut req = Req::new(&context).unwrap();
    req.connect(&rep.bind(at).unwrap()).unwrap();
    for n in 0..100u32 {
        req.send(&n.to_be_bytes()).unwrap();
        assert_eq!(rep.recv_timeout(SOON).unwrap().bytes(), n.to_be_bytes());
        rep.send(b"answer").unwrap();
        assert_eq!(req.recv_timeout(SOON).unwrap().bytes(), b"answer");
    }
    let mut pull = Pull::new(&context).unwrap();
    let mut push = Push::new(&context).unwrap();
    push.connect(&pull.bind("tcp://127.0.0.1:*").unwrap()).unwrap();
    for n in 0..500u32 {
        push.send(&n.to_be_bytes()).unwrap();
    }
    for n in 0..500u32 {
        assert_eq!(pull.recv_timeout(SOON).unwrap().bytes(), n.to_be_bytes());
    }
    drop((rep, req, push, pull));
    context.term_timeout(SOON).unwrap();
}

#[test]
fn a_child_may_make_a_context_of_its_own() {
    let context = Context::new().unwrap();
    let mut pull = Pull::new(&context).unwrap();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
    let mut push = Push::new(&context).unwrap();
    push.connect(&endpoint).unwrap();
    let mut exchange = |from: u32| {
        for n in from..from + 200 {
            push.send(&n.to_be_bytes()).unwrap();
            assert_eq!(pull.recv_timeout(SOON).unwrap().bytes(), n.to_be_bytes());
        }
    };
    exchange(0);
    let children = [child(|| {}), child(|| converse("tcp://127.0.0.1:*")), child(|| converse("inproc://own"))];
    exchange(1000);
    for pid in children {
        assert_eq!(waitpid(pid, None).unwrap(), WaitStatus::Exited(pid, 0));
    }
    exchange(2000);
    // Closing what a child has inherited hinders nobody.
    let idle = child(|| std::thread::sleep(SOON * 3));
    drop(push);
    let mut other = Push::new(&context).unwrap();
    other.connect(&endpoint).unwrap();
    other.send(b"after").unwrap();
    assert_eq!(pull.recv_timeout(SOON).unwrap().bytes(), b"after");
    drop((other, pull));
    context.term_timeout(SOON).unwrap();
    nix::sys::signal::kill(idle, nix::sys::signal::Signal::SIGKILL).unwrap();
    waitpid(idle, None).unwrap();
}
