//! Values by topic in a radix tree.
//!
//! Nodes stand in one vector without gaps and name each other by index, so nothing here recurses, dropping included.
//! A node other than the root has a value or at least two children: at most two nodes per key. Looking up, inserting
//! and walking prefixes take time by the length of the text, whatever the number of keys.

use crate::storage::{Map, Topics};
use alloc::boxed::Box;
use alloc::vec::Vec;

const ROOT: u32 = 0;

#[derive(Clone, Debug)]
struct Node<V> {
    parent: u32,
    /// What this node adds to its parent's text; empty at the root only.
    label: Box<[u8]>,
    /// First octet of the label and place of each child, by octet.
    children: Vec<(u8, u32)>,
    value: Option<V>,
}

impl<V> Node<V> {
    fn position(&self, first: u8) -> Result<usize, usize> {
        self.children.binary_search_by_key(&first, |(octet, _)| *octet)
    }
    #[inline]
    fn child(&self, first: u8) -> Option<u32> {
        self.children.get(self.position(first).ok()?).map(|(_, child)| *child)
    }
    /// Sets, adds or removes the child whose label begins with `first`.
    fn set_child(&mut self, first: u8, child: Option<u32>) {
        match (self.position(first), child) {
            (Ok(at), Some(child)) => {
                if let Some(place) = self.children.get_mut(at) {
                    place.1 = child;
                }
            }
            (Err(at), Some(child)) => self.children.insert(at, (first, child)),
            (Ok(at), None) => {
                self.children.remove(at);
                shrink(&mut self.children);
            }
            (Err(_), None) => {}
        }
    }
}

/// Values by octet string, with prefix walks: the topics of a socket, or its peers' routing ids.
#[derive(Clone, Debug)]
pub struct Trie<V> {
    /// Empty while there are no keys, else beginning with the root.
    nodes: Vec<Node<V>>,
    len: usize,
}

impl<V> Default for Trie<V> {
    fn default() -> Self {
        Self { nodes: Vec::new(), len: 0 }
    }
}

impl<V> Map<V> for Trie<V> {
    fn get(&self, key: &[u8]) -> Option<&V> {
        self.node(self.find(key)?)?.value.as_ref()
    }
    fn get_mut(&mut self, key: &[u8]) -> Option<&mut V> {
        let at = self.find(key)?;
        self.node_mut(at)?.value.as_mut()
    }
    fn entry(&mut self, key: &[u8]) -> Option<&mut V>
    where
        V: Default,
    {
        let at = self.path(key)?;
        let value = &mut self.nodes.get_mut(at as usize)?.value;
        if value.is_none() {
            self.len = self.len.saturating_add(1);
        }
        Some(value.get_or_insert_default())
    }
    fn remove(&mut self, key: &[u8]) -> Option<V> {
        let at = self.find(key)?;
        let value = self.node_mut(at)?.value.take()?;
        self.len = self.len.saturating_sub(1);
        self.prune(at);
        self.tidy();
        Some(value)
    }
    fn len(&self) -> usize {
        self.len
    }
}

impl<V> Topics<V> for Trie<V> {
    #[inline]
    fn prefixes(&self, text: &[u8], mut visit: impl FnMut(&V)) {
        let (mut at, mut rest) = (ROOT, text);
        while let Some(node) = self.node(at) {
            if let Some(value) = &node.value {
                visit(value);
            }
            let Some(child) = rest.first().and_then(|first| node.child(*first)) else { return };
            let Some(tail) = self.node(child).and_then(|child| rest.strip_prefix(&*child.label)) else { return };
            (at, rest) = (child, tail);
        }
    }
    fn retain(&mut self, mut keep: impl FnMut(&[u8], &mut V) -> bool) {
        let before = self.len;
        self.visit(|key, value| {
            if value.as_mut().is_some_and(|value| !keep(key, value)) {
                *value = None;
            }
        });
        self.len = self.nodes.iter().filter(|node| node.value.is_some()).count();
        if self.len < before {
            // From the back: what moves into a gap has been looked at already.
            for at in (0..self.nodes.len()).rev() {
                self.prune(at as u32);
            }
            self.tidy();
        }
    }
}

impl<V> Trie<V> {
    #[inline]
    fn node(&self, at: u32) -> Option<&Node<V>> {
        self.nodes.get(at as usize)
    }
    #[inline]
    fn node_mut(&mut self, at: u32) -> Option<&mut Node<V>> {
        self.nodes.get_mut(at as usize)
    }
    /// The node where `key` ends, with or without a value.
    #[inline]
    fn find(&self, key: &[u8]) -> Option<u32> {
        let (mut at, mut rest) = (ROOT, key);
        while let Some(first) = rest.first() {
            at = self.node(at)?.child(*first)?;
            rest = rest.strip_prefix(&*self.node(at)?.label)?;
        }
        Some(at)
    }
    /// The node where `key` ends, made if need be; `None` when there are too many nodes.
    fn path(&mut self, key: &[u8]) -> Option<u32> {
        // A key adds at most the root, the node that splits a label, and its own.
        u32::try_from(self.nodes.len().checked_add(3)?).ok()?;
        if self.nodes.is_empty() {
            self.push(ROOT, &[]);
        }
        let (mut at, mut rest) = (ROOT, key);
        while let Some(first) = rest.first() {
            let Some(child) = self.node(at)?.child(*first) else { return Some(self.add(at, rest)) };
            let label = &self.node(child)?.label;
            let (common, whole) = (common(label, rest), label.len());
            at = if common == whole { child } else { self.split(child, common)? };
            rest = rest.get(common..)?;
        }
        Some(at)
    }
    fn push(&mut self, parent: u32, label: &[u8]) -> u32 {
        let at = self.nodes.len() as u32;
        self.nodes.push(Node { parent, label: label.into(), children: Vec::new(), value: None });
        at
    }
    fn add(&mut self, parent: u32, label: &[u8]) -> u32 {
        let at = self.push(parent, label);
        self.link(at);
        at
    }
    /// Puts a node between `at` and its parent, taking the first `common` octets of the label.
    fn split(&mut self, at: u32, common: usize) -> Option<u32> {
        let node = self.node(at)?;
        let (head, tail) = node.label.split_at_checked(common)?;
        let (parent, head, tail) = (node.parent, Box::<[u8]>::from(head), Box::<[u8]>::from(tail));
        let between = self.add(parent, &head);
        let node = self.node_mut(at)?;
        (node.parent, node.label) = (between, tail);
        self.link(at);
        Some(between)
    }
    /// Makes the parent of `at` know where it is.
    fn link(&mut self, at: u32) {
        let Some(node) = self.node(at) else { return };
        let (parent, Some(first)) = (node.parent, node.label.first().copied()) else { return };
        if let Some(parent) = self.node_mut(parent) {
            parent.set_child(first, Some(at));
        }
    }
    /// Removes `at` if it has no value and fewer than two children, then its parent if that has become such a node.
    fn prune(&mut self, mut at: u32) {
        while at != ROOT {
            let Some(node) = self.node(at).filter(|node| node.value.is_none()) else { return };
            match node.children.as_slice() {
                [] => at = self.unlink(at),
                [(_, child)] => return self.merge(at, *child),
                _ => return,
            }
        }
    }
    /// Removes a node without children; its parent.
    fn unlink(&mut self, at: u32) -> u32 {
        let Some(node) = self.node(at) else { return ROOT };
        let (parent, first) = (node.parent, node.label.first().copied());
        if let (Some(node), Some(first)) = (self.node_mut(parent), first) {
            node.set_child(first, None);
        }
        let last = self.nodes.len().saturating_sub(1) as u32;
        self.vacate(at);
        if parent == last { at } else { parent }
    }
    /// Removes `at`, whose only child takes over its label and place.
    fn merge(&mut self, at: u32, child: u32) {
        let Some(node) = self.node(at) else { return };
        let parent = node.parent;
        let Some(label) = self.node(child).map(|child| [&*node.label, &*child.label].concat().into_boxed_slice()) else {
            return;
        };
        if let Some(child) = self.node_mut(child) {
            (child.parent, child.label) = (parent, label);
        }
        self.link(child);
        self.vacate(at);
    }
    /// Fills the place `at`, which nobody refers to, with the last node.
    fn vacate(&mut self, at: u32) {
        if (at as usize) < self.nodes.len() {
            self.nodes.swap_remove(at as usize);
        }
        self.link(at);
        let mut next = 0;
        while let Some(&(_, child)) = self.node(at).and_then(|node| node.children.get(next)) {
            if let Some(child) = self.node_mut(child) {
                child.parent = at;
            }
            next = next.saturating_add(1);
        }
    }
    /// Gives back memory that the remaining keys do not need.
    fn tidy(&mut self) {
        if self.len == 0 {
            self.nodes = Vec::new();
        }
        shrink(&mut self.nodes);
    }
    /// Shows every node's text and value, depth first.
    fn visit(&mut self, mut show: impl FnMut(&[u8], &mut Option<V>)) {
        let mut key = Vec::new();
        let mut way = Vec::new();
        let mut next = (!self.nodes.is_empty()).then_some(ROOT);
        while let Some(at) = next {
            if let Some(node) = self.node_mut(at) {
                key.extend_from_slice(&node.label);
                show(&key, &mut node.value);
            }
            way.push((at, 0_usize));
            next = self.onward(&mut way, &mut key);
        }
    }
    /// The next child of the last node on the `way` that has one left, going back as far as need be.
    fn onward(&self, way: &mut Vec<(u32, usize)>, key: &mut Vec<u8>) -> Option<u32> {
        while let Some((at, done)) = way.last_mut() {
            let node = self.node(*at)?;
            if let Some((_, child)) = node.children.get(*done) {
                *done = done.saturating_add(1);
                return Some(*child);
            }
            key.truncate(key.len().saturating_sub(node.label.len()));
            way.pop();
        }
        None
    }
}

/// How many octets two texts begin with alike.
fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Halves a vector's room when less than a quarter is used.
fn shrink<T>(vec: &mut Vec<T>) {
    if vec.len() < vec.capacity() / 4 {
        vec.shrink_to(vec.capacity() / 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::models;
    use proptest::prelude::*;

    /// Every node is known by its parent, children are in order, and none is superfluous.
    fn check<V>(trie: &Trie<V>) {
        for (at, node) in trie.nodes.iter().enumerate() {
            if at == 0 {
                assert!(node.label.is_empty());
            } else {
                let parent = &trie.nodes[node.parent as usize];
                assert_eq!(parent.child(node.label[0]), Some(at as u32));
                assert!(node.value.is_some() || node.children.len() > 1);
            }
            assert!(node.children.is_sorted_by(|a, b| a.0 < b.0));
            assert!(node.children.iter().all(|(_, child)| trie.nodes[*child as usize].parent as usize == at));
        }
        let reached: usize = trie.nodes.iter().map(|node| node.children.len()).sum();
        assert_eq!(reached, trie.nodes.len().saturating_sub(1));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn equals_a_naive_map(steps in models::topic_steps()) {
            models::topics_equal_naive::<Trie<u32>>(&steps, usize::MAX, usize::MAX)?;
        }

        #[test]
        fn stays_in_order_and_without_superfluous_nodes(
            keys in prop::collection::vec((prop::collection::vec(0_u8..3, 0..12), 0..3), 0..60),
            kept in any::<u64>(),
        ) {
            let mut trie = Trie::<u32>::default();
            for (key, action) in &keys {
                match action {
                    0 => {
                        trie.remove(key);
                    }
                    _ => *trie.entry(key).unwrap() += 1,
                }
                check(&trie);
            }
            let mut n = 0;
            trie.retain(|_, _| { n += 1; kept >> (n % 64) & 1 == 1 });
            check(&trie);
        }
    }

    #[test]
    fn a_key_of_a_megabyte_and_its_prefixes_are_no_matter() {
        let key = std::vec![7; 1 << 20];
        let mut trie = Trie::<u32>::default();
        for len in (0..key.len()).step_by(1024) {
            *trie.entry(&key[..len]).unwrap() = 1;
        }
        let mut seen = 0;
        trie.prefixes(&key, |value| seen += value);
        assert_eq!(seen, 1024);
        trie.retain(|key, _| key.len() == 512 << 10);
        assert_eq!((trie.len(), trie.nodes.len()), (1, 2));
    }

    /// The `n`th topic of a feed: heads in common at every depth, no two alike.
    fn topic(n: u32) -> [u8; 20] {
        let mixed = n.wrapping_mul(2_654_435_761);
        let mut topic = *b"market/eu/........//";
        for (at, to) in topic.iter_mut().skip(10).take(8).enumerate() {
            *to = b'a' + (mixed >> (4 * at) & 15) as u8;
        }
        topic
    }

    #[test]
    fn a_million_topics() {
        const KEYS: u32 = 1_000_000;
        let mut trie = Trie::<u32>::default();
        for n in 0..KEYS {
            *trie.entry(&topic(n)).unwrap() += 1;
        }
        *trie.entry(b"market/").unwrap() = 1000;
        assert_eq!(trie.len(), 1_000_001);
        assert!(trie.nodes.len() <= 2 * trie.len(), "at most two nodes per key");
        for n in (0..KEYS).step_by(7) {
            let mut seen = 0;
            trie.prefixes(&[&topic(n)[..], b"and a price"].concat(), |value| seen += value);
            assert_eq!(seen, 1001);
        }
        let mut n = 0;
        trie.retain(|_, _| {
            n += 1;
            n % 2 == 0
        });
        assert_eq!((n, trie.len()), (1_000_001, 500_000));
        trie.remove(b"market/");
        let left = (0..KEYS).filter(|n| trie.remove(&topic(*n)).is_some()).count();
        assert!((499_999..=500_000).contains(&left));
        assert_eq!((trie.len(), trie.nodes.capacity()), (0, 0), "no keys, no memory");
    }
}
