//! Ten thousand connections from one process to one socket: all are served, and each that is idle is small. A program of
//! its own, for it counts the memory and needs the descriptors of the process; the other side is this program once more.

#![cfg(target_os = "linux")]

mod support;

use omnimq::{Context, Socket, SocketOptions, SocketType};
use omnimq_core::Verbosity;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;
use support::*;

const CROWD: usize = 10_000;

/// Octets of memory that an idle connection takes of each process at most.
const EACH: usize = 3 << 10;

/// Descriptors for all else.
const OTHERS: u64 = 200;

/// Tells the other process whom to connect to, and how often.
const ENDPOINT: &str = "OMNIMQ_CROWD_ENDPOINT";
const COUNT: &str = "OMNIMQ_CROWD_COUNT";

/// As many of the crowd as the system allows descriptors for.
fn allowed() -> usize {
    let limit = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    setrlimit(Resource::Nofile, Rlimit { current: Some(limit), maximum: Some(limit) }).unwrap();
    let allowed = usize::try_from(limit.saturating_sub(OTHERS)).unwrap_or(CROWD).min(CROWD);
    if allowed < CROWD {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "there are but {limit} descriptors");
        // Not by a macro: their output is kept from the log when a test passes.
        let said = format!("SKIPPED a crowd of {CROWD}: with {limit} descriptors there are but {allowed}\n");
        let _ = std::io::stdout().write_all(said.as_bytes());
    }
    allowed
}

/// Anonymous memory of this process, in octets.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

fn options() -> SocketOptions {
    let mut options = patient();
    options.backlog = 4096;
    options.pattern.verbosity = Verbosity::Subscriptions;
    options
}

/// The process that connects.
struct Other {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Other {
    fn start(test: &str, endpoint: &str, count: usize) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", test])
            .env(ENDPOINT, endpoint)
            .env(COUNT, count.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }
    fn tell(&mut self) {
        self.process.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }
    /// The number behind this word, when it says it.
    fn says(&mut self, word: &str) -> usize {
        let found = self.lines.find_map(|line| Some(line.unwrap().strip_prefix(word)?.trim().parse().unwrap()));
        found.unwrap_or_else(|| panic!("never said {word}"))
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.process.kill();
        }
        assert!(self.process.wait().unwrap().success() || std::thread::panicking());
    }
}

fn wait() {
    std::io::stdin().lock().read_line(&mut String::new()).unwrap();
}

/// One socket with all connections; whatever comes is counted, and answered once by all.
fn connect(endpoint: &str, count: usize) {
    let context = Context::new().unwrap();
    let before = memory();
    let mut xsub = context.socket_with(SocketType::XSub, options()).unwrap();
    xsub.subscribe("").unwrap();
    for _ in 0..count {
        xsub.connect(endpoint).unwrap();
    }
    wait();
    println!("\nmemory {}", (memory() - before) / count);
    for _ in 0..2 {
        for _ in 0..count {
            assert_eq!(xsub.recv().unwrap().bytes(), b"to all");
        }
        xsub.send(b"from all").unwrap();
        println!("\nheard {count}");
    }
    wait();
}

/// Receives so many times the same.
fn hear(socket: &mut Socket, body: &[u8], count: usize) {
    for n in 0..count {
        assert_eq!(socket.recv().unwrap().bytes(), body, "{n}");
    }
}

#[test]
fn ten_thousand_connections_are_served_and_small() {
    let count = allowed();
    if let (Ok(endpoint), Ok(count)) = (std::env::var(ENDPOINT), std::env::var(COUNT)) {
        return connect(&endpoint, count.parse().unwrap());
    }
    let context = Context::new().unwrap();
    let mut xpub = context.socket_with(SocketType::XPub, options()).unwrap();
    let endpoint = xpub.bind(ANY).unwrap();
    let (before, start) = (memory(), Instant::now());
    let mut other = Other::start("ten_thousand_connections_are_served_and_small", &endpoint, count);
    hear(&mut xpub, b"\x01", count);
    let connected = start.elapsed();
    let ours = (memory() - before) / count;
    other.tell();
    let theirs = other.says("memory ");
    for _ in 0..2 {
        xpub.send(b"to all").unwrap();
        assert_eq!(other.says("heard "), count);
        hear(&mut xpub, b"from all", count);
    }
    println!(
        "{count} connections in {connected:.1?}, {ours} octets each where they were accepted, {theirs} where they were made"
    );
    assert!(ours <= EACH && theirs <= EACH, "{ours} and {theirs} octets each");
    other.tell();
}
