//! What a socket is told before it binds or connects, and the few things it may be told later.

use crate::error::Error;
use crate::socket::Socket;
use crate::sync::lock;
use crate::sys::StreamOptions;
use omnimq_core::connection::Config;
use omnimq_core::reconnect::ReconnectPolicy;
use omnimq_core::{Blob, Options};
use std::time::Duration;

/// Options of a socket. The defaults are libzmq's.
///
/// ```
/// use omnimq::{Context, Push, SocketOptions};
/// use std::time::Duration;
/// # fn main() -> Result<(), omnimq::Error> {
/// let mut options = SocketOptions::default();
/// options.send_hwm = 10;
/// options.linger = Some(Duration::ZERO);
/// let mut push = Push::with(&Context::new()?, options)?;
/// push.connect("tcp://127.0.0.1:5555")?;
/// push.set_send_timeout(Some(Duration::from_millis(10)));
/// for n in 0..10 {
///     push.send(&[n])?; // waits for a peer to come
/// }
/// assert!(push.send(&[10]).is_err());
/// # Ok(())
/// # }
/// ```
///
/// They are given when the socket is made, and hold from then on. The timeouts, `linger`, the marks and `pattern` may
/// change later: [`Socket::set_send_timeout`] and its like.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SocketOptions {
    /// Messages queued per peer and not yet given to the kernel; 0 = no limit. ZMQ_SNDHWM; by default 1000.
    pub send_hwm: u32,
    /// Messages received per peer and not yet taken by the application; 0 = no limit. ZMQ_RCVHWM; by default 1000.
    pub recv_hwm: u32,
    /// How long a blocking send waits; `None` = for ever, the default. ZMQ_SNDTIMEO.
    pub send_timeout: Option<Duration>,
    /// How long a blocking receive waits; `None` = for ever, the default. ZMQ_RCVTIMEO.
    pub recv_timeout: Option<Duration>,
    /// How long unsent messages survive the socket; `None` = for ever, the default; zero = not at all. ZMQ_LINGER.
    pub linger: Option<Duration>,
    /// Each pipe keeps the last message alone, outwards and inwards: what comes takes the place of what has not been
    /// written, or received. For PUSH, PULL, PUB, SUB and DEALER; sockets of other types do not look at it. There are no
    /// marks: `send` does not wait for a peer's room, and a peer that says more than is received is not held back. Messages
    /// of several parts take each other's place whole. Over inproc it holds for both ends. What is given up counts as sent
    /// or received, not as dropped, and as [`replaced`](crate::Statistics::replaced). ZMQ_CONFLATE; by default off.
    ///
    /// ```
    /// use omnimq::{Context, Pull, Push, SocketOptions};
    /// # fn main() -> Result<(), omnimq::Error> {
    /// let context = Context::new()?;
    /// let mut options = SocketOptions::default();
    /// options.conflate = true;
    /// let (mut pull, mut push) = (Pull::with(&context, options)?, Push::new(&context)?);
    /// push.connect(&pull.bind("inproc://temperature")?)?;
    /// for degrees in ["19", "20", "21"] {
    ///     push.send(degrees)?;
    /// }
    /// push.flush();
    /// assert_eq!(pull.recv()?.bytes(), b"21");
    /// assert!(pull.try_recv().is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub conflate: bool,
    /// Nothing is sent to a peer before its handshake is over, nor kept for one that was lost: a connection in the making
    /// has no queue. `send` waits, or goes to other peers; what a lost peer was not given is given up, and what it said may
    /// be received. For `connect` over tcp and ipc. With it
    /// [`set_connect_routing_id`](Socket::set_connect_routing_id) names nobody there. ZMQ_IMMEDIATE; by default off.
    ///
    /// ```
    /// use omnimq::{Context, Push, SocketOptions};
    /// # fn main() -> Result<(), omnimq::Error> {
    /// let mut options = SocketOptions::default();
    /// options.immediate = true;
    /// let mut push = Push::with(&Context::new()?, options)?;
    /// push.connect("tcp://127.0.0.1:5555")?; // where nobody is
    /// assert!(push.try_send("lost?").is_err()); // it comes back, rather than wait
    /// # Ok(())
    /// # }
    /// ```
    pub immediate: bool,
    /// The id announced to peers, at most 255 octets; REQ, DEALER and ROUTER. ZMQ_ROUTING_ID; by default empty: a
    /// ROUTER peer makes one up.
    pub routing_id: Blob,
    /// When to connect again, and when no more. ZMQ_RECONNECT_IVL and its like; by default every 100 to 200 ms.
    ///
    /// ```
    /// use omnimq::{ReconnectPolicy, SocketOptions};
    /// use std::time::Duration;
    /// let mut options = SocketOptions::default();
    /// assert_eq!(options.reconnect, ReconnectPolicy::DEFAULT);
    /// options.reconnect.max = Some(Duration::from_secs(5)); // doubling up to there
    /// ```
    pub reconnect: ReconnectPolicy,
    /// How long an address is given to answer; `None` = as long as the system does, the default. While a name has other
    /// addresses left it is 2 s at most. ZMQ_CONNECT_TIMEOUT.
    pub connect_timeout: Option<Duration>,
    /// Whether a host's name may stand for IPv6 addresses, and `*` for both families; by default not. Addresses given as
    /// such need no permission. ZMQ_IPV6.
    pub ipv6: bool,
    /// From the start of a connection to the end of its handshake; `None` = for ever. ZMQ_HANDSHAKE_IVL; by default
    /// 30 s.
    pub handshake: Option<Duration>,
    /// Octets of an inbound frame at most; a peer that announces more is disconnected. `None` = any number, the default.
    /// ZMQ_MAXMSGSIZE.
    pub max_frame: Option<u64>,
    /// Connections that wait to be accepted. ZMQ_BACKLOG; by default 100.
    pub backlog: i32,
    /// SO_SNDBUF in octets; `None` = the system's, the default. ZMQ_SNDBUF.
    pub send_buffer: Option<usize>,
    /// SO_RCVBUF in octets; `None` = the system's, the default. ZMQ_RCVBUF.
    pub recv_buffer: Option<usize>,
    /// How long a receive that has to wait may look again and again before it sleeps; zero = not at all. It does so only
    /// where that has proved to be quicker, and never with one processor. By default 50 µs; libzmq always sleeps.
    pub busy_poll: Duration,
    /// Multicast: rate, recovery interval, hops and the like. `max_frame` and `recv_buffer` above hold there too.
    #[cfg(all(feature = "pgm", target_os = "linux"))]
    pub multicast: omnimq_pgm::link::LinkOptions,
    /// SUB and XSUB: where packets of a multicast source are lost for good, a receive fails once with [`Error::Gap`]; by
    /// default not. In either case [`Socket::lost_packets`] counts them and a [`Monitor`](crate::Monitor) tells.
    #[cfg(all(feature = "pgm", target_os = "linux"))]
    pub multicast_gaps: bool,
    /// Options of the pattern. Its `send_hwm`, `recv_hwm` and `seed` are not looked at: the marks are those above, and
    /// the context draws the seed.
    ///
    /// ```
    /// use omnimq::{Limits, SocketOptions};
    /// let mut options = SocketOptions::default();
    /// assert_eq!(options.pattern.limits, Limits::DEFAULT);
    /// options.pattern.limits.topics = 100; // of each peer: one that asks for more is disconnected
    /// ```
    pub pattern: Options,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            send_hwm: 1000,
            recv_hwm: 1000,
            send_timeout: None,
            recv_timeout: None,
            linger: None,
            conflate: false,
            immediate: false,
            routing_id: Blob::default(),
            reconnect: ReconnectPolicy::DEFAULT,
            connect_timeout: None,
            ipv6: false,
            handshake: Some(Duration::from_secs(30)),
            max_frame: None,
            backlog: 100,
            send_buffer: None,
            recv_buffer: None,
            busy_poll: Duration::from_micros(50),
            #[cfg(all(feature = "pgm", target_os = "linux"))]
            multicast: omnimq_pgm::link::LinkOptions::default(),
            #[cfg(all(feature = "pgm", target_os = "linux"))]
            multicast_gaps: false,
            pattern: Options::default(),
        }
    }
}

impl SocketOptions {
    /// What the pattern is told.
    pub(crate) fn core(&self, seed: u32) -> Options {
        let mut options = self.pattern;
        (options.send_hwm, options.recv_hwm, options.seed) = (self.send_hwm, self.recv_hwm, seed);
        options
    }
    /// What each connection is told.
    pub(crate) fn connection(&self) -> Config {
        let mut config = Config::default();
        config.max_frame = self.max_frame.unwrap_or(u64::MAX);
        config.handshake = self.handshake;
        config.limits = self.pattern.limits;
        config
    }
    /// What each stream and listener is told.
    pub(crate) fn stream(&self) -> StreamOptions {
        StreamOptions { send_buffer: self.send_buffer, recv_buffer: self.recv_buffer, backlog: self.backlog }
    }
}

/// Options that may change while the socket lives. All take effect at once.
impl Socket {
    /// How long [`send`](Self::send) waits; `None` = for ever (ZMQ_SNDTIMEO).
    ///
    /// ```
    /// # use omnimq::{Context, Error, Push};
    /// # use std::time::Duration;
    /// # fn main() -> Result<(), Error> {
    /// let mut push = Push::new(&Context::new()?)?;
    /// push.set_send_timeout(Some(Duration::from_millis(10)));
    /// assert!(matches!(push.send("to nobody").unwrap_err().error, Error::WouldBlock)); // 10 ms later
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_send_timeout(&mut self, timeout: Option<Duration>) {
        self.options.send_timeout = timeout;
    }
    /// How long [`recv`](Self::recv) waits; `None` = for ever (ZMQ_RCVTIMEO).
    ///
    /// ```
    /// # use omnimq::{Context, Error, Pull};
    /// # use std::time::Duration;
    /// # fn main() -> Result<(), Error> {
    /// let mut pull = Pull::new(&Context::new()?)?;
    /// pull.set_recv_timeout(Some(Duration::from_millis(10)));
    /// assert!(matches!(pull.recv(), Err(Error::WouldBlock))); // 10 ms later
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_recv_timeout(&mut self, timeout: Option<Duration>) {
        self.options.recv_timeout = timeout;
    }
    /// How long unsent messages survive the socket; `None` = for ever (ZMQ_LINGER).
    ///
    /// ```
    /// # use omnimq::{Context, Error, Push};
    /// # use std::time::Duration;
    /// # fn main() -> Result<(), Error> {
    /// let context = Context::new()?;
    /// let mut push = Push::new(&context)?;
    /// push.connect("tcp://127.0.0.1:5555")?; // where nobody is
    /// push.send("if possible")?;
    /// push.set_linger(Some(Duration::from_millis(10)));
    /// drop(push);
    /// context.term(); // waits no longer than 10 ms
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_linger(&mut self, linger: Option<Duration>) {
        self.options.linger = linger;
        self.sock().set_linger(linger);
    }
    /// Messages queued per peer and not yet given to the kernel; 0 = no limit (ZMQ_SNDHWM). It holds for the peers that
    /// there are, as with libzmq, and for those to come: beyond a lower mark nothing is lost, and nothing taken before so
    /// many have left. Over inproc the mark is this one and the peer's to receive together.
    ///
    /// ```
    /// # use omnimq::{Context, Error, Push};
    /// # fn main() -> Result<(), Error> {
    /// let mut push = Push::new(&Context::new()?)?;
    /// push.connect("tcp://127.0.0.1:5555")?; // where nobody is
    /// push.set_send_hwm(2);
    /// push.try_send("one")?;
    /// push.try_send("two")?;
    /// assert!(matches!(push.try_send("three").unwrap_err().error, Error::WouldBlock));
    /// push.set_send_hwm(3);
    /// push.try_send("three")?;
    /// # push.set_linger(Some(std::time::Duration::ZERO));
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_send_hwm(&mut self, messages: u32) {
        self.options.send_hwm = messages;
        self.sock().set_send_hwm(messages);
    }
    /// Messages received per peer and not yet taken by the application; 0 = no limit (ZMQ_RCVHWM). It holds for whom, and
    /// in the way that [`set_send_hwm`](Self::set_send_hwm) says; multicast sessions keep the mark they began with.
    ///
    /// ```
    /// # use omnimq::{Context, Error, Pull, Push};
    /// # fn main() -> Result<(), Error> {
    /// let context = Context::new()?;
    /// let (mut pull, mut push) = (Pull::new(&context)?, Push::new(&context)?);
    /// push.connect(&pull.bind("inproc://work")?)?;
    /// push.set_send_hwm(2);
    /// pull.set_recv_hwm(1);
    /// for n in [0, 1, 2] {
    ///     push.try_send(&[n])?; // over inproc both marks hold together
    /// }
    /// assert!(matches!(push.try_send(&[3]).unwrap_err().error, Error::WouldBlock));
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_recv_hwm(&mut self, messages: u32) {
        self.options.recv_hwm = messages;
        self.sock().set_recv_hwm(messages);
    }
    /// Options of the pattern (ZMQ_ROUTER_MANDATORY, ZMQ_ROUTER_HANDOVER, ZMQ_PROBE_ROUTER, ZMQ_REQ_CORRELATE,
    /// ZMQ_REQ_RELAXED, ZMQ_XPUB_VERBOSE and its like). Its marks and `seed` are not looked at.
    ///
    /// ```
    /// use omnimq::{Context, Error, Router};
    /// # fn main() -> Result<(), Error> {
    /// let mut router = Router::new(&Context::new()?)?;
    /// router.send(["nobody", "dropped"])?;
    /// let mut pattern = router.options().pattern;
    /// pattern.mandatory = true;
    /// router.set_pattern(pattern);
    /// assert!(matches!(router.send(["nobody", "refused"]).unwrap_err().error, Error::Unroutable));
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_pattern(&mut self, pattern: Options) {
        self.options.pattern = pattern;
        self.sock().set_pattern(&pattern);
    }
    /// ROUTER: how the next peer that is connected to is called, whatever it calls itself (ZMQ_CONNECT_ROUTING_ID).
    ///
    /// ```
    /// # use omnimq::{Context, Dealer, Error, Router};
    /// # fn main() -> Result<(), Error> {
    /// let context = Context::new()?;
    /// let (mut dealer, mut router) = (Dealer::new(&context)?, Router::new(&context)?);
    /// router.set_connect_routing_id("worker")?;
    /// router.connect(&dealer.bind("tcp://127.0.0.1:*")?)?;
    /// router.send(["worker", "go"])?; // at once: the name is known already
    /// assert_eq!(dealer.recv()?.bytes(), b"go");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Option`] (EINVAL) for another type, or an id that is empty or longer than 255 octets,
    /// [`Error::RoutingIdInUse`] (EADDRINUSE).
    pub fn set_connect_routing_id(&mut self, id: impl AsRef<[u8]>) -> Result<(), Error> {
        Ok(lock(&self.sock().core).socket.connect_routing_id(id.as_ref())?)
    }
    /// XPUB: the message that whoever subscribes gets first; empty for none (ZMQ_XPUB_WELCOME_MSG).
    ///
    /// ```
    /// # use omnimq::{Context, Error, Sub, XPub};
    /// # fn main() -> Result<(), Error> {
    /// let context = Context::new()?;
    /// let (mut publisher, mut sub) = (XPub::new(&context)?, Sub::new(&context)?);
    /// publisher.set_welcome("welcome")?;
    /// sub.subscribe("")?;
    /// sub.connect(&publisher.bind("tcp://127.0.0.1:*")?)?;
    /// assert_eq!(sub.recv()?.bytes(), b"welcome");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Option`] (EINVAL) for another type.
    pub fn set_welcome(&mut self, message: impl AsRef<[u8]>) -> Result<(), Error> {
        Ok(lock(&self.sock().core).socket.welcome(message.as_ref())?)
    }
}
