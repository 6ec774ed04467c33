//! The convolution and its gradients on burn's GPU backend (Cube): our kernels, or burn's op where none of
//! ours applies.

use burn::backend::ops::ModuleOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Cube, TensorMetadata};

use super::autodiff::ConvKernels;
use super::gradient::Wanted;
use super::matmul::Epilogue;
use super::select;
use super::weights::Weights;
use crate::kernels::fallback::ours_or;
use crate::kernels::gpu::launch::{Buffer, Gpu, layout_of};
use crate::kernels::shape::{ConvShape, Geometry};

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

/// The gradient that is wanted by a kernel of ours, if one applies.
fn gradient(
    x: &FloatTensor<Cube>,
    weight: &FloatTensor<Cube>,
    dy: &FloatTensor<Cube>,
    geometry: Geometry,
    wanted: Wanted,
) -> Option<FloatTensor<Cube>> {
    let (conv, gpu, weights) = on_gpu(x, weight, geometry)?;
    let chosen = select::gradient(&gpu, &conv, &weights, wanted)?;
    let layout = chosen.layout();
    // The gradient of x depends on no value of it, so it need not be copied into that order.
    let lies = match wanted {
        Wanted::Input => layout_of(x).unwrap_or(layout),
        Wanted::Weight => layout,
    };
    let x = Buffer::in_layout(x.clone(), lies)?;
    let dy = Buffer::in_layout(dy.clone(), layout)?;
    let gradient = chosen.run(&gpu, &conv, &x, &weights, &dy);
    gpu.queued(conv.flops());
    Some(match wanted {
        Wanted::Input => gradient.into_images(layout),
        Wanted::Weight => gradient.into_primitive(),
    })
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
                gpu.queued(conv.flops());
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
            |(x, weight, dy)| gradient(x, weight, dy, geometry, Wanted::Input),
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
            |(x, weight, dy)| gradient(x, weight, dy, geometry, Wanted::Weight),
            |(x, weight, dy)| Self::conv2d_weight_backward(x, weight, dy, geometry.options()),
        )
    }
}
