//! Independent work on all processors, by rayon's pool.

use rayon::prelude::*;

/// Each item's result, in order.
pub fn map<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Send + Sync) -> Vec<R> {
    items.into_par_iter().map(work).collect()
}

/// How many items are worked on at once.
pub fn width() -> usize {
    rayon::current_num_threads()
}
