//! Independent work, one after the other: a worker has one thread.

/// Each item's result, in order.
pub fn map<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Send + Sync) -> Vec<R> {
    items.into_iter().map(work).collect()
}

/// How many items are worked on at once.
pub const fn width() -> usize {
    1
}
