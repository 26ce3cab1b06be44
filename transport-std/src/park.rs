//! Threads that wait without a descriptor: a thread is woken by its waker, as a task is.

use std::sync::Arc;
use std::task::{Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

struct Parked(Thread);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

thread_local! {
    static WAKER: Waker = Waker::from(Arc::new(Parked(std::thread::current())));
}

/// Calls `with` with what wakes this thread from [`park`].
pub(crate) fn with_waker<T>(with: impl FnOnce(&Waker) -> T) -> T {
    WAKER.with(with)
}

/// Waits to be woken, at most `timeout`. May return without either.
pub(crate) fn park(timeout: Option<Duration>) {
    match timeout {
        Some(timeout) => std::thread::park_timeout(timeout),
        None => std::thread::park(),
    }
}
