//! A question, an answer: REQ and REP.
//!
//! Teaches: a context and its sockets, binding to any free port, connecting, sending and receiving. REQ and REP take turns:
//! a REQ that has asked must hear the answer before it may ask again.
//!
//! Run: `cargo run --bin hello`

use anyhow::Result;
use omnimq::{Context, Rep, Req};
use std::thread;

fn main() -> Result<()> {
    // One context for the whole program: it owns the threads that do input and output in the background.
    let context = Context::new()?;
    let mut rep = Rep::new(&context)?;
    let endpoint = rep.bind("tcp://127.0.0.1:*")?; // says which port it got

    // Sockets may be sent to other threads, but are used by one at a time: there is nothing to lock.
    let answerer = thread::spawn(move || -> Result<()> {
        for _ in 0..3 {
            let name = rep.recv()?;
            rep.send(format!("Hello, {}!", String::from_utf8_lossy(name.bytes())))?;
        }
        Ok(())
    });

    let mut req = Req::new(&context)?;
    req.connect(&endpoint)?;
    for name in ["Ada", "Grace", "Barbara"] {
        req.send(name)?;
        println!("{}", String::from_utf8_lossy(req.recv()?.bytes()));
    }
    answerer.join().expect("the answerer panicked")
}
