//! PUB to SUB with topics and REQ to REP, each over byte streams in memory; the exit status tells whether all came.
#![no_std]
#![no_main]

use omnimq_core::{Node, Options, Pub, RecvError, Rep, Req, Sub};
use omnimq_no_alloc::{Pair, Place, Small, exit, print};

static NODE_PUB: Place<Node<Pub, Small>> = Place::new();
static NODE_SUB: Place<Node<Sub, Small>> = Place::new();
static NODE_REQ: Place<Node<Req, Small>> = Place::new();
static NODE_REP: Place<Node<Rep, Small>> = Place::new();

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    let published = publish().is_some();
    print(if published { c"PUB to SUB: what was subscribed to came, nothing else\n" } else { c"PUB to SUB: FAILED\n" });
    let answered = ask().is_some();
    print(if answered { c"REQ to REP: asked and answered\n" } else { c"REQ to REP: FAILED\n" });
    #[cfg(feature = "plant-panic")]
    print(if [false, true][core::hint::black_box(1)] { c"" } else { c"-" });
    #[cfg(feature = "plant-alloc")]
    print(if omnimq_no_alloc::plant() { c"" } else { c"-" });
    exit(published && answered)
}

/// `None` when anything is not as it should be.
fn publish() -> Option<()> {
    let options = Options::default();
    let mut pair = Pair::new(NODE_SUB.put(Node::new(Sub, options))?, NODE_PUB.put(Node::new(Pub, options))?)?;
    pair.near.subscribe(b"weather/").ok()?;
    pair.near.subscribe(b"sport/").ok()?;
    pair.settle();
    pair.near.unsubscribe(b"sport/").ok()?;
    pair.settle();
    for topic in [&b"traffic/ring"[..], b"weather/rain", b"sport/chess"] {
        pair.far.send_bytes(topic, true).ok()?;
        pair.far.send_bytes(b"body", false).ok()?;
    }
    pair.settle();
    expect(pair.near.recv().ok().map(|frame| (frame.body.as_ref() == b"weather/rain", frame.more)), true)?;
    expect(pair.near.recv().ok().map(|frame| (frame.body.as_ref() == b"body", frame.more)), false)?;
    matches!(pair.near.recv(), Err(RecvError::Again)).then_some(())
}

/// `None` when anything is not as it should be.
fn ask() -> Option<()> {
    let options = Options::default();
    let mut pair = Pair::new(NODE_REQ.put(Node::new(Req, options))?, NODE_REP.put(Node::new(Rep, options))?)?;
    pair.settle();
    for question in [&b"first question"[..], b"second"] {
        pair.near.send_bytes(question, false).ok()?;
        pair.settle();
        expect(pair.far.recv().ok().map(|frame| (frame.body.as_ref() == question, frame.more)), false)?;
        pair.far.send_bytes(b"part", true).ok()?;
        pair.far.send_bytes(b"answer", false).ok()?;
        pair.settle();
        expect(pair.near.recv().ok().map(|frame| (frame.body.as_ref() == b"part", frame.more)), true)?;
        expect(pair.near.recv().ok().map(|frame| (frame.body.as_ref() == b"answer", frame.more)), false)?;
    }
    matches!(pair.near.recv(), Err(RecvError::State)).then_some(())
}

/// `Some` when a frame came, with the right octets and the flag `more`.
fn expect(frame: Option<(bool, bool)>, more: bool) -> Option<()> {
    (frame == Some((true, more))).then_some(())
}
