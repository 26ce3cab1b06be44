//! What the images share: the machine, streams in memory, and a place for each node.
//!
//! A panic path that survives optimisation refers to a symbol that nobody defines, so that the image does not link. An
//! allocator cannot be linked either: the standard library is built without `alloc`.
#![no_std]

mod machine;
#[cfg(feature = "plant-alloc")]
mod plant;

pub use machine::{exit, print};
#[cfg(feature = "plant-alloc")]
pub use plant::plant;

use core::cell::Cell;
use core::mem::MaybeUninit;
use omnimq_core::{Fixed, Instant, Node, Pattern, PipeId, Side, Sink};

/// Four peers, eight messages of 64 octets each way, eight topics of up to 32 octets.
pub type Small = Fixed<4, 8, 64>;

/// One direction of a byte stream in memory.
pub struct Wire {
    bytes: [u8; 256],
    len: usize,
}

impl Wire {
    /// A stream without bytes.
    pub const fn new() -> Self {
        Self { bytes: [0; 256], len: 0 }
    }
    /// Hands what is in the stream to `node`; whether any of it was used.
    fn deliver<P: Pattern>(&mut self, node: &mut Node<P, Small>, id: PipeId) -> bool {
        let used = node.handle_input(id, self.bytes.get(..self.len).unwrap_or_default(), Instant::ZERO);
        let used = used.min(self.len);
        for at in used..self.len {
            let byte = self.bytes.get(at).copied().unwrap_or_default();
            if let Some(to) = self.bytes.get_mut(at.wrapping_sub(used)) {
                *to = byte;
            }
        }
        self.len = self.len.wrapping_sub(used);
        used > 0
    }
}

impl Default for Wire {
    fn default() -> Self {
        Self::new()
    }
}

impl<B> Sink<B> for Wire {
    fn put(&mut self, bytes: &[u8]) -> usize {
        let room = self.bytes.get_mut(self.len..).unwrap_or_default();
        let n = room.len().min(bytes.len());
        room.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        self.len = self.len.wrapping_add(n).min(256);
        n
    }
}

/// Two nodes and the streams between them.
pub struct Pair<'a, P: Pattern, Q: Pattern> {
    /// The node that connects.
    pub near: &'a mut Node<P, Small>,
    /// The node that binds.
    pub far: &'a mut Node<Q, Small>,
    ids: (PipeId, PipeId),
    there: Wire,
    back: Wire,
}

impl<'a, P: Pattern, Q: Pattern> Pair<'a, P, Q> {
    /// Connects `near` to `far`; `None` when one of them has no place left.
    pub fn new(near: &'a mut Node<P, Small>, far: &'a mut Node<Q, Small>) -> Option<Self> {
        let ids = (near.attach(Side::Connect, Instant::ZERO)?, far.attach(Side::Bind, Instant::ZERO)?);
        Some(Self { near, far, ids, there: Wire::new(), back: Wire::new() })
    }
    /// Carries bytes both ways until neither node has more to say.
    pub fn settle(&mut self) {
        let mut moved = true;
        while moved {
            self.near.poll_transmit(self.ids.0, &mut self.there);
            self.far.poll_transmit(self.ids.1, &mut self.back);
            let there = self.there.deliver(self.far, self.ids.1);
            let back = self.back.deliver(self.near, self.ids.0);
            moved = there || back;
        }
    }
}

/// Room for one value, zero at the start, given out once.
pub struct Place<T> {
    taken: Cell<bool>,
    value: core::cell::UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: the images have one thread and no interrupt handlers.
unsafe impl<T> Sync for Place<T> {}

impl<T> Place<T> {
    /// An empty place.
    pub const fn new() -> Self {
        Self { taken: Cell::new(false), value: core::cell::UnsafeCell::new(MaybeUninit::uninit()) }
    }
    /// Puts `value` here for good; `None` the second time.
    #[expect(clippy::mut_from_ref, reason = "it is given out once")]
    pub fn put(&'static self, value: T) -> Option<&'static mut T> {
        if self.taken.replace(true) {
            return None;
        }
        // SAFETY: `taken` lets one caller through, so this is the only reference.
        Some(unsafe { &mut *self.value.get() }.write(value))
    }
}

impl<T> Default for Place<T> {
    fn default() -> Self {
        Self::new()
    }
}
