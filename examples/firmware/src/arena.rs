//! Room for what lives as long as the image, given out once and never taken back.

use core::cell::{Cell, UnsafeCell};
use core::mem::MaybeUninit;

/// `N` octets, zero at the start.
#[repr(align(8))]
pub struct Arena<const N: usize> {
    used: Cell<usize>,
    octets: UnsafeCell<[MaybeUninit<u8>; N]>,
}

// SAFETY: the images have one thread, and no interrupt handler knows an arena.
unsafe impl<const N: usize> Sync for Arena<N> {}

impl<const N: usize> Arena<N> {
    /// All of it free.
    pub const fn new() -> Self {
        Self { used: Cell::new(0), octets: UnsafeCell::new([MaybeUninit::uninit(); N]) }
    }
    /// Puts a value here for good; `None` when there is no room for it.
    #[inline]
    #[expect(clippy::mut_from_ref, reason = "it is given out once")]
    pub fn put<T>(&'static self, make: impl FnOnce() -> T) -> Option<&'static mut T> {
        const { assert!(align_of::<T>() <= 8) };
        let at = self.used.get().next_multiple_of(align_of::<T>());
        let end = at.checked_add(size_of::<T>()).filter(|end| *end <= N)?;
        self.used.set(end);
        // SAFETY: `at..end` lies within the octets, is aligned for T, and is given to nobody else.
        let place = unsafe { &mut *self.octets.get().cast::<u8>().add(at).cast::<MaybeUninit<T>>() };
        Some(place.write(make()))
    }
}

impl<const N: usize> Default for Arena<N> {
    fn default() -> Self {
        Self::new()
    }
}
