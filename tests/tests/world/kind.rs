//! The storages that every scenario runs on.

use omnimq_core::{Fixed, Heap, LocalStorage, Options};

/// A storage and how far it reaches.
pub(crate) trait Kind: LocalStorage {
    /// High-water marks of the sockets under test, both directions.
    const HWM: u32;
    /// The longest part of a test message.
    const LARGEST: usize;
}

impl Kind for Heap {
    const HWM: u32 = 7;
    const LARGEST: usize = 3_000;
}

impl Kind for Fixed<4, 4, 160> {
    const HWM: u32 = 4;
    const LARGEST: usize = 60;
}

/// The fixed storage of the scenarios: 4 peers, 4 messages of 160 octets each way, 8 topics of 32 octets.
pub(crate) type Small = Fixed<4, 4, 160>;

/// Options with this storage's marks.
pub(crate) fn options<S: Kind>(seed: u64) -> Options {
    let mut options = Options::new(seed.to_le_bytes()[0].into());
    options.send_hwm = S::HWM;
    options.recv_hwm = S::HWM;
    options.mandatory = true;
    options
}
