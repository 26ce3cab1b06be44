//! Messages of `bytes::Bytes`, and back: feature `bytes`.
//!
//! A frame of them is [`Frame::from_owner(bytes)`](Frame::from_owner).

use crate::lane::BIG;
use crate::message::{Frame, Message, Part, Sendable, outgoing};
use bytes::Bytes;

/// Up to so many octets a [`Frame`] keeps them itself.
const INLINE: usize = omnimq_core::storage::heap::INLINE;

impl From<Bytes> for Message {
    /// Copies 30 octets at most.
    fn from(bytes: Bytes) -> Self {
        Self::from(Frame::from_owner(bytes))
    }
}

impl From<Vec<Bytes>> for Message {
    /// A frame of each, of which 30 octets at most are copied; of none, one empty frame.
    fn from(frames: Vec<Bytes>) -> Self {
        Self::from_frames(frames.into_iter().map(Frame::from_owner).collect())
    }
}

impl Message {
    /// Its frames, of which 30 octets at most are copied (feature `bytes`).
    ///
    /// ```
    /// use bytes::Bytes;
    /// let bytes = Bytes::from(vec![7; 1000]);
    /// let frames = omnimq::Message::from(bytes.clone()).into_bytes();
    /// assert_eq!(frames[0].as_ptr(), bytes.as_ptr());
    /// ```
    pub fn into_bytes(self) -> Vec<Bytes> {
        let bytes = |frame: Frame| {
            if frame.len() > INLINE { Bytes::from_owner(frame) } else { Bytes::copy_from_slice(&frame) }
        };
        self.into_frames().into_iter().map(bytes).collect()
    }
}

fn part(bytes: &Bytes) -> Part<'_> {
    if bytes.len() < BIG { Part::Bytes(bytes) } else { Part::Owned(Frame::from_owner(bytes.clone())) }
}

impl Sendable for Bytes {
    fn count(&self) -> usize {
        1
    }
    fn frame(&self, _: usize) -> Part<'_> {
        part(self)
    }
}

impl Sendable for Vec<Bytes> {
    fn count(&self) -> usize {
        self.len().max(1)
    }
    fn frame(&self, n: usize) -> Part<'_> {
        self.get(n).map_or(Part::Bytes(&[]), part)
    }
}

impl<const N: usize> Sendable for [Bytes; N] {
    fn count(&self) -> usize {
        self.len().max(1)
    }
    fn frame(&self, n: usize) -> Part<'_> {
        self.get(n).map_or(Part::Bytes(&[]), part)
    }
}

outgoing! {
    Bytes;
    Vec<Bytes>;
    [Bytes; N], N;
}
