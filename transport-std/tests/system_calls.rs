//! What a message costs in system calls, counted by strace.
//!
//! Each test runs itself under strace twice, with few and with many messages: the difference is the steady state. Without
//! strace it says so and does nothing, unless `CI` is `true`: then it fails.

#![cfg(all(target_os = "linux", not(portable)))]

mod support;

use omnimq::{Context, Socket, SocketType};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Command;
use std::thread;
use std::time::Duration;
use support::*;

/// Tells a traced process how many messages are wanted of it.
const COUNT: &str = "OMNIMQ_TRACED_COUNT";

/// How long a wait may look again and again by default.
const BUSY: Duration = Duration::from_micros(50);

/// Messages of the two runs.
const RUNS: [u32; 2] = [1_000, 11_000];

/// Calls per message in the steady state, by name.
struct Calls(BTreeMap<String, f64>);

impl Calls {
    fn total(&self) -> f64 {
        self.0.values().sum()
    }
    /// Neither registrations, nor wake-ups through an eventfd, nor timers, per message: streams are written to by other
    /// calls than write.
    #[track_caller]
    fn expect_nothing_beside_messages(&self) {
        for name in ["epoll_ctl", "write", "timerfd_settime"] {
            let calls = self.0.get(name).copied().unwrap_or(0.0);
            assert!(calls < 0.01, "{name}: {calls} per message");
        }
    }
}

/// What `work`, done with `times` as many messages as it is told, costs per message; `None` in the traced process, where
/// the work has been done, and without strace.
fn traced(test: &str, times: u32, work: impl FnOnce(u32)) -> Option<Calls> {
    if let Ok(count) = std::env::var(COUNT) {
        work(count.parse::<u32>().unwrap() * times);
        return None;
    }
    if Command::new("strace").arg("-V").output().is_err() {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "there is no strace");
        // Not by a macro: their output is kept from the log when a test passes.
        let _ = std::io::stdout().write_all(format!("SKIPPED {test}: there is no strace to count with\n").as_bytes());
        return None;
    }
    let [few, many] = RUNS.map(|count| run(test, count));
    let per_message = |(name, calls): (&String, &u64)| {
        let calls = *calls as f64 - few.get(name).map_or(0.0, |calls| *calls as f64);
        (name.clone(), calls / f64::from((RUNS[1] - RUNS[0]) * times))
    };
    let calls = Calls(many.iter().map(per_message).collect());
    let mut shown: Vec<_> = calls.0.iter().filter(|(_, calls)| **calls >= 0.00005).collect();
    shown.sort_by(|a, b| b.1.total_cmp(a.1));
    println!("{test}: {:.2} system calls per message: {shown:.4?}", calls.total());
    Some(calls)
}

/// Calls of one traced run, by name.
fn run(test: &str, count: u32) -> BTreeMap<String, u64> {
    let summary = std::env::temp_dir().join(format!("omnimq-{}-{test}-{count}", std::process::id()));
    let mut strace = Command::new("strace");
    strace.args(["-f", "-c", "-U", "calls,name", "-o"]).arg(&summary).arg(std::env::current_exe().unwrap());
    let output = strace.args(["--exact", test]).env(COUNT, count.to_string()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = std::fs::read_to_string(&summary).unwrap();
    std::fs::remove_file(&summary).unwrap();
    let rows = text.lines().filter_map(|line| {
        let (calls, name) = line.trim().split_once(char::is_whitespace)?;
        Some((name.trim().to_string(), calls.parse().ok()?))
    });
    let calls: BTreeMap<_, _> = rows.filter(|(name, _)| name != "total").collect();
    assert!(calls.contains_key("epoll_ctl"), "not understood: {text}");
    calls
}

/// Two sockets that are connected, of contexts of their own. Waits that look again and again spend calls instead of time.
fn pair(bound: SocketType, connected: SocketType, busy_poll: Duration) -> [Socket; 2] {
    let [ours, theirs] = [(); 2].map(|()| Context::new().unwrap());
    let mut options = patient();
    options.busy_poll = busy_poll;
    let mut bound = ours.socket_with(bound, options.clone()).unwrap();
    let endpoint = bound.bind(ANY).unwrap();
    let mut connected = theirs.socket_with(connected, options).unwrap();
    connected.connect(&endpoint).unwrap();
    [bound, connected]
}

/// `count` questions, each answered before the next.
fn converse([mut answering, mut asking]: [Socket; 2], count: u32) {
    let answers = thread::spawn(move || {
        for _ in 0..count {
            let question = answering.recv().unwrap();
            answering.send(question).unwrap();
        }
        answering
    });
    for _ in 0..count {
        asking.send(&[7; 64]).unwrap();
        asking.recv().unwrap();
    }
    answers.join().unwrap();
}

/// A question, the answer to it, and everything that waiting for them takes, at both ends together, where waits sleep at
/// once, as they do on one processor.
#[test]
fn a_round_trip_takes_eight_calls_at_most() {
    let work = |count| converse(pair(SocketType::Rep, SocketType::Req, Duration::ZERO), count);
    let Some(calls) = traced("a_round_trip_takes_eight_calls_at_most", 1, work) else { return };
    assert!(calls.total() <= 8.0, "{}", calls.total());
    calls.expect_nothing_beside_messages();
}

/// Sockets that do not know that an answer comes.
#[test]
fn a_message_now_and_then_wakes_by_arriving() {
    let work = |count| converse(pair(SocketType::Dealer, SocketType::Dealer, BUSY), count);
    let Some(calls) = traced("a_message_now_and_then_wakes_by_arriving", 1, work) else { return };
    calls.expect_nothing_beside_messages();
}

/// One sends as fast as it can.
#[test]
fn a_flood_takes_no_call_per_message() {
    let work = |count| {
        let [mut pull, mut push] = pair(SocketType::Pull, SocketType::Push, BUSY);
        let receiver = thread::spawn(move || {
            for _ in 0..count {
                pull.recv().unwrap();
            }
            pull
        });
        for _ in 0..count {
            push.send(&[7; 64]).unwrap();
        }
        receiver.join().unwrap();
    };
    let Some(calls) = traced("a_flood_takes_no_call_per_message", 20, work) else { return };
    assert!(calls.total() < 0.1, "{}", calls.total());
    calls.expect_nothing_beside_messages();
}
