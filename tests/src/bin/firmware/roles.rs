//! What the host does with each role, and what it expects.

use crate::board::{Board, free_port};
use omnimq_tests::libzmq::{Part, Peer, Socket};
use std::error::Error;
use std::fmt;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

/// One board's machine and images.
pub(crate) struct Bench {
    pub(crate) machine: String,
    pub(crate) folder: PathBuf,
}

/// What a role was seen to do.
pub(crate) struct Figures {
    /// Messages that arrived and were what they should be.
    messages: u64,
    /// The median time there and back.
    rtt: Duration,
    more: String,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "messages={} rtt_us={}{}", self.messages, self.rtt.as_micros(), self.more)
    }
}

type Outcome = Result<Figures, Box<dyn Error>>;
type Play = fn(&Bench) -> Outcome;

/// Every role, in the order they are played.
pub(crate) const ROLES: [(&str, Play); 8] = [
    ("quick", quick),
    ("telemetry", telemetry),
    ("actuator", actuator),
    ("rpc", rpc),
    ("pipeline", pipeline),
    ("router", router),
    ("echo", echo),
    ("flood", flood),
];

const WAIT: Duration = Duration::from_secs(10);

impl Bench {
    /// Boots the image that has this role only, if there is one, else the one that has all.
    fn boot(&self, role: &str, arguments: &[&str]) -> Result<Board, Box<dyn Error>> {
        self.boot_at(role, arguments, &[])
    }
    /// As `boot`, with a clock that counts instructions: 8 ns each.
    fn boot_counting(&self, role: &str, arguments: &[&str]) -> Result<Board, Box<dyn Error>> {
        self.boot_at(role, arguments, &["-icount", "shift=3,sleep=off"])
    }
    fn boot_at(&self, role: &str, arguments: &[&str], pace: &[&str]) -> Result<Board, Box<dyn Error>> {
        let own = self.folder.join(role);
        let image = if own.exists() { own } else { self.folder.join("roles") };
        Board::boot(&self.machine, &image, arguments, pace)
    }
}

fn tcp(port: u16) -> String {
    format!("tcp://127.0.0.1:{port}")
}

fn ensure(holds: bool, what: impl Into<String>) -> Result<(), Box<dyn Error>> {
    if holds { Ok(()) } else { Err(what.into().into()) }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// What one subscriber has heard: the last number of each topic it asked for.
struct Listener<'a> {
    socket: Socket<'a>,
    topics: &'static [&'static str],
    last: [Option<u64>; 3],
    heard: u64,
}

const TOPICS: [&str; 3] = ["temperature/", "humidity/", "pressure/"];

impl<'a> Listener<'a> {
    fn new(peer: &'a Peer, port: u16, topics: &'static [&'static str]) -> Self {
        let socket = peer.socket("SUB");
        topics.iter().for_each(|topic| socket.subscribe(topic.as_bytes()));
        socket.connect(&tcp(port));
        Self { socket, topics, last: [None; 3], heard: 0 }
    }
    /// Takes one reading: of a topic that was asked for, and the one after the last of that topic.
    fn hear(&mut self) -> Result<(), Box<dyn Error>> {
        let parts = self.socket.recv_octets(WAIT).map_err(|refused| format!("no reading: {refused:?}"))?;
        let text = String::from_utf8(parts.concat())?;
        let at = TOPICS.iter().position(|topic| text.starts_with(topic)).ok_or(format!("unknown reading {text}"))?;
        ensure(self.topics.iter().any(|topic| text.starts_with(topic)), format!("nobody asked for {text}"))?;
        let number: u64 = text[TOPICS[at].len()..].parse()?;
        ensure(self.last[at].is_none_or(|last| last + 1 == number), format!("{text} after {:?}", self.last[at]))?;
        self.last[at] = Some(number);
        self.heard += 1;
        Ok(())
    }
}

/// Three subscribers with their own prefixes, and one that comes late: each gets exactly its topics, without a gap.
fn telemetry(bench: &Bench) -> Outcome {
    let peer = Peer::start();
    let board = bench.boot("telemetry", &["telemetry"])?;
    board.await_line("telemetry: bound", WAIT)?;
    let mut early = [&TOPICS[..1], &TOPICS[1..], &[""]].map(|topics| Listener::new(&peer, board.port, topics));
    for _ in 0..300 {
        early.iter_mut().try_for_each(Listener::hear)?;
    }
    let start = Instant::now();
    let mut late = Listener::new(&peer, board.port, &TOPICS[2..]);
    late.hear()?;
    let rtt = start.elapsed();
    for _ in 0..100 {
        late.hear()?;
        early.iter_mut().try_for_each(Listener::hear)?;
    }
    ensure(late.last[0].is_none() && late.last[1].is_none(), "the late one heard what it had not asked for")?;
    let messages = early.iter().map(|listener| listener.heard).sum::<u64>() + late.heard;
    peer.kill();
    let lines = board.end()?;
    ensure(lines.iter().any(|line| line.contains("dropped 0")), "the board dropped readings")?;
    Ok(Figures { messages, rtt, more: String::new() })
}

/// The README's publisher: who asks for what it says hears it, and who asks for something else does not.
fn quick(bench: &Bench) -> Outcome {
    const COUNT: u64 = 100;
    let peer = Peer::start();
    let board = bench.boot("quick", &[])?;
    let start = Instant::now();
    let [socket, deaf] = ["temperature", "humidity"].map(|topic| {
        let socket = peer.socket("SUB");
        socket.subscribe(topic.as_bytes());
        socket.connect(&tcp(board.port));
        socket
    });
    let mut first = None;
    for _ in 0..COUNT {
        let parts = socket.recv_octets(WAIT).map_err(|refused| format!("no reading: {refused:?}"))?;
        ensure(parts == [b"temperature 21"], format!("heard {parts:?}"))?;
        first.get_or_insert_with(|| start.elapsed());
    }
    ensure(deaf.recv_octets(Duration::ZERO).is_err(), "heard what nobody asked for")?;
    peer.kill();
    let lines = board.end()?;
    let told = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
    ensure(told("HandshakeSucceeded") == 2 && told("Closed(EndOfStream)") > 0, "the log does not tell of the peers")?;
    Ok(Figures { messages: COUNT, rtt: first.unwrap_or_default(), more: String::new() })
}

/// Gives one command again and again until it has been applied: a publisher's messages before the subscription are lost.
fn first_command(publisher: &Socket<'_>, board: &Board, number: u32) -> Result<(), Box<dyn Error>> {
    let text = format!("lamp/{number:08}");
    let until = Instant::now() + WAIT;
    while Instant::now() < until {
        publisher.send(&[Part::from(&text)], WAIT).map_err(|refused| format!("{refused:?}"))?;
        while let Some(line) = board.line(Duration::from_millis(50)) {
            if line.contains(&format!("applied {number}")) {
                return Ok(());
            }
        }
    }
    Err(format!("{text} was never applied").into())
}

/// A publisher's commands, and what nobody asked for among them; then another publisher in the place of the first.
fn actuator(bench: &Bench) -> Outcome {
    let (mut messages, mut times) = (0, Vec::new());
    let port = free_port()?;
    let board = bench.boot("actuator", &["actuator", &port.to_string()])?;
    for life in 1..=2 {
        // The board has begun to connect before anybody listens.
        let peer = Peer::start();
        let publisher = peer.socket("PUB");
        publisher.bind(&tcp(port));
        first_command(&publisher, &board, life * 1000)?;
        // What was sent in vain until then may yet be applied: from here on each command has its own line.
        while board.line(Duration::from_millis(200)).is_some() {}
        for number in life * 1000 + 1..=life * 1000 + 50 {
            let start = Instant::now();
            for topic in ["motor", "lamp"] {
                let command = format!("{topic}/{number:08}");
                publisher.send(&[Part::from(&command)], WAIT).map_err(|refused| format!("{refused:?}"))?;
            }
            let line = board.line(WAIT).ok_or("a command is not applied")?;
            ensure(line.contains(&format!("applied {number}")), format!("{line} instead of {number}"))?;
            times.push(start.elapsed());
            messages += 1;
        }
        if life == 2 {
            publisher.send(&[Part::from("system/halt")], WAIT).map_err(|refused| format!("{refused:?}"))?;
            board.await_line("halt after", WAIT)?;
        }
        peer.kill();
    }
    board.end()?;
    Ok(Figures { messages, rtt: median(times), more: String::new() })
}

/// Two REQs and a DEALER ask the board at once, while the board asks the host.
fn rpc(bench: &Bench) -> Outcome {
    const QUESTIONS: u64 = 200;
    let (clients, server) = (Peer::start(), Peer::start());
    let rep = server.socket("REP");
    let port = rep.bind("tcp://127.0.0.1:*");
    let port = port.rsplit(':').next().ok_or("no port")?.to_owned();
    let board = bench.boot("rpc", &["rpc", &port, &QUESTIONS.to_string()])?;
    board.await_line("rpc: bound", WAIT)?;
    let sockets = ["REQ", "REQ", "DEALER"].map(|socket_type| {
        let socket = clients.socket(socket_type);
        socket.connect(&tcp(board.port));
        (socket, socket_type == "DEALER")
    });
    let ask = |(socket, dealer): &(Socket<'_>, bool), text: &str| {
        let parts = [Part::from(""), Part::from(text)];
        socket.send(&parts[usize::from(!dealer)..], WAIT).map_err(|refused| format!("{refused:?}"))
    };
    let answer = |(socket, dealer): &(Socket<'_>, bool), text: &str| {
        let parts = socket.recv_octets(WAIT).map_err(|refused| format!("no answer: {refused:?}"))?;
        let expected: Vec<u8> = text.bytes().map(|octet| octet + 1).collect();
        let right = parts.last() == Some(&expected) && parts.len() == 1 + usize::from(*dealer);
        if right { Ok(()) } else { Err(format!("{parts:?} to {text}")) }
    };
    thread::scope(|scope| {
        let served = scope.spawn(|| {
            for number in 1..=QUESTIONS {
                let asked = rep.recv_octets(WAIT).map_err(|refused| format!("no question: {refused:?}"))?;
                if asked != [format!("question {number:08}").into_bytes()] {
                    return Err(format!("asked {asked:?} as question {number}"));
                }
                let answer = format!("answer {number:08}");
                rep.send(&[Part::from(&answer)], WAIT).map_err(|refused| format!("{refused:?}"))?;
            }
            Ok(())
        });
        let mut messages = 0;
        for round in 0..100 {
            let texts = [0, 1, 2].map(|who| format!("round {round} of {who}"));
            sockets.iter().zip(&texts).try_for_each(|(socket, text)| ask(socket, text))?;
            sockets.iter().zip(&texts).try_for_each(|(socket, text)| answer(socket, text))?;
            messages += 3;
        }
        let mut times = Vec::new();
        for number in 0..200 {
            let (start, text) = (Instant::now(), format!("ping {number}"));
            ask(&sockets[0], &text)?;
            answer(&sockets[0], &text)?;
            times.push(start.elapsed());
            messages += 1;
        }
        served.join().map_err(|_| "the host's REP panicked")??;
        ask(&sockets[0], "halt")?;
        answer(&sockets[0], "halt")?;
        board.end()?;
        Ok(Figures { messages: messages + QUESTIONS + 1, rtt: median(times), more: String::new() })
    })
}

/// Ten thousand messages in and out; the host stops reading for two seconds.
fn pipeline(bench: &Bench) -> Outcome {
    const COUNT: u64 = 10_000;
    const PINGS: u64 = 200;
    let (source, sink) = (Peer::start(), Peer::start());
    let narrow: [(&str, i64); 2] = [("RCVHWM", 1), ("RCVBUF", 4096)];
    let pull = sink.socket_with("PULL", &narrow);
    let port = pull.bind("tcp://127.0.0.1:*");
    let port = port.rsplit(':').next().ok_or("no port")?.to_owned();
    let board = bench.boot("pipeline", &["pipeline", &port, &COUNT.to_string()])?;
    board.await_line("pipeline: bound", WAIT)?;
    let push = source.socket_with("PUSH", &[("SNDHWM", 1), ("SNDBUF", 4096)]);
    push.connect(&tcp(board.port));
    let mut times = Vec::new();
    for number in 0..PINGS {
        let start = Instant::now();
        ensure(push.send_varied(number, 1, WAIT) == 1, "a message is not taken")?;
        ensure(pull.recv_varied(number, 1, WAIT) == 1, "a message does not come back")?;
        times.push(start.elapsed());
    }
    thread::scope(|scope| {
        let sent = scope.spawn(|| push.send_varied(PINGS, COUNT - PINGS, Duration::from_secs(30)));
        // What the host's kernel and QEMU take in meanwhile is about half of what there is.
        thread::sleep(Duration::from_secs(2));
        let came = pull.recv_varied(PINGS, COUNT - PINGS, WAIT);
        ensure(came == COUNT - PINGS, format!("{came} messages came after the stall"))?;
        let sent = sent.join().map_err(|_| "the host's PUSH panicked")?;
        ensure(sent == COUNT - PINGS, format!("{sent} messages were taken"))
    })?;
    let lines = board.end()?;
    ensure(lines.iter().any(|line| line.contains("held back")), "the board was never held back")?;
    let stacks =
        lines.iter().filter(|line| line.contains("passed")).filter_map(|line| line.rsplit(' ').next()?.parse().ok());
    let stacks: Vec<u64> = stacks.collect();
    let [_, before, .., after] = stacks[..] else { return Err(format!("stack: {stacks:?}").into()) };
    // All else is static. The clock's interrupt may come at the deepest point, and takes its frame there.
    ensure(after <= before + 128, format!("the stall cost stack: {stacks:?}"))?;
    let more = format!(" stack={after}");
    Ok(Figures { messages: COUNT, rtt: median(times), more })
}

/// Four dealers with names of their own: each gets its own messages back, under its own name.
fn router(bench: &Bench) -> Outcome {
    let peer = Peer::start();
    let board = bench.boot("router", &["router"])?;
    board.await_line("router: bound", WAIT)?;
    let names = ["alpha", "beta", "gamma", "delta"];
    let dealers = names.map(|name| {
        let socket = peer.socket("DEALER");
        socket.set_octets("ROUTING_ID", name.as_bytes());
        socket.connect(&tcp(board.port));
        socket
    });
    let (mut messages, mut times) = (0, Vec::new());
    for round in 0..100 {
        let start = Instant::now();
        for (dealer, name) in dealers.iter().zip(names) {
            let text = format!(" {round} from {name}");
            dealer.send(&[Part::from(&text)], WAIT).map_err(|refused| format!("{refused:?}"))?;
        }
        for (dealer, name) in dealers.iter().zip(names) {
            let parts = dealer.recv_octets(WAIT).map_err(|refused| format!("no answer: {refused:?}"))?;
            ensure(parts == [format!("{name} {round} from {name}").into_bytes()], format!("{parts:?} to {name}"))?;
            messages += 1;
        }
        times.push(start.elapsed() / 4);
    }
    dealers[0].send(&[Part::from("halt")], WAIT).map_err(|refused| format!("{refused:?}"))?;
    let lines = board.end()?;
    ensure(lines.iter().any(|line| line.contains("answered 400 peers 4")), "not all were answered, or not all were there")?;
    Ok(Figures { messages, rtt: median(times), more: String::new() })
}

/// Bare TCP, which the other roles are measured against: what is said comes back.
fn echo(bench: &Bench) -> Outcome {
    let board = bench.boot("echo", &["echo"])?;
    board.await_line("echo: bound", WAIT)?;
    let mut stream = TcpStream::connect(("127.0.0.1", board.port))?;
    stream.set_read_timeout(Some(WAIT))?;
    let mut times = Vec::new();
    for number in 0..=255 {
        let start = Instant::now();
        stream.write_all(&[number; 64])?;
        let mut answer = [0; 64];
        stream.read_exact(&mut answer)?;
        ensure(answer == [number; 64], format!("{answer:?} came back to {number}"))?;
        times.push(start.elapsed());
    }
    drop(stream);
    board.end()?;
    Ok(Figures { messages: times.len() as u64, rtt: median(times), more: String::new() })
}

/// The figure after `name` in the line that begins a report.
fn figure(lines: &[String], name: &str) -> Result<f64, Box<dyn Error>> {
    let (_, rest) = lines.iter().find_map(|line| line.split_once(name)).ok_or(format!("no {name} in {lines:?}"))?;
    Ok(rest.split(' ').next().unwrap_or_default().parse()?)
}

/// As many messages of 64 octets as will go, beside a bare TCP stream of the same frames, in instructions of the board. It
/// counts on while it waits for a host that is late: of three turns of each the best counts.
fn flood(bench: &Bench) -> Outcome {
    const COUNT: u64 = 20_000;
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let board = bench.boot_counting("echo", &["pour", &COUNT.to_string()])?;
        board.await_line("echo: bound", WAIT)?;
        let mut octets = Vec::new();
        TcpStream::connect(("127.0.0.1", board.port))?.read_to_end(&mut octets)?;
        ensure(octets.len() as u64 == COUNT * 66, format!("{} octets of the bare stream", octets.len()))?;
        bare.push(figure(&board.end()?, "us=")?);

        let peer = Peer::start();
        let board = bench.boot_counting("flood", &["telemetry", &COUNT.to_string()])?;
        board.await_line("telemetry: bound", WAIT)?;
        let socket = peer.socket_with("SUB", &[("RCVHWM", 0)]);
        socket.subscribe(b"");
        socket.connect(&tcp(board.port));
        let came = socket.recv_many(COUNT, WAIT);
        ensure(came == [(0, COUNT)], format!("the flood came as {came:?}"))?;
        ours.push(figure(&board.end()?, "us=")?);
    }
    let best = |times: &[f64]| times.iter().copied().fold(f64::MAX, f64::min);
    let (bare, ours) = (best(&bare), best(&ours));
    let more = format!(
        " per_s={:.0} bare_per_s={:.0} ratio={:.2}",
        COUNT as f64 / ours * 1e6,
        COUNT as f64 / bare * 1e6,
        bare / ours
    );
    ensure(bare / ours >= 0.7, format!("slower than 0.7 of the bare stream:{more}"))?;
    Ok(Figures { messages: COUNT, rtt: Duration::from_micros((ours / COUNT as f64) as u64), more })
}
