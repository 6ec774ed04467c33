//! `SiLU` with its gradient, as an extension of burn's backends: a loop of our own on the CPU, burn's ops on a GPU.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Cube, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{Scalar, Tensor};

use super::cpu;
use crate::kernels::fallback::ours_or;
use crate::kernels::host::{dense, tensor, values};

/// `SiLU` and its gradient on a backend that keeps no graph. The defaults are burn's ops.
pub trait SiluKernels: Backend {
    /// `x / (1 + exp(-x))`.
    fn silu_forward(x: FloatTensor<Self>) -> FloatTensor<Self> {
        burns_forward::<Self>(x)
    }

    /// The gradient of x.
    fn silu_backward(x: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self> {
        burns_backward::<Self>(x, dy)
    }
}

fn burns_forward<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let sigmoid = B::sigmoid(x.clone());
    B::float_mul(x, sigmoid)
}

/// `dy s (1 + x (1 - s))` with `s` the sigmoid of x.
fn burns_backward<B: Backend>(x: FloatTensor<B>, dy: FloatTensor<B>) -> FloatTensor<B> {
    let one = || Scalar::from(1.0);
    let sigmoid = B::sigmoid(x.clone());
    let rest = B::float_add_scalar(B::float_neg(sigmoid.clone()), one());
    let slope = B::float_add_scalar(B::float_mul(x, rest), one());
    B::float_mul(dy, B::float_mul(sigmoid, slope))
}

impl SiluKernels for Cube {}

impl SiluKernels for Flex {
    fn silu_forward(x: FloatTensor<Self>) -> FloatTensor<Self> {
        ours_or(
            x,
            |x| Some(tensor(cpu::forward(values(&dense(x)?)), &x.shape())),
            burns_forward::<Self>,
        )
    }

    fn silu_backward(x: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self> {
        ours_or(
            (x, dy),
            |(x, dy)| {
                let dx = cpu::backward(values(&dense(x)?), values(&dense(dy)?));
                Some(tensor(dx, &x.shape()))
            },
            |(x, dy)| burns_backward::<Self>(x, dy),
        )
    }
}

/// `SiLU` as an op of every backend, which burn's tensors dispatch to.
#[backend_extension(Autodiff, Cube, Flex)]
pub trait SiluExtension: Backend {
    /// As [`SiluKernels::silu_forward`].
    fn kernel_silu(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl SiluExtension for Flex {
    fn kernel_silu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::silu_forward(x)
    }
}

impl SiluExtension for Cube {
    fn kernel_silu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::silu_forward(x)
    }
}

#[derive(Debug)]
struct SiluBackward;

impl<B: SiluKernels> Backward<B, 1> for SiluBackward {
    type State = NodeId;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [node] = ops.parents;
        let dy = grads.consume::<B>(&ops.node);
        let x: FloatTensor<B> = checkpointer.retrieve_node_output(ops.state);
        if let Some(node) = node {
            grads.register::<B>(node.id, B::silu_backward(x, dy));
        }
    }
}

impl<B: SiluKernels, C: CheckpointStrategy> SiluExtension for Autodiff<B, C> {
    fn kernel_silu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        match SiluBackward
            .prepare::<C>([x.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prepared) => {
                let saved = prepared.checkpoint(&x);
                prepared.finish(saved, B::silu_forward(x.into_primitive()))
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::silu_forward(x.into_primitive())),
        }
    }
}

/// `x / (1 + exp(-x))` of every value, on any device, with a gradient where the device keeps them.
#[must_use]
pub fn silu(x: Tensor<4>) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::kernel_silu(x.into_dispatch()))
}
