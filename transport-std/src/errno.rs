//! The errno that an error stands for, by its name: numbers differ between systems.

use crate::sys;
use std::fmt;
use std::io;

/// The errno that an [`Error`](crate::Error) stands for.
///
/// ```
/// use omnimq::{Context, Errno, Rep};
/// let mut rep = Rep::new(&Context::new()?)?;
/// let errno = rep.try_send("an answer to nobody").unwrap_err().error.errno();
/// assert_eq!((errno, errno.to_string()), (Errno::Fsm, String::from("EFSM")));
/// # Ok::<(), omnimq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Errno {
    /// EACCES: no permission.
    Access,
    /// EADDRINUSE: somebody else has this address.
    AddrInUse,
    /// EADDRNOTAVAIL: no address of this machine.
    AddrNotAvail,
    /// EAGAIN: not at this time, or not in time.
    Again,
    /// ECONNRESET: part of a stream is lost.
    ConnReset,
    /// EFSM, libzmq's own: not the turn of this call.
    Fsm,
    /// EHOSTUNREACH: nobody has this routing id.
    HostUnreach,
    /// EINVAL: it makes no sense.
    Inval,
    /// EMFILE: the process has as many descriptors as it may.
    MFile,
    /// EMSGSIZE: too large.
    MsgSize,
    /// ENAMETOOLONG: a name or path that is too long.
    NameTooLong,
    /// ENFILE: the system has as many descriptors as it may.
    NFile,
    /// ENOBUFS: no room.
    NoBufs,
    /// ENODEV: no such interface.
    NoDev,
    /// ENOENT: not there.
    NoEnt,
    /// ENOMEM: no memory.
    NoMem,
    /// ENOTSUP: not done by sockets of this type.
    NotSup,
    /// EPROTONOSUPPORT: not a transport that there is.
    ProtoNoSupport,
    /// ETERM, libzmq's own: the context has ended.
    Term,
    /// Another one, by its number in this system.
    Other(i32),
    /// None: the system gave a reason without a number.
    Unknown,
}

impl Errno {
    /// What the system's answer stands for.
    pub(crate) fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AddrInUse => Self::AddrInUse,
            io::ErrorKind::AddrNotAvailable => Self::AddrNotAvail,
            io::ErrorKind::ConnectionReset => Self::ConnReset,
            io::ErrorKind::InvalidFilename => Self::NameTooLong,
            io::ErrorKind::InvalidInput => Self::Inval,
            io::ErrorKind::NotFound => Self::NoEnt,
            io::ErrorKind::OutOfMemory => Self::NoMem,
            io::ErrorKind::PermissionDenied => Self::Access,
            io::ErrorKind::WouldBlock => Self::Again,
            _ => error.raw_os_error().map_or(Self::Unknown, sys::errno::named),
        }
    }
    /// Its name, as in C.
    fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Access => "EACCES",
            Self::AddrInUse => "EADDRINUSE",
            Self::AddrNotAvail => "EADDRNOTAVAIL",
            Self::Again => "EAGAIN",
            Self::ConnReset => "ECONNRESET",
            Self::Fsm => "EFSM",
            Self::HostUnreach => "EHOSTUNREACH",
            Self::Inval => "EINVAL",
            Self::MFile => "EMFILE",
            Self::MsgSize => "EMSGSIZE",
            Self::NameTooLong => "ENAMETOOLONG",
            Self::NFile => "ENFILE",
            Self::NoBufs => "ENOBUFS",
            Self::NoDev => "ENODEV",
            Self::NoEnt => "ENOENT",
            Self::NoMem => "ENOMEM",
            Self::NotSup => "ENOTSUP",
            Self::ProtoNoSupport => "EPROTONOSUPPORT",
            Self::Term => "ETERM",
            Self::Other(_) | Self::Unknown => return None,
        })
    }
}

/// Its name, as in C, or its number in this system.
impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name(), self) {
            (Some(name), _) => f.pad(name),
            (None, Self::Other(number)) => write!(f, "errno {number}"),
            (None, _) => f.pad("no errno"),
        }
    }
}
