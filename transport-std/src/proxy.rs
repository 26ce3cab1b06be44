//! Passing messages between two sockets.

use crate::error::{Error, SendError};
use crate::message::{Frame, Message};
use crate::poller::{Poller, Readiness};
use crate::socket::Socket;

/// Messages passed in one direction before the other has its turn.
const BURST: u32 = 1000;

/// Names of the sockets to the poller.
const FRONT: usize = 0;
const BACK: usize = 1;
const CAPTURE: usize = 2;
const CONTROL: usize = 3;

/// Passes messages both ways between `front` and `back` until the context ends. A copy of each goes to `capture`, if there
/// is one. Where the other side has no room, reading stops: no more than one message per direction is held here.
///
/// ```
/// use omnimq::{Context, Dealer, Error, Rep, Req, Router, proxy};
/// # fn main() -> Result<(), Error> {
/// let context = Context::new()?;
/// let (mut front, mut back) = (Router::new(&context)?, Dealer::new(&context)?);
/// let (clients, workers) = (front.bind("tcp://127.0.0.1:*")?, back.bind("tcp://127.0.0.1:*")?);
/// let broker = std::thread::spawn(move || proxy(&mut front.into_socket(), &mut back.into_socket(), None));
///
/// let (mut rep, mut req) = (Rep::new(&context)?, Req::new(&context)?);
/// # rep.set_recv_timeout(Some(std::time::Duration::from_secs(30)));
/// # req.set_recv_timeout(Some(std::time::Duration::from_secs(30)));
/// rep.connect(&workers)?;
/// req.connect(&clients)?;
/// req.send("through the broker")?;
/// let question = rep.recv()?;
/// rep.send(question)?;
/// assert_eq!(req.recv()?.bytes(), b"through the broker");
///
/// context.shutdown();
/// assert!(matches!(broker.join().unwrap(), Err(Error::Terminated)));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Terminated`] (ETERM), or whatever else a call to one of the sockets fails with.
pub fn proxy(front: &mut Socket, back: &mut Socket, capture: Option<&mut Socket>) -> Result<(), Error> {
    Proxy::new(front, back, capture)?.run(None)
}

/// As [`proxy`], steered by messages from `control`: `PAUSE`, `RESUME`, `TERMINATE`, which ends it with success, and
/// `STATISTICS`. That is answered with eight frames, each a number of 64 bits in native order: frames and octets received
/// from the front, frames and octets sent there, the same of the back. A REP gets an empty answer to the others.
///
/// ```
/// use omnimq::{Context, Error, Pair, Pull, Push, proxy_steerable};
/// # fn main() -> Result<(), Error> {
/// let context = Context::new()?;
/// let (mut front, mut back) = (Pull::new(&context)?.into_socket(), Push::new(&context)?.into_socket());
/// front.bind("inproc://front")?;
/// back.bind("inproc://back")?;
/// let (mut control, mut remote) = (Pair::new(&context)?.into_socket(), Pair::new(&context)?);
/// control.bind("inproc://control")?;
/// remote.connect("inproc://control")?;
/// let running = std::thread::spawn(move || proxy_steerable(&mut front, &mut back, None, &mut control));
///
/// let (mut push, mut pull) = (Push::new(&context)?, Pull::new(&context)?);
/// push.connect("inproc://front")?;
/// pull.connect("inproc://back")?;
/// # pull.set_recv_timeout(Some(std::time::Duration::from_secs(30)));
/// # remote.set_recv_timeout(Some(std::time::Duration::from_secs(30)));
/// push.send(["two", "frames"])?;
/// pull.recv()?;
/// remote.send("STATISTICS")?;
/// let counts: Vec<_> = remote.recv()?.iter().map(|count| u64::from_ne_bytes(count[..].try_into().unwrap())).collect();
/// assert_eq!(counts, [2, 9, 0, 0, 0, 0, 2, 9]);
/// remote.send("TERMINATE")?;
/// running.join().unwrap()
/// # }
/// ```
///
/// # Errors
/// As [`proxy`].
pub fn proxy_steerable(
    front: &mut Socket,
    back: &mut Socket,
    capture: Option<&mut Socket>,
    control: &mut Socket,
) -> Result<(), Error> {
    Proxy::new(front, back, capture)?.run(Some(control))
}

/// What has passed one way.
#[derive(Clone, Copy, Default)]
struct Count {
    frames: u64,
    octets: u64,
}

impl Count {
    fn add(&mut self, message: &Message) {
        self.frames += message.len() as u64;
        self.octets += message.iter().map(|frame| frame.len() as u64).sum::<u64>();
    }
}

/// One direction.
#[derive(Default)]
struct Way {
    /// Received and not passed on, for want of room; whether the capture has it.
    held: Option<(Message, bool)>,
    received: Count,
    sent: Count,
    /// The poller tells of room at the other side.
    told: bool,
}

/// Why a burst ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// There may be more.
    Turn,
    /// Nothing to receive.
    Empty,
    /// No room at the other side.
    Full,
    /// No room at the capture.
    CaptureFull,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Running,
    Paused,
    Ended,
}

struct Proxy<'a> {
    front: &'a mut Socket,
    back: &'a mut Socket,
    capture: Option<&'a mut Socket>,
    poller: Poller,
    there: Way,
    back_again: Way,
    mode: Mode,
}

impl<'a> Proxy<'a> {
    fn new(front: &'a mut Socket, back: &'a mut Socket, capture: Option<&'a mut Socket>) -> Result<Self, Error> {
        let mut poller = Poller::new()?;
        poller.add(FRONT, front, Readiness::default());
        poller.add(BACK, back, Readiness::default());
        if let Some(capture) = &capture {
            poller.add(CAPTURE, capture, Readiness::default());
        }
        let (there, back_again) = (Way::default(), Way::default());
        Ok(Self { front, back, capture, poller, there, back_again, mode: Mode::Running })
    }
    fn run(mut self, mut control: Option<&mut Socket>) -> Result<(), Error> {
        if let Some(control) = &control {
            self.poller.add(CONTROL, control, Readiness::RECEIVE);
        }
        loop {
            if let Some(control) = &mut control {
                self.obey(control)?;
            }
            if self.mode == Mode::Ended {
                return Ok(());
            }
            let there = self.there.pass(self.front, self.back, self.capture.as_deref_mut(), self.mode)?;
            let again = self.back_again.pass(self.back, self.front, self.capture.as_deref_mut(), self.mode)?;
            // Whoever waits for room says so, and tries once more.
            let asks = self.there.asks(there, &mut self.poller, BACK) | self.back_again.asks(again, &mut self.poller, FRONT);
            if there != Stop::Turn && again != Stop::Turn && !asks {
                self.wait(there, again)?;
            }
        }
    }
    /// Waits for what stopped the two directions.
    fn wait(&mut self, there: Stop, again: Stop) -> Result<(), Error> {
        let running = self.mode == Mode::Running;
        let receives = |stop: Stop| Readiness { receive: stop == Stop::Empty && running, send: false };
        self.poller.modify(FRONT, receives(there))?;
        self.poller.modify(BACK, receives(again))?;
        if self.capture.is_some() {
            let send = there == Stop::CaptureFull || again == Stop::CaptureFull;
            self.poller.modify(CAPTURE, Readiness { receive: false, send })?;
        }
        self.poller.wait(None)?;
        (self.there.told, self.back_again.told) = (false, false);
        Ok(())
    }
    /// Does what the control says.
    fn obey(&mut self, control: &mut Socket) -> Result<(), Error> {
        loop {
            let order = match control.try_recv() {
                Ok(order) => order,
                Err(Error::WouldBlock) => return Ok(()),
                Err(error) => return Err(error),
            };
            let mut answer = Message::default();
            match order.bytes() {
                b"PAUSE" => self.mode = Mode::Paused,
                b"RESUME" => self.mode = Mode::Running,
                b"TERMINATE" => self.mode = Mode::Ended,
                b"STATISTICS" => answer = self.statistics(),
                _ => {}
            }
            if answer.len() > 1 || control.socket_type() == omnimq_core::SocketType::Rep {
                control.send(answer)?;
            }
            if self.mode == Mode::Ended {
                return Ok(());
            }
        }
    }
    fn statistics(&self) -> Message {
        let counts = [self.there.received, self.back_again.sent, self.back_again.received, self.there.sent];
        let numbers = counts.into_iter().flat_map(|count| [count.frames, count.octets]);
        Message::from_frames(numbers.map(|number| Frame::from(&number.to_ne_bytes()[..])).collect())
    }
}

impl Way {
    /// Has the poller tell of room at the other side, if that is what stopped this; false if it does so already. A socket
    /// of several peers may be ready to send and have no room for whom the message is, so that is not waited for.
    fn asks(&mut self, stop: Stop, poller: &mut Poller, to: usize) -> bool {
        let asks = stop == Stop::Full && !std::mem::replace(&mut self.told, stop == Stop::Full);
        if asks {
            poller.await_room(to);
        }
        asks
    }
    /// Passes messages on until there are none, there is no room, or others have their turn.
    fn pass(
        &mut self,
        from: &mut Socket,
        to: &mut Socket,
        mut capture: Option<&mut Socket>,
        mode: Mode,
    ) -> Result<Stop, Error> {
        for _ in 0..BURST {
            let (message, mut captured) = match self.held.take() {
                Some(held) => held,
                None if mode == Mode::Paused => return Ok(Stop::Empty),
                None => match from.try_recv() {
                    Ok(message) => {
                        self.received.add(&message);
                        (message, false)
                    }
                    // What is missing cannot be passed on.
                    Err(Error::Gap { .. }) => continue,
                    // This socket only sends.
                    Err(Error::WouldBlock | Error::NotSupported) => return Ok(Stop::Empty),
                    Err(error) => return Err(error),
                },
            };
            if let Some(capture) = &mut capture
                && !captured
            {
                match capture.try_send(&message).map_err(Error::from) {
                    Ok(()) => captured = true,
                    Err(Error::WouldBlock) => {
                        self.held = Some((message, false));
                        return Ok(Stop::CaptureFull);
                    }
                    Err(error) => return Err(error),
                }
            }
            let mut count = Count::default();
            count.add(&message);
            match to.try_send(message) {
                Ok(()) => {
                    self.sent.frames += count.frames;
                    self.sent.octets += count.octets;
                }
                Err(SendError { message, error: Error::WouldBlock }) => {
                    self.held = Some((message, captured));
                    return Ok(Stop::Full);
                }
                // Whom it was for has gone.
                Err(SendError { error: Error::Unroutable, .. }) => {}
                Err(SendError { error, .. }) => return Err(error),
            }
        }
        Ok(Stop::Turn)
    }
}
