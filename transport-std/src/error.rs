//! What can go wrong, and the errno each stands for.

use omnimq_core::{FilterError, RecvError, SendErrorKind};
use std::fmt;
use std::io;

/// Why a call failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Nothing can be sent or received at this time, or within the timeout (EAGAIN).
    WouldBlock,
    /// The context ends (ETERM).
    Terminated,
    /// REQ and REP: not the time for this call (EFSM).
    State,
    /// ROUTER with `mandatory`: nobody has this routing id (EHOSTUNREACH).
    Unroutable,
    /// This socket type does not do that (ENOTSUP).
    NotSupported,
    /// The message or topic is too large (EMSGSIZE).
    TooLarge,
    /// No room for another topic or peer (ENOBUFS).
    NoRoom,
    /// The endpoint is malformed (EINVAL).
    Endpoint(String),
    /// The name or path in this endpoint is too long (ENAMETOOLONG).
    TooLong(String),
    /// This transport is not supported, here or at all (EPROTONOSUPPORT).
    Transport(String),
    /// Nothing is bound or connected there (ENOENT).
    NotFound(String),
    /// The system refused, with what it was asked: bind to which endpoint, create which resource.
    System {
        /// What was attempted.
        what: String,
        /// The system's answer; its errno is the error's.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::System { what, source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WouldBlock => f.write_str("the call would block"),
            Self::Terminated => f.write_str("the context has been terminated"),
            Self::State => f.write_str("not the time for this call: REQ and REP send and receive in turn"),
            Self::Unroutable => f.write_str("no peer has this routing id"),
            Self::NotSupported => f.write_str("this socket type does not support the call"),
            Self::TooLarge => f.write_str("the message or topic is too large"),
            Self::NoRoom => f.write_str("no room for another topic or peer"),
            Self::Endpoint(what) => write!(f, "malformed endpoint: {what}"),
            Self::TooLong(endpoint) => write!(f, "the name or path is too long: {endpoint}"),
            Self::Transport(name) => write!(f, "unsupported transport: {name}"),
            Self::NotFound(endpoint) => write!(f, "nothing is bound or connected at {endpoint}"),
            Self::System { what, source } => write!(f, "{what}: {source}"),
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
/// second.connect("tcp://127.0.0.1:5555")?; // somebody may come, so there is room
/// if let Err(SendError { message, error: Error::WouldBlock }) = first.try_send(String::from("work")) {
///     second.send(message)?;
/// }
/// # second.disconnect("tcp://127.0.0.1:5555")?;
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
