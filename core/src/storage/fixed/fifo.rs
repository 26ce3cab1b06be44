//! A queue of up to `N` values.

use super::slot::Slot;
use crate::storage::Queue;

/// A first-in first-out queue of up to `N` values, at most 32,767.
#[derive(Clone, Debug)]
pub struct Fifo<T, const N: usize> {
    places: [Slot<T>; N],
    /// The place of the oldest value.
    head: u16,
    len: u16,
}

impl<T, const N: usize> Fifo<T, N> {
    const PLACES: u16 = {
        assert!(N <= 32_767, "Fixed storage keeps at most 32,767 values in one queue");
        N as u16
    };

    /// The place `after` values behind the oldest one.
    fn place(&mut self, after: u16) -> Option<&mut Slot<T>> {
        let at = self.head.wrapping_add(after).checked_rem(Self::PLACES)?;
        self.places.get_mut(usize::from(at))
    }
}

impl<T, const N: usize> Default for Fifo<T, N> {
    fn default() -> Self {
        Self { places: Slot::all(), head: 0, len: 0 }
    }
}

impl<T, const N: usize> Queue<T> for Fifo<T, N> {
    fn push(&mut self, value: T) -> Result<(), T> {
        let len = self.len;
        match self.place(len) {
            Some(place) if len < Self::PLACES => {
                *place = Slot::Full(value);
                self.len = len.saturating_add(1);
                Ok(())
            }
            _ => Err(value),
        }
    }
    fn front(&self) -> Option<&T> {
        self.places.get(usize::from(self.head))?.get()
    }
    fn pop(&mut self) -> Option<T> {
        let value = self.place(0)?.take()?;
        self.head = self.head.wrapping_add(1).checked_rem(Self::PLACES).unwrap_or_default();
        self.len = self.len.saturating_sub(1);
        Some(value)
    }
    fn len(&self) -> usize {
        usize::from(self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::models;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_a_deque(steps in models::queue_steps()) {
            models::queue_equals_deque::<Fifo<u32, 5>>(&steps, Some(5))?;
            models::queue_equals_deque::<Fifo<u32, 1>>(&steps, Some(1))?;
            models::queue_equals_deque::<Fifo<u32, 0>>(&steps, Some(0))?;
        }
    }
}
