//! A table that grows, and fills its free places from the lowest.

use crate::storage::{PipeId, Table};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// A growing table. Freed places are used again before it grows, the lowest first, as in a table of fixed size: the
/// order in which pipes take turns is the same on any storage.
#[derive(Clone, Debug)]
pub struct Slots<T> {
    slots: Vec<Option<T>>,
    /// The places of `slots` that are free.
    free: BTreeSet<u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: BTreeSet::new() }
    }
}

impl<T> Slots<T> {
    /// Most places of one table, so that a stray id cannot ask for gigabytes.
    pub const MOST: u32 = 1 << 24;
}

impl<T> Table<T> for Slots<T> {
    fn vacant(&mut self) -> Option<PipeId> {
        let id = self.free.first().copied().unwrap_or(self.bound());
        (id < Self::MOST).then_some(PipeId(id))
    }
    fn put(&mut self, id: PipeId, value: T) -> Result<(), T> {
        if id.0 >= Self::MOST {
            return Err(value);
        }
        while self.slots.len() <= id.index() {
            self.free.insert(self.bound());
            self.slots.push(None);
        }
        self.free.remove(&id.0);
        match self.slots.get_mut(id.index()) {
            Some(slot) => {
                *slot = Some(value);
                Ok(())
            }
            None => Err(value),
        }
    }
    #[inline]
    fn get(&self, id: PipeId) -> Option<&T> {
        self.slots.get(id.index())?.as_ref()
    }
    #[inline]
    fn get_mut(&mut self, id: PipeId) -> Option<&mut T> {
        self.slots.get_mut(id.index())?.as_mut()
    }
    fn take(&mut self, id: PipeId) -> Option<T> {
        let taken = self.slots.get_mut(id.index())?.take()?;
        self.free.insert(id.0);
        Some(taken)
    }
    fn bound(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::models;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_a_map_of_numbers(steps in models::table_steps(40)) {
            models::table_equals_map::<Slots<u32>>(&steps, None)?;
        }
    }

    #[test]
    fn an_id_out_of_reach_is_refused() {
        let mut table = Slots::default();
        assert_eq!(table.put(PipeId(u32::MAX), 'x'), Err('x'));
        assert_eq!(table.put(PipeId(Slots::<char>::MOST), 'x'), Err('x'));
        assert_eq!((table.bound(), table.take(PipeId(u32::MAX))), (0, None));
    }

    #[test]
    fn coming_and_going_takes_no_more_places_than_there_were_at_once() {
        let mut table = Slots::default();
        let mut ids = std::vec::Vec::new();
        for round in 0..1000 {
            while ids.len() < 50 {
                let id = table.vacant().unwrap();
                assert_eq!(table.vacant(), Some(id), "asking takes nothing");
                table.put(id, round).unwrap();
                ids.push(id);
            }
            let leaving = ids.split_off(round % 50);
            leaving.into_iter().for_each(|id| assert!(table.take(id).is_some()));
        }
        assert_eq!(table.bound(), 50);
    }
}
