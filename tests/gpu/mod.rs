//! A GPU for a test: natively on whatever Vulkan offers, which `cargo xtask test` makes a software one.
//!
//! Each test opens a device of its own, with its own state, memory and faults, so that the tests of a file
//! can run at the same time.

use std::sync::{Mutex, PoisonError};

use burn::tensor::{Device, Tensor, TensorData};
use retune::kernels::gpu::launch::Buffer;
use retune::platform::device;
use retune::random::Random;

/// A device of the test's own.
pub fn open() -> Device {
    // burn takes one first device a process, so two threads must not ask for it at the same time.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let opened = pollster::block_on(device::open_another());
    opened.expect("a Vulkan driver").device
}

/// Values of [-1,1), one in 97 of them an outlier 8 times that.
pub fn random(seed: u64, purpose: &str, n: usize) -> Vec<f32> {
    let mut random = Random::for_purpose(seed, purpose);
    let mut value = |i: usize| {
        let value = (2.0 * random.uniform() - 1.0) as f32;
        if i % 97 == 96 { 8.0 * value } else { value }
    };
    (0..n).map(&mut value).collect()
}

pub fn upload<const D: usize>(device: &Device, values: &[f32], dims: [usize; D]) -> Buffer {
    let data = TensorData::new(values.to_vec(), dims);
    Buffer::of(&Tensor::<D>::from_data(data, device)).expect("on the GPU")
}

pub fn download<const D: usize>(buffer: Buffer) -> Vec<f32> {
    let data = buffer.into_tensor::<D>().into_data();
    data.try_to_vec().expect("f32")
}

/// Fills the pool's free pages of `n` values with NaN, so that what a kernel leaves out shows.
pub fn poison(device: &Device, n: usize) {
    let nan = vec![f32::NAN; n];
    let poisoned: Vec<_> = (0..3).map(|_| upload(device, &nan, [n])).collect();
    let gpu = poisoned[0].gpu();
    pollster::block_on(gpu.client().sync()).expect("a working GPU");
    drop(poisoned);
}
