//! Disconnecting: a pipe that the application has left stays for what it was sent, as long as that may linger.
//!
//! No more is sent to it, and its connection goes on as before, is lost and made again, until the last message has gone
//! to the kernel. Whoever writes that tells the I/O thread.

use super::io::Reactor;
use super::peer::Peer;
use super::scratch;
use super::sock::Sock;
use super::timers::Timer;
use crate::sync::lock;
use crate::sys::SockId;
use omnimq_core::{CloseReason, PipeId};
use std::sync::Arc;
use std::time::Duration;

impl Sock {
    /// Nothing more is sent to this pipe; false when it was not in use.
    fn leave(&self, peer: &Peer) -> bool {
        let mut core = lock(&self.core);
        self.pump(&mut core);
        let left = core.socket.leave(peer.pipe);
        if left {
            peer.leave();
        }
        left
    }
}

impl Reactor {
    /// Ends what was connected to `endpoint`, at once or when what was sent there has gone; whether there was anything.
    pub(super) fn disconnect(&mut self, sock: SockId, endpoint: &str) -> bool {
        let Some(served) = self.served.get(&sock) else { return false };
        let sock = served.sock.clone();
        let mut dials = served.dials.iter().filter(|(_, dial)| dial.endpoint() == endpoint);
        let found = dials.find_map(|(&pipe, _)| sock.peer(pipe).filter(|peer| !peer.is_left()));
        let Some(peer) = found else { return false };
        let lingers = sock.live.linger() != Some(Duration::ZERO);
        if lingers && peer.has_messages() && sock.leave(&peer) {
            if let Some(linger) = sock.live.linger() {
                self.timers.after(linger, Timer::Leave { sock: sock.id, pipe: peer.pipe });
            }
            // Whoever wrote the last of it a moment ago did not know.
            self.on_written(sock.id, peer.pipe);
        } else {
            self.end(&sock, &peer);
        }
        true
    }
    /// What a pipe was sent has gone: it may go as well, if it was left.
    pub(super) fn on_written(&mut self, sock: SockId, pipe: PipeId) {
        let Some(sock) = self.served.get(&sock).map(|served| served.sock.clone()) else { return };
        if let Some(peer) = sock.peer(pipe).filter(|peer| peer.is_left() && !peer.has_messages()) {
            self.end(&sock, &peer);
        }
    }
    /// A pipe that was left has lingered long enough.
    pub(super) fn leave_pipe(&mut self, sock: SockId, pipe: PipeId) {
        let Some(sock) = self.served.get(&sock).map(|served| served.sock.clone()) else { return };
        match sock.peer(pipe).filter(|peer| peer.is_left()) {
            Some(peer) => self.end(&sock, &peer),
            None => sock.abandon(pipe),
        }
    }
    /// A pipe to a name that nobody has bound was left: it may linger.
    pub(super) fn abandon_later(&mut self, sock: SockId, pipe: PipeId) {
        if let Some(linger) = self.served.get(&sock).and_then(|served| served.sock.live.linger()) {
            self.timers.after(linger, Timer::Leave { sock, pipe });
        }
    }
    /// Ends a connecting pipe, whatever it has still to write.
    fn end(&mut self, sock: &Arc<Sock>, peer: &Arc<Peer>) {
        let (id, pipe) = (sock.id, peer.pipe);
        for timer in
            [Timer::Reconnect { sock: id, pipe }, Timer::Protocol { sock: id, pipe }, Timer::Leave { sock: id, pipe }]
        {
            self.timers.cancel(timer);
        }
        let loss = peer.loss(CloseReason::Unwanted);
        if let Some(stream) = peer.uninstall(sock, loss) {
            scratch::hang_up(&stream);
            self.on_ended(id, pipe, loss, None);
        }
        if let Some(dial) = self.served.get_mut(&id).and_then(|served| served.dials.remove(&pipe)) {
            self.timers.cancel(Timer::Silence { sock: id, pipe, attempt: dial.attempt() });
        }
        sock.close_pipe(peer);
        self.close_if_flushed(id);
    }
}
