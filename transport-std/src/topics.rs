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
    /// ```
    /// use omnimq::{Pub, Sub};
    /// # let context = omnimq::Context::new()?;
    /// # let (mut news, mut sub) = (Pub::new(&context)?, Sub::new(&context)?);
    /// # sub.connect(&news.bind("inproc://news")?)?;
    /// # sub.set_recv_timeout(Some(std::time::Duration::from_secs(30)));
    /// sub.subscribe("score")?;
    /// news.send(["weather", "rain"])?; // nobody asked
    /// news.send(["scores", "3:1"])?;
    /// assert_eq!(&sub.recv()?[1][..], b"3:1");
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotSupported`] (ENOTSUP), [`Error::NoRoom`] (ENOBUFS), [`Error::TooLarge`] (EMSGSIZE),
    /// [`Error::Terminated`] (ETERM).
    pub fn subscribe(&mut self, topic: impl AsRef<[u8]>) -> Result<(), Error> {
        self.filter(|core| Ok(core.socket.subscribe(topic.as_ref())?))
    }
    /// SUB, XSUB: takes one [`subscribe`](Self::subscribe) back. An unknown topic is ignored.
    ///
    /// ```
    /// use omnimq::{Sub, XPub};
    /// # let context = omnimq::Context::new()?;
    /// # let (mut news, mut sub) = (XPub::new(&context)?, Sub::new(&context)?);
    /// # sub.connect(&news.bind("inproc://news")?)?;
    /// # news.set_recv_timeout(Some(std::time::Duration::from_secs(30)));
    /// sub.subscribe("score")?;
    /// sub.subscribe("score")?;
    /// sub.unsubscribe("score")?; // one is left
    /// sub.unsubscribe("score")?;
    /// assert_eq!(news.recv()?.bytes(), b"\x01score");
    /// assert_eq!(news.recv()?.bytes(), b"\x00score"); // the publisher is told of the last alone
    /// # Ok::<(), omnimq::Error>(())
    /// ```
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
