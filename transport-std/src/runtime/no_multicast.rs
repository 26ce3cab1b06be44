//! What stands for multicast where it is not: nobody takes part in a session.

use super::io::Reactor;
use super::sock::Sock;
use crate::error::Error;
use crate::sys::SockId;
use omnimq_core::Endpoint;
use std::io;
use std::sync::Arc;

/// There is none.
pub(crate) enum Session {}

/// There are none.
#[derive(Default)]
pub(super) struct Sessions(());

impl Session {
    pub(crate) fn open(_: &Endpoint<'_>, text: &str, _: &Arc<Sock>) -> Result<Self, Error> {
        Err(Error::Transport(text.into()))
    }
}

impl Sessions {
    pub(super) fn close(&self) {}
    pub(super) fn is_finished(&self) -> bool {
        true
    }
}

impl Reactor {
    pub(super) fn join(&mut self, _: SockId, session: Session) -> io::Result<()> {
        match session {}
    }
    pub(super) fn leave(&mut self, _: SockId, _: &str) -> bool {
        false
    }
    pub(super) fn turn(&mut self, sock: SockId, _: bool) {
        if let Some(served) = self.served.get(&sock) {
            served.sock.turn_fired();
        }
    }
    pub(super) fn sessions_due(&mut self, _: SockId) {}
}
