//! Bytes that are cheap to clone: inline, static, or a range of a counted allocation.

use super::Filling;
use crate::body::Body;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

/// Octets that live in the frame itself; one more makes a counted allocation.
pub const INLINE: usize = 30;

/// Bytes: inline, borrowed for ever, or a range of a counted allocation or of what somebody else owns. Cloning copies [`INLINE`] octets at most.
///
/// ```
/// use omnimq_core::Blob;
/// let whole = Blob::from(vec![7; 1000]);
/// let part = whole.slice(100..900).unwrap();
/// assert_eq!(part.as_ptr(), whole[100..].as_ptr());
/// ```
#[derive(Clone)]
pub struct Blob(Repr);

#[derive(Clone)]
enum Repr {
    Inline {
        len: u8,
        bytes: [u8; INLINE],
    },
    Static(&'static [u8]),
    /// A range of a vector that came from elsewhere.
    Counted {
        bytes: Arc<Vec<u8>>,
        start: usize,
        len: usize,
    },
    /// A range of a copy: one allocation instead of two.
    Copied {
        bytes: Arc<[u8]>,
        start: u32,
        len: u32,
    },
    /// A range of what somebody else owns.
    Owned {
        owner: Arc<dyn AsRef<[u8]> + Send + Sync>,
        start: u32,
        len: u32,
    },
}

impl Blob {
    /// Bytes that live for ever, kept by reference.
    ///
    /// ```
    /// # use omnimq_core::Blob;
    /// static PAGE: [u8; 4096] = [0; 4096];
    /// const FRONT: Blob = Blob::from_static(&PAGE);
    /// assert_eq!(FRONT.as_ptr(), PAGE.as_ptr());
    /// ```
    pub const fn from_static(bytes: &'static [u8]) -> Self {
        Self(Repr::Static(bytes))
    }
    /// The bytes of `owner`, which is kept as long as any part of them: by reference unless they fit inline. What has more
    /// than 2^32 - 1 octets is copied.
    ///
    /// ```
    /// # use omnimq_core::Blob;
    /// let shared: std::sync::Arc<[u8]> = [7; 1000].into();
    /// let blob = Blob::from_owner(shared.clone());
    /// assert_eq!(blob.as_ptr(), shared.as_ptr());
    /// ```
    pub fn from_owner(owner: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        let bytes = owner.as_ref();
        match (Self::inline(bytes), u32::try_from(bytes.len())) {
            (Some(small), _) => small,
            (None, Ok(len)) => Self(Repr::Owned { owner: Arc::new(owner), start: 0, len }),
            (None, Err(_)) => Self::from(bytes.to_vec()),
        }
    }
    /// Part of a counted buffer, by reference unless it fits inline; `None` when `range` is not within it.
    ///
    /// ```
    /// # use omnimq_core::Blob;
    /// let buffer = std::sync::Arc::new(vec![7; 4096]);
    /// let body = Blob::from_shared(&buffer, 100..200).unwrap();
    /// assert_eq!(body.as_ptr(), buffer[100..].as_ptr());
    /// assert_eq!(Blob::from_shared(&buffer, 4000..5000), None);
    /// ```
    #[inline]
    pub fn from_shared(bytes: &Arc<Vec<u8>>, range: Range<usize>) -> Option<Self> {
        let part = bytes.get(range.clone())?;
        Some(Self::inline(part).unwrap_or_else(|| Self::counted(Arc::clone(bytes), range.start, part.len())))
    }
    /// Part of these bytes, by reference unless it fits inline; `None` when `range` is not within them.
    ///
    /// ```
    /// # use omnimq_core::Blob;
    /// let record = Blob::from(vec![7; 1000]);
    /// let (head, tail) = (record.slice(0..8).unwrap(), record.slice(8..1000).unwrap());
    /// assert_eq!((head.len(), tail.as_ptr()), (8, record[8..].as_ptr())); // the head is a copy: it fits inline
    /// assert_eq!(record.slice(8..1001), None);
    /// ```
    #[inline]
    pub fn slice(&self, range: Range<usize>) -> Option<Self> {
        let part = self.get(range.clone())?;
        if let Some(small) = Self::inline(part) {
            return Some(small);
        }
        match &self.0 {
            Repr::Inline { .. } => None,
            Repr::Static(bytes) => bytes.get(range).map(Self::from_static),
            Repr::Counted { bytes, start, .. } => {
                let start = start.checked_add(range.start)?;
                Some(Self::counted(Arc::clone(bytes), start, part.len()))
            }
            Repr::Copied { bytes, start, .. } => {
                let start = start.checked_add(u32::try_from(range.start).ok()?)?;
                let len = u32::try_from(part.len()).ok()?;
                Some(Self(Repr::Copied { bytes: Arc::clone(bytes), start, len }))
            }
            Repr::Owned { owner, start, .. } => {
                let start = start.checked_add(u32::try_from(range.start).ok()?)?;
                let len = u32::try_from(part.len()).ok()?;
                Some(Self(Repr::Owned { owner: Arc::clone(owner), start, len }))
            }
        }
    }
    /// Whether these bytes are in an allocation that others may share.
    ///
    /// ```
    /// # use omnimq_core::Blob;
    /// assert!(Blob::from(vec![7; 1000]).is_counted());
    /// assert!(!Blob::from("inline").is_counted());
    /// ```
    pub const fn is_counted(&self) -> bool {
        matches!(self.0, Repr::Counted { .. } | Repr::Copied { .. } | Repr::Owned { .. })
    }
    /// `bytes[start..start + len]`, which exists.
    #[inline]
    pub(super) const fn counted(bytes: Arc<Vec<u8>>, start: usize, len: usize) -> Self {
        Self(Repr::Counted { bytes, start, len })
    }
    /// `None` when `from` is too long.
    #[inline]
    pub(super) fn inline(from: &[u8]) -> Option<Self> {
        if from.len() > INLINE {
            return None;
        }
        let mut bytes = [0; INLINE];
        bytes.get_mut(..from.len())?.copy_from_slice(from);
        Some(Self(Repr::Inline { len: u8::try_from(from.len()).ok()?, bytes }))
    }
}

impl Default for Blob {
    #[inline]
    fn default() -> Self {
        Self(Repr::Inline { len: 0, bytes: [0; INLINE] })
    }
}

impl AsRef<[u8]> for Blob {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, bytes } => bytes.get(..usize::from(*len)),
            Repr::Static(bytes) => Some(*bytes),
            Repr::Counted { bytes, start, len } => bytes.get(*start..start.saturating_add(*len)),
            Repr::Copied { bytes, start, len } => {
                bytes.get(*start as usize..(*start as usize).saturating_add(*len as usize))
            }
            Repr::Owned { owner, start, len } => {
                (**owner).as_ref().get(*start as usize..(*start as usize).saturating_add(*len as usize))
            }
        }
        .unwrap_or_default()
    }
}

impl core::ops::Deref for Blob {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_ref()
    }
}

impl PartialEq for Blob {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for Blob {}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl From<Vec<u8>> for Blob {
    /// Keeps the vector; copies only what fits inline.
    fn from(bytes: Vec<u8>) -> Self {
        let len = bytes.len();
        Self::inline(&bytes).unwrap_or_else(|| Self::counted(Arc::new(bytes), 0, len))
    }
}

impl From<Blob> for Vec<u8> {
    /// Gives the vector back that the blob was made from, if nobody else has a part of it; else copies.
    fn from(blob: Blob) -> Self {
        match blob.0 {
            Repr::Counted { bytes, start: 0, len } if len == bytes.len() => {
                Arc::try_unwrap(bytes).unwrap_or_else(|shared| shared.to_vec())
            }
            repr => Blob(repr).to_vec(),
        }
    }
}

impl From<&[u8]> for Blob {
    #[inline]
    fn from(bytes: &[u8]) -> Self {
        Self::inline(bytes).unwrap_or_else(|| match u32::try_from(bytes.len()) {
            Ok(len) => Self(Repr::Copied { bytes: Arc::from(bytes), start: 0, len }),
            Err(_) => Self::from(bytes.to_vec()),
        })
    }
}

impl From<String> for Blob {
    /// As from a vector.
    fn from(text: String) -> Self {
        Self::from(text.into_bytes())
    }
}

impl From<&str> for Blob {
    fn from(text: &str) -> Self {
        Self::from(text.as_bytes())
    }
}

impl<const N: usize> From<&[u8; N]> for Blob {
    fn from(bytes: &[u8; N]) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl Body for Blob {
    type Draft = Filling;
    #[inline]
    fn copy_from(bytes: &[u8]) -> Option<Self> {
        Some(Self::from(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same bytes in each way a blob may hold them.
    fn all_kinds(bytes: &[u8]) -> [Blob; 5] {
        let mut padded = bytes.to_vec();
        padded.insert(0, 0xaa);
        padded.push(0xbb);
        let shared = Arc::new(padded);
        [
            Blob::from(bytes),
            Blob::from(bytes.to_vec()),
            Blob::from_static(bytes.to_vec().leak()),
            Blob::from_shared(&shared, 1..bytes.len() + 1).unwrap(),
            Blob::from_owner(std::boxed::Box::<[u8]>::from(bytes)),
        ]
    }

    #[test]
    fn a_blob_is_32_octets_whatever_a_word_is() {
        assert_eq!(size_of::<Blob>(), 32);
    }

    #[test]
    fn thirty_octets_are_inline_and_one_more_are_counted() {
        assert!(!Blob::from(&[1; INLINE][..]).is_counted());
        assert!(Blob::from(&[1; INLINE + 1][..]).is_counted());
        assert!(!Blob::from_static(&[1; 100]).is_counted());
    }

    #[test]
    fn clones_and_slices_of_a_large_blob_share_its_address() {
        let vector = std::vec![5; 4096];
        let address = vector.as_ptr();
        let blob = Blob::from(vector);
        assert_eq!(blob.as_ptr(), address, "the vector itself is kept");
        assert_eq!(blob.clone().as_ptr(), address);
        let middle = blob.slice(1000..3000).unwrap();
        assert_eq!(middle.as_ptr(), blob[1000..].as_ptr());
        assert_eq!(middle.slice(500..1500).unwrap().as_ptr(), blob[1500..].as_ptr());
        let owner = Arc::<[u8]>::from([5; 4096].as_slice());
        let owned = Blob::from_owner(owner.clone());
        assert_eq!(owned.slice(1000..3000).unwrap().slice(500..1500).unwrap().as_ptr(), owner[1500..].as_ptr());
        drop(owned);
        assert_eq!(Arc::strong_count(&owner), 1, "nobody keeps it any more");
        static FOREVER: [u8; 100] = [3; 100];
        assert_eq!(Blob::from_static(&FOREVER).slice(10..90).unwrap().as_ptr(), FOREVER[10..].as_ptr());
    }

    #[test]
    fn a_vector_comes_back_as_it_was_if_nobody_else_has_it() {
        let vector = std::vec![5; 4096];
        let address = vector.as_ptr();
        let whole = Vec::from(Blob::from(vector));
        assert_eq!((whole.as_ptr(), whole.len()), (address, 4096));
        let blob = Blob::from(whole);
        let part = blob.slice(1..4096).unwrap();
        let copy = Vec::from(blob);
        assert_eq!(copy, [5; 4096]);
        assert_ne!(copy.as_ptr(), address, "a part of it is elsewhere");
        assert_eq!(Vec::from(part), [5; 4095]);
        for kind in all_kinds(&[1; 100]) {
            assert_eq!(Vec::from(kind), [1; 100]);
        }
    }

    #[test]
    fn a_small_slice_lets_go_of_the_allocation() {
        let shared = Arc::new(std::vec![9; 1 << 20]);
        let small = Blob::from_shared(&shared, 10..10 + INLINE).unwrap();
        let large = Blob::from_shared(&shared, 10..11 + INLINE).unwrap();
        assert_eq!(Arc::strong_count(&shared), 2);
        drop(large);
        assert_eq!((Arc::strong_count(&shared), small.len()), (1, INLINE));
    }

    proptest! {
        #[test]
        fn slices_and_equality_are_those_of_the_octets(
            bytes in prop::collection::vec(any::<u8>(), 0..80),
            start in 0_usize..90,
            len in 0_usize..90,
        ) {
            let kinds = all_kinds(&bytes);
            for blob in &kinds {
                prop_assert_eq!(blob.as_ref(), bytes.as_slice());
                prop_assert_eq!(blob, &kinds[0]);
                let slice = blob.slice(start..start + len);
                prop_assert_eq!(slice.as_deref(), bytes.get(start..start + len));
                prop_assert_eq!(blob.slice(usize::MAX..usize::MAX), None);
            }
        }
    }
}
