//! Files, storage, network, time and devices of a native process.

pub mod files;
pub mod time;
