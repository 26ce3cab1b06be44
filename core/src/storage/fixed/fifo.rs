//! A queue of up to `N` values.

use crate::storage::Queue;
use heapless::Deque;

/// A first-in first-out queue of up to `N` values.
#[derive(Clone, Debug)]
pub struct Fifo<T, const N: usize>(Deque<T, N>);

impl<T, const N: usize> Default for Fifo<T, N> {
    fn default() -> Self {
        Self(Deque::new())
    }
}

impl<T, const N: usize> Queue<T> for Fifo<T, N> {
    fn push(&mut self, value: T) -> Result<(), T> {
        self.0.push_back(value)
    }
    fn front(&self) -> Option<&T> {
        self.0.front()
    }
    fn pop(&mut self) -> Option<T> {
        self.0.pop_front()
    }
    fn len(&self) -> usize {
        self.0.len()
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
        }
    }
}
