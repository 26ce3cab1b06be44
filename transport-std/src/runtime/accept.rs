//! Accepting: the listeners of sockets, in the I/O thread.
//!
//! A connection that cannot be accepted, for want of descriptors or memory, stays with its listener, which stays
//! readable: it is taken out of the selector, and put back after a pause.

use super::io::{Command, Reactor};
use super::timers::Timer;
use crate::sys::{Listener, SockId, Token, tcp};
use std::io;
use std::time::Duration;

/// After running out of descriptors, accepting pauses this long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Connections accepted in one turn.
const ACCEPTS: usize = 64;

/// A listener of a socket.
pub(super) struct Listening {
    listener: Listener,
    endpoint: String,
    paused: bool,
    /// The I/O thread has yet to go on accepting here.
    owed: bool,
}

impl Reactor {
    /// Listens for connections to the socket.
    pub(super) fn listen(&mut self, sock: SockId, mut listener: Listener, endpoint: String) -> io::Result<()> {
        let Some(served) = self.served.get_mut(&sock) else { return Ok(()) };
        let n = served.listeners.iter().position(Option::is_none).unwrap_or(served.listeners.len());
        self.io.selector().add_listener(&mut listener, Token::listener(sock, n as u32))?;
        let listening = Some(Listening { listener, endpoint, paused: false, owed: false });
        match served.listeners.get_mut(n) {
            Some(place) => *place = listening,
            None => served.listeners.push(listening),
        }
        Ok(())
    }
    /// Stops listening; whether anything listened there.
    pub(super) fn unlisten(&mut self, sock: SockId, endpoint: &str) -> bool {
        let Some(served) = self.served.get_mut(&sock) else { return false };
        let found = served.listeners.iter_mut().find(|place| place.as_ref().is_some_and(|it| it.endpoint == endpoint));
        let Some(mut listening) = found.and_then(Option::take) else { return false };
        self.io.selector().remove_listener(&mut listening.listener);
        true
    }
    /// The listener has connections.
    pub(super) fn accept(&mut self, sock: SockId, n: u32) {
        for _ in 0..ACCEPTS {
            let Some(listening) = self.listening(sock, n) else { return };
            match tcp::accept(&listening.listener) {
                Ok((stream, _)) => {
                    let Some(served) = self.served.get(&sock) else { return };
                    if let Some(peer) = served.sock.clone().attach(None) {
                        self.begin(sock, &peer, stream);
                    }
                }
                Err(error) if tcp::would_block(&error) => return,
                Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted) => {}
                Err(_) => {
                    // Out of descriptors or memory: the listener stays readable, so it must not be listened to.
                    listening.paused = true;
                    let handle = self.io.clone();
                    if let Some(listening) = self.listening(sock, n) {
                        handle.selector().remove_listener(&mut listening.listener);
                    }
                    self.timers.after(ACCEPT_PAUSE, Timer::Accept { sock, listener: n });
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
