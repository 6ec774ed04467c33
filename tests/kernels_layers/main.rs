//! Promise: on a GPU, batch norm, the pools and what stands between two layers keep images channels last, give
//! what the twins in 64 bits give, and the same bits on every run: natively on whatever Vulkan offers, which
//! `cargo xtask test` makes a software one that is taken for hardware.

#[path = "../gpu/mod.rs"]
#[expect(dead_code, reason = "the other tests of kernels use it whole")]
mod gpu;
mod memory_order;
mod norm;
mod pool;

use burn::backend::Cube;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{Device, Tensor, TensorData};
use retune::kernels::gpu::launch::{Layout, layout_of};
use retune::kernels::reference::compare::{Tolerance, compare};
use retune::kernels::self_test::self_test_norms_and_pools;
use retune::platform::device_state::{Adapter, DeviceState};
use retune::random::Random;

/// A device of the test's own, taken for hardware.
fn open() -> Device {
    let device = gpu::open();
    DeviceState::of(&device).set_adapter(Adapter::Hardware);
    device
}

/// Uniform in -1..1.
fn noise(random: &mut Random, n: usize) -> Vec<f32> {
    (0..n)
        .map(|_| (2.0 * random.uniform() - 1.0) as f32)
        .collect()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

/// Images `[N,C,H,W]` that lie as the layout says.
fn images(device: &Device, values: &[f32], dims: [usize; 4], layout: Layout) -> Tensor<4> {
    let [n, c, h, w] = dims;
    match layout {
        Layout::ChannelsFirst => Tensor::from_data(TensorData::new(values.to_vec(), dims), device),
        Layout::ChannelsLast => {
            let value = |i: usize| {
                let (image, pixel, channel) = (i / (h * w * c), i / c % (h * w), i % c);
                values[(image * c + channel) * h * w + pixel]
            };
            let last: Vec<f32> = (0..values.len()).map(value).collect();
            let data = TensorData::new(last, [n, h, w, c]);
            Tensor::<4>::from_data(data, device).permute([0, 3, 1, 2])
        }
    }
}

fn primitive<const D: usize>(tensor: Tensor<D>) -> FloatTensor<Cube> {
    tensor.try_into_primitive::<Cube>().expect("on the GPU")
}

fn numbers<const D: usize>(tensor: FloatTensor<Cube>) -> Vec<f32> {
    let data = Tensor::<D>::from_primitive::<Cube>(tensor).into_data();
    data.try_into_vec().expect("f32")
}

/// That images lie channels last; those of one pixel or one channel lie both ways.
#[track_caller]
fn assert_channels_last(what: &str, images: &FloatTensor<Cube>, dims: [usize; 4]) {
    let both = dims[1] == 1 || dims[2] * dims[3] == 1;
    let expected = if both {
        Layout::ChannelsFirst
    } else {
        Layout::ChannelsLast
    };
    assert_eq!(layout_of(images), Some(expected), "{what}");
}

#[track_caller]
fn assert_close(what: &str, actual: &[f32], expected: &[f64], tolerance: Tolerance) {
    if let Err(mismatch) = compare(actual, expected, tolerance) {
        panic!("{what}: {mismatch}");
    }
}

#[track_caller]
fn assert_same_bits(what: &str, first: &[f32], again: &[f32]) {
    let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    assert!(bits(first) == bits(again), "{what}: two runs differ");
}

/// The self-test of what only trainings use finds nothing, and applies.
#[test]
#[ignore = "needs a Vulkan driver"]
fn the_self_test_of_norms_and_pools_passes() {
    let device = open();
    let failures = pollster::block_on(self_test_norms_and_pools(&device));
    assert_eq!(failures.expect("a working GPU"), []);
}
