//! How much has passed one way.

use std::ops::AddAssign;

/// Messages that passed one way, and their octets: see [`Statistics`](crate::Statistics).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Whole messages.
    pub messages: u64,
    /// Octets, with the headers of frames as they stand on the wire, whatever the transport.
    pub octets: u64,
}

impl Traffic {
    pub(crate) fn new(messages: u32, octets: usize) -> Self {
        Self { messages: messages.into(), octets: octets as u64 }
    }
}

impl AddAssign for Traffic {
    fn add_assign(&mut self, more: Self) {
        self.messages += more.messages;
        self.octets += more.octets;
    }
}
