//! A chat room on tokio: a ROUTER, and a DEALER for each who is there.
//!
//! Teaches: sockets in tasks; `send_async` and `recv_async` need no runtime of their own and run on any. Dropped before they
//! are done they have sent or taken nothing, so `select!` between a socket and a keyboard loses no message.
//!
//! Run: `cargo run --bin chat`

use anyhow::{Context as _, Result};
use omnimq::{Context, Dealer, Router, SocketOptions};
use std::collections::BTreeSet;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

/// The line with which one comes, and that with which one goes.
const HELLO: &str = "/hello";
const BYE: &str = "/bye";

/// Tells everybody in the room what anybody says, until the last has gone.
async fn room(mut router: Router) -> Result<()> {
    let mut there = BTreeSet::new();
    loop {
        let message = router.recv_async().await?;
        let [name, line] = &message[..] else { continue }; // whoever sends that is no guest of ours
        let (name, line) = (String::from_utf8_lossy(name).into_owned(), String::from_utf8_lossy(line));
        let told = match &*line {
            HELLO => format!("* {name} comes"),
            BYE => format!("* {name} goes"),
            line => format!("{name}: {line}"),
        };
        there.insert(name.clone());
        for guest in &there {
            router.send_async([guest.as_str(), &told]).await?;
        }
        println!("{told}");
        if line == BYE {
            there.remove(&name);
        }
        if there.is_empty() {
            return Ok(());
        }
    }
}

/// Carries lines from a keyboard to the room, and from the room to a screen, until the keyboard or the screen has gone.
async fn terminal(mut dealer: Dealer, mut keyboard: Receiver<&'static str>, screen: Sender<String>) -> Result<()> {
    dealer.send_async(HELLO).await?;
    loop {
        tokio::select! {
            line = keyboard.recv() => match line {
                Some(line) => dealer.send_async(line).await?,
                None => return Ok(dealer.send_async(BYE).await?),
            },
            message = dealer.recv_async() => {
                let line = String::from_utf8_lossy(message?.bytes()).into_owned();
                if screen.send(line).await.is_err() {
                    return Ok(());
                }
            }
        }
    }
}

/// Somebody at a terminal.
struct Guest {
    keyboard: Sender<&'static str>,
    screen: Receiver<String>,
    terminal: JoinHandle<Result<()>>,
}

impl Guest {
    fn comes(context: &Context, endpoint: &str, name: &str) -> Result<Self> {
        let mut options = SocketOptions::default();
        options.routing_id = name.as_bytes().into();
        let mut dealer = Dealer::with(context, options)?;
        dealer.connect(endpoint)?;
        let ((keyboard, keys), (lines, screen)) = (channel(16), channel(16));
        Ok(Self { keyboard, screen, terminal: tokio::spawn(terminal(dealer, keys, lines)) })
    }
    async fn waits_for(&mut self, line: &str) -> Result<()> {
        while self.screen.recv().await.context("the terminal has ended")? != line {}
        Ok(())
    }
    async fn says(&self, line: &'static str) -> Result<()> {
        Ok(self.keyboard.send(line).await?)
    }
    async fn goes(self) -> Result<()> {
        drop(self.keyboard);
        self.terminal.await?
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let context = Context::new()?;
    let mut router = Router::new(&context)?;
    let endpoint = router.bind("tcp://127.0.0.1:*")?;
    let room = tokio::spawn(room(router));

    let mut ada = Guest::comes(&context, &endpoint, "ada")?;
    ada.waits_for("* ada comes").await?;
    let mut grace = Guest::comes(&context, &endpoint, "grace")?;
    ada.waits_for("* grace comes").await?;
    ada.says("Hello, Grace!").await?;
    grace.waits_for("ada: Hello, Grace!").await?;
    grace.says("Hello, Ada! I found a bug. It is a moth.").await?;
    ada.waits_for("grace: Hello, Ada! I found a bug. It is a moth.").await?;
    ada.goes().await?;
    grace.waits_for("* ada goes").await?;
    grace.goes().await?;
    room.await?
}
