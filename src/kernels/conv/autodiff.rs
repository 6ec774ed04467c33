//! The differentiable convolution, as an extension of burn's backends. Each backend brings its kernels:
//! `super::cube` on a GPU, `super::flex` on the CPU; both fall back to burn's op.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Cube, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;

use crate::kernels::shape::Geometry;

/// The convolution and its gradients on a backend that keeps no graph. The defaults are burn's ops.
pub trait ConvKernels: Backend {
    /// `conv(x) + bias`: `x` `[N,C,H,W]`, `weight` `[O,C/G,KH,KW]`, `bias` `[O]` to `[N,O,OH,OW]`.
    fn forward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        Self::conv2d(x, weight, Some(bias), geometry.options())
    }

    /// The gradient of `x`, from that of the result, `dy` `[N,O,OH,OW]`.
    fn input_gradient(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        Self::conv2d_x_backward(x, weight, dy, geometry.options())
    }

    /// The gradient of `weight`.
    fn weight_gradient(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        Self::conv2d_weight_backward(x, weight, dy, geometry.options())
    }

    /// The gradient of `bias`.
    fn bias_gradient(
        x: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        Self::conv2d_bias_backward(x, bias, dy)
    }
}

/// The convolution as an op of every backend, which burn's tensors dispatch to.
#[backend_extension(Autodiff, Cube, Flex)]
pub trait ConvExtension: Backend {
    /// `conv(x) + bias`; shapes as in [`ConvKernels::forward`].
    fn kernel_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self>;
}

impl ConvExtension for Flex {
    fn kernel_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        <Self as ConvKernels>::forward(x, weight, bias, geometry)
    }
}

impl ConvExtension for Cube {
    fn kernel_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        <Self as ConvKernels>::forward(x, weight, bias, geometry)
    }
}

#[derive(Debug)]
struct ConvBackward;

impl<B: ConvKernels> Backward<B, 3> for ConvBackward {
    /// Input, weight and bias as they were, and the geometry.
    type State = (NodeId, NodeId, NodeId, Geometry);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [node_x, node_weight, node_bias] = ops.parents;
        let dy = grads.consume::<B>(&ops.node);
        let (x, weight, bias, geometry) = ops.state;
        let x: FloatTensor<B> = checkpointer.retrieve_node_output(x);
        let weight: FloatTensor<B> = checkpointer.retrieve_node_output(weight);
        let bias: FloatTensor<B> = checkpointer.retrieve_node_output(bias);
        if let Some(node) = node_x {
            let dx = B::input_gradient(x.clone(), weight.clone(), dy.clone(), geometry);
            grads.register::<B>(node.id, dx);
        }
        if let Some(node) = node_weight {
            let dw = B::weight_gradient(x.clone(), weight, dy.clone(), geometry);
            grads.register::<B>(node.id, dw);
        }
        if let Some(node) = node_bias {
            grads.register::<B>(node.id, B::bias_gradient(x, bias, dy));
        }
    }
}

impl<B: ConvKernels, C: CheckpointStrategy> ConvExtension for Autodiff<B, C> {
    fn kernel_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        let prepared = ConvBackward
            .prepare::<C>([x.node(), weight.node(), bias.node()])
            .compute_bound()
            .stateful();
        match prepared {
            OpsKind::Tracked(mut prepared) => {
                let state = (
                    prepared.checkpoint(&x),
                    prepared.checkpoint(&weight),
                    prepared.checkpoint(&bias),
                    geometry,
                );
                let y = B::forward(
                    x.into_primitive(),
                    weight.into_primitive(),
                    bias.into_primitive(),
                    geometry,
                );
                prepared.finish(state, y)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::forward(
                x.into_primitive(),
                weight.into_primitive(),
                bias.into_primitive(),
                geometry,
            )),
        }
    }
}

/// `conv(x) + bias` on any device, with gradients where the device keeps them: `x` `[N,C,H,W]`, `weight`
/// `[O,C/G,KH,KW]`, `bias` `[O]` to `[N,O,OH,OW]`.
#[must_use]
pub fn conv2d(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, geometry: Geometry) -> Tensor<4> {
    let (x, weight, bias) = (
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
    );
    Tensor::from_dispatch(Dispatch::kernel_conv2d(x, weight, bias, geometry))
}
