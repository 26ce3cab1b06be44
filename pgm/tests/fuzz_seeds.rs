//! The committed seeds of the fuzz targets, and every beginning of each, through the bodies of the targets.
#![cfg(feature = "alloc")]

#[expect(unreachable_pub, reason = "the bodies are public where they are a library")]
#[path = "../fuzz/src/lib.rs"]
mod bodies;

use std::fs;
use std::path::Path;

fn replay(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut seeds: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{} is empty", folder.display());
    for seed in seeds {
        let octets = fs::read(&seed).unwrap();
        println!("{} ({} octets)", seed.display(), octets.len());
        for end in 0..=octets.len() {
            body(&octets[..end]);
        }
    }
}

macro_rules! targets {
    ($($target:ident)*) => { $(
        #[test]
        fn $target() {
            replay(stringify!($target), bodies::$target);
        }
    )* };
}

targets!(packet receiver source framing);
