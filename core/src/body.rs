//! Frame bodies: how bytes are kept, built piecewise, taken from input and handed to output.

use crate::error::Refusal;
use crate::pipe::PipeWriter;
use core::ops::Range;

/// One frame: a body, and whether more of the same message follow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame<B> {
    /// The frame's bytes.
    pub body: B,
    /// Whether another frame of the same message follows.
    pub more: bool,
}

/// Bytes of one frame, kept after the read buffer is gone. Cloning is cheap on `Heap` and a copy on `Fixed`.
pub trait Body: AsRef<[u8]> + Clone + Default + core::fmt::Debug {
    /// A body under construction.
    type Draft: Draft<Body = Self>;
    /// The longest body that can ever be kept, in octets.
    const MAX_LEN: u64 = u64::MAX;
    /// Copies `bytes`; `None` when they exceed what this storage can keep (EMSGSIZE).
    fn copy_from(bytes: &[u8]) -> Option<Self>;
}

/// A body that arrives in pieces, contiguous and writable until frozen.
pub trait Draft: Sized {
    /// What it becomes.
    type Body;
    /// A body that is to have exactly `len` bytes; `None` when the storage cannot keep that many.
    /// Memory grows with what arrives, never with what was announced: at most 1 MiB + 2 × the bytes filled.
    fn with_len(len: usize) -> Option<Self>;
    /// Bytes still missing.
    fn missing(&self) -> usize;
    /// Where the next bytes go: at most `missing` long, and empty only when nothing is missing.
    fn space(&mut self) -> &mut [u8];
    /// `n` bytes of `space` have been filled.
    fn advance(&mut self, n: usize);
    /// The bytes filled so far.
    fn bytes(&self) -> &[u8];
    /// The bytes filled so far, for a mechanism to open in place.
    fn bytes_mut(&mut self) -> &mut [u8];
    /// Finishes the body, leaving out the first `skip` bytes.
    fn freeze(self, skip: usize) -> Self::Body;
}

/// What a socket sends: a [`Frame`] that is kept already, or a [`Piece`] that is copied to where it goes.
pub trait Payload<B: Body>: Sized {
    /// The bytes of the frame.
    fn bytes(&self) -> &[u8];
    /// Whether another frame of the same message follows.
    fn more(&self) -> bool;
    /// The same frame, announced as the last of its message.
    fn last(self) -> Self;
    /// Writes itself into `pipe`.
    ///
    /// # Errors
    /// It comes back with the reason.
    fn write<W: PipeWriter<Body = B>>(self, pipe: &mut W) -> Result<(), (Self, Refusal)>;
    /// Writes itself into one of several pipes.
    ///
    /// # Errors
    /// Why `pipe` did not take it.
    fn share<W: PipeWriter<Body = B>>(&self, pipe: &mut W) -> Result<(), Refusal>;
}

impl<B: Body> Payload<B> for Frame<B> {
    #[inline]
    fn bytes(&self) -> &[u8] {
        self.body.as_ref()
    }
    #[inline]
    fn more(&self) -> bool {
        self.more
    }
    #[inline]
    fn last(self) -> Self {
        Self { more: false, ..self }
    }
    #[inline]
    fn write<W: PipeWriter<Body = B>>(self, pipe: &mut W) -> Result<(), (Self, Refusal)> {
        pipe.write(self)
    }
    #[inline]
    fn share<W: PipeWriter<Body = B>>(&self, pipe: &mut W) -> Result<(), Refusal> {
        pipe.write_shared(self)
    }
}

/// Borrowed bytes of one frame: copied once, straight into the pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The frame's bytes.
    pub bytes: &'a [u8],
    /// Whether another frame of the same message follows.
    pub more: bool,
}

impl<B: Body> Payload<B> for Piece<'_> {
    #[inline]
    fn bytes(&self) -> &[u8] {
        self.bytes
    }
    #[inline]
    fn more(&self) -> bool {
        self.more
    }
    #[inline]
    fn last(self) -> Self {
        Self { more: false, ..self }
    }
    #[inline]
    fn write<W: PipeWriter<Body = B>>(self, pipe: &mut W) -> Result<(), (Self, Refusal)> {
        pipe.write_bytes(self.bytes, self.more).map_err(|refusal| (self, refusal))
    }
    #[inline]
    fn share<W: PipeWriter<Body = B>>(&self, pipe: &mut W) -> Result<(), Refusal> {
        pipe.write_bytes(self.bytes, self.more)
    }
}

/// What a connection reads from. `[u8]` copies each body; a counted read buffer may share itself instead.
pub trait Input<B> {
    /// All bytes of this input.
    fn bytes(&self) -> &[u8];
    /// The body at `range`, or `None` when it is too large to keep.
    fn body(&self, range: Range<usize>) -> Option<B>;
}

impl<B: Body> Input<B> for [u8] {
    #[inline]
    fn bytes(&self) -> &[u8] {
        self
    }
    #[inline]
    fn body(&self, range: Range<usize>) -> Option<B> {
        B::copy_from(self.get(range)?)
    }
}

/// Where a connection writes to. Both calls return how many bytes were taken; less than offered means "full".
pub trait Sink<B> {
    /// Offers `bytes`.
    fn put(&mut self, bytes: &[u8]) -> usize;
    /// Offers `body[from..]`. A host keeps a clone for a vectored write; the default copies.
    #[inline]
    fn put_body(&mut self, body: &B, from: usize) -> usize
    where
        B: AsRef<[u8]>,
    {
        self.put(body.as_ref().get(from..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::fixed::Bytes;
    use std::vec::Vec;

    struct Taken(Vec<u8>);

    impl<B> Sink<B> for Taken {
        fn put(&mut self, bytes: &[u8]) -> usize {
            self.0.extend_from_slice(bytes);
            bytes.len()
        }
    }

    #[test]
    fn a_slice_copies_the_bodies_it_can() {
        let body = |range| Input::<Bytes<4>>::body(b"0123456789".as_slice(), range);
        assert_eq!(body(2..6).unwrap().as_ref(), b"2345");
        assert_eq!(body(2..7), None, "longer than the storage keeps");
        assert_eq!(body(8..11), None, "beyond the input");
    }

    #[test]
    fn a_sink_copies_the_rest_of_a_body() {
        let body = Bytes::<8>::new(b"abcdef").unwrap();
        let mut sink = Taken(Vec::new());
        assert_eq!((sink.put_body(&body, 4), sink.put_body(&body, 6), sink.put_body(&body, 7)), (2, 0, 0));
        assert_eq!(sink.0, b"ef");
    }

    #[test]
    fn frames_and_pieces_are_the_same_to_a_socket() {
        let piece = Piece { bytes: b"abc", more: true };
        let frame = Frame { body: Bytes::<8>::new(b"abc").unwrap(), more: true };
        assert_eq!(Payload::<Bytes<8>>::bytes(&piece), Payload::<Bytes<8>>::bytes(&frame));
        assert!(Payload::<Bytes<8>>::more(&piece) && Payload::<Bytes<8>>::more(&frame));
        assert!(!Payload::<Bytes<8>>::last(piece).more && !Payload::<Bytes<8>>::last(frame).more);
    }
}
