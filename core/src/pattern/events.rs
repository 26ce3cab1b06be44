//! What an XPUB has yet to show: subscriptions and cancellations, in order, up to a number and to so many octets of
//! each peer ([`Limits`]).

use crate::error::{CloseReason, Limit};
use crate::limits::Limits;
use crate::storage::{PipeId, Queue, Storage, Table};

/// A pipe, and which of those that had its id.
pub(super) type Asker = (PipeId, u32);

/// A subscription or cancellation to be shown.
pub(super) struct Event<S: Storage> {
    pub(super) subscribe: bool,
    pub(super) topic: S::Key,
    /// Who asked, where the application is to answer.
    pub(super) asker: Option<Asker>,
}

impl<S: Storage> Event<S> {
    fn octets(&self) -> u64 {
        u64::try_from(self.topic.as_ref().len()).unwrap_or(u64::MAX)
    }
}

/// Events to be shown, in order.
pub(super) struct Events<S: Storage> {
    queue: S::Queue<Event<S>>,
    /// The one that did not fit.
    spare: Option<Event<S>>,
    most: u32,
    /// Octets of the events of each peer.
    charged: S::Table<u64>,
    /// Octets of the events of peers that have gone.
    orphaned: u64,
    most_octets: u64,
}

impl<S: Storage> Events<S> {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            queue: S::Queue::default(),
            spare: None,
            most: limits.events,
            charged: S::Table::default(),
            orphaned: 0,
            most_octets: limits.event_octets.into(),
        }
    }
    pub(super) fn configure(&mut self, limits: &Limits) {
        (self.most, self.most_octets) = (limits.events, limits.event_octets.into());
    }
    pub(super) fn has_room(&self) -> bool {
        self.spare.is_none() && self.orphaned <= self.most_octets
    }
    /// Appends an event; only when there is room.
    ///
    /// # Errors
    /// The events of the peer come to too many octets. This one is shown all the same, so that it may be taken back.
    pub(super) fn push(&mut self, subscribe: bool, topic: &[u8], asker: Option<Asker>) -> Result<(), CloseReason> {
        let Some(topic) = S::key(topic) else { return Ok(()) };
        let event = Event { subscribe, topic, asker };
        let octets = self.charged(asker).saturating_add(event.octets());
        self.charge(asker, octets);
        self.append(event);
        if asker.is_some() && octets > self.most_octets { Err(CloseReason::Limit(Limit::EventOctets)) } else { Ok(()) }
    }
    /// Octets of the events of a peer, or of those that have gone.
    fn charged(&self, asker: Option<Asker>) -> u64 {
        asker.map_or(self.orphaned, |(id, _)| self.charged.get(id).copied().unwrap_or(0))
    }
    fn charge(&mut self, asker: Option<Asker>, octets: u64) {
        match asker {
            None => self.orphaned = octets,
            Some((id, _)) if octets == 0 => drop(self.charged.take(id)),
            // Every pipe has a place in every table.
            Some((id, _)) => drop(self.charged.put(id, octets)),
        }
    }
    /// The peer of `id` has gone.
    pub(super) fn forget(&mut self, id: PipeId) {
        self.orphaned = self.orphaned.saturating_add(self.charged.take(id).unwrap_or(0));
    }
    fn append(&mut self, event: Event<S>) {
        let full = u32::try_from(self.queue.len()).is_ok_and(|len| len >= self.most);
        self.spare = if full { Some(event) } else { self.queue.push(event).err() };
    }
    /// Takes the oldest event. Of an asker that has gone `asker` makes nobody.
    pub(super) fn pop(&mut self, asker: impl Fn(Asker) -> Option<Asker>) -> Option<Event<S>> {
        let mut event = self.queue.pop().or_else(|| self.spare.take())?;
        if let Some(spare) = self.spare.take() {
            self.append(spare);
        }
        event.asker = event.asker.and_then(asker);
        self.charge(event.asker, self.charged(event.asker).saturating_sub(event.octets()));
        Some(event)
    }
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.spare.is_none()
    }
}
