//! What happens to a socket's connections, as values.

use crate::errno::Errno;
use crate::socket::PeerId;
use omnimq_core::CloseReason;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// What has happened. The names in brackets are libzmq's.
///
/// ```
/// use omnimq::{Context, Event, Pull, Push};
/// /// A line of a log.
/// fn line(event: &Event) -> String {
///     match event {
///         Event::Connected { endpoint, .. } => format!("connected to {endpoint}"),
///         Event::Disconnected { endpoint, reason, .. } => format!("lost {endpoint}: {reason}"),
///         other => format!("{other:?}"), // there may come to be more of them
///     }
/// }
/// # let context = Context::new()?;
/// # let (mut pull, mut push) = (Pull::new(&context)?, Push::new(&context)?);
/// # let monitor = push.monitor();
/// # let endpoint = pull.bind("tcp://127.0.0.1:*")?;
/// # push.connect(&endpoint)?;
/// # let mut events = std::iter::from_fn(|| monitor.recv_timeout(std::time::Duration::from_secs(30)));
/// # assert!(events.any(|event| line(&event) == format!("connected to {endpoint}")));
/// # Ok::<(), omnimq::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// Connections are accepted here (LISTENING).
    Listening {
        /// With the real port or path.
        endpoint: String,
    },
    /// Nothing could be bound here, as the call to `bind` has said (BIND_FAILED).
    BindFailed {
        /// As given to `bind`.
        endpoint: String,
        /// What the error stands for.
        errno: Errno,
        /// The error, in words.
        why: String,
    },
    /// A peer has connected (ACCEPTED).
    Accepted {
        /// Where it was accepted.
        endpoint: String,
        /// Whom it is to this socket.
        peer: PeerId,
        /// Where it comes from, over tcp.
        address: Option<SocketAddr>,
    },
    /// A connection could not be accepted, for want of descriptors or memory; it is tried again (ACCEPT_FAILED).
    AcceptFailed {
        /// Where.
        endpoint: String,
        /// The system's answer.
        error: Arc<io::Error>,
    },
    /// A connection to `endpoint` is under way (CONNECT_DELAYED).
    ConnectDelayed {
        /// As given to `connect`.
        endpoint: String,
    },
    /// None of the addresses that `endpoint` stands for could be connected to, or its name could not be resolved.
    ConnectFailed {
        /// As given to `connect`.
        endpoint: String,
        /// The system's last answer.
        error: Arc<io::Error>,
    },
    /// It will be tried again (CONNECT_RETRIED).
    ConnectRetried {
        /// As given to `connect`.
        endpoint: String,
        /// After this time.
        after: Duration,
    },
    /// It will not be tried again, as the options say.
    ConnectGivenUp {
        /// As given to `connect`.
        endpoint: String,
    },
    /// There is a stream; the handshake follows (CONNECTED).
    Connected {
        /// As given to `connect`.
        endpoint: String,
        /// Whom the other side is to this socket.
        peer: PeerId,
    },
    /// From here on messages pass (HANDSHAKE_SUCCEEDED).
    HandshakeSucceeded {
        /// Where it was accepted, or as given to `connect`.
        endpoint: String,
        /// Who.
        peer: PeerId,
    },
    /// The stream has ended before messages could pass (HANDSHAKE_FAILED_…).
    HandshakeFailed {
        /// Where it was accepted, or as given to `connect`.
        endpoint: String,
        /// Who.
        peer: PeerId,
        /// Why.
        reason: CloseReason,
    },
    /// The stream has ended (DISCONNECTED).
    Disconnected {
        /// Where it was accepted, or as given to `connect`.
        endpoint: String,
        /// Who.
        peer: PeerId,
        /// Why.
        reason: CloseReason,
    },
    /// A peer was hung up on before its handshake, because of ourselves.
    Refused {
        /// Where it came to.
        endpoint: String,
        /// Where it comes from, over tcp.
        address: Option<SocketAddr>,
        /// Why.
        reason: CloseReason,
    },
    /// No more connections are accepted here, and something of it could not be cleaned up (CLOSE_FAILED).
    CloseFailed {
        /// As in [`Listening`](Self::Listening).
        endpoint: String,
        /// The system's answer.
        error: Arc<io::Error>,
    },
    /// No more connections are accepted here (CLOSED).
    Closed {
        /// As in [`Listening`](Self::Listening).
        endpoint: String,
    },
    /// Messages were given up because the peers they were for had no room, were unknown or had gone.
    Dropped {
        /// So many since this was last told. One that several peers miss counts for each.
        messages: u64,
    },
    /// Packets of a source of a multicast session are lost for good: what comes next of it begins a message.
    Gap {
        /// As given to `bind` or `connect`.
        endpoint: String,
        /// So many.
        packets: u64,
    },
    /// A multicast session has less than its options, or its sources, ask for: what is lost may be beyond repair, and who
    /// has no place is not heard.
    Capped {
        /// As given to `bind` or `connect`.
        endpoint: String,
        /// What there is less of.
        cap: Cap,
        /// Octets, or sources, asked for.
        wanted: u64,
        /// Octets, or places, that there are.
        granted: u64,
    },
    /// Events were not kept, because none were taken for long.
    Missed {
        /// So many in this place.
        events: u64,
    },
}

/// What a multicast session may have less of than is asked for: see [`Event`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cap {
    /// The kernel's buffer for what arrives, by `net.core.rmem_max`.
    ReceiveBuffer,
    /// What is kept for repair, by [`window_bytes`](crate::SocketOptions).
    Window,
    /// The sources heard at once, by `multicast.receiver.peers`: told once, when the first one has no place.
    Sources,
}

/// What an [`Event`] is about, for those who want to hear of some alone: see [`Socket::monitor_only`].
///
/// [`Socket::monitor_only`]: crate::Socket::monitor_only
///
/// ```
/// use omnimq::{Event, EventKind};
/// # use std::time::Duration;
/// # let context = omnimq::Context::new()?;
/// # let (mut pull, mut sub) = (omnimq::Pull::new(&context)?, omnimq::Sub::new(&context)?);
/// let failures = sub.monitor_only(&[EventKind::ConnectFailed, EventKind::HandshakeFailed]);
/// sub.connect(&pull.bind("tcp://127.0.0.1:*")?)?; // SUB and PULL do not go together
/// let failure = failures.recv_timeout(Duration::from_secs(30));
/// assert!(matches!(failure, Some(Event::HandshakeFailed { .. })));
/// # Ok::<(), omnimq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// [`Event::Listening`].
    Listening,
    /// [`Event::BindFailed`].
    BindFailed,
    /// [`Event::Accepted`].
    Accepted,
    /// [`Event::AcceptFailed`].
    AcceptFailed,
    /// [`Event::Refused`].
    Refused,
    /// [`Event::ConnectDelayed`].
    ConnectDelayed,
    /// [`Event::ConnectFailed`].
    ConnectFailed,
    /// [`Event::ConnectRetried`].
    ConnectRetried,
    /// [`Event::ConnectGivenUp`].
    ConnectGivenUp,
    /// [`Event::Connected`].
    Connected,
    /// [`Event::HandshakeSucceeded`].
    HandshakeSucceeded,
    /// [`Event::HandshakeFailed`].
    HandshakeFailed,
    /// [`Event::Disconnected`].
    Disconnected,
    /// [`Event::Closed`].
    Closed,
    /// [`Event::CloseFailed`].
    CloseFailed,
    /// [`Event::Dropped`].
    Dropped,
    /// [`Event::Gap`].
    Gap,
    /// [`Event::Capped`].
    Capped,
    /// [`Event::Missed`].
    Missed,
}

impl Event {
    /// What it is about.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// # let context = omnimq::Context::new()?;
    /// # let mut pull = omnimq::Pull::new(&context)?;
    /// # let monitor = pull.monitor();
    /// # pull.bind("tcp://127.0.0.1:*")?;
    /// # drop(pull);
    /// let mut counts = HashMap::new();
    /// for event in &monitor {
    ///     *counts.entry(event.kind()).or_insert(0) += 1;
    /// }
    /// assert_eq!(counts[&omnimq::EventKind::Listening], 1);
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Listening { .. } => EventKind::Listening,
            Self::BindFailed { .. } => EventKind::BindFailed,
            Self::Accepted { .. } => EventKind::Accepted,
            Self::AcceptFailed { .. } => EventKind::AcceptFailed,
            Self::Refused { .. } => EventKind::Refused,
            Self::ConnectDelayed { .. } => EventKind::ConnectDelayed,
            Self::ConnectFailed { .. } => EventKind::ConnectFailed,
            Self::ConnectRetried { .. } => EventKind::ConnectRetried,
            Self::ConnectGivenUp { .. } => EventKind::ConnectGivenUp,
            Self::Connected { .. } => EventKind::Connected,
            Self::HandshakeSucceeded { .. } => EventKind::HandshakeSucceeded,
            Self::HandshakeFailed { .. } => EventKind::HandshakeFailed,
            Self::Disconnected { .. } => EventKind::Disconnected,
            Self::Closed { .. } => EventKind::Closed,
            Self::CloseFailed { .. } => EventKind::CloseFailed,
            Self::Dropped { .. } => EventKind::Dropped,
            Self::Gap { .. } => EventKind::Gap,
            Self::Capped { .. } => EventKind::Capped,
            Self::Missed { .. } => EventKind::Missed,
        }
    }
}

/// A choice of events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice(u32);

impl Choice {
    pub(crate) const ALL: Self = Self(u32::MAX);

    pub(crate) fn of(kinds: &[EventKind]) -> Self {
        Self(kinds.iter().fold(0, |bits, kind| bits | 1 << *kind as u32))
    }
    pub(crate) fn has(self, kind: EventKind) -> bool {
        self.0 & 1 << kind as u32 != 0
    }
}
