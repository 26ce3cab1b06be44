//! PGM (RFC 3208), reliable multicast, as state machines without I/O; with the feature `std` also its links: raw IP
//! (`pgm://`) and UDP (`epgm://`).
//!
//! - [`Source`] sends a stream to a group and repairs what receivers miss; [`Receiver`] follows every source of a
//!   session and delivers each in order. Datagrams and time go in; datagrams, data, events and a deadline come out.
//! - [`Packer`] and [`Unpacker`] carry ZeroMQ messages in such a stream, as libzmq does: ZMTP 1.0 framing behind an
//!   offset, so that a receiver may join, and rejoin after a loss, at the next message.
//! - [`Storage`] says where windows are kept: [`Fixed`] has its sizes in its type, `Heap` (feature `alloc`) grows up to
//!   the limits of the configuration.
//! - [`wire`] holds the packets, each with `parse` and `emit`.
//!
//! Calls may come in any order, each does bounded work, and no octets that anybody sends make one panic.
#![no_std]
#![forbid(unsafe_code)]
#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

#[cfg(all(feature = "std", target_os = "linux"))]
pub mod link;
mod pace;
mod payload;
mod receiver;
mod ring;
mod rng;
mod session;
mod source;
mod sqn;
mod storage;
pub mod wire;

pub use payload::{Packer, Unpacked, Unpacker};
pub use receiver::{Delivery, Event, PeerId, Receiver, ReceiverConfig, ReceiverStatistics};
pub use session::{Encapsulation, Session, Target, Transmit, window_of};
pub use source::{Source, SourceConfig, SourceStatistics};
pub use sqn::Sqn;
pub use storage::{Array, Cells, Fixed, Storage};
#[cfg(feature = "alloc")]
pub use storage::{Heap, Places};
