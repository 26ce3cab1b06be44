//! A multicast session that carries nothing costs nothing but its heartbeats. A program of its own, for it counts the
//! context switches of all threads of the process.
#![cfg(all(feature = "pgm", target_os = "linux"))]

use omnimq::{Context, SocketOptions, SocketType};
use std::time::Duration;

/// Context switches, voluntary and not, of the I/O thread.
fn switches() -> u64 {
    let of = |path: &std::path::Path| std::fs::read_to_string(path.join("status")).unwrap_or_default();
    let threads = std::fs::read_dir("/proc/self/task").unwrap().map(|entry| of(&entry.unwrap().path()));
    let io: Vec<String> = threads.filter(|status| status.starts_with("Name:\tomnimq-io")).collect();
    assert_eq!(io.len(), 1, "one I/O thread");
    let counts = io[0].lines().filter(|line| line.contains("voluntary_ctxt_switches"));
    counts.map(|line| line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()).sum()
}

/// Heartbeats come 2.5 and 5.1 s after the last data, then ever more seldom. From 2.8 s on there is one, sent and received.
#[test]
fn a_session_at_rest_costs_no_context_switch_but_for_its_heartbeat() {
    let context = Context::new().unwrap();
    let mut options = SocketOptions::default();
    options.multicast.loopback = true;
    let mut subscriber = context.socket_with(SocketType::Sub, options.clone()).unwrap();
    subscriber.subscribe(b"").unwrap();
    subscriber.connect("epgm://lo;239.192.7.8:17520").unwrap();
    let mut publisher = context.socket_with(SocketType::Pub, options).unwrap();
    publisher.connect("epgm://lo;239.192.7.8:17520").unwrap();
    publisher.send("one").unwrap();
    assert_eq!(subscriber.recv().unwrap().bytes(), b"one");
    std::thread::sleep(Duration::from_millis(2800));
    let before = switches();
    std::thread::sleep(Duration::from_secs(3));
    let cost = switches() - before;
    assert!(cost <= 8, "{cost} context switches in three seconds");
}
