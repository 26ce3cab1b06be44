//! A table that grows, with its free places chained.

use crate::storage::{PipeId, Table};
use alloc::vec::Vec;
use core::mem;

/// Marks the end of the chain.
const END: u32 = u32::MAX;

#[derive(Clone, Debug)]
enum Slot<T> {
    Taken(T),
    /// Doubly chained, because `put` may take any free place.
    Free {
        before: u32,
        after: u32,
    },
}

/// A table that grows, with its free places chained: every operation is O(1), except that `put` makes the places
/// before its own. The place freed last is taken first.
#[derive(Clone, Debug)]
pub struct Slots<T> {
    slots: Vec<Slot<T>>,
    /// The first free place.
    free: u32,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: END }
    }
}

impl<T> Slots<T> {
    /// Most places of one table, so that a stray id cannot ask for gigabytes.
    pub const MOST: u32 = 1 << 24;

    fn chain(&mut self, id: u32) {
        let slot = Slot::Free { before: END, after: self.free };
        if let Some(Slot::Free { before, .. }) = self.slots.get_mut(self.free as usize) {
            *before = id;
        }
        if let Some(place) = self.slots.get_mut(id as usize) {
            *place = slot;
            self.free = id;
        }
    }
    fn unchain(&mut self, id: u32) {
        let Some(&Slot::Free { before, after }) = self.slots.get(id as usize) else { return };
        match self.slots.get_mut(before as usize) {
            Some(Slot::Free { after: next, .. }) => *next = after,
            _ => self.free = after,
        }
        if let Some(Slot::Free { before: previous, .. }) = self.slots.get_mut(after as usize) {
            *previous = before;
        }
    }
}

impl<T> Table<T> for Slots<T> {
    fn vacant(&mut self) -> Option<PipeId> {
        let id = if self.free == END { u32::try_from(self.slots.len()).ok()? } else { self.free };
        (id < Self::MOST).then_some(PipeId(id))
    }
    fn put(&mut self, id: PipeId, value: T) -> Result<(), T> {
        if id.0 >= Self::MOST {
            return Err(value);
        }
        while self.slots.len() <= id.index() {
            let new = self.bound();
            self.slots.push(Slot::Free { before: END, after: END });
            self.chain(new);
        }
        self.unchain(id.0);
        match self.slots.get_mut(id.index()) {
            Some(slot) => {
                *slot = Slot::Taken(value);
                Ok(())
            }
            None => Err(value),
        }
    }
    #[inline]
    fn get(&self, id: PipeId) -> Option<&T> {
        match self.slots.get(id.index())? {
            Slot::Taken(value) => Some(value),
            Slot::Free { .. } => None,
        }
    }
    #[inline]
    fn get_mut(&mut self, id: PipeId) -> Option<&mut T> {
        match self.slots.get_mut(id.index())? {
            Slot::Taken(value) => Some(value),
            Slot::Free { .. } => None,
        }
    }
    fn take(&mut self, id: PipeId) -> Option<T> {
        let slot = self.slots.get_mut(id.index()).filter(|slot| matches!(slot, Slot::Taken(_)))?;
        let taken = mem::replace(slot, Slot::Free { before: END, after: END });
        self.chain(id.0);
        match taken {
            Slot::Taken(value) => Some(value),
            Slot::Free { .. } => None,
        }
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
