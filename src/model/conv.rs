//! The one way through which every trainable convolution goes, so that a faster one, with its gradient,
//! has a single place to stand in.

use burn::tensor::Tensor;
use burn::tensor::activation::relu as max_zero;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

use super::resnet::Conv;

/// What a convolution is apart from its weights. Kernel and channels are the weight's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// In both directions.
    pub stride: usize,
    /// Zeros added on each side.
    pub padding: usize,
    /// Groups of channels that do not see each other.
    pub groups: usize,
}

impl Geometry {
    /// That of a described convolution.
    #[must_use]
    pub const fn of(conv: &Conv) -> Self {
        Self {
            stride: conv.stride,
            padding: conv.padding(),
            groups: conv.groups,
        }
    }
}

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
    let (stride, padding) = ([geometry.stride; 2], [geometry.padding; 2]);
    let options = ConvOptions::new(stride, padding, [1, 1], geometry.groups);
    let mut y = conv2d(x, weight, Some(bias), options);
    if let Some(residual) = residual {
        y = y + residual;
    }
    if relu { max_zero(y) } else { y }
}
