//! The gateway's desk: REP to the clients, PUSH to the servers. It numbers every order and remembers who took it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use omnimq::{Context, Error, PeerId, Push, Rep};

use crate::{clients, order, plan};

/// How often a desk without requests looks whether it is to close.
const LOOK: Duration = Duration::from_millis(20);

/// A desk at work, on a thread of its own.
pub(crate) struct Desk {
    /// Where clients ask.
    pub(crate) clients: String,
    /// Where servers are fed.
    pub(crate) feed: String,
    state: Arc<State>,
    thread: JoinHandle<Result<Closed>>,
}

#[derive(Default)]
struct State {
    sent: AtomicU64,
    closing: AtomicBool,
}

/// What a desk leaves behind.
pub(crate) struct Closed {
    /// Who took each number.
    pub(crate) handed: Vec<PeerId>,
    /// Still open: what is queued leaves.
    pub(crate) push: Push,
}

impl Desk {
    pub(crate) fn open(context: &Context) -> Result<Self> {
        let mut rep = Rep::with(context, plan::options())?;
        let mut push = Push::with(context, plan::feed_options())?;
        let (clients, feed) = (rep.bind("tcp://127.0.0.1:*")?, push.bind("tcp://127.0.0.1:*")?);
        let state = Arc::new(State::default());
        let shared = state.clone();
        let thread = std::thread::spawn(move || serve(&mut rep, push, &shared));
        Ok(Self { clients, feed, state, thread })
    }

    /// Numbers handed out so far.
    pub(crate) fn sent(&self) -> u64 {
        self.state.sent.load(Ordering::Acquire)
    }

    /// Whether it has ended of itself, which is a failure.
    pub(crate) fn has_failed(&self) -> bool {
        self.thread.is_finished()
    }

    /// Takes no more requests.
    pub(crate) fn close(self) -> Result<Closed> {
        self.state.closing.store(true, Ordering::Release);
        self.thread.join().map_err(|_| anyhow!("the desk panicked"))?
    }
}

fn serve(rep: &mut Rep, mut push: Push, state: &State) -> Result<Closed> {
    let mut handed = Vec::new();
    loop {
        let request = match rep.recv_timeout(LOOK) {
            Ok(request) => request,
            Err(Error::WouldBlock) if state.closing.load(Ordering::Acquire) => return Ok(Closed { handed, push }),
            Err(Error::WouldBlock) => continue,
            Err(error) => return Err(error.into()),
        };
        let first = handed.len() as u64;
        for order in request.iter() {
            if !order::is_sound(order) {
                bail!("a client's order arrived changed: {order:?}");
            }
            push.send(&order::number(handed.len() as u64, order)).context("no server takes the order")?;
            handed.push(push.last_peer().context("a message was sent to nobody")?);
        }
        state.sent.store(handed.len() as u64, Ordering::Release);
        rep.send(clients::answer(first, request.len() as u64))?;
    }
}
