//! Storage on the allocator: small bodies inline, large ones counted and shared, tables that grow.
//!
//! What peers can make it keep is bounded by whoever fills it: marks, [`Limits`](crate::Limits) and the size limit of
//! a message. A lane's signals and a body under construction bound themselves.

mod blob;
mod fifo;
mod filling;
mod lane;
mod slab;
mod slots;
mod trie;
mod words;

pub use blob::{Blob, INLINE};
pub use fifo::Fifo;
pub use filling::Filling;
pub use lane::Lane;
pub use slab::Slab;
pub use slots::Slots;
pub use trie::Trie;
pub use words::Words;

use super::{LocalStorage, Storage};

/// Storage on the allocator, single owner.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heap;

impl Storage for Heap {
    type Body = Blob;
    type Tx = Lane;
    type Rx = Lane;
    type Key = Blob;
    type Table<T> = Slots<T>;
    type Names<V> = Trie<V>;
    type Topics<V> = Trie<V>;
    type Queue<T> = Fifo<T>;
    type Set = Words;
    fn key(bytes: &[u8]) -> Option<Blob> {
        Some(Blob::from(bytes))
    }
}

impl LocalStorage for Heap {
    type Lane = Lane;
    fn lane(hwm: u32) -> Lane {
        Lane::new(hwm)
    }
}
