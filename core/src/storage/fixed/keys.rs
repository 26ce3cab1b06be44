//! Values by topic or routing id, searched linearly.

use super::Bytes;
use super::slot::Slot;
use crate::storage::{Map, Topics};

/// Up to `N` values by keys of up to `K` octets, searched linearly.
#[derive(Clone, Debug)]
pub struct Keys<V, const N: usize, const K: usize>([Slot<(Bytes<K>, V)>; N]);

impl<V, const N: usize, const K: usize> Default for Keys<V, N, K> {
    fn default() -> Self {
        Self(Slot::all())
    }
}

impl<V, const N: usize, const K: usize> Keys<V, N, K> {
    fn position(&self, key: &[u8]) -> Option<usize> {
        self.0.iter().position(|slot| slot.get().is_some_and(|(have, _)| have.as_ref() == key))
    }
}

impl<V, const N: usize, const K: usize> Map<V> for Keys<V, N, K> {
    fn get(&self, key: &[u8]) -> Option<&V> {
        Some(&self.0.get(self.position(key)?)?.get()?.1)
    }
    fn get_mut(&mut self, key: &[u8]) -> Option<&mut V> {
        let at = self.position(key)?;
        Some(&mut self.0.get_mut(at)?.get_mut()?.1)
    }
    fn entry(&mut self, key: &[u8]) -> Option<&mut V>
    where
        V: Default,
    {
        let at = self.position(key).or_else(|| self.0.iter().position(Slot::is_empty))?;
        let slot = self.0.get_mut(at)?;
        if slot.is_empty() {
            *slot = Slot::Full((Bytes::new(key)?, V::default()));
        }
        Some(&mut slot.get_mut()?.1)
    }
    fn remove(&mut self, key: &[u8]) -> Option<V> {
        let at = self.position(key)?;
        Some(self.0.get_mut(at)?.take()?.1)
    }
    fn len(&self) -> usize {
        self.0.iter().filter(|slot| !slot.is_empty()).fold(0, |count, _| count.saturating_add(1))
    }
}

impl<V, const N: usize, const K: usize> Topics<V> for Keys<V, N, K> {
    fn prefixes(&self, text: &[u8], mut visit: impl FnMut(&V)) {
        for (key, value) in self.0.iter().filter_map(Slot::get) {
            if text.starts_with(key) {
                visit(value);
            }
        }
    }
    fn retain(&mut self, mut keep: impl FnMut(&[u8], &mut V) -> bool) {
        for slot in &mut self.0 {
            if slot.get_mut().is_some_and(|(key, value)| !keep(key, value)) {
                *slot = Slot::Empty;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::models;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_a_naive_map(steps in models::topic_steps()) {
            models::topics_equal_naive::<Keys<u32, 6, 4>>(&steps, 6, 4)?;
        }
    }
}
