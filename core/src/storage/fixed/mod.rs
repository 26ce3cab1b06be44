//! Storage with all capacities in the type, for machines without an allocator.
//!
//! Nothing here allocates, indexes or panics. A lane is `HWM` rows of `MSG` octets: see [`Rows`]. What does not fit is
//! refused, never cut short.

mod bits;
mod bytes;
mod fifo;
mod keys;
mod rows;
mod slot;
mod slots;

pub use bits::Bits;
pub use bytes::{Bytes, Filling};
pub use fifo::Fifo;
pub use keys::Keys;
pub use rows::Rows;
pub use slots::Slots;

use super::{LocalStorage, Storage};

/// `PEERS` pipes of `HWM` messages of `MSG` octets each way, `TOPICS` topics, topics and routing ids of up to `KEY` octets.
///
/// * `PEERS`: 1 to 32.
/// * `HWM`: 1 to 32,767. A high-water mark beyond it, or 0 for "none", counts as `HWM`:
///   [`PipeWriter::hwm`](crate::PipeWriter::hwm) tells the mark in force.
/// * `MSG`: up to 32,767. One message of all its frames, with 2 octets of bookkeeping for each frame. A peer's
///   handshake has to fit too: libzmq's READY takes 41 octets and its metadata, so 64 is a sensible least.
/// * `TOPICS`: distinct topics of a SUB, or of all subscribers of a PUB together; also the events an XPUB keeps.
/// * `KEY`: octets of the longest topic or routing id.
///
/// ```
/// use omnimq_core::{Fixed, Node, Options, Pub};
/// let node = Node::<Pub, Fixed<4, 8, 64>>::new(Pub, Options::default());
/// # let _ = node;
/// ```
///
/// Capacities out of range do not compile:
///
/// ```compile_fail
/// use omnimq_core::{Fixed, Node, Options, Pub};
/// let node = Node::<Pub, Fixed<33, 8, 64>>::new(Pub, Options::default());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Fixed<const PEERS: usize, const HWM: usize, const MSG: usize, const TOPICS: usize = 8, const KEY: usize = 32>;

impl<const PEERS: usize, const HWM: usize, const MSG: usize, const TOPICS: usize, const KEY: usize> Storage
    for Fixed<PEERS, HWM, MSG, TOPICS, KEY>
{
    type Body = Bytes<MSG>;
    type Tx = Rows<HWM, MSG, KEY>;
    type Rx = Rows<HWM, MSG, KEY>;
    type Key = Bytes<KEY>;
    type Table<T> = Slots<T, PEERS>;
    type Names<V> = Keys<V, PEERS, KEY>;
    type Topics<V> = Keys<V, TOPICS, KEY>;
    type Queue<T> = Fifo<T, TOPICS>;
    type Set = Bits;
    fn key(bytes: &[u8]) -> Option<Bytes<KEY>> {
        Bytes::new(bytes)
    }
}

impl<const PEERS: usize, const HWM: usize, const MSG: usize, const TOPICS: usize, const KEY: usize> LocalStorage
    for Fixed<PEERS, HWM, MSG, TOPICS, KEY>
{
    type Lane = Rows<HWM, MSG, KEY>;
    fn lane(hwm: u32) -> Rows<HWM, MSG, KEY> {
        const { assert!(HWM >= 1, "Fixed storage has an HWM of 1 to 32,767 messages") };
        Rows::new(hwm)
    }
}
