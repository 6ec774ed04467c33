//! The convolution and its gradients on burn's GPU backend (Cube): our kernels, or burn's op where none of
//! ours applies.

use burn::backend::ops::ModuleOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Cube, TensorMetadata};

use super::Algorithm;
use super::autodiff::ConvKernels;
use super::grouped::Groups;
use super::matmul::{Epilogue, MatMul};
use super::select;
use super::weights::Weights;
use super::{gradient, grouped, grouped_weights};
use crate::kernels::fallback::ours_or;
use crate::kernels::gpu::launch::{Buffer, Gpu, Layout};
use crate::kernels::shape::{ConvShape, Geometry};
use crate::platform::device_state::Adapter;

/// The sizes and the weights on the GPU; nothing where our kernels are not for it.
fn on_gpu(
    x: &FloatTensor<Cube>,
    weight: &FloatTensor<Cube>,
    geometry: Geometry,
) -> Option<(ConvShape, Gpu, Weights)> {
    let dims = |tensor: &FloatTensor<Cube>| <[usize; 4]>::try_from(tensor.shape().to_vec()).ok();
    let conv = ConvShape::of(dims(x)?, dims(weight)?, geometry)?;
    let weight = Buffer::of_primitive(weight.clone())?;
    let gpu = weight.gpu();
    Some((conv, gpu, Weights::new(weight, geometry.groups)))
}

/// The product for the input gradient, if it can be computed here.
fn backward_variant(gpu: &Gpu, conv: &ConvShape, weights: &Weights) -> Option<MatMul> {
    let variant = select::backward_matmul(conv);
    let usable = gpu.enabled()
        && !select::is_broken(gpu, Algorithm::Columns(variant))
        && gradient::can_apply(conv, weights, variant, gpu.max_binding());
    usable.then_some(variant)
}

/// Whether gradients of narrow groups are computed with channels last.
fn takes_narrow_groups(gpu: &Gpu) -> bool {
    let sound = |groups| !select::is_broken(gpu, Algorithm::Grouped(groups));
    gpu.enabled() && gpu.adapter() == Adapter::Hardware && Groups::ALL.into_iter().all(sound)
}

impl ConvKernels for Cube {
    fn forward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        ours_or(
            (x, weight, bias),
            |(x, weight, bias)| {
                let (conv, gpu, weights) = on_gpu(x, weight, geometry)?;
                let bias = Buffer::of_primitive(bias.clone())?;
                let algorithm = select::choose(&gpu, &conv, &weights)?;
                let layout = algorithm.layout();
                let x = Buffer::in_layout(x.clone(), layout)?;
                let epilogue = Epilogue {
                    bias: Some(&bias),
                    ..Epilogue::default()
                };
                let y = algorithm.run(&gpu, &conv, &x, &weights, epilogue);
                Some(y.into_images(layout))
            },
            |(x, weight, bias)| Self::conv2d(x, weight, Some(bias), geometry.options()),
        )
    }

    fn input_gradient(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        ours_or(
            (x, weight, dy),
            |(x, weight, dy)| {
                let (conv, gpu, weights) = on_gpu(x, weight, geometry)?;
                if takes_narrow_groups(&gpu)
                    && grouped::can_apply_gradient(&conv, &weights, gpu.max_binding())
                {
                    let dy = Buffer::in_layout(dy.clone(), Layout::ChannelsLast)?;
                    let dx = grouped::input_gradient(&gpu, &conv, &weights, &dy);
                    return Some(dx.into_images(Layout::ChannelsLast));
                }
                let dy = Buffer::of_primitive(dy.clone())?;
                let variant = backward_variant(&gpu, &conv, &weights)?;
                Some(gradient::input(&gpu, &conv, variant, &weights, &dy).into_primitive())
            },
            |(x, weight, dy)| Self::conv2d_x_backward(x, weight, dy, geometry.options()),
        )
    }

    fn weight_gradient(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        ours_or(
            (x, weight, dy),
            |(x, weight, dy)| {
                let (conv, gpu, weights) = on_gpu(x, weight, geometry)?;
                if takes_narrow_groups(&gpu) && grouped_weights::can_apply(&conv, gpu.max_binding())
                {
                    let x = Buffer::in_layout(x.clone(), Layout::ChannelsLast)?;
                    let dy = Buffer::in_layout(dy.clone(), Layout::ChannelsLast)?;
                    let dw = grouped_weights::weight_gradient(&gpu, &conv, &x, &dy);
                    return Some(dw.into_primitive());
                }
                let x = Buffer::of_primitive(x.clone())?;
                let dy = Buffer::of_primitive(dy.clone())?;
                backward_variant(&gpu, &conv, &weights)?;
                Some(gradient::weight(&gpu, &conv, &x, &dy).into_primitive())
            },
            |(x, weight, dy)| Self::conv2d_weight_backward(x, weight, dy, geometry.options()),
        )
    }
}
