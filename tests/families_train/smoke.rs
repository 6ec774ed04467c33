//! Networks with other operations than a `ResNet`'s train on a GPU as on the CPU.

use burn::tensor::Device;
use retune::config::OptimizerKind;
use retune::network::Arch;
use retune::platform::device;

use super::edge;
use super::steps::{learner, losses};

/// Of the loss, before each of two steps and after them. `ReLU`s may fall the other way where sums are in another order.
const TOLERANCE: f64 = 3e-4;

/// So small that the difference of two roundings does not grow from step to step until it says nothing.
const RATE: f64 = 1e-5;

/// One of each family with operations of its own.
const NETWORKS: [Arch; 6] = [
    Arch::MobileNetV2,
    Arch::EfficientNetLite0,
    Arch::GoogLeNet,
    Arch::Xception,
    Arch::EfficientNetB0,
    Arch::Densenet121,
];

/// `cargo test --release --test families_train -- --ignored gpu`; a software driver takes some minutes.
#[test]
#[ignore = "needs a Vulkan driver"]
fn two_steps_on_the_gpu_are_the_cpus() {
    let opened = pollster::block_on(device::open_another()).expect("a Vulkan driver");
    let gpu = opened.device;
    for arch in NETWORKS {
        let size = edge(&arch.graph(), 64);
        let [ours, theirs] = [&gpu, &Device::flex()].map(|device| {
            let start = std::time::Instant::now();
            let gradients = device.clone().autodiff();
            let mut learner = learner(arch, OptimizerKind::Sgd, RATE, &gradients);
            let losses = losses(&mut learner, [3, 4, size], device);
            println!("{arch}: {losses:?}, {:.1} s", start.elapsed().as_secs_f64());
            losses
        });
        for (step, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            let difference = ((ours - theirs) / theirs).abs();
            assert!(
                difference <= TOLERANCE,
                "{arch}, loss after {step} steps: {ours} on the GPU, {theirs} on the CPU"
            );
        }
    }
}
