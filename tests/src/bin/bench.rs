//! The benchmark's programs on OmniMQ: the command line and the output of `zbench.c`, which does the same on libzmq.
//!
//! `bench thr|lat|dr [-t tcp] [-s octets] [-n count] [-H hwm] [-c clients] [-w window] [-p pattern]`
//!
//! One process per role. The rate is measured by the receiver from its first to its last message; CPU time, context
//! switches and memory are those of both processes, start and end included.

use nix::sys::resource::{UsageWho, getrusage};
use nix::time::{ClockId, clock_gettime};
use omnimq::{Context, Dealer, Pub, Pull, Push, Rep, Req, Router, SocketOptions, Sub};
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

#[derive(Clone)]
struct Args {
    mode: String,
    pattern: String,
    size: usize,
    count: u64,
    hwm: u32,
    clients: usize,
    window: usize,
    role: Option<usize>,
    endpoint: String,
}

impl Args {
    fn parse(words: &[String]) -> Result<Self, String> {
        let mut args = Self {
            mode: words.first().cloned().ok_or("which benchmark?")?,
            pattern: String::new(),
            size: 64,
            count: 0,
            hwm: 1000,
            clients: 1,
            window: 1,
            role: None,
            endpoint: String::new(),
        };
        let mut rest = words[1..].iter();
        while let Some(flag) = rest.next() {
            let value = rest.next().ok_or_else(|| format!("{flag} needs a value"))?;
            let number = || value.parse::<u64>().map_err(|_| format!("{flag} {value}: not a number"));
            match flag.as_str() {
                "-t" if value == "tcp" => {}
                "-p" => args.pattern.clone_from(value),
                "-s" => args.size = number()? as usize,
                "-n" => args.count = number()?,
                "-H" => args.hwm = number()? as u32,
                "-c" | "-k" => args.clients = number()? as usize,
                "-w" => args.window = number()? as usize,
                "--role" => args.role = Some(number()? as usize),
                "--endpoint" => args.endpoint.clone_from(value),
                _ => return Err(format!("{flag} {value}: not understood")),
            }
        }
        if args.count == 0 {
            args.count = if args.mode == "thr" { 1_000_000 } else { 10_000 };
        }
        Ok(args)
    }
    fn options(&self) -> SocketOptions {
        let mut options = SocketOptions::default();
        (options.send_hwm, options.recv_hwm) = (self.hwm, self.hwm);
        options
    }
}

fn now() -> f64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("a monotonic clock");
    time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9
}

type Outcome = Result<Vec<(&'static str, f64)>, Box<dyn std::error::Error>>;

fn announce(endpoint: &str) {
    println!("endpoint {endpoint}");
}

fn receiver(args: &Args) -> Outcome {
    let context = Context::new()?;
    let mut pull = Pull::with(&context, args.options())?;
    announce(&pull.bind("tcp://127.0.0.1:*")?);
    let (mut first, mut sum) = (0.0, 0u64);
    for n in 0..args.count {
        let message = pull.recv()?;
        assert_eq!(message.bytes().len(), args.size, "wrong size");
        sum += u64::from(message.bytes().first().copied().unwrap_or(0));
        if n == 0 {
            first = now();
        }
    }
    Ok(vec![("first", first), ("last", now()), ("sum", sum as f64)])
}

fn sender(args: &Args) -> Outcome {
    let context = Context::new()?;
    let mut push = Push::with(&context, args.options())?;
    push.connect(&args.endpoint)?;
    let body = vec![b'x'; args.size];
    let start = now();
    for _ in 0..args.count {
        push.send(body.as_slice())?;
    }
    let end = now();
    drop(push);
    context.term();
    Ok(vec![("start", start), ("end", end)])
}

fn publisher(args: &Args) -> Outcome {
    let context = Context::new()?;
    let mut options = args.options();
    options.pattern.nodrop = true;
    let mut publisher = Pub::with(&context, options)?;
    announce(&publisher.bind("tcp://127.0.0.1:*")?);
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let body = vec![b'x'; args.size];
    let start = now();
    for _ in 0..args.count {
        publisher.send(body.as_slice())?;
    }
    let end = now();
    drop(publisher);
    context.term();
    Ok(vec![("start", start), ("end", end)])
}

fn subscriber(args: &Args) -> Outcome {
    let context = Context::new()?;
    let mut sub = Sub::with(&context, args.options())?;
    sub.subscribe("")?;
    sub.connect(&args.endpoint)?;
    let mut first = 0.0;
    for n in 0..args.count {
        sub.recv()?;
        if n == 0 {
            first = now();
        }
    }
    Ok(vec![("first", first), ("last", now())])
}

fn answerer(args: &Args) -> Outcome {
    let context = Context::new()?;
    let mut rep = Rep::with(&context, args.options())?;
    announce(&rep.bind("tcp://127.0.0.1:*")?);
    for _ in 0..args.count + args.count / 20 + 1 {
        let message = rep.recv()?;
        rep.send(message)?;
    }
    drop(rep);
    context.term();
    Ok(Vec::new())
}

fn asker(args: &Args) -> Outcome {
    let context = Context::new()?;
    let mut req = Req::with(&context, args.options())?;
    req.connect(&args.endpoint)?;
    let body = vec![b'x'; args.size];
    let (warm, mut start) = (args.count / 20 + 1, 0.0);
    let mut trips = Vec::with_capacity(args.count as usize);
    for n in 0..args.count + warm {
        if n == warm {
            start = now();
        }
        let sent = now();
        req.send(body.as_slice())?;
        assert_eq!(req.recv()?.bytes().len(), args.size, "wrong size");
        if n >= warm {
            trips.push((now() - sent) * 1e6);
        }
    }
    let wall = now() - start;
    trips.sort_by(f64::total_cmp);
    let at = |part: f64| trips[((trips.len() - 1) as f64 * part) as usize];
    Ok(vec![("wall", wall), ("p50", at(0.5)), ("p99", at(0.99)), ("p999", at(0.999))])
}

fn echoer(args: &Args) -> Outcome {
    let context = Context::new()?;
    let mut router = Router::with(&context, args.options())?;
    announce(&router.bind("tcp://127.0.0.1:*")?);
    for _ in 0..args.count + (args.clients * args.window) as u64 {
        let message = router.recv()?;
        router.send(message)?;
    }
    drop(router);
    context.term();
    Ok(Vec::new())
}

fn dealers(args: &Args) -> Outcome {
    let context = Context::new()?;
    let mut sockets = Vec::new();
    for _ in 0..args.clients {
        let mut dealer = Dealer::with(&context, args.options())?;
        dealer.connect(&args.endpoint)?;
        sockets.push(dealer);
    }
    let body = vec![b'x'; args.size];
    let rounds = args.count / (args.clients * args.window) as u64;
    let mut start = 0.0;
    for round in 0..=rounds {
        if round == 1 {
            start = now();
        }
        for dealer in &mut sockets {
            for _ in 0..args.window {
                dealer.send(body.as_slice())?;
            }
        }
        for dealer in &mut sockets {
            for _ in 0..args.window {
                assert_eq!(dealer.recv()?.bytes().len(), args.size, "wrong size");
            }
        }
    }
    Ok(vec![("wall", now() - start)])
}

fn play(args: &Args, role: usize) -> Outcome {
    match (args.mode.as_str(), args.pattern.as_str(), role) {
        ("thr", "pubsub", 0) => publisher(args),
        ("thr", "pubsub", _) => subscriber(args),
        ("thr", _, 0) => receiver(args),
        ("thr", _, _) => sender(args),
        ("lat", _, 0) => answerer(args),
        ("lat", _, _) => asker(args),
        ("dr", _, 0) => echoer(args),
        ("dr", _, _) => dealers(args),
        (mode, ..) => Err(format!("{mode}: no such benchmark").into()),
    }
}

fn run_role(args: &Args, role: usize) -> Outcome {
    let mut results = play(args, role)?;
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    results.extend([
        ("user", seconds(usage.user_time())),
        ("sys", seconds(usage.system_time())),
        ("nv", usage.voluntary_context_switches() as f64),
        ("niv", usage.involuntary_context_switches() as f64),
        ("rss", usage.max_rss() as f64),
    ]);
    Ok(results)
}

struct Role {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Role {
    fn start(words: &[String], role: usize, endpoint: &str) -> std::io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(words)
            .args(["--role", &role.to_string(), "--endpoint", endpoint])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let lines = BufReader::new(child.stdout.take().expect("a piped output")).lines();
        Ok(Self { child, lines })
    }
    fn line(&mut self, word: &str) -> Result<String, String> {
        let line = self.lines.next().and_then(Result::ok).ok_or("a role ended early")?;
        line.strip_prefix(word).map(|rest| rest.trim().to_string()).ok_or(line)
    }
    fn results(mut self) -> Result<HashMap<String, f64>, Box<dyn std::error::Error>> {
        let line = self.line("results")?;
        let results = line.split_whitespace().filter_map(|word| {
            let (key, value) = word.split_once('=')?;
            Some((key.to_string(), value.parse().ok()?))
        });
        let results = results.collect();
        if self.child.wait()?.success() { Ok(results) } else { Err("a role failed".into()) }
    }
}

/// Runs the roles, each in a process of its own, and prints what they measured.
fn conduct(words: &[String], args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let mut first = Role::start(words, 0, "-")?;
    let endpoint = first.line("endpoint")?;
    let others = if args.pattern == "pubsub" { args.clients } else { 1 };
    let mut roles = Vec::new();
    for role in 0..others {
        roles.push(Role::start(words, role + 1, &endpoint)?);
    }
    if args.pattern == "pubsub" {
        // Subscribed by the time the publisher is told to begin.
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    drop(first.child.stdin.take());
    let mut all = vec![first.results()?];
    for role in roles {
        all.push(role.results()?);
    }
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
        "test={} proto={} transport=tcp size={} count={} hwm={} ",
        args.mode, args.pattern, args.size, args.count, args.hwm
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
        _ => {
            let wall = most("wall");
            print!("clients={} window={} wall_s={wall:.4} reqs_s={:.0}", args.clients, args.window, count / wall);
        }
    }
    let (user, sys, switches) = (sum("user"), sum("sys"), sum("nv") + sum("niv"));
    print!(" cpu_user={user:.3} cpu_sys={sys:.3} cpu_s_per_M={:.3}", (user + sys) / count * 1e6);
    println!(" nvcsw={} nivcsw={} csw_per_msg={:.4} maxrss_kb={}", sum("nv"), sum("niv"), switches / count, most("rss"));
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let args = Args::parse(&words)?;
    let Some(role) = args.role else { return conduct(&words, &args) };
    let results = run_role(&args, role)?;
    let words: Vec<String> = results.iter().map(|(key, value)| format!("{key}={value:.9}")).collect();
    println!("results {}", words.join(" "));
    Ok(())
}
