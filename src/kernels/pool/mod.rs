//! Max pooling and the global average: on a GPU ([`gpu`]), differentiable ([`autodiff`]), on the CPU
//! ([`cpu`]) and as the `f64` reference ([`mod@reference`]).

pub mod autodiff;
pub mod cpu;
pub mod gpu;
pub mod reference;

use autodiff::Window;
use burn::tensor::Tensor;
use burn::tensor::module::adaptive_avg_pool2d;

use super::gpu::launch::Buffer;

/// The largest value under a square window: `x` `[N,C,H,W]` to `[N,C,OH,OW]`.
#[must_use]
pub fn max_pool(x: Tensor<4>, kernel: usize, stride: usize, padding: usize) -> Tensor<4> {
    let y = Buffer::of(&x).and_then(|x| gpu::max_pool(&x, kernel, stride, padding));
    y.map_or_else(
        || {
            let window = Window {
                kernel,
                stride,
                padding,
            };
            autodiff::max_pool(x, window)
        },
        Buffer::into_tensor,
    )
}

/// The mean of each plane: `x` `[N,C,H,W]` to `[N,C]`.
#[must_use]
pub fn global_avg_pool(x: Tensor<4>) -> Tensor<2> {
    let y = Buffer::of(&x).and_then(|x| gpu::global_avg_pool(&x));
    y.map_or_else(
        || adaptive_avg_pool2d(x, [1, 1]).flatten(1, 3),
        Buffer::into_tensor,
    )
}
