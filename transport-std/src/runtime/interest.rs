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
    waker: Mutex<Option<Waker>>,
}

impl Interest {
    pub(crate) fn new() -> Self {
        Self { bell: Bell::new(), waker: Mutex::new(None) }
    }
    /// Call, then look once more, then wait to be woken.
    pub(crate) fn announce(&self, waker: &Waker) {
        let mut place = lock(&self.waker);
        if !place.as_ref().is_some_and(|known| known.will_wake(waker)) {
            let old = place.replace(waker.clone());
            drop(place);
            drop(old);
        } else {
            drop(place);
        }
        self.bell.going_to_sleep();
    }
    /// The second look was lucky, or the wait is over.
    pub(crate) fn withdraw(&self) {
        self.bell.woke();
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
        let waker = lock(&self.waker).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
