//! What a poller waits on: descriptors of the application's, and a bell for its sockets.

use super::linux::{Waker, add, wait_events};
use rustix::event::epoll::{self, CreateFlags, EventFlags};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

/// The bell's token; no descriptor has it.
const BELL: u64 = u64::MAX;

/// Waits for descriptors, level-triggered, and for its bell.
pub(crate) struct Selector {
    set: OwnedFd,
    bell: Waker,
}

/// Rings the bell of a [`Selector`].
pub(crate) struct SelectorWaker(Waker);

impl SelectorWaker {
    pub(crate) fn wake(&self) {
        self.0.wake();
    }
}

impl Selector {
    pub(crate) fn new() -> io::Result<(Self, SelectorWaker)> {
        let (set, bell) = (epoll::create(CreateFlags::CLOEXEC)?, Waker::new()?);
        add(&set, &bell, BELL, EventFlags::IN)?;
        let waker = SelectorWaker(bell.try_clone()?);
        Ok((Self { set, bell }, waker))
    }
    pub(crate) fn add(&self, descriptor: BorrowedFd<'_>, key: usize, read: bool, write: bool) -> io::Result<()> {
        let mut flags = EventFlags::empty();
        flags.set(EventFlags::IN, read);
        flags.set(EventFlags::OUT, write);
        add(&self.set, descriptor, key as u64, flags)
    }
    pub(crate) fn remove(&self, descriptor: BorrowedFd<'_>) -> io::Result<()> {
        Ok(epoll::delete(&self.set, descriptor)?)
    }
    /// Waits; tells which descriptors are readable or writable. One that has failed or ended is both.
    pub(crate) fn wait(&self, timeout: Option<Duration>, mut found: impl FnMut(usize, bool, bool)) -> io::Result<()> {
        wait_events(&self.set, timeout, |token, flags| {
            if token == BELL {
                self.bell.clear();
                return;
            }
            let ended = flags.intersects(EventFlags::HUP | EventFlags::ERR);
            found(token as usize, ended || flags.contains(EventFlags::IN), ended || flags.contains(EventFlags::OUT));
        });
        Ok(())
    }
}
