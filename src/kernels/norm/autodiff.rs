//! Batch norm in training, as an extension of burn's backends: fused on the CPU and, by
//! kernels of our own ([`super::cube`]), on a GPU; burn's ops where these do not apply.
//!
//! Composed of burn's ops it is some fifteen passes over memory in each direction; fused it is one, and
//! with the `ReLU` and the sum of a residual block behind it still one.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, AutodiffBackend, Backend, Cube, Dispatch, Flex, TensorMetadata, backend_extension,
};
use burn::tensor::{Scalar, Shape, Tensor};

use super::cpu::{self, NormShape};
use crate::kernels::host::{dense, dims, tensor, values};

/// Result, mean and variance.
pub type Normed<B> = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);

/// What the gradients are made of.
#[derive(Debug, Clone)]
pub struct Saved<B: Backend> {
    /// `[N,C,H,W]`.
    pub x: FloatTensor<B>,
    /// `[C]`.
    pub gamma: FloatTensor<B>,
    /// `[C]`.
    pub mean: FloatTensor<B>,
    /// `[C]`.
    pub variance: FloatTensor<B>,
    /// Like x, if a `ReLU` gave it.
    pub y: Option<FloatTensor<B>>,
    /// Added to the variance.
    pub eps: f64,
}

/// Gradients of x, gamma, beta and the residual.
pub type NormGradients<B> = (
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
);

/// Batch norm and its gradients on a backend that keeps no graph. The defaults are made of burn's ops.
pub trait NormKernels: Backend {
    /// `act((x - mean) / sqrt(variance + eps) * gamma + beta + residual)`, mean and variance.
    fn norm_forward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: Option<FloatTensor<Self>>,
        relu: bool,
        eps: f64,
    ) -> Normed<Self> {
        composed_forward::<Self>(x, gamma, beta, residual, relu, eps)
    }

    /// The gradients, from that of the result; that of the residual may be anything where it is not wanted.
    fn norm_backward(
        saved: Saved<Self>,
        dy: FloatTensor<Self>,
        with_residual: bool,
    ) -> NormGradients<Self> {
        let _ = with_residual;
        composed_backward(saved, dy)
    }
}

/// [`NormKernels::norm_forward`] of burn's ops.
pub fn composed_forward<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    beta: FloatTensor<B>,
    residual: Option<FloatTensor<B>>,
    relu: bool,
    eps: f64,
) -> Normed<B> {
    let channels = x.shape()[1];
    let mean = mean_of_channels::<B>(x.clone());
    let centred = B::float_sub(x, mean.clone());
    let squares = B::float_mul(centred.clone(), centred.clone());
    let variance = mean_of_channels::<B>(squares);
    let inverse = inverse_deviation::<B>(variance.clone(), eps);
    let scale = B::float_mul(over_channels::<B>(gamma), inverse);
    let mut y = B::float_mul(centred, scale);
    y = B::float_add(y, over_channels::<B>(beta));
    if let Some(residual) = residual {
        y = B::float_add(y, residual);
    }
    if relu {
        y = B::relu(y);
    }
    let flat = |tensor| B::float_reshape(tensor, Shape::new([channels]));
    (y, flat(mean), flat(variance))
}

/// [`NormKernels::norm_backward`] of burn's ops.
pub fn composed_backward<B: Backend>(saved: Saved<B>, dy: FloatTensor<B>) -> NormGradients<B> {
    let Saved {
        x,
        gamma,
        mean,
        variance,
        y,
        eps,
    } = saved;
    let shape = x.shape();
    let dy = match y {
        Some(y) => B::relu_backward(y, dy),
        None => dy,
    };
    let inverse = inverse_deviation::<B>(over_channels::<B>(variance), eps);
    let xhat = B::float_sub(x, over_channels::<B>(mean));
    let xhat = B::float_mul(xhat, inverse.clone());
    let product = B::float_mul(dy.clone(), xhat.clone());
    let mean_dy = mean_of_channels::<B>(dy.clone());
    let mean_product = mean_of_channels::<B>(product);
    let scale = B::float_mul(over_channels::<B>(gamma), inverse);
    let dx = B::float_sub(dy.clone(), mean_dy.clone());
    let dx = B::float_sub(dx, B::float_mul(xhat, mean_product.clone()));
    let dx = B::float_mul(dx, scale);
    let count = (shape[0] * shape[2] * shape[3]) as f64;
    let total = |mean| {
        let sum = B::float_mul_scalar(mean, Scalar::from(count));
        B::float_reshape(sum, Shape::new([shape[1]]))
    };
    (dx, total(mean_product), total(mean_dy), dy)
}

/// `[N,C,H,W]` to `[1,C,1,1]`.
fn mean_of_channels<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    [0, 2, 3]
        .into_iter()
        .fold(x, |x, dim| B::float_mean_dim(x, dim))
}

/// `[C]` to `[1,C,1,1]`.
fn over_channels<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let channels = x.shape()[0];
    B::float_reshape(x, Shape::new([1, channels, 1, 1]))
}

/// `1 / sqrt(variance + eps)`.
fn inverse_deviation<B: Backend>(variance: FloatTensor<B>, eps: f64) -> FloatTensor<B> {
    B::float_recip(B::float_sqrt(B::float_add_scalar(
        variance,
        Scalar::from(eps),
    )))
}

/// The sizes of a batch `[N,C,H,W]`.
fn batch_of(x: &FloatTensor<Flex>) -> Option<NormShape> {
    let [images, channels, height, width] = dims(x)?;
    Some(NormShape {
        images,
        channels,
        area: height * width,
    })
}

impl NormKernels for Flex {
    fn norm_forward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: Option<FloatTensor<Self>>,
        relu: bool,
        eps: f64,
    ) -> Normed<Self> {
        let shape = x.shape();
        let batch = batch_of(&x).unwrap_or_else(|| panic!("[N,C,H,W], not {shape:?}"));
        let [x, gamma, beta] = [x, gamma, beta].map(|tensor| f32_of(&tensor));
        let residual = residual.as_ref().map(f32_of);
        let parameters = [values(&gamma), values(&beta)];
        let residual = residual.as_ref().map(values);
        let normed = cpu::forward(batch, values(&x), parameters, residual, relu, eps);
        let channel = [batch.channels];
        (
            tensor(normed.y, &shape),
            tensor(normed.mean, &channel),
            tensor(normed.variance, &channel),
        )
    }

    fn norm_backward(
        saved: Saved<Self>,
        dy: FloatTensor<Self>,
        with_residual: bool,
    ) -> NormGradients<Self> {
        let Saved {
            x,
            gamma,
            mean,
            variance,
            y,
            eps,
        } = saved;
        let shape = x.shape();
        let batch = batch_of(&x).unwrap_or_else(|| panic!("[N,C,H,W], not {shape:?}"));
        let [x, gamma, mean, variance, dy] =
            [x, gamma, mean, variance, dy].map(|tensor| f32_of(&tensor));
        let y = y.as_ref().map(f32_of);
        let channels = [values(&gamma), values(&mean), values(&variance)];
        let pair = [values(&x), values(&dy)];
        let gradients = cpu::backward(
            batch,
            pair,
            y.as_ref().map(values),
            channels,
            with_residual,
            eps,
        );
        let channel = [batch.channels];
        let residual = match gradients.residual {
            Some(residual) => tensor(residual, &shape),
            None => dy,
        };
        (
            tensor(gradients.x, &shape),
            tensor(gradients.gamma, &channel),
            tensor(gradients.beta, &channel),
            residual,
        )
    }
}

/// Its values without gaps.
///
/// # Panics
/// If they are not `f32`, which is all that this crate computes in on the CPU.
fn f32_of(tensor: &FloatTensor<Flex>) -> FloatTensor<Flex> {
    dense(tensor).unwrap_or_else(|| panic!("f32, not {:?}", tensor.dtype()))
}

/// Batch norm as an op of every backend, which burn's tensors dispatch to.
#[backend_extension(Autodiff, Cube, Flex)]
pub trait NormExtension: Backend {
    /// As [`NormKernels::norm_forward`] without a residual.
    fn kernel_batch_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        relu: bool,
        eps: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// As [`NormKernels::norm_forward`] with a residual and a `ReLU`.
    fn kernel_batch_norm_add(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        relu: bool,
        eps: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// The same for every backend without a graph.
macro_rules! without_graph {
    ($backend:ident) => {
        impl NormExtension for $backend {
            fn kernel_batch_norm(
                x: FloatTensor<Self>,
                gamma: FloatTensor<Self>,
                beta: FloatTensor<Self>,
                relu: bool,
                eps: f64,
            ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
                Self::norm_forward(x, gamma, beta, None, relu, eps)
            }

            fn kernel_batch_norm_add(
                x: FloatTensor<Self>,
                gamma: FloatTensor<Self>,
                beta: FloatTensor<Self>,
                residual: FloatTensor<Self>,
                relu: bool,
                eps: f64,
            ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
                Self::norm_forward(x, gamma, beta, Some(residual), relu, eps)
            }
        }
    };
}

without_graph!(Flex);
without_graph!(Cube);

/// Of 3 parents, or of 4 with the residual.
#[derive(Debug)]
struct NormBackward;

impl<B: NormKernels, const N: usize> Backward<B, N> for NormBackward {
    type State = Saved<B>;

    fn backward(self, ops: Ops<Self::State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = grads.consume::<B>(&ops.node);
        let wants_residual = ops.parents.get(3).is_some_and(Option::is_some);
        let (dx, dgamma, dbeta, dresidual) = B::norm_backward(ops.state, dy, wants_residual);
        let gradients = [dx, dgamma, dbeta, dresidual];
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(node) = parent {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

/// The op with its gradients: of `parents` the first three are x, gamma and beta.
fn tracked<B: NormKernels, C: CheckpointStrategy, const N: usize>(
    parents: [FloatTensor<Autodiff<B, C>>; N],
    relu: bool,
    eps: f64,
) -> Normed<Autodiff<B, C>> {
    let nodes = parents.each_ref().map(|parent| parent.node());
    let mut inner = parents.into_iter().map(|parent| parent.into_primitive());
    let mut next = || inner.next();
    let (Some(x), Some(gamma), Some(beta)) = (next(), next(), next()) else {
        unreachable!("x, gamma and beta")
    };
    let forward = B::norm_forward(x.clone(), gamma.clone(), beta, next(), relu, eps);
    let (y, mean, variance) = forward;
    let result = match NormBackward.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let saved = Saved {
                x,
                gamma,
                mean: mean.clone(),
                variance: variance.clone(),
                y: relu.then(|| y.clone()),
                eps,
            };
            prepared.finish(saved, y)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(y),
    };
    let constant = <Autodiff<B, C> as AutodiffBackend>::from_inner;
    (result, constant(mean), constant(variance))
}

impl<B: NormKernels, C: CheckpointStrategy> NormExtension for Autodiff<B, C> {
    fn kernel_batch_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        relu: bool,
        eps: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        tracked::<B, C, 3>([x, gamma, beta], relu, eps)
    }

    fn kernel_batch_norm_add(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        relu: bool,
        eps: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        tracked::<B, C, 4>([x, gamma, beta, residual], relu, eps)
    }
}

/// Normalises `x` `[N,C,H,W]` by the mean and the biased variance of each of its channels, as
/// `torch.nn.BatchNorm2d` does in training: `gamma`, `beta` `[C]`. Gives y, mean `[C]` and variance `[C]`;
/// y is differentiable in all three, mean and variance are constants.
#[must_use]
pub fn batch_norm_train(
    x: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    eps: f64,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    batch_norm_train_act(x, gamma, beta, None, false, eps)
}

/// The same followed by `act(y + residual)`, act being ReLU or nothing; differentiable in `residual`
/// `[N,C,H,W]` as well.
#[must_use]
pub fn batch_norm_train_act(
    x: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    residual: Option<Tensor<4>>,
    relu: bool,
    eps: f64,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    let (x, gamma, beta) = (
        x.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
    );
    let (y, mean, variance) = match residual {
        None => Dispatch::kernel_batch_norm(x, gamma, beta, relu, eps),
        Some(residual) => {
            Dispatch::kernel_batch_norm_add(x, gamma, beta, residual.into_dispatch(), relu, eps)
        }
    };
    (
        Tensor::from_dispatch(y),
        Tensor::from_dispatch(mean),
        Tensor::from_dispatch(variance),
    )
}
