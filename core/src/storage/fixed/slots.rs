//! A table of `N` places, one per pipe.

use super::Bits;
use super::slot::Slot;
use crate::storage::{PipeId, Table};

/// A table of `N` places.
#[derive(Clone, Debug)]
pub struct Slots<T, const N: usize>([Slot<T>; N]);

impl<T, const N: usize> Default for Slots<T, N> {
    fn default() -> Self {
        const { assert!(N >= 1 && N <= Bits::CAPACITY, "Fixed storage has 1 to 32 PEERS") };
        Self(Slot::all())
    }
}

impl<T, const N: usize> Table<T> for Slots<T, N> {
    fn vacant(&mut self) -> Option<PipeId> {
        let at = self.0.iter().position(Slot::is_empty)?;
        u32::try_from(at).ok().map(PipeId)
    }
    fn put(&mut self, id: PipeId, value: T) -> Result<(), T> {
        match self.0.get_mut(id.index()) {
            Some(slot) => {
                *slot = Slot::Full(value);
                Ok(())
            }
            None => Err(value),
        }
    }
    #[inline]
    fn put_with(&mut self, id: PipeId, make: impl FnOnce() -> T) -> bool {
        let Some(slot) = self.0.get_mut(id.index()) else { return false };
        *slot = Slot::Empty;
        *slot = Slot::Full(make());
        true
    }
    #[inline]
    fn get(&self, id: PipeId) -> Option<&T> {
        self.0.get(id.index())?.get()
    }
    #[inline]
    fn get_mut(&mut self, id: PipeId) -> Option<&mut T> {
        self.0.get_mut(id.index())?.get_mut()
    }
    fn take(&mut self, id: PipeId) -> Option<T> {
        self.0.get_mut(id.index())?.take()
    }
    fn bound(&self) -> u32 {
        let used = self.0.iter().rposition(|slot| !slot.is_empty()).map_or(0, |last| last.saturating_add(1));
        u32::try_from(used).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::models;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_a_map_of_numbers(steps in models::table_steps(5)) {
            models::table_equals_map::<Slots<u32, 5>>(&steps, Some(5))?;
        }
    }
}
