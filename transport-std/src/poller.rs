//! Waiting for many sockets and descriptors at once.

use crate::error::Error;
use crate::runtime::sock::{Core, Sock};
use crate::socket::Socket;
use crate::sync::{Mutex, lock};
use crate::sys;
use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

/// What to wait for, and what has come.
///
/// ```
/// use omnimq::{Poller, Push, Readiness};
/// # use std::time::Duration;
/// # let context = omnimq::Context::new()?;
/// # let mut pull = omnimq::Pull::new(&context)?;
/// let mut push = Push::new(&context)?;
/// let mut poller = Poller::new()?;
/// poller.add(0, push.as_socket(), Readiness::SEND);
/// assert_eq!(poller.wait(Some(Duration::ZERO))?, []); // to nobody nothing can be sent
/// push.connect(&pull.bind("inproc://work")?)?;
/// assert_eq!(poller.wait(Some(Duration::from_secs(30)))?, [(0, Readiness::SEND)]);
/// # Ok::<(), omnimq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// A message can be received; a descriptor can be read.
    pub receive: bool,
    /// A message can be sent; a descriptor can be written. A socket that sends each message to peers of its own choosing is
    /// always ready (PUB, XPUB, ROUTER, REP with a request): whether those have room, the call itself says.
    pub send: bool,
}

impl Readiness {
    /// To receive.
    pub const RECEIVE: Self = Self { receive: true, send: false };
    /// To send.
    pub const SEND: Self = Self { receive: false, send: true };
    /// To do either.
    pub const BOTH: Self = Self { receive: true, send: true };

    fn and(self, other: Self) -> Self {
        Self { receive: self.receive && other.receive, send: self.send && other.send }
    }
    fn any(self) -> bool {
        self.receive || self.send
    }
}

/// Waits for many sockets and descriptors; a wait costs as much as what has come, not as what is waited for.
///
/// Sockets and descriptors are known by numbers of the caller's choosing. What has come stays so until it is taken, as
/// with `poll`: the next wait tells of it again.
///
/// ```
/// use omnimq::{Context, Poller, Pull, Push, Readiness};
/// # fn main() -> Result<(), omnimq::Error> {
/// let context = Context::new()?;
/// let (mut one, mut other) = (Pull::new(&context)?, Pull::new(&context)?);
/// one.bind("inproc://one")?;
/// other.bind("inproc://other")?;
/// let mut poller = Poller::new()?;
/// poller.add(1, one.as_socket(), Readiness::RECEIVE);
/// poller.add(2, other.as_socket(), Readiness::RECEIVE);
///
/// let mut push = Push::new(&context)?;
/// push.connect("inproc://other")?;
/// push.send("hello")?;
/// let ready = poller.wait(None)?;
/// assert_eq!(ready, [(2, Readiness::RECEIVE)]);
/// assert_eq!(other.try_recv()?.bytes(), b"hello");
/// # Ok(())
/// # }
/// ```
pub struct Poller {
    selector: sys::Selector,
    woken: Arc<Woken>,
    sockets: HashMap<usize, Entry>,
    /// Sockets to be looked at: new ones, those that were woken, those that were ready last time.
    check: Vec<usize>,
    ready: Vec<(usize, Readiness)>,
}

struct Entry {
    sock: Arc<Sock>,
    wants: Readiness,
    waker: Waker,
    /// It stands in `check`.
    checked: bool,
    /// Ready to send as soon as the socket says that a peer has room.
    awaits_room: bool,
}

/// Sockets whose wait is over.
struct Woken {
    keys: Mutex<Vec<usize>>,
    bell: sys::SelectorWaker,
}

struct Key {
    key: usize,
    woken: Arc<Woken>,
}

impl Wake for Key {
    fn wake(self: Arc<Self>) {
        let mut keys = lock(&self.woken.keys);
        let first = keys.is_empty();
        keys.push(self.key);
        drop(keys);
        if first {
            self.woken.bell.wake();
        }
    }
}

impl Poller {
    /// A poller of nothing.
    ///
    /// ```
    /// use omnimq::Poller;
    /// use std::time::Duration;
    /// let mut poller = Poller::new()?;
    /// assert_eq!(poller.wait(Some(Duration::ZERO))?, []);
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::System`] (EMFILE, …).
    pub fn new() -> Result<Self, Error> {
        let (selector, bell) = sys::Selector::new().map_err(Error::system("make a poller"))?;
        let woken = Arc::new(Woken { keys: Mutex::new(Vec::new()), bell });
        Ok(Self { selector, woken, sockets: HashMap::new(), check: Vec::new(), ready: Vec::new() })
    }
    /// Waits for `socket` too, which is called `key`; whatever was called so before is forgotten.
    ///
    /// ```
    /// use omnimq::{Poller, Pull, Push, Readiness};
    /// # let context = omnimq::Context::new()?;
    /// # let (mut pulls, mut push) = ([Pull::new(&context)?, Pull::new(&context)?], Push::new(&context)?);
    /// let mut poller = Poller::new()?;
    /// for (key, pull) in pulls.iter().enumerate() {
    ///     poller.add(key, pull.as_socket(), Readiness::RECEIVE);
    /// }
    /// push.connect(&pulls[1].bind("inproc://work")?)?;
    /// push.send("work")?;
    /// for (key, _) in poller.wait(Some(std::time::Duration::from_secs(30)))? {
    ///     assert_eq!(pulls[*key].try_recv()?.bytes(), b"work");
    /// }
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    pub fn add(&mut self, key: usize, socket: &Socket, wants: Readiness) {
        let waker = Waker::from(Arc::new(Key { key, woken: self.woken.clone() }));
        let entry = Entry { sock: socket.sock().clone(), wants, waker, checked: true, awaits_room: false };
        if !self.sockets.insert(key, entry).is_some_and(|old| old.checked) {
            self.check.push(key);
        }
    }
    /// Waits for something else of the socket called `key`.
    ///
    /// ```
    /// # use omnimq::{Pair, Poller, Readiness};
    /// # use std::time::Duration;
    /// # let context = omnimq::Context::new()?;
    /// # let (mut near, mut far) = (Pair::new(&context)?, Pair::new(&context)?);
    /// # near.connect(&far.bind("inproc://pair")?)?;
    /// let mut poller = Poller::new()?;
    /// poller.add(0, near.as_socket(), Readiness::RECEIVE);
    /// assert_eq!(poller.wait(Some(Duration::ZERO))?, []);
    /// poller.modify(0, Readiness::BOTH)?; // there is something to be sent too
    /// assert_eq!(poller.wait(Some(Duration::from_secs(30)))?, [(0, Readiness::SEND)]);
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotPolled`] (EINVAL): nothing is called so.
    pub fn modify(&mut self, key: usize, wants: Readiness) -> Result<(), Error> {
        let entry = self.sockets.get_mut(&key).ok_or(Error::NotPolled(key))?;
        entry.wants = wants;
        if !std::mem::replace(&mut entry.checked, true) {
            self.check.push(key);
        }
        Ok(())
    }
    /// Has the next wait end when a peer of the socket called `key` has room where it had none. To be called before a send
    /// that is to fail if it must: what it finds full is told of.
    pub(crate) fn await_room(&mut self, key: usize) {
        if let Some(entry) = self.sockets.get_mut(&key) {
            entry.sock.writers.announce_poller(&entry.waker);
            entry.awaits_room = true;
        }
    }
    /// Waits no more for the socket called `key`.
    ///
    /// ```
    /// # use omnimq::{Error, Poller, Pull, Readiness};
    /// # let context = omnimq::Context::new()?;
    /// let pull = Pull::new(&context)?;
    /// let mut poller = Poller::new()?;
    /// poller.add(7, pull.as_socket(), Readiness::RECEIVE);
    /// poller.remove(7)?;
    /// assert!(matches!(poller.remove(7), Err(Error::NotPolled(7))));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotPolled`] (EINVAL): nothing is called so.
    pub fn remove(&mut self, key: usize) -> Result<(), Error> {
        let entry = self.sockets.remove(&key).ok_or(Error::NotPolled(key))?;
        if entry.checked {
            self.check.retain(|other| *other != key);
        }
        Ok(())
    }
    /// Waits for a descriptor too, which is called `key`: a number that no socket has here. It has to be taken out before it
    /// is closed.
    ///
    /// ```
    /// use omnimq::{Poller, Readiness};
    /// use std::{io::Write as _, os::unix::net::UnixStream};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (near, mut far) = UnixStream::pair()?;
    /// let mut poller = Poller::new()?;
    /// poller.add_descriptor(7, &near, Readiness::RECEIVE)?;
    /// far.write_all(b"something")?;
    /// assert_eq!(poller.wait(None)?, [(7, Readiness::RECEIVE)]);
    /// poller.remove_descriptor(&near)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::System`] (EEXIST, EPERM, …).
    #[cfg(all(target_os = "linux", not(portable)))]
    pub fn add_descriptor(&mut self, key: usize, descriptor: impl std::os::fd::AsFd, wants: Readiness) -> Result<(), Error> {
        let added = self.selector.add(descriptor.as_fd(), key, wants.receive, wants.send);
        added.map_err(Error::system("poll a descriptor"))
    }
    /// Waits no more for a descriptor.
    ///
    /// ```
    /// # use omnimq::{Poller, Readiness};
    /// # use std::{io::Write as _, os::unix::net::UnixStream, time::Duration};
    /// # let (near, mut far) = UnixStream::pair()?;
    /// # let mut poller = Poller::new()?;
    /// poller.add_descriptor(7, &near, Readiness::RECEIVE)?;
    /// poller.remove_descriptor(&near)?;
    /// far.write_all(b"unheard")?;
    /// assert_eq!(poller.wait(Some(Duration::ZERO))?, []);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::System`] (ENOENT, …).
    #[cfg(all(target_os = "linux", not(portable)))]
    pub fn remove_descriptor(&mut self, descriptor: impl std::os::fd::AsFd) -> Result<(), Error> {
        self.selector.remove(descriptor.as_fd()).map_err(Error::system("no more poll a descriptor"))
    }
    /// Waits until something is ready, at most `timeout` (`None` = for ever); nothing when the time is up. A socket whose
    /// context ends is ready for everything: its calls say so.
    ///
    /// ```
    /// use omnimq::{Poller, Pull, Readiness};
    /// use std::time::Duration;
    /// # let context = omnimq::Context::new()?;
    /// let mut pull = Pull::new(&context)?;
    /// let mut poller = Poller::new()?;
    /// poller.add(0, pull.as_socket(), Readiness::RECEIVE);
    /// # pull.bind("inproc://work")?;
    /// # let mut push = omnimq::Push::new(&context)?;
    /// # push.connect("inproc://work")?;
    /// # push.send("work")?;
    /// match poller.wait(Some(Duration::from_secs(30)))? {
    ///     [] => panic!("nothing for half a minute"),
    ///     ready => assert_eq!(ready, [(0, Readiness::RECEIVE)]),
    /// }
    /// assert_eq!(pull.try_recv()?.bytes(), b"work");
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::System`], should the system be unable to wait. A signal ends no wait.
    pub fn wait(&mut self, timeout: Option<Duration>) -> Result<&[(usize, Readiness)], Error> {
        let until = timeout.map(|timeout| Instant::now().checked_add(timeout));
        self.ready.clear();
        loop {
            self.look();
            let left = match until {
                _ if !self.ready.is_empty() => Some(Duration::ZERO),
                Some(Some(until)) => Some(until.saturating_duration_since(Instant::now())),
                Some(None) | None => None,
            };
            let ready = &mut self.ready;
            let found = |key, receive, send| ready.push((key, Readiness { receive, send }));
            self.selector.wait(left, found).map_err(Error::system("poll"))?;
            let over = left.is_some_and(|left| left.is_zero());
            if over || !self.ready.is_empty() {
                if self.ready.is_empty() && !lock(&self.woken.keys).is_empty() {
                    self.look();
                }
                return Ok(&self.ready);
            }
        }
    }
    /// Looks at the sockets that may be ready; those that are not will say so.
    fn look(&mut self) {
        for key in std::mem::take(&mut *lock(&self.woken.keys)) {
            let Some(entry) = self.sockets.get_mut(&key) else { continue };
            if std::mem::take(&mut entry.awaits_room) {
                self.ready.push((key, Readiness::SEND));
            }
            if !std::mem::replace(&mut entry.checked, true) {
                self.check.push(key);
            }
        }
        let Self { check, sockets, ready, .. } = self;
        check.retain(|key| {
            let Some(entry) = sockets.get_mut(key) else { return false };
            let found = entry.look();
            if found.any() {
                ready.push((*key, found));
            }
            entry.checked = found.any();
            entry.checked
        });
    }
}

/// The socket has nobody to wake any more.
impl Drop for Entry {
    fn drop(&mut self) {
        self.sock.readers.withdraw_poller(&self.waker);
        self.sock.writers.withdraw_poller(&self.waker);
    }
}

impl Entry {
    /// What is ready of what is wanted; if nothing is, the poller will be woken.
    fn look(&self) -> Readiness {
        let found = self.sock.readiness(self.wants);
        if found.any() || !self.wants.any() {
            return found;
        }
        if self.wants.receive {
            self.sock.await_messages_polled(&self.waker);
        }
        if self.wants.send {
            self.sock.writers.announce_poller(&self.waker);
        }
        self.sock.readiness(self.wants)
    }
}

impl Sock {
    /// Whether a message may be sent; nothing is written to find out.
    #[cfg(feature = "stream")]
    pub(crate) fn has_room(&self) -> bool {
        let mut core = lock(&self.core);
        self.pump(&mut core);
        self.is_terminated() || core.socket.can_send()
    }
    /// Whether there is a message, or a gap to be told of.
    fn can_recv(&self, core: &mut Core) -> bool {
        core.socket.can_recv() || !self.notices.gaps.is_empty()
    }
    /// Which of these calls would not have to wait.
    pub(crate) fn readiness(&self, wants: Readiness) -> Readiness {
        if self.is_terminated() {
            return wants;
        }
        let mut core = lock(&self.core);
        self.pump(&mut core);
        let receive = wants.receive && self.can_recv(&mut core);
        let send = wants.send && core.socket.can_send();
        self.publish(core);
        let found = wants.and(Readiness { receive, send });
        // What is on its way within the process counts as being there.
        if wants.receive && !found.any() && self.fetch_expected() {
            let mut core = lock(&self.core);
            self.pump(&mut core);
            return Readiness { receive: self.can_recv(&mut core), send };
        }
        found
    }
}
