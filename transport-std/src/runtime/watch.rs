//! What the I/O thread tells a socket's monitors.

use super::io::Reactor;
use super::peer::Loss;
use super::sock::Sock;
use crate::event::Event;
use crate::socket::PeerId;
use crate::sys::SockId;
use omnimq_core::{CloseReason, PipeId};
use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// What is remembered of a socket's streams to tell of them.
#[derive(Default)]
pub(super) struct Streams {
    /// Those whose handshake is over.
    settled: HashSet<PipeId>,
}

impl Streams {
    /// Whether the handshake on this pipe's stream is over.
    pub(super) fn is_settled(&self, pipe: PipeId) -> bool {
        self.settled.contains(&pipe)
    }
}

impl Sock {
    /// Tells an event to those who ask, if any.
    #[inline]
    pub(crate) fn tell(&self, event: impl FnOnce() -> Event) {
        if self.watchers.any() {
            self.watchers.tell(&event());
        }
    }
    /// Who the other side of this pipe is to the application.
    pub(super) fn peer_id(&self, pipe: PipeId) -> PeerId {
        let mut core = crate::sync::lock(&self.core);
        PeerId(core.socket.pipe(pipe).map_or(0, |pipe| pipe.tx.peer()))
    }
}

impl Reactor {
    /// Tells of something that happened to the stream of a pipe.
    fn tell_stream(&self, sock: SockId, pipe: PipeId, event: impl FnOnce(String, PeerId) -> Event) {
        let Some(served) = self.served.get(&sock) else { return };
        served.sock.tell(|| {
            let peer = served.sock.peer(pipe);
            let endpoint = peer.as_ref().and_then(|peer| peer.place()).unwrap_or_default();
            event(endpoint.into(), served.sock.peer_id(pipe))
        });
    }
    pub(super) fn tell_accepted(&self, sock: SockId, pipe: PipeId, stream: &crate::sys::Stream) {
        self.tell_stream(sock, pipe, |endpoint, peer| {
            let address = crate::sys::peer_address(stream);
            Event::Accepted { endpoint, peer, address }
        });
    }
    pub(super) fn tell_connected(&self, sock: SockId, pipe: PipeId) {
        self.tell_stream(sock, pipe, |endpoint, peer| Event::Connected { endpoint, peer });
    }
    pub(super) fn tell_delayed(&self, sock: SockId, pipe: PipeId) {
        self.tell_stream(sock, pipe, |endpoint, _| Event::ConnectDelayed { endpoint });
    }
    /// No address could be connected to; it is tried again after a while, or not.
    pub(super) fn tell_failed(&self, sock: SockId, pipe: PipeId, error: io::Error, again: Option<Duration>) {
        self.tell_stream(sock, pipe, |endpoint, _| Event::ConnectFailed { endpoint, error: Arc::new(error) });
        self.tell_again(sock, pipe, again);
    }
    fn tell_again(&self, sock: SockId, pipe: PipeId, again: Option<Duration>) {
        self.tell_stream(sock, pipe, |endpoint, _| match again {
            Some(after) => Event::ConnectRetried { endpoint, after },
            None => Event::ConnectGivenUp { endpoint },
        });
    }
    pub(super) fn on_settled(&mut self, sock: SockId, pipe: PipeId) {
        let Some(served) = self.served.get_mut(&sock) else { return };
        if served.streams.settled.insert(pipe) {
            self.tell_stream(sock, pipe, |endpoint, peer| Event::HandshakeSucceeded { endpoint, peer });
        }
    }
    /// A stream has ended. It is connected again after a while, or not.
    pub(super) fn on_ended(&mut self, sock: SockId, pipe: PipeId, loss: Loss, again: Option<Duration>) {
        let Some(served) = self.served.get_mut(&sock) else { return };
        let (reason, settled) = (loss.reason, served.streams.settled.remove(&pipe));
        self.tell_stream(sock, pipe, |endpoint, peer| {
            if settled {
                Event::Disconnected { endpoint, peer, reason }
            } else {
                Event::HandshakeFailed { endpoint, peer, reason }
            }
        });
        if self.served.get(&sock).is_some_and(|served| served.dials.contains_key(&pipe)) && reason != CloseReason::Unwanted {
            self.tell_again(sock, pipe, again);
        }
    }
}
