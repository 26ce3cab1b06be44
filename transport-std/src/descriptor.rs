//! A socket as a descriptor, for the poll loops of others.
//!
//! The descriptor is the one that wakes the application from its own sets. It is made readable when a call that would
//! block may succeed, and quiet again by the next call.

use crate::poller::Readiness;
use crate::runtime::sock::Sock;
use crate::sync::{AtomicU32, Ordering};
use std::sync::OnceLock;
use std::task::Waker;

/// The last receive would have blocked.
const RECEIVE: u32 = 1;
/// The last send would have blocked.
const SEND: u32 = 2;
/// The descriptor has been made readable.
const SIGNALLED: u32 = 4;

/// What is known of the last calls, and who is to be told when they may succeed.
#[derive(Default)]
pub(crate) struct Descriptor {
    notes: AtomicU32,
    /// Makes the descriptor readable; only if anybody has asked for it.
    waker: OnceLock<Waker>,
}

/// One direction's note.
fn note(direction: Readiness) -> u32 {
    if direction.receive { RECEIVE } else { SEND }
}

impl Sock {
    /// A call in this direction begins: it says anew whether it would block.
    #[inline]
    pub(crate) fn on_call(&self, direction: Readiness) {
        if self.descriptor.notes.load(Ordering::Relaxed) != 0 {
            self.forget_call(direction);
        }
    }
    #[cold]
    fn forget_call(&self, direction: Readiness) {
        let notes = self.descriptor.notes.fetch_and(!(note(direction) | SIGNALLED), Ordering::SeqCst);
        if self.descriptor.waker.get().is_none() {
            return;
        }
        if notes & note(direction) != 0 {
            let interest = if direction.receive { &self.readers } else { &self.writers };
            interest.withdraw();
        }
        if notes & SIGNALLED != 0 {
            self.sets.quiet();
            // It may have told of the other direction.
            for other in [Readiness::RECEIVE, Readiness::SEND] {
                if other != direction && notes & note(other) != 0 {
                    self.arm_descriptor(other);
                }
            }
        }
    }
    /// A call in this direction would have to wait.
    #[cold]
    pub(crate) fn on_would_block(&self, direction: Readiness) {
        self.descriptor.notes.fetch_or(note(direction), Ordering::SeqCst);
        if self.descriptor.waker.get().is_some() {
            self.sets.quiet();
            self.arm_descriptor(direction);
        }
    }
    /// The descriptor tells when such a call may succeed.
    fn arm_descriptor(&self, direction: Readiness) {
        let Some(waker) = self.descriptor.waker.get() else { return };
        if direction.receive {
            self.await_messages(waker);
        } else {
            self.writers.announce(waker);
        }
        if self.readiness(direction) != Readiness::default() {
            waker.wake_by_ref();
        }
    }
}

#[cfg(all(target_os = "linux", not(portable)))]
mod linux {
    use super::{Ordering, RECEIVE, Readiness, SEND, SIGNALLED, Sock};
    use crate::socket::Socket;
    use std::os::fd::{AsFd, BorrowedFd};
    use std::sync::{Arc, Weak};
    use std::task::{Wake, Waker};

    /// Makes the descriptor readable.
    struct Signal(Weak<Sock>);

    impl Wake for Signal {
        fn wake(self: Arc<Self>) {
            if let Some(sock) = self.0.upgrade() {
                // In this order: whoever sees the note finds the descriptor readable.
                sock.sets.wake();
                sock.descriptor.notes.fetch_or(SIGNALLED, Ordering::SeqCst);
            }
        }
    }

    /// Becomes readable when a call that last said [`WouldBlock`](crate::Error::WouldBlock) may succeed, until the next
    /// call; quiet otherwise, whatever else happens. So call first, and poll when told to wait. It does not say which
    /// direction it is about, and nothing must be read from it.
    ///
    /// ```
    /// use omnimq::{Context, Error, Pull, Push};
    /// use rustix::event::{PollFd, PollFlags, poll};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let context = Context::new()?;
    /// let (mut pull, mut push) = (Pull::new(&context)?, Push::new(&context)?);
    /// push.connect(&pull.bind("tcp://127.0.0.1:*")?)?;
    /// push.send("hello")?;
    /// let message = loop {
    ///     match pull.try_recv() {
    ///         Err(Error::WouldBlock) => {
    ///             poll(&mut [PollFd::new(&pull, PollFlags::IN)], None)?; // beside whatever else is polled
    ///         }
    ///         received => break received?,
    ///     }
    /// };
    /// assert_eq!(message.bytes(), b"hello");
    /// # Ok(())
    /// # }
    /// ```
    impl AsFd for Socket {
        fn as_fd(&self) -> BorrowedFd<'_> {
            let sock = self.sock();
            let mut is_new = false;
            sock.descriptor.waker.get_or_init(|| {
                is_new = true;
                Waker::from(Arc::new(Signal(Arc::downgrade(sock))))
            });
            if is_new {
                let notes = sock.descriptor.notes.load(Ordering::SeqCst);
                for (direction, note) in [(Readiness::RECEIVE, RECEIVE), (Readiness::SEND, SEND)] {
                    if notes & note != 0 {
                        sock.arm_descriptor(direction);
                    }
                }
            }
            sock.sets.descriptor()
        }
    }
}
