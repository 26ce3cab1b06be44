//! A publisher or subscriber over pgm or epgm with the host library's sockets, and one who sprays what nobody should send.
//!
//! `pgm pub|sub|spray ENDPOINT [count=N] [size=OCTETS] [rate=KBIT] [recovery=MS] [every=US] [idle=MS] [buffer=OCTETS]
//! [hwm=MESSAGES] [base=NUMBER] [loop=1] [hops=N] [offload=0] [stall_at=N] [stall=MS] [kinds=BITS] [seed=N]`
//!
//! The command line and the output of `peers/pgm.c`, which does the same on libzmq. A publisher begins when it reads a
//! line and stays until its input ends; a subscriber ends with the last message, or when nothing comes for a while.

mod spray;

use nix::sys::resource::{UsageWho, getrusage};
use nix::time::{ClockId, clock_gettime};
use omnimq_core::{Endpoint, endpoint::Multicast};
use omnimq_pgm::link::{Interface, LinkOptions};
use omnimq_pgm::{Encapsulation, Session};
use std::collections::HashMap;
use std::net::IpAddr;

type Failure = Box<dyn std::error::Error>;

struct Args {
    endpoint: String,
    numbers: HashMap<String, u64>,
}

impl Args {
    fn number(&self, name: &str, or: u64) -> u64 {
        self.numbers.get(name).copied().unwrap_or(or)
    }
    fn options(&self) -> LinkOptions {
        let mut options = LinkOptions::default();
        options.rate = self.number("rate", 20_000) as u32;
        options.recovery = self.number("recovery", 10_000) as u32;
        options.loopback = self.number("loop", 0) != 0;
        options.hops = self.number("hops", 1) as u8;
        options.offload = self.number("offload", 1) != 0;
        options.receive_buffer = self.numbers.get("buffer").filter(|&&octets| octets > 0).map(|&octets| octets as usize);
        options
    }
}

/// Nanoseconds of a clock that all processes of this host share.
fn nanos() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("the clock is there");
    time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64
}

/// The session of an endpoint, and the interface.
fn session(endpoint: &str, options: &LinkOptions) -> Result<(Session, Interface), Failure> {
    let (encapsulation, multicast): (_, Multicast<'_>) = match Endpoint::parse(endpoint)? {
        Endpoint::Pgm(multicast) => (Encapsulation::Raw, multicast),
        Endpoint::Epgm(multicast) => (Encapsulation::Udp, multicast),
        _ => return Err("neither pgm nor epgm".into()),
    };
    let group: IpAddr = multicast.send.to_string().trim_matches(['[', ']']).parse()?;
    let session = Session { group, port: multicast.port, encapsulation, max_tpdu: options.max_tpdu };
    let interface = match multicast.interfaces.iter().next() {
        Some(host) => Interface::find(host, group)?,
        None => Interface::routed(group, multicast.port)?,
    };
    Ok((session, interface))
}

/// Numbered messages, as many as asked for and as fast.
struct Flood {
    base: u64,
    count: u64,
    /// Microseconds between two.
    every: u64,
    body: Vec<u8>,
    sent: u64,
    begun: u64,
}

impl Flood {
    fn new(args: &Args) -> Self {
        let size = args.number("size", 100) as usize;
        let (base, count, every) = (args.number("base", 0), args.number("count", 2000), args.number("every", 0));
        Self { base, count, every, body: vec![0; size.max(16)], sent: 0, begun: nanos() }
    }
    fn is_over(&self) -> bool {
        self.sent == self.count
    }
    /// When the next message is due, in nanoseconds.
    fn due(&self) -> u64 {
        self.begun + self.sent * self.every * 1000
    }
    /// The next message.
    fn message(&mut self) -> &[u8] {
        let number = self.base + self.sent;
        self.body.fill((number * 31) as u8);
        self.body[..8].copy_from_slice(&number.to_be_bytes());
        self.body[8..16].copy_from_slice(&nanos().to_be_bytes());
        &self.body
    }
    /// The message has been taken; the last one is told.
    fn on_sent(&mut self) {
        self.sent += 1;
        if self.is_over() {
            println!("sent={} seconds={:.3}", self.sent, (nanos() - self.begun) as f64 / 1e9);
        }
    }
}

/// What a subscriber has seen of numbered messages.
#[derive(Default)]
struct Account {
    received: u64,
    first: u64,
    next: u64,
    missing: u64,
    disorder: u64,
    corrupt: u64,
    begin: u64,
    end: u64,
    latencies: Vec<u64>,
}

impl Account {
    fn on_message(&mut self, body: &[u8], size: usize) {
        let number =
            |at: usize| body.get(at..at + 8).map_or(0, |octets| u64::from_be_bytes(octets.try_into().expect("eight")));
        if body.len() != size {
            self.corrupt += 1;
            return;
        }
        let n = number(0);
        self.corrupt += u64::from(body[16..].iter().any(|&octet| octet != (n * 31) as u8));
        self.end = nanos();
        if self.received == 0 {
            (self.first, self.next, self.begin) = (n, n, self.end);
        }
        if n < self.next {
            self.disorder += 1;
            return;
        }
        self.missing += n - self.next;
        self.next = n + 1;
        self.received += 1;
        self.latencies.push(self.end.saturating_sub(number(8)));
    }
    /// Prints it, and how many packets are known to be lost.
    fn print(&mut self, lost: u64) {
        self.latencies.sort_unstable();
        let micros = |part: usize| {
            let at = (self.latencies.len() * part / 100).min(self.latencies.len().saturating_sub(1));
            self.latencies.get(at).map_or(0, |nanos| nanos / 1000)
        };
        println!(
            "received={} first={} missing={} disorder={} corrupt={} seconds={:.3} p50={} p99={} longest={} lost={lost}",
            self.received,
            self.first,
            self.missing,
            self.disorder,
            self.corrupt,
            (self.end - self.begin) as f64 / 1e9,
            micros(50),
            micros(99),
            micros(100)
        );
    }
}

fn publish(args: &Args) -> Result<(), Failure> {
    let context = omnimq::Context::new()?;
    let mut options = omnimq::SocketOptions::default();
    options.multicast = args.options();
    options.pattern.nodrop = true;
    options.send_hwm = args.number("hwm", 1000) as u32;
    let mut socket = omnimq::Pub::with(&context, options)?;
    socket.bind(&args.endpoint)?;
    println!("ready");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let mut flood = Flood::new(args);
    while !flood.is_over() {
        if flood.every > 0 {
            std::thread::sleep(std::time::Duration::from_nanos(flood.due().saturating_sub(nanos())));
        }
        socket.send(flood.message()).map_err(|refused| refused.error)?;
        flood.on_sent();
    }
    while std::io::stdin().read_line(&mut line)? > 0 {}
    tell_cost()
}

/// Seconds of a processor, and the largest resident set in KiB.
fn tell_cost() -> Result<(), Failure> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = [usage.user_time(), usage.system_time()].map(|time| nix::sys::time::TimeValLike::num_microseconds(&time));
    println!("processor={:.3} memory={}", (micros[0] + micros[1]) as f64 / 1e6, usage.max_rss());
    Ok(())
}

fn subscribe(args: &Args) -> Result<(), Failure> {
    let context = omnimq::Context::new()?;
    let mut options = omnimq::SocketOptions::default();
    options.multicast = args.options();
    options.recv_hwm = args.number("hwm", 1000) as u32;
    let mut socket = context.socket_with(omnimq::SocketType::Sub, options)?;
    socket.subscribe(b"")?;
    socket.connect(&args.endpoint)?;
    println!("ready");
    let (count, size) = (args.number("count", 2000), args.number("size", 100) as usize);
    let idle = std::time::Duration::from_millis(args.number("idle", 5000));
    let away = (args.number("stall_at", 0), args.number("stall", 0));
    let mut account = Account::default();
    while account.next < count {
        match socket.recv_timeout(idle) {
            Ok(message) => account.on_message(message.bytes(), size),
            Err(omnimq::Error::WouldBlock) => break,
            Err(error) => return Err(error.into()),
        }
        if away.1 > 0 && account.received == away.0 {
            std::thread::sleep(std::time::Duration::from_millis(away.1));
        }
    }
    account.print(socket.lost_packets());
    Ok(())
}

fn main() -> Result<(), Failure> {
    let mut words = std::env::args().skip(1);
    let (role, endpoint) = (words.next().ok_or("pub or sub?")?, words.next().ok_or("which endpoint?")?);
    let mut numbers = HashMap::new();
    for word in words {
        let (name, value) = word.split_once('=').ok_or_else(|| format!("{word}: not NAME=NUMBER"))?;
        numbers.insert(name.to_owned(), value.parse()?);
    }
    let args = Args { endpoint, numbers };
    match role.as_str() {
        "pub" => publish(&args),
        "sub" => subscribe(&args),
        "spray" => spray::spray(&args),
        other => Err(format!("{other}: pub, sub or spray").into()),
    }
}
