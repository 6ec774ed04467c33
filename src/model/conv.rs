//! The one way through which every trainable convolution goes: our kernels and their gradients on a GPU,
//! burn's on the CPU.

use burn::tensor::Tensor;
use burn::tensor::activation::relu as max_zero;

use crate::kernels::autodiff::conv2d;
use crate::kernels::shape::Geometry;

/// `act(conv(x, weight) + bias + residual)`, act being ReLU or nothing.
///
/// `x` is `[N,I,H,W]`, `weight` `[O,I/groups,K,K]`, `bias` `[O]`; the result and `residual` are
/// `[N,O,H',W']` with `H' = (H + 2 padding - K) / stride + 1`. Differentiable in all four tensors.
#[must_use]
pub fn conv_bias_act(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    residual: Option<Tensor<4>>,
    relu: bool,
    geometry: Geometry,
) -> Tensor<4> {
    let mut y = conv2d(x, weight, bias, geometry);
    if let Some(residual) = residual {
        y = y + residual;
    }
    if relu { max_zero(y) } else { y }
}
