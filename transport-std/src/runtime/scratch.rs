//! Read buffers: one thread's, reused as soon as no message holds on to them.

use std::cell::RefCell;
use std::sync::Arc;

/// Octets of one read at most.
pub(crate) const SIZE: usize = 256 << 10;

/// Reads of this size and more keep their buffer; the messages of smaller ones are copied out of it. So a message
/// never holds more than twice the octets that came with it.
pub(crate) const KEEP: usize = SIZE / 2;

/// Buffers a thread keeps for when their messages have gone.
const SPARE: usize = 8;

thread_local! {
    static POOL: RefCell<Vec<Arc<Vec<u8>>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer nobody else holds.
pub(crate) fn take() -> Arc<Vec<u8>> {
    POOL.with_borrow_mut(|pool| {
        let free = pool.iter_mut().position(|buffer| Arc::get_mut(buffer).is_some());
        match free {
            Some(at) => pool.swap_remove(at),
            None => {
                pool.truncate(SPARE - 1);
                Arc::new(vec![0; SIZE])
            }
        }
    })
}

/// Gives a buffer back, perhaps while messages still hold it.
pub(crate) fn put(buffer: Arc<Vec<u8>>) {
    POOL.with_borrow_mut(|pool| {
        if pool.len() < SPARE {
            pool.push(buffer);
        }
    });
}
