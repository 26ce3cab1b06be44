//! Messages part by part, and what a socket's calls leave for later ones.
//!
//! A message is sent and received whole. Its parts are gathered here until the last is given, and kept here until all are
//! taken: no other message gets between them, and a half-given one is seen by nobody.

use crate::error::{Error, SendError};
use crate::message::{Frame, Message, Outgoing, Part, Sendable};
use crate::socket::Socket;
use crate::wait::Wait;
use std::task::{Context, Poll, ready};

/// What a socket's calls have left for later ones.
#[derive(Default)]
pub(crate) struct Aside {
    /// Parts of a message whose last has not been given.
    begun: Vec<Frame>,
    /// Parts of a message that has been begun to be taken.
    left: std::vec::IntoIter<Frame>,
    /// A message that a sink took, and for which there was no room then.
    #[cfg(feature = "stream")]
    pub(crate) held: Option<Message>,
}

impl Aside {
    fn is_empty(&self) -> bool {
        #[cfg(feature = "stream")]
        if self.held.is_some() {
            return false;
        }
        self.begun.is_empty() && self.left.len() == 0
    }
    /// The message that goes before all others.
    fn take_held(&mut self) -> Option<Message> {
        #[cfg(feature = "stream")]
        return self.held.take();
        #[cfg(not(feature = "stream"))]
        None
    }
    fn put_back(&mut self, _message: Message) {
        #[cfg(feature = "stream")]
        {
            self.held = Some(_message);
        }
    }
    /// The parts begun, and `message` behind them.
    fn behind(&self, message: &(impl Sendable + ?Sized)) -> Message {
        let frames = (0..message.count()).map(|n| match message.frame(n) {
            Part::Bytes(bytes) => Frame::from(bytes),
            Part::Frame(frame) => frame.clone(),
            Part::Owned(frame) => frame,
        });
        Message::from_frames(self.begun.iter().cloned().chain(frames).collect())
    }
}

impl Socket {
    pub(crate) fn aside(&mut self) -> &mut Aside {
        self.aside.get_or_insert_default()
    }
    /// Forgets an empty box: calls that find none are spared a look into it.
    pub(crate) fn tidy_aside(&mut self) {
        if self.aside.as_ref().is_some_and(|aside| aside.is_empty()) {
            self.aside = None;
        }
    }
    /// What is left for a half that sends.
    pub(crate) fn pass_begun(&mut self, to: &mut Self) {
        if let Some(aside) = &mut self.aside {
            let begun = std::mem::take(&mut aside.begun);
            let held = aside.take_held();
            to.aside().begun = begun;
            if let Some(held) = held {
                to.aside().put_back(held);
            }
            to.tidy_aside();
            self.tidy_aside();
        }
    }
    /// Sends a message behind what waits for it.
    #[cold]
    pub(crate) fn send_behind<M: Outgoing>(&mut self, message: M, wait: Wait) -> Result<(), SendError<M::Unsent>> {
        let held = message.hold();
        let sent = self.put_behind(&held, wait);
        sent.map_err(|error| SendError { message: M::give_back(held), error })
    }
    fn put_behind<M: Sendable + ?Sized>(&mut self, message: &M, wait: Wait) -> Result<(), Error> {
        if let Some(held) = self.aside().take_held()
            && let Err(error) = self.send_whole(&held, || wait)
        {
            self.aside().put_back(held);
            return Err(error);
        }
        let whole = self.aside().behind(message);
        self.send_whole(&whole, || wait)?;
        self.forget_parts();
        Ok(())
    }
    /// As [`send_behind`](Self::send_behind), for a task.
    #[cold]
    pub(crate) fn poll_send_behind<M: Sendable + ?Sized>(
        &mut self,
        message: &M,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        if let Err(error) = ready!(self.poll_held(context)) {
            return Poll::Ready(Err(error.error));
        }
        let whole = self.aside().behind(message);
        let sent = ready!(self.poll_send_whole(&whole, context));
        if sent.is_ok() {
            self.forget_parts();
        }
        Poll::Ready(sent)
    }
    /// Sends what a sink took, if it could not be sent then.
    pub(crate) fn poll_held(&mut self, context: &mut Context<'_>) -> Poll<Result<(), SendError<Message>>> {
        let Some(held) = self.aside.as_mut().and_then(|aside| aside.take_held()) else { return Poll::Ready(Ok(())) };
        match self.poll_send_whole(&held, context) {
            Poll::Pending => {
                self.aside().put_back(held);
                Poll::Pending
            }
            Poll::Ready(sent) => {
                self.tidy_aside();
                Poll::Ready(sent.map_err(|error| SendError { message: held, error }))
            }
        }
    }
    /// What is left of a message that has been begun to be taken.
    #[cold]
    pub(crate) fn take_left(&mut self) -> Option<Message> {
        let left = std::mem::take(&mut self.aside().left);
        self.tidy_aside();
        (left.len() > 0).then(|| Message::from_frames(left.collect()))
    }
}

/// Part by part.
impl Socket {
    /// Begins a message, or goes on with it: `part` goes before what is sent next (ZMQ_SNDMORE). Never waits.
    ///
    /// The parts stay here until the message is complete: the next [`send`](Self::send), in whichever of its forms, gives
    /// the last part, or all that are left, and sends them all or none. Refused, the parts that were given before stay.
    /// A socket that is dropped forgets them, and so does [`forget_parts`](Self::forget_parts). Parts of a message and
    /// calls to receive do not get in each other's way.
    ///
    /// ```
    /// use omnimq::{Context, Pull, Push};
    /// # fn main() -> Result<(), omnimq::Error> {
    /// let context = Context::new()?;
    /// let (mut pull, mut push) = (Pull::new(&context)?, Push::new(&context)?);
    /// push.connect(&pull.bind("tcp://127.0.0.1:*")?)?;
    /// # pull.set_recv_timeout(Some(std::time::Duration::from_secs(30)));
    /// push.send_more("header")?;
    /// push.send("body")?;
    ///
    /// assert_eq!(&pull.recv_part()?[..], b"header");
    /// assert!(pull.has_more());
    /// assert_eq!(&pull.recv_part()?[..], b"body");
    /// assert!(!pull.has_more());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The part comes back with [`Error::Terminated`] (ETERM). What else is wrong the last part is told.
    pub fn send_more(&mut self, part: impl Into<Frame>) -> Result<(), SendError<Frame>> {
        let part = part.into();
        if let Err(error) = self.alive() {
            return Err(SendError { message: part, error });
        }
        self.aside().begun.push(part);
        Ok(())
    }
    /// Forgets the parts given to [`send_more`](Self::send_more) since the last message was sent.
    ///
    /// ```
    /// # let context = omnimq::Context::new()?;
    /// # let (mut pull, mut push) = (omnimq::Pull::new(&context)?, omnimq::Push::new(&context)?);
    /// # push.connect(&pull.bind("inproc://work")?)?;
    /// push.send_more("a header whose body cannot be read")?;
    /// push.forget_parts();
    /// push.send("another message")?;
    /// assert_eq!(pull.try_recv()?.len(), 1);
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    pub fn forget_parts(&mut self) {
        if let Some(aside) = &mut self.aside {
            aside.begun = Vec::new();
            self.tidy_aside();
        }
    }
    /// Receives one part of a message, waiting for the first as [`recv`](Self::recv) does. The others have come with it,
    /// and are taken by further calls, as long as [`has_more`](Self::has_more) says so. A call that receives a message
    /// gets what is left of this one. A [`Poller`](crate::Poller) and the socket's descriptor do not tell of parts that
    /// are left: they are here already.
    ///
    /// ```
    /// # let context = omnimq::Context::new()?;
    /// # let (mut pull, mut push) = (omnimq::Pull::new(&context)?, omnimq::Push::new(&context)?);
    /// # push.connect(&pull.bind("inproc://work")?)?;
    /// # pull.set_recv_timeout(Some(std::time::Duration::from_secs(30)));
    /// push.send(["name", "body", "more of it"])?;
    /// let name = pull.recv_part()?;
    /// let rest = pull.recv()?; // as a message
    /// assert_eq!((&name[..], rest.len()), (&b"name"[..], 2));
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`recv`](Self::recv), and none while [`has_more`](Self::has_more).
    pub fn recv_part(&mut self) -> Result<Frame, Error> {
        let whole = self.recv()?;
        Ok(self.first_of(whole))
    }
    /// As [`recv_part`](Self::recv_part), if one is at hand.
    ///
    /// ```
    /// # let context = omnimq::Context::new()?;
    /// # let (mut pull, mut push) = (omnimq::Pull::new(&context)?, omnimq::Push::new(&context)?);
    /// # push.connect(&pull.bind("inproc://work")?)?;
    /// assert!(pull.try_recv_part().is_err()); // nothing has come
    /// push.send(["name", "body"])?;
    /// assert_eq!(&pull.try_recv_part()?[..], b"name");
    /// assert_eq!(&pull.try_recv_part()?[..], b"body");
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`recv_part`](Self::recv_part).
    pub fn try_recv_part(&mut self) -> Result<Frame, Error> {
        let whole = self.try_recv()?;
        Ok(self.first_of(whole))
    }
    fn first_of(&mut self, whole: Message) -> Frame {
        let mut frames = whole.into_frames().into_iter();
        let first = frames.next().unwrap_or_default();
        if frames.len() > 0 {
            self.aside().left = frames;
        }
        first
    }
    /// Whether parts are left of the message whose last part was received (ZMQ_RCVMORE).
    ///
    /// ```
    /// # let context = omnimq::Context::new()?;
    /// # let (mut pull, mut push) = (omnimq::Pull::new(&context)?, omnimq::Push::new(&context)?);
    /// # push.connect(&pull.bind("inproc://work")?)?;
    /// # pull.set_recv_timeout(Some(std::time::Duration::from_secs(30)));
    /// push.send(["one", "two", "three"])?;
    /// let mut octets = pull.recv_part()?.len();
    /// while pull.has_more() {
    ///     octets += pull.recv_part()?.len();
    /// }
    /// assert_eq!(octets, 11);
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    pub fn has_more(&self) -> bool {
        self.aside.as_ref().is_some_and(|aside| aside.left.len() > 0)
    }
}
