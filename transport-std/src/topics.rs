//! What a subscriber asks its publishers for, and what an XPUB gives that applies subscriptions by hand.

use crate::error::Error;
use crate::runtime::sock::Core;
use crate::socket::Socket;
use crate::sync::lock;
use omnimq_core::SocketType;

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
    /// XPUB with [`manual`](omnimq_core::Options::manual): gives the peer whose subscription or cancellation was received last
    /// the messages that begin with `topic`, whatever it asked for (ZMQ_SUBSCRIBE after ZMQ_XPUB_MANUAL). Nothing happens if
    /// that peer has gone, or none has asked yet.
    ///
    /// ```
    /// use omnimq::{SocketOptions, Sub, XPub};
    /// # let context = omnimq::Context::new()?;
    /// let mut options = SocketOptions::default();
    /// options.pattern.manual = true;
    /// let mut publisher = XPub::with(&context, options)?;
    /// let mut sub = Sub::new(&context)?;
    /// # publisher.set_recv_timeout(Some(std::time::Duration::from_secs(30)));
    /// # sub.set_recv_timeout(Some(std::time::Duration::from_secs(30)));
    /// sub.connect(&publisher.bind("tcp://127.0.0.1:*")?)?;
    /// sub.subscribe("prices")?;
    ///
    /// assert_eq!(publisher.recv()?.bytes(), b"\x01prices"); // 1: it subscribes
    /// publisher.subscribe_last("prices.public")?; // it may have these
    /// publisher.send("prices.secret: 7")?;
    /// publisher.send("prices.public: 8")?;
    /// assert_eq!(sub.recv()?.bytes(), b"prices.public: 8");
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotSupported`] (ENOTSUP) for another type, [`Error::Option`] (EINVAL) without `manual`, [`Error::NoRoom`]
    /// (ENOBUFS) when the peer has as many topics as it may, [`Error::Terminated`] (ETERM).
    pub fn subscribe_last(&mut self, topic: impl AsRef<[u8]>) -> Result<(), Error> {
        self.can_answer()?;
        self.subscribe(topic)
    }
    /// Takes back what [`subscribe_last`](Self::subscribe_last) gave to the peer whose subscription or cancellation was
    /// received last (ZMQ_UNSUBSCRIBE after ZMQ_XPUB_MANUAL). An unknown topic is ignored.
    ///
    /// ```
    /// # use omnimq::{SocketOptions, Sub, XPub};
    /// # let context = omnimq::Context::new()?;
    /// # let mut options = SocketOptions::default();
    /// # options.pattern.manual = true;
    /// # options.recv_timeout = Some(std::time::Duration::from_secs(30));
    /// # let (mut publisher, mut sub) = (XPub::with(&context, options.clone())?, Sub::with(&context, options)?);
    /// # sub.connect(&publisher.bind("tcp://127.0.0.1:*")?)?;
    /// sub.subscribe("prices")?;
    /// publisher.recv()?;
    /// publisher.subscribe_last("prices.public")?;
    /// sub.unsubscribe("prices")?;
    /// assert_eq!(publisher.recv()?.bytes(), b"\x00prices"); // 0: it wants no more
    /// publisher.unsubscribe_last("prices.public")?;
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`subscribe_last`](Self::subscribe_last), but for `NoRoom`.
    pub fn unsubscribe_last(&mut self, topic: impl AsRef<[u8]>) -> Result<(), Error> {
        self.can_answer()?;
        self.unsubscribe(topic)
    }
    fn can_answer(&self) -> Result<(), Error> {
        match self.socket_type() {
            SocketType::XPub if self.options.pattern.manual => Ok(()),
            SocketType::XPub => Err(Error::Option("manual is off: subscriptions apply as they come")),
            _ => Err(Error::NotSupported),
        }
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
