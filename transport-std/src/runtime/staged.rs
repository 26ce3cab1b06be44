//! What an application has staged: handed on to whoever writes or reads it, at once or when the I/O thread looks.

use super::inproc::Companion;
use super::peer::Peer;
use super::sock::{Core, Sock};
use crate::lane::{News, Notices};
use crate::sync::{Locked, Ordering, lock};
use omnimq_core::{PipeId, SocketType};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An application may leave a batch unwritten for this long.
pub(crate) const LOOK: Duration = Duration::from_micros(50);

/// A publisher waits at most this long, at the high-water mark, for whoever is writing for it.
const GIVE_WAY: Duration = Duration::from_millis(1);

/// Who passes on what has been published.
enum Way {
    Stream(Arc<Peer>),
    Socket(Companion, News),
}

impl Way {
    fn go(self, sock: &Sock) {
        match self {
            Self::Stream(peer) => peer.drain(sock),
            Self::Socket(companion, news) => companion.tell(news),
        }
    }
    /// The stream's peer, if it is one.
    fn peer(&self) -> Option<Arc<Peer>> {
        match self {
            Self::Stream(peer) => Some(peer.clone()),
            Self::Socket(..) => None,
        }
    }
}

impl Core {
    /// Hands what is staged for `pipe` to whoever passes it on.
    fn publish(&mut self, pipe: PipeId) -> Option<Way> {
        let tx = &mut self.socket.pipe(pipe)?.tx;
        tx.publish();
        if let Some(Some(peer)) = self.peers.get(pipe.index()) {
            return Some(Way::Stream(peer.clone()));
        }
        let news = tx.news();
        Some(Way::Socket(self.companion(pipe)?.clone(), news))
    }
    /// Whether something is staged that has not been published.
    pub(crate) fn has_staged(&mut self, notices: &Notices) -> bool {
        notices.take_staged(&mut self.staged);
        !self.staged.is_empty()
    }
}

impl Sock {
    /// Notes pipes that something was staged for; true when there are such that were not known.
    #[inline]
    pub(crate) fn collect_staged(&self, core: &mut Core) -> bool {
        self.notices.take_staged(&mut core.staged)
    }
    /// Octets staged by the busiest of the pipes just written to.
    pub(crate) fn most_staged(&self, core: &mut Core) -> usize {
        let last = core.staged.last().copied();
        last.and_then(|pipe| Some(core.socket.pipe(pipe)?.tx.staged())).unwrap_or(0)
    }
    /// Publishes what is staged and writes it, without the lock.
    pub(crate) fn publish(&self, core: Locked<'_, Core>) {
        self.publish_by(core, |way| way.go(self));
    }
    /// As [`publish`](Self::publish), at a high-water mark. Where the next message would be dropped, and somebody else is
    /// at the stream, who may have lost the processor there, they get [`GIVE_WAY`] to be done.
    pub(crate) fn publish_at_mark(&self, core: Locked<'_, Core>) {
        if !matches!(self.socket_type, SocketType::Pub | SocketType::XPub | SocketType::Router) {
            return self.publish(core);
        }
        let mut begun = None;
        self.publish_by(core, |way| {
            let peer = way.peer();
            way.go(self);
            while peer.as_ref().is_some_and(|peer| peer.is_being_written())
                && begun.get_or_insert_with(Instant::now).elapsed() < GIVE_WAY
            {
                std::thread::yield_now();
            }
        });
    }
    #[inline]
    fn publish_by(&self, mut core: Locked<'_, Core>, mut go: impl FnMut(Way)) {
        self.collect_staged(&mut core);
        if core.staged.is_empty() {
            return;
        }
        if let [one] = core.staged[..] {
            core.staged.clear();
            let way = core.publish(one);
            let loose = way.is_none() && core.is_loose(one);
            drop(core);
            if let Some(way) = way {
                go(way);
            }
            if loose {
                self.turn();
            }
            return;
        }
        let staged = std::mem::take(&mut core.staged);
        let loose = staged.iter().any(|&pipe| core.is_loose(pipe));
        let ways: Vec<_> = staged.into_iter().filter_map(|pipe| core.publish(pipe)).collect();
        drop(core);
        if loose {
            self.turn();
        }
        ways.into_iter().for_each(go);
    }
    /// Something is staged: the I/O thread will look before long.
    pub(crate) fn leave_to_look(&self) {
        if self.flush_watch.want() {
            self.io.look_at(self.id);
        }
    }
    /// The I/O thread looks.
    pub(crate) fn look(&self) {
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.flush_watch.fired();
        self.publish(lock(&self.core));
    }
}
