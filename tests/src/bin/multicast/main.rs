//! Measures multicast between two network namespaces, ours and libzmq's in turns: a publisher on one host, subscribers on
//! the other, a network that loses.
//!
//! `multicast [rounds=N] [transport=pgm] [size=OCTETS] [count=N] [every=US] [rate=KBIT] [their_rate=KBIT] [recovery=MS]
//! [loss=THOUSANDTHS] [subscribers=N] [buffer=OCTETS] [hwm=MESSAGES] [offload=0] [capture=1]`
//!
//! For each run a line `side=ours` or `side=libzmq` with what came of it, as `key=number`.

mod capture;

use capture::{Capture, Seen};
use omnimq_tests::multicast::{Cost, Heard, Host, Net, Program, Whose, available, endpoint};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What is measured, by name.
struct Work {
    words: BTreeMap<String, String>,
    ours: PathBuf,
}

impl Work {
    fn number(&self, name: &str, or: u64) -> u64 {
        self.words.get(name).map_or(or, |word| word.parse().unwrap_or_else(|_| panic!("{name}={word}")))
    }
    /// What a program is told.
    fn words(&self, whose: Whose) -> Vec<String> {
        let mut words = vec![];
        for name in ["size", "count", "every", "recovery", "buffer", "offload"] {
            words.extend(self.words.get(name).map(|word| format!("{name}={word}")));
        }
        // The same mark for both, at which their publishers wait: libzmq's program has none unless told.
        words.push(format!("hwm={}", self.number("hwm", 1000)));
        let rate = self.number("rate", 20_000);
        let rate = if whose == Whose::Theirs { self.number("their_rate", rate) } else { rate };
        words.push(format!("rate={rate}"));
        words
    }
    /// One run.
    fn run(&self, net: &Net, whose: Whose) -> String {
        let transport = self.words.get("transport").map_or("epgm", String::as_str);
        let words = self.words(whose);
        let start = |host, role: &str| {
            let to = endpoint(transport, false, host);
            let words: Vec<&str> = [role, &to].into_iter().chain(words.iter().map(String::as_str)).collect();
            Program::start(net, host, whose, &self.ours, &words)
        };
        let subscribers: Vec<Program> = (0..self.number("subscribers", 1)).map(|_| start(Host::B, "sub")).collect();
        net.await_member(Host::B, "239.192.1.1", subscribers.len());
        let capture = (self.number("capture", 0) > 0).then(|| Capture::start(net, Host::A));
        let mut publisher = start(Host::A, "pub");
        publisher.go();
        let heard: Vec<Heard> = subscribers.into_iter().map(Program::heard).collect();
        let cost = publisher.stop();
        self.tell(&heard, cost, capture.map(Capture::end).as_ref())
    }
    fn tell(&self, heard: &[Heard], cost: Cost, seen: Option<&Seen>) -> String {
        let (count, size) = (self.number("count", 2000), self.number("size", 100) as f64);
        let survived = heard.iter().all(|heard| survives(heard, count, size));
        let first = &heard[0];
        let Heard { received, missing, lost, .. } = *first;
        let mut line = format!("survived={} received={received} missing={missing} lost={lost}", u8::from(survived));
        if heard.iter().all(|heard| heard.received + heard.first + heard.missing == count) {
            // Of one that fell silent the rate would be a guess.
            let rate = received as f64 / first.seconds.max(1e-9);
            let _ = write!(line, " msgs_s={rate:.0} MB_s={:.2}", rate * size / 1e6);
        }
        let latency = |micros: u64| micros as f64 / 1e3;
        let _ = write!(line, " p50_ms={:.3} p99_ms={:.3}", latency(first.latency.0), latency(first.latency.1));
        let percent = 100.0 * cost.processor / first.seconds.max(1e-9);
        let _ = write!(line, " publisher_percent={percent:.2} publisher_MB={:.1}", cost.memory as f64 / 1024.0);
        if let Some(seen) = seen {
            let share = seen.naks as f64 / seen.losses().max(1) as f64;
            let _ = write!(line, " naks={} losses={} naks_per_loss={share:.3}", seen.naks, seen.losses());
            for (name, hundredths) in [("repair_p50_ms", 50), ("repair_p99_ms", 99)] {
                let _ = seen.repair(hundredths).map(|millis| write!(line, " {name}={millis:.2}"));
            }
        }
        line
    }
}

/// Whether a subscriber heard the stream to its end, in order, and was told of loss where something is missing: of no
/// fewer packets than held what is missing.
fn survives(heard: &Heard, count: u64, size: f64) -> bool {
    let in_packet = (1500.0 / size).ceil() as u64 + 1;
    heard.received + heard.first + heard.missing == count
        && heard.disorder + heard.corrupt == 0
        && heard.missing <= heard.lost * in_packet
}

fn main() {
    let mut words = BTreeMap::new();
    for word in std::env::args().skip(1) {
        let (name, value) = word.split_once('=').unwrap_or_else(|| panic!("{word}: not NAME=VALUE"));
        words.insert(name.to_owned(), value.to_owned());
    }
    if !available() {
        std::process::exit(1);
    }
    let this = std::env::current_exe().expect("a program has a file");
    let ours = Path::new(&this).with_file_name("pgm");
    let work = Work { words, ours };
    let net = Net::new();
    match work.number("loss", 0) {
        0 => {}
        loss => net.lose(Host::B, loss as u32),
    }
    for round in 0..work.number("rounds", 1) {
        let mut sides = [("ours", Whose::Ours), ("libzmq", Whose::Theirs)];
        if round % 2 == 1 {
            sides.reverse();
        }
        for (name, whose) in sides {
            println!("side={name} {}", work.run(&net, whose));
        }
    }
}
