//! Values by topic or routing id, searched linearly.

use super::Bytes;
use crate::storage::{Map, Topics};

/// Up to `N` values by keys of up to `K` octets, searched linearly.
#[derive(Clone, Debug)]
pub struct Keys<V, const N: usize, const K: usize>([Option<(Bytes<K>, V)>; N]);

impl<V, const N: usize, const K: usize> Default for Keys<V, N, K> {
    fn default() -> Self {
        Self([const { None }; N])
    }
}

impl<V, const N: usize, const K: usize> Keys<V, N, K> {
    fn slot(&mut self, key: &[u8]) -> Option<&mut Option<(Bytes<K>, V)>> {
        self.0.iter_mut().find(|slot| matches!(slot, Some((have, _)) if have.as_ref() == key))
    }
}

impl<V, const N: usize, const K: usize> Map<V> for Keys<V, N, K> {
    fn get(&self, key: &[u8]) -> Option<&V> {
        self.0.iter().flatten().find(|(have, _)| have.as_ref() == key).map(|(_, value)| value)
    }
    fn get_mut(&mut self, key: &[u8]) -> Option<&mut V> {
        self.0.iter_mut().flatten().find(|(have, _)| have.as_ref() == key).map(|(_, value)| value)
    }
    fn entry(&mut self, key: &[u8]) -> Option<&mut V>
    where
        V: Default,
    {
        if self.get(key).is_some() {
            return self.get_mut(key);
        }
        let slot = self.0.iter_mut().find(|slot| slot.is_none())?;
        Some(&mut slot.insert((Bytes::new(key)?, V::default())).1)
    }
    fn remove(&mut self, key: &[u8]) -> Option<V> {
        self.slot(key)?.take().map(|(_, value)| value)
    }
    fn len(&self) -> usize {
        self.0.iter().flatten().fold(0, |count, _| count.saturating_add(1))
    }
}

impl<V, const N: usize, const K: usize> Topics<V> for Keys<V, N, K> {
    fn prefixes(&self, text: &[u8], mut visit: impl FnMut(&V)) {
        for (key, value) in self.0.iter().flatten() {
            if text.starts_with(key) {
                visit(value);
            }
        }
    }
    fn retain(&mut self, mut keep: impl FnMut(&[u8], &mut V) -> bool) {
        for slot in &mut self.0 {
            if slot.as_mut().is_some_and(|(key, value)| !keep(key, value)) {
                *slot = None;
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
