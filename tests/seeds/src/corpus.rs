//! The committed seeds of a fuzz target.

use std::fs;
use std::path::Path;

/// Gives each seed in `folder` to a target's body, and every beginning of each. Returns how many seeds there are.
///
/// # Panics
/// When there is no seed, and when the body does; the seed's name has been printed by then.
pub fn replay(folder: impl AsRef<Path>, body: fn(&[u8])) -> usize {
    let folder = folder.as_ref();
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut seeds: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{} is empty", folder.display());
    for seed in &seeds {
        let octets = fs::read(seed).unwrap_or_else(|error| panic!("{}: {error}", seed.display()));
        println!("{} ({} octets)", seed.display(), octets.len());
        for end in 0..=octets.len() {
            body(&octets[..end]);
        }
    }
    seeds.len()
}
