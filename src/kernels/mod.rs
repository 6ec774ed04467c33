//! Our own kernels: WGSL from `shaders/` on a GPU, launched among burn's, and loops of our own on the CPU,
//! with burn's ops to fall back on.
//!
//! An op here answers `None` where no kernel of ours applies (a tensor on the CPU, a shape beyond the
//! adapter's limits, a kernel that failed its self-test), and the caller takes burn's op.

pub mod autodiff;
pub mod check;
pub mod choice;
pub mod conv;
pub mod cpu;
pub mod flex;
pub mod launch;
pub mod max_pool;
pub mod norm;
pub mod ops;
pub mod params;
pub mod pool;
pub mod preprocess;
pub mod preprocess_tables;
pub mod reference;
pub mod shape;
pub mod source;
pub mod table;
pub mod tune;

use burn::tensor::Tensor;

use crate::error::{Error, Result};
use crate::platform::fault;

/// Reads a tensor back; a failed read is an error, never zeros.
///
/// # Errors
/// [`Error::Gpu`] with the device's own words.
pub async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let data = tensor.into_data_async().await;
    // First: where both report, this one is the cause, and left there it would fail the next job.
    if let Some(fault) = fault::take() {
        return Err(Error::Gpu(fault));
    }
    let data = data.map_err(|error| Error::Gpu(format!("reading a result failed: {error:?}")))?;
    data.try_into_vec::<f32>()
        .map_err(|error| Error::Gpu(format!("reading a result failed: {error:?}")))
}
