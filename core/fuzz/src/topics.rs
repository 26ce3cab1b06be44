//! The topic tables of `Heap` and `Fixed` against a naive map.

use omnimq_core::storage::{Map, Storage, Topics};
use omnimq_core::{Fixed, Heap};
use omnimq_seeds::Decisions;
use std::collections::BTreeMap;

const PLACES: usize = 6;
const KEY: usize = 5;

/// Each step: an octet that says what, and a topic.
pub fn topics(data: &[u8]) {
    steps::<Heap>(Decisions(data), usize::MAX, usize::MAX);
    steps::<Fixed<1, 1, 16, PLACES, KEY>>(Decisions(data), PLACES, KEY);
}

/// Mostly few letters, so that topics are prefixes of one another.
fn topic(source: &mut Decisions<'_>) -> Vec<u8> {
    let len = source.octet();
    let octets = source.take(usize::from(len & 0x1f));
    if len & 0x80 != 0 { octets.to_vec() } else { octets.iter().map(|octet| b'a' + octet % 3).collect() }
}

fn steps<S: Storage>(mut source: Decisions<'_>, places: usize, longest: usize) {
    let (mut table, mut model) = (S::Topics::<u32>::default(), BTreeMap::<Vec<u8>, u32>::new());
    let mut step = 0;
    while !source.is_empty() {
        step += 1;
        let what = source.below(6);
        let topic = topic(&mut source);
        match what {
            0..=2 => {
                let fits = topic.len() <= longest && (model.len() < places || model.contains_key(&topic));
                let value = table.entry(&topic);
                assert_eq!(value.is_some(), fits, "a place for {topic:?}");
                if let Some(value) = value {
                    assert_eq!(*value, *model.entry(topic.clone()).or_default());
                    *value = step;
                    model.insert(topic.clone(), step);
                }
            }
            3 => assert_eq!(table.remove(&topic), model.remove(&topic)),
            4 => retain(&mut table, &mut model, step),
            _ => assert_eq!(table.get_mut(&topic).copied(), model.get(&topic).copied()),
        }
        assert_eq!((table.len(), table.is_empty()), (model.len(), model.is_empty()));
        assert_eq!(table.get(&topic), model.get(&topic));
        prefixes(&table, &model, &topic);
    }
}

fn retain(table: &mut impl Topics<u32>, model: &mut BTreeMap<Vec<u8>, u32>, step: u32) {
    let mut seen = Vec::new();
    table.retain(|topic, value| {
        seen.push((topic.to_vec(), *value));
        (*value ^ step) & 1 == 0
    });
    seen.sort();
    assert_eq!(seen, model.iter().map(|(topic, value)| (topic.clone(), *value)).collect::<Vec<_>>(), "each once");
    model.retain(|_, value| (*value ^ step) & 1 == 0);
}

fn prefixes(table: &impl Topics<u32>, model: &BTreeMap<Vec<u8>, u32>, text: &[u8]) {
    let mut found = Vec::new();
    table.prefixes(text, |value| found.push(*value));
    found.sort_unstable();
    let mut expected: Vec<u32> =
        model.iter().filter(|(topic, _)| text.starts_with(topic)).map(|(_, value)| *value).collect();
    expected.sort_unstable();
    assert_eq!(found, expected, "prefixes of {text:?}");
}
