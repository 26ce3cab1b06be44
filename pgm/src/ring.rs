//! A window: values by sequence number, for numbers without a hole between the first and the end.

use crate::sqn::Sqn;
use crate::storage::Cells;
use core::marker::PhantomData;

/// What a number in a window takes beside the octets of its packet: place and allocation.
pub(crate) const SLOT_OCTETS: usize = 96;

/// What a packet of `len` octets takes in a window.
pub(crate) const fn cost(len: usize) -> usize {
    len.saturating_add(SLOT_OCTETS)
}

/// Places of a window that has places at all.
const FEWEST: u32 = 16;

/// Values of the numbers from `first` on. The places are a power of two, so that the wrap at 2^32 needs no care.
#[derive(Debug)]
pub(crate) struct Ring<T, C> {
    cells: C,
    first: Sqn,
    len: u32,
    /// How many of the cells are in use for the window: a power of two.
    places: u32,
    most: u32,
    values: PhantomData<T>,
}

impl<T, C: Cells<T>> Ring<T, C> {
    /// An empty window that begins at `first`, for up to `most` values, or as many as the storage has places for.
    pub(crate) fn new(first: Sqn, most: u32) -> Self {
        const { assert!(C::MOST.is_power_of_two(), "the places of a window are a power of two") };
        let most = most.clamp(1, C::MOST);
        Self { cells: C::default(), first, len: 0, places: 0, most, values: PhantomData }
    }
    pub(crate) const fn first(&self) -> Sqn {
        self.first
    }
    /// The number after the last one.
    pub(crate) const fn end(&self) -> Sqn {
        self.first.plus(self.len)
    }
    /// How many values there are.
    pub(crate) const fn len(&self) -> u32 {
        self.len
    }
    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }
    pub(crate) const fn is_full(&self) -> bool {
        self.len >= self.most
    }
    /// Most values it can hold.
    pub(crate) const fn most(&self) -> u32 {
        self.most
    }
    fn place(&self, sqn: Sqn) -> Option<u32> {
        (sqn.since(self.first) < self.len).then_some(sqn.0 & self.places.wrapping_sub(1))
    }
    #[inline]
    pub(crate) fn get(&self, sqn: Sqn) -> Option<&T> {
        self.cells.get(self.place(sqn)?)
    }
    #[inline]
    pub(crate) fn get_mut(&mut self, sqn: Sqn) -> Option<&mut T> {
        let place = self.place(sqn)?;
        self.cells.get_mut(place)
    }
    #[inline]
    pub(crate) fn front(&self) -> Option<&T> {
        self.get(self.first)
    }
    /// Appends the value of the next number.
    ///
    /// # Errors
    /// It comes back when the window is full.
    pub(crate) fn push(&mut self, value: T) -> Result<(), T> {
        if self.is_full() || (self.len >= self.places && !self.grow()) {
            return Err(value);
        }
        let place = self.end().0 & self.places.wrapping_sub(1);
        self.cells.put(place, value)?;
        self.len = self.len.saturating_add(1);
        Ok(())
    }
    /// Takes the value of the first number out; the window begins after it.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let place = self.place(self.first)?;
        let value = self.cells.take(place);
        self.first = self.first.next();
        self.len = self.len.saturating_sub(1);
        value
    }
    /// Begins anew at `first`; only an empty window can.
    pub(crate) fn restart(&mut self, first: Sqn) {
        if self.is_empty() {
            self.first = first;
        }
    }
    /// Doubles the places. What stood at place p belongs to p or to p + the old number of places.
    fn grow(&mut self) -> bool {
        let (old, new) = (self.places, self.places.saturating_mul(2).max(FEWEST).min(C::MOST));
        if new <= old || !self.cells.grow(new) {
            return false;
        }
        self.places = new;
        for n in 0..self.len {
            let sqn = self.first.plus(n);
            let (from, to) = (sqn.0 & old.wrapping_sub(1), sqn.0 & new.wrapping_sub(1));
            if from != to
                && let Some(value) = self.cells.take(from)
            {
                let _ = self.cells.put(to, value);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Array;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    fn equals_a_deque<C: Cells<u32>>(start: u32, most: u32, steps: &[bool]) {
        let mut ring = Ring::<u32, C>::new(Sqn(start), most);
        let (mut model, mut first) = (VecDeque::new(), start);
        let room = most.clamp(1, C::MOST);
        for &push in steps {
            if push {
                let value = first.wrapping_add(model.len() as u32);
                let full = model.len() as u32 >= room;
                assert_eq!(ring.push(value).is_err(), full);
                if !full {
                    model.push_back(value);
                }
            } else {
                assert_eq!(ring.pop(), model.pop_front());
                first = ring.first().0;
            }
            assert_eq!((ring.first(), ring.end().since(ring.first()) as usize), (Sqn(first), model.len()));
            for n in 0..model.len() as u32 {
                assert_eq!(ring.get(Sqn(first).plus(n)), Some(&model[n as usize]));
            }
            assert_eq!((ring.get(ring.end()), ring.get(ring.first().previous())), (None, None));
        }
    }

    proptest! {
        #[test]
        fn equals_a_deque_across_the_wrap(
            before in 0_u32..100,
            most in 0_u32..80,
            steps in prop::collection::vec(prop::bool::weighted(0.6), 0..300),
        ) {
            equals_a_deque::<Array<u32, 32>>(0_u32.wrapping_sub(before), most, &steps);
            #[cfg(feature = "alloc")]
            equals_a_deque::<crate::storage::Places<u32>>(0_u32.wrapping_sub(before), most, &steps);
        }
    }
}
