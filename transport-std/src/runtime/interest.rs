//! Whoever is not asleep in a socket's own sets and yet is to be woken: a task, a poller, a descriptor, a sender.
//!
//! The waiter leaves its waker and announces itself, then looks again, as with a [`Bell`]; whoever brings what it waits
//! for wakes it, once. Somebody else's waker takes the place of one that was left before.

use super::seat::Bell;
use crate::sync::{Mutex, lock};
use std::task::Waker;

/// What one side of a socket waits for.
pub(crate) struct Interest {
    bell: Bell,
    waiting: Mutex<Waiting>,
}

/// Who waits: one call of the application's, and pollers.
#[derive(Default)]
struct Waiting {
    call: Option<Waker>,
    pollers: Vec<Waker>,
}

impl Interest {
    pub(crate) fn new() -> Self {
        Self { bell: Bell::new(), waiting: Mutex::default() }
    }
    /// Call, then look once more, then wait to be woken.
    pub(crate) fn announce(&self, waker: &Waker) {
        let mut waiting = lock(&self.waiting);
        let known = waiting.call.as_ref().is_some_and(|known| known.will_wake(waker));
        let old = if known { None } else { waiting.call.replace(waker.clone()) };
        self.bell.going_to_sleep();
        drop(waiting);
        drop(old);
    }
    /// As `announce`, for a poller: calls that wait meanwhile leave it alone.
    pub(crate) fn announce_poller(&self, waker: &Waker) {
        let mut waiting = lock(&self.waiting);
        if !waiting.pollers.iter().any(|known| known.will_wake(waker)) {
            waiting.pollers.push(waker.clone());
        }
        self.bell.going_to_sleep();
    }
    /// The second look was lucky, or the wait is over.
    pub(crate) fn withdraw(&self) {
        let mut waiting = lock(&self.waiting);
        let old = waiting.call.take();
        if waiting.pollers.is_empty() {
            self.bell.woke();
        }
        drop(waiting);
        drop(old);
    }
    /// This poller waits no more.
    pub(crate) fn withdraw_poller(&self, waker: &Waker) {
        let mut waiting = lock(&self.waiting);
        let old = waiting.pollers.iter().position(|known| known.will_wake(waker)).map(|at| waiting.pollers.swap_remove(at));
        if waiting.call.is_none() && waiting.pollers.is_empty() {
            self.bell.woke();
        }
        drop(waiting);
        drop(old);
    }
    /// The application has received for itself: pollers that wait look again.
    #[inline]
    pub(crate) fn ring_if_awaited(&self) {
        if self.bell.state() != super::seat::Rest::Awake {
            self.ring();
        }
    }
    /// Call after publishing what may be waited for.
    #[inline]
    pub(crate) fn ring(&self) {
        if self.bell.ring() {
            self.wake();
        }
    }
    #[cold]
    fn wake(&self) {
        let Waiting { call, pollers } = std::mem::take(&mut *lock(&self.waiting));
        call.into_iter().chain(pollers).for_each(Waker::wake);
    }
}
