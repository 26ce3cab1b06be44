//! SUB: fair queue with a local prefix filter; tells each publisher its topics (RFC 29).
//!
//! The topic table is the truth. Each topic remembers which pipes were told, so a pipe that could not take a
//! signal, or that has a new connection, is brought up to date later. Nothing is lost and nothing is queued.

use super::{FairQueue, Filters, Pattern, Receives, Routing};
use crate::body::Frame;
use crate::error::CloseReason;
use crate::error::{FilterError, RecvError};
use crate::options::Options;
use crate::pipe::{PipeWriter, Signal};
use crate::socket::Pipes;
use crate::storage::{Map, PipeId, PipeSet, Storage, Topics as _};
use crate::wire::SocketType;

#[derive(Clone, Copy, Default)]
pub struct Sub;

impl Receives for Sub {}
impl Filters for Sub {}

impl Pattern for Sub {
    type State<S: Storage> = SubState<S>;
    fn socket_type(self) -> SocketType {
        SocketType::Sub
    }
    fn start<S: Storage>(self, _: &Options) -> SubState<S> {
        SubState {
            queue: FairQueue::default(),
            topics: S::Topics::default(),
            ready: S::Set::default(),
            behind: S::Set::default(),
            part: Part::First,
        }
    }
}

pub struct Topic<S: Storage> {
    count: u32,
    told: S::Set,
}

impl<S: Storage> Default for Topic<S> {
    fn default() -> Self {
        Self { count: 0, told: S::Set::default() }
    }
}

enum Part {
    First,
    Rest,
    Skipped,
}

pub struct SubState<S: Storage> {
    queue: FairQueue<S>,
    topics: S::Topics<Topic<S>>,
    ready: S::Set,
    behind: S::Set,
    part: Part,
}

impl<S: Storage> SubState<S> {
    /// Tells `id` what it does not know, as far as its signal lane takes it.
    fn sync(&mut self, pipes: &mut Pipes<S>, id: PipeId) {
        let Some(tx) = pipes.writer(id) else { return };
        let mut behind = false;
        self.topics.retain(|key, topic| {
            let told = topic.told.contains(id);
            if topic.count > 0 && !told {
                match tx.signal(Signal::Subscribe(key)) {
                    Ok(()) => topic.told.insert(id),
                    Err(_) => behind = true,
                }
            } else if topic.count == 0 && told {
                match tx.signal(Signal::Cancel(key)) {
                    Ok(()) => topic.told.remove(id),
                    Err(_) => behind = true,
                }
            }
            topic.count > 0 || !topic.told.is_empty()
        });
        tx.flush();
        if behind {
            self.behind.insert(id);
        } else {
            self.behind.remove(id);
        }
    }
    fn sync_all(&mut self, pipes: &mut Pipes<S>) {
        let mut at = PipeId(0);
        while let Some(id) = self.ready.at_or_after(at) {
            self.sync(pipes, id);
            at = id.next();
        }
    }
    fn matches(&self, body: &[u8]) -> bool {
        let mut found = false;
        self.topics.prefixes(body, |topic| found |= topic.count > 0);
        found
    }
    /// The next connection on this pipe knows nothing.
    fn forget_told(&mut self, id: PipeId) {
        self.topics.retain(|_, topic| {
            topic.told.remove(id);
            topic.count > 0 || !topic.told.is_empty()
        });
    }
}

impl<S: Storage> Routing<S> for SubState<S> {
    fn on_attach(&mut self, _: &mut Pipes<S>, _: PipeId) {}
    fn on_detach(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.queue.forget(id);
        self.ready.remove(id);
        self.behind.remove(id);
        self.forget_told(id);
    }
    fn on_ready(&mut self, pipes: &mut Pipes<S>, id: PipeId, _: S::Key) -> Result<Option<PipeId>, CloseReason> {
        self.forget_told(id);
        self.ready.insert(id);
        self.sync(pipes, id);
        Ok(None)
    }
    #[inline]
    fn on_readable(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.queue.activate(id);
    }
    #[inline]
    fn on_writable(&mut self, pipes: &mut Pipes<S>, id: PipeId) {
        if self.behind.contains(id) {
            self.sync(pipes, id);
        }
    }
    fn recv(&mut self, pipes: &mut Pipes<S>) -> Result<Frame<S::Body>, RecvError> {
        loop {
            let (_, frame) = self.queue.recv(pipes).ok_or(RecvError::Again)?;
            let wanted = match self.part {
                Part::First => self.matches(frame.body.as_ref()),
                Part::Rest => true,
                Part::Skipped => false,
            };
            self.part = match (frame.more, wanted) {
                (false, _) => Part::First,
                (true, true) => Part::Rest,
                (true, false) => Part::Skipped,
            };
            if wanted {
                return Ok(frame);
            }
        }
    }
    fn subscribe(&mut self, pipes: &mut Pipes<S>, topic: &[u8]) -> Result<(), FilterError> {
        let entry = self.topics.entry(topic).ok_or(FilterError::NoRoom)?;
        entry.count += 1;
        if entry.count == 1 {
            self.sync_all(pipes);
        }
        Ok(())
    }
    fn unsubscribe(&mut self, pipes: &mut Pipes<S>, topic: &[u8]) -> Result<(), FilterError> {
        let mut last = false;
        self.topics.retain(|key, entry| {
            if key == topic && entry.count > 0 {
                entry.count -= 1;
                last = entry.count == 0;
            }
            entry.count > 0 || !entry.told.is_empty()
        });
        if last {
            self.sync_all(pipes);
        }
        Ok(())
    }
}
