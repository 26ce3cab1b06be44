//! Typed messages: Protocol Buffers over REQ and REP.
//!
//! Teaches: a frame is bytes, and what they mean is your affair. With prost a message is a struct with attributes; no compiler
//! for `.proto` files is needed. Encoding makes the `Vec<u8>` that is sent, decoding reads the frame where it lies.
//!
//! Run: `cargo run --bin protobuf`

use anyhow::Result;
use omnimq::{Context, Error, Rep, Req};
use prost::Message as _;
use std::thread;

/// `message Order { string item = 1; uint32 pieces = 2; }`
#[derive(Clone, PartialEq, prost::Message)]
struct Order {
    #[prost(string, tag = "1")]
    item: String,
    #[prost(uint32, tag = "2")]
    pieces: u32,
}

/// `message Answer { oneof verdict { uint64 cents = 1; string refusal = 2; } }`
#[derive(Clone, PartialEq, prost::Message)]
struct Answer {
    #[prost(oneof = "Verdict", tags = "1, 2")]
    verdict: Option<Verdict>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Verdict {
    #[prost(uint64, tag = "1")]
    Cents(u64),
    #[prost(string, tag = "2")]
    Refusal(String),
}

fn judge(order: &Order) -> Verdict {
    match order.item.as_str() {
        "apple" => Verdict::Cents(u64::from(order.pieces) * 40),
        "pear" => Verdict::Cents(u64::from(order.pieces) * 55),
        item => Verdict::Refusal(format!("no {item} today")),
    }
}

/// Answers orders until the context ends. What is no order is refused like any other that cannot be filled.
fn shop(mut rep: Rep) -> Result<()> {
    loop {
        let verdict = match rep.recv() {
            Ok(message) => match Order::decode(message.bytes()) {
                Ok(order) => judge(&order),
                Err(_) => Verdict::Refusal("that is no order".into()),
            },
            Err(Error::Terminated) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        rep.send(Answer { verdict: Some(verdict) }.encode_to_vec())?;
    }
}

fn ask(req: &mut Req, question: Vec<u8>) -> Result<String> {
    req.send(question)?;
    let answer = Answer::decode(req.recv()?.bytes())?;
    Ok(match answer.verdict {
        Some(Verdict::Cents(cents)) => format!("{}.{:02}", cents / 100, cents % 100),
        Some(Verdict::Refusal(why)) => why,
        None => "an answer of a kind that is not known here".into(),
    })
}

fn main() -> Result<()> {
    let context = Context::new()?;
    let mut rep = Rep::new(&context)?;
    let endpoint = rep.bind("tcp://127.0.0.1:*")?;
    let keeper = thread::spawn(move || shop(rep));

    let mut req = Req::new(&context)?;
    req.connect(&endpoint)?;
    for (item, pieces) in [("apple", 3), ("pear", 12), ("durian", 1)] {
        let order = Order { item: item.into(), pieces };
        println!("{pieces} × {item}: {}", ask(&mut req, order.encode_to_vec())?);
    }
    println!("gibberish: {}", ask(&mut req, b"\xffgibberish".to_vec())?);

    context.shutdown();
    keeper.join().expect("the shop panicked")
}
