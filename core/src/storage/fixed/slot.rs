//! A place for a value.

/// A place for a value: an `Option` that is all zeros when it is empty.
///
/// A table of such places is made by clearing memory where it is to stay. `Option` hides its `None` in some field of the
/// value, wherever that is; a table of those is made on the stack, and copied.
#[derive(Clone, Debug)]
#[repr(u8)]
pub(super) enum Slot<T> {
    Empty,
    Full(T),
}

impl<T> Slot<T> {
    /// `N` empty places.
    #[inline]
    pub(super) const fn all<const N: usize>() -> [Self; N] {
        [const { Self::Empty }; N]
    }
    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }
    #[inline]
    pub(super) const fn get(&self) -> Option<&T> {
        match self {
            Self::Empty => None,
            Self::Full(value) => Some(value),
        }
    }
    #[inline]
    pub(super) const fn get_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Empty => None,
            Self::Full(value) => Some(value),
        }
    }
    #[inline]
    pub(super) fn take(&mut self) -> Option<T> {
        match core::mem::replace(self, Self::Empty) {
            Self::Empty => None,
            Self::Full(value) => Some(value),
        }
    }
}
