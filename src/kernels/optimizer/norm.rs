//! The norm of the whole gradient, and what it is clipped by.

use super::flat::Flat;
use crate::kernels::gpu::kernel::kernels;
use crate::kernels::gpu::launch::{Buffer, Kernel};
use crate::kernels::gpu::params::params;
use crate::kernels::gpu::source::{Shader, shader};

params! {
    /// `optimizer_squares.wgsl`.
    pub struct OptimizerSquaresParams {
        /// Fours of values.
        pub elements: u32,
        /// Where the sums of this buffer begin.
        pub first: u32,
    }
}

params! {
    /// `optimizer_clip.wgsl`.
    pub struct OptimizerClipParams {
        /// Sums.
        pub sums: u32,
        /// The largest norm.
        pub limit: f32,
    }
}

/// Sums of squares.
pub(super) const SQUARES: Shader = shader!(
    "optimizer_squares",
    [256, 1, 1],
    OptimizerSquaresParams,
    "sum"
);
/// The factor that follows from them.
pub(super) const CLIP: Shader = shader!("optimizer_clip", [256, 1, 1], OptimizerClipParams, "sum");

kernels! {
    SQUARES_KERNEL = Kernel::of(&SQUARES);
    CLIP_KERNEL = Kernel::of(&CLIP);
}

/// Sums of a buffer: enough workgroups for a large GPU's memory, few enough for one workgroup to add them up.
const SUMS: usize = 256;

/// What a gradient is multiplied by so that its norm is `limit` at most, `[1]`: `min(limit / (norm + 1e-6), 1)`, as
/// PyTorch's `clip_grad_norm_` has it. Padding counts, so it has to be 0. It stays on the device.
/// <https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html>
#[must_use]
pub fn clip_scale(gradient: &Flat, limit: f32) -> Buffer {
    let gpu = gradient.gpu();
    let count = SUMS * gradient.chunks().len();
    let sums = gpu.empty(&[count]);
    for (chunk, values) in gradient.chunks().iter().enumerate() {
        let params = OptimizerSquaresParams {
            elements: (values.dims()[0] / 4) as u32,
            first: (SUMS * chunk) as u32,
        };
        let words = params.words();
        gpu.launch_in_place(&SQUARES_KERNEL, [SUMS, 1, 1], &[values], &[&sums], &words);
    }
    let scale = gpu.empty(&[1]);
    let params = OptimizerClipParams {
        sums: count as u32,
        limit,
    };
    gpu.launch(&CLIP_KERNEL, [1; 3], &[&sums], &scale, &params.words());
    scale
}
