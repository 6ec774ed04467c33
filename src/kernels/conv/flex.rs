//! The convolution and its gradients on burn's CPU backend (Flex): our loops ([`super::cpu`]), or burn's op
//! where ours do not apply.

use burn::backend::ops::ModuleOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, TensorMetadata};

use super::autodiff::ConvKernels;
use super::cpu::{gather, weight_gradient};
use crate::kernels::fallback::ours_or;
use crate::kernels::host::{dense, dims, tensor, values};
use crate::kernels::shape::{ConvShape, Geometry};
use crate::kernels::simd::allocator;

/// The sizes, if our kernels are for these tensors.
fn sizes(
    x: &FloatTensor<Flex>,
    weight: &FloatTensor<Flex>,
    geometry: Geometry,
) -> Option<ConvShape> {
    ConvShape::of(dims(x)?, dims(weight)?, geometry)
}

impl ConvKernels for Flex {
    fn forward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        allocator::retain_freed_memory();
        ours_or(
            (x, weight, bias),
            |(x, weight, bias)| {
                // Of one input channel there is nothing to sum up in registers: burn's is faster.
                let conv = sizes(x, weight, geometry).filter(|conv| conv.channels > 1)?;
                let (x, weight, bias) = (dense(x)?, dense(weight)?, dense(bias)?);
                let y = gather::forward(&conv, values(&x), values(&weight), values(&bias));
                Some(tensor(y, &conv.out_dims()))
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
                let conv = sizes(x, weight, geometry)?;
                let (weight, dy) = (dense(weight)?, dense(dy)?);
                let dx = gather::input_gradient(&conv, values(&weight), values(&dy));
                Some(tensor(dx, &conv.in_dims()))
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
                let conv = sizes(x, weight, geometry)?;
                let (x, dy) = (dense(x)?, dense(dy)?);
                let dw = weight_gradient::weight_gradient(&conv, values(&x), values(&dy));
                Some(tensor(dw, &weight.shape().to_vec()))
            },
            |(x, weight, dy)| Self::conv2d_weight_backward(x, weight, dy, geometry.options()),
        )
    }

    fn bias_gradient(
        x: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        ours_or(
            (x, bias, dy),
            |(_, _, dy)| {
                let [_, outputs, height, width] = dims(dy)?;
                let dy = dense(dy)?;
                Some(tensor(
                    weight_gradient::bias_gradient(outputs, height * width, values(&dy)),
                    &[outputs],
                ))
            },
            |(x, bias, dy)| Self::conv2d_bias_backward(x, bias, dy),
        )
    }
}
