//! What storage is measured against: the obvious, slow way of doing the same.

use super::{PipeId, PipeSet, Queue, Table, Topics};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::vec::Vec;

type Outcome = Result<(), TestCaseError>;

#[derive(Clone, Debug)]
pub(super) enum SetStep {
    Insert(u32),
    Remove(u32),
    Merge(Vec<u32>),
    Clear,
}

pub(super) fn set_steps(bound: u32) -> impl Strategy<Value = Vec<SetStep>> {
    let step = prop_oneof![
        8 => (0..bound).prop_map(SetStep::Insert),
        8 => (0..bound).prop_map(SetStep::Remove),
        1 => prop::collection::vec(0..bound, 0..9).prop_map(SetStep::Merge),
        1 => Just(SetStep::Clear),
    ];
    prop::collection::vec(step, 0..80)
}

pub(super) fn set_equals_btree<S: PipeSet>(steps: &[SetStep]) -> Outcome {
    let (mut set, mut model) = (S::default(), BTreeSet::new());
    for step in steps {
        match step {
            SetStep::Insert(id) => {
                set.insert(PipeId(*id));
                model.insert(*id);
            }
            SetStep::Remove(id) => {
                set.remove(PipeId(*id));
                model.remove(id);
            }
            SetStep::Merge(ids) => {
                let mut other = S::default();
                ids.iter().for_each(|id| other.insert(PipeId(*id)));
                set.merge(&other);
                model.extend(ids);
            }
            SetStep::Clear => {
                set.clear();
                model.clear();
            }
        }
        prop_assert_eq!(set.is_empty(), model.is_empty());
        let clone = set.clone();
        for id in (0..340).chain([u32::MAX - 1, u32::MAX]) {
            prop_assert_eq!(set.contains(PipeId(id)), model.contains(&id));
            let after = model.range(id..).next().copied();
            prop_assert_eq!(clone.at_or_after(PipeId(id)), after.map(PipeId));
            let cyclic = after.or(model.first().copied());
            prop_assert_eq!(set.cyclic(PipeId(id)), cyclic.map(PipeId));
        }
    }
    Ok(())
}

#[derive(Clone, Debug)]
pub(super) enum TableStep {
    Attach(u32),
    PutAt(u32, u32),
    Take(u32),
    Change(u32, u32),
}

pub(super) fn table_steps(bound: u32) -> impl Strategy<Value = Vec<TableStep>> {
    let step = prop_oneof![
        any::<u32>().prop_map(TableStep::Attach),
        (0..bound, any::<u32>()).prop_map(|(id, value)| TableStep::PutAt(id, value)),
        (0..bound).prop_map(TableStep::Take),
        (0..bound, any::<u32>()).prop_map(|(id, value)| TableStep::Change(id, value)),
    ];
    prop::collection::vec(step, 0..120)
}

pub(super) fn table_equals_map<T: Table<u32>>(steps: &[TableStep], capacity: Option<usize>) -> Outcome {
    let (mut table, mut model) = (T::default(), BTreeMap::new());
    for step in steps {
        match step {
            TableStep::Attach(value) => match table.vacant() {
                Some(id) => {
                    let lowest = (0..).find(|id| !model.contains_key(id));
                    prop_assert_eq!(Some(id.0), lowest, "the lowest vacant place");
                    model.insert(id.0, *value);
                    prop_assert_eq!(table.put(id, *value), Ok(()));
                }
                None => prop_assert_eq!(Some(model.len()), capacity),
            },
            TableStep::PutAt(id, value) => {
                prop_assert_eq!(table.put(PipeId(*id), *value), Ok(()));
                model.insert(*id, *value);
            }
            TableStep::Take(id) => prop_assert_eq!(table.take(PipeId(*id)), model.remove(id)),
            TableStep::Change(id, value) => {
                prop_assert_eq!(table.get_mut(PipeId(*id)).copied(), model.get(id).copied());
                if let (Some(to), Some(model)) = (table.get_mut(PipeId(*id)), model.get_mut(id)) {
                    (*to, *model) = (*value, *value);
                }
            }
        }
        prop_assert!(model.keys().all(|id| *id < table.bound()));
        for id in 0..160 {
            prop_assert_eq!(table.get(PipeId(id)), model.get(&id));
        }
    }
    Ok(())
}

#[derive(Clone, Debug)]
pub(super) enum TopicStep {
    Add(Vec<u8>),
    Remove(Vec<u8>),
    Walk(Vec<u8>),
    RetainModulo(u32),
}

/// Short keys over three octets: nested prefixes, repetition and the empty topic are common.
pub(super) fn topic_steps() -> impl Strategy<Value = Vec<TopicStep>> {
    let octet = || prop_oneof![Just(0_u8), Just(b'a'), Just(0xff)];
    let key = move || prop::collection::vec(octet(), 0..7);
    let step = prop_oneof![
        8 => key().prop_map(TopicStep::Add),
        4 => key().prop_map(TopicStep::Remove),
        4 => prop::collection::vec(octet(), 0..12).prop_map(TopicStep::Walk),
        1 => (1_u32..4).prop_map(TopicStep::RetainModulo),
    ];
    prop::collection::vec(step, 0..100)
}

/// A map of at most `most` keys of at most `longest` octets, against one that looks at every key.
pub(super) fn topics_equal_naive<T: Topics<u32>>(steps: &[TopicStep], most: usize, longest: usize) -> Outcome {
    let (mut topics, mut model) = (T::default(), BTreeMap::<Vec<u8>, u32>::new());
    for step in steps {
        match step {
            TopicStep::Add(key) => {
                let fits = key.len() <= longest && (model.contains_key(key) || model.len() < most);
                let counted = topics.entry(key).map(|count| {
                    *count += 1;
                    *count
                });
                let expected = fits.then(|| {
                    let count = model.entry(key.clone()).or_default();
                    *count += 1;
                    *count
                });
                prop_assert_eq!(counted, expected);
            }
            TopicStep::Remove(key) => prop_assert_eq!(topics.remove(key), model.remove(key)),
            TopicStep::Walk(text) => {
                let mut seen = Vec::new();
                topics.prefixes(text, |count| seen.push(*count));
                let mut expected: Vec<_> =
                    model.iter().filter(|(key, _)| text.starts_with(key)).map(|(_, count)| *count).collect();
                seen.sort_unstable();
                expected.sort_unstable();
                prop_assert_eq!(seen, expected);
            }
            TopicStep::RetainModulo(n) => {
                let mut shown = BTreeSet::new();
                topics.retain(|key, count| {
                    shown.insert(key.to_vec());
                    *count += 1;
                    *count % n != 0
                });
                prop_assert!(shown.iter().eq(model.keys()), "each key is shown once");
                model.retain(|_, count| {
                    *count += 1;
                    *count % n != 0
                });
            }
        }
        prop_assert_eq!((topics.len(), topics.is_empty()), (model.len(), model.is_empty()));
        for (key, count) in &mut model {
            prop_assert_eq!(topics.get(key), Some(&*count));
            prop_assert_eq!(topics.get_mut(key), Some(count));
        }
        if let TopicStep::Walk(text) = step {
            prop_assert_eq!(topics.get(text), model.get(text));
            prop_assert_eq!(topics.get_mut(text), model.get_mut(text));
        }
    }
    Ok(())
}

/// `Some` pushes, `None` pops.
pub(super) fn queue_steps() -> impl Strategy<Value = Vec<Option<u32>>> {
    prop::collection::vec(any::<Option<u32>>(), 0..60)
}

pub(super) fn queue_equals_deque<Q: Queue<u32>>(steps: &[Option<u32>], capacity: Option<usize>) -> Outcome {
    let (mut queue, mut model) = (Q::default(), VecDeque::new());
    for step in steps {
        match step {
            Some(value) if capacity == Some(model.len()) => prop_assert_eq!(queue.push(*value), Err(*value)),
            Some(value) => {
                prop_assert_eq!(queue.push(*value), Ok(()));
                model.push_back(*value);
            }
            None => prop_assert_eq!(queue.pop(), model.pop_front()),
        }
        prop_assert_eq!((queue.len(), queue.is_empty()), (model.len(), model.is_empty()));
        prop_assert_eq!(queue.front(), model.front());
    }
    Ok(())
}
