//! Up to `N` octets in place: a frame's body, a topic, a routing id.

use crate::body::{Body, Draft};
use core::fmt;

/// Up to `N` octets, kept in place; cloning copies them.
#[derive(Clone)]
pub struct Bytes<const N: usize> {
    len: u16,
    bytes: [u8; N],
}

impl<const N: usize> Bytes<N> {
    const FITS: () = assert!(N <= 32_767, "Fixed storage keeps at most 32,767 octets in one message or key");

    /// A copy of `from`; `None` when it is longer than `N`.
    #[inline]
    pub fn new(from: &[u8]) -> Option<Self> {
        let mut new = Self::zeroed(from.len())?;
        new.bytes.get_mut(..from.len())?.copy_from_slice(from);
        Some(new)
    }
    /// The octets kept.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
    /// `len` zeros; `None` when they are more than `N`.
    #[inline]
    fn zeroed(len: usize) -> Option<Self> {
        const { Self::FITS }
        (len <= N).then_some(())?;
        Some(Self { len: u16::try_from(len).ok()?, bytes: [0; N] })
    }
}

impl<const N: usize> Default for Bytes<N> {
    #[inline]
    fn default() -> Self {
        Self { len: 0, bytes: [0; N] }
    }
}

impl<const N: usize> AsRef<[u8]> for Bytes<N> {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl<const N: usize> core::ops::Deref for Bytes<N> {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl<const N: usize> PartialEq for Bytes<N> {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl<const N: usize> Eq for Bytes<N> {}

impl<const N: usize> fmt::Debug for Bytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl<const N: usize> Body for Bytes<N> {
    type Draft = Filling<N>;
    const MAX_LEN: u64 = N as u64;
    #[inline]
    fn copy_from(bytes: &[u8]) -> Option<Self> {
        Self::new(bytes)
    }
}

/// A body of known length being filled.
#[derive(Clone, Debug)]
pub struct Filling<const N: usize> {
    body: Bytes<N>,
    filled: u16,
}

impl<const N: usize> Filling<N> {
    /// The octets filled, and the room for the others.
    fn split(&mut self) -> (&mut [u8], &mut [u8]) {
        let all = self.body.bytes.get_mut(..usize::from(self.body.len)).unwrap_or_default();
        all.split_at_mut_checked(usize::from(self.filled)).unwrap_or_default()
    }
}

impl<const N: usize> Draft for Filling<N> {
    type Body = Bytes<N>;
    fn with_len(len: usize) -> Option<Self> {
        Some(Self { body: Bytes::zeroed(len)?, filled: 0 })
    }
    fn missing(&self) -> usize {
        usize::from(self.body.len.saturating_sub(self.filled))
    }
    fn space(&mut self) -> &mut [u8] {
        self.split().1
    }
    fn advance(&mut self, n: usize) {
        let filled = u16::try_from(n).map_or(u16::MAX, |n| self.filled.saturating_add(n));
        self.filled = filled.min(self.body.len);
    }
    fn bytes(&self) -> &[u8] {
        self.body.get(..usize::from(self.filled)).unwrap_or_default()
    }
    fn bytes_mut(&mut self) -> &mut [u8] {
        self.split().0
    }
    fn freeze(self, skip: usize) -> Bytes<N> {
        Bytes::new(self.bytes().get(skip..).unwrap_or_default()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_fits_and_nothing_else() {
        assert_eq!(Bytes::<4>::new(b"four").unwrap().as_ref(), b"four");
        assert_eq!(Bytes::<4>::new(b"five!"), None);
        assert_eq!(Bytes::<0>::new(b""), Some(Bytes::default()));
        assert!(Filling::<4>::with_len(5).is_none());
    }

    #[test]
    fn equality_looks_at_the_octets_in_use() {
        let mut draft = Filling::<4>::with_len(4).unwrap();
        draft.space().copy_from_slice(b"abXX");
        draft.advance(2);
        assert_eq!(draft.freeze(0), Bytes::new(b"ab").unwrap());
    }

    #[test]
    fn a_draft_takes_pieces_and_freezes_without_its_head() {
        let mut draft = Filling::<8>::with_len(6).unwrap();
        for piece in [&b"ab"[..], b"", b"cde", b"f"] {
            draft.space()[..piece.len()].copy_from_slice(piece);
            draft.advance(piece.len());
        }
        assert_eq!((draft.missing(), draft.space().len()), (0, 0));
        draft.bytes_mut()[5] = b'F';
        assert_eq!(draft.clone().freeze(2).as_ref(), b"cdeF");
        assert_eq!(draft.freeze(7).as_ref(), b"");
    }

    #[test]
    fn advancing_too_far_stops_at_the_end() {
        let mut draft = Filling::<8>::with_len(3).unwrap();
        draft.advance(usize::MAX);
        assert_eq!((draft.missing(), draft.bytes().len()), (0, 3));
    }
}
