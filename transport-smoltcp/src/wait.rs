//! Why a call that waits on a byte stream gives up.

use core::fmt;
use omnimq_core::{CloseReason, RecvError, SendErrorKind};

/// Why a call that waits gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum WaitError {
    /// The message cannot be sent: waiting does not help.
    Send(SendErrorKind),
    /// Nothing can be received: waiting does not help.
    Recv(RecvError),
    /// There is no stream, or its connection has ended.
    Closed(CloseReason),
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send(kind) => kind.fmt(f),
            Self::Recv(error) => error.fmt(f),
            Self::Closed(reason) => reason.fmt(f),
        }
    }
}

impl core::error::Error for WaitError {}
