//! What differs between the browser and a native process. Each difference is two files with one
//! interface, and the choice between them is made here, once.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod web;

#[cfg(not(target_arch = "wasm32"))]
pub use native::{files, time};
#[cfg(target_arch = "wasm32")]
pub use web::{files, time};
