//! One thread for many sockets, and for a descriptor that is none of ours: `Poller`.
//!
//! Teaches: a poller is told of each socket once; a wait costs as much as what has come, not as what is waited for. What has
//! come is told of until it is taken. On Linux it waits for descriptors too.
//!
//! Run: `cargo run --bin polling`

use anyhow::{Context as _, Result};
use omnimq::{Context, Error, Pull, Push, Readiness, Rep, Req};
use omnimq::{Message, Poller};
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::thread;

const COUNTERS: usize = 100;
const MESSAGES: usize = 10;

/// What the poller calls the other two; the counters are called by their numbers.
const QUESTIONS: usize = COUNTERS;
const WIRE: usize = COUNTERS + 1;

/// Gives every counter its messages, asks how many have come until all have, and says so through the wire.
fn visit(context: &Context, mut wire: UnixStream) -> Result<()> {
    let mut visitors = Vec::new();
    for counter in 0..COUNTERS {
        let mut push = Push::new(context)?;
        push.connect(&format!("inproc://counter-{counter}"))?;
        visitors.push(push);
    }
    for _ in 0..MESSAGES {
        visitors.iter_mut().try_for_each(|push| push.send("one more"))?;
    }
    let mut req = Req::new(context)?;
    req.connect("inproc://questions")?;
    loop {
        req.send("how many?")?;
        if req.recv()?.bytes() == (COUNTERS * MESSAGES).to_string().as_bytes() {
            break;
        }
    }
    Ok(wire.write_all(b"closed")?)
}

/// The next message, if there is one.
fn next(socket: &mut Pull) -> Result<Option<Message>, Error> {
    match socket.try_recv() {
        Ok(message) => Ok(Some(message)),
        Err(Error::WouldBlock) => Ok(None),
        Err(error) => Err(error),
    }
}

fn main() -> Result<()> {
    let context = Context::new()?;
    let mut poller = Poller::new()?;
    let mut counters = Vec::new();
    for counter in 0..COUNTERS {
        let mut pull = Pull::new(&context)?;
        pull.bind(&format!("inproc://counter-{counter}"))?;
        poller.add(counter, pull.as_socket(), Readiness::RECEIVE);
        counters.push(pull);
    }
    let mut rep = Rep::new(&context)?;
    rep.bind("inproc://questions")?;
    poller.add(QUESTIONS, rep.as_socket(), Readiness::RECEIVE);
    let (mut wire, far_end) = UnixStream::pair()?;
    poller.add_descriptor(WIRE, &wire, Readiness::RECEIVE)?;
    let visitor = thread::spawn(move || visit(&context, far_end));

    let mut came = vec![0; COUNTERS];
    let word = loop {
        let ready: Vec<usize> = poller.wait(None)?.iter().map(|(key, _)| *key).collect();
        for counter in ready.iter().copied().filter(|key| *key < COUNTERS) {
            while next(&mut counters[counter])?.is_some() {
                came[counter] += 1;
            }
        }
        if ready.contains(&QUESTIONS) {
            rep.recv()?;
            rep.send(came.iter().sum::<usize>().to_string())?;
        }
        if ready.contains(&WIRE) {
            let mut word = String::new();
            wire.read_to_string(&mut word)?;
            break word;
        }
    };
    visitor.join().expect("the visitor panicked")?;
    let least = came.iter().min().context("no counter")?;
    println!("{} messages at {COUNTERS} counters, {least} at each; the wire says {word}", came.iter().sum::<usize>());
    Ok(())
}
