//! PUSH and PULL: numbers dealt to workers in turn, squares collected. `cargo run --bin pipeline`

use anyhow::{Context as _, Result};
use omnimq::{Context, Error, Pull, Push};

const WORKERS: u64 = 3;
const NUMBERS: u64 = 1000;

/// Squares what comes, until the context ends.
fn work(mut pull: Pull, mut push: Push) -> Result<()> {
    loop {
        match pull.recv() {
            Ok(message) => push.send(&square(message.bytes())?.to_le_bytes())?,
            Err(Error::Terminated) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn number(octets: &[u8]) -> Result<u64> {
    Ok(u64::from_le_bytes(octets.try_into().context("a number has eight octets")?))
}

fn square(octets: &[u8]) -> Result<u64> {
    number(octets).map(|number| number * number)
}

fn main() -> Result<()> {
    let context = Context::new()?;
    let (mut deal, mut collect) = (Push::new(&context)?, Pull::new(&context)?);
    let (from, to) = (deal.bind("tcp://127.0.0.1:*")?, collect.bind("tcp://127.0.0.1:*")?);
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        let (mut pull, mut push) = (Pull::new(&context)?, Push::new(&context)?);
        pull.connect(&from)?;
        push.connect(&to)?;
        workers.push(std::thread::spawn(move || work(pull, push)));
    }

    for number in 1..=NUMBERS {
        deal.send(&number.to_le_bytes())?;
    }
    let mut sum = 0;
    for _ in 0..NUMBERS {
        sum += number(collect.recv()?.bytes())?;
    }
    println!("the sum of the first {NUMBERS} squares is {sum}");
    context.shutdown();
    workers.into_iter().try_for_each(|worker| worker.join().expect("a worker panicked"))
}
