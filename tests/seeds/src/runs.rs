//! Which seeds a scenario runs with, and how a failing one is found again.
//!
//! `SEED=n` replays one seed, `SEEDS=n` runs that many.

use std::env;
use std::thread;

/// Seeds per scenario when the environment does not say.
const DEFAULT: u64 = 4;

/// Runs `scenario` once per seed; the seed of a failure is printed.
pub fn each(scenario: impl Fn(u64)) {
    each_of(DEFAULT, scenario);
}

/// Runs `scenario` for `count` seeds unless the environment says otherwise.
pub fn each_of(count: u64, scenario: impl Fn(u64)) {
    let seeds = match number("SEED") {
        Some(seed) => seed..=seed,
        None => 1..=number("SEEDS").unwrap_or(count).max(1),
    };
    for seed in seeds {
        let _note = Note(seed);
        scenario(seed);
    }
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// Says which seed was running when a panic passes by.
struct Note(u64);

impl Drop for Note {
    fn drop(&mut self) {
        if thread::panicking() {
            let name = thread::current().name().unwrap_or("the test").to_owned();
            eprintln!("to be repeated with SEED={}: {name}", self.0);
        }
    }
}
