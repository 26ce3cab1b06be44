//! Where a socket binds and whom it connects to.

use crate::dial::Dial;
use crate::endpoint::{self, Site};
use crate::error::Error;
use crate::event::Event;
use crate::open_socket::OpenSocket;
use crate::runtime::io::Command;
use crate::runtime::multicast::Session;
use crate::runtime::sock::Sock;
use crate::socket::Socket;
use crate::sync::{Mutex, lock};
use crate::sys::{Listener, StreamOptions, ipc, tcp};
use std::io;
use std::sync::mpsc;

/// Endpoints of a socket that have no pipe of their own.
#[derive(Default)]
pub(crate) struct Places {
    /// Those it accepts connections at.
    pub(crate) bound: List,
    /// Those of its multicast sessions.
    pub(crate) joined: List,
}

/// Endpoints, each as often as it was added.
#[derive(Default)]
pub(crate) struct List(Mutex<Vec<String>>);

impl List {
    pub(crate) fn add(&self, endpoint: &str) {
        lock(&self.0).push(endpoint.into());
    }
    pub(crate) fn remove(&self, endpoint: &str) {
        let mut all = lock(&self.0);
        if let Some(at) = all.iter().position(|other| other == endpoint) {
            all.swap_remove(at);
        }
    }
    pub(crate) fn all(&self) -> Vec<String> {
        lock(&self.0).clone()
    }
}

impl Sock {
    /// What an application can recognise it by.
    pub(crate) fn describe(&self) -> OpenSocket {
        let mut connected: Vec<_> = self.peers().iter().filter_map(|peer| peer.endpoint.clone()).collect();
        connected.extend(self.names_connected());
        connected.extend(self.places.joined.all());
        OpenSocket { socket_type: self.socket_type, bound: self.places.bound.all(), connected, lingers: self.is_dropped() }
    }
}

impl Socket {
    /// Accepts connections at `endpoint`; returns it with the real port or path.
    ///
    /// - `tcp://` with an address (`127.0.0.1:5555`, `[::1]:5555`), `*` for all interfaces, or an interface's or host's
    ///   name; port `*` takes a free one. `[::]` is all interfaces in both families, and so is `*` with
    ///   [`SocketOptions::ipv6`](crate::SocketOptions::ipv6).
    /// - `ipc://` with a path, whose file is made, or, on Linux, `@` and a name. A file that nobody listens at any more is
    ///   replaced. `*` makes a file in a directory of its own, which goes with the listener.
    /// - `inproc://` with any name, for sockets of the same context.
    /// - `pgm://` and `epgm://` with the feature `pgm`, an interface and a group (`epgm://eth0;239.192.1.1:5555`), for PUB,
    ///   SUB, XPUB and XSUB: takes part in the session, as [`connect`](Self::connect) does.
    ///
    /// ```
    /// # let context = omnimq::Context::new()?;
    /// let mut router = omnimq::Router::new(&context)?;
    /// let endpoint = router.bind("tcp://127.0.0.1:*")?; // one socket may have many endpoints
    /// router.bind("inproc://router")?;
    /// assert!(endpoint.starts_with("tcp://127.0.0.1:") && !endpoint.ends_with('*'));
    /// assert_eq!(router.bind("tcp://127.0.0.1:99999").unwrap_err().errno(), omnimq::Errno::Inval);
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Endpoint`] (EINVAL), [`Error::TooLong`] (ENAMETOOLONG), [`Error::Transport`] (EPROTONOSUPPORT),
    /// [`Error::System`] (EADDRINUSE, EADDRNOTAVAIL, ENODEV, ENOENT, …), [`Error::Terminated`] (ETERM).
    pub fn bind(&mut self, endpoint: &str) -> Result<String, Error> {
        self.alive()?;
        let bound = self.accept_at(endpoint);
        match &bound {
            Ok(bound) => self.last_endpoint.clone_from(bound),
            Err(error) => self.sock().tell(|| Event::BindFailed {
                endpoint: endpoint.into(),
                errno: error.errno(),
                why: error.to_string(),
            }),
        }
        bound
    }
    fn accept_at(&self, endpoint: &str) -> Result<String, Error> {
        let sock = self.sock();
        if let Some(name) = endpoint::inproc(endpoint) {
            let is_free = sock.names().bind(name, sock);
            return is_free
                .then(|| endpoint.into())
                .ok_or_else(|| Error::at("bind", endpoint)(io::ErrorKind::AddrInUse.into()));
        }
        if self.join(endpoint)? {
            return Ok(endpoint.into());
        }
        let site = endpoint::bind(endpoint, sock.options.ipv6)?;
        let refused = || Error::at("bind", endpoint);
        let (listener, bound) = listen(&site, &sock.options.stream()).map_err(refused())?;
        let (done, answer) = mpsc::channel();
        let asked = endpoint.into();
        sock.io.send(Command::Listen { sock: sock.id, listener, endpoint: bound.clone(), asked, done });
        answer.recv().map_err(|_| Error::Terminated)?.map_err(refused())?;
        Ok(bound)
    }
    /// Takes part in the multicast session at `endpoint`, if it is one; false if it is not.
    fn join(&self, endpoint: &str) -> Result<bool, Error> {
        let sock = self.sock();
        let Some(session) = endpoint::session(endpoint, sock.socket_type)? else { return Ok(false) };
        let session = Box::new(Session::open(&session, endpoint, sock)?);
        let (done, answer) = mpsc::channel();
        sock.io.send(Command::Join { sock: sock.id, session, done });
        answer.recv().map_err(|_| Error::Terminated)?.map_err(Error::at("open", endpoint))?;
        Ok(true)
    }
    /// Stops accepting at `endpoint`, as [`bind`](Self::bind) was given it or returned it; the port or name is free when
    /// this returns. Connections that were accepted stay.
    ///
    /// ```
    /// # use omnimq::{Context, Pull};
    /// # let context = Context::new()?;
    /// # let (mut old, mut new) = (Pull::new(&context)?, Pull::new(&context)?);
    /// let endpoint = old.bind("tcp://127.0.0.1:*")?;
    /// assert!(new.bind(&endpoint).is_err());
    /// old.unbind(&endpoint)?;
    /// new.bind(&endpoint)?; // another takes over; those who were connected stay with the old one
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFound`] (ENOENT).
    pub fn unbind(&mut self, endpoint: &str) -> Result<(), Error> {
        let sock = self.sock();
        if let Some(name) = endpoint::inproc(endpoint) {
            return found(endpoint, sock.names().unbind(name, sock));
        }
        let (done, answer) = mpsc::channel();
        sock.io.send(Command::Unlisten { sock: sock.id, endpoint: endpoint.into(), done });
        found(endpoint, answer.recv().is_ok_and(|found| found))
    }
    /// Connects to `endpoint` in the background, and again whenever the connection is lost. Messages may be sent at once:
    /// they wait, up to the high-water mark.
    ///
    /// - `tcp://host:port`, where the host is an address or a name, whose addresses are tried one after the other, and
    ///   looked up again each time. `tcp://source;host:port` connects from that address (`10.0.0.1`, `10.0.0.1:7000`) or
    ///   interface.
    /// - `ipc://` with a path or, on Linux, `@` and a name.
    /// - `inproc://` with a name, bound or not yet. When the one who has bound it goes, the connection does not come again.
    ///
    /// - `pgm://` and `epgm://` with the feature `pgm`: as [`bind`](Self::bind).
    ///
    /// As with libzmq, a DEALER, SUB, PUB or REQ that is connected to `endpoint` already, or trying to be, stays so and
    /// nothing else happens, but for inproc; sockets of other types get a second connection.
    ///
    /// ```
    /// # use omnimq::{Context, Pull, Push};
    /// # let context = Context::new()?;
    /// # let (mut pull, mut push) = (Pull::new(&context)?, Push::new(&context)?);
    /// # pull.set_recv_timeout(Some(std::time::Duration::from_secs(30)));
    /// push.connect("inproc://work")?; // nobody is there
    /// push.send("early")?;
    /// pull.bind("inproc://work")?;
    /// assert_eq!(pull.recv()?.bytes(), b"early");
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Endpoint`] (EINVAL), [`Error::TooLong`] (ENAMETOOLONG), [`Error::Transport`] (EPROTONOSUPPORT),
    /// [`Error::TooManyPeers`] (ENOBUFS), [`Error::System`] (ENODEV and the like for an interface that is not there),
    /// [`Error::Terminated`] (ETERM). That nobody answers is no error: a [`monitor`](Self::monitor) tells.
    pub fn connect(&mut self, endpoint: &str) -> Result<(), Error> {
        self.alive()?;
        self.go_to(endpoint)?;
        self.last_endpoint = endpoint.into();
        Ok(())
    }
    fn go_to(&mut self, endpoint: &str) -> Result<(), Error> {
        let sock = self.sock();
        let full = || Error::TooManyPeers(endpoint.into());
        if let Some(name) = endpoint::inproc(endpoint) {
            return sock.names().connect(name, sock).then_some(()).ok_or_else(full);
        }
        if self.join(endpoint)? {
            return Ok(());
        }
        let target = endpoint::connect(endpoint, sock.options.ipv6)?;
        if sock.connects_once() && sock.is_connected_to(endpoint) {
            return Ok(());
        }
        let peer = sock.attach(Some(endpoint)).ok_or_else(full)?;
        let dial = Box::new(Dial::new(target, sock.options.reconnect, sock.options.connect_timeout, self.seed()));
        let sock = self.sock();
        sock.io.send(Command::Connect { sock: sock.id, pipe: peer.pipe, dial });
        Ok(())
    }
    /// Ends the connection made by [`connect`](Self::connect) to `endpoint`. What was sent there still leaves, in the
    /// background, as long as [`SocketOptions::linger`](crate::SocketOptions::linger) says; what has come from there may be
    /// read.
    ///
    /// ```
    /// use omnimq::{Error, Push};
    /// # let context = omnimq::Context::new()?;
    /// # let mut pull = omnimq::Pull::new(&context)?;
    /// # pull.set_recv_timeout(Some(std::time::Duration::from_secs(30)));
    /// # let endpoint = pull.bind("tcp://127.0.0.1:*")?;
    /// let mut push = Push::new(&context)?;
    /// push.connect(&endpoint)?;
    /// push.send("the last")?;
    /// push.disconnect(&endpoint)?;
    /// assert_eq!(pull.recv()?.bytes(), b"the last");
    /// assert!(matches!(push.disconnect(&endpoint), Err(Error::NotFound(_))));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFound`] (ENOENT).
    pub fn disconnect(&mut self, endpoint: &str) -> Result<(), Error> {
        if let Some(name) = endpoint::inproc(endpoint) {
            return found(endpoint, self.sock().part_from(name));
        }
        self.flush();
        let sock = self.sock();
        let (done, answer) = mpsc::channel();
        sock.io.send(Command::Disconnect { sock: sock.id, endpoint: endpoint.into(), done });
        found(endpoint, answer.recv().is_ok_and(|found| found))
    }
}

/// What to answer when something bound or connected there was, or was not, found.
fn found(endpoint: &str, found: bool) -> Result<(), Error> {
    if found { Ok(()) } else { Err(Error::NotFound(endpoint.into())) }
}

/// Listens at the site; where that is. Of several addresses the first is taken that the machine has.
fn listen(site: &Site, options: &StreamOptions) -> io::Result<(Listener, String)> {
    match site {
        Site::Ipc(address) => ipc::listen(address, options),
        Site::Tcp(addresses) => {
            let mut failed = io::ErrorKind::AddrNotAvailable.into();
            for address in addresses {
                match tcp::listen(*address, options) {
                    Ok((listener, local)) => return Ok((listener, format!("tcp://{local}"))),
                    Err(error) if tcp::is_absent(&error) => failed = error,
                    Err(error) => return Err(error),
                }
            }
            Err(failed)
        }
    }
}
