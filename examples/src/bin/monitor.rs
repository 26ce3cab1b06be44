//! What happens to a socket's connections: `Monitor`.
//!
//! Teaches: a monitor tells who came, who was refused and who went, each with the reason. It is an iterator of typed events,
//! and never delays the socket: who does not look for long is told how many events it missed.
//!
//! Run: `cargo run --bin monitor`

use anyhow::Result;
use omnimq::{Context, Event, Monitor, Pull, Push};
use std::io::Write as _;
use std::net::TcpStream;

/// An event in words, without the ports, which differ from run to run.
fn words(event: &Event) -> String {
    match event {
        Event::Listening { .. } => "connections are accepted".into(),
        Event::Accepted { address: Some(address), .. } => format!("somebody at {} has connected", address.ip()),
        Event::HandshakeSucceeded { .. } => "it is a peer: messages may pass".into(),
        Event::HandshakeFailed { reason, .. } => format!("it is no peer: {reason}"),
        Event::Disconnected { reason, .. } => format!("the peer has gone: {reason}"),
        Event::Closed { .. } => "no more connections are accepted".into(),
        Event::Missed { events } => format!("{events} events were missed"),
        other => format!("{other:?}"),
    }
}

/// Shows what happens, up to and with the event that is waited for.
fn show(monitor: &mut Monitor, awaited: impl Fn(&Event) -> bool) {
    for event in monitor {
        println!("{}", words(&event));
        if awaited(&event) {
            break;
        }
    }
}

fn main() -> Result<()> {
    let context = Context::new()?;
    let mut pull = Pull::new(&context)?;
    let mut monitor = pull.monitor();
    let endpoint = pull.bind("tcp://127.0.0.1:*")?;

    println!("- a PUSH comes, says something and goes");
    let mut push = Push::new(&context)?;
    push.connect(&endpoint)?;
    push.send("hello")?;
    show(&mut monitor, |event| matches!(event, Event::HandshakeSucceeded { .. }));
    println!("it says {:?}", pull.recv()?);
    drop(push);
    show(&mut monitor, |event| matches!(event, Event::Disconnected { .. }));

    println!("- a browser has the wrong port");
    let mut browser = TcpStream::connect(endpoint.trim_start_matches("tcp://"))?;
    browser.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    show(&mut monitor, |event| matches!(event, Event::HandshakeFailed { .. }));

    println!("- another PULL comes: two who only receive have nothing to say to each other");
    let mut other = Pull::new(&context)?;
    other.connect(&endpoint)?;
    show(&mut monitor, |event| matches!(event, Event::HandshakeFailed { .. }));

    println!("- it is over");
    drop(pull);
    show(&mut monitor, |_| false); // until the socket has gone
    Ok(())
}
