//! Links: the sockets under a session, over UDP (`epgm://`, no privilege) and raw IP (`pgm://`, CAP_NET_RAW).
//!
//! [`Publisher`] is a [`Source`](crate::Source) with its socket, [`Subscriber`] a [`Receiver`](crate::Receiver) with its
//! own. A driver waits for their descriptors and deadlines and calls `turn`; messages pass through the core's lanes.
//!
//! Linux only: datagrams leave and arrive many at a time, by `sendmmsg`, `recvmmsg` and, over UDP, by segmentation and
//! coalescing in the kernel (UDP_SEGMENT, UDP_GRO), where it has them.

mod error;
mod inbox;
mod interface;
mod neighbours;
mod options;
mod outbox;
mod publisher;
mod rest;
mod socket;
mod subscriber;

pub use error::{LinkError, Warning};
pub use interface::Interface;
pub use options::LinkOptions;
pub use publisher::{Publisher, Turn};
pub use subscriber::{StreamId, Streams, Subscriber};

use core::hash::{BuildHasher, Hasher};

/// A number that nobody can foresee.
fn random() -> u64 {
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}
