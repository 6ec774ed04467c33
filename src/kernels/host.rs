//! Tensors in main memory: a copy of one on any device ([`to_host`]), and those of the CPU backend, Flex, as
//! slices, which is how the CPU kernels take and give them.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, TensorMetadata};
use burn::tensor::{DType, Tensor, TensorData};

use crate::error::{Error, Result};
use crate::platform::device_state::DeviceState;

/// Copies a tensor to main memory; a failed read is an error, never zeros.
///
/// # Errors
/// [`Error::Gpu`] with the device's own words.
pub async fn to_host<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let state = DeviceState::find(&tensor.device());
    let data = tensor.into_data_async().await;
    // First: where both report, this one is the cause, and left there it would fail the next job.
    if let Some(fault) = state.and_then(|state| state.take_fault()) {
        return Err(Error::Gpu(fault));
    }
    let data = data.map_err(|error| Error::Gpu(format!("reading a result failed: {error:?}")))?;
    data.try_into_vec::<f32>()
        .map_err(|error| Error::Gpu(format!("reading a result failed: {error:?}")))
}

/// The tensor, contiguous; `None` if its values are not `f32`.
pub fn dense(tensor: &FloatTensor<Flex>) -> Option<FloatTensor<Flex>> {
    (tensor.dtype() == DType::F32).then(|| tensor.to_contiguous())
}

/// The values of a tensor that [`dense`] gave.
pub fn values(tensor: &FloatTensor<Flex>) -> &[f32] {
    // `dense` gave it, so there is such a slice.
    tensor.as_slice().unwrap_or_default()
}

/// The sizes of a tensor of rank `D`; `None` for one of another rank.
pub fn dims<const D: usize>(tensor: &FloatTensor<Flex>) -> Option<[usize; D]> {
    tensor.shape().to_vec().try_into().ok()
}

/// A tensor of these values.
pub fn tensor(values: Vec<f32>, dims: &[usize]) -> FloatTensor<Flex> {
    FloatTensor::<Flex>::from_data(TensorData::new(values, dims.to_vec()))
}
