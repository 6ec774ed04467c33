//! Files, storage, network, time and devices of a native process.

pub mod asset;
pub mod encoding;
pub mod fetch;
pub mod files;
mod folder;
pub mod gpu;
pub mod hash;
pub mod picture;
pub mod store;
pub mod text;
pub mod time;
