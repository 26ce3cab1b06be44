//! Work dealt to whoever has room, results collected: PUSH and PULL.
//!
//! Teaches: a ventilator, workers and a sink; PUSH deals to its peers in turn and waits when all are full, so a slow worker
//! holds up nobody else; PULL takes from its peers fairly. The end of the context is what ends the workers.
//!
//! Run: `cargo run --bin pipeline`

use anyhow::{Context as _, Result};
use omnimq::{Context, Error, Pull, Push};
use std::thread;

const WORKERS: u64 = 3;
const NUMBERS: u64 = 1000;

/// Deals out the numbers. What is still on its way when the socket is dropped arrives nevertheless.
fn ventilate(mut push: Push) -> Result<()> {
    for number in 1..=NUMBERS {
        push.send(&number.to_le_bytes())?;
    }
    Ok(())
}

/// Squares what comes, until the context ends.
fn work(mut pull: Pull, mut push: Push) -> Result<()> {
    loop {
        match pull.recv() {
            Ok(message) => push.send(&number(message.bytes())?.pow(2).to_le_bytes())?,
            Err(Error::Terminated) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn number(octets: &[u8]) -> Result<u64> {
    Ok(u64::from_le_bytes(octets.try_into().context("a number has eight octets")?))
}

fn main() -> Result<()> {
    let context = Context::new()?;
    let (mut ventilator, mut sink) = (Push::new(&context)?, Pull::new(&context)?);
    let (from, to) = (ventilator.bind("tcp://127.0.0.1:*")?, sink.bind("tcp://127.0.0.1:*")?);

    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        let (mut pull, mut push) = (Pull::new(&context)?, Push::new(&context)?);
        pull.connect(&from)?;
        push.connect(&to)?;
        workers.push(thread::spawn(move || work(pull, push)));
    }
    let dealing = thread::spawn(move || ventilate(ventilator));

    let mut sum = 0;
    for _ in 0..NUMBERS {
        sum += number(sink.recv()?.bytes())?;
    }
    println!("the sum of the first {NUMBERS} squares is {sum}");

    dealing.join().expect("the ventilator panicked")?;
    context.shutdown();
    workers.into_iter().try_for_each(|worker| worker.join().expect("a worker panicked"))
}
