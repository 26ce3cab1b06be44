//! Why something was refused or ended, one type per layer. The errno each stands for is in its documentation.

use crate::body::Frame;
use crate::wire::WireError;

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// The peer broke the protocol (EPROTO).
    Protocol(WireError),
    /// The peer speaks a protocol version that is not spoken here (EPROTONOSUPPORT).
    UnsupportedVersion,
    /// The peer asks for another security mechanism.
    MechanismMismatch,
    /// The peer's socket type may not talk to ours (RFC 28 to 31, 41).
    IncompatiblePeer,
    /// A frame, message or key exceeds what the storage or an option allows (EMSGSIZE).
    TooLarge,
    /// The peer exceeded one of [`Limits`](crate::Limits) (ENOBUFS).
    Limit(Limit),
    /// The handshake did not finish in time (ETIMEDOUT).
    HandshakeTimeout,
    /// A ROUTER has a peer of this routing id already.
    DuplicateRoutingId,
    /// A newer connection took this routing id over.
    Replaced,
    /// The peer sent an ERROR command.
    PeerError,
    /// The peer ended the stream, or the stream failed.
    EndOfStream,
    /// The socket wants no connection here: a second peer of a PAIR, a closed or disconnected socket.
    Unwanted,
}

/// Which of [`Limits`](crate::Limits) a peer exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::topics`](crate::Limits::topics).
    Topics,
    /// [`Limits::topic_len`](crate::Limits::topic_len).
    TopicLen,
    /// [`Limits::peers`](crate::Limits::peers).
    Peers,
    /// [`Limits::metadata`](crate::Limits::metadata).
    Metadata,
    /// [`Limits::handshake`](crate::Limits::handshake).
    Handshake,
    /// [`Limits::command`](crate::Limits::command).
    Command,
}

impl From<WireError> for CloseReason {
    fn from(error: WireError) -> Self {
        Self::Protocol(error)
    }
}

/// Why a frame was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendErrorKind {
    /// No peer has room: try again later (EAGAIN).
    Again,
    /// ROUTER with `mandatory`: nobody has this routing id (EHOSTUNREACH).
    Unroutable,
    /// REQ and REP: not the time to send (EFSM).
    State,
    /// This socket type does not send (ENOTSUP).
    NotSupported,
    /// The message exceeds what the storage can keep; its earlier frames were rolled back (EMSGSIZE).
    TooLarge,
}

/// A refused send, with what was to be sent: a [`Frame`] or other [`Payload`](crate::Payload).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendError<F> {
    /// What was not sent.
    pub payload: F,
    /// Why.
    pub kind: SendErrorKind,
}

impl<F> SendError<F> {
    /// `payload` was refused because of `kind`.
    pub const fn new(payload: F, kind: SendErrorKind) -> Self {
        Self { payload, kind }
    }
}

/// Why nothing was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvError {
    /// No message is at hand: try again later (EAGAIN).
    Again,
    /// REQ and REP: not the time to receive (EFSM).
    State,
    /// This socket type does not receive (ENOTSUP).
    NotSupported,
}

/// Why a subscription was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilterError {
    /// No room for another topic (ENOBUFS).
    NoRoom,
    /// The topic is longer than the storage can keep (EMSGSIZE).
    TooLong,
    /// This socket type has no subscriptions (ENOTSUP).
    NotSupported,
}

/// Why an option that carries octets was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionError {
    /// This socket type has no such option (EINVAL).
    NotSupported,
    /// The value is empty, or longer than the protocol or the storage allows (EINVAL).
    Invalid,
    /// Another peer has this routing id (EADDRINUSE).
    InUse,
}

/// Why a frame or signal was not taken by a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// High-water mark reached or signal slot taken: later (EAGAIN).
    Full,
    /// Never: the message or key exceeds the storage (EMSGSIZE).
    TooLarge,
}

impl From<Refusal> for SendErrorKind {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Full => Self::Again,
            Refusal::TooLarge => Self::TooLarge,
        }
    }
}

macro_rules! display {
    ($($type:ty { $($variant:pat => $text:literal,)* })*) => { $(
        impl core::fmt::Display for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(match self { $($variant => $text,)* })
            }
        }
        impl core::error::Error for $type {}
    )* };
}

display! {
    CloseReason {
        Self::Protocol(_) => "the peer broke the protocol",
        Self::UnsupportedVersion => "the peer's protocol version is not supported",
        Self::MechanismMismatch => "the peer asks for another security mechanism",
        Self::IncompatiblePeer => "the peer's socket type is not compatible",
        Self::TooLarge => "a frame, message or key is too large",
        Self::Limit(_) => "the peer exceeded a limit",
        Self::HandshakeTimeout => "the handshake took too long",
        Self::DuplicateRoutingId => "another peer has this routing id",
        Self::Replaced => "a newer connection took this routing id over",
        Self::PeerError => "the peer reported an error",
        Self::EndOfStream => "the stream ended",
        Self::Unwanted => "the socket wants no connection here",
    }
    SendErrorKind {
        Self::Again => "no peer has room",
        Self::Unroutable => "nobody has this routing id",
        Self::State => "not the time to send",
        Self::NotSupported => "this socket type does not send",
        Self::TooLarge => "the message is too large",
    }
    RecvError {
        Self::Again => "no message is at hand",
        Self::State => "not the time to receive",
        Self::NotSupported => "this socket type does not receive",
    }
    FilterError {
        Self::NoRoom => "no room for another topic",
        Self::TooLong => "the topic is too long",
        Self::NotSupported => "this socket type has no subscriptions",
    }
    OptionError {
        Self::NotSupported => "this socket type has no such option",
        Self::Invalid => "the value is not allowed",
        Self::InUse => "another peer has this routing id",
    }
    Refusal {
        Self::Full => "no room",
        Self::TooLarge => "too large",
    }
}

impl<F> core::fmt::Display for SendError<F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.kind.fmt(f)
    }
}

impl<F: core::fmt::Debug> core::error::Error for SendError<F> {}

/// A refused [`Frame`].
pub type FrameError<B> = SendError<Frame<B>>;
