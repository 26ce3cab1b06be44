//! What a network does to packets.

use std::time::Duration;

/// What happens to packets on their way to one host. Chances are in thousandths.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Chance of each packet to be lost, and of which packet types (all if empty).
    pub(crate) loss: u64,
    pub(crate) types: &'static [u8],
    /// Chance that a burst of losses begins, and how many packets it takes.
    pub(crate) burst: u64,
    pub(crate) burst_len: u64,
    /// Chance of each packet to come twice.
    pub(crate) duplication: u64,
    /// Chance of each packet to be held back for up to `late`, so that others overtake it.
    pub(crate) reordering: u64,
    pub(crate) late: Duration,
    /// How long packets are on their way, at least and at most; within it they keep their order.
    pub(crate) delay: (Duration, Duration),
    /// Nothing passes between these times, in milliseconds.
    pub(crate) partitions: Vec<(u64, u64)>,
}

impl Plan {
    pub(crate) const fn calm() -> Self {
        Self {
            loss: 0,
            types: &[],
            burst: 0,
            burst_len: 0,
            duplication: 0,
            reordering: 0,
            late: Duration::from_millis(3),
            delay: (Duration::from_micros(50), Duration::from_micros(200)),
            partitions: Vec::new(),
        }
    }
    pub(crate) fn losing(loss: u64) -> Self {
        Self { loss, ..Self::calm() }
    }
}

/// Numbers that look random and are the same on every run of a seed (splitmix64).
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.draw() % n.max(1)
    }
    pub(crate) fn chance(&mut self, thousandths: u64) -> bool {
        self.below(1000) < thousandths
    }
    pub(crate) fn between(&mut self, (least, most): (Duration, Duration)) -> Duration {
        let (least, most) = (least.as_micros() as u64, most.as_micros() as u64);
        Duration::from_micros(least + self.below(most.saturating_sub(least) + 1))
    }
}

/// Runs a scenario for several seeds; `SEED` replays one, `SEEDS` says how many.
pub(crate) fn seeds(count: u64, scenario: impl Fn(u64)) {
    let number = |name| std::env::var(name).ok().map(|text: String| text.parse().expect("a number"));
    let seeds = number("SEED").map_or(1..=number("SEEDS").unwrap_or(count), |seed| seed..=seed);
    for seed in seeds {
        let _note = Note(seed);
        scenario(seed);
    }
}

struct Note(u64);

impl Drop for Note {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("replay with SEED={}", self.0);
        }
    }
}
