//! A multicast session that has nothing to do costs nothing. A program of its own, for it counts what the I/O thread does,
//! of which there is one at a time.
#![cfg(all(feature = "pgm", target_os = "linux"))]

use omnimq::{Context, SocketOptions, SocketType};
use omnimq_pgm::Sqn;
use omnimq_pgm::wire::{Content, Flags, Nak, OptionBuffer, Packet};
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Mutex;
use std::time::Duration;

const GROUP: Ipv4Addr = Ipv4Addr::new(239, 192, 7, 8);

/// Held by a test that counts.
static ALONE: Mutex<()> = Mutex::new(());

/// What the kernel tells in `file` of the I/O thread, whose name it gives as `name`.
fn told(file: &str, name: &str) -> String {
    let of = |path: &std::path::Path| std::fs::read_to_string(path.join(file)).unwrap_or_default();
    let threads = std::fs::read_dir("/proc/self/task").unwrap().map(|entry| of(&entry.unwrap().path()));
    let mut io: Vec<String> = threads.filter(|told| told.contains(name)).collect();
    assert_eq!(io.len(), 1, "one I/O thread");
    io.remove(0)
}

/// Context switches, voluntary and not, of the I/O thread.
fn switches() -> u64 {
    let status = told("status", "Name:\tomnimq-io");
    let counts = status.lines().filter(|line| line.contains("voluntary_ctxt_switches"));
    counts.map(|line| line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()).sum()
}

/// Clock ticks, of 10 ms, that the I/O thread has run.
fn ticks() -> u64 {
    let stat = told("stat", "(omnimq-io");
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    // utime and stime of proc(5), counted from the state.
    fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

fn options() -> SocketOptions {
    let mut options = SocketOptions::default();
    options.multicast.loopback = true;
    options
}

/// Heartbeats come 2.5 and 5.1 s after the last data, then ever more seldom. From 2.8 s on there is one, sent and received.
#[test]
fn a_session_at_rest_costs_no_context_switch_but_for_its_heartbeat() {
    let _alone = ALONE.lock();
    let context = Context::new().unwrap();
    let mut subscriber = context.socket_with(SocketType::Sub, options()).unwrap();
    subscriber.subscribe(b"").unwrap();
    subscriber.connect("epgm://lo;239.192.7.8:17520").unwrap();
    let mut publisher = context.socket_with(SocketType::Pub, options()).unwrap();
    publisher.connect("epgm://lo;239.192.7.8:17520").unwrap();
    publisher.send("one").unwrap();
    assert_eq!(subscriber.recv().unwrap().bytes(), b"one");
    std::thread::sleep(Duration::from_millis(2800));
    let before = switches();
    std::thread::sleep(Duration::from_secs(3));
    let cost = switches() - before;
    assert!(cost <= 8, "{cost} context switches in three seconds");
}

/// A publisher that has said its end has repairs to send, as fast as its rate lets it: eight packets take a third of a second.
#[test]
fn a_publisher_at_its_end_rests_between_repairs() {
    let _alone = ALONE.lock();
    let (port, mut options) = (17521, options());
    let witness = UdpSocket::bind((GROUP, port)).unwrap();
    witness.join_multicast_v4(&GROUP, &Ipv4Addr::LOCALHOST).unwrap();
    let context = Context::new().unwrap();
    options.multicast.rate = 160;
    let mut publisher = context.socket_with(SocketType::Pub, options).unwrap();
    publisher.connect(&format!("epgm://lo;{GROUP}:{port}")).unwrap();
    (0..8).for_each(|_| publisher.send([7; 1400].as_slice()).unwrap());
    let mut octets = [0; 2048];
    let tsi = loop {
        let len = witness.recv(&mut octets).unwrap();
        let packet = Packet::parse(&octets[..len]).unwrap();
        if matches!(packet.content, Content::Odata(data) if data.sqn == Sqn(6)) {
            break packet.downstream();
        }
    };
    let mut options = OptionBuffer::new();
    options.push_list(&[1, 2, 3, 4, 5, 6].map(Sqn)).unwrap();
    let nak = Nak { sqn: Sqn(0), source: Ipv4Addr::LOCALHOST.into(), group: GROUP.into(), options: options.options() };
    let (content, flags) = (Content::Nak(nak), Flags::SIGNIFICANT);
    let len =
        Packet { source_port: port, destination_port: tsi.port, gsi: tsi.gsi, flags, content }.emit(&mut octets).unwrap();
    let asks = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    asks.send_to(&octets[..len], (Ipv4Addr::LOCALHOST, port)).unwrap();
    let before = ticks();
    drop(publisher);
    loop {
        let len = witness.recv(&mut octets).unwrap();
        match Packet::parse(&octets[..len]).unwrap().content {
            Content::Rdata(data) if data.sqn == Sqn(6) => break,
            _ => {}
        }
    }
    let cost = ticks() - before;
    assert!(cost < 5, "{cost} ticks for seven repairs");
}
