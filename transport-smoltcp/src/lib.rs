//! ZeroMQ sockets for firmware: no heap, no `unsafe`, no clock and no randomness of its own.
//!
//! - [`Socket`] is a ZeroMQ socket over [smoltcp]'s TCP: it listens and connects, several peers at once, and several of
//!   them share one interface. Its documentation has the loop that drives it.
//! - [`Capacity`] has every size in its type: peers, high-water marks, message, topics, TCP buffers.
//! - `io` has the same sockets over any byte stream of `embedded-io`, `asynch` over those of `embedded-io-async`, and
//!   `nonblocking` gives any of them the calls of `nb`: each with the feature of that name.
//!
//! What goes beyond a capacity is an error of the call, an [`Event`] or back-pressure, never a panic:
//!
//! | what | becomes |
//! |---|---|
//! | a message longer than `MSG` from a peer | that peer is closed: [`Event::Closed`] with `TooLarge` |
//! | a message longer than `MSG` to send | `TooLarge` from the call |
//! | a full inbound queue | the stream is not read, its TCP window closes, the peer waits |
//! | a full outbound queue | what the pattern does: `Again`, or PUB and ROUTER drop and count |
//! | one peer more than `PEERS` | TCP reset and [`Event::Refused`] |
//! | topics beyond `TOPICS` of a PUB's peers | that peer gets everything and filters for itself |
//! | topics beyond `TOPICS` of a SUB | `NoRoom` from the call |
#![no_std]
#![forbid(unsafe_code)]
#[cfg(test)]
extern crate std;

#[cfg(feature = "embedded-io-async")]
pub mod asynch;
mod capacity;
mod dial;
mod door;
mod drive;
mod event;
#[cfg(feature = "embedded-io")]
pub mod io;
mod logging;
#[cfg(feature = "nb")]
pub mod nonblocking;
mod settings;
mod socket;
mod stream;
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
mod wait;
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
mod wire;

pub use capacity::{Capacities, Capacity, Memory};
pub use event::{BindError, ConnectError, Event};
pub use omnimq_core as core;
pub use settings::Settings;
pub use socket::Socket;
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
pub use wait::WaitError;
