//! Other systems, on mio: the I/O thread does all reading, applications sleep on a condition variable.

use super::{Alarm, Listener, Ready, Token};
use crate::sync::entering_system;
use mio::{Events, Interest, Registry};
use omnimq_core::PipeId;
use std::collections::HashMap;
use std::io::{self, IoSlice, Read as _, Write as _};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub(crate) use super::sockets::{Door, Stream, accept, door, outcome, peer_address, set_nodelay, stream};

/// Applications leave their connections to the I/O thread.
pub(crate) const SEATED: bool = false;

/// A stream is told of again only after a read that would have blocked: so it is on Windows.
pub(crate) const READS_TO_THE_END: bool = cfg!(any(windows, portable));

const WAKE: mio::Token = mio::Token(usize::MAX);

/// The I/O thread's selector.
pub(crate) struct Poll {
    poll: mio::Poll,
    events: Events,
    alarms: Arc<Alarms>,
    tokens: Arc<Mutex<Tokens>>,
}

/// What other threads hold of a [`Poll`].
pub(crate) struct Handle {
    registry: Registry,
    waker: mio::Waker,
    alarms: Arc<Alarms>,
    tokens: Arc<Mutex<Tokens>>,
}

/// mio's tokens are as wide as a pointer, ours 64 bits: a table, for where they differ.
#[derive(Default)]
struct Tokens {
    all: Vec<Token>,
    places: HashMap<Token, usize>,
}

impl Tokens {
    fn keep(&mut self, token: Token) -> mio::Token {
        mio::Token(*self.places.entry(token).or_insert_with(|| {
            self.all.push(token);
            self.all.len() - 1
        }))
    }
}

/// When alarms that were armed go off, by [`Alarm`]: without a timer that others may set, the I/O thread is woken to sleep
/// no longer than that.
#[derive(Default)]
struct Alarms(Mutex<[Option<Instant>; 2]>);

impl Alarms {
    fn arm(&self, alarm: Alarm, span: Duration) {
        let due = Instant::now().checked_add(span);
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[alarm as usize] = due;
    }
    /// How long the next leaves to sleep, at most `timeout`.
    fn bound(&self, timeout: Option<Duration>) -> Option<Duration> {
        let next = self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().flatten().min().copied();
        let left = next.map(|due| due.saturating_duration_since(Instant::now()));
        left.into_iter().chain(timeout).min()
    }
    /// Those whose time has come.
    fn due(&self) -> impl Iterator<Item = Alarm> {
        let mut alarms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let fired = Alarm::ALL.map(|alarm| alarms[alarm as usize].take_if(|due| *due <= now).map(|_| alarm));
        fired.into_iter().flatten()
    }
}

impl Poll {
    pub(crate) fn new() -> io::Result<(Self, Handle)> {
        let poll = mio::Poll::new()?;
        let (alarms, tokens) = (Arc::<Alarms>::default(), Arc::<Mutex<Tokens>>::default());
        let handle = Handle {
            registry: poll.registry().try_clone()?,
            waker: mio::Waker::new(poll.registry(), WAKE)?,
            alarms: alarms.clone(),
            tokens: tokens.clone(),
        };
        Ok((Self { poll, events: Events::with_capacity(256), alarms, tokens }, handle))
    }
    /// Waits; appends what happened to `ready`.
    pub(crate) fn wait(&mut self, ready: &mut Vec<Ready>, timeout: Option<Duration>) {
        entering_system();
        if self.poll.poll(&mut self.events, self.alarms.bound(timeout)).is_err() {
            return;
        }
        for alarm in self.alarms.due() {
            ready.push(Ready { token: Token::alarm(alarm), readable: true, writable: false, ended: false });
        }
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        for event in self.events.iter() {
            if let Some(token) = tokens.all.get(event.token().0) {
                ready.push(Ready {
                    token: *token,
                    readable: event.is_readable() || event.is_read_closed() || event.is_error(),
                    writable: event.is_writable(),
                    ended: event.is_read_closed() || event.is_error(),
                });
            }
        }
    }
}

impl Handle {
    fn register(&self, source: &mut impl mio::event::Source, token: Token, interest: Interest) -> io::Result<()> {
        let token = self.tokens.lock().unwrap_or_else(PoisonError::into_inner).keep(token);
        self.registry.register(source, token, interest)
    }
    pub(crate) fn wake(&self) {
        entering_system();
        let _ = self.waker.wake();
    }
    /// Has `alarm` go off after `span`, as precisely as the system's waits are.
    pub(crate) fn arm(&self, alarm: Alarm, span: Duration) {
        self.alarms.arm(alarm, span);
        self.wake();
    }
    /// Listens for connections.
    pub(crate) fn add_listener(&self, listener: &mut Listener, token: Token) -> io::Result<()> {
        self.register(&mut listener.door, token, Interest::READABLE)
    }
    pub(crate) fn remove_listener(&self, listener: &mut Listener) {
        let _ = self.registry.deregister(&mut listener.door);
    }
    /// Watches a stream both ways, edge-triggered.
    pub(crate) fn add_stream(&self, stream: &mut Stream, token: Token) -> io::Result<()> {
        self.register(stream, token, Interest::READABLE | Interest::WRITABLE)
    }
    /// The handshake is over: nothing changes here.
    pub(crate) fn settle_stream(&self, _stream: &Stream, _token: Token) -> io::Result<()> {
        Ok(())
    }
    /// Room is always told here.
    pub(crate) fn watch_room(&self, _stream: &Stream, _token: Token, _on: bool) {}
}

/// Where one socket's application sleeps.
#[derive(Default)]
pub(crate) struct Sets {
    rung: Mutex<bool>,
    bell: Condvar,
}

impl Sets {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self::default())
    }
    pub(crate) fn join(&self, _poll: &Handle, _token: Token) -> io::Result<()> {
        Ok(())
    }
    pub(crate) fn listen(&self, _poll: &Handle, _token: Token, _on: bool) {}
    pub(crate) fn add(&self, _stream: &Stream, _pipe: PipeId) -> io::Result<()> {
        Ok(())
    }
    pub(crate) fn harvest(&self, _pipes: &mut Vec<PipeId>) {}
    /// The application waits for [`wake`](Self::wake).
    pub(crate) fn wait(&self, _pipes: &mut Vec<PipeId>, timeout: Option<Duration>) -> bool {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rung = match timeout {
            None => self.bell.wait_while(rung, |rung| !*rung).unwrap_or_else(PoisonError::into_inner),
            Some(span) => self.bell.wait_timeout_while(rung, span, |rung| !*rung).unwrap_or_else(PoisonError::into_inner).0,
        };
        std::mem::take(&mut *rung)
    }
    pub(crate) fn quiet(&self) {}
    pub(crate) fn wake(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.bell.notify_one();
    }
}

/// What a poller waits on.
#[derive(Default)]
pub(crate) struct Selector(Arc<Sets>);

/// Wakes who waits on a [`Selector`].
pub(crate) struct SelectorWaker(Arc<Sets>);

impl SelectorWaker {
    pub(crate) fn wake(&self) {
        self.0.wake();
    }
}

impl Selector {
    pub(crate) fn new() -> io::Result<(Self, SelectorWaker)> {
        let bell = Arc::<Sets>::default();
        Ok((Self(bell.clone()), SelectorWaker(bell)))
    }
    /// Waits to be woken; there are no descriptors here.
    pub(crate) fn wait(&self, timeout: Option<Duration>, _found: impl FnMut(usize, bool, bool)) -> io::Result<()> {
        self.0.wait(&mut Vec::new(), timeout);
        Ok(())
    }
}

/// Room is always told here.
pub(crate) fn tells_room_in_vain(_stream: &Stream) -> bool {
    false
}

/// Reads without blocking.
pub(crate) fn read(mut stream: &Stream, space: &mut [u8]) -> io::Result<usize> {
    entering_system();
    stream.read(space)
}

/// Writes without blocking.
pub(crate) fn write(mut stream: &Stream, bytes: &[u8]) -> io::Result<usize> {
    entering_system();
    stream.write(bytes)
}

/// As [`write()`], from several places.
pub(crate) fn write_vectored(mut stream: &Stream, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    entering_system();
    stream.write_vectored(slices)
}

/// The system decides how precise timers are.
pub(crate) fn precise_timers() {}
