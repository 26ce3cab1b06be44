//! A set of any number of pipes, one bit each.

use crate::storage::{PipeId, PipeSet};
use alloc::vec::Vec;

/// A set of any number of pipes, one bit each; the first 64 take no allocation.
#[derive(Clone, Debug, Default)]
pub struct Words {
    first: u64,
    rest: Vec<u64>,
}

impl Words {
    /// The word of `id` and its bit there.
    #[inline]
    const fn place(id: PipeId) -> (usize, u64) {
        (id.index() / 64, 1 << (id.0 % 64))
    }
    #[inline]
    fn word(&self, at: usize) -> Option<u64> {
        match at.checked_sub(1) {
            None => Some(self.first),
            Some(at) => self.rest.get(at).copied(),
        }
    }
    #[inline]
    fn word_mut(&mut self, at: usize) -> Option<&mut u64> {
        match at.checked_sub(1) {
            None => Some(&mut self.first),
            Some(at) => self.rest.get_mut(at),
        }
    }
}

impl PipeSet for Words {
    #[inline]
    fn insert(&mut self, id: PipeId) {
        let (word, bit) = Self::place(id);
        if self.rest.len() < word {
            self.rest.resize(word, 0);
        }
        if let Some(bits) = self.word_mut(word) {
            *bits |= bit;
        }
    }
    #[inline]
    fn remove(&mut self, id: PipeId) {
        let (word, bit) = Self::place(id);
        if let Some(bits) = self.word_mut(word) {
            *bits &= !bit;
        }
    }
    #[inline]
    fn contains(&self, id: PipeId) -> bool {
        let (word, bit) = Self::place(id);
        self.word(word).is_some_and(|bits| bits & bit != 0)
    }
    fn merge(&mut self, other: &Self) {
        self.first |= other.first;
        if self.rest.len() < other.rest.len() {
            self.rest.resize(other.rest.len(), 0);
        }
        for (to, from) in self.rest.iter_mut().zip(&other.rest) {
            *to |= from;
        }
    }
    fn clear(&mut self) {
        self.first = 0;
        // To zero nothing, at the address that stands for no allocation, takes some processors 100 ns.
        if !self.rest.is_empty() {
            self.rest.fill(0);
        }
    }
    fn is_empty(&self) -> bool {
        self.first == 0 && self.rest.iter().all(|bits| *bits == 0)
    }
    #[inline]
    fn cyclic(&self, from: PipeId) -> Option<PipeId> {
        if !self.rest.is_empty() {
            return self.at_or_after(from).or_else(|| self.at_or_after(PipeId(0)));
        }
        // One word, the most frequent case: no loop.
        let after = self.first & u64::MAX.checked_shl(from.0).unwrap_or(0);
        let bits = if after != 0 { after } else { self.first };
        (bits != 0).then(|| PipeId(bits.trailing_zeros()))
    }
    #[inline]
    fn at_or_after(&self, from: PipeId) -> Option<PipeId> {
        let mut word = from.index() / 64;
        let mut bits = self.word(word)? & (u64::MAX << (from.0 % 64));
        while bits == 0 {
            word = word.saturating_add(1);
            bits = self.word(word)?;
        }
        let base = u32::try_from(word).ok()?.checked_mul(64)?;
        base.checked_add(bits.trailing_zeros()).map(PipeId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::models;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_a_set_of_numbers(steps in models::set_steps(300)) {
            models::set_equals_btree::<Words>(&steps)?;
        }
    }

    #[test]
    fn the_first_64_pipes_take_no_allocation() {
        let mut set = Words::default();
        (0..64).for_each(|id| set.insert(PipeId(id)));
        assert_eq!(set.rest.capacity(), 0);
    }
}
