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
            /// A socket with libzmq's default options. As [`Context::socket`], of this type.
            ///
            /// # Errors
            /// As [`Context::socket`].
            pub fn new(context: &Context) -> Result<Self, Error> {
                Self::with(context, SocketOptions::default())
            }
            /// A socket with `options`. As [`Context::socket_with`], of this type.
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
            /// The same socket for those who do not ask for its type, such as a poller: see [`Poller::add`](crate::Poller::add).
            pub fn as_socket(&self) -> &Socket {
                &self.0
            }
            /// The same socket, its type forgotten, as a proxy takes it: see [`proxy`](crate::proxy).
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
    (@answers) => {
        /// As [`Socket::subscribe_last`].
        ///
        /// # Errors
        /// As [`Socket::subscribe_last`].
        pub fn subscribe_last(&mut self, topic: impl AsRef<[u8]>) -> Result<(), Error> {
            self.0.subscribe_last(topic)
        }
        /// As [`Socket::unsubscribe_last`].
        ///
        /// # Errors
        /// As [`Socket::subscribe_last`].
        pub fn unsubscribe_last(&mut self, topic: impl AsRef<[u8]>) -> Result<(), Error> {
            self.0.unsubscribe_last(topic)
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
    ///
    /// ```
    /// use omnimq::{Context, Pair};
    /// # use std::time::Duration;
    /// let context = Context::new()?;
    /// let (mut main, mut worker) = (Pair::new(&context)?, Pair::new(&context)?);
    /// main.bind("inproc://worker")?;
    /// worker.connect("inproc://worker")?;
    /// let working = std::thread::spawn(move || worker.recv().and_then(|work| Ok(worker.send(["done", "with it"])?)));
    /// main.send("work")?;
    /// assert_eq!(main.recv_timeout(Duration::from_secs(30))?.bytes(), b"done");
    /// working.join().unwrap()?;
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    Pair: sends receives splits;
    /// Each message to every subscriber whose topic it begins with (RFC 29). Never waits, unless
    /// [`nodrop`](omnimq_core::Options::nodrop) is set: who has no room misses the message, and so does who has not subscribed yet.
    ///
    /// ```
    /// use omnimq::{Context, Pub, Sub};
    /// # use std::time::Duration;
    /// let context = Context::new()?;
    /// let mut news = Pub::new(&context)?;
    /// let (mut sports, mut all) = (Sub::new(&context)?, Sub::new(&context)?);
    /// let endpoint = news.bind("inproc://news")?;
    /// for (sub, topic) in [(&mut sports, "score"), (&mut all, "")] {
    ///     sub.subscribe(topic)?;
    ///     sub.connect(&endpoint)?;
    /// }
    /// news.send(["weather", "rain"])?;
    /// news.send(["score", "3:1"])?;
    /// assert_eq!(sports.recv_timeout(Duration::from_secs(30))?[1][..], *b"3:1");
    /// assert_eq!(all.recv_timeout(Duration::from_secs(30))?[1][..], *b"rain");
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    Pub: sends;
    /// Messages of the topics asked for (RFC 29): none before [`subscribe`](Self::subscribe).
    ///
    /// ```
    /// use omnimq::Sub;
    /// # use std::time::Duration;
    /// # let context = omnimq::Context::new()?;
    /// # let mut news = omnimq::XPub::new(&context)?;
    /// # let endpoint = news.bind("tcp://127.0.0.1:*")?;
    /// let mut sub = Sub::new(&context)?;
    /// sub.connect(&endpoint)?;
    /// for topic in ["score", "weather"] {
    ///     sub.subscribe(topic)?;
    /// }
    /// # for _ in 0..2 {
    /// #     news.recv_timeout(Duration::from_secs(30))?;
    /// # }
    /// # news.send(["weather", "rain"])?;
    /// let message = sub.recv_timeout(Duration::from_secs(30))?;
    /// let [topic, report] = message.frames() else { panic!("a topic and a report") };
    /// assert_eq!((&topic[..], &report[..]), (&b"weather"[..], &b"rain"[..]));
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    Sub: receives filters;
    /// Questions, each answered before the next (RFC 28). Calls take turns, unless
    /// [`relaxed`](omnimq_core::Options::relaxed) is set: `send`, `recv`, `send`, … Another order is [`Error::State`].
    ///
    /// ```
    /// use omnimq::{Error, Req};
    /// # use std::time::Duration;
    /// # let context = omnimq::Context::new()?;
    /// # let mut rep = omnimq::Rep::new(&context)?;
    /// # let endpoint = rep.bind("tcp://127.0.0.1:*")?;
    /// # let clock = std::thread::spawn(move || rep.recv().and_then(|_| Ok(rep.send("noon")?)));
    /// let mut req = Req::new(&context)?;
    /// req.connect(&endpoint)?;
    /// req.send("What time is it?")?;
    /// assert!(matches!(req.send("Hello?").unwrap_err().error, Error::State)); // the answer has its turn
    /// assert_eq!(req.recv_timeout(Duration::from_secs(30))?.bytes(), b"noon");
    /// # clock.join().unwrap()?;
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    Req: sends receives;
    /// Answers to the question last received (RFC 28). Calls take turns: `recv`, `send`, `recv`, … Another order is
    /// [`Error::State`]. An answer to somebody who has gone is dropped.
    ///
    /// ```
    /// use omnimq::{Error, Rep};
    /// # let context = omnimq::Context::new()?;
    /// # let mut req = omnimq::Req::new(&context)?;
    /// # req.set_recv_timeout(Some(std::time::Duration::from_secs(30)));
    /// let mut rep = Rep::new(&context)?;
    /// let endpoint = rep.bind("tcp://127.0.0.1:*")?;
    /// let server = std::thread::spawn(move || -> Result<(), Error> {
    ///     loop {
    ///         let question = rep.recv()?; // ends with the context
    ///         rep.send(["You said:".as_bytes(), question.bytes()])?;
    ///     }
    /// });
    /// # req.connect(&endpoint)?;
    /// # req.send("hello")?;
    /// # assert_eq!(req.recv()?[1][..], *b"hello");
    /// # context.shutdown();
    /// # assert!(matches!(server.join().unwrap(), Err(Error::Terminated)));
    /// # Ok::<(), Error>(())
    /// ```
    Rep: sends receives;
    /// Sends to its peers in turn, receives from all fairly (RFC 28). `send` waits when none has room.
    ///
    /// ```
    /// use omnimq::Dealer;
    /// # use std::time::Duration;
    /// # let context = omnimq::Context::new()?;
    /// # let mut rep = omnimq::Rep::new(&context)?;
    /// # let endpoint = rep.bind("tcp://127.0.0.1:*")?;
    /// # let echo = std::thread::spawn(move || (0..3).try_for_each(|_| rep.recv().and_then(|question| Ok(rep.send(question)?))));
    /// let mut dealer = Dealer::new(&context)?;
    /// dealer.connect(&endpoint)?; // to a REP that echoes
    /// for question in ["one", "two", "three"] {
    ///     dealer.send(["", question])?; // the empty frame is what a REQ would put in front
    /// }
    /// for question in ["one", "two", "three"] {
    ///     let answer = dealer.recv_timeout(Duration::from_secs(30))?;
    ///     assert_eq!(answer[1][..], *question.as_bytes());
    /// }
    /// # echo.join().unwrap()?;
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    Dealer: sends receives splits;
    /// Sends to the peer that the first frame names, receives with the sender's name in front (RFC 28).
    ///
    /// ```
    /// use omnimq::{Req, Router};
    /// # use std::time::Duration;
    /// # let context = omnimq::Context::new()?;
    /// let (mut router, mut req) = (Router::new(&context)?, Req::new(&context)?);
    /// req.connect(&router.bind("tcp://127.0.0.1:*")?)?;
    /// req.send("Who am I?")?;
    /// let question = router.recv_timeout(Duration::from_secs(30))?;
    /// let [who, empty, _] = question.frames() else { panic!("a name, an empty frame, the question") };
    /// router.send(vec![who.clone(), empty.clone(), "You know best".into()])?;
    /// assert_eq!(req.recv_timeout(Duration::from_secs(30))?.bytes(), b"You know best");
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    Router: sends receives splits names;
    /// Receives from its peers fairly (RFC 30).
    ///
    /// ```
    /// use omnimq::{Context, Pull, Push};
    /// # use std::time::Duration;
    /// let context = Context::new()?;
    /// let mut pull = Pull::new(&context)?;
    /// let endpoint = pull.bind("tcp://127.0.0.1:*")?;
    /// for _ in 0..3 {
    ///     let mut push = Push::new(&context)?;
    ///     push.connect(&endpoint)?;
    ///     push.send("a result")?; // leaves when the socket has gone, too
    /// }
    /// for _ in 0..3 {
    ///     assert_eq!(pull.recv_timeout(Duration::from_secs(30))?.bytes(), b"a result");
    /// }
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    Pull: receives;
    /// Sends to its peers in turn (RFC 30), passing over those without room; waits when none has any.
    ///
    /// ```
    /// use omnimq::{Context, Pull, Push};
    /// # use std::time::Duration;
    /// let context = Context::new()?;
    /// let (mut push, mut one, mut other) = (Push::new(&context)?, Pull::new(&context)?, Pull::new(&context)?);
    /// push.connect(&one.bind("inproc://one")?)?;
    /// push.connect(&other.bind("inproc://other")?)?;
    /// for work in 0..6_u8 {
    ///     push.send([work])?;
    /// }
    /// for work in 0..3 {
    ///     assert_eq!(one.recv_timeout(Duration::from_secs(30))?.bytes(), [2 * work]);
    ///     assert_eq!(other.recv_timeout(Duration::from_secs(30))?.bytes(), [2 * work + 1]);
    /// }
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    Push: sends;
    /// A PUB that sees subscriptions (RFC 29).
    ///
    /// ```
    /// use omnimq::{Context, Sub, XPub};
    /// # use std::time::Duration;
    /// let context = Context::new()?;
    /// let (mut news, mut sub) = (XPub::new(&context)?, Sub::new(&context)?);
    /// sub.connect(&news.bind("tcp://127.0.0.1:*")?)?;
    /// sub.subscribe("score")?;
    /// assert_eq!(news.recv_timeout(Duration::from_secs(30))?.bytes(), b"\x01score"); // 0 in front: no more
    /// news.send(["score", "3:1"])?; // so nobody misses this
    /// assert_eq!(sub.recv_timeout(Duration::from_secs(30))?[1][..], *b"3:1");
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    XPub: sends receives splits welcomes answers;
    /// A SUB that sends its subscriptions as messages (RFC 29).
    ///
    /// ```
    /// use omnimq::{Context, XPub, XSub};
    /// # use std::time::Duration;
    /// let context = Context::new()?;
    /// let (mut news, mut xsub) = (XPub::new(&context)?, XSub::new(&context)?);
    /// xsub.connect(&news.bind("tcp://127.0.0.1:*")?)?;
    /// xsub.send(b"\x01score")?; // as `subscribe` does; 0 in front takes it back
    /// xsub.send("a word to the publisher")?; // anything else goes there as it is
    /// assert_eq!(news.recv_timeout(Duration::from_secs(30))?.bytes(), b"\x01score");
    /// assert_eq!(news.recv_timeout(Duration::from_secs(30))?.bytes(), b"a word to the publisher");
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    XSub: sends receives filters splits;
}
