//! Seam B: where something is kept.
//!
//! [`Fixed`](fixed::Fixed) has all capacities in the type, `Heap` (feature `alloc`) grows; a driver may bring a third
//! one, whose lanes cross threads. A [`Storage`] is a family of types, never a value.

pub mod fixed;
#[cfg(feature = "alloc")]
pub mod heap;
#[cfg(test)]
mod models;

use crate::body::Body;
use crate::pipe::{PipeReader, PipeWriter};

/// A pipe's place in its socket's table. Not reused before the pattern has forgotten it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PipeId(pub u32);

impl PipeId {
    /// The place as an index.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
    /// The place after this one.
    #[inline]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// The storage family of a socket.
pub trait Storage: Sized {
    /// What frames are kept in.
    type Body: Body;
    /// The socket's writing end towards a peer.
    type Tx: PipeWriter<Body = Self::Body>;
    /// The socket's reading end from a peer.
    type Rx: PipeReader<Body = Self::Body, Key = Self::Key>;
    /// A short byte string: routing id, topic.
    type Key: AsRef<[u8]> + Clone + Default;
    /// Values by `PipeId`.
    type Table<T>: Table<T>;
    /// Values by routing id: room for one per peer.
    type Names<V>: Map<V>;
    /// Values by topic, with prefix lookup.
    type Topics<V>: Topics<V>;
    /// A set of pipes: rotation, fan-out.
    type Set: PipeSet;
    /// A first-in first-out queue: events of an XPUB.
    type Queue<T>: Queue<T>;

    /// Keeps a routing id or topic; `None` when it is too long.
    fn key(bytes: &[u8]) -> Option<Self::Key>;
}

/// Storage whose lanes have both ends in one place: firmware, tests, one-thread hosts.
pub trait LocalStorage: Storage<Tx = Self::Lane, Rx = Self::Lane> {
    /// Both ends of one direction of a pipe.
    type Lane: PipeWriter<Body = Self::Body> + PipeReader<Body = Self::Body, Key = Self::Key>;
    /// An empty lane of `hwm` messages, or of the storage's limit if that is less.
    fn lane(hwm: u32) -> Self::Lane;
}

/// Storage whose lanes have both ends in one place, each direction with a type of its own: what a
/// [`Node`](crate::Node) is built from. A socket that only sends need not pay for a lane that keeps messages for it.
pub trait NodeStorage:
    Storage<
        Tx: PipeReader<Body = <Self as Storage>::Body, Key = <Self as Storage>::Key>,
        Rx: PipeWriter<Body = <Self as Storage>::Body>,
    >
{
    /// An empty lane towards a peer of `hwm` messages, or of the storage's limit if that is less.
    fn outbound(hwm: u32) -> Self::Tx;
    /// An empty lane from a peer, likewise.
    fn inbound(hwm: u32) -> Self::Rx;
}

impl<S: LocalStorage> NodeStorage for S {
    fn outbound(hwm: u32) -> Self::Tx {
        S::lane(hwm)
    }
    fn inbound(hwm: u32) -> Self::Rx {
        S::lane(hwm)
    }
}

/// Values by `PipeId`.
pub trait Table<T>: Default {
    /// The lowest free place, or `None` when all are taken. Asking does not take it.
    fn vacant(&mut self) -> Option<PipeId>;
    /// Puts `value` at `id`, whatever was there.
    ///
    /// # Errors
    /// It comes back when there is no such place.
    fn put(&mut self, id: PipeId, value: T) -> Result<(), T>;
    /// Puts what `make` makes at `id`, and makes it there if it can: a large value is not to pass over a small stack.
    /// False when there is no such place.
    fn put_with(&mut self, id: PipeId, make: impl FnOnce() -> T) -> bool {
        self.put(id, make()).is_ok()
    }
    /// The value at `id`.
    fn get(&self, id: PipeId) -> Option<&T>;
    /// The value at `id`.
    fn get_mut(&mut self, id: PipeId) -> Option<&mut T>;
    /// Takes the value at `id` out.
    fn take(&mut self, id: PipeId) -> Option<T>;
    /// No id in use is as large as this.
    fn bound(&self) -> u32;
}

/// Values by byte string.
pub trait Map<V>: Default {
    /// The value at `key`.
    fn get(&self, key: &[u8]) -> Option<&V>;
    /// The value at `key`.
    fn get_mut(&mut self, key: &[u8]) -> Option<&mut V>;
    /// The value at `key`, inserting `V::default()`; `None` when full or the key is too long.
    fn entry(&mut self, key: &[u8]) -> Option<&mut V>
    where
        V: Default;
    /// Takes the value at `key` out.
    fn remove(&mut self, key: &[u8]) -> Option<V>;
    /// How many keys there are.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Values by topic.
pub trait Topics<V>: Map<V> {
    /// Visits the values of every key that is a prefix of `text`, itself included, in any order.
    fn prefixes(&self, text: &[u8], visit: impl FnMut(&V));
    /// Visits all entries, dropping those for which `keep` answers false.
    fn retain(&mut self, keep: impl FnMut(&[u8], &mut V) -> bool);
}

/// A first-in first-out queue.
pub trait Queue<T>: Default {
    /// Appends `value`.
    ///
    /// # Errors
    /// It comes back when the queue is full.
    fn push(&mut self, value: T) -> Result<(), T>;
    /// The oldest value.
    fn front(&self) -> Option<&T>;
    /// Takes the oldest value.
    fn pop(&mut self) -> Option<T>;
    /// How many values there are.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A set of pipes.
pub trait PipeSet: Default + Clone {
    /// Adds `id`.
    fn insert(&mut self, id: PipeId);
    /// Takes `id` out.
    fn remove(&mut self, id: PipeId);
    /// Whether `id` is a member.
    fn contains(&self, id: PipeId) -> bool;
    /// Adds the members of `other`.
    fn merge(&mut self, other: &Self);
    /// Takes all members out.
    fn clear(&mut self);
    /// Whether there is no member.
    fn is_empty(&self) -> bool;
    /// The first member at or after `from`, not wrapping round.
    fn at_or_after(&self, from: PipeId) -> Option<PipeId>;
    /// The first member at or after `from`, wrapping round.
    #[inline]
    fn cyclic(&self, from: PipeId) -> Option<PipeId> {
        self.at_or_after(from).or_else(|| self.at_or_after(PipeId(0)))
    }
}
