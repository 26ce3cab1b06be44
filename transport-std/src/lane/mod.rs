//! The host's storage: lanes whose ends live on two threads, kept as they stand on the wire.
//!
//! A lane's messages are ZMTP 3.x images, so they are encoded once and, on NULL connections, never decoded by whoever
//! writes them. Outbound: [`Outlet`] (in the socket) stages, publishes to the [`Outbox`], from which the holder of the
//! write seat takes batches. Inbound: [`Intake`] (beside the connection) puts runs of whole messages into the
//! [`Inbox`], from which [`Inlet`] (in the socket) reads. Each hand-over is one lock per batch, not per message.

mod batch;
#[cfg(any(test, all(feature = "pgm", target_os = "linux")))]
mod drain;
mod inbound;
mod item;
mod outbound;
mod traffic;

pub(crate) use batch::{Batch, Progress};
#[cfg(all(feature = "pgm", target_os = "linux"))]
pub(crate) use drain::Drain;
pub(crate) use inbound::{Inbox, Inlet, Intake};
pub(crate) use outbound::{Control, News, Notices, Outbox, Outlet};
pub use traffic::Traffic;

use omnimq_core::storage::heap;
use omnimq_core::{Blob, Heap, Storage};

/// Bodies of this size and more are kept by reference and leave by vectored write; smaller ones are copied.
pub(crate) const BIG: usize = 16 << 10;

/// `Heap`'s storage with lanes between threads.
pub(crate) struct Host;

impl Storage for Host {
    type Body = Blob;
    type Tx = Outlet;
    type Rx = Inlet;
    type Key = Blob;
    type Table<T> = <Heap as Storage>::Table<T>;
    type Names<V> = <Heap as Storage>::Names<V>;
    type Topics<V> = <Heap as Storage>::Topics<V>;
    type Set = <Heap as Storage>::Set;
    type Queue<T> = <Heap as Storage>::Queue<T>;
    fn key(bytes: &[u8]) -> Option<Blob> {
        <Heap as Storage>::key(bytes)
    }
}

/// A counted read buffer, as a connection reads it.
pub(crate) use heap::Slab;
