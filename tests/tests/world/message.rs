//! Messages that know who sent them and as which number, so that a receiver can check every octet.

use omnimq_seeds::Rng;
use omnimq_tests::world::Message;

/// What a message says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp {
    pub(crate) from: u8,
    pub(crate) number: u32,
}

/// Octets of the first part: a topic letter, the sender, the number.
const HEAD: usize = 6;

impl Stamp {
    /// The message of this stamp under `topic`: one to three parts of up to `largest` octets, some of them empty.
    pub(crate) fn message(self, topic: u8, largest: usize) -> Message {
        let mut rng = Rng::new(u64::from(self.from) << 32 | u64::from(self.number));
        let mut head = vec![topic, self.from];
        head.extend(self.number.to_be_bytes());
        let mut parts = vec![head];
        for _ in 0..rng.length(0..=2) {
            let len = [0, 1, 17, largest][rng.length(0..=3)].min(largest);
            parts.push(rng.bytes(len));
        }
        parts
    }
    /// Reads the stamp and checks that nothing else of the message has changed.
    pub(crate) fn of(message: &[Vec<u8>], largest: usize) -> Self {
        let head: &[u8; HEAD] = message[0].as_slice().try_into().expect("a stamped first part");
        let [topic, from, number @ ..] = *head;
        let stamp = Self { from, number: u32::from_be_bytes(number) };
        assert_eq!(message, stamp.message(topic, largest), "the message arrived whole");
        stamp
    }
}
