//! What differs between the browser and a native process. Each difference is two files with one
//! interface, and the choice between them is made here, once.

mod common;
#[cfg(feature = "engine")]
pub mod device;
#[cfg(feature = "engine")]
pub mod device_state;
#[cfg(not(target_arch = "wasm32"))]
mod native;
pub mod parallel;
#[cfg(target_arch = "wasm32")]
mod web;

pub(crate) use common::escape;
pub use common::{Asset, Encoding, Fetched, MAX_DOWNLOAD, Progress, StorageLocation};
#[cfg(not(target_arch = "wasm32"))]
pub use native::{asset, encoding, fetch, files, gpu, hash, picture, store, text, time};
#[cfg(all(target_arch = "wasm32", feature = "engine"))]
pub use web::threads;
#[cfg(target_arch = "wasm32")]
pub use web::{asset, encoding, fetch, files, gpu, hash, picture, store, text, time};
