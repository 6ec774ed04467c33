//! The convolution with gradients, as an extension of burn's backends: our kernels on a GPU and on the CPU,
//! burn's ops wherever they do not apply.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::ops::ModuleOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Cube, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::Tensor;

use super::choice;
use super::conv::Algorithm;
use super::conv::gradient;
use super::conv::matmul::{Epilogue, MatMul};
use super::conv::weights::Weights;
use super::launch::Buffer;
use super::shape::{Conv, Geometry};

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

/// Everything on the GPU, and the sizes; nothing where our kernels are not for it.
fn on_gpu(
    x: &FloatTensor<Cube>,
    weight: &FloatTensor<Cube>,
    geometry: Geometry,
) -> Option<(Conv, Buffer, Weights)> {
    let dims = |tensor: &FloatTensor<Cube>| <[usize; 4]>::try_from(tensor.shape().to_vec()).ok();
    let conv = Conv::of(dims(x)?, dims(weight)?, geometry)?;
    let x = Buffer::of_primitive(x.clone())?;
    let weight = Buffer::of_primitive(weight.clone())?;
    Some((conv, x, Weights::new(weight, geometry.groups)))
}

/// The product for the input gradient, if it can be computed here.
fn backward_variant(conv: &Conv, weights: &Weights, max: u64) -> Option<MatMul> {
    let variant = choice::backward_matmul(conv);
    let usable = choice::enabled()
        && !choice::is_broken(Algorithm::Columns(variant))
        && gradient::can_apply(conv, weights, variant, max);
    usable.then_some(variant)
}

impl ConvKernels for Cube {
    fn forward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        let ours = || {
            let (conv, x, weights) = on_gpu(&x, &weight, geometry)?;
            let bias = Buffer::of_primitive(bias.clone())?;
            let gpu = x.gpu();
            let algorithm = choice::choose(&gpu, &conv, &weights)?;
            let epilogue = Epilogue {
                bias: Some(&bias),
                ..Epilogue::default()
            };
            Some(algorithm.run(&gpu, &conv, &x, &weights, epilogue))
        };
        match ours() {
            Some(y) => y.into_primitive(),
            None => Self::conv2d(x, weight, Some(bias), geometry.options()),
        }
    }

    fn input_gradient(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        let ours = || {
            let (conv, x, weights) = on_gpu(&x, &weight, geometry)?;
            let dy = Buffer::of_primitive(dy.clone())?;
            let gpu = x.gpu();
            let variant = backward_variant(&conv, &weights, gpu.max_binding())?;
            Some(gradient::input(&gpu, &conv, variant, &weights, &dy))
        };
        match ours() {
            Some(dx) => dx.into_primitive(),
            None => Self::conv2d_x_backward(x, weight, dy, geometry.options()),
        }
    }

    fn weight_gradient(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        let ours = || {
            let (conv, x, weights) = on_gpu(&x, &weight, geometry)?;
            let dy = Buffer::of_primitive(dy.clone())?;
            let gpu = x.gpu();
            backward_variant(&conv, &weights, gpu.max_binding())?;
            Some(gradient::weight(&gpu, &conv, &x, &dy))
        };
        match ours() {
            Some(dw) => dw.into_primitive(),
            None => Self::conv2d_weight_backward(x, weight, dy, geometry.options()),
        }
    }
}

/// The convolution that burn's tensors are sent through.
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
