//! What a subscriber asks its publishers for.

use crate::error::Error;
use crate::runtime::sock::Core;
use crate::socket::Socket;
use crate::sync::lock;

/// Subscribing.
impl Socket {
    /// SUB, XSUB: asks publishers for messages that begin with `topic`; empty means all. Asking twice counts twice. It takes
    /// effect at a publisher when it has got there, so some time after this has returned.
    ///
    /// # Errors
    /// [`Error::NotSupported`] (ENOTSUP), [`Error::NoRoom`] (ENOBUFS), [`Error::TooLarge`] (EMSGSIZE),
    /// [`Error::Terminated`] (ETERM).
    pub fn subscribe(&mut self, topic: impl AsRef<[u8]>) -> Result<(), Error> {
        self.filter(|core| Ok(core.socket.subscribe(topic.as_ref())?))
    }
    /// SUB, XSUB: takes one [`subscribe`](Self::subscribe) back. An unknown topic is ignored.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub fn unsubscribe(&mut self, topic: impl AsRef<[u8]>) -> Result<(), Error> {
        self.filter(|core| Ok(core.socket.unsubscribe(topic.as_ref())?))
    }
    fn filter(&mut self, change: impl FnOnce(&mut Core) -> Result<(), Error>) -> Result<(), Error> {
        self.alive()?;
        let mut core = lock(&self.sock().core);
        self.sock().pump(&mut core);
        let changed = change(&mut core);
        self.sock().publish(core);
        changed
    }
}
