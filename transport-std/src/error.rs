//! What can go wrong: what failed, at which endpoint, and the errno it stands for.

use crate::errno::Errno;
use crate::open_socket::OpenSocket;
use omnimq_core::{FilterError, OptionError, RecvError, SendErrorKind};
use std::fmt;
use std::io;

/// Why a call failed.
///
/// ```
/// use omnimq::{Error, Pull};
/// # let context = omnimq::Context::new()?;
/// # let (mut first, mut pull) = (Pull::new(&context)?, Pull::new(&context)?);
/// # let taken = first.bind("tcp://127.0.0.1:*")?;
/// match pull.bind(&taken) {
///     Ok(endpoint) => println!("listening at {endpoint}"),
///     Err(Error::System { source, .. }) => println!("not to be had at this time: {source}"),
///     Err(mistake) => return Err(mistake), // in the endpoint, or in the program
/// }
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Nothing can be sent or received at this time, or within the timeout (EAGAIN).
    WouldBlock,
    /// The context ends (ETERM).
    Terminated,
    /// Packets of a source of a multicast session are lost for good: what was received of it before came before them, and
    /// what comes next begins a message (ECONNRESET). Told once, in its place, where `multicast_gaps` asks for it.
    Gap {
        /// So many.
        packets: u64,
    },
    /// REQ and REP: not the time for this call (EFSM).
    State,
    /// ROUTER with `mandatory`: nobody has this routing id (EHOSTUNREACH).
    Unroutable,
    /// This socket type does not do that (ENOTSUP).
    NotSupported,
    /// The message or topic is too large (EMSGSIZE).
    TooLarge,
    /// No room for another topic (ENOBUFS).
    NoRoom,
    /// The socket has as many peers as its limits allow, and none of them will be at this endpoint (ENOBUFS).
    TooManyPeers(String),
    /// The endpoint makes no sense, or not to this socket (EINVAL).
    Endpoint(BadEndpoint),
    /// The name or path in this endpoint is too long (ENAMETOOLONG).
    TooLong(String),
    /// The transport of this endpoint is not supported, here or at all (EPROTONOSUPPORT).
    Transport(String),
    /// Nothing is bound or connected at this endpoint (ENOENT).
    NotFound(String),
    /// The poller knows no socket by this number (EINVAL).
    NotPolled(usize),
    /// This option cannot be set here, or not to this value (EINVAL).
    Option(&'static str),
    /// Another peer has this routing id (EADDRINUSE).
    RoutingIdInUse,
    /// The context cannot end, because these sockets have not been dropped or linger (EAGAIN).
    StillOpen(Vec<OpenSocket>),
    /// The system refused.
    System {
        /// What was attempted: `bind`, `start an I/O thread`.
        what: &'static str,
        /// At which endpoint, if it was at one.
        endpoint: Option<String>,
        /// The system's answer; its errno is the error's.
        source: io::Error,
    },
}

/// An endpoint that makes no sense.
///
/// ```
/// use omnimq::{BadEndpoint, Context, Error, Push};
/// let mut push = Push::new(&Context::new()?)?;
/// let Err(Error::Endpoint(BadEndpoint { endpoint, why, .. })) = push.connect("tcp://127.0.0.1:99999") else {
///     panic!("there is no such port");
/// };
/// assert_eq!(endpoint, "tcp://127.0.0.1:99999");
/// println!("in line 7: {why}");
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BadEndpoint {
    /// As it was given.
    pub endpoint: String,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for BadEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.endpoint, self.why)
    }
}

impl Error {
    /// The errno it stands for.
    ///
    /// ```
    /// use omnimq::{Context, Errno, Pull};
    /// # fn main() -> Result<(), omnimq::Error> {
    /// let context = Context::new()?;
    /// let (mut one, mut other) = (Pull::new(&context)?, Pull::new(&context)?);
    /// let endpoint = one.bind("tcp://127.0.0.1:*")?;
    /// let error = other.bind(&endpoint).unwrap_err();
    /// assert_eq!((error.errno(), error.endpoint()), (Errno::AddrInUse, Some(&endpoint[..])));
    /// # Ok(())
    /// # }
    /// ```
    pub fn errno(&self) -> Errno {
        match self {
            Self::WouldBlock | Self::StillOpen(_) => Errno::Again,
            Self::Terminated => Errno::Term,
            Self::Gap { .. } => Errno::ConnReset,
            Self::State => Errno::Fsm,
            Self::Unroutable => Errno::HostUnreach,
            Self::NotSupported => Errno::NotSup,
            Self::TooLarge => Errno::MsgSize,
            Self::NoRoom | Self::TooManyPeers(_) => Errno::NoBufs,
            Self::Endpoint(_) | Self::NotPolled(_) | Self::Option(_) => Errno::Inval,
            Self::TooLong(_) => Errno::NameTooLong,
            Self::Transport(_) => Errno::ProtoNoSupport,
            Self::NotFound(_) => Errno::NoEnt,
            Self::RoutingIdInUse => Errno::AddrInUse,
            Self::System { source, .. } => Errno::of(source),
        }
    }
    /// The endpoint that it is about, as it was given, if it is about one.
    ///
    /// ```
    /// use omnimq::{Context, Errno, Push};
    /// let mut push = Push::new(&Context::new()?)?;
    /// let error = push.connect("carrier-pigeon://loft").unwrap_err();
    /// assert_eq!((error.errno(), error.endpoint()), (Errno::ProtoNoSupport, Some("carrier-pigeon://loft")));
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    pub fn endpoint(&self) -> Option<&str> {
        match self {
            Self::Endpoint(bad) => Some(&bad.endpoint),
            Self::TooLong(at) | Self::Transport(at) | Self::NotFound(at) | Self::TooManyPeers(at) => Some(at),
            Self::System { endpoint, .. } => endpoint.as_deref(),
            _ => None,
        }
    }
    pub(crate) fn system(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { what, endpoint: None, source }
    }
    /// What the system answered to what was tried at an endpoint.
    pub(crate) fn at(what: &'static str, endpoint: &str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { what, endpoint: Some(endpoint.into()), source }
    }
    pub(crate) fn malformed(endpoint: &str, why: impl ToString) -> Self {
        Self::Endpoint(BadEndpoint { endpoint: endpoint.into(), why: why.to_string() })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WouldBlock => f.write_str("the call would block"),
            Self::Terminated => f.write_str("the context has been terminated"),
            Self::Gap { packets } => write!(f, "{packets} packets of a multicast session are lost"),
            Self::State => f.write_str("not the time for this call: REQ and REP send and receive in turn"),
            Self::Unroutable => f.write_str("no peer has this routing id"),
            Self::NotSupported => f.write_str("this socket type does not support the call"),
            Self::TooLarge => f.write_str("the message or topic is too large"),
            Self::NoRoom => f.write_str("no room for another topic"),
            Self::TooManyPeers(endpoint) => write!(f, "no room for another peer: {endpoint}"),
            Self::Endpoint(bad) => write!(f, "malformed endpoint: {bad}"),
            Self::TooLong(endpoint) => write!(f, "the name or path is too long: {endpoint}"),
            Self::Transport(endpoint) => write!(f, "unsupported transport: {endpoint}"),
            Self::NotFound(endpoint) => write!(f, "nothing is bound or connected at {endpoint}"),
            Self::NotPolled(key) => write!(f, "no socket of the poller is called {key}"),
            Self::Option(what) => write!(f, "the option cannot be set: {what}"),
            Self::RoutingIdInUse => f.write_str("another peer has this routing id"),
            Self::StillOpen(sockets) => {
                f.write_str("sockets are open:")?;
                let mut separator = " ";
                for socket in sockets {
                    write!(f, "{}{socket}", std::mem::replace(&mut separator, "; "))?;
                }
                Ok(())
            }
            Self::System { what, endpoint: Some(endpoint), source } => write!(f, "{what} {endpoint}: {source}"),
            Self::System { what, endpoint: None, source } => write!(f, "{what}: {source}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::System { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<SendErrorKind> for Error {
    fn from(kind: SendErrorKind) -> Self {
        match kind {
            SendErrorKind::Unroutable => Self::Unroutable,
            SendErrorKind::State => Self::State,
            SendErrorKind::NotSupported => Self::NotSupported,
            SendErrorKind::TooLarge => Self::TooLarge,
            SendErrorKind::Again => Self::WouldBlock,
            // A reason that the core may come to know: not one that ends by waiting, or the call would wait for ever.
            _ => Self::NotSupported,
        }
    }
}

impl From<RecvError> for Error {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::State => Self::State,
            RecvError::Again => Self::WouldBlock,
            RecvError::NotSupported | _ => Self::NotSupported,
        }
    }
}

impl From<OptionError> for Error {
    fn from(error: OptionError) -> Self {
        match error {
            OptionError::InUse => Self::RoutingIdInUse,
            OptionError::Invalid => Self::Option("it is empty or too long"),
            OptionError::NotSupported | _ => Self::Option("sockets of this type have no such option"),
        }
    }
}

impl From<FilterError> for Error {
    fn from(error: FilterError) -> Self {
        match error {
            FilterError::TooLong => Self::TooLarge,
            FilterError::NoRoom => Self::NoRoom,
            FilterError::NotSupported | _ => Self::NotSupported,
        }
    }
}

/// A refused send: what was to be sent, and why it was not.
///
/// `?` makes an [`Error`] of it where the message does not matter. Where it does:
///
/// ```
/// use omnimq::{Context, Error, Push, SendError};
/// # fn main() -> Result<(), Error> {
/// let context = Context::new()?;
/// let (mut first, mut second) = (Push::new(&context)?, Push::new(&context)?);
/// # second.set_linger(Some(std::time::Duration::ZERO));
/// second.connect("inproc://nobody")?; // somebody may come, so there is room
/// if let Err(SendError { message, error: Error::WouldBlock }) = first.try_send(String::from("work")) {
///     second.send(message)?;
/// }
/// # Ok(())
/// # }
/// ```
pub struct SendError<M> {
    /// What was not sent, none of it; `()` if it was borrowed.
    pub message: M,
    /// Why.
    pub error: Error,
}

impl<M> fmt::Debug for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<M> fmt::Display for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<M> std::error::Error for SendError<M> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl<M> From<SendError<M>> for Error {
    fn from(refused: SendError<M>) -> Self {
        refused.error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_waiting_ends_would_block() {
        let sends = [
            SendErrorKind::Again,
            SendErrorKind::Unroutable,
            SendErrorKind::State,
            SendErrorKind::NotSupported,
            SendErrorKind::TooLarge,
        ];
        for kind in sends {
            assert_eq!(matches!(Error::from(kind), Error::WouldBlock), kind == SendErrorKind::Again, "{kind}");
        }
        for error in [RecvError::Again, RecvError::State, RecvError::NotSupported] {
            assert_eq!(matches!(Error::from(error), Error::WouldBlock), error == RecvError::Again, "{error}");
        }
        for error in [FilterError::NoRoom, FilterError::TooLong, FilterError::NotSupported] {
            assert!(!matches!(Error::from(error), Error::WouldBlock), "{error}");
        }
    }
}
