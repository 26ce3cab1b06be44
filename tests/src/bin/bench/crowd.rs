//! Thousands of idle connections to one XPUB: what each takes of memory on both sides, and how long a message to all takes.
//!
//! `scale` has a SUB for each connection, `crowd` one XSUB with all of them.

use crate::args::{Args, FAN};
use crate::process::Role;
use crate::stage::Stage;
use crate::{Failure, Outcome, now};
use omnimq::{Sub, XPub, XSub};
use omnimq_core::Verbosity;
use std::collections::HashMap;
use std::time::Duration;

/// Before memory is looked at, all is quiet for so long.
const SETTLE: Duration = Duration::from_millis(500);

/// Between a message that all have had and the next.
const PAUSE: Duration = Duration::from_millis(20);

/// KiB of anonymous memory of this process.
fn memory() -> Result<f64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).ok_or("no RssAnon in /proc/self/status")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Memory per connection since `before`, under `key`, and times under the numbered letter.
fn outcome(args: &Args, key: &str, before: f64, after: f64, letter: char, times: &[f64]) -> Vec<(String, f64)> {
    let mut all = vec![(key.to_string(), (after - before) / args.clients as f64)];
    all.extend(times.iter().enumerate().map(|(n, time)| (format!("{letter}{n}"), *time)));
    all
}

pub(crate) fn publisher(args: &Args, stage: &Stage) -> Outcome {
    let mut options = args.options();
    (options.send_hwm, options.backlog) = (100_000, 4096);
    options.pattern.verbosity = Verbosity::Subscriptions;
    let mut publisher = XPub::with(&stage.context, options)?;
    let before = memory()?;
    stage.announce(&publisher.bind(args.site())?);
    for _ in 0..args.clients {
        publisher.recv()?;
    }
    let connected = now();
    std::thread::sleep(SETTLE);
    let after = memory()?;
    println!("ready");
    let (body, mut times) = (vec![b'x'; args.size], Vec::new());
    for _ in 0..FAN {
        stage.wait()?;
        std::thread::sleep(PAUSE);
        times.push(now());
        publisher.send(body.as_slice())?;
    }
    stage.wait()?;
    let mut all = outcome(args, "pub_kb", before, after, 's', &times);
    all.push(("connected".into(), connected));
    Ok(all)
}

pub(crate) fn subscribers(args: &Args, stage: &Stage) -> Outcome {
    let before = memory()?;
    let start = now();
    let mut subs = Vec::with_capacity(args.clients);
    for _ in 0..args.clients {
        let mut sub = Sub::with(&stage.context, args.options())?;
        sub.subscribe("")?;
        sub.connect(stage.endpoint(args))?;
        subs.push(sub);
    }
    listen(args, stage, before, start, || {
        for sub in &mut subs {
            sub.recv()?;
        }
        Ok(())
    })
}

pub(crate) fn subscriber(args: &Args, stage: &Stage) -> Outcome {
    let before = memory()?;
    let start = now();
    let mut sub = XSub::with(&stage.context, args.options())?;
    sub.subscribe("")?;
    for _ in 0..args.clients {
        sub.connect(stage.endpoint(args))?;
    }
    listen(args, stage, before, start, || {
        for _ in 0..args.clients {
            sub.recv()?;
        }
        Ok(())
    })
}

/// Receives what is sent to all, as often as that is.
fn listen(args: &Args, stage: &Stage, before: f64, start: f64, mut all: impl FnMut() -> Result<(), Failure>) -> Outcome {
    stage.wait()?;
    let after = memory()?;
    println!("counted");
    let mut times = Vec::new();
    for _ in 0..FAN {
        all()?;
        times.push(now());
        println!("all");
    }
    let mut all = outcome(args, "sub_kb", before, after, 'r', &times);
    all.push(("begun".into(), start));
    Ok(all)
}

/// Passes the word between the two roles.
pub(crate) fn conduct(publisher: &mut Role, subscribers: &mut Role) -> Result<(), Failure> {
    publisher.line("ready")?;
    subscribers.tell("count")?;
    subscribers.line("counted")?;
    for _ in 0..FAN {
        publisher.tell("go")?;
        subscribers.line("all")?;
    }
    Ok(publisher.tell("end")?)
}

/// What was measured.
pub(crate) fn print(args: &Args, all: &[HashMap<String, f64>]) {
    let of = |key: &str| all.iter().find_map(|results| results.get(key)).copied().unwrap_or(f64::NAN);
    let mut fans: Vec<f64> = (0..FAN).map(|n| (of(&format!("r{n}")) - of(&format!("s{n}"))) * 1e3).collect();
    fans.sort_by(f64::total_cmp);
    print!("clients={} connect_all_s={:.4}", args.clients, of("connected") - of("begun"));
    print!(" pub_kb_per_conn={:.2} sub_kb_per_conn={:.2}", of("pub_kb"), of("sub_kb"));
    print!(" fanout_ms_p50={:.3} fanout_ms_max={:.3}", fans[FAN / 2], fans[FAN - 1]);
}
