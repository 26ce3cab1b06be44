//! Several whole messages of a packet in one piece: out of ZMTP 1.0 framing, which packets have, into 3.x, which lanes keep.

use crate::storage::append;
use core::ops::Range;
use omnimq_core::wire::{FrameHeader, Framing, MAX_HEADER};
use omnimq_core::{Body, Draft, Input};

/// The longest prefix of a stream that is made of whole messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Run {
    /// Octets as they stand.
    pub(super) len: usize,
    /// Octets in ZMTP 3.x framing: never more.
    turned: usize,
    pub(super) messages: u32,
}

impl Run {
    /// Measures the run at the front of `stream`, where a message begins. It ends before a frame that is incomplete, longer
    /// than `max_frame_len` or not in order, before a message of more than `max_frames` frames, and after `max_messages`
    /// messages.
    pub(super) fn scan(stream: &[u8], max_frame_len: u64, max_messages: u32, max_frames: u32) -> Self {
        let (mut run, mut rest, mut turned, mut left) = (Self::default(), stream, 0_usize, max_frames);
        while run.messages < max_messages {
            let Some((header, body, behind)) = split_frame(rest) else { break };
            if header.len > max_frame_len || left == 0 {
                break;
            }
            left = left.saturating_sub(1);
            rest = behind;
            turned = turned.saturating_add(header.emit(Framing::V3, &mut [0; MAX_HEADER])).saturating_add(body.len());
            if !header.more {
                left = max_frames;
                run.len = stream.len().saturating_sub(rest.len());
                (run.turned, run.messages) = (turned, run.messages.saturating_add(1));
            }
        }
        run
    }
    /// The messages at the front of `stream` in ZMTP 3.x framing; `None` when they are too large to keep.
    pub(super) fn turn<B: Body>(&self, stream: &[u8]) -> Option<Whole<B>> {
        let mut draft = B::Draft::with_len(self.turned)?;
        let mut rest = stream.get(..self.len)?;
        while let Some((header, body, behind)) = split_frame(rest) {
            let mut head = [0; MAX_HEADER];
            let used = header.emit(Framing::V3, &mut head);
            append(&mut draft, head.get(..used)?);
            append(&mut draft, body);
            rest = behind;
        }
        Some(Whole(draft.freeze(0)))
    }
}

/// The frame at the front of `stream`, its body, and what follows it.
#[inline]
fn split_frame(stream: &[u8]) -> Option<(FrameHeader, &[u8], &[u8])> {
    let (header, used) = FrameHeader::parse(Framing::V1, stream).ok()??;
    let (body, behind) = stream.get(used..)?.split_at_checked(usize::try_from(header.len).ok()?)?;
    Some((header, body, behind))
}

/// A body of which all is wanted.
pub(super) struct Whole<B>(B);

impl<B: Body> Input<B> for Whole<B> {
    fn bytes(&self) -> &[u8] {
        self.0.as_ref()
    }
    fn body(&self, range: Range<usize>) -> Option<B> {
        if range == (0..self.bytes().len()) { Some(self.0.clone()) } else { B::copy_from(self.bytes().get(range)?) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scan_table() {
        type Case = (&'static [u8], u64, u32, u32, (usize, usize, u32));
        let long = [b"\xff\0\0\0\0\0\0\x01\x01\0".as_slice(), &[7; 256]].concat().leak();
        let table: &[Case] = &[
            (b"", 9, 9, 9, (0, 0, 0)),
            (b"\x01", 9, 9, 9, (0, 0, 0)),
            (b"\x01\0", 9, 9, 9, (2, 2, 1)),
            (b"\x03\0a", 9, 9, 9, (0, 0, 0)),
            (b"\x03\0ab\x02\0c\x02", 9, 9, 9, (7, 7, 2)),
            (b"\x03\0ab\x02\0c", 1, 9, 9, (0, 0, 0)),
            (b"\x02\0c\x03\0ab", 1, 9, 9, (3, 3, 1)),
            (b"\x01\0\x01\0\x01\0", 9, 2, 9, (4, 4, 2)),
            (b"\x01\0\x01\0\x01\0", 9, 0, 9, (0, 0, 0)),
            (b"\x02\x01a\x01\0\x02\x01a", 9, 9, 9, (5, 5, 1)),
            (b"\x01\0\x01\x01\x01\0\x01\0", 9, 9, 1, (2, 2, 1)),
            (b"\x01\0\x01\x01\x01\0\x01\0", 9, 9, 2, (8, 8, 3)),
            // A frame that is shorter than nothing.
            (b"\x01\0\0\0", 9, 9, 9, (2, 2, 1)),
            // A short one in long form.
            (b"\xff\0\0\0\0\0\0\0\x02\x01a\x01\0", 9, 9, 9, (13, 5, 1)),
            (long, 256, 9, 9, (266, 265, 1)),
            (b"\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0a", u64::MAX, 9, 9, (0, 0, 0)),
        ];
        for &(octets, max, room, most, (len, turned, messages)) in table {
            let run = Run { len, turned, messages };
            assert_eq!(Run::scan(octets, max, room, most), run, "{octets:02x?} {max} {room} {most}");
        }
    }
}
