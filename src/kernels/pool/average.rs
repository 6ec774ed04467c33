//! The global average with its gradient, as an extension of burn's backends: our kernels on a GPU where images lie
//! channels last, burn's ops elsewhere.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Cube, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Tensor};

use super::channels_last;
use crate::kernels::fallback::ours_or;

/// The global average and its gradient on a backend that keeps no graph. The defaults are burn's ops.
pub trait AverageKernels: Backend {
    /// `x` `[N,C,H,W]` to `[N,C]`.
    fn average_forward(x: FloatTensor<Self>) -> FloatTensor<Self> {
        burns_forward::<Self>(x)
    }

    /// The gradient of x, from `dy` `[N,C]`.
    fn average_backward(x: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self> {
        burns_backward::<Self>(x, dy)
    }
}

fn burns_forward<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let sizes = x.shape();
    let y = B::adaptive_avg_pool2d(x, [1, 1]);
    B::float_reshape(y, Shape::new([sizes[0], sizes[1]]))
}

fn burns_backward<B: Backend>(x: FloatTensor<B>, dy: FloatTensor<B>) -> FloatTensor<B> {
    let sizes = x.shape();
    let dy = B::float_reshape(dy, Shape::new([sizes[0], sizes[1], 1, 1]));
    B::adaptive_avg_pool2d_backward(x, dy)
}

impl AverageKernels for Cube {
    fn average_forward(x: FloatTensor<Self>) -> FloatTensor<Self> {
        ours_or(x, channels_last::global_avg_pool, burns_forward::<Self>)
    }

    fn average_backward(x: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self> {
        ours_or(
            (x, dy),
            |(x, dy)| channels_last::global_avg_pool_gradient(x, dy),
            |(x, dy)| burns_backward::<Self>(x, dy),
        )
    }
}

impl AverageKernels for Flex {}

/// The global average as an op of every backend, which burn's tensors dispatch to.
#[backend_extension(Autodiff, Cube, Flex)]
pub trait AverageExtension: Backend {
    /// As [`AverageKernels::average_forward`].
    fn kernel_global_average(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl AverageExtension for Flex {
    fn kernel_global_average(x: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::average_forward(x)
    }
}

impl AverageExtension for Cube {
    fn kernel_global_average(x: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::average_forward(x)
    }
}

#[derive(Debug)]
struct AverageBackward;

impl<B: AverageKernels> Backward<B, 1> for AverageBackward {
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
            grads.register::<B>(node.id, B::average_backward(x, dy));
        }
    }
}

impl<B: AverageKernels, C: CheckpointStrategy> AverageExtension for Autodiff<B, C> {
    fn kernel_global_average(x: FloatTensor<Self>) -> FloatTensor<Self> {
        match AverageBackward
            .prepare::<C>([x.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prepared) => {
                let saved = prepared.checkpoint(&x);
                prepared.finish(saved, B::average_forward(x.into_primitive()))
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::average_forward(x.into_primitive())),
        }
    }
}

/// The mean of each plane, on any device, with a gradient where the device keeps them: `x` `[N,C,H,W]` to `[N,C]`.
#[must_use]
pub fn global_average(x: Tensor<4>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::kernel_global_average(x.into_dispatch()))
}
