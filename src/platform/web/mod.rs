//! Files, storage, network, time and devices of a Web Worker.

pub mod asset;
pub mod encoding;
pub mod fetch;
pub mod files;
pub mod gpu;
pub mod hash;
mod js;
pub mod picture;
pub mod store;
pub mod text;
#[cfg(feature = "engine")]
pub mod threads;
pub mod time;
