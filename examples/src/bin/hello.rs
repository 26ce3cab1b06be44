//! REQ and REP: a question, an answer. `cargo run --bin hello`

use anyhow::Result;
use omnimq::{Context, Rep, Req};

fn main() -> Result<()> {
    let context = Context::new()?;
    let mut rep = Rep::new(&context)?;
    let endpoint = rep.bind("tcp://127.0.0.1:*")?;
    let answerer = std::thread::spawn(move || -> Result<()> {
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
