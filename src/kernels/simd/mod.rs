//! What every CPU kernel is built from: loops per instruction set ([`lanes`]), packed factors ([`panels`]),
//! threads, scratch memory and the allocator's settings.
//!
//! The work is split by shape alone and sums are added in a fixed order, so every run gives the same bits on
//! any number of threads. Between instruction sets the last bits differ: a multiply-add rounds once with AVX2, AVX-512 and
//! mostly in the page, twice elsewhere and in the page's engine without relaxed SIMD (`xtask/src/plain_simd.rs`).

pub mod allocator;
pub mod lanes;
pub mod panels;
pub mod sums;

use std::cell::RefCell;

use rayon::prelude::*;

/// Calls `f(index, chunk)` for each chunk of `size` items, on several threads where there are any.
pub fn for_chunks<T: Send>(
    items: &mut [T],
    size: usize,
    f: impl Fn(usize, &mut [T]) + Sync + Send,
) {
    let chunks = items.par_chunks_mut(size.max(1)).with_max_len(1);
    chunks.enumerate().for_each(|(i, chunk)| f(i, chunk));
}

/// A vector of `length` values, all of which `f` writes. They are not cleared first, which saves a pass over
/// memory.
pub fn written(length: usize, f: impl FnOnce(&mut [f32])) -> Vec<f32> {
    let mut values = Vec::with_capacity(length);
    // SAFETY: there is room for them, any bits are an `f32`, and `f` writes all before they are read.
    unsafe {
        f(std::slice::from_raw_parts_mut(values.as_mut_ptr(), length));
        values.set_len(length);
    }
    values
}

/// Buffers of a thread.
type Scratch = [Vec<f32>; 3];

thread_local! {
    /// Fresh memory costs a page fault every 4 KiB, so each thread keeps its buffers.
    static SCRATCH: RefCell<Vec<Scratch>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with this thread's scratch buffers, whose content is undefined. A nested call gets others.
pub fn with_scratch<R>(f: impl FnOnce(&mut Scratch) -> R) -> R {
    let kept = SCRATCH.with_borrow_mut(Vec::pop);
    let mut scratch = kept.unwrap_or_default();
    let result = f(&mut scratch);
    SCRATCH.with_borrow_mut(|all| all.push(scratch));
    result
}
