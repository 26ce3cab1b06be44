//! Sequence numbers: 32 bits that wrap, compared as RFC 3208 section 6 and RFC 1982 say.

use core::fmt;

/// The number of a data packet of one source. It wraps: of two numbers less than 2^31 apart one is the earlier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sqn(pub u32);

impl Sqn {
    /// The number after this one.
    #[inline]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
    /// The number before this one.
    #[inline]
    pub const fn previous(self) -> Self {
        Self(self.0.wrapping_sub(1))
    }
    /// The number `n` after this one.
    #[inline]
    pub const fn plus(self, n: u32) -> Self {
        Self(self.0.wrapping_add(n))
    }
    /// How many numbers lie from `earlier` to this one; huge when this is the earlier one.
    #[inline]
    pub const fn since(self, earlier: Self) -> u32 {
        self.0.wrapping_sub(earlier.0)
    }
    /// Whether this number is earlier than `other`.
    #[inline]
    pub const fn is_before(self, other: Self) -> bool {
        self.since(other) > u32::MAX / 2
    }
}

impl fmt::Display for Sqn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_survives_the_wrap() {
        let last = Sqn(u32::MAX);
        assert_eq!(last.next(), Sqn(0));
        assert_eq!(Sqn(0).previous(), last);
        assert!(last.is_before(Sqn(0)) && !Sqn(0).is_before(last) && !last.is_before(last));
        assert_eq!((last.plus(3), Sqn(2).since(last)), (Sqn(2), 3));
        assert!(Sqn(0).is_before(Sqn(0x7fff_ffff)) && !Sqn(0).is_before(Sqn(0x8000_0001)));
    }
}
