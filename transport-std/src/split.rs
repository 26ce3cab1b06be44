//! The two directions of one socket, for two threads or tasks.

use crate::error::{Error, SendError};
use crate::futures::{Receiving, Sending};
use crate::message::{Message, Outgoing};
use crate::socket::Socket;
use omnimq_core::SocketType;
use std::time::Duration;

/// The half of a socket that sends: see [`Socket::split`].
pub struct SendHalf(Socket);

/// The half of a socket that receives: see [`Socket::split`].
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
    pub(crate) fn halves(self) -> (SendHalf, RecvHalf) {
        (SendHalf(self.twin()), RecvHalf(self))
    }
}

impl SendHalf {
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
    /// As [`Socket::flush`].
    pub fn flush(&mut self) {
        self.0.flush();
    }
}

impl RecvHalf {
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
}
