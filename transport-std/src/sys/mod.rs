//! The operating system: readiness, wake-ups, timers, streams. Nothing outside this folder calls it.

pub(crate) mod errno;
pub(crate) mod interface;
#[cfg(unix)]
pub(crate) mod ipc;
#[cfg(not(unix))]
#[path = "no_ipc.rs"]
pub(crate) mod ipc;
#[cfg(all(target_os = "linux", not(portable)))]
mod linux;
mod listener;
#[cfg(any(not(target_os = "linux"), portable))]
mod portable;
#[cfg(all(target_os = "linux", not(portable)))]
mod selector;
#[cfg(any(not(target_os = "linux"), portable))]
mod sockets;
pub(crate) mod tcp;

#[cfg(all(target_os = "linux", not(portable)))]
pub(crate) use linux::*;
pub(crate) use listener::{Listener, StreamOptions, would_block};
#[cfg(any(not(target_os = "linux"), portable))]
pub(crate) use portable::*;
#[cfg(all(target_os = "linux", not(portable)))]
pub(crate) use selector::{Selector, SelectorWaker};

use listener::Kind;

use omnimq_core::PipeId;

/// A socket's number within its context: less than [`SockId::COUNT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SockId(u32);

impl SockId {
    /// As many sockets a context may have at a time: 28 bits, between four of a token's kind and 32 of its index.
    pub(crate) const COUNT: u32 = 1 << 28;

    /// The number `n`, wrapped around.
    pub(crate) const fn new(n: u32) -> Self {
        Self(n % Self::COUNT)
    }
    /// The number as an index.
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a registration with the I/O thread's selector is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Token(pub(crate) u64);

/// What the I/O thread has itself called for after a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alarm {
    /// To look at unwritten batches.
    Flush,
    /// To look at unread input.
    Read,
}

impl Alarm {
    const ALL: [Self; 2] = [Self::Flush, Self::Read];
}

/// A [`Token`] taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// An alarm of the I/O thread.
    Alarm(Alarm),
    /// Listener `n` of a socket.
    Listener(SockId, u32),
    /// The stream of a socket's pipe.
    Stream(SockId, PipeId),
    /// A socket's background set.
    Set(SockId),
    /// A socket's multicast sessions.
    Sessions(SockId),
}

impl Token {
    const fn new(kind: u64, socket: SockId, index: u32) -> Self {
        Self(kind << 60 | (socket.0 as u64) << 32 | index as u64)
    }
    pub(crate) const fn alarm(alarm: Alarm) -> Self {
        Self::new(0, SockId(0), alarm as u32)
    }
    pub(crate) const fn listener(socket: SockId, n: u32) -> Self {
        Self::new(1, socket, n)
    }
    pub(crate) const fn stream(socket: SockId, pipe: PipeId) -> Self {
        Self::new(2, socket, pipe.0)
    }
    pub(crate) const fn set(socket: SockId) -> Self {
        Self::new(3, socket, 0)
    }
    #[cfg(any(test, all(feature = "pgm", target_os = "linux")))]
    pub(crate) const fn sessions(socket: SockId) -> Self {
        Self::new(4, socket, 0)
    }
    pub(crate) const fn source(self) -> Source {
        let (socket, index) = (SockId::new((self.0 >> 32) as u32), self.0 as u32);
        match self.0 >> 60 {
            0 if index == Alarm::Flush as u32 => Source::Alarm(Alarm::Flush),
            0 => Source::Alarm(Alarm::Read),
            1 => Source::Listener(socket, index),
            2 => Source::Stream(socket, PipeId(index)),
            3 => Source::Set(socket),
            _ => Source::Sessions(socket),
        }
    }
}

/// Something happened to what `token` names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    pub(crate) token: Token,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// The stream ended or failed, at least one way.
    pub(crate) ended: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_say_what_they_were_made_of() {
        for (socket, index) in [(0, 0), (1, u32::MAX), (SockId::COUNT - 1, 7), (SockId::COUNT - 1, u32::MAX)] {
            let socket = SockId::new(socket);
            assert_eq!(Token::listener(socket, index).source(), Source::Listener(socket, index));
            assert_eq!(Token::stream(socket, PipeId(index)).source(), Source::Stream(socket, PipeId(index)));
            assert_eq!(Token::set(socket).source(), Source::Set(socket));
            assert_eq!(Token::sessions(socket).source(), Source::Sessions(socket));
        }
        for alarm in Alarm::ALL {
            assert_eq!(Token::alarm(alarm).source(), Source::Alarm(alarm));
        }
    }
}
