//! ZeroMQ for hosts: sockets over tcp, ipc and inproc, for programs with threads and an operating system.
//!
//! There is a type for each socket type, so that a call in the wrong direction does not compile, and [`Socket`] for a
//! type chosen at run time. A socket belongs to one thread at a time and may be sent to another. No async runtime is
//! needed, and any will do for [`recv_async`](Socket::recv_async) and [`send_async`](Socket::send_async): a call does the
//! I/O it can, and the [`Context`]'s threads do what is left, also while the program is away: they connect again, shake
//! hands, write what was sent and read up to the high-water mark.
//!
//! A blocking call has a `try_` form, which does not wait, and a `_timeout` form. A refused message comes back in
//! [`SendError`]; each [`Error`] names the errno of libzmq that it stands for.
//!
//! [`guide`] has more, beginning with [`guide::getting_started`].
//!
//! ```
//! use omnimq::{Context, Rep, Req};
//! # fn main() -> Result<(), omnimq::Error> {
//! let context = Context::new()?;
//! let mut rep = Rep::new(&context)?;
//! let endpoint = rep.bind("tcp://127.0.0.1:*")?;
//! let mut req = Req::new(&context)?;
//! req.connect(&endpoint)?;
//! # rep.set_recv_timeout(Some(std::time::Duration::from_secs(30)));
//! # req.set_recv_timeout(Some(std::time::Duration::from_secs(30)));
//!
//! req.send("hello")?;
//! assert_eq!(rep.recv()?.bytes(), b"hello");
//! rep.send("world")?;
//! assert_eq!(req.recv()?.bytes(), b"world");
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod context;
mod descriptor;
mod dial;
mod endpoint;
mod errno;
mod error;
mod event;
mod futures;
pub mod guide;
mod lane;
mod message;
mod monitor;
#[cfg(feature = "bytes")]
mod octets;
mod open_socket;
mod options;
mod pace;
mod park;
mod parts;
mod places;
mod poller;
mod proxy;
mod resolve;
mod runtime;
mod seating;
mod socket;
mod spin;
mod split;
mod statistics;
#[cfg(feature = "stream")]
pub mod stream;
mod sync;
mod sys;
mod topics;
mod typed;
mod wait;

pub use context::Context;
pub use errno::Errno;
pub use error::{BadEndpoint, Error, SendError};
pub use event::{Cap, Event, EventKind};
pub use futures::{Receiving, Sending};
pub use lane::Traffic;
pub use message::{Frame, Message, Outgoing, Part, Sendable};
pub use monitor::{Events, Monitor, Watching};
pub use omnimq_core::reconnect::ReconnectPolicy;
pub use omnimq_core::{CloseReason, Limits, Options as PatternOptions, SocketType, Verbosity};
#[cfg(all(feature = "pgm", target_os = "linux"))]
pub use omnimq_pgm::link::LinkOptions as MulticastOptions;
pub use open_socket::OpenSocket;
pub use options::SocketOptions;
pub use poller::{Poller, Readiness};
pub use proxy::{proxy, proxy_steerable};
pub use socket::{PeerId, Socket};
pub use split::{RecvHalf, SendHalf};
pub use statistics::{PeerState, PeerStatistics, Statistics};
pub use typed::{Dealer, Pair, Pub, Pull, Push, Rep, Req, Router, Sub, XPub, XSub};
