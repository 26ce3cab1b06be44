//! The atomics and locks of the runtime; under `--cfg loom` the model checker's.

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};

#[cfg(loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard};
#[cfg(not(loom))]
pub(crate) use std::sync::{Mutex, MutexGuard};

use std::sync::PoisonError;

/// A locked value.
#[cfg(any(loom, not(debug_assertions)))]
pub(crate) type Locked<'a, T> = MutexGuard<'a, T>;
#[cfg(not(any(loom, not(debug_assertions))))]
pub(crate) use counted::Locked;

/// Locks `mutex` for the time of a computation: nobody who waits for it waits for a system call. A panic elsewhere does
/// not spread: every critical section leaves its data whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> Locked<'_, T> {
    Locked::from(lock_across_calls(mutex))
}

/// Locks `mutex`, which may be held across system calls: no application takes it in order to send.
pub(crate) fn lock_across_calls<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A system call begins. In debug builds, and so in every test, it is made sure that its thread holds no lock which
/// others take in order to send.
#[inline]
pub(crate) fn entering_system() {
    #[cfg(not(any(loom, not(debug_assertions))))]
    counted::expect_none();
}

/// How many locks a thread holds.
#[cfg(not(any(loom, not(debug_assertions))))]
mod counted {
    use super::MutexGuard;
    use std::cell::Cell;
    use std::ops::{Deref, DerefMut};

    thread_local! {
        static HELD: Cell<u32> = const { Cell::new(0) };
    }

    /// A locked value; it counts while it lives.
    pub(crate) struct Locked<'a, T>(MutexGuard<'a, T>);

    pub(super) fn expect_none() {
        HELD.with(|held| assert_eq!(held.get(), 0, "a lock is held across a system call"));
    }

    impl<'a, T> From<MutexGuard<'a, T>> for Locked<'a, T> {
        fn from(guard: MutexGuard<'a, T>) -> Self {
            HELD.with(|held| held.set(held.get() + 1));
            Self(guard)
        }
    }

    impl<T> Drop for Locked<'_, T> {
        fn drop(&mut self) {
            HELD.with(|held| held.set(held.get() - 1));
        }
    }

    impl<T> Deref for Locked<'_, T> {
        type Target = T;
        fn deref(&self) -> &T {
            &self.0
        }
    }

    impl<T> DerefMut for Locked<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            &mut self.0
        }
    }
}

#[cfg(all(test, debug_assertions, not(loom)))]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "a lock is held across a system call")]
    fn a_lock_held_across_a_system_call_is_told() {
        let mutex = Mutex::new(());
        let _held = lock(&mutex);
        entering_system();
    }

    #[test]
    fn a_lock_that_was_let_go_is_no_more_counted() {
        let (one, other) = (Mutex::new(1), Mutex::new(2));
        assert_eq!(*lock(&one) + *lock(&other), 3);
        let _reading = lock_across_calls(&one);
        entering_system();
    }
}
