//! Where windows, peers and packets are kept: [`Fixed`] has all sizes in its type, `Heap` (feature `alloc`) grows.
//!
//! Packets are bodies of the core, and queues the core's; what PGM adds are places with numbers.

use omnimq_core::storage::Queue;
use omnimq_core::storage::fixed::{Bytes, Fifo};
use omnimq_core::{Body, Draft};

/// A family of types to keep things in; never a value.
pub trait Storage: Sized {
    /// What the data of a packet is kept in.
    type Packet: Body;
    /// The places of a window.
    type Window<T>: Cells<T>;
    /// The places of the peers.
    type Peers<T>: Cells<T>;
    /// Numbers that wait to be sent.
    type Queue<T>: Queue<T>;
}

/// Places for values, numbered from 0.
pub trait Cells<T>: Default {
    /// Most places there can ever be.
    const MOST: u32;
    /// Sees to it that there are `places` places at least; false when there cannot be so many.
    fn grow(&mut self, places: u32) -> bool;
    /// The places that there are.
    fn places(&self) -> &[Option<T>];
    /// The places that there are.
    fn places_mut(&mut self) -> &mut [Option<T>];
    /// The value at a place.
    #[inline]
    fn get(&self, at: u32) -> Option<&T> {
        self.places().get(at as usize)?.as_ref()
    }
    /// The value at a place.
    #[inline]
    fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        self.places_mut().get_mut(at as usize)?.as_mut()
    }
    /// Puts a value at a place, whatever was there.
    ///
    /// # Errors
    /// It comes back when there is no such place.
    fn put(&mut self, at: u32, value: T) -> Result<(), T> {
        match self.places_mut().get_mut(at as usize) {
            Some(place) => {
                *place = Some(value);
                Ok(())
            }
            None => Err(value),
        }
    }
    /// Takes the value at a place out.
    #[inline]
    fn take(&mut self, at: u32) -> Option<T> {
        self.places_mut().get_mut(at as usize)?.take()
    }
}

/// Appends what there is room for.
#[inline]
pub(crate) fn append<D: Draft>(draft: &mut D, mut octets: &[u8]) {
    while !octets.is_empty() {
        let space = draft.space();
        let n = space.len().min(octets.len());
        let (Some(to), Some((from, rest))) = (space.get_mut(..n), octets.split_at_checked(n)) else { return };
        if n == 0 {
            return;
        }
        to.copy_from_slice(from);
        draft.advance(n);
        octets = rest;
    }
}

/// `PEERS` sources, of each a window of `WINDOW` packets with up to `TSDU` octets of data. `WINDOW` is a power of two.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fixed<const PEERS: usize, const WINDOW: usize, const TSDU: usize>;

impl<const PEERS: usize, const WINDOW: usize, const TSDU: usize> Storage for Fixed<PEERS, WINDOW, TSDU> {
    type Packet = Bytes<TSDU>;
    type Window<T> = Array<T, WINDOW>;
    type Peers<T> = Array<T, PEERS>;
    type Queue<T> = Fifo<T, WINDOW>;
}

/// `N` places.
#[derive(Clone, Debug)]
pub struct Array<T, const N: usize>([Option<T>; N]);

impl<T, const N: usize> Default for Array<T, N> {
    fn default() -> Self {
        Self([const { None }; N])
    }
}

impl<T, const N: usize> Cells<T> for Array<T, N> {
    const MOST: u32 = {
        assert!(N <= 1 << 16, "Fixed storage has at most 65,536 places");
        N as u32
    };
    fn grow(&mut self, places: u32) -> bool {
        places <= Self::MOST
    }
    #[inline]
    fn places(&self) -> &[Option<T>] {
        &self.0
    }
    #[inline]
    fn places_mut(&mut self) -> &mut [Option<T>] {
        &mut self.0
    }
}

#[cfg(feature = "alloc")]
pub use heap::{Heap, Places};

#[cfg(feature = "alloc")]
mod heap {
    //! Storage on the allocator.

    use super::{Cells, Storage};
    use alloc::vec::Vec;
    use omnimq_core::Blob;

    /// Storage on the allocator: counted packets, places that grow with use.
    #[derive(Clone, Copy, Debug, Default)]
    pub struct Heap;

    impl Storage for Heap {
        type Packet = Blob;
        type Window<T> = Places<T>;
        type Peers<T> = Places<T>;
        type Queue<T> = omnimq_core::storage::heap::Fifo<T>;
    }

    /// Places that grow.
    #[derive(Clone, Debug)]
    pub struct Places<T>(Vec<Option<T>>);

    impl<T> Default for Places<T> {
        fn default() -> Self {
            Self(Vec::new())
        }
    }

    impl<T> Cells<T> for Places<T> {
        const MOST: u32 = 1 << 22;
        fn grow(&mut self, places: u32) -> bool {
            if places > Self::MOST {
                return false;
            }
            if places as usize > self.0.len() {
                self.0.resize_with(places as usize, || None);
            }
            true
        }
        #[inline]
        fn places(&self) -> &[Option<T>] {
            &self.0
        }
        #[inline]
        fn places_mut(&mut self) -> &mut [Option<T>] {
            &mut self.0
        }
    }
}
