//! A large body being received into its final allocation.

use super::Blob;
use crate::body::Draft;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// A body of known length that grows with what has arrived, never with what was announced.
///
/// It begins with at most 64 KiB and doubles when full, so it keeps at most 64 KiB + 2 × the octets filled. Growing
/// reallocates: no second buffer stays.
#[derive(Clone, Debug)]
pub struct Filling {
    bytes: Vec<u8>,
    filled: usize,
    len: usize,
}

impl Filling {
    /// Room made before anything has arrived.
    const FIRST: usize = 64 << 10;

    /// Octets of memory kept for the body.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
    fn grow(&mut self) {
        let room = self.filled.saturating_mul(2).min(self.len);
        self.bytes.reserve_exact(room.saturating_sub(self.filled));
        self.bytes.resize(room, 0);
    }
}

impl Draft for Filling {
    type Body = Blob;
    fn with_len(len: usize) -> Option<Self> {
        Some(Self { bytes: alloc::vec![0; len.min(Self::FIRST)], filled: 0, len })
    }
    fn missing(&self) -> usize {
        self.len.saturating_sub(self.filled)
    }
    fn space(&mut self) -> &mut [u8] {
        if self.filled == self.bytes.len() && self.filled < self.len {
            self.grow();
        }
        self.bytes.get_mut(self.filled..).unwrap_or_default()
    }
    fn advance(&mut self, n: usize) {
        self.filled = self.filled.saturating_add(n).min(self.bytes.len());
    }
    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }
    fn bytes_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.filled).unwrap_or_default()
    }
    fn freeze(self, skip: usize) -> Blob {
        let body = self.bytes().get(skip..).unwrap_or_default();
        let len = body.len();
        Blob::inline(body).unwrap_or_else(|| Blob::counted(Arc::new(self.bytes), skip, len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fill(draft: &mut Filling, mut n: usize, byte: u8) {
        while n > 0 && draft.missing() > 0 {
            let space = draft.space();
            assert!(!space.is_empty(), "space is empty only when nothing is missing");
            let taken = n.min(space.len());
            space[..taken].fill(byte);
            draft.advance(taken);
            n -= taken;
        }
    }

    proptest! {
        #[test]
        fn memory_follows_what_arrived_not_what_was_declared(
            declared in prop_oneof![0_usize..200_000, 0..usize::MAX >> 24, Just(usize::MAX / 4), Just(usize::MAX)],
            pieces in prop::collection::vec(prop_oneof![0_usize..50, 0_usize..300_000], 0..12),
        ) {
            let mut draft = Filling::with_len(declared).unwrap();
            let mut arrived = 0;
            for piece in pieces {
                fill(&mut draft, piece, 1);
                arrived = declared.min(arrived + piece);
                draft.space();
                prop_assert_eq!(draft.bytes().len(), arrived);
                prop_assert_eq!(draft.missing(), declared - arrived);
                prop_assert!(draft.capacity() <= (1 << 20) + 2 * arrived, "{} for {arrived}", draft.capacity());
            }
        }
    }

    #[test]
    fn a_hundred_declarations_of_an_exabyte_cost_nothing_much() {
        let drafts: std::vec::Vec<_> = (0..100).map(|_| Filling::with_len(usize::MAX / 4).unwrap()).collect();
        assert!(drafts.iter().all(|draft| draft.capacity() <= 1 << 16));
    }

    #[test]
    fn the_body_is_the_buffer_that_was_filled() {
        let mut draft = Filling::with_len(1 << 20).unwrap();
        fill(&mut draft, 1 << 20, 7);
        let address = draft.bytes().as_ptr();
        let body = draft.freeze(33);
        assert_eq!((body.as_ptr(), body.len()), (address.wrapping_add(33), (1 << 20) - 33));
        assert!(body.iter().all(|byte| *byte == 7));
    }

    #[test]
    fn skipping_more_than_there_is_leaves_nothing() {
        let mut draft = Filling::with_len(100).unwrap();
        fill(&mut draft, 40, 7);
        assert_eq!(draft.clone().freeze(usize::MAX).len(), 0);
        assert_eq!(draft.freeze(0).len(), 40);
    }
}
