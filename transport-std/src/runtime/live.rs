//! The options of a socket that may change while it lives, and what their change does at once.

use super::io::Command;
use super::sock::Sock;
use crate::options::SocketOptions;
use crate::sync::{AtomicU32, Mutex, Ordering, lock};
use omnimq_core::{Options, PipeId, PipeWriter as _};
use std::time::Duration;

/// The options that may change, as they are.
pub(crate) struct Live {
    linger: Mutex<Option<Duration>>,
    send_hwm: AtomicU32,
    recv_hwm: AtomicU32,
}

impl Live {
    pub(super) fn new(options: &SocketOptions) -> Self {
        Self {
            linger: Mutex::new(options.linger),
            send_hwm: AtomicU32::new(options.send_hwm),
            recv_hwm: AtomicU32::new(options.recv_hwm),
        }
    }
    pub(super) fn linger(&self) -> Option<Duration> {
        *lock(&self.linger)
    }
}

impl Sock {
    /// The mark of its pipes outwards; none where they keep the last message alone.
    pub(super) fn send_hwm(&self) -> u32 {
        if self.notices.conflates { 0 } else { self.live.send_hwm.load(Ordering::SeqCst) }
    }
    /// The mark of its pipes inwards, as [`send_hwm`](Self::send_hwm).
    pub(super) fn recv_hwm(&self) -> u32 {
        if self.notices.conflates { 0 } else { self.live.recv_hwm.load(Ordering::SeqCst) }
    }
    pub(crate) fn set_linger(&self, linger: Option<Duration>) {
        *lock(&self.live.linger) = linger;
    }
    /// Changes options of the pattern.
    pub(crate) fn set_pattern(&self, pattern: &Options) {
        lock(&self.core).socket.configure(pattern);
        // What could not be sent a moment ago may be dropped, or the other way round.
        self.ring_writer();
    }
    /// The mark of all pipes outwards, of those that there are too.
    pub(crate) fn set_send_hwm(&self, hwm: u32) {
        self.live.send_hwm.store(hwm, Ordering::SeqCst);
        let hwm = self.send_hwm();
        for pipe in self.pipes() {
            let sum = self.companion_of(pipe).and_then(|companion| companion.mark_there(hwm));
            self.set_mark(pipe, sum.unwrap_or(hwm));
        }
    }
    /// The mark of all pipes inwards, of those that there are too; not of multicast sessions.
    pub(crate) fn set_recv_hwm(&self, hwm: u32) {
        self.live.recv_hwm.store(hwm, Ordering::SeqCst);
        let hwm = self.recv_hwm();
        for pipe in self.pipes() {
            if let Some(peer) = self.peer(pipe) {
                lock(&peer.protocol).intake.set_hwm(hwm);
                self.mail.push(pipe);
                // Its reading may have stopped at the old mark.
                self.io.send(Command::Read { sock: self.id, pipe });
            } else if let Some(companion) = self.companion_of(pipe) {
                companion.set_mark_back(hwm);
            }
        }
        self.work();
    }
    /// The mark of one pipe outwards.
    pub(super) fn set_mark(&self, pipe: PipeId, hwm: u32) {
        let mut core = lock(&self.core);
        self.pump(&mut core);
        if let Some(pipe) = core.socket.pipe(pipe) {
            pipe.tx.set_hwm(hwm);
            pipe.tx.flush();
        }
        Self::look_into(&mut core, pipe);
        self.publish(core);
        self.ring_writer();
    }
}
