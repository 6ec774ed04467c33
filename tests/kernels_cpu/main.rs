//! Promise: on the CPU, convolution, batch norm, max pooling and SiLU of our own give what the twins and burn's ops
//! give, in both directions, with the vectors of every machine, and the same bits on every run.

mod convolution;
mod norm;
mod pool;
mod silu;

use burn::tensor::{Device, Tensor, TensorData};
use retune::kernels::reference::compare::{Tolerance, compare};
use retune::random::Random;

/// Uniform in -1..1.
fn noise(random: &mut Random, n: usize) -> Vec<f32> {
    (0..n)
        .map(|_| (2.0 * random.uniform() - 1.0) as f32)
        .collect()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

#[track_caller]
fn assert_close(what: &str, actual: &[f32], expected: &[f64], tolerance: Tolerance) {
    if let Err(mismatch) = compare(actual, expected, tolerance) {
        panic!("{what}: {mismatch}");
    }
}

fn tensor<const D: usize>(values: &[f32], dims: [usize; D]) -> Tensor<D> {
    let device = Device::flex().autodiff();
    Tensor::from_data(TensorData::new(values.to_vec(), dims), &device)
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().expect("f32")
}
