//! From a lane into packets.

use super::{NONE, OFFSET_LEN};
use omnimq_core::flow::Outflow;
use omnimq_core::wire::Framing;
use omnimq_core::{PipeReader, Sink};

/// Takes messages out of a lane and fills packets with them, as many as fit, cut where the packet ends.
#[derive(Clone, Copy, Debug)]
pub struct Packer {
    outflow: Outflow,
    /// The next frame belongs to a message that has begun.
    within: bool,
}

impl Packer {
    /// At the beginning of a stream.
    pub const fn new() -> Self {
        Self { outflow: Outflow::new(Framing::V1), within: false }
    }
    /// Fills `tsdu`, up to 65,535 octets, from `lane`; returns how many octets it has. 0 when there is nothing to send,
    /// or no room for an octet behind the offset.
    pub fn pack<R: PipeReader>(&mut self, lane: &mut R, tsdu: &mut [u8]) -> usize {
        let most = tsdu.len().min(usize::from(NONE));
        let Some((offset, stream)) = tsdu.get_mut(..most).and_then(<[u8]>::split_first_chunk_mut::<OFFSET_LEN>) else {
            return 0;
        };
        let mut space = Space { octets: stream, used: 0 };
        let mut first = NONE;
        while let Some(front) = lane.front() {
            let begins = self.outflow.is_boundary() && !self.within;
            let start = space.used;
            let gone = self.outflow.frame(front, lane, &mut space);
            if begins && space.used > start && first == NONE {
                first = u16::try_from(start).unwrap_or(NONE);
            }
            if !gone {
                break;
            }
            self.within = front.more;
        }
        let used = space.used;
        *offset = first.to_be_bytes();
        if used == 0 { 0 } else { used.saturating_add(OFFSET_LEN) }
    }
}

impl Default for Packer {
    fn default() -> Self {
        Self::new()
    }
}

/// The rest of a packet.
struct Space<'a> {
    octets: &'a mut [u8],
    used: usize,
}

impl<B> Sink<B> for Space<'_> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) -> usize {
        let rest = self.octets.get_mut(self.used..).unwrap_or_default();
        let n = rest.len().min(bytes.len());
        if let (Some(to), Some(from)) = (rest.get_mut(..n), bytes.get(..n)) {
            to.copy_from_slice(from);
        }
        self.used = self.used.saturating_add(n);
        n
    }
}
