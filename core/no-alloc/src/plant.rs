//! An allocator and a user of it, to see them refused.

extern crate alloc;

use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};
use core::hint::black_box;
use core::ptr::null_mut;

struct Nothing;

// SAFETY: it never hands memory out.
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        black_box(null_mut())
    }
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static NOTHING: Nothing = Nothing;

/// Asks for memory, in vain.
pub fn plant() -> bool {
    let mut bytes = Vec::<u8>::new();
    (0..black_box(16)).all(|_| bytes.try_reserve(black_box(16)).is_ok())
}
