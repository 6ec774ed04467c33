//! What kind of GPU this process has opened; it opens one.

use std::sync::{Mutex, PoisonError};

/// What work on the GPU runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Adapter {
    /// A GPU: workgroup memory and barriers are cheap, threads are many.
    Hardware,
    /// A CPU that poses as one: a barrier suspends every invocation, memory is far away.
    Software,
}

static ADAPTER: Mutex<Adapter> = Mutex::new(Adapter::Hardware);

/// Says which; before that it counts as hardware.
pub fn set(adapter: Adapter) {
    *ADAPTER.lock().unwrap_or_else(PoisonError::into_inner) = adapter;
}

/// What [`set`] said.
#[must_use]
pub fn get() -> Adapter {
    *ADAPTER.lock().unwrap_or_else(PoisonError::into_inner)
}
