//! A training's optimizer on a GPU: decay, rule, state and average of all weights in a few launches.
//!
//! Of burn's ops a step of Adam is some fourteen launches a tensor, with clipping and average eighteen; a `ResNet` has
//! 62 tensors or more, and a launch costs a browser 10 to 20 us of the CPU. Here the values of all tensors lie side by side in one
//! buffer ([`Flat`]), of which each tensor is a part; so do their gradients, which are gathered from where burn's
//! backward pass left them, the optimizer's state and the average. A step is then a launch for every six
//! gradients, one for all values, two for the gradient's norm and one for the average.
//!
//! Values and averages are never changed in place: a step writes new ones, so that whoever holds the old, as a model
//! being validated does, keeps them. The gradients and the optimizer's state nobody else holds.

mod average;
mod flat;
mod norm;
pub mod reference;
pub mod segments;
mod self_test;
mod update;

pub use average::average;
pub use flat::Flat;
pub use norm::clip_scale;
pub use self_test::self_test;
pub use update::{Gradient, Rule, SegmentStep, update};

use super::gpu::kernel::List;
use super::gpu::launch::Gpu;
use super::gpu::source::Shader;

/// The kernel files of this op.
pub const SHADERS: &[Shader] = &[
    average::AVERAGE,
    flat::GATHER,
    norm::CLIP,
    norm::SQUARES,
    update::ADAM,
    update::SGD,
];

/// The kernels of this op as they are launched, by module.
pub static KERNELS: [List; 4] = [
    average::KERNELS,
    flat::KERNELS,
    norm::KERNELS,
    update::KERNELS,
];

/// Stands for the optimizer where they are taken out of use.
enum Steps {}

/// Takes the kernels out of use, or puts them back.
pub fn set_broken(gpu: &Gpu, broken: bool) {
    gpu.set_broken::<Steps>(broken);
}

/// Whether the kernels are in use.
#[must_use]
pub fn usable(gpu: &Gpu) -> bool {
    gpu.uses::<Steps>()
}

/// Most values of one buffer: 128 MiB, which every adapter binds, and a few ms of a slow one's time a launch.
const MOST_VALUES: usize = 1 << 25;

/// Most values of a flat buffer on this GPU.
#[must_use]
pub fn most_values(gpu: &Gpu) -> usize {
    let bytes = usize::try_from(gpu.max_binding()).unwrap_or(usize::MAX);
    MOST_VALUES.min(bytes / size_of::<f32>())
}
