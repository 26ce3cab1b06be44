//! Connections that carry nothing cost nothing. A program of its own, for it counts the context switches of all threads
//! of the process.

#![cfg(all(target_os = "linux", not(portable)))]

mod support;

use omnimq::{Context, SocketType};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};
use support::*;

const CONNECTIONS: usize = 100;

/// How long nothing happens.
const IDLE: Duration = Duration::from_secs(10);

/// A handshake may take this long: its end falls among those seconds.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Context switches, voluntary and not, of each thread but the one that asks.
fn switches() -> BTreeMap<String, u64> {
    let own = std::fs::read_link("/proc/thread-self").unwrap();
    let threads = std::fs::read_dir("/proc/self/task").unwrap().map(|entry| entry.unwrap().path());
    threads.filter(|path| path.file_name() != own.file_name()).map(|path| (name(&path), count(&path))).collect()
}

fn name(thread: &Path) -> String {
    let name = std::fs::read_to_string(thread.join("comm")).unwrap();
    format!("{} {}", thread.file_name().unwrap().display(), name.trim())
}

fn count(thread: &Path) -> u64 {
    let status = std::fs::read_to_string(thread.join("status")).unwrap();
    let counts = status.lines().filter(|line| line.contains("voluntary_ctxt_switches"));
    counts.map(|line| line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()).sum()
}

/// What is counted when nothing has gone on for half a second.
fn settled() -> BTreeMap<String, u64> {
    let mut last = (switches(), Instant::now());
    until(|| {
        let next = switches();
        if next != last.0 {
            last = (next, Instant::now());
        }
        last.1.elapsed() > Duration::from_millis(500)
    });
    last.0
}

#[test]
fn a_hundred_connections_cost_no_context_switch() {
    let context = Context::new().unwrap();
    let mut options = patient();
    options.handshake = Some(HANDSHAKE);
    let mut router = context.socket_with(SocketType::Router, options.clone()).unwrap();
    let endpoint = router.bind(ANY).unwrap();
    let mut dealers: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let mut dealer = context.socket_with(SocketType::Dealer, options.clone()).unwrap();
            dealer.connect(&endpoint).unwrap();
            dealer
        })
        .collect();
    // Each has been used, and its application has gone to sleep and woken.
    for dealer in &mut dealers {
        dealer.send(b"question").unwrap();
        let question = router.recv().unwrap();
        router.send([&question[0][..], b"answer"]).unwrap();
        assert_eq!(dealer.recv().unwrap().bytes(), b"answer");
    }
    let before = settled();
    assert!(before.keys().any(|name| name.contains("omnimq-io")), "{before:?}");
    std::thread::sleep(IDLE);
    let after = switches();
    let total: u64 = after.values().sum::<u64>() - before.values().sum::<u64>();
    println!("{CONNECTIONS} idle connections: {total} context switches in {IDLE:?}");
    assert_eq!(before, after);
}
