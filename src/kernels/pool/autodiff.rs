//! Max pooling with its gradient, as an extension of burn's backends: loops of our own on the CPU, our kernels on a
//! GPU where images lie channels last, burn's ops elsewhere.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::ops::ModuleOps;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, Backend, Cube, Dispatch, Flex, IntDType, backend_extension};
use burn::tensor::{Tensor, TensorData};

use super::{channels_last, cpu};
use crate::kernels::fallback::ours_or;
use crate::kernels::host::{dense, dims, tensor, values};
use crate::kernels::shape::PoolShape;

/// A square window: the same numbers on both axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns.
    pub kernel: usize,
    /// Pixels from one to the next.
    pub stride: usize,
    /// Pixels added on each side, which never win; at most half the kernel.
    pub padding: usize,
}

impl Window {
    /// Kernel, stride and padding as burn takes them.
    const fn pairs(self) -> [[usize; 2]; 3] {
        [[self.kernel; 2], [self.stride; 2], [self.padding; 2]]
    }

    /// Sizes for `x` `[N,C,H,W]`, if there is an output and no window of padding alone.
    pub(super) fn on(self, [images, channels, height, width]: [usize; 4]) -> Option<PoolShape> {
        let shape = PoolShape {
            planes: images * channels,
            size: [height, width],
            kernel: [self.kernel; 2],
            stride: [self.stride; 2],
            padding: [self.padding; 2],
        };
        let fits = shape
            .size
            .iter()
            .all(|n| *n > 0 && self.kernel <= n + 2 * self.padding);
        (fits && self.stride > 0 && 2 * self.padding <= self.kernel).then_some(shape)
    }
}

/// Max pooling and its gradient on a backend that keeps no graph. The defaults are burn's ops.
pub trait PoolKernels: Backend {
    /// `x` `[N,C,H,W]` to `[N,C,OH,OW]`, and where each value came from, as [`Self::pool_backward`] reads it.
    fn pool_forward(x: FloatTensor<Self>, window: Window) -> (FloatTensor<Self>, IntTensor<Self>) {
        burns_forward::<Self>(x, window)
    }

    /// The gradient of x.
    fn pool_backward(
        x: FloatTensor<Self>,
        indices: IntTensor<Self>,
        dy: FloatTensor<Self>,
        window: Window,
    ) -> FloatTensor<Self> {
        burns_backward::<Self>(x, indices, dy, window)
    }
}

fn burns_forward<B: Backend>(x: FloatTensor<B>, window: Window) -> (FloatTensor<B>, IntTensor<B>) {
    let [kernel, stride, padding] = window.pairs();
    let dtype = IntDType::I32;
    let result = B::max_pool2d_with_indices(x, kernel, stride, padding, [1; 2], false, dtype);
    (result.output, result.indices)
}

fn burns_backward<B: Backend>(
    x: FloatTensor<B>,
    indices: IntTensor<B>,
    dy: FloatTensor<B>,
    window: Window,
) -> FloatTensor<B> {
    let [kernel, stride, padding] = window.pairs();
    let gradient =
        B::max_pool2d_with_indices_backward(x, kernel, stride, padding, [1; 2], false, dy, indices);
    gradient.x_grad
}

impl PoolKernels for Cube {
    fn pool_forward(x: FloatTensor<Self>, window: Window) -> (FloatTensor<Self>, IntTensor<Self>) {
        ours_or(
            x,
            |x| channels_last::max_pool_with_places(x, window).map(|[y, places]| (y, places)),
            |x| burns_forward::<Self>(x, window),
        )
    }

    fn pool_backward(
        x: FloatTensor<Self>,
        indices: IntTensor<Self>,
        dy: FloatTensor<Self>,
        window: Window,
    ) -> FloatTensor<Self> {
        ours_or(
            (x, indices, dy),
            |(x, indices, dy)| channels_last::max_pool_gradient(x, indices, dy, window),
            |(x, indices, dy)| burns_backward::<Self>(x, indices, dy, window),
        )
    }
}

impl PoolKernels for Flex {
    fn pool_forward(x: FloatTensor<Self>, window: Window) -> (FloatTensor<Self>, IntTensor<Self>) {
        ours_or(
            x,
            |x| {
                let sizes = dims(x)?;
                let shape = window.on(sizes)?;
                let (y, indices) = cpu::forward(&shape, values(&dense(x)?));
                let [height, width] = shape.out_size();
                let sizes = [sizes[0], sizes[1], height, width];
                let indices = TensorData::new(indices, sizes.to_vec());
                Some((tensor(y, &sizes), IntTensor::<Self>::from_data(indices)))
            },
            |x| burns_forward::<Self>(x, window),
        )
    }

    fn pool_backward(
        x: FloatTensor<Self>,
        indices: IntTensor<Self>,
        dy: FloatTensor<Self>,
        window: Window,
    ) -> FloatTensor<Self> {
        ours_or(
            (x, dy, indices),
            |(x, dy, indices)| {
                let sizes = dims(x)?;
                let shape = window.on(sizes)?;
                let dx = cpu::backward(&shape, indices.as_slice()?, values(&dense(dy)?));
                Some(tensor(dx, &sizes))
            },
            |(x, dy, indices)| burns_backward::<Self>(x, indices, dy, window),
        )
    }
}

/// Max pooling as an op of every backend, which burn's tensors dispatch to.
#[backend_extension(Autodiff, Cube, Flex)]
pub trait PoolExtension: Backend {
    /// `x` `[N,C,H,W]` to `[N,C,OH,OW]`.
    fn kernel_max_pool(x: FloatTensor<Self>, window: Window) -> FloatTensor<Self>;
}

impl PoolExtension for Flex {
    fn kernel_max_pool(x: FloatTensor<Self>, window: Window) -> FloatTensor<Self> {
        Self::pool_forward(x, window).0
    }
}

impl PoolExtension for Cube {
    fn kernel_max_pool(x: FloatTensor<Self>, window: Window) -> FloatTensor<Self> {
        let [kernel, stride, padding] = window.pairs();
        ours_or(
            x,
            |x| channels_last::max_pool(x, window),
            |x| Self::max_pool2d(x, kernel, stride, padding, [1; 2], false),
        )
    }
}

#[derive(Debug)]
struct PoolBackward;

impl<B: PoolKernels> Backward<B, 1> for PoolBackward {
    type State = (NodeId, IntTensor<B>, Window);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [node] = ops.parents;
        let dy = grads.consume::<B>(&ops.node);
        let (x, indices, window) = ops.state;
        let x: FloatTensor<B> = checkpointer.retrieve_node_output(x);
        if let Some(node) = node {
            grads.register::<B>(node.id, B::pool_backward(x, indices, dy, window));
        }
    }
}

impl<B: PoolKernels, C: CheckpointStrategy> PoolExtension for Autodiff<B, C> {
    fn kernel_max_pool(x: FloatTensor<Self>, window: Window) -> FloatTensor<Self> {
        match PoolBackward
            .prepare::<C>([x.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prepared) => {
                let saved = prepared.checkpoint(&x);
                let (y, indices) = B::pool_forward(x.into_primitive(), window);
                prepared.finish((saved, indices, window), y)
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::pool_forward(x.into_primitive(), window).0)
            }
        }
    }
}

/// The largest value under a window, on any device, with a gradient where the device keeps them: `x`
/// `[N,C,H,W]` to `[N,C,OH,OW]`.
#[must_use]
pub fn max_pool(x: Tensor<4>, window: Window) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::kernel_max_pool(x.into_dispatch(), window))
}
