//! Files, storage, network, time and devices of a native process.

pub mod asset;
pub mod fetch;
pub mod files;
pub mod gpu;
pub mod hash;
pub mod parallel;
pub mod store;
pub mod time;
