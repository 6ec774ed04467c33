//! Files, storage, network, time and devices of a Web Worker.

pub mod files;
pub mod time;
