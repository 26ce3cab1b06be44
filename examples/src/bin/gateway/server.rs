//! A game server: a process that receives numbered orders, notes them in its journal, and talks to its neighbours.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use omnimq::{Context, Error, Pull};

use crate::fleet;
use crate::journal::{Entry, Journal};
use crate::plan;
use crate::travel::{Agency, Host, News};
use crate::{order, say};

/// How often a receive without messages looks whether the server is to end.
const LOOK: Duration = Duration::from_millis(50);

/// What the threads of a server share.
#[derive(Default)]
pub(crate) struct Shared {
    /// Messages received and noted.
    pub(crate) received: AtomicU64,
    /// The gateway asked this server to end.
    pub(crate) ending: AtomicBool,
}

impl Shared {
    pub(crate) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }
}

/// Plays the server `name` until standard input ends. It says `router ENDPOINT` at the start, where neighbours reach
/// it, and `travelled HANDED HOSTED WRONG` after having been told to finish.
pub(crate) fn run(name: &str, feed: &str, scores: &str, journal: &Path) -> Result<()> {
    let context = Context::new()?;
    let shared = Arc::new(Shared::default());
    let host = Host::start(&context, shared.clone())?;
    let (tell, news) = channel();
    let agency = Agency::start(&context, name, scores, shared.clone(), host.hosted.clone(), news)?;
    let ending = shared.clone();
    fleet::obey(
        move |line| {
            // The agency outlives this thread's lines but for a failure, which is reported at the end.
            let _ = match line.split_once(' ') {
                Some(("neighbour", endpoint)) => tell.send(News::Neighbour(endpoint.into())),
                _ => tell.send(News::Finish),
            };
        },
        move || ending.ending.store(true, Ordering::SeqCst),
    );
    say(&format!("router {}", host.endpoint))?;
    let worked = work(&context, feed, journal, &shared);
    shared.ending.store(true, Ordering::SeqCst);
    agency.join()?;
    host.join()?;
    worked
}

/// Receives and notes, until it is asked to end and nothing is left.
fn work(context: &Context, feed: &str, journal: &Path, shared: &Shared) -> Result<()> {
    let mut journal = Journal::create(journal).with_context(|| journal.display().to_string())?;
    let mut pull = Pull::with(context, plan::feed_options())?;
    let start = Instant::now();
    pull.connect(feed)?;
    loop {
        let message = match pull.recv_timeout(LOOK) {
            Ok(message) => message,
            Err(Error::WouldBlock) if shared.is_ending() => return Ok(()),
            Err(Error::WouldBlock) => continue,
            Err(error) => return Err(error.into()),
        };
        let Some(number) = order::parse(message.bytes()) else { bail!("no numbered order: {message:?}") };
        let micros = start.elapsed().as_micros() as u64;
        journal.note(Entry { number, micros })?;
        shared.received.fetch_add(1, Ordering::Relaxed);
    }
}
