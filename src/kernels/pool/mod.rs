//! Max pooling and the global average: on a GPU ([`gpu`], [`channels_last`]), differentiable ([`autodiff`],
//! [`average`]), on the CPU ([`cpu`]) and as the `f64` reference ([`mod@reference`]).

pub mod autodiff;
pub mod average;
pub mod channels_last;
pub mod cpu;
pub mod gpu;
pub mod reference;

use autodiff::Window;
use burn::backend::Cube;
use burn::tensor::Tensor;

use super::gpu::launch::Buffer;

/// The largest value under a square window: `x` `[N,C,H,W]` to `[N,C,OH,OW]`.
#[must_use]
pub fn max_pool(x: Tensor<4>, kernel: usize, stride: usize, padding: usize) -> Tensor<4> {
    let window = Window {
        kernel,
        stride,
        padding,
    };
    let ours = || {
        let x = x.clone().try_into_primitive::<Cube>().ok()?;
        if let Some(y) = channels_last::max_pool(&x, window) {
            return Some(Tensor::from_primitive::<Cube>(y));
        }
        let x = Buffer::of_primitive(x)?;
        gpu::max_pool(&x, kernel, stride, padding).map(Buffer::into_tensor)
    };
    ours().unwrap_or_else(|| autodiff::max_pool(x, window))
}

/// The mean of each plane: `x` `[N,C,H,W]` to `[N,C]`.
#[must_use]
pub fn global_avg_pool(x: Tensor<4>) -> Tensor<2> {
    let ours = || {
        let x = x.clone().try_into_primitive::<Cube>().ok()?;
        if let Some(y) = channels_last::global_avg_pool(&x) {
            return Some(Tensor::from_primitive::<Cube>(y));
        }
        gpu::global_avg_pool(&Buffer::of_primitive(x)?).map(Buffer::into_tensor)
    };
    ours().unwrap_or_else(|| average::global_average(x))
}
