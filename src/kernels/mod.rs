//! Our own GPU kernels: WGSL from `shaders/`, launched among burn's, with burn's ops to fall back on.
//!
//! An op here answers `None` where no kernel of ours applies (a tensor on the CPU, a shape beyond the
//! adapter's limits, a kernel that failed its self-test), and the caller takes burn's op.

pub mod choice;
pub mod conv;
pub mod launch;
pub mod ops;
pub mod params;
pub mod pool;
pub mod preprocess_tables;
pub mod reference;
pub mod shape;
pub mod source;
pub mod table;
