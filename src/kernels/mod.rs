//! Our own kernels: WGSL from `shaders/` on a GPU, launched among burn's, and loops of our own on the CPU,
//! with burn's ops to fall back on.
//!
//! An op here answers `None` where no kernel of ours applies (a tensor on the CPU, a shape beyond the
//! adapter's limits, a kernel that failed its self-test), and the caller takes burn's op.

pub mod autotune;
pub mod conv;
pub mod gpu;
pub mod host;
pub mod norm;
pub mod pool;
pub mod preprocess;
pub mod reference;
pub mod registry;
pub mod self_test;
pub mod shape;
pub mod simd;
pub mod taps;

pub use host::to_host;

/// Runs our kernel on the arguments of an op, or burn's op where ours answers that it does not apply.
pub(crate) fn ours_or<A, T>(
    arguments: A,
    ours: impl FnOnce(&A) -> Option<T>,
    burns: impl FnOnce(A) -> T,
) -> T {
    match ours(&arguments) {
        Some(result) => result,
        None => burns(arguments),
    }
}
