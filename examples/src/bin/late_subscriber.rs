//! A subscriber that comes late and misses nothing: PUB and SUB for changes, REQ and REP for the state they change.
//!
//! Teaches: a subscription takes effect some time after `subscribe` returns, and what was published before is gone. So the
//! latecomer first waits until it hears a change: from there on it will hear all. Then it asks for the state, which says the
//! number of the last change in it. Then it applies the changes after that one, and drops those before.
//!
//! Run: `cargo run --bin late_subscriber`

use anyhow::{Context as _, Result, ensure};
use omnimq::{Context, Error, Frame, Message, Pub, Rep, Req, Sub};
use std::thread;
use std::time::Duration;

const ITEMS: usize = 5;

/// The price of each item. Change `n`, counted from 1, sets that of item `n % ITEMS` to `n * n`.
#[derive(Default)]
struct Prices {
    changes: u64,
    prices: [u64; ITEMS],
}

impl Prices {
    fn change(&mut self, n: u64) {
        (self.changes, self.prices[n as usize % ITEMS]) = (n, n * n);
    }
    /// The number of the last change, and all prices.
    fn snapshot(&self) -> Message {
        let numbers = std::iter::once(&self.changes).chain(&self.prices);
        Message::from_frames(numbers.map(|number| Frame::from(&number.to_le_bytes()[..])).collect())
    }
    fn restore(snapshot: &Message) -> Result<Self> {
        ensure!(snapshot.len() == 1 + ITEMS, "a snapshot of {} frames", snapshot.len());
        let mut restored = Self { changes: number(&snapshot[0])?, ..Self::default() };
        for (price, frame) in restored.prices.iter_mut().zip(&snapshot[1..]) {
            *price = number(frame)?;
        }
        Ok(restored)
    }
}

fn number(octets: &[u8]) -> Result<u64> {
    Ok(u64::from_le_bytes(octets.try_into().context("a number has eight octets")?))
}

/// Changes a price every millisecond and tells it; in between, shows all prices to those who ask. Until the context ends.
fn keep(mut publisher: Pub, mut rep: Rep) -> Result<(), Error> {
    let mut prices = Prices::default();
    (1..=100).for_each(|n| prices.change(n)); // long before anybody listened
    loop {
        match rep.recv_timeout(Duration::from_millis(1)) {
            Ok(_) => rep.send(prices.snapshot())?,
            Err(Error::WouldBlock) => {
                prices.change(prices.changes + 1);
                publisher.send(&prices.changes.to_le_bytes())?;
            }
            Err(error) => return Err(error),
        }
    }
}

fn follow(mut sub: Sub, mut req: Req) -> Result<()> {
    sub.subscribe("")?;
    let first = number(sub.recv()?.bytes())?; // from here on every change is heard
    println!("came too late for the first 100 changes: {}", first > 100);

    req.send("prices")?;
    let mut prices = Prices::restore(&req.recv()?)?;
    println!("the snapshot has what was missed: {}", prices.changes >= first);

    let end = prices.changes + 50;
    while prices.changes < end {
        let n = number(sub.recv()?.bytes())?;
        if n > prices.changes {
            ensure!(n == prices.changes + 1, "change {n} after {}", prices.changes);
            prices.change(n);
        }
    }
    let mut expected = Prices::default();
    (1..=end).for_each(|n| expected.change(n));
    println!("50 changes later every price is right: {}", prices.prices == expected.prices);
    Ok(())
}

fn main() -> Result<()> {
    let context = Context::new()?;
    let (mut publisher, mut rep) = (Pub::new(&context)?, Rep::new(&context)?);
    let changes = publisher.bind("tcp://127.0.0.1:*")?;
    let state = rep.bind("tcp://127.0.0.1:*")?;
    let keeper = thread::spawn(move || keep(publisher, rep));

    let (mut sub, mut req) = (Sub::new(&context)?, Req::new(&context)?);
    sub.connect(&changes)?;
    req.connect(&state)?;
    follow(sub, req)?;
    context.shutdown();
    match keeper.join().expect("the keeper panicked") {
        Err(Error::Terminated) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
