//! Files, storage, network, time and devices of a Web Worker.

pub mod asset;
pub mod fetch;
pub mod files;
pub mod gpu;
pub mod hash;
mod js;
pub mod parallel;
pub mod store;
pub mod time;
