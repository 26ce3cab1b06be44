//! Work for workers by name: a ROUTER and DEALERs with routing ids.
//!
//! Teaches: a peer may say who it is with `routing_id`; a ROUTER receives with the sender's id in front, and sends to whom
//! the first frame names. With `mandatory` it says when there is nobody of that name, and the message comes back; without,
//! such a message is dropped.
//!
//! Run: `cargo run --bin identity`

use anyhow::{Result, bail};
use omnimq::{Context, Dealer, Error, Router, SendError, SocketOptions};
use std::collections::BTreeMap;
use std::thread;

/// Says that it is there, then does whatever it is told until it is told to go home.
fn worker(mut dealer: Dealer) -> Result<()> {
    dealer.send("ready")?;
    loop {
        let task = dealer.recv()?;
        match std::str::from_utf8(task.bytes())? {
            "go home" => return Ok(()),
            task => dealer.send(format!("done: {task}"))?,
        }
    }
}

fn main() -> Result<()> {
    let context = Context::new()?;
    let mut options = SocketOptions::default();
    options.pattern.mandatory = true;
    let mut router = Router::with(&context, options)?;
    let endpoint = router.bind("tcp://127.0.0.1:*")?;

    let tasks = BTreeMap::from([("amy", "paint the door"), ("bob", "mend the roof"), ("eve", "listen")]);
    let mut workers = Vec::new();
    for name in tasks.keys() {
        let mut options = SocketOptions::default();
        options.routing_id = name.as_bytes().into();
        let mut dealer = Dealer::with(&context, options)?;
        dealer.connect(&endpoint)?;
        workers.push(thread::spawn(move || worker(dealer)));
    }

    // A ROUTER knows a name from when its peer has connected: so wait until all have said something.
    let mut answers = BTreeMap::new();
    for _ in &tasks {
        router.recv()?;
    }
    for (name, task) in &tasks {
        router.send([*name, *task])?;
    }
    for _ in &tasks {
        let answer = router.recv()?;
        let [name, done] = answer.frames() else { bail!("an answer has two frames") };
        answers.insert(String::from_utf8_lossy(name).into_owned(), String::from_utf8_lossy(done).into_owned());
        router.send([&name[..], b"go home"])?;
    }
    for (name, answer) in answers {
        println!("{name}: {answer}");
    }

    match router.send(["zoe".to_string(), "wake up".to_string()]) {
        Err(SendError { error: Error::Unroutable, message: [name, _] }) => println!("nobody is called {name}"),
        other => bail!("zoe is not there, but: {other:?}"),
    }
    workers.into_iter().try_for_each(|worker| worker.join().expect("a worker panicked"))
}
