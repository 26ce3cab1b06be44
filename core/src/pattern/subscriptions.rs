//! What we subscribed to, and which peers have been told: shared by SUB and XSUB.
//!
//! The topic table is the truth. Each topic remembers the pipes that were told of it, and topics stand in a list in
//! the order of their last change; each pipe has its place in that list. Bringing a pipe up to date is walking from
//! its place to the end: the cost is what is outstanding, however many topics there are, and a lane that takes one
//! signal at a time loses nothing. A new connection starts at the front: that is the replay. Its lane may still hold
//! what the connection before it was to be told, so a pipe that was told of a topic once is told of its end too.

use crate::error::{FilterError, Refusal};
use crate::pipe::{PipeWriter, Signal};
use crate::socket::Pipes;
use crate::storage::{Map, PipeId, PipeSet, Storage, Table, Topics};

/// One topic: how often it was asked for, who knows, and its neighbours in the list.
struct Topic<S: Storage> {
    count: u32,
    told: S::Set,
    before: Option<S::Key>,
    after: Option<S::Key>,
}

impl<S: Storage> Default for Topic<S> {
    fn default() -> Self {
        Self { count: 0, told: S::Set::default(), before: None, after: None }
    }
}

/// Topics asked for.
pub(super) struct Subscriptions<S: Storage> {
    topics: S::Topics<Topic<S>>,
    /// The ends of the list: changed longest ago, changed last.
    first: Option<S::Key>,
    last: Option<S::Key>,
    /// Pipes that have a peer, or had one and may have one again.
    ready: S::Set,
    /// The topic up to which each pipe has been told; none: it is at the front of the list.
    places: S::Table<S::Key>,
    /// Ready pipes that are not at the end of the list.
    behind: S::Set,
}

impl<S: Storage> Default for Subscriptions<S> {
    fn default() -> Self {
        Self {
            topics: S::Topics::default(),
            first: None,
            last: None,
            ready: S::Set::default(),
            places: S::Table::default(),
            behind: S::Set::default(),
        }
    }
}

impl<S: Storage> Subscriptions<S> {
    /// Whether a topic asked for is a prefix of `text`.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        let mut found = false;
        self.topics.prefixes(text, |topic| found |= topic.count > 0);
        found
    }
    /// Asks for `topic`, once more if it is asked for already.
    ///
    /// # Errors
    /// `TooLong`, `NoRoom`.
    pub(super) fn add(&mut self, pipes: &mut Pipes<S>, topic: &[u8]) -> Result<(), FilterError> {
        let key = S::key(topic).ok_or(FilterError::TooLong)?;
        let known = self.topics.get_mut(topic).is_some();
        let entry = self.topics.entry(topic).ok_or(FilterError::NoRoom)?;
        entry.count = entry.count.saturating_add(1);
        if entry.count > 1 {
            self.repeat(pipes, topic);
            return Ok(());
        }
        if known {
            self.unlink(topic);
        }
        self.append(key);
        self.sync_all(pipes);
        Ok(())
    }
    /// Takes one `add` back. Unknown topics are ignored.
    pub(super) fn remove(&mut self, pipes: &mut Pipes<S>, topic: &[u8]) {
        let Some(entry) = self.topics.get_mut(topic).filter(|entry| entry.count > 0) else { return };
        entry.count -= 1;
        if entry.count > 0 {
            return;
        }
        let nobody_knows = entry.told.is_empty();
        self.unlink(topic);
        if nobody_knows {
            self.topics.remove(topic);
        } else if let Some(key) = S::key(topic) {
            self.append(key);
        }
        self.sync_all(pipes);
    }
    /// The peer of `id` is a new one and knows nothing.
    pub(super) fn on_ready(&mut self, pipes: &mut Pipes<S>, id: PipeId) {
        self.places.take(id);
        self.ready.insert(id);
        self.sync(pipes, id);
    }
    /// There may be room for signals to `id`.
    #[inline]
    pub(super) fn on_writable(&mut self, pipes: &mut Pipes<S>, id: PipeId) {
        if self.behind.contains(id) {
            self.sync(pipes, id);
        }
    }
    /// `id` has gone.
    pub(super) fn forget(&mut self, id: PipeId) {
        if self.ready.contains(id) {
            self.ready.remove(id);
            self.behind.remove(id);
            self.forget_told(id);
        }
    }
    /// Tells peers that know it of a topic once more, as libzmq does: the XPUBs among them may show it. It changes
    /// nothing, so a lane that is full does without.
    fn repeat(&mut self, pipes: &mut Pipes<S>, topic: &[u8]) {
        let mut at = PipeId(0);
        while let Some(id) = self.ready.at_or_after(at) {
            at = id.next();
            if let Some(tx) = pipes.writer(id).filter(|_| !self.behind.contains(id)) {
                let _ = tx.signal(Signal::Subscribe(topic));
                tx.flush();
            }
        }
    }
    fn sync_all(&mut self, pipes: &mut Pipes<S>) {
        let mut at = PipeId(0);
        while let Some(id) = self.ready.at_or_after(at) {
            self.sync(pipes, id);
            at = id.next();
        }
    }
    /// Tells `id` what it does not know, as far as its lane takes it.
    fn sync(&mut self, pipes: &mut Pipes<S>, id: PipeId) {
        let Some(tx) = pipes.writer(id) else { return };
        self.behind.insert(id);
        loop {
            let Some(key) = self.next(id) else {
                self.behind.remove(id);
                break;
            };
            let Some(topic) = self.topics.get_mut(key.as_ref()) else { break };
            let signal = match (topic.count > 0, topic.told.contains(id)) {
                (true, _) => Some(Signal::Subscribe(key.as_ref())),
                (false, true) => Some(Signal::Cancel(key.as_ref())),
                (false, false) => None,
            };
            if signal.is_some_and(|signal| tx.signal(signal) == Err(Refusal::Full)) {
                break;
            }
            if topic.count > 0 {
                topic.told.insert(id);
            } else {
                topic.told.remove(id);
            }
            let done = topic.count == 0 && topic.told.is_empty();
            // Every pipe has a place in every table.
            let _ = self.places.put(id, key.clone());
            if done {
                self.unlink(key.as_ref());
                self.topics.remove(key.as_ref());
            }
        }
        tx.flush();
    }
    /// The topic after the place of `id`.
    fn next(&self, id: PipeId) -> Option<S::Key> {
        match self.places.get(id) {
            None => self.first.clone(),
            Some(place) => self.topics.get(place.as_ref())?.after.clone(),
        }
    }
    /// Nobody at `id` knows anything.
    fn forget_told(&mut self, id: PipeId) {
        self.places.take(id);
        let mut at = self.first.clone();
        while let Some(key) = at {
            let Some(topic) = self.topics.get_mut(key.as_ref()) else { return };
            topic.told.remove(id);
            at = topic.after.clone();
            if topic.count == 0 && topic.told.is_empty() {
                self.unlink(key.as_ref());
                self.topics.remove(key.as_ref());
            }
        }
    }
    /// Appends a topic that is not in the list.
    fn append(&mut self, key: S::Key) {
        let before = self.last.replace(key.clone());
        match before.as_ref().and_then(|before| self.topics.get_mut(before.as_ref())) {
            Some(topic) => topic.after = Some(key.clone()),
            None => self.first = Some(key.clone()),
        }
        if let Some(topic) = self.topics.get_mut(key.as_ref()) {
            (topic.before, topic.after) = (before, None);
        }
    }
    /// Takes a topic out of the list. Pipes that stand there step back.
    fn unlink(&mut self, topic: &[u8]) {
        let Some(entry) = self.topics.get_mut(topic) else { return };
        let (before, after) = (entry.before.take(), entry.after.take());
        match before.as_ref().and_then(|key| self.topics.get_mut(key.as_ref())) {
            Some(entry) => entry.after = after.clone(),
            None => self.first = after.clone(),
        }
        match after.as_ref().and_then(|key| self.topics.get_mut(key.as_ref())) {
            Some(entry) => entry.before = before.clone(),
            None => self.last = before.clone(),
        }
        let mut at = PipeId(0);
        while let Some(id) = self.ready.at_or_after(at) {
            at = id.next();
            if self.places.get(id).is_none_or(|place| place.as_ref() != topic) {
                continue;
            }
            match &before {
                Some(key) => {
                    // Every pipe has a place in every table.
                    let _ = self.places.put(id, key.clone());
                }
                None => {
                    self.places.take(id);
                }
            }
        }
    }
}
