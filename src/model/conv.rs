//! The one way through which every trainable convolution goes: our kernels and their gradients on a GPU,
//! burn's on the CPU.

use burn::tensor::Tensor;
use burn::tensor::activation::relu as max_zero;

use crate::kernels::conv::conv2d;
use crate::kernels::norm::batch_norm_train_act;
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

/// What a batch norm saw: mean and unbiased variance `[O]` of a batch, without gradients.
#[derive(Debug, Clone)]
pub struct Seen {
    /// `[O]`.
    pub mean: Tensor<1>,
    /// `[O]`, the sum of squares over one less than their number, as PyTorch keeps it.
    pub variance: Tensor<1>,
}

/// `act(norm(conv(x, weight)) + residual)` in training: normalised by mean and biased variance of the batch
/// per channel, then `norm[0]` times it plus `norm[1]` (Ioffe and Szegedy 2015, arXiv:1502.03167).
///
/// Shapes as in [`conv_bias_act`], `norm` `[O]` each. Differentiable in all but what was seen.
#[must_use]
pub fn conv_norm_act(
    x: Tensor<4>,
    weight: Tensor<4>,
    [gamma, beta]: [Tensor<1>; 2],
    epsilon: f64,
    residual: Option<Tensor<4>>,
    relu: bool,
    geometry: Geometry,
) -> (Tensor<4>, Seen) {
    let [channels, ..] = weight.dims();
    let none = Tensor::zeros([channels], &x.device());
    let y = conv2d(x, weight, none, geometry);
    let [n, _, h, w] = y.dims();
    let (y, mean, variance) = batch_norm_train_act(y, gamma, beta, residual, relu, epsilon);
    let count = (n * h * w) as f64;
    let plain = |x: Tensor<1>| {
        if x.device().is_autodiff() {
            x.inner()
        } else {
            x
        }
    };
    let seen = Seen {
        mean: plain(mean),
        variance: plain(variance) * (count / (count - 1.0).max(1.0)),
    };
    (y, seen)
}
