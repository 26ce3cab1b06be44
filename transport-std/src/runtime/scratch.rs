//! Read buffers: one thread's, reused as soon as no message holds on to them.

use crate::sys::{self, Stream};
use std::cell::RefCell;
use std::sync::Arc;

/// Octets of one read at most.
pub(crate) const SIZE: usize = 256 << 10;

/// Reads of this size and more share their buffer with the messages; those of smaller ones are copied out of it. So
/// a message never holds more than twice the octets that came with it.
pub(crate) const KEEP: usize = SIZE / 2;

/// Shared buffers a thread keeps for when their messages have gone.
const SPARE: usize = 8;

/// Reads made of a stream that nobody will read any more, at most.
const DISCARDS: usize = 64;

struct Pool {
    own: Option<Vec<u8>>,
    shared: Vec<Arc<Vec<u8>>>,
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { own: None, shared: Vec::new() }) };
}

/// A buffer nobody else holds, of [`SIZE`] octets.
pub(crate) fn take() -> Vec<u8> {
    POOL.with_borrow_mut(|pool| pool.own.take().unwrap_or_else(|| pool.reclaim().unwrap_or_else(|| vec![0; SIZE])))
}

/// Gives a buffer back.
pub(crate) fn put(buffer: Vec<u8>) {
    POOL.with_borrow_mut(|pool| pool.own = Some(buffer));
}

/// Gives a buffer back that messages may hold.
pub(crate) fn share(buffer: Arc<Vec<u8>>) {
    POOL.with_borrow_mut(|pool| {
        if pool.shared.len() == SPARE {
            pool.shared.remove(0);
        }
        pool.shared.push(buffer);
    });
}

/// Ends a stream whose last octets may still be on their way: one that is closed with input unread is reset, and what the
/// kernel has yet to send is lost.
pub(crate) fn hang_up(stream: &Stream) {
    let _ = stream.shutdown(std::net::Shutdown::Write);
    discard_input(stream);
}

/// Reads what a stream has, for nobody, as far as that is not without end.
fn discard_input(stream: &Stream) {
    let mut buffer = take();
    for _ in 0..DISCARDS {
        if sys::read(stream, &mut buffer).is_ok_and(|n| n == buffer.len()) {
            continue;
        }
        break;
    }
    put(buffer);
}

impl Pool {
    /// A shared buffer whose messages have gone.
    fn reclaim(&mut self) -> Option<Vec<u8>> {
        let free = self.shared.iter_mut().position(|buffer| Arc::get_mut(buffer).is_some())?;
        Arc::try_unwrap(self.shared.swap_remove(free)).ok()
    }
}
