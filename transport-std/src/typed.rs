//! A type for each socket type: a call in the wrong direction does not compile.
//!
//! ```compile_fail
//! # let context = omnimq::Context::new().unwrap();
//! let mut pull = omnimq::Pull::new(&context).unwrap();
//! pull.send("no PULL socket sends");
//! ```
//! ```compile_fail
//! # let context = omnimq::Context::new().unwrap();
//! let mut publisher = omnimq::Pub::new(&context).unwrap();
//! publisher.recv().unwrap();
//! ```

use crate::context::Context;
use crate::error::{Error, SendError};
use crate::event::EventKind;
use crate::futures::{Receiving, Sending};
use crate::message::{Frame, Message, Outgoing};
use crate::monitor::Monitor;
use crate::options::SocketOptions;
use crate::socket::{PeerId, Socket};
use crate::split::{RecvHalf, SendHalf};
use crate::statistics::Statistics;
use omnimq_core::{Options, SocketType};
use std::time::Duration;

macro_rules! typed {
    ($($(#[$doc:meta])* $name:ident: $($ability:ident)*;)*) => { $(
        $(#[$doc])*
        pub struct $name(Socket);

        impl $name {
            /// A socket with libzmq's default options.
            ///
            /// # Errors
            /// As [`Context::socket`].
            pub fn new(context: &Context) -> Result<Self, Error> {
                Self::with(context, SocketOptions::default())
            }
            /// A socket with `options`.
            ///
            /// # Errors
            /// As [`Context::socket_with`].
            pub fn with(context: &Context, options: SocketOptions) -> Result<Self, Error> {
                context.socket_with(SocketType::$name, options).map(Self)
            }
            /// As [`Socket::bind`].
            ///
            /// # Errors
            /// As [`Socket::bind`].
            pub fn bind(&mut self, endpoint: &str) -> Result<String, Error> {
                self.0.bind(endpoint)
            }
            /// As [`Socket::unbind`].
            ///
            /// # Errors
            /// As [`Socket::unbind`].
            pub fn unbind(&mut self, endpoint: &str) -> Result<(), Error> {
                self.0.unbind(endpoint)
            }
            /// As [`Socket::connect`].
            ///
            /// # Errors
            /// As [`Socket::connect`].
            pub fn connect(&mut self, endpoint: &str) -> Result<(), Error> {
                self.0.connect(endpoint)
            }
            /// As [`Socket::disconnect`].
            ///
            /// # Errors
            /// As [`Socket::disconnect`].
            pub fn disconnect(&mut self, endpoint: &str) -> Result<(), Error> {
                self.0.disconnect(endpoint)
            }
            /// As [`Socket::last_endpoint`].
            pub fn last_endpoint(&self) -> &str {
                self.0.last_endpoint()
            }
            /// As [`Socket::monitor`].
            pub fn monitor(&self) -> Monitor {
                self.0.monitor()
            }
            /// As [`Socket::monitor_only`].
            pub fn monitor_only(&self, kinds: &[EventKind]) -> Monitor {
                self.0.monitor_only(kinds)
            }
            /// As [`Socket::set_linger`].
            pub fn set_linger(&mut self, linger: Option<Duration>) {
                self.0.set_linger(linger);
            }
            /// As [`Socket::set_pattern`].
            pub fn set_pattern(&mut self, pattern: Options) {
                self.0.set_pattern(pattern);
            }
            /// As [`Socket::statistics`].
            pub fn statistics(&self) -> Statistics {
                self.0.statistics()
            }
            /// As [`Socket::options`].
            pub fn options(&self) -> &SocketOptions {
                self.0.options()
            }
            /// The same socket for those who do not ask for its type, such as a [`Poller`](crate::Poller).
            pub fn as_socket(&self) -> &Socket {
                &self.0
            }
            /// The same socket, its type forgotten.
            pub fn into_socket(self) -> Socket {
                self.0
            }
            #[cfg(feature = "stream")]
            pub(crate) fn socket(&mut self) -> &mut Socket {
                &mut self.0
            }
            $(typed!(@$ability);)*
        }

        #[cfg(all(target_os = "linux", not(portable)))]
        impl std::os::fd::AsFd for $name {
            /// As that of [`Socket`].
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                self.0.as_fd()
            }
        }
    )* };
    (@sends) => {
        /// As [`Socket::send`].
        ///
        /// # Errors
        /// As [`Socket::send`].
        #[inline]
        pub fn send<M: Outgoing>(&mut self, message: M) -> Result<(), SendError<M::Unsent>> {
            self.0.send(message)
        }
        /// As [`Socket::try_send`].
        ///
        /// # Errors
        /// As [`Socket::send`].
        #[inline]
        pub fn try_send<M: Outgoing>(&mut self, message: M) -> Result<(), SendError<M::Unsent>> {
            self.0.try_send(message)
        }
        /// As [`Socket::send_timeout`].
        ///
        /// # Errors
        /// As [`Socket::send`].
        pub fn send_timeout<M: Outgoing>(&mut self, message: M, timeout: Duration) -> Result<(), SendError<M::Unsent>> {
            self.0.send_timeout(message, timeout)
        }
        /// As [`Socket::send_async`].
        pub fn send_async<M: Outgoing>(&mut self, message: M) -> Sending<'_, M> {
            self.0.send_async(message)
        }
        /// As [`Socket::send_more`].
        ///
        /// # Errors
        /// As [`Socket::send_more`].
        pub fn send_more(&mut self, part: impl Into<Frame>) -> Result<(), SendError<Frame>> {
            self.0.send_more(part)
        }
        /// As [`Socket::forget_parts`].
        pub fn forget_parts(&mut self) {
            self.0.forget_parts();
        }
        /// As [`Socket::flush`].
        pub fn flush(&mut self) {
            self.0.flush();
        }
        /// As [`Socket::set_send_timeout`].
        pub fn set_send_timeout(&mut self, timeout: Option<Duration>) {
            self.0.set_send_timeout(timeout);
        }
        /// As [`Socket::set_send_hwm`].
        pub fn set_send_hwm(&mut self, messages: u32) {
            self.0.set_send_hwm(messages);
        }
        /// As [`Socket::last_peer`].
        pub fn last_peer(&self) -> Option<PeerId> {
            self.0.last_peer()
        }
    };
    (@receives) => {
        /// As [`Socket::recv`].
        ///
        /// # Errors
        /// As [`Socket::recv`].
        #[inline]
        pub fn recv(&mut self) -> Result<Message, Error> {
            self.0.recv()
        }
        /// As [`Socket::try_recv`].
        ///
        /// # Errors
        /// As [`Socket::recv`].
        #[inline]
        pub fn try_recv(&mut self) -> Result<Message, Error> {
            self.0.try_recv()
        }
        /// As [`Socket::recv_timeout`].
        ///
        /// # Errors
        /// As [`Socket::recv`].
        pub fn recv_timeout(&mut self, timeout: Duration) -> Result<Message, Error> {
            self.0.recv_timeout(timeout)
        }
        /// As [`Socket::recv_async`].
        pub fn recv_async(&mut self) -> Receiving<'_> {
            self.0.recv_async()
        }
        /// As [`Socket::recv_part`].
        ///
        /// # Errors
        /// As [`Socket::recv_part`].
        pub fn recv_part(&mut self) -> Result<Frame, Error> {
            self.0.recv_part()
        }
        /// As [`Socket::try_recv_part`].
        ///
        /// # Errors
        /// As [`Socket::recv_part`].
        pub fn try_recv_part(&mut self) -> Result<Frame, Error> {
            self.0.try_recv_part()
        }
        /// As [`Socket::set_recv_timeout`].
        pub fn set_recv_timeout(&mut self, timeout: Option<Duration>) {
            self.0.set_recv_timeout(timeout);
        }
        /// As [`Socket::set_recv_hwm`].
        pub fn set_recv_hwm(&mut self, messages: u32) {
            self.0.set_recv_hwm(messages);
        }
        /// As [`Socket::has_more`].
        pub fn has_more(&self) -> bool {
            self.0.has_more()
        }
    };
    (@splits) => {
        /// As [`Socket::split`], which this type supports.
        pub fn split(self) -> (SendHalf, RecvHalf) {
            self.0.halves()
        }
    };
    (@names) => {
        /// As [`Socket::set_connect_routing_id`].
        ///
        /// # Errors
        /// As [`Socket::set_connect_routing_id`].
        pub fn set_connect_routing_id(&mut self, id: impl AsRef<[u8]>) -> Result<(), Error> {
            self.0.set_connect_routing_id(id)
        }
    };
    (@welcomes) => {
        /// As [`Socket::set_welcome`].
        ///
        /// # Errors
        /// As [`Socket::set_welcome`].
        pub fn set_welcome(&mut self, message: impl AsRef<[u8]>) -> Result<(), Error> {
            self.0.set_welcome(message)
        }
    };
    (@filters) => {
        /// As [`Socket::lost_packets`].
        pub fn lost_packets(&self) -> u64 {
            self.0.lost_packets()
        }
        /// As [`Socket::repaired_packets`].
        pub fn repaired_packets(&self) -> u64 {
            self.0.repaired_packets()
        }
        /// As [`Socket::subscribe`].
        ///
        /// # Errors
        /// As [`Socket::subscribe`].
        pub fn subscribe(&mut self, topic: impl AsRef<[u8]>) -> Result<(), Error> {
            self.0.subscribe(topic)
        }
        /// As [`Socket::unsubscribe`].
        ///
        /// # Errors
        /// As [`Socket::unsubscribe`].
        pub fn unsubscribe(&mut self, topic: impl AsRef<[u8]>) -> Result<(), Error> {
            self.0.unsubscribe(topic)
        }
    };
}

typed! {
    /// One peer, both ways (RFC 31). A second is refused as long as the first is there; `send` waits for one.
    Pair: sends receives splits;
    /// Each message to every subscriber whose topic it begins with (RFC 29). Never waits, unless
    /// [`nodrop`](omnimq_core::Options::nodrop) is set: who has no room misses the message, and so does who has not subscribed yet.
    Pub: sends;
    /// Messages of the topics asked for (RFC 29): none before [`subscribe`](Self::subscribe).
    Sub: receives filters;
    /// Questions, each answered before the next (RFC 28). Calls take turns, unless
    /// [`relaxed`](omnimq_core::Options::relaxed) is set: `send`, `recv`, `send`, … Another order is [`Error::State`].
    Req: sends receives;
    /// Answers to the question last received (RFC 28). Calls take turns: `recv`, `send`, `recv`, … Another order is
    /// [`Error::State`]. An answer to somebody who has gone is dropped.
    Rep: sends receives;
    /// Sends to its peers in turn, receives from all fairly (RFC 28). `send` waits when none has room.
    Dealer: sends receives splits;
    /// Sends to the peer that the first frame names, receives with the sender's name in front (RFC 28).
    Router: sends receives splits names;
    /// Receives from its peers fairly (RFC 30).
    Pull: receives;
    /// Sends to its peers in turn (RFC 30), passing over those without room; waits when none has any.
    Push: sends;
    /// A PUB that sees subscriptions (RFC 29).
    XPub: sends receives splits welcomes;
    /// A SUB that sends its subscriptions as messages (RFC 29).
    XSub: sends receives filters splits;
}
