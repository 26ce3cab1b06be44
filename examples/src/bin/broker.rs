//! Clients and workers that know nothing but the broker between them: REQ, ROUTER, DEALER and REP.
//!
//! Teaches: a ROUTER remembers who asked, a DEALER deals questions to workers in turn, and `proxy` passes messages between
//! the two, envelope and all. Clients and workers come and go while the broker's two addresses stay.
//!
//! Run: `cargo run --bin broker`

use anyhow::{Context as _, Result};
use omnimq::{Context, Dealer, Error, Rep, Req, Router, proxy};
use std::thread;

/// Passes questions to workers and answers back to those who asked, until the context ends.
fn broker(clients: Router, workers: Dealer) -> Result<()> {
    match proxy(&mut clients.into_socket(), &mut workers.into_socket(), None) {
        Err(Error::Terminated) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Answers products for sums, until the context ends.
fn worker(mut rep: Rep) -> Result<()> {
    loop {
        match rep.recv() {
            Ok(question) => rep.send(product(std::str::from_utf8(question.bytes())?)?.to_string())?,
            Err(Error::Terminated) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn product(question: &str) -> Result<u64> {
    let (one, other) = question.split_once('×').context("a question is two numbers with × between them")?;
    Ok(one.parse::<u64>()? * other.parse::<u64>()?)
}

/// Asks for a row of the table.
fn client(mut req: Req, row: u64) -> Result<String> {
    let mut answers = Vec::new();
    for column in 1..=9 {
        req.send(format!("{row}×{column}"))?;
        answers.push(format!("{:>2}", String::from_utf8_lossy(req.recv()?.bytes())));
    }
    Ok(answers.join(" "))
}

fn main() -> Result<()> {
    let context = Context::new()?;
    let (mut front, mut back) = (Router::new(&context)?, Dealer::new(&context)?);
    let for_clients = front.bind("tcp://127.0.0.1:*")?;
    let for_workers = back.bind("tcp://127.0.0.1:*")?;
    let mut servants = vec![thread::spawn(move || broker(front, back))];

    for _ in 0..3 {
        let mut rep = Rep::new(&context)?;
        rep.connect(&for_workers)?;
        servants.push(thread::spawn(move || worker(rep)));
    }
    let mut clients = Vec::new();
    for row in 1..=9 {
        let mut req = Req::new(&context)?;
        req.connect(&for_clients)?;
        clients.push(thread::spawn(move || client(req, row)));
    }
    for client in clients {
        println!("{}", client.join().expect("a client panicked")?);
    }
    context.shutdown();
    servants.into_iter().try_for_each(|servant| servant.join().expect("a servant panicked"))
}
