//! A publisher of prices and three subscribers, over epgm on loopback, with a live view of rate, repairs and gaps.
//!
//! `cargo run --release --bin multicast_ticker [-- SECONDS]`
//!
//! The third subscriber has a receive buffer of a few packets, so that it loses what comes in bursts: its losses are real,
//! and repaired. Every subscriber checks that the numbers of the ticks it gets leave out no more than its gaps say.

use anyhow::{Context as _, Result, ensure};
use omnimq::{Context, Error, Pub, SocketOptions, Sub};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const ENDPOINT: &str = "epgm://lo;239.192.7.7:7788";
const SYMBOLS: [&str; 4] = ["ACME", "GLOBEX", "INITECH", "UMBRELLA"];
/// Ticks that leave together, and how often.
const BURST: u64 = 400;
const EVERY: Duration = Duration::from_millis(10);
/// Ticks that a lost packet touches at most: it holds 1448 octets, and a tick has 15 or more with its header.
const IN_PACKET: u64 = 100;
/// The number that ends a subscriber.
const END: u64 = u64::MAX;

/// What a subscriber shows of itself.
#[derive(Default)]
struct Seen {
    ticks: AtomicU64,
    skipped: AtomicU64,
    repaired: AtomicU64,
    lost: AtomicU64,
}

fn options(recv_buffer: Option<usize>) -> SocketOptions {
    let mut options = SocketOptions::default();
    (options.recv_buffer, options.linger) = (recv_buffer, Some(Duration::from_secs(1)));
    (options.multicast.rate, options.multicast.recovery, options.multicast.loopback) = (200_000, 2_000, true);
    // One packet at a time: what the small buffer has no room for is a packet, not a unit of many.
    options.multicast.offload = false;
    // The publisher waits for room instead of leaving ticks out.
    options.pattern.nodrop = true;
    options
}

/// Ticks are text: symbol, number, price.
fn tick(number: u64) -> String {
    let symbol = SYMBOLS[(number % 4) as usize];
    format!("{symbol} {number} {}.{:02}", 100 + number % 50, number % 100)
}

fn number(tick: &[u8]) -> Result<u64> {
    let text = std::str::from_utf8(tick)?;
    text.split(' ').nth(1).and_then(|number| number.parse().ok()).with_context(|| format!("no tick: {text}"))
}

fn subscribe(mut sub: Sub, seen: &Seen) -> Result<()> {
    let mut next = None;
    loop {
        match sub.recv_timeout(Duration::from_millis(100)) {
            Ok(message) => {
                let number = number(message.bytes())?;
                if number == END {
                    return Ok(());
                }
                let expected = next.unwrap_or(number);
                ensure!(number >= expected, "{number} after {expected}: twice or out of order");
                seen.skipped.fetch_add(number - expected, Ordering::Relaxed);
                seen.ticks.fetch_add(1, Ordering::Relaxed);
                next = Some(number + 1);
            }
            Err(Error::WouldBlock) => {}
            Err(Error::Terminated) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        seen.repaired.store(sub.repaired_packets(), Ordering::Relaxed);
        seen.lost.store(sub.lost_packets(), Ordering::Relaxed);
    }
}

fn publish(mut publisher: Pub, done: &AtomicBool) -> Result<u64> {
    let (mut number, start) = (0, Instant::now());
    while !done.load(Ordering::Relaxed) {
        for _ in 0..BURST {
            publisher.send(tick(number).as_str())?;
            number += 1;
        }
        let due = EVERY * u32::try_from(number / BURST)?;
        std::thread::sleep(due.saturating_sub(start.elapsed()));
    }
    publisher.send(format!("END {END} 0").as_str())?;
    Ok(number)
}

fn main() -> Result<()> {
    let seconds = std::env::args().nth(1).map_or(Ok(5), |text| text.parse()).context("how many seconds?")?;
    let context = Context::new()?;
    let mut subscribers = Vec::new();
    for recv_buffer in [None, None, Some(4096)] {
        let mut sub = Sub::with(&context, options(recv_buffer))?;
        sub.subscribe("")?;
        sub.connect(ENDPOINT)?;
        let seen = Arc::new(Seen::default());
        let shown = seen.clone();
        subscribers.push((seen, std::thread::spawn(move || subscribe(sub, &shown))));
    }
    let mut publisher = Pub::with(&context, options(None))?;
    publisher.bind(ENDPOINT)?;
    let done = Arc::new(AtomicBool::new(false));
    let ends = done.clone();
    let publishing = std::thread::spawn(move || publish(publisher, &ends));

    let mut before = [0; 3];
    for second in 1..=seconds {
        std::thread::sleep(Duration::from_secs(1));
        let shown: Vec<String> = subscribers.iter().zip(&mut before).map(|((seen, _), before)| show(seen, before)).collect();
        println!("{second:>3} s | {}", shown.join(" | "));
    }
    done.store(true, Ordering::Relaxed);
    let sent = publishing.join().expect("the publisher panicked")?;
    let mut told = format!("ticker: sent={sent}");
    for (n, (seen, thread)) in subscribers.into_iter().enumerate() {
        thread.join().expect("a subscriber panicked")?;
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let (ticks, skipped, lost) = (read(&seen.ticks), read(&seen.skipped), read(&seen.lost));
        ensure!(skipped <= lost * IN_PACKET, "subscriber {n} missed {skipped} ticks and was told of {lost} lost packets");
        told += &format!(" received_{n}={ticks} repaired_{n}={} lost_{n}={lost}", read(&seen.repaired));
    }
    println!("{told}");
    Ok(())
}

/// A subscriber's column: ticks in the last second, repairs and losses in all.
fn show(seen: &Seen, before: &mut u64) -> String {
    let ticks = seen.ticks.load(Ordering::Relaxed);
    let rate = ticks - std::mem::replace(before, ticks);
    let (repaired, lost) = (seen.repaired.load(Ordering::Relaxed), seen.lost.load(Ordering::Relaxed));
    format!("{rate:>7} ticks/s {repaired:>6} repaired {lost:>4} lost")
}
