//! The two directions of one socket, for two threads or tasks.

use crate::error::{Error, SendError};
use crate::futures::{Receiving, Sending};
use crate::message::{Frame, Message, Outgoing};
use crate::socket::Socket;
use omnimq_core::SocketType;
use std::time::Duration;

/// The half of a socket that sends: see [`Socket::split`].
///
/// ```
/// # use omnimq::{Context, Pair, SendHalf};
/// # let context = Context::new()?;
/// # let (mut near, mut far) = (Pair::new(&context)?, Pair::new(&context)?);
/// # near.connect(&far.bind("inproc://pair")?)?;
/// # far.set_recv_timeout(Some(std::time::Duration::from_secs(30)));
/// fn greet(mut to: SendHalf) -> Result<(), omnimq::Error> {
///     Ok(to.send("hello")?)
/// }
/// let (sender, receiver) = near.split();
/// std::thread::spawn(move || greet(sender)).join().unwrap()?;
/// assert_eq!(far.recv()?.bytes(), b"hello");
/// # drop(receiver);
/// # Ok::<(), omnimq::Error>(())
/// ```
pub struct SendHalf(Socket);

/// The half of a socket that receives: see [`Socket::split`].
///
/// ```
/// # use omnimq::{Context, Pair};
/// # let context = Context::new()?;
/// # let (mut near, mut far) = (Pair::new(&context)?, Pair::new(&context)?);
/// # near.connect(&far.bind("inproc://pair")?)?;
/// let (mut sender, mut receiver) = near.split();
/// let heard = std::thread::spawn(move || receiver.recv_timeout(std::time::Duration::from_secs(30)));
/// sender.send("to the far end, while the other half waits")?;
/// far.send("from the far end")?;
/// assert_eq!(heard.join().unwrap()?.bytes(), b"from the far end");
/// # Ok::<(), omnimq::Error>(())
/// ```
pub struct RecvHalf(Socket);

impl Socket {
    /// Takes the socket apart, so that one thread or task may send while another receives. It is closed when both halves
    /// have been dropped.
    ///
    /// ```
    /// use omnimq::{Context, Dealer, Rep};
    /// # fn main() -> Result<(), omnimq::Error> {
    /// # let context = Context::new()?;
    /// # let mut rep = Rep::new(&context)?;
    /// # let endpoint = rep.bind("tcp://127.0.0.1:*")?;
    /// # std::thread::spawn(move || (0..10).try_for_each(|_| rep.recv().and_then(|question| Ok(rep.send(question)?))));
    /// let mut dealer = Dealer::new(&context)?;
    /// dealer.connect(&endpoint)?; // to a REP that echoes
    /// let (mut questions, mut answers) = dealer.split();
    /// # answers.set_recv_timeout(Some(std::time::Duration::from_secs(30)));
    /// let asking = std::thread::spawn(move || (0..10_u8).try_for_each(|n| questions.send([&[][..], &[n]])));
    /// for n in 0..10 {
    ///     assert_eq!(&answers.recv()?[1][..], [n]);
    /// }
    /// assert!(asking.join().unwrap().is_ok());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::NotSupported`] (ENOTSUP) for REQ and REP, whose calls take turns; the socket is closed.
    pub fn split(self) -> Result<(SendHalf, RecvHalf), Error> {
        if matches!(self.socket_type(), SocketType::Req | SocketType::Rep) {
            return Err(Error::NotSupported);
        }
        Ok(self.halves())
    }
    pub(crate) fn halves(mut self) -> (SendHalf, RecvHalf) {
        let mut twin = self.twin();
        self.pass_begun(&mut twin);
        (SendHalf(twin), RecvHalf(self))
    }
}

impl SendHalf {
    #[cfg(feature = "stream")]
    pub(crate) fn socket(&mut self) -> &mut Socket {
        &mut self.0
    }
    /// As [`Socket::send`].
    ///
    /// # Errors
    /// As [`Socket::send`].
    pub fn send<M: Outgoing>(&mut self, message: M) -> Result<(), SendError<M::Unsent>> {
        self.0.send(message)
    }
    /// As [`Socket::try_send`].
    ///
    /// # Errors
    /// As [`Socket::send`].
    pub fn try_send<M: Outgoing>(&mut self, message: M) -> Result<(), SendError<M::Unsent>> {
        self.0.try_send(message)
    }
    /// As [`Socket::send_timeout`].
    ///
    /// # Errors
    /// As [`Socket::send`].
    pub fn send_timeout<M: Outgoing>(&mut self, message: M, timeout: Duration) -> Result<(), SendError<M::Unsent>> {
        self.0.send_timeout(message, timeout)
    }
    /// As [`Socket::send_async`].
    pub fn send_async<M: Outgoing>(&mut self, message: M) -> Sending<'_, M> {
        self.0.send_async(message)
    }
    /// As [`Socket::send_more`].
    ///
    /// # Errors
    /// As [`Socket::send_more`].
    pub fn send_more(&mut self, part: impl Into<Frame>) -> Result<(), SendError<Frame>> {
        self.0.send_more(part)
    }
    /// As [`Socket::forget_parts`].
    pub fn forget_parts(&mut self) {
        self.0.forget_parts();
    }
    /// As [`Socket::set_send_timeout`].
    pub fn set_send_timeout(&mut self, timeout: Option<Duration>) {
        self.0.set_send_timeout(timeout);
    }
    /// As [`Socket::flush`].
    pub fn flush(&mut self) {
        self.0.flush();
    }
}

impl RecvHalf {
    #[cfg(feature = "stream")]
    pub(crate) fn socket(&mut self) -> &mut Socket {
        &mut self.0
    }
    /// As [`Socket::recv`].
    ///
    /// # Errors
    /// As [`Socket::recv`].
    pub fn recv(&mut self) -> Result<Message, Error> {
        self.0.recv()
    }
    /// As [`Socket::try_recv`].
    ///
    /// # Errors
    /// As [`Socket::recv`].
    pub fn try_recv(&mut self) -> Result<Message, Error> {
        self.0.try_recv()
    }
    /// As [`Socket::recv_timeout`].
    ///
    /// # Errors
    /// As [`Socket::recv`].
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<Message, Error> {
        self.0.recv_timeout(timeout)
    }
    /// As [`Socket::recv_async`].
    pub fn recv_async(&mut self) -> Receiving<'_> {
        self.0.recv_async()
    }
    /// As [`Socket::recv_part`].
    ///
    /// # Errors
    /// As [`Socket::recv_part`].
    pub fn recv_part(&mut self) -> Result<Frame, Error> {
        self.0.recv_part()
    }
    /// As [`Socket::try_recv_part`].
    ///
    /// # Errors
    /// As [`Socket::recv_part`].
    pub fn try_recv_part(&mut self) -> Result<Frame, Error> {
        self.0.try_recv_part()
    }
    /// As [`Socket::set_recv_timeout`].
    pub fn set_recv_timeout(&mut self, timeout: Option<Duration>) {
        self.0.set_recv_timeout(timeout);
    }
    /// As [`Socket::has_more`].
    pub fn has_more(&self) -> bool {
        self.0.has_more()
    }
    /// As [`Socket::subscribe_last`]: subscriptions are answered where they are received.
    ///
    /// ```
    /// # use omnimq::{Context, SocketOptions, Sub, XPub};
    /// # use std::time::Duration;
    /// # let context = Context::new()?;
    /// # let mut options = SocketOptions::default();
    /// # options.pattern.manual = true;
    /// # let (mut publisher, mut sub) = (XPub::with(&context, options)?, Sub::new(&context)?);
    /// # sub.connect(&publisher.bind("tcp://127.0.0.1:*")?)?;
    /// sub.subscribe("prices")?;
    /// let (mut news, mut requests) = publisher.split(); // an XPUB that is set to `manual`
    /// # requests.set_recv_timeout(Some(Duration::from_secs(30)));
    /// assert_eq!(requests.recv()?.bytes(), b"\x01prices");
    /// requests.subscribe_last("prices.public")?;
    /// news.send("prices.public: 8")?;
    /// assert_eq!(sub.recv_timeout(Duration::from_secs(30))?.bytes(), b"prices.public: 8");
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Socket::subscribe_last`].
    pub fn subscribe_last(&mut self, topic: impl AsRef<[u8]>) -> Result<(), Error> {
        self.0.subscribe_last(topic)
    }
    /// As [`Socket::unsubscribe_last`].
    ///
    /// # Errors
    /// As [`Socket::unsubscribe_last`].
    pub fn unsubscribe_last(&mut self, topic: impl AsRef<[u8]>) -> Result<(), Error> {
        self.0.unsubscribe_last(topic)
    }
}
