//! The application's side of a socket.

use crate::context::Context;
use crate::error::{Error, SendError};
use crate::lane::BIG;
use crate::message::{Message, Outgoing, Part, Sendable};
use crate::options::SocketOptions;
use crate::pace::Pace;
use crate::park;
use crate::parts::Aside;
use crate::poller::Readiness;
use crate::runtime::sock::{Core, Sock};
use crate::seating::Seating;
use crate::spin::Spin;
use crate::sync::{Ordering, lock};
use crate::wait::Wait;
use omnimq_core::{Frame, Piece, SendErrorKind, SocketType};
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

/// A socket of any type, chosen at run time. See the typed ones ([`Push`](crate::Push), [`Req`](crate::Req), …) for
/// sockets on which a call in the wrong direction does not compile.
///
/// Dropping it closes it: unsent messages linger in the background as [`SocketOptions::linger`] says.
///
/// ```
/// use omnimq::{Context, Error, SocketType};
/// # let context = Context::new()?;
/// let sink = true; // as the command line says
/// let mut socket = context.socket(if sink { SocketType::Pull } else { SocketType::Push })?;
/// socket.bind("tcp://127.0.0.1:*")?;
/// assert!(matches!(socket.send("no PULL sends").unwrap_err().error, Error::NotSupported));
/// # Ok::<(), Error>(())
/// ```
pub struct Socket {
    sock: Arc<Sock>,
    /// Closes the socket with the last of its halves.
    handle: Arc<Handle>,
    context: Context,
    /// As they are: what was set later included.
    pub(crate) options: SocketOptions,
    seating: Seating,
    pace: Pace,
    /// REQ and REP: the last call sent a message.
    sent: bool,
    /// What calls have left for later ones; seldom anything.
    pub(crate) aside: Option<Box<Aside>>,
    /// See [`last_endpoint`](Self::last_endpoint).
    pub(crate) last_endpoint: String,
    dials: u32,
}

/// Closes a socket when it is dropped.
struct Handle(Arc<Sock>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A peer of one socket: every connection accepted has its own, one made by `connect` keeps its through reconnects.
///
/// ```
/// # use omnimq::{Context, Pull, Push};
/// # let context = Context::new()?;
/// # let (mut push, mut left, mut right) = (Push::new(&context)?, Pull::new(&context)?, Pull::new(&context)?);
/// # left.bind("inproc://left")?;
/// # right.bind("inproc://right")?;
/// push.connect("inproc://left")?;
/// push.connect("inproc://right")?;
/// push.send("work")?;
/// let taker = push.last_peer();
/// let peers = push.statistics().peers;
/// let at = peers.iter().find(|peer| Some(peer.peer) == taker).and_then(|peer| peer.endpoint.as_deref());
/// assert_eq!(at, Some("inproc://left"));
/// # Ok::<(), omnimq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub(crate) u32);

impl Socket {
    pub(crate) fn new(context: Context, sock: Arc<Sock>) -> Self {
        Self::with(context, Arc::new(Handle(sock.clone())), sock)
    }
    /// Another handle to the same socket. Of the two, one sends and the other receives.
    pub(crate) fn twin(&self) -> Self {
        Self { options: self.options.clone(), ..Self::with(self.context.clone(), self.handle.clone(), self.sock.clone()) }
    }
    /// What the application shares with the I/O thread.
    pub(crate) fn sock(&self) -> &Arc<Sock> {
        &self.sock
    }
    fn with(context: Context, handle: Arc<Handle>, sock: Arc<Sock>) -> Self {
        let direct = matches!(sock.socket_type, SocketType::Req | SocketType::Rep);
        Self {
            pace: Pace::new(direct),
            seating: Seating::new(Spin::new(sock.options.busy_poll)),
            sent: false,
            aside: None,
            last_endpoint: String::new(),
            dials: 0,
            options: sock.options.clone(),
            sock,
            handle,
            context,
        }
    }
    /// Where the random part of the next connection's waits begins.
    pub(crate) fn seed(&mut self) -> u64 {
        self.dials = self.dials.wrapping_add(1);
        u64::from(self.context.draw()) << 32 | u64::from(self.dials)
    }
    /// This socket's type.
    ///
    /// ```
    /// use omnimq::{Error, Socket, SocketType};
    /// fn hear_everything(socket: &mut Socket) -> Result<(), Error> {
    ///     match socket.socket_type() {
    ///         SocketType::Sub | SocketType::XSub => socket.subscribe(""),
    ///         _ => Ok(()), // hears everything as it is
    ///     }
    /// }
    /// # let context = omnimq::Context::new()?;
    /// # hear_everything(&mut context.socket(SocketType::Sub)?)?;
    /// # hear_everything(&mut context.socket(SocketType::Pull)?)?;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn socket_type(&self) -> SocketType {
        self.sock.socket_type
    }
    /// Its options: what it was made with, and what was set since. (Of two halves each knows what was set on it.)
    ///
    /// ```
    /// # let context = omnimq::Context::new()?;
    /// let mut pull = omnimq::Pull::new(&context)?;
    /// assert_eq!(pull.options().recv_hwm, 1000);
    /// pull.set_recv_hwm(10);
    /// assert_eq!(pull.options().recv_hwm, 10);
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    pub fn options(&self) -> &SocketOptions {
        &self.options
    }
    /// The endpoint last bound, with the real port, or last connected; empty before the first.
    ///
    /// ```
    /// # let context = omnimq::Context::new()?;
    /// let mut pull = omnimq::Pull::new(&context)?;
    /// pull.bind("tcp://127.0.0.1:*")?;
    /// let port = pull.last_endpoint().rsplit(':').next().and_then(|port| port.parse().ok());
    /// assert!(port.is_some_and(|port: u16| port > 0));
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    pub fn last_endpoint(&self) -> &str {
        &self.last_endpoint
    }
    /// Packets of multicast sessions (`pgm`, `epgm`) that were lost for good: the messages in them did not arrive, and
    /// those after them did.
    ///
    /// ```
    /// # let context = omnimq::Context::new()?;
    /// let mut prices = omnimq::Sub::new(&context)?;
    /// prices.subscribe("")?;
    /// // … connected to a session, and read for a while:
    /// let (repaired, lost) = (prices.repaired_packets(), prices.lost_packets());
    /// println!("{repaired} packets came late, {lost} never");
    /// # assert_eq!((repaired, lost), (0, 0));
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    pub fn lost_packets(&self) -> u64 {
        self.sock.lost.load(Ordering::Relaxed)
    }
    /// Packets of multicast sessions that were lost on their way and came again: see [`Socket::lost_packets`].
    pub fn repaired_packets(&self) -> u64 {
        self.sock.repaired.load(Ordering::Relaxed)
    }
    pub(crate) fn alive(&self) -> Result<(), Error> {
        if self.sock.is_terminated() { Err(Error::Terminated) } else { Ok(()) }
    }
}

/// Sending.
impl Socket {
    /// Sends a message, waiting for room as long as [`SocketOptions::send_timeout`] says.
    ///
    /// ```
    /// # use omnimq::{Context, Message, Pull, Push};
    /// # let context = Context::new()?;
    /// # let (mut push, mut pull) = (Push::new(&context)?, Pull::new(&context)?);
    /// # push.connect(&pull.bind("inproc://work")?)?;
    /// push.send("one frame")?;
    /// push.send(["several", "frames"])?;
    /// push.send(vec![7; 100_000])?; // given away, not copied
    /// let message = Message::from("lent");
    /// push.send(&message)?; // as often as one likes
    /// # for frames in [1, 2, 1, 1] { assert_eq!(pull.try_recv()?.len(), frames) }
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    ///
    /// # Errors
    /// The message comes back with the reason: [`Error::WouldBlock`] (EAGAIN) after the timeout,
    /// [`Error::State`] (EFSM), [`Error::Unroutable`] (EHOSTUNREACH), [`Error::NotSupported`] (ENOTSUP),
    /// [`Error::TooLarge`] (EMSGSIZE) for a subscription that an XSUB cannot keep, [`Error::Terminated`] (ETERM).
    #[inline]
    pub fn send<M: Outgoing>(&mut self, message: M) -> Result<(), SendError<M::Unsent>> {
        let wait = self.options.send_timeout;
        self.send_waiting(message, move || Wait::at_most(wait))
    }
    /// Sends a message if there is room at this time.
    ///
    /// ```
    /// use omnimq::{Context, Error, Push};
    /// # let context = Context::new()?;
    /// let mut push = Push::new(&context)?;
    /// let refused = push.try_send(String::from("work")).unwrap_err(); // nobody is there
    /// assert!(matches!(refused.error, Error::WouldBlock));
    /// assert_eq!(refused.message, "work"); // still ours, to be done here
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn try_send<M: Outgoing>(&mut self, message: M) -> Result<(), SendError<M::Unsent>> {
        self.send_waiting(message, || Wait::No)
    }
    /// Sends a message, waiting for room at most `timeout`.
    ///
    /// ```
    /// # use omnimq::{Context, Errno, Push};
    /// # use std::time::Duration;
    /// # let context = Context::new()?;
    /// # let mut push = Push::new(&context)?;
    /// push.connect("inproc://nobody")?;
    /// push.set_send_hwm(1);
    /// push.send_timeout("waits for who binds", Duration::from_millis(5))?;
    /// let refused = push.send_timeout("no room", Duration::from_millis(5)).unwrap_err();
    /// assert_eq!(refused.error.errno(), Errno::Again);
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_timeout<M: Outgoing>(&mut self, message: M, timeout: Duration) -> Result<(), SendError<M::Unsent>> {
        self.send_waiting(message, move || Wait::at_most(Some(timeout)))
    }
    fn send_waiting<M: Outgoing>(&mut self, message: M, wait: impl FnOnce() -> Wait) -> Result<(), SendError<M::Unsent>> {
        if self.aside.is_some() {
            return self.send_behind(message, wait());
        }
        let held = message.hold();
        let sent = self.send_whole(&held, wait);
        sent.map_err(|error| SendError { message: M::give_back(held), error })
    }
    pub(crate) fn send_whole<M: Sendable + ?Sized>(
        &mut self,
        message: &M,
        wait: impl FnOnce() -> Wait,
    ) -> Result<(), Error> {
        self.sock.on_call(Readiness::SEND);
        let sent = match self.put(message) {
            Err(Error::WouldBlock) => self.put_waiting(message, wait()),
            done => done,
        };
        if let Err(Error::WouldBlock) = sent {
            self.sock.on_would_block(Readiness::SEND);
        }
        sent
    }
    /// Puts a message into the lanes, and writes or leaves it as the pace says.
    #[inline]
    fn put<M: Sendable + ?Sized>(&mut self, message: &M) -> Result<(), Error> {
        self.alive()?;
        let mut core = lock(&self.sock.core);
        self.sock.pump(&mut core);
        let put = put_frames(&mut core, message);
        self.sock.tell_dropped(&core);
        let len = put?;
        if self.pace.is_direct() {
            self.sent = true;
            self.seating.found_nothing(&self.sock);
        }
        let (full, writes) = (self.sock.notices.take_full(), self.pace.writes(len, &self.sock));
        if full {
            self.sock.publish_at_mark(core);
            self.pace.wrote();
        } else if writes || self.sock.most_staged(&mut core) >= Pace::BATCH {
            self.sock.publish(core);
            self.pace.wrote();
        } else if self.sock.collect_staged(&mut core) {
            drop(core);
            self.sock.leave_to_look();
        }
        Ok(())
    }
    #[cold]
    fn put_waiting<M: Sendable + ?Sized>(&mut self, message: &M, wait: Wait) -> Result<(), Error> {
        loop {
            // Writing what is staged may make room.
            self.sock.publish(lock(&self.sock.core));
            park::with_waker(|waker| self.sock.writers.announce(waker));
            let done = self.put(message);
            let left = wait.left();
            if !matches!(done, Err(Error::WouldBlock)) || left.is_some_and(|left| left.is_zero()) {
                self.sock.writers.withdraw();
                return done;
            }
            park::park(left);
        }
    }
    /// As [`send`](Self::send), for a task.
    pub(crate) fn poll_send<M: Sendable + ?Sized>(
        &mut self,
        message: &M,
        context: &mut task::Context<'_>,
    ) -> Poll<Result<(), Error>> {
        if self.aside.is_some() { self.poll_send_behind(message, context) } else { self.poll_send_whole(message, context) }
    }
    pub(crate) fn poll_send_whole<M: Sendable + ?Sized>(
        &mut self,
        message: &M,
        context: &mut task::Context<'_>,
    ) -> Poll<Result<(), Error>> {
        match self.put(message) {
            Err(Error::WouldBlock) => {}
            done => return Poll::Ready(done),
        }
        self.sock.publish(lock(&self.sock.core));
        self.sock.writers.announce(context.waker());
        match self.put(message) {
            Err(Error::WouldBlock) => Poll::Pending,
            done => {
                self.sock.writers.withdraw();
                Poll::Ready(done)
            }
        }
    }
    /// The peer that took the last message sent; of several (PUB, XPUB, XSUB) one. `None` before the first.
    ///
    /// ```
    /// # use omnimq::{Context, Pull, Push};
    /// # let context = Context::new()?;
    /// # let (mut push, mut one, mut other) = (Push::new(&context)?, Pull::new(&context)?, Pull::new(&context)?);
    /// push.connect(&one.bind("inproc://one")?)?;
    /// push.connect(&other.bind("inproc://other")?)?;
    /// assert_eq!(push.last_peer(), None);
    /// push.send("to one")?;
    /// let first = push.last_peer();
    /// push.send("to the other")?; // in turn
    /// assert_ne!(push.last_peer(), first);
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    pub fn last_peer(&self) -> Option<PeerId> {
        match self.sock.notices.last.load(Ordering::Relaxed) {
            0 => None,
            peer => Some(PeerId(peer)),
        }
    }
    /// Writes what has been sent and not yet written. Nothing needs this: the background does it before long.
    ///
    /// ```
    /// # let context = omnimq::Context::new()?;
    /// # let (mut pull, mut push) = (omnimq::Pull::new(&context)?, omnimq::Push::new(&context)?);
    /// # push.connect(&pull.bind("inproc://work")?)?;
    /// for part in 0..100_u8 {
    ///     push.send([part])?; // may be gathered, to be written together
    /// }
    /// push.flush(); // on their way, before this thread turns to something long
    /// # assert_eq!(pull.try_recv()?.bytes(), [0]);
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    pub fn flush(&mut self) {
        self.sock.publish(lock(&self.sock.core));
    }
}

/// Receiving.
impl Socket {
    /// Receives a whole message, waiting as long as [`SocketOptions::recv_timeout`] says.
    ///
    /// ```
    /// # let context = omnimq::Context::new()?;
    /// # let (mut pull, mut push) = (omnimq::Pull::new(&context)?, omnimq::Push::new(&context)?);
    /// # push.connect(&pull.bind("inproc://work")?)?;
    /// # pull.set_recv_timeout(Some(std::time::Duration::from_secs(30)));
    /// push.send(["resize", "cat.png"])?;
    /// let message = pull.recv()?;
    /// assert_eq!(message.len(), 2);
    /// assert_eq!((&message[0][..], &message[1][..]), (&b"resize"[..], &b"cat.png"[..]));
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::WouldBlock`] (EAGAIN) after the timeout, [`Error::State`] (EFSM), [`Error::NotSupported`] (ENOTSUP),
    /// [`Error::Terminated`] (ETERM).
    #[inline]
    pub fn recv(&mut self) -> Result<Message, Error> {
        let wait = self.options.recv_timeout;
        self.recv_waiting(move || Wait::at_most(wait))
    }
    /// Receives a message if one is at hand.
    ///
    /// ```
    /// # use omnimq::Error;
    /// # let context = omnimq::Context::new()?;
    /// # let (mut pull, mut push) = (omnimq::Pull::new(&context)?, omnimq::Push::new(&context)?);
    /// # push.connect(&pull.bind("inproc://work")?)?;
    /// push.send("one")?;
    /// push.send("another")?;
    /// let mut received = 0;
    /// let why = loop {
    ///     match pull.try_recv() {
    ///         Ok(_) => received += 1,
    ///         Err(why) => break why, // to do something else, and come again
    ///     }
    /// };
    /// assert!(received == 2 && matches!(why, Error::WouldBlock));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn try_recv(&mut self) -> Result<Message, Error> {
        self.recv_waiting(|| Wait::No)
    }
    /// Receives a message, waiting at most `timeout`.
    ///
    /// ```
    /// use std::time::Duration;
    /// # let context = omnimq::Context::new()?;
    /// let mut pull = omnimq::Pull::new(&context)?;
    /// pull.bind("tcp://127.0.0.1:*")?;
    /// let late = pull.recv_timeout(Duration::from_millis(5));
    /// assert!(matches!(late, Err(omnimq::Error::WouldBlock))); // nothing has come
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<Message, Error> {
        self.recv_waiting(move || Wait::at_most(Some(timeout)))
    }
    fn recv_waiting(&mut self, wait: impl FnOnce() -> Wait) -> Result<Message, Error> {
        if self.aside.is_some()
            && let Some(left) = self.take_left()
        {
            return Ok(left);
        }
        self.sock.on_call(Readiness::RECEIVE);
        let received = self.recv_unless_late(wait);
        if received.is_ok() {
            self.sock.readers.ring_if_awaited();
        }
        if let Err(Error::WouldBlock) = received {
            self.sock.on_would_block(Readiness::RECEIVE);
        }
        received
    }
    fn recv_unless_late(&mut self, wait: impl FnOnce() -> Wait) -> Result<Message, Error> {
        if !self.waits_for_answer() {
            match self.get() {
                Err(Error::WouldBlock) => {}
                done => return done,
            }
        }
        let wait = wait();
        loop {
            self.pace.pause();
            let more = self.seating.fetch(&self.sock, wait);
            match self.get() {
                Err(Error::WouldBlock) if more => {}
                // The time is up: what is on its way within the process counts as being there.
                Err(Error::WouldBlock) if self.sock.fetch_expected() => return self.get(),
                done => return done,
            }
        }
    }
    /// As [`recv`](Self::recv), for a task.
    pub(crate) fn poll_recv(&mut self, context: &mut task::Context<'_>) -> Poll<Result<Message, Error>> {
        match self.recv_waiting(|| Wait::No) {
            Err(Error::WouldBlock) => {}
            done => return Poll::Ready(done),
        }
        self.sock.await_messages(context.waker());
        match self.get() {
            Err(Error::WouldBlock) => Poll::Pending,
            done => {
                self.sock.readers.withdraw();
                Poll::Ready(done)
            }
        }
    }
    /// REQ and REP: a message has just gone out, and nothing has come in: what comes next is still on its way.
    #[inline]
    fn waits_for_answer(&mut self) -> bool {
        let sock = &self.sock;
        std::mem::take(&mut self.sent)
            && sock.notices.filled.load(Ordering::Acquire) == 0
            && sock.mail.is_empty()
            && self.seating.news.is_empty()
            && !sock.is_terminated()
    }
    /// Takes a message from the lanes.
    #[inline]
    fn get(&mut self) -> Result<Message, Error> {
        self.alive()?;
        let mut core = lock(&self.sock.core);
        self.sock.pump(&mut core);
        for pipe in self.seating.news.drain(..) {
            Sock::look_into(&mut core, pipe);
        }
        self.told_of_gaps(&mut core)?;
        let mut frame = Frame::default();
        if let Err(error) = core.socket.recv_into(&mut frame) {
            self.told_of_gaps(&mut core)?;
            self.seating.found_nothing(&self.sock);
            // Before it waits, the application writes what it has sent.
            if core.has_staged(&self.sock.notices) {
                self.sock.publish(core);
            }
            return Err(error.into());
        }
        let mut message = Message::from(frame.body);
        if frame.more {
            message = rest_of(&mut core, message);
        }
        drop(core);
        if !self.sock.notices.resume.is_empty() {
            self.seating.resume(&self.sock);
        }
        Ok(message)
    }
    /// Fails where something is missing of what a multicast session brought, if the application wants to be told.
    #[inline]
    fn told_of_gaps(&self, core: &mut Core) -> Result<(), Error> {
        if self.sock.notices.gaps.is_empty() {
            return Ok(());
        }
        self.sock.pass_gap(core).map_or(Ok(()), |packets| Err(Error::Gap { packets }))
    }
}

/// Takes the other frames of `message` from the lanes.
#[inline(never)]
fn rest_of(core: &mut Core, mut message: Message) -> Message {
    while let Ok(frame) = core.socket.recv() {
        message.push(frame.body);
        if !frame.more {
            break;
        }
    }
    message
}

/// Puts a message's frames into the lanes: all of them or none. Returns the octets of the last.
#[inline]
fn put_frames<M: Sendable + ?Sized>(core: &mut Core, message: &M) -> Result<usize, Error> {
    let count = message.count();
    let mut len = 0;
    for n in 0..count {
        let more = n + 1 < count;
        let sent = match message.frame(n) {
            Part::Bytes(bytes) if bytes.len() < BIG => {
                len = bytes.len();
                core.socket.send(Piece { bytes, more }).map_err(|refused| refused.kind)
            }
            Part::Bytes(bytes) => {
                len = bytes.len();
                core.socket.send(Frame { body: bytes.into(), more }).map_err(|refused| refused.kind)
            }
            Part::Frame(body) => {
                len = body.len();
                core.socket.send(Frame { body: body.clone(), more }).map_err(|refused| refused.kind)
            }
            Part::Owned(body) => {
                len = body.len();
                core.socket.send(Frame { body, more }).map_err(|refused| refused.kind)
            }
        };
        sent.map_err(|kind: SendErrorKind| Error::from(kind))?;
    }
    Ok(len)
}
