//! ZeroMQ as state machines: ZMTP, the messaging patterns and their queues.
//!
//! No I/O, no clock, no `unsafe`, no allocator unless the `alloc` feature asks for one. Octets and time go in; octets,
//! messages and events come out.
//!
//! - [`Node`] is the place to begin: a socket, its connections and its queues under one owner. Its documentation has the
//!   loop of a driver, as a program that runs.
//! - [`Connection`] and [`Socket`] are its parts, for drivers that keep them on different threads. Between them stand
//!   lanes, [`PipeWriter`] and [`PipeReader`]; [`Credit`] and [`Receipts`] keep the high-water mark of one.
//! - [`Storage`] says where what is kept is kept: [`Fixed`] has its sizes in its type, `Heap` (feature `alloc`) grows up
//!   to [`Limits`].
//! - [`wire`] holds the values of ZMTP (RFC 23, 37), each with `parse` and `emit`.
//!
//! Calls may come in any order, each does bounded work, and no octets of a peer make one panic.
#![no_std]
#![forbid(unsafe_code)]
#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod body;
pub mod connection;
pub mod endpoint;
pub mod error;
pub mod flow;
pub mod limits;
pub mod node;
pub mod options;
pub mod pattern;
pub mod pipe;
pub mod reconnect;
pub mod socket;
pub mod storage;
pub mod time;
pub mod wire;

pub use body::{Body, Draft, Frame, Input, Payload, Piece, Sink};
pub use connection::{Config, Connection, Event, Local, Mechanism};
pub use endpoint::{Endpoint, EndpointError};
pub use error::{CloseReason, FilterError, Limit, OptionError, RecvError, Refusal, SendError, SendErrorKind};
pub use limits::Limits;
pub use node::Node;
pub use options::{Options, Verbosity};
pub use pattern::{
    AnyPattern, Dealer, Filters, Pair, Pattern, Pub, Pull, Push, Receives, Rep, Req, Router, Sends, Stream, Sub, XPub, XSub,
};
pub use pipe::{Credit, Front, PipeReader, PipeWriter, Receipts, Signal};
pub use reconnect::{Failure, Reconnect, ReconnectPolicy};
pub use socket::{Pipe, Pipes, Side, Socket};
#[cfg(feature = "alloc")]
pub use storage::heap::{Blob, Heap};
pub use storage::{LocalStorage, NodeStorage, PipeId, Storage, fixed::Fixed};
pub use time::Instant;
pub use wire::SocketType;
