//! Contexts: I/O threads, and the sockets they serve.

use crate::error::Error;
use crate::options::SocketOptions;
use crate::runtime::inproc::Names;
use crate::runtime::io::{Command, Io};
use crate::runtime::sock::Sock;
use crate::socket::Socket;
use crate::sys::SockId;
use omnimq_core::SocketType;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long dropping the last handle waits for unsent messages.
const GRACE: Duration = Duration::from_secs(1);

/// The sockets that are open or linger.
#[derive(Default)]
pub(crate) struct Census {
    socks: Mutex<HashMap<SockId, Arc<Sock>>>,
    changed: Condvar,
    /// Where they meet within the process.
    pub(crate) names: Names,
    /// No socket will be made, or bound, any more.
    ended: AtomicBool,
}

impl Census {
    fn socks(&self) -> MutexGuard<'_, HashMap<SockId, Arc<Sock>>> {
        self.socks.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }
    fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        let socks: Vec<_> = self.socks().values().cloned().collect();
        for sock in socks {
            sock.on_context_end();
        }
    }
    pub(crate) fn leave(&self, sock: SockId) {
        self.socks().remove(&sock);
        self.changed.notify_all();
    }
    /// Waits until nobody is left; false when some are at `until`.
    fn wait(&self, until: Option<Instant>) -> bool {
        let mut socks = self.socks();
        while !socks.is_empty() {
            socks = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                Some(left) if left.is_zero() => return false,
                Some(left) => self.changed.wait_timeout(socks, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.changed.wait(socks).unwrap_or_else(PoisonError::into_inner),
            };
        }
        true
    }
}

struct Inner {
    io: Vec<Arc<Io>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    census: Arc<Census>,
    /// Sockets made.
    made: AtomicU32,
    /// Numbers drawn.
    drawn: AtomicU32,
    random: RandomState,
}

/// Where sockets are made. Cloning gives another handle to the same context; it may be used from any thread.
///
/// ```
/// use omnimq::{Context, Pull, SocketType};
/// # fn main() -> Result<(), omnimq::Error> {
/// let context = Context::new()?;
/// let pull = Pull::new(&context)?;
/// let chosen_at_run_time = context.socket(SocketType::Push)?;
/// drop((pull, chosen_at_run_time));
/// context.term(); // waits until all has left that was sent
/// # Ok(())
/// # }
/// ```
///
/// Sockets keep their context alive. When the last of its handles and sockets has gone, the I/O threads serve what
/// lingers for as long as it may linger; the drop itself waits for that one second at most.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

impl Context {
    /// A context with one I/O thread.
    ///
    /// ```
    /// use omnimq::{Context, Pull, Push};
    /// let context = Context::new()?;
    /// let same = context.clone(); // for another thread, or another part of the program
    /// let mut pull = Pull::new(&context)?;
    /// pull.bind("inproc://work")?;
    /// let mut push = Push::new(&same)?;
    /// push.connect("inproc://work")?; // a name of the same context
    /// push.send("hello")?;
    /// # assert_eq!(pull.try_recv()?.bytes(), b"hello");
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::System`] (EMFILE, EAGAIN, …) when the thread or its descriptors cannot be made.
    pub fn new() -> Result<Self, Error> {
        Self::with_io_threads(1)
    }
    /// A context with `n` I/O threads, at least one.
    ///
    /// ```
    /// use omnimq::{Context, Pull};
    /// let context = Context::with_io_threads(2)?;
    /// let (video, sound) = (Pull::new(&context)?, Pull::new(&context)?); // one thread for each
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_io_threads(n: usize) -> Result<Self, Error> {
        let (mut io, mut threads) = (Vec::new(), Vec::new());
        for n in 0..n.max(1) {
            let started = Io::start(format!("omnimq-io-{n}")).inspect_err(|_| {
                // Those that run already would never end.
                io.iter().for_each(|io: &Arc<Io>| io.send(Command::Stop));
            });
            let (one, thread) = started.map_err(Error::system("start an I/O thread"))?;
            io.push(one);
            threads.push(thread);
        }
        Ok(Self(Arc::new(Inner {
            io,
            threads: Mutex::new(threads),
            census: Arc::default(),
            made: AtomicU32::new(0),
            drawn: AtomicU32::new(0),
            random: RandomState::new(),
        })))
    }
    /// A socket with libzmq's default options.
    ///
    /// ```
    /// use omnimq::{Context, SocketType};
    /// let context = Context::new()?;
    /// let mut pull = context.socket(SocketType::Pull)?;
    /// let mut push = context.socket(SocketType::Push)?;
    /// push.connect(&pull.bind("inproc://work")?)?;
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`socket_with`](Self::socket_with).
    pub fn socket(&self, socket_type: SocketType) -> Result<Socket, Error> {
        self.socket_with(socket_type, SocketOptions::default())
    }
    /// A socket with `options`.
    ///
    /// ```
    /// use omnimq::{Context, SocketOptions, SocketType};
    /// let mut options = SocketOptions::default();
    /// options.routing_id = "worker 7".into();
    /// options.max_frame = Some(1 << 20);
    /// let dealer = Context::new()?.socket_with(SocketType::Dealer, options)?;
    /// assert_eq!(dealer.options().max_frame, Some(1 << 20));
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotSupported`] (ENOTSUP) for a type there is no pattern for, [`Error::TooLarge`] (EMSGSIZE) for a routing
    /// id of more than 255 octets, [`Error::System`] (EMFILE, …), [`Error::Terminated`] (ETERM).
    pub fn socket_with(&self, socket_type: SocketType, options: SocketOptions) -> Result<Socket, Error> {
        if self.0.census.has_ended() {
            return Err(Error::Terminated);
        }
        if options.routing_id.len() > 255 {
            return Err(Error::TooLarge);
        }
        let id = self.vacant();
        let io = &self.0.io[id.index() % self.0.io.len()];
        let sock = Sock::new(id, socket_type, options, self.draw(), io, self.0.census.clone())
            .map_err(Error::system("make a socket"))?
            .ok_or(Error::NotSupported)?;
        let sock = Arc::new(sock);
        self.0.census.socks().insert(id, sock.clone());
        io.send(Command::Open(sock.clone()));
        if self.0.census.has_ended() {
            // The end may have come before the socket was counted, and have told those only that were.
            sock.terminate();
        }
        Ok(Socket::new(self.clone(), sock))
    }
    /// A number for a socket, of those that fit into a token the next that no socket has.
    fn vacant(&self) -> SockId {
        loop {
            let id = SockId::new(self.0.made.fetch_add(1, Ordering::Relaxed));
            if !self.0.census.socks().contains_key(&id) {
                return id;
            }
        }
    }
    /// A number nobody can predict: where generated ids begin.
    pub(crate) fn draw(&self) -> u32 {
        self.0.random.hash_one(self.0.drawn.fetch_add(1, Ordering::Relaxed)) as u32
    }
    /// Ends the context: calls that wait, and all later ones, fail with [`Error::Terminated`]; returns when every
    /// socket has been dropped and its messages have left or its linger time is over.
    ///
    /// ```
    /// use omnimq::{Context, Pull, Push};
    /// # let elsewhere = Context::new()?;
    /// # let mut pull = Pull::new(&elsewhere)?;
    /// # pull.set_recv_timeout(Some(std::time::Duration::from_secs(30)));
    /// let context = Context::new()?;
    /// let mut push = Push::new(&context)?;
    /// push.connect(&pull.bind("tcp://127.0.0.1:*")?)?;
    /// push.send("the last word")?;
    /// drop(push);
    /// context.term(); // it has left when this returns
    /// assert_eq!(pull.recv()?.bytes(), b"the last word");
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    pub fn term(&self) {
        self.shutdown();
        self.0.census.wait(None);
    }
    /// As [`term`](Self::term), for at most `timeout`.
    ///
    /// ```
    /// use omnimq::{Context, Error, Pull};
    /// use std::time::Duration;
    /// # fn main() -> Result<(), Error> {
    /// let context = Context::new()?;
    /// let mut pull = Pull::new(&context)?;
    /// pull.bind("inproc://forgotten")?;
    /// let Err(Error::StillOpen(sockets)) = context.term_timeout(Duration::from_millis(1)) else { panic!("it is open") };
    /// assert_eq!(sockets[0].to_string(), "PULL bound to inproc://forgotten (not dropped)");
    /// drop(pull);
    /// context.term_timeout(Duration::from_secs(1))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::StillOpen`] (EAGAIN) with the sockets that have not been dropped, or linger. It may be called again.
    pub fn term_timeout(&self, timeout: Duration) -> Result<(), Error> {
        self.shutdown();
        if self.0.census.wait(Instant::now().checked_add(timeout)) {
            return Ok(());
        }
        let socks: Vec<_> = self.0.census.socks().values().cloned().collect();
        // Those that have gone meanwhile are in nobody's way.
        if socks.is_empty() { Ok(()) } else { Err(Error::StillOpen(socks.iter().map(|sock| sock.describe()).collect())) }
    }
    /// The first half of [`term`](Self::term): ends all waits and returns.
    ///
    /// ```
    /// use omnimq::{Context, Error, Pull};
    /// let context = Context::new()?;
    /// let mut pull = Pull::new(&context)?;
    /// pull.bind("inproc://work")?;
    /// let worker = std::thread::spawn(move || loop {
    ///     match pull.recv() {
    ///         Ok(message) => println!("{message:?}"),
    ///         Err(why) => return why,
    ///     }
    /// });
    /// context.shutdown(); // tells the worker to go home
    /// assert!(matches!(worker.join().unwrap(), Error::Terminated));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn shutdown(&self) {
        self.0.census.end();
        for sock in self.0.census.socks().values() {
            sock.terminate();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.census.end();
        let flushed = self.census.wait(Instant::now().checked_add(GRACE));
        for io in &self.io {
            io.send(Command::Stop);
        }
        // A thread that still serves lingering sockets ends when they have gone.
        for thread in self.threads.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            if flushed && std::thread::current().id() != thread.thread().id() {
                let _ = thread.join();
            }
        }
    }
}
