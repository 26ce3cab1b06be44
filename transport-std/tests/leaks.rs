//! Contexts and sockets that are gone leave nothing: no thread, no descriptor. A program of its own, for it counts those
//! of the process.

mod support;

use omnimq::{Context, Poller, Readiness, SocketType};
use std::time::{Duration, Instant};
use support::*;

fn entries(folder: &str) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

/// Threads and descriptors of this process.
fn count() -> (usize, usize) {
    (entries("/proc/self/task"), entries("/proc/self/fd"))
}

const TYPES: [SocketType; 11] = [
    SocketType::Pair,
    SocketType::Pub,
    SocketType::Sub,
    SocketType::Req,
    SocketType::Rep,
    SocketType::Dealer,
    SocketType::Router,
    SocketType::Pull,
    SocketType::Push,
    SocketType::XPub,
    SocketType::XSub,
];

fn contexts() {
    let before = count();
    for n in 0..1000 {
        let context = Context::with_io_threads(1 + n % 2).unwrap();
        let mut sockets: Vec<_> = TYPES.iter().map(|socket_type| socket(&context, *socket_type)).collect();
        let mut pull = socket(&context, SocketType::Pull);
        let endpoint = pull.bind(TRANSPORTS[n % TRANSPORTS.len()]).unwrap();
        let mut push = socket(&context, SocketType::Push);
        push.connect(&endpoint).unwrap();
        for socket in &mut sockets {
            // The wrong types are refused; their connections go as well.
            socket.connect(&endpoint).unwrap();
        }
        push.send(b"x").unwrap();
        assert_eq!(pull.recv().unwrap().bytes(), b"x");
        match n % 3 {
            0 => drop((push, pull, sockets)),
            1 => {
                push.disconnect(&endpoint).unwrap();
                pull.unbind(&endpoint).unwrap();
                drop((push, pull, sockets));
                context.term();
            }
            // The context's handle goes first, the sockets keep it alive.
            _ => {
                drop(context);
                drop((pull, push, sockets));
            }
        }
    }
    // A thread that has ended may be counted for a moment.
    until(|| count() == before);
}

/// Within one context: sockets and connections come and go.
fn sockets_of_one_context() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    let endpoint = pull.bind(ANY).unwrap();
    let endpoints: Vec<_> = TRANSPORTS.iter().map(|at| pull.bind(at).unwrap()).collect();
    // Make what is made once, then count.
    let mut before = (0, 0);
    for n in 0..300 {
        let mut push = socket(&context, SocketType::Push);
        push.connect(&endpoints[n % endpoints.len()]).unwrap();
        push.send(b"x").unwrap();
        pull.recv().unwrap();
        let raw = Raw::connect(&endpoint);
        drop((raw, push));
        // One that goes before the name it connects to is bound: what it sent arrives, and then it has gone.
        let name = format!("inproc://later {n}");
        let mut options = patient();
        options.linger = None;
        let mut early = context.socket_with(SocketType::Push, options).unwrap();
        early.connect(&name).unwrap();
        early.send(b"x").unwrap();
        drop(early);
        pull.bind(&name).unwrap();
        pull.recv().unwrap();
        pull.unbind(&name).unwrap();
        if n == 10 {
            before = settled();
        }
    }
    until(|| count() <= before);
}

/// Pollers that waited in vain for a socket that stays.
fn pollers_of_one_socket() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    pull.bind(ANY).unwrap();
    let before = settled();
    for n in 0..100 {
        let mut poller = Poller::new().unwrap();
        poller.add(0, &pull, Readiness::BOTH);
        assert!(poller.wait(Some(Duration::ZERO)).unwrap().is_empty());
        if n % 2 == 0 {
            poller.remove(0).unwrap();
        }
    }
    until(|| count() <= before);
}

/// What is counted when nothing has gone for a while.
fn settled() -> (usize, usize) {
    let mut least = count();
    let mut since = Instant::now();
    while since.elapsed() < Duration::from_millis(100) {
        if count() < least {
            (least, since) = (count(), Instant::now());
        }
    }
    least
}

#[test]
fn nothing_is_left() {
    contexts();
    sockets_of_one_context();
    pollers_of_one_socket();
}
