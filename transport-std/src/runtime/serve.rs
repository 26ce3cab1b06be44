//! Reading for applications that are away, and leaving those alone that are not.
//!
//! The kernel wakes the application if it waits on its own set, else the I/O thread through the background set. An
//! application that is between two receives would have read for itself in a moment: then the I/O thread *naps* on that
//! socket, which costs two calls per nap instead of a wake-up per arrival, and looks again.

use super::io::Reactor;
use super::seat::Rest;
use super::sock::{NAP, Sock};
use super::timers::Timer;
use crate::sync::Ordering;
use crate::sys::{SockId, Token};
use omnimq_core::PipeId;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest nap: an absence that begins in a busy spell is noticed this late.
const NAP_MAX: Duration = Duration::from_millis(32);

/// What the I/O thread remembers of a socket's application.
#[derive(Default)]
pub(super) struct Seen {
    phase: u32,
    round: u64,
    /// Until then the socket's arrivals wake nobody here.
    nap_until: Option<Instant>,
    nap: Duration,
    /// Arrivals not acted on, because the application may be about to.
    later: Vec<PipeId>,
}

impl Reactor {
    /// The application has not been in a receive since an earlier round.
    fn away(&mut self, sock: &Sock) -> bool {
        let phase = sock.phase.load(Ordering::SeqCst);
        let round = self.round;
        let Some(served) = self.served.get_mut(&sock.id) else { return false };
        let seen = &mut served.seen;
        if seen.phase == phase {
            return phase & 1 == 0 && seen.round < round;
        }
        (seen.phase, seen.round) = (phase, round);
        false
    }
    fn sock(&self, sock: SockId) -> Option<Arc<Sock>> {
        Some(self.served.get(&sock)?.sock.clone())
    }
    /// The background set has something.
    pub(super) fn set_event(&mut self, sock: SockId) {
        let Some(served) = self.served.get_mut(&sock) else { return };
        if served.seen.nap_until.is_some() {
            return;
        }
        let sock = served.sock.clone();
        sock.sets.harvest(&mut served.seen.later);
        self.serve(&sock, false);
    }
    /// The application waits for what the I/O thread has let lie.
    pub(super) fn rouse(&mut self, sock: SockId) {
        if let Some(served) = self.served.get_mut(&sock)
            && served.seen.nap_until.is_some()
        {
            served.seen.nap_until = Some(Instant::now());
            self.nap_over(sock);
        }
    }
    pub(super) fn nap_over(&mut self, sock: SockId) {
        let Some(served) = self.served.get_mut(&sock) else { return };
        if served.seen.nap_until.is_none_or(|until| until > Instant::now()) {
            return;
        }
        let sock = served.sock.clone();
        sock.sets.harvest(&mut served.seen.later);
        self.serve(&sock, true);
    }
    /// The application left input it knew of.
    pub(super) fn left_hot(&mut self, sock: SockId) {
        let Some(sock) = self.sock(sock) else { return };
        if self.served.get(&sock.id).is_some_and(|served| served.seen.nap_until.is_some()) {
            return;
        }
        self.collect_hot(&sock);
        if self.served.get(&sock.id).is_some_and(|served| !served.seen.later.is_empty()) {
            self.serve(&sock, false);
        }
    }
    fn collect_hot(&mut self, sock: &Sock) {
        sock.hot_fired();
        let Some(served) = self.served.get_mut(&sock.id) else { return };
        for peer in sock.peers() {
            if peer.hot.swap(false, Ordering::AcqRel) {
                served.seen.later.push(peer.pipe);
            }
        }
    }
    /// Reads for an application that is away, or goes without its arrivals for a while.
    fn serve(&mut self, sock: &Arc<Sock>, napping: bool) {
        let asleep = sock.reader.state() == Rest::Asleep;
        let away = sock.is_delegated() || self.away(sock);
        if napping {
            self.collect_hot(sock);
        }
        let round = self.round;
        let Some(served) = self.served.get_mut(&sock.id) else { return };
        let (seen, token) = (&mut served.seen, Token::set(sock.id));
        // A busy application's arrivals are the same few pipes over and over.
        seen.later.sort_unstable();
        seen.later.dedup();
        if away {
            seen.nap = NAP;
            seen.nap_until = None;
            sock.napping.store(false, Ordering::SeqCst);
            let later = std::mem::take(&mut seen.later);
            if napping {
                sock.sets.listen(sock.io.selector(), token, true);
            }
            for peer in later.into_iter().filter_map(|pipe| sock.peer(pipe)) {
                self.read(sock, &peer);
            }
            return;
        }
        if asleep && napping && seen.round < round {
            // It has waited on its own set, which had the same edges, since before the nap: quiet. One that was about
            // to wake may have left them there, so a shorter sleep proves nothing.
            seen.later.clear();
            seen.nap_until = None;
            sock.napping.store(false, Ordering::SeqCst);
            sock.sets.listen(sock.io.selector(), token, true);
            return;
        }
        // Set without the alarm: the end of the nap will look.
        sock.hot_is_watched();
        if !napping {
            sock.sets.listen(sock.io.selector(), token, false);
        }
        seen.nap = if napping { (seen.nap * 2).min(NAP_MAX) } else { seen.nap.max(NAP) };
        let until = Instant::now() + seen.nap;
        seen.nap_until = Some(until);
        sock.napping.store(true, Ordering::SeqCst);
        if sock.is_delegated() {
            // It has been, since this looked.
            sock.io.send(super::io::Command::Rouse { sock: sock.id });
        }
        self.timers.at(until, Timer::Nap { sock: sock.id });
    }
}
