//! Sending and receiving as futures: they need wakers and nothing else, so any executor will do.
//!
//! A future that is dropped before it is done has done nothing: a message is taken out in the same step that hands it
//! over, and put in as a whole or not at all.

use crate::error::{Error, SendError};
use crate::message::{Message, Outgoing};
use crate::socket::Socket;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A message to come: see [`Socket::recv_async`].
///
/// ```
/// # use omnimq::{Context, Pull, Push, Receiving};
/// # let context = Context::new()?;
/// # let (mut pull, mut push) = (Pull::new(&context)?, Push::new(&context)?);
/// # push.connect(&pull.bind("inproc://work")?)?;
/// # smol::block_on(async {
/// let receiving: Receiving<'_> = pull.recv_async();
/// drop(receiving); // has taken nothing
/// push.send_async("whole").await?;
/// assert_eq!(pull.recv_async().await?.bytes(), b"whole");
/// # Ok::<(), omnimq::Error>(())
/// # })?;
/// # Ok::<(), omnimq::Error>(())
/// ```
#[must_use = "futures do nothing unless they are awaited"]
pub struct Receiving<'a> {
    socket: &'a mut Socket,
}

/// A message to go: see [`Socket::send_async`].
///
/// ```
/// # use omnimq::{Context, Pull, Push, Sending};
/// # let context = Context::new()?;
/// # let (mut pull, mut push) = (Pull::new(&context)?, Push::new(&context)?);
/// # smol::block_on(async {
/// let work = String::from("work");
/// let sending: Sending<'_, _> = push.send_async(&work);
/// drop(sending); // has sent nothing, and `work` was only lent
/// push.connect(&pull.bind("inproc://work")?)?;
/// push.send_async(work).await?;
/// assert_eq!(pull.recv_async().await?.bytes(), b"work");
/// # Ok::<(), omnimq::Error>(())
/// # })?;
/// # Ok::<(), omnimq::Error>(())
/// ```
#[must_use = "futures do nothing unless they are awaited"]
pub struct Sending<'a, M: Outgoing> {
    socket: &'a mut Socket,
    held: Option<M::Held>,
}

impl Future for Receiving<'_> {
    type Output = Result<Message, Error>;
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().socket.poll_recv(context)
    }
}

impl<M: Outgoing> Unpin for Sending<'_, M> {}

impl<M: Outgoing> Future for Sending<'_, M> {
    type Output = Result<(), SendError<M::Unsent>>;
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let Some(held) = &this.held else { return Poll::Pending };
        let Poll::Ready(sent) = this.socket.poll_send(held, context) else { return Poll::Pending };
        Poll::Ready(match (sent, this.held.take()) {
            (Err(error), Some(held)) => Err(SendError { message: M::give_back(held), error }),
            (Ok(()) | Err(_), _) => Ok(()),
        })
    }
}

/// For tasks.
impl Socket {
    /// As [`recv`](Socket::recv), for a task, without a time limit. Cancel-safe: dropped before it is done, it has taken
    /// no message.
    ///
    /// ```
    /// use omnimq::{Context, Pull, Push};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let context = Context::new()?;
    /// let (mut pull, mut push) = (Pull::new(&context)?, Push::new(&context)?);
    /// push.connect(&pull.bind("tcp://127.0.0.1:*")?)?;
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let received = tokio::spawn(async move { pull.recv_async().await });
    /// push.send_async("to a task").await?;
    /// assert_eq!(received.await??.bytes(), b"to a task");
    /// # Ok(())
    /// # })
    /// # }
    /// ```
    ///
    /// # Errors
    /// The future's: [`Error::State`] (EFSM), [`Error::NotSupported`] (ENOTSUP), [`Error::Terminated`] (ETERM).
    pub fn recv_async(&mut self) -> Receiving<'_> {
        Receiving { socket: self }
    }
    /// As [`send`](Socket::send), for a task, without a time limit. Cancel-safe: dropped before it is done, it has sent
    /// nothing. The message goes with the future then, unless it was lent.
    ///
    /// ```
    /// use omnimq::{Context, Dealer};
    /// # let context = Context::new()?;
    /// # let (mut near, mut far) = (Dealer::new(&context)?, Dealer::new(&context)?);
    /// # near.connect(&far.bind("inproc://dealer")?)?;
    /// # smol::block_on(async {
    /// let flood = async {
    ///     for n in 0..5000_u32 {
    ///         near.send_async(n.to_be_bytes()).await?; // waits at the mark, and holds up no other task
    ///     }
    ///     Ok::<(), omnimq::Error>(())
    /// };
    /// let drain = async {
    ///     for n in 0..5000_u32 {
    ///         assert_eq!(far.recv_async().await?.bytes(), n.to_be_bytes());
    ///     }
    ///     Ok(())
    /// };
    /// # let (flooded, drained) = smol::future::zip(flood, drain).await;
    /// # flooded.and(drained)
    /// # })?;
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    ///
    /// # Errors
    /// The future's, with the message: [`Error::State`] (EFSM), [`Error::Unroutable`] (EHOSTUNREACH),
    /// [`Error::NotSupported`] (ENOTSUP), [`Error::TooLarge`] (EMSGSIZE), [`Error::Terminated`] (ETERM).
    pub fn send_async<M: Outgoing>(&mut self, message: M) -> Sending<'_, M> {
        Sending { socket: self, held: Some(message.hold()) }
    }
}
