//! A set of up to 32 pipes, one bit each.

use crate::storage::{PipeId, PipeSet};

/// Up to 32 pipes, one bit each. Ids beyond are no members, whatever is tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bits(u32);

impl Bits {
    /// How many pipes there may be.
    pub const CAPACITY: usize = 32;

    const fn bit(id: PipeId) -> u32 {
        match 1_u32.checked_shl(id.0) {
            Some(bit) => bit,
            None => 0,
        }
    }
}

impl PipeSet for Bits {
    #[inline]
    fn insert(&mut self, id: PipeId) {
        self.0 |= Self::bit(id);
    }
    #[inline]
    fn remove(&mut self, id: PipeId) {
        self.0 &= !Self::bit(id);
    }
    #[inline]
    fn contains(&self, id: PipeId) -> bool {
        self.0 & Self::bit(id) != 0
    }
    fn merge(&mut self, other: &Self) {
        self.0 |= other.0;
    }
    fn clear(&mut self) {
        self.0 = 0;
    }
    fn is_empty(&self) -> bool {
        self.0 == 0
    }
    #[inline]
    fn at_or_after(&self, from: PipeId) -> Option<PipeId> {
        let rest = self.0 & u32::MAX.checked_shl(from.0)?;
        (rest != 0).then(|| PipeId(rest.trailing_zeros()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::models;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_a_set_of_numbers(steps in models::set_steps(32)) {
            models::set_equals_btree::<Bits>(&steps)?;
        }
    }

    #[test]
    fn ids_beyond_the_capacity_are_no_members() {
        let mut bits = Bits::default();
        for id in [32, 33, 64, u32::MAX] {
            bits.insert(PipeId(id));
            assert!(!bits.contains(PipeId(id)) && bits.is_empty());
            assert_eq!(bits.at_or_after(PipeId(id)), None);
        }
    }
}
