//! Readings for everybody, each of whom hears what it asked for: PUB and SUB.
//!
//! Teaches: topics are prefixes of the first frame; a message of two frames keeps topic and body apart; a publisher never
//! waits, it leaves out whoever has not subscribed yet or has no room. A subscriber that must not miss the beginning:
//! see `late_subscriber`.
//!
//! Run: `cargo run --bin weather`

use anyhow::{Context as _, Result};
use omnimq::{Context, Error, Pub, Sub};
use std::thread;
use std::time::Duration;

const STATIONS: [(&str, i64); 4] = [("europe.oslo", 4), ("europe.rome", 16), ("africa.lagos", 28), ("africa.cairo", 24)];

/// Degrees at this hour: the warmest is at noon, and every day is alike.
fn degrees(mean: i64, hour: i64) -> i64 {
    mean + 6 - (hour % 24 - 12).abs()
}

/// Publishes every station's reading, hour after hour, until the context ends.
fn publish(mut publisher: Pub) -> Result<()> {
    for hour in 0.. {
        for (station, mean) in STATIONS {
            match publisher.send([station, &degrees(mean, hour).to_string()]).map_err(Error::from) {
                Ok(()) => {}
                Err(Error::Terminated) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        thread::sleep(Duration::from_millis(1)); // an hour
    }
    Ok(())
}

/// Listens for a day to all stations whose names begin with `region`: how many there are, coldest and warmest reading.
fn listen(mut sub: Sub, region: &str) -> Result<String> {
    let stations = STATIONS.iter().filter(|(station, _)| station.starts_with(region)).count();
    sub.subscribe(region)?;
    let mut readings = Vec::new();
    for _ in 0..24 * stations {
        let message = sub.recv()?;
        let [station, degrees] = message.frames() else { anyhow::bail!("a reading has two frames") };
        assert!(station.starts_with(region.as_bytes()), "nobody asked for {message:?}");
        readings.push(std::str::from_utf8(degrees)?.parse::<i64>()?);
    }
    let (coldest, warmest) = (readings.iter().min(), readings.iter().max());
    Ok(format!("{region}: {stations} stations, {} to {} degrees", coldest.context("none")?, warmest.context("none")?))
}

fn main() -> Result<()> {
    let context = Context::new()?;
    let mut publisher = Pub::new(&context)?;
    let endpoint = publisher.bind("tcp://127.0.0.1:*")?;
    let publishing = thread::spawn(move || publish(publisher));

    let mut listeners = Vec::new();
    for region in ["europe.", "africa.", "africa.cairo"] {
        let mut sub = Sub::new(&context)?;
        sub.connect(&endpoint)?;
        listeners.push(thread::spawn(move || listen(sub, region)));
    }
    for listener in listeners {
        println!("{}", listener.join().expect("a listener panicked")?);
    }
    context.shutdown();
    publishing.join().expect("the publisher panicked")
}
