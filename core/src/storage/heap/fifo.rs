//! A queue that grows.

use crate::storage::Queue;
use alloc::collections::VecDeque;

/// A first-in first-out queue that takes whatever its caller lets in.
#[derive(Clone, Debug)]
pub struct Fifo<T>(VecDeque<T>);

impl<T> Default for Fifo<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Queue<T> for Fifo<T> {
    fn push(&mut self, value: T) -> Result<(), T> {
        self.0.push_back(value);
        Ok(())
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
            models::queue_equals_deque::<Fifo<u32>>(&steps, None)?;
        }
    }
}
