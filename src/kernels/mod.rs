//! Our own kernels: WGSL from `shaders/` on a GPU, launched among burn's, and loops of our own on the CPU,
//! with burn's ops to fall back on.
//!
//! An op here answers `None` where no kernel of ours applies (a tensor on the CPU, a shape beyond the
//! adapter's limits, a kernel that failed its self-test), and the caller takes burn's op.

pub mod autotune;
pub mod conv;
mod fallback;
pub mod gpu;
pub mod host;
pub mod memory_order;
pub mod norm;
pub mod optimizer;
pub mod pool;
pub mod preprocess;
mod quickest;
pub mod reference;
pub mod relu;
pub mod self_test;
pub mod shape;
pub mod silu;
pub mod simd;
pub mod taps;

pub use host::to_host;

use gpu::kernel::Kernel;
use gpu::source::Shader;

/// Every kernel file, sorted by name: what `tests/shaders.rs` walks, so that none goes unchecked.
#[must_use]
pub fn shaders() -> Vec<Shader> {
    let mut all = conv::SHADERS.concat();
    all.extend(
        [
            gpu::peak::SHADERS,
            norm::cube::SHADERS,
            optimizer::SHADERS,
            pool::channels_last::SHADERS,
            pool::gpu::SHADERS,
            preprocess::SHADERS,
            relu::SHADERS,
        ]
        .concat(),
    );
    all.sort_by_key(|shader| shader.name);
    all
}

/// Every kernel as it is launched, sorted by name and tunables.
#[must_use]
pub fn launched() -> Vec<&'static Kernel> {
    let mut lists = conv::KERNELS.to_vec();
    lists.extend(optimizer::KERNELS);
    lists.extend([
        gpu::peak::KERNELS,
        norm::cube::KERNELS,
        pool::channels_last::KERNELS,
        pool::gpu::KERNELS,
        preprocess::KERNELS,
        relu::KERNELS,
    ]);
    let kernels = lists.into_iter().flatten();
    let mut all: Vec<&'static Kernel> = kernels.map(|kernel| &***kernel).collect();
    all.extend(conv::grouped::kernels());
    all.extend(conv::grouped_weights::kernels());
    all.sort_by_cached_key(ToString::to_string);
    all
}
