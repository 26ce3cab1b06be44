//! Publishers and subscribers that know nothing but the forwarder between them: XSUB and XPUB.
//!
//! Teaches: subscriptions are messages too. They go from the subscribers through the forwarder to the publishers, so what
//! nobody asked for never crosses the network; and a publisher that is an XPUB sees them come, so it need not guess when
//! somebody listens.
//!
//! Run: `cargo run --bin forwarder`

use anyhow::{Result, ensure};
use omnimq::{Context, Error, Sub, XPub, XSub, proxy};
use std::collections::BTreeSet;
use std::thread;

const TOPICS: [&str; 2] = ["news", "sport"];
const TOWNS: [&str; 3] = ["Oslo", "Rome", "Cairo"];

/// Passes messages on to those who subscribed, and subscriptions to those who publish, until the context ends.
fn forward(publishers: XSub, subscribers: XPub) -> Result<()> {
    match proxy(&mut publishers.into_socket(), &mut subscribers.into_socket(), None) {
        Err(Error::Terminated) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Waits until all topics are asked for, then publishes on each, and on one that nobody asked for.
fn publish(mut publisher: XPub, town: &str) -> Result<()> {
    let mut asked = BTreeSet::new();
    while asked.len() < TOPICS.len() {
        let subscription = publisher.recv()?;
        let [1, topic @ ..] = subscription.bytes() else { continue }; // 0 in front: a cancellation
        asked.insert(topic.to_vec());
    }
    for topic in ["gossip"].iter().chain(&TOPICS) {
        publisher.send([topic, town])?;
    }
    Ok(())
}

/// Hears one message on this topic from each town.
fn listen(mut sub: Sub, topic: &str) -> Result<String> {
    sub.subscribe(topic)?;
    let mut towns = BTreeSet::new();
    for _ in TOWNS {
        let message = sub.recv()?;
        ensure!(message.len() == 2 && message.bytes() == topic.as_bytes(), "nobody asked for {message:?}");
        towns.insert(String::from_utf8_lossy(&message[1]).into_owned());
    }
    Ok(format!("{topic} from {towns:?}"))
}

fn main() -> Result<()> {
    let context = Context::new()?;
    let (mut front, mut back) = (XSub::new(&context)?, XPub::new(&context)?);
    let for_publishers = front.bind("tcp://127.0.0.1:*")?;
    let for_subscribers = back.bind("tcp://127.0.0.1:*")?;
    let forwarding = thread::spawn(move || forward(front, back));

    let mut publishers = Vec::new();
    for town in TOWNS {
        let mut publisher = XPub::new(&context)?;
        publisher.connect(&for_publishers)?;
        publishers.push(thread::spawn(move || publish(publisher, town)));
    }
    let mut listeners = Vec::new();
    for topic in TOPICS {
        let mut sub = Sub::new(&context)?;
        sub.connect(&for_subscribers)?;
        listeners.push(thread::spawn(move || listen(sub, topic)));
    }
    for listener in listeners {
        println!("{}", listener.join().expect("a listener panicked")?);
    }
    publishers.into_iter().try_for_each(|publisher| publisher.join().expect("a publisher panicked"))?;
    context.shutdown();
    forwarding.join().expect("the forwarder panicked")
}
