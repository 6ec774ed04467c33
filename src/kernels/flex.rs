//! The kernels of [`super::cpu`] on burn's tensors in main memory.

use burn::backend::ops::ModuleOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, TensorMetadata};
use burn::tensor::{DType, TensorData};

use super::autodiff::ConvKernels;
use super::cpu::{conv, memory, weight};
use super::shape::{Conv, Geometry};

/// A tensor without gaps between its values; nothing if these are not `f32`.
pub(super) fn dense(tensor: &FloatTensor<Flex>) -> Option<FloatTensor<Flex>> {
    (tensor.dtype() == DType::F32).then(|| tensor.to_contiguous())
}

/// Its values.
pub(super) fn values(tensor: &FloatTensor<Flex>) -> &[f32] {
    // `dense` gave it, so there is such a slice.
    tensor.as_slice().unwrap_or_default()
}

/// Its sizes, if it has so many.
pub(super) fn dims<const D: usize>(tensor: &FloatTensor<Flex>) -> Option<[usize; D]> {
    tensor.shape().to_vec().try_into().ok()
}

/// A tensor of these values.
pub(super) fn tensor(values: Vec<f32>, dims: &[usize]) -> FloatTensor<Flex> {
    FloatTensor::<Flex>::from_data(TensorData::new(values, dims.to_vec()))
}

/// The sizes, if our kernels are for these tensors.
fn sizes(x: &FloatTensor<Flex>, weight: &FloatTensor<Flex>, geometry: Geometry) -> Option<Conv> {
    Conv::of(dims(x)?, dims(weight)?, geometry)
}

impl ConvKernels for Flex {
    fn forward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        memory::keep();
        let ours = || {
            // Of one input channel there is nothing to sum up in registers: burn's is faster.
            let conv = sizes(&x, &weight, geometry).filter(|conv| conv.channels > 1)?;
            let (x, weight, bias) = (dense(&x)?, dense(&weight)?, dense(&bias)?);
            let y = conv::forward(&conv, values(&x), values(&weight), values(&bias));
            Some(tensor(y, &conv.out_dims()))
        };
        match ours() {
            Some(y) => y,
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
            let conv = sizes(&x, &weight, geometry)?;
            let (weight, dy) = (dense(&weight)?, dense(&dy)?);
            let dx = conv::input_gradient(&conv, values(&weight), values(&dy));
            Some(tensor(dx, &conv.in_dims()))
        };
        match ours() {
            Some(dx) => dx,
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
            let conv = sizes(&x, &weight, geometry)?;
            let (x, dy) = (dense(&x)?, dense(&dy)?);
            let dw = weight::weight_gradient(&conv, values(&x), values(&dy));
            Some(tensor(dw, &weight.shape().to_vec()))
        };
        match ours() {
            Some(dw) => dw,
            None => Self::conv2d_weight_backward(x, weight, dy, geometry.options()),
        }
    }

    fn bias_gradient(
        x: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let ours = || {
            let [_, outputs, height, width] = dims(&dy)?;
            let dy = dense(&dy)?;
            Some(tensor(
                weight::bias_gradient(outputs, height * width, values(&dy)),
                &[outputs],
            ))
        };
        match ours() {
            Some(db) => db,
            None => Self::conv2d_bias_backward(x, bias, dy),
        }
    }
}
