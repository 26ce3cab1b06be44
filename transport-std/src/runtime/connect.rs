//! Connecting, and connecting again: the dials of sockets, in the I/O thread.

use super::io::{Command, Io, Reactor};
use super::peer::Peer;
use super::timers::Timer;
use crate::dial::Step;
use crate::endpoint;
use crate::sys::{self, SockId, Token};
use omnimq_core::PipeId;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

impl Reactor {
    /// Takes the next step towards a connection.
    pub(super) fn dial(&mut self, sock: SockId, pipe: PipeId) {
        let (io, now) = (self.io.clone(), self.io.now());
        let Some(served) = self.served.get_mut(&sock) else { return };
        let Some(dial) = served.dials.get_mut(&pipe) else { return };
        loop {
            match dial.next(&served.sock.options.stream(), now) {
                Step::Resolve { name, port, ipv6 } => {
                    let Some(peer) = served.sock.peer(pipe) else { return };
                    let answer = Answer { io: io.clone(), sock, peer, addresses: Err(io::ErrorKind::OutOfMemory.into()) };
                    io.resolver.run(move || answer.find(&name, port, ipv6));
                }
                Step::Connecting(mut stream, patience) => {
                    if io.selector().add_stream(&mut stream, Token::stream(sock, pipe)).is_err() {
                        continue;
                    }
                    dial.wait_for(stream);
                    if let Some(patience) = patience {
                        self.timers.after(patience, Timer::Silence { sock, pipe, attempt: dial.attempt() });
                    }
                    self.tell_delayed(sock, pipe);
                }
                Step::Later(delay) => {
                    let error = dial.take_error();
                    self.timers.after(delay, Timer::Reconnect { sock, pipe });
                    self.tell_failed(sock, pipe, error, Some(delay));
                }
                Step::Never => {
                    let error = dial.take_error();
                    self.tell_failed(sock, pipe, error, None);
                    let Some(served) = self.served.get_mut(&sock) else { return };
                    served.dials.remove(&pipe);
                    let sock = served.sock.clone();
                    self.timers.cancel(Timer::Leave { sock: sock.id, pipe });
                    if let Some(peer) = sock.peer(pipe) {
                        sock.close_pipe(&peer);
                    }
                }
                Step::Wait => {}
            }
            return;
        }
    }
    pub(super) fn redial(&mut self, sock: SockId, pipe: PipeId) {
        let now = self.io.now();
        if let Some(dial) = self.served.get_mut(&sock).and_then(|served| served.dials.get_mut(&pipe)) {
            dial.on_timeout(now);
            self.dial(sock, pipe);
        }
    }
    pub(super) fn on_silence(&mut self, sock: SockId, pipe: PipeId, attempt: u32) {
        let dial = self.served.get_mut(&sock).and_then(|served| served.dials.get_mut(&pipe));
        if dial.is_some_and(|dial| dial.on_silence(attempt)) {
            self.dial(sock, pipe);
        }
    }
    pub(super) fn on_connected(&mut self, sock: SockId, pipe: PipeId) {
        let Some(served) = self.served.get_mut(&sock) else { return };
        let Some(dial) = served.dials.get_mut(&pipe) else { return };
        self.timers.cancel(Timer::Silence { sock, pipe, attempt: dial.attempt() });
        match dial.connected() {
            None => self.dial(sock, pipe),
            Some(stream) => {
                let Some(peer) = served.sock.peer(pipe) else { return };
                self.tell_connected(sock, pipe);
                self.resume(sock, &peer, stream);
            }
        }
    }
    /// A connection begins on a stream that is registered already.
    pub(super) fn resume(&mut self, sock: SockId, peer: &Arc<Peer>, stream: sys::Stream) {
        let Some(served) = self.served.get(&sock) else { return };
        let sock = served.sock.clone();
        peer.install(&sock, Arc::new(stream));
        self.greet(&sock, peer);
        self.read(&sock, peer);
    }
}

/// Somebody looks a name up: whatever becomes of that, the I/O thread is told.
struct Answer {
    io: Arc<Io>,
    sock: SockId,
    peer: Arc<Peer>,
    addresses: io::Result<Vec<SocketAddr>>,
}

impl Answer {
    fn find(mut self, name: &str, port: u16, ipv6: bool) {
        self.addresses = endpoint::lookup(name, port, ipv6);
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        let addresses = std::mem::replace(&mut self.addresses, Ok(Vec::new()));
        self.io.send(Command::Resolved { sock: self.sock, peer: self.peer.clone(), addresses });
    }
}
