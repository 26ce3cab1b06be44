//! A read buffer whose bodies share it.

use super::Blob;
use crate::body::Input;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

/// A counted read buffer: bodies longer than [`INLINE`](super::INLINE) are ranges of it, and keep it alive.
#[derive(Clone, Debug)]
pub struct Slab {
    bytes: Arc<Vec<u8>>,
    range: Range<usize>,
}

impl Slab {
    /// `range` of `bytes` is what was read; a range beyond them is empty.
    pub fn new(bytes: Arc<Vec<u8>>, range: Range<usize>) -> Self {
        Self { bytes, range }
    }
}

impl Input<Blob> for Slab {
    #[inline]
    fn bytes(&self) -> &[u8] {
        self.bytes.get(self.range.clone()).unwrap_or_default()
    }
    #[inline]
    fn body(&self, range: Range<usize>) -> Option<Blob> {
        self.bytes().get(range.clone())?;
        let start = self.range.start.checked_add(range.start)?;
        let end = self.range.start.checked_add(range.end)?;
        Blob::from_shared(&self.bytes, start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_ranges_of_the_buffer() {
        let buffer = Arc::new((0..200_u8).collect::<Vec<_>>());
        let slab = Slab::new(Arc::clone(&buffer), 50..150);
        assert_eq!(slab.bytes(), &buffer[50..150]);
        let body = slab.body(10..60).unwrap();
        assert_eq!((body.as_ptr(), body.len()), (buffer[60..].as_ptr(), 50));
        assert_eq!(slab.body(10..14).unwrap().as_ref(), &[60, 61, 62, 63]);
        assert_eq!(slab.body(60..101), None, "beyond what was read, though within the buffer");
        assert_eq!(slab.body(usize::MAX..usize::MAX), None);
    }

    #[test]
    fn a_range_beyond_the_buffer_is_empty() {
        let slab = Slab::new(Arc::new(std::vec![0; 10]), 5..11);
        assert!(slab.bytes().is_empty() && slab.body(0..1).is_none());
    }
}
