//! `ReLU` with its gradient, as an extension of burn's backends: burn's ops on the CPU and on software adapters, one pass
//! over memory each way on a hardware GPU.
//!
//! burn's is two kernels each way, a comparison and a choice, which walk `[N,C,H,W]` however images lie and leave their
//! result so: 20 bytes a value where 8 and 12 do, and a transposition that nobody asked for. It also keeps x for its
//! gradient, where y does, which the next convolution keeps anyway.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::ops::{ActivationOps, FloatTensorOps};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Cube, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{Scalar, Tensor};

use super::fallback::ours_or;
use super::gpu::kernel::kernels;
use super::gpu::launch::{Binding, Buffer, Gpu, Kernel, layout_of, spread};
use super::gpu::params::params;
use super::gpu::source::{Shader, shader};
use super::shape::bytes_of;

params! {
    /// `relu_gradient.wgsl`.
    pub struct ReluGradientParams {
        /// Values in all.
        pub elements: u32,
    }
}

const GRADIENT: Shader = shader!("relu_gradient", [64, 1, 1], ReluGradientParams);

/// The kernel files of this op.
pub const SHADERS: &[Shader] = &[GRADIENT];

kernels! {
    GRADIENT_KERNEL = Kernel::of(&GRADIENT);
}

/// `ReLU` and its gradient on a backend that keeps no graph. The defaults are burn's ops.
pub trait ReluKernels: Backend {
    /// `max(x, 0)`; what is not a number stays so.
    fn relu_forward(x: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::relu(x)
    }

    /// The gradient of x, from y and that of y.
    fn relu_gradient(y: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::relu_backward(y, dy)
    }
}

fn on_hardware(x: &FloatTensor<Cube>) -> Option<Gpu> {
    Gpu::behind(x).filter(|gpu| gpu.enabled() && gpu.adapter().is_hardware())
}

/// Images in the order in which y lies.
fn gradient(y: &FloatTensor<Cube>, dy: &FloatTensor<Cube>) -> Option<FloatTensor<Cube>> {
    let gpu = on_hardware(y)?;
    let dims = y.shape().to_vec();
    let elements = dims.iter().product::<usize>();
    if dims.len() != 4 || dy.shape().to_vec() != dims || bytes_of(&dims) > gpu.max_binding() {
        return None;
    }
    let layout = layout_of(y)?;
    let y = Buffer::in_layout(y.clone(), layout)?;
    let dy = Buffer::in_layout(dy.clone(), layout)?;
    let dx = gpu.empty(&y.dims());
    let params = ReluGradientParams {
        elements: u32::try_from(elements).ok()?,
    };
    let inputs: [&dyn Binding; 2] = [&y, &dy];
    let workgroups = spread(elements)?;
    gpu.launch(&GRADIENT_KERNEL, workgroups, &inputs, &dx, &params.words());
    Some(dx.into_images(layout))
}

impl ReluKernels for Cube {
    fn relu_forward(x: FloatTensor<Self>) -> FloatTensor<Self> {
        match on_hardware(&x) {
            // One kernel, which keeps the order, in the memory of x where nothing else needs that.
            Some(_) => Self::float_clamp(x, Scalar::from(0.0), Scalar::from(f32::INFINITY)),
            None => Self::relu(x),
        }
    }

    fn relu_gradient(y: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self> {
        ours_or(
            (y, dy),
            |(y, dy)| gradient(y, dy),
            |(y, dy)| Self::relu_backward(y, dy),
        )
    }
}

impl ReluKernels for Flex {}

/// `ReLU` as an op of every backend, which burn's tensors dispatch to.
#[backend_extension(Autodiff, Cube, Flex)]
pub trait ReluExtension: Backend {
    /// As [`ReluKernels::relu_forward`].
    fn kernel_relu(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl ReluExtension for Flex {
    fn kernel_relu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::relu_forward(x)
    }
}

impl ReluExtension for Cube {
    fn kernel_relu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::relu_forward(x)
    }
}

#[derive(Debug)]
struct ReluBackward;

impl<B: ReluKernels> Backward<B, 1> for ReluBackward {
    /// y.
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [node] = ops.parents;
        let dy = grads.consume::<B>(&ops.node);
        if let Some(node) = node {
            grads.register::<B>(node.id, B::relu_gradient(ops.state, dy));
        }
    }
}

impl<B: ReluKernels, C: CheckpointStrategy> ReluExtension for Autodiff<B, C> {
    fn kernel_relu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let prepared = ReluBackward.prepare::<C>([x.node()]).compute_bound();
        let y = B::relu_forward(x.into_primitive());
        match prepared.stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(y.clone(), y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }
}

/// `max(x, 0)` of every value, on any device, with a gradient where the device keeps them.
#[must_use]
pub fn relu(x: Tensor<4>) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::kernel_relu(x.into_dispatch()))
}
