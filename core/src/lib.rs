//! ZeroMQ as state machines: ZMTP, the messaging patterns and their queues.
//!
//! No I/O, no clock, no `unsafe`, no allocator unless the `alloc` feature asks for one.
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
pub use storage::{LocalStorage, PipeId, Storage, fixed::Fixed};
pub use time::Instant;
pub use wire::SocketType;
