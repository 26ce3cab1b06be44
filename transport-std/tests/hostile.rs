//! Peers that break every rule, on a socket that serves a good one all the while.

mod support;

use omnimq::{Context, SocketType};
use std::io::Write as _;
use std::time::{Duration, Instant};
use support::*;

/// A request and its answer, before and after each outrage.
struct Good(Raw, u32);

impl Good {
    fn ask(&mut self) {
        let question = self.1.to_be_bytes();
        self.1 += 1;
        self.0.say(&[frame(1, b""), frame(0, &question)].concat());
        assert_eq!(self.0.frame().unwrap(), (1, vec![]));
        assert_eq!(self.0.frame().unwrap(), (0, question.to_vec()));
    }
}

fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// What is said after connecting, and whether the peer is to be thrown out for it; else it leaves by itself.
fn outrages() -> Vec<(&'static str, Vec<u8>, bool)> {
    let hello = [greeting(), ready("REQ")].concat();
    let after = |octets: &[u8]| [hello.clone(), octets.to_vec()].concat();
    let mut mechanism = greeting();
    mechanism[12..17].copy_from_slice(b"CURVE");
    let long = |flags: u8, len: u64| [&[flags][..], &len.to_be_bytes()].concat();
    let mut noise = Vec::new();
    let mut seed = 1u32;
    for _ in 0..10_000 {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise.push((seed >> 24) as u8);
    }
    vec![
        ("HTTP", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(), true),
        ("TLS", [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3][..], &[7; 600]].concat(), true),
        ("zeros", vec![0; 64 << 10], true),
        ("noise", noise.clone(), true),
        ("noise after the signature", [&greeting()[..10], &noise].concat(), true),
        ("noise after the greeting", [greeting(), noise.clone()].concat(), true),
        ("noise after READY", after(&[&[0x2F][..], &noise].concat()), true),
        ("another mechanism", mechanism, true),
        ("a greeting that is all", greeting(), false),
        ("half a greeting", greeting()[..20].to_vec(), false),
        ("nothing", Vec::new(), false),
        ("a message before READY", [greeting(), frame(0, b"early")].concat(), true),
        ("READY twice over", after(&ready("REQ")), false),
        ("a type that does not fit", [greeting(), ready("PUB")].concat(), true),
        ("a type there is not", [greeting(), ready("NOSUCH")].concat(), true),
        ("READY without a type", [greeting(), command("READY", b"")].concat(), true),
        ("READY of 2^44 octets", [greeting(), long(6, 1 << 44)].concat(), true),
        ("READY of torn properties", [greeting(), command("READY", b"\x0BSocket-Type\0\0\0\xFFREQ")].concat(), true),
        ("a command of 2^44 octets", after(&long(6, 1 << 44)), true),
        ("a frame of 2^44 octets that never come", after(&[&long(2, 1 << 44)[..], &[1; 1000]].concat()), false),
        ("a frame of 2^63 octets", after(&long(2, 1 << 63)), true),
        ("a frame of 2^64 - 1 octets", after(&long(2, u64::MAX)), true),
        ("an endless message", after(&[frame(1, b""), frame(1, &[2; 100]).repeat(2000)].concat()), false),
        ("ERROR", [greeting(), command("ERROR", b"\x05nope!")].concat(), true),
        ("questions that ask nothing", after(&frame(0, b"no delimiter").repeat(5000)), false),
    ]
}

#[test]
fn a_good_peer_notices_nothing() {
    let context = Context::new().unwrap();
    let mut options = patient();
    options.handshake = Some(Duration::from_millis(300));
    options.recv_timeout = None;
    let mut rep = context.socket_with(SocketType::Rep, options).unwrap();
    let endpoint = rep.bind(ANY).unwrap();
    let server = std::thread::spawn(move || {
        while let Ok(question) = rep.recv() {
            rep.send(question).unwrap();
        }
    });
    let mut good = Good(Raw::connect(&endpoint).shake("REQ").unwrap(), 0);
    good.ask();
    let before = resident();
    let mut left = Vec::new();
    for round in 0..3 {
        for (name, octets, thrown_out) in outrages() {
            let mut raw = Raw::connect(&endpoint);
            // It may be closed before all is said.
            let _ = raw.0.write_all(&octets);
            good.ask();
            if thrown_out {
                assert!(raw.closed_within(PATIENCE), "{name}");
            } else if round == 1 {
                // In the second round those that may stay do.
                left.push(raw);
            }
            good.ask();
        }
    }
    good.ask();
    assert!(resident() < before + (64 << 20), "{} KiB before, {} after", before >> 10, resident() >> 10);
    drop(left);
    good.ask();
    context.shutdown();
    bounded(move || server.join().unwrap());
    context.term_timeout(PATIENCE).unwrap();
}

/// Peers that keep silent are closed when the time for the handshake is over, and not before.
#[test]
fn silence_is_closed_in_time() {
    let context = Context::new().unwrap();
    let mut options = patient();
    options.handshake = Some(Duration::from_millis(200));
    let mut pull = context.socket_with(SocketType::Pull, options).unwrap();
    let endpoint = pull.bind(ANY).unwrap();
    for said in [0, 5, 10, 11, 20, 63, 64] {
        let start = Instant::now();
        let mut raw = Raw::connect(&endpoint);
        raw.say(&greeting()[..said]);
        assert!(raw.closed_within(PATIENCE));
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(195), "{said} octets: {took:?}");
        assert!(took < Duration::from_secs(2), "{said} octets: {took:?}");
    }
    // One that shook hands may be silent for longer.
    let mut raw = Raw::connect(&endpoint).shake("PUSH").unwrap();
    assert!(!raw.closed_within(Duration::from_millis(400)));
    raw.say(&frame(0, b"still here"));
    assert_eq!(pull.recv().unwrap().bytes(), b"still here");
}

/// Greetings arrive octet by octet.
#[test]
fn the_slowest_good_peer() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    let endpoint = pull.bind(ANY).unwrap();
    let mut raw = Raw::connect(&endpoint);
    for octet in [greeting(), ready("PUSH"), frame(1, b"part"), frame(0, b"end")].concat() {
        raw.say(&[octet]);
        std::thread::sleep(Duration::from_micros(300));
    }
    assert_eq!(frames(&pull.recv().unwrap()), [&b"part"[..], b"end"]);
}

/// A connecting socket whose server is no such thing tries again, with its back-off, and works when a real one comes.
#[test]
fn servers_that_are_none() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let mut push = socket(&context, SocketType::Push);
    push.connect(port.endpoint()).unwrap();
    push.send(b"patience").unwrap();
    let listener = port.listen();
    for said in [0, 5, 30, 64] {
        let mut raw = Raw::on(listener.accept().unwrap().0);
        raw.say(&greeting()[..said]);
    }
    let mut raw = Raw::on(listener.accept().unwrap().0).shake("PULL").unwrap();
    assert_eq!(raw.frame().unwrap().1, b"patience");
}
