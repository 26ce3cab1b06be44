//! The benchmark's programs on OmniMQ: the command line and the output of `zbench.c`, which does the same on libzmq.
//!
//! `bench thr|lat|dr|scale|crowd [-t tcp|ipc|inproc] [-s octets] [-n count] [-H hwm] [-c clients|-k subscribers] [-w window]
//! [-p pattern]`
//!
//! One process per role; over inproc one thread per role. The rate is measured by the receiver from its first to its last
//! message; CPU time, context switches and memory are those of all processes, start and end included.

mod args;
mod crowd;
mod fan_in;
mod process;
mod stage;
mod stream;
mod trips;

use args::Args;
use nix::sys::resource::{UsageWho, getrusage};
use nix::time::{ClockId, clock_gettime};
use process::Role;
use stage::Stage;
use std::collections::HashMap;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a role has measured, by key.
type Outcome = Result<Vec<(String, f64)>, Failure>;

fn now() -> f64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("a monotonic clock");
    time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9
}

fn measured<const N: usize>(numbers: [(&str, f64); N]) -> Outcome {
    Ok(numbers.map(|(key, number)| (key.to_string(), number)).into())
}

fn play(args: &Args, role: usize, stage: &Stage) -> Outcome {
    match (args.mode.as_str(), args.pattern.as_str(), role) {
        ("thr", "pubsub", 0) => stream::publisher(args, stage),
        ("thr", "pubsub", _) => stream::subscriber(args, stage),
        ("thr", _, 0) => stream::receiver(args, stage),
        ("thr", _, _) => stream::sender(args, stage),
        ("lat", _, 0) => trips::answerer(args, stage),
        ("lat", _, _) => trips::asker(args, stage),
        ("dr", _, 0) => fan_in::echoer(args, stage),
        ("dr", _, _) => fan_in::dealers(args, stage),
        ("scale" | "crowd", _, 0) => crowd::publisher(args, stage),
        ("scale", _, _) => crowd::subscribers(args, stage),
        ("crowd", _, _) => crowd::subscriber(args, stage),
        (mode, ..) => Err(format!("{mode}: no such benchmark").into()),
    }
}

/// What this process has used so far.
fn usage() -> Outcome {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    measured([
        ("user", seconds(usage.user_time())),
        ("sys", seconds(usage.system_time())),
        ("nv", usage.voluntary_context_switches() as f64),
        ("niv", usage.involuntary_context_switches() as f64),
        ("rss", usage.max_rss() as f64),
    ])
}

/// Runs the roles, each in a process of its own, and prints what they measured.
fn conduct(words: &[String], args: &Args) -> Result<(), Failure> {
    let mut first = Role::start(words, 0, "-")?;
    let endpoint = first.line("endpoint")?;
    let others = if args.pattern == "pubsub" { args.clients } else { 1 };
    let mut roles = Vec::new();
    for role in 0..others {
        roles.push(Role::start(words, role + 1, &endpoint)?);
    }
    match roles.as_mut_slice() {
        [other] if args.is_crowd() => crowd::conduct(&mut first, other)?,
        _ if args.pattern == "pubsub" => {
            // Subscribed by the time the publisher is told to begin.
            std::thread::sleep(std::time::Duration::from_millis(500));
            first.tell("go")?;
        }
        _ => {}
    }
    let mut all = vec![first.results()?];
    for role in roles {
        all.push(role.results()?);
    }
    print_line(args, &all);
    Ok(())
}

/// As [`conduct`], each role in a thread of its own.
fn conduct_threads(args: &Args) -> Result<(), Failure> {
    let stage = Stage::shared()?;
    let mut all: Vec<HashMap<String, f64>> = std::thread::scope(|scope| {
        let stage = &stage;
        let threads = [0, 1].map(|role| scope.spawn(move || play(args, role, stage)));
        let played = threads.map(|thread| thread.join().map_err(|_| "a role panicked")?);
        played.into_iter().map(|outcome| Ok(outcome?.into_iter().collect())).collect::<Result<_, Failure>>()
    })?;
    all.push(usage()?.into_iter().collect());
    print_line(args, &all);
    Ok(())
}

/// One line of what was measured, from the results of all roles.
fn print_line(args: &Args, all: &[HashMap<String, f64>]) {
    let sum = |key: &str| all.iter().filter_map(|results| results.get(key)).sum::<f64>();
    let most = |key: &str| all.iter().filter_map(|results| results.get(key)).copied().fold(0.0, f64::max);
    let count = args.count as f64;
    let deliveries = count * if args.pattern == "pubsub" { args.clients as f64 } else { 1.0 };
    print!(
        "test={} proto={} transport={} size={} count={} hwm={} ",
        args.mode, args.pattern, args.transport, args.size, args.count, args.hwm
    );
    match args.mode.as_str() {
        "thr" => {
            let firsts = all.iter().filter_map(|results| results.get("first")).copied().fold(f64::MAX, f64::min);
            let wall = most("last") - firsts;
            print!("wall_s={wall:.4} msgs_s={:.0} deliveries_s={:.0}", count / wall, deliveries / wall);
        }
        "lat" => {
            let wall = most("wall");
            print!("wall_s={wall:.4} rtt_mean_us={:.2} rtt_p50_us={:.2}", wall / count * 1e6, most("p50"));
            print!(" rtt_p99_us={:.2} rtt_p999_us={:.2}", most("p99"), most("p999"));
        }
        "scale" | "crowd" => crowd::print(args, all),
        _ => {
            let wall = most("wall");
            print!("clients={} window={} wall_s={wall:.4} reqs_s={:.0}", args.clients, args.window, count / wall);
        }
    }
    let (user, sys, switches) = (sum("user"), sum("sys"), sum("nv") + sum("niv"));
    print!(" cpu_user={user:.3} cpu_sys={sys:.3} cpu_s_per_M={:.3}", (user + sys) / count * 1e6);
    println!(" nvcsw={} nivcsw={} csw_per_msg={:.4} maxrss_kb={}", sum("nv"), sum("niv"), switches / count, most("rss"));
}

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let args = Args::parse(&words)?;
    let Some(role) = args.role else {
        return if args.transport == "inproc" { conduct_threads(&args) } else { conduct(&words, &args) };
    };
    let mut results = play(&args, role, &Stage::of_its_own(&args)?)?;
    results.extend(usage()?);
    let words: Vec<String> = results.iter().map(|(key, value)| format!("{key}={value:.9}")).collect();
    println!("results {}", words.join(" "));
    Ok(())
}
