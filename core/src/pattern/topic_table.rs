//! What peers have subscribed to: topic → set of pipes.
//!
//! Identical subscriptions of one pipe count once. A pipe whose topics do not all fit into the storage is put down for
//! everything: its peer filters for itself, as it does anyway.

use crate::error::{CloseReason, Limit};
use crate::limits::Limits;
use crate::storage::{Map, PipeId, PipeSet, Storage, Table, Topics};

/// What a subscription changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// Nobody had the topic.
    First,
    /// Others have it, or this pipe had it already.
    Further,
    /// There was no room: the pipe gets everything, and `first` says that nobody else had subscribed to that.
    Everything { first: bool },
}

/// What a cancellation changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Removed {
    /// Nobody has the topic any more.
    Last,
    /// Others have it.
    Further,
    /// The pipe did not have it.
    Unknown,
}

/// Topic → set of pipes.
pub(super) struct TopicTable<S: Storage> {
    /// All topics but the empty one. No set is empty.
    topics: S::Topics<S::Set>,
    /// Pipes with the empty topic.
    all: S::Set,
    /// Pipes whose topics did not all fit.
    overflow: S::Set,
    /// What each pipe has here.
    held: S::Table<Held>,
    most: Held,
    longest: u32,
}

/// Topics of one pipe.
#[derive(Clone, Copy, Default)]
struct Held {
    topics: u32,
    /// Their octets, together.
    octets: u32,
}

impl Held {
    fn limits(limits: &Limits) -> Self {
        Self { topics: limits.topics, octets: limits.topic_octets }
    }
    fn with(self, topic: &[u8]) -> Self {
        Self { topics: self.topics.saturating_add(1), octets: self.octets.saturating_add(octets(topic)) }
    }
    fn without(self, topic: &[u8]) -> Self {
        Self { topics: self.topics.saturating_sub(1), octets: self.octets.saturating_sub(octets(topic)) }
    }
}

fn octets(topic: &[u8]) -> u32 {
    u32::try_from(topic.len()).unwrap_or(u32::MAX)
}

impl<S: Storage> TopicTable<S> {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            topics: S::Topics::default(),
            all: S::Set::default(),
            overflow: S::Set::default(),
            held: S::Table::default(),
            most: Held::limits(limits),
            longest: limits.topic_len,
        }
    }
    pub(super) fn configure(&mut self, limits: &Limits) {
        (self.most, self.longest) = (Held::limits(limits), limits.topic_len);
    }
    /// Whether `id` has subscribed to anything.
    pub(super) fn has_any(&self, id: PipeId) -> bool {
        self.held(id).topics > 0 || self.overflow.contains(id)
    }
    /// Whether `id` is put down for everything because its topics did not fit.
    pub(super) fn overflows(&self, id: PipeId) -> bool {
        self.overflow.contains(id)
    }
    /// Adds the pipes that want `text` to `targets`.
    pub(super) fn matches(&self, text: &[u8], targets: &mut S::Set) {
        targets.merge(&self.all);
        targets.merge(&self.overflow);
        self.topics.prefixes(text, |set| targets.merge(set));
    }
    /// Adds the pipes one of whose topics matches `text` to `targets`, those put down for everything not among them.
    pub(super) fn certain_matches(&self, text: &[u8], targets: &mut S::Set) {
        targets.merge(&self.all);
        self.topics.prefixes(text, |set| targets.merge(set));
    }
    /// Puts `id` down for `topic`, or for everything if that does not fit.
    ///
    /// # Errors
    /// The pipe has too many topics, the topic is too long, or all of them are together.
    pub(super) fn add(&mut self, id: PipeId, topic: &[u8]) -> Result<Added, CloseReason> {
        if let Some(added) = self.add_exactly(id, topic)? {
            return Ok(added);
        }
        let first = self.all.is_empty() && self.overflow.is_empty();
        self.overflow.insert(id);
        Ok(Added::Everything { first })
    }
    /// Puts `id` down for `topic`; `None` if that does not fit.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub(super) fn add_exactly(&mut self, id: PipeId, topic: &[u8]) -> Result<Option<Added>, CloseReason> {
        if octets(topic) > self.longest {
            return Err(CloseReason::Limit(Limit::TopicLen));
        }
        if self.has(id, topic) {
            return Ok(Some(Added::Further));
        }
        let held = self.held(id).with(topic);
        if held.topics > self.most.topics {
            return Err(CloseReason::Limit(Limit::Topics));
        }
        if held.octets > self.most.octets {
            return Err(CloseReason::Limit(Limit::TopicOctets));
        }
        let Some(set) = self.set_of(topic) else { return Ok(None) };
        let first = set.is_empty();
        set.insert(id);
        self.hold(id, held);
        let first = first && (!topic.is_empty() || self.overflow.is_empty());
        Ok(Some(if first { Added::First } else { Added::Further }))
    }
    /// Strikes `id` out for `topic`.
    pub(super) fn remove(&mut self, id: PipeId, topic: &[u8]) -> Removed {
        if !self.has(id, topic) {
            return Removed::Unknown;
        }
        self.hold(id, self.held(id).without(topic));
        if topic.is_empty() {
            self.all.remove(id);
            return if self.all.is_empty() && self.overflow.is_empty() { Removed::Last } else { Removed::Further };
        }
        let Some(set) = self.topics.get_mut(topic) else { return Removed::Unknown };
        set.remove(id);
        if !set.is_empty() {
            return Removed::Further;
        }
        self.topics.remove(topic);
        Removed::Last
    }
    /// Strikes `id` out for all topics, telling each and whether nobody has it any more. Where `visit` answers false
    /// the pipe keeps this topic and the rest; so does the answer say, and the call is to be repeated.
    pub(super) fn forget(&mut self, id: PipeId, mut visit: impl FnMut(&[u8], bool) -> bool) -> bool {
        if self.all.contains(id) || self.overflow.contains(id) {
            let alone = |set: &S::Set| set.at_or_after(PipeId(0)) == Some(id) && set.at_or_after(id.next()).is_none();
            let last = [&self.all, &self.overflow].into_iter().all(|set| set.is_empty() || alone(set));
            if !visit(b"", last) {
                return false;
            }
            if self.all.contains(id) {
                self.all.remove(id);
                self.hold(id, self.held(id).without(b""));
            }
            self.overflow.remove(id);
        }
        let mut left = self.held(id);
        if left.topics > 0 {
            let mut stopped = false;
            self.topics.retain(|topic, set| {
                if stopped || !set.contains(id) {
                    return true;
                }
                set.remove(id);
                let last = set.is_empty();
                stopped = !visit(topic, last);
                if stopped {
                    set.insert(id);
                    return true;
                }
                left = left.without(topic);
                !last
            });
            self.hold(id, left);
        }
        left.topics == 0
    }
    fn has(&self, id: PipeId, topic: &[u8]) -> bool {
        if topic.is_empty() { self.all.contains(id) } else { self.topics.get(topic).is_some_and(|set| set.contains(id)) }
    }
    fn set_of(&mut self, topic: &[u8]) -> Option<&mut S::Set> {
        if topic.is_empty() { Some(&mut self.all) } else { self.topics.entry(topic) }
    }
    fn held(&self, id: PipeId) -> Held {
        self.held.get(id).copied().unwrap_or_default()
    }
    fn hold(&mut self, id: PipeId, held: Held) {
        if held.topics == 0 {
            self.held.take(id);
        } else {
            // Every pipe has a place in every table.
            let _ = self.held.put(id, held);
        }
    }
}
