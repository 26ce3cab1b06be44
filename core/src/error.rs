//! Why something was refused or ended, one type per layer.
//!
//! All are `Copy` and carry no more than a reason; what was refused comes back beside it. The errno each stands for is
//! in its documentation, by name: numbers differ between systems and are the C binding's business.

use crate::body::Frame;
use crate::wire::WireError;
use core::error::Error;
use core::fmt;

/// Why a connection ended.
///
/// ```
/// use omnimq_core::{CloseReason, Fixed, Instant, Node, Options, Pull, Side};
/// let mut pull = Node::<Pull, Fixed<1, 4, 64>>::new(Pull, Options::default());
/// let peer = pull.attach(Side::Bind, Instant::ZERO).unwrap();
/// pull.handle_input(peer, b"GET / HTTP/1.1\r\n".as_slice(), Instant::ZERO);
/// assert_eq!(pull.closed(peer), Some(CloseReason::UnsupportedVersion)); // ZMTP 1.0, to all appearances
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum CloseReason {
    /// The peer broke the protocol (EPROTO).
    Protocol(WireError),
    /// The peer speaks a protocol version that is not spoken here (EPROTONOSUPPORT).
    UnsupportedVersion,
    /// The peer asks for another security mechanism (EPROTONOSUPPORT).
    MechanismMismatch,
    /// The peer's socket type may not talk to ours, RFC 28 to 31 and 41 (EPROTOTYPE).
    IncompatiblePeer,
    /// A frame, message or key exceeds what the storage or an option allows (EMSGSIZE).
    TooLarge,
    /// The peer exceeded one of [`Limits`](crate::Limits) (ENOBUFS).
    Limit(Limit),
    /// The handshake did not finish in time (ETIMEDOUT).
    HandshakeTimeout,
    /// A ROUTER has a peer of this routing id already (EADDRINUSE).
    DuplicateRoutingId,
    /// A newer connection took this routing id over (ECONNABORTED).
    Replaced,
    /// The peer sent an ERROR command (ECONNREFUSED).
    PeerError,
    /// The peer ended the stream, or the stream failed (ECONNRESET).
    EndOfStream,
    /// The socket wants no connection here: a second peer of a PAIR, a closed or disconnected socket (ECONNABORTED).
    Unwanted,
}

/// Which of [`Limits`](crate::Limits) a peer exceeded (ENOBUFS).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Limit {
    /// [`Limits::topics`](crate::Limits::topics).
    Topics,
    /// [`Limits::topic_len`](crate::Limits::topic_len).
    TopicLen,
    /// [`Limits::topic_octets`](crate::Limits::topic_octets).
    TopicOctets,
    /// [`Limits::peers`](crate::Limits::peers).
    Peers,
    /// [`Limits::metadata`](crate::Limits::metadata).
    Metadata,
    /// [`Limits::handshake`](crate::Limits::handshake).
    Handshake,
    /// [`Limits::command`](crate::Limits::command).
    Command,
    /// [`Limits::frames`](crate::Limits::frames).
    Frames,
    /// [`Limits::event_octets`](crate::Limits::event_octets).
    EventOctets,
}

/// Why a frame was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
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

/// A refused [`Frame`].
pub type FrameError<B> = SendError<Frame<B>>;

/// Why nothing was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum RecvError {
    /// No message is at hand: try again later (EAGAIN).
    Again,
    /// REQ and REP: not the time to receive (EFSM).
    State,
    /// This socket type does not receive (ENOTSUP).
    NotSupported,
}

/// Why a subscription was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum FilterError {
    /// No room for another topic (ENOBUFS).
    NoRoom,
    /// The topic is longer than the storage can keep (EMSGSIZE).
    TooLong,
    /// This socket type has no subscriptions (ENOTSUP).
    NotSupported,
}

/// Why an option that carries octets was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum OptionError {
    /// This socket type has no such option (EINVAL).
    NotSupported,
    /// The value is empty, or longer than the protocol or the storage allows (EINVAL).
    Invalid,
    /// Another peer has this routing id (EADDRINUSE).
    InUse,
}

/// Why a frame or signal was not taken by a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Refusal {
    /// High-water mark reached or signal slot taken: later (EAGAIN).
    Full,
    /// Never: the message or key exceeds the storage (EMSGSIZE).
    TooLarge,
}

impl<F> SendError<F> {
    /// `payload` was refused because of `kind`.
    pub const fn new(payload: F, kind: SendErrorKind) -> Self {
        Self { payload, kind }
    }
}

impl From<WireError> for CloseReason {
    fn from(error: WireError) -> Self {
        Self::Protocol(error)
    }
}

impl From<Refusal> for SendErrorKind {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Full => Self::Again,
            Refusal::TooLarge => Self::TooLarge,
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Protocol(error) => return write!(f, "the peer broke the protocol: {error}"),
            Self::UnsupportedVersion => "the peer's ZMTP version is not supported",
            Self::MechanismMismatch => "the peer asks for another security mechanism",
            Self::IncompatiblePeer => "the peer's socket type may not talk to this one",
            Self::TooLarge => "a frame, message or key is larger than the storage or the size limit allows",
            Self::Limit(limit) => return write!(f, "the peer exceeded the limit of {limit}"),
            Self::HandshakeTimeout => "the handshake did not finish in time",
            Self::DuplicateRoutingId => "another peer has this routing id, and handover is off",
            Self::Replaced => "a newer connection took this routing id over",
            Self::PeerError => "the peer reported an error",
            Self::EndOfStream => "the stream ended",
            Self::Unwanted => "the socket wants no connection here",
        })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Topics => "topics per peer (`Limits::topics`)",
            Self::TopicLen => "octets of a topic (`Limits::topic_len`)",
            Self::TopicOctets => "octets of a peer's topics (`Limits::topic_octets`)",
            Self::Peers => "peers per socket (`Limits::peers`)",
            Self::Metadata => "octets of metadata (`Limits::metadata`)",
            Self::Handshake => "octets before the handshake ends (`Limits::handshake`)",
            Self::Command => "octets of a command (`Limits::command`)",
            Self::Frames => "frames of a message (`Limits::frames`)",
            Self::EventOctets => "octets of a peer's subscription events (`Limits::event_octets`)",
        })
    }
}

impl fmt::Display for SendErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Again => "no peer has room for another message",
            Self::Unroutable => "no peer has this routing id",
            Self::State => "this socket has to receive before it may send",
            Self::NotSupported => "sockets of this type do not send",
            Self::TooLarge => "the message is larger than the storage can keep",
        })
    }
}

impl<F> fmt::Display for SendError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Again => "no message has come",
            Self::State => "this socket has to send before it may receive",
            Self::NotSupported => "sockets of this type do not receive",
        })
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRoom => "the storage has no room for another topic",
            Self::TooLong => "the topic is longer than the storage can keep",
            Self::NotSupported => "sockets of this type have no subscriptions",
        })
    }
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSupported => "sockets of this type have no such option",
            Self::Invalid => "the value is empty, or longer than the protocol or the storage allows",
            Self::InUse => "another peer has this routing id",
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the pipe has no room yet",
            Self::TooLarge => "larger than the pipe can keep",
        })
    }
}

impl Error for CloseReason {}
impl Error for Limit {}
impl Error for SendErrorKind {}
impl<F: fmt::Debug> Error for SendError<F> {}
impl Error for RecvError {}
impl Error for FilterError {}
impl Error for OptionError {}
impl Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::boxed::Box;
    use std::collections::BTreeSet;
    use std::string::{String, ToString};
    use std::vec::Vec;

    fn reasons() -> Vec<CloseReason> {
        let limits = [
            Limit::Topics,
            Limit::TopicLen,
            Limit::TopicOctets,
            Limit::Peers,
            Limit::Metadata,
            Limit::Handshake,
            Limit::Command,
            Limit::Frames,
            Limit::EventOctets,
        ];
        let others = [
            CloseReason::Protocol(WireError::BadGreeting),
            CloseReason::Protocol(WireError::Oversize),
            CloseReason::UnsupportedVersion,
            CloseReason::MechanismMismatch,
            CloseReason::IncompatiblePeer,
            CloseReason::TooLarge,
            CloseReason::HandshakeTimeout,
            CloseReason::DuplicateRoutingId,
            CloseReason::Replaced,
            CloseReason::PeerError,
            CloseReason::EndOfStream,
            CloseReason::Unwanted,
        ];
        limits.map(CloseReason::Limit).into_iter().chain(others).collect()
    }

    #[test]
    fn every_reason_has_a_text_of_its_own() {
        let texts: BTreeSet<String> = reasons().iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), reasons().len());
    }

    #[test]
    fn a_text_names_the_limit_or_the_fault() {
        let text = CloseReason::Limit(Limit::TopicLen).to_string();
        assert_eq!(text, "the peer exceeded the limit of octets of a topic (`Limits::topic_len`)");
        let text = CloseReason::from(WireError::BadGreeting).to_string();
        assert_eq!(text, "the peer broke the protocol: a malformed greeting");
    }

    #[test]
    fn a_refused_frame_is_an_error_that_says_why() {
        let frame = Frame { body: crate::storage::fixed::Bytes::<4>::default(), more: true };
        let error: Box<dyn Error> = Box::new(FrameError::new(frame, Refusal::Full.into()));
        assert_eq!(error.to_string(), SendErrorKind::Again.to_string());
        assert_eq!(SendErrorKind::from(Refusal::TooLarge), SendErrorKind::TooLarge);
    }

    #[test]
    fn an_error_is_a_word() {
        assert!(size_of::<CloseReason>() <= 2 && size_of::<SendErrorKind>() == 1 && size_of::<Refusal>() == 1);
    }
}
