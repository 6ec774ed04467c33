//! Convolution and batch norm with their gradients on the CPU, natively and in the browser.
//!
//! burn's own gradients of a convolution are made of other ops (a transposed convolution, a convolution of
//! transposed tensors), which took ten times as long as the forward pass. Here all three are one loop over
//! registers, [`lanes`], with different lists of places.
//!
//! Work is split by shape alone and sums are added in a fixed order, so that every run gives the same bits,
//! on any number of threads.

pub mod conv;
pub mod lanes;
pub mod layout;
pub mod norm;
pub mod weight;

use std::cell::RefCell;

/// Calls `f(index, chunk)` for all chunks of so many items; on several threads where there are any.
pub fn for_chunks<T: Send>(
    items: &mut [T],
    size: usize,
    f: impl Fn(usize, &mut [T]) + Sync + Send,
) {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        let chunks = items.par_chunks_mut(size.max(1)).with_max_len(1);
        chunks.enumerate().for_each(|(i, chunk)| f(i, chunk));
    }
    #[cfg(target_arch = "wasm32")]
    for (i, chunk) in items.chunks_mut(size.max(1)).enumerate() {
        f(i, chunk);
    }
}

thread_local! {
    /// Fresh memory costs a page fault every 4 KiB, so each thread keeps its buffers.
    static SCRATCH: RefCell<[Vec<f32>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
}

/// Calls `f` with two buffers of this thread; what they hold is left over.
pub fn with_scratch<R>(f: impl FnOnce(&mut Vec<f32>, &mut Vec<f32>) -> R) -> R {
    // Taken rather than borrowed: nested use gets new buffers instead of a panic.
    let [mut a, mut b] = SCRATCH.take();
    let result = f(&mut a, &mut b);
    SCRATCH.set([a, b]);
    result
}
