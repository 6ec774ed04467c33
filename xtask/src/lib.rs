//! What `cargo xtask` and the browser tests share: building dist/, serving it, running commands.

pub mod build;
pub mod compress;
pub mod gpu;
pub mod optimize;
pub mod plain_simd;
pub mod precache;
pub mod project;
pub mod serve;
pub mod setup;
pub mod shared_memory;
pub mod style;
pub mod suite;
