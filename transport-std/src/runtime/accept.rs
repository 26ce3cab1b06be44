//! Accepting: the listeners of sockets, in the I/O thread.
//!
//! A connection that cannot be accepted, for want of descriptors or memory, stays with its listener, which stays
//! readable: it is taken out of the selector, and put back after a pause.

use super::io::{Command, Reactor};
use super::sock::Sock;
use super::timers::Timer;
use crate::event::Event;
use crate::sys::{self, Listener, SockId, Token};
use omnimq_core::{CloseReason, Limit};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// After running out of descriptors, accepting pauses this long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Connections accepted in one turn.
const ACCEPTS: usize = 64;

/// A listener of a socket.
pub(super) struct Listening {
    listener: Listener,
    /// Where it listens.
    endpoint: Arc<str>,
    /// Where it was asked to.
    asked: String,
    paused: bool,
    /// The I/O thread has yet to go on accepting here.
    owed: bool,
}

impl Listening {
    /// Gives the port or name back.
    pub(super) fn end(self, sock: &Sock) {
        let closed = self.listener.close();
        sock.places.bound.remove(&self.endpoint);
        let endpoint = || self.endpoint.to_string();
        sock.tell(|| match closed {
            Ok(()) => Event::Closed { endpoint: endpoint() },
            Err(error) => Event::CloseFailed { endpoint: endpoint(), error: Arc::new(error) },
        });
    }
}

impl Reactor {
    /// Listens for connections to the socket.
    pub(super) fn listen(
        &mut self,
        sock: SockId,
        mut listener: Listener,
        endpoint: String,
        asked: String,
    ) -> io::Result<()> {
        let Some(served) = self.served.get_mut(&sock) else { return Ok(()) };
        let n = served.listeners.iter().position(Option::is_none).unwrap_or(served.listeners.len());
        self.io.selector().add_listener(&mut listener, Token::listener(sock, n as u32))?;
        served.sock.places.bound.add(&endpoint);
        served.sock.tell(|| Event::Listening { endpoint: endpoint.clone() });
        let listening = Some(Listening { listener, endpoint: endpoint.into(), asked, paused: false, owed: false });
        match served.listeners.get_mut(n) {
            Some(place) => *place = listening,
            None => served.listeners.push(listening),
        }
        Ok(())
    }
    /// Stops listening at `endpoint`, as it is or as it was asked for, and gives the port or name back; whether anything
    /// listened there. Of several that were asked for alike it is one.
    pub(super) fn unlisten(&mut self, sock: SockId, endpoint: &str) -> bool {
        let Some(served) = self.served.get_mut(&sock) else { return false };
        let find = |is: fn(&Listening) -> &str| {
            served.listeners.iter().position(|place| place.as_ref().is_some_and(|it| is(it) == endpoint))
        };
        let found = find(|it| &*it.endpoint).or_else(|| find(|it| &it.asked));
        let Some(mut listening) = found.and_then(|n| served.listeners.get_mut(n)?.take()) else { return false };
        self.io.selector().remove_listener(&mut listening.listener);
        listening.end(&served.sock);
        true
    }
    /// The listener has connections.
    pub(super) fn accept(&mut self, sock: SockId, n: u32) {
        for _ in 0..ACCEPTS {
            let Some(listening) = self.listening(sock, n) else { return };
            match listening.listener.accept() {
                Ok(stream) => {
                    let endpoint = listening.endpoint.clone();
                    let Some(served) = self.served.get(&sock) else { return };
                    match served.sock.attach(None) {
                        Some(peer) => {
                            let _ = peer.accepted.set(endpoint);
                            self.tell_accepted(sock, peer.pipe, &stream);
                            self.begin(sock, &peer, stream);
                        }
                        None => served.sock.tell(|| Event::Refused {
                            endpoint: endpoint.to_string(),
                            address: sys::peer_address(&stream),
                            reason: CloseReason::Limit(Limit::Peers),
                        }),
                    }
                }
                Err(error) if sys::would_block(&error) => return,
                Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted) => {}
                Err(error) => {
                    let (endpoint, error) = (listening.endpoint.to_string(), Arc::new(error));
                    // Out of descriptors or memory: the listener stays readable, so it must not be listened to.
                    listening.paused = true;
                    let handle = self.io.clone();
                    if let Some(listening) = self.listening(sock, n) {
                        handle.selector().remove_listener(&mut listening.listener);
                    }
                    self.timers.after(ACCEPT_PAUSE, Timer::Accept { sock, listener: n });
                    if let Some(served) = self.served.get(&sock) {
                        served.sock.tell(|| Event::AcceptFailed { endpoint, error });
                    }
                    return;
                }
            }
        }
        // There may be more, and a selector that tells edges does not tell of it.
        if let Some(listening) = self.listening(sock, n)
            && !std::mem::replace(&mut listening.owed, true)
        {
            self.io.send(Command::Accept { sock, listener: n });
        }
    }
    pub(super) fn go_on_accepting(&mut self, sock: SockId, n: u32) {
        if let Some(listening) = self.listening(sock, n) {
            listening.owed = false;
            self.accept(sock, n);
        }
    }
    fn listening(&mut self, sock: SockId, n: u32) -> Option<&mut Listening> {
        self.served.get_mut(&sock)?.listeners.get_mut(n as usize)?.as_mut()
    }
    /// The pause is over.
    pub(super) fn resume_accepting(&mut self, sock: SockId, n: u32) {
        let handle = self.io.clone();
        let Some(listening) = self.listening(sock, n).filter(|listening| listening.paused) else { return };
        listening.paused = false;
        if handle.selector().add_listener(&mut listening.listener, Token::listener(sock, n)).is_err() {
            listening.paused = true;
            self.timers.after(ACCEPT_PAUSE, Timer::Accept { sock, listener: n });
        }
    }
}
