//! Promise: what a hardware GPU is given computes what the CPU does, whole networks through: the kernels that are
//! the defaults there, those that tuning puts in their place, every other one, and a training.
//!
//! No GPU is needed: a software Vulkan driver is told to be one, so that all that depends on it (layouts, kernels,
//! gradients, norms, pools, optimizer) takes the same way. Weights and images are by formula (tests/formula).
//!
//! `cargo test --release --test hardware -- --ignored --nocapture` prints the errors.

mod formula;
#[expect(dead_code, reason = "kernels' buffers are not for whole networks")]
mod gpu;

use std::sync::Arc;
use std::time::{Duration, Instant};

use burn::tensor::{Device, Tensor, TensorData};
use formula::{fill, uniform};
use retune::config::{
    DeviceChoice, HeadKind, NormMode, OptimizerKind, Schedule, Scope, TrainConfig,
};
use retune::error::Error;
use retune::kernels::autotune::{Tuned, tune};
use retune::kernels::conv::gradient::Gradient;
use retune::kernels::conv::{Algorithm, Conv2d, select};
use retune::kernels::gpu::launch::Gpu;
use retune::kernels::self_test::{in_use, self_test, self_test_gradients};
use retune::kernels::shape::{ConvShape, Geometry};
use retune::model::backbone::Backbone;
use retune::model::head::{Head, HeadSpec, to_host};
use retune::model::trainable::TrainableStages;
use retune::network::Arch;
use retune::platform::device::{self, OpenDevice};
use retune::platform::device_state::{Adapter, DeviceState};
use retune::train::head::count;
use retune::train::learner::{Batch, Input, Learner};
use retune::weights::names;

/// Edge of the images.
const SIZE: usize = 64;

/// What features may be off by, of the largest; Winograd's tiles of four have an error of their own, but it averages
/// out over a network.
const FEATURES: f64 = 1e-5;

/// What a training's losses may be off by, of themselves.
const LOSSES: f64 = 1e-4;

/// Classes of the images.
const CLASSES: usize = 6;

/// A device of the test's own that is taken for hardware.
fn open() -> Device {
    let device = gpu::open();
    DeviceState::of(&device).set_adapter(Adapter::Hardware);
    device
}

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    pollster::block_on(to_host(tensor)).expect("a working device")
}

const fn label(image: usize) -> usize {
    image * 5 % CLASSES
}

/// So many normalised images `[N,3,S,S]`: blocks of one colour, which make them differ, and noise.
fn images(first: usize, n: usize, device: &Device) -> Tensor<4> {
    let image = |i: usize| -> Vec<f32> {
        let blocks: Vec<f64> = uniform(&format!("blocks {i}"), 3 * 4 * 4).collect();
        let noise = uniform(&format!("image {i}"), 3 * SIZE * SIZE);
        let pixel = |(at, u): (usize, f64)| {
            let (channel, y, x) = (at / SIZE / SIZE, at / SIZE % SIZE, at % SIZE);
            let block = blocks[(channel * 4 + y * 4 / SIZE) * 4 + x * 4 / SIZE];
            (4.0 * block - 2.0 + 3.0 * u - 1.5) as f32
        };
        noise.enumerate().map(pixel).collect()
    };
    let pixels: Vec<f32> = (first..first + n).flat_map(image).collect();
    Tensor::from_data(TensorData::new(pixels, [n, 3, SIZE, SIZE]), device)
}

/// The largest difference over the largest value; infinite where one is no number.
fn error(got: &[f32], want: &[f32]) -> f64 {
    assert_eq!(got.len(), want.len(), "how many");
    let largest = want.iter().fold(0.0, |top, v| f64::from(v.abs()).max(top));
    assert!(largest > 0.0, "nothing but zeros");
    let differences = got.iter().zip(want).map(|(a, b)| {
        let difference = (f64::from(*a) - f64::from(*b)).abs();
        if difference.is_finite() {
            difference
        } else {
            f64::INFINITY
        }
    });
    differences.fold(0.0, f64::max) / largest
}

/// A network's features on `n` images: by the defaults, tuned, and with every kernel on all layers where it applies.
fn check_forward(arch: Arch, n: usize) {
    let start = Instant::now();
    let device = open();
    let take = |name: &str, shape: &[usize]| Ok(fill(name, shape));
    let cpu = Backbone::load(arch, &Device::flex(), take).unwrap();
    let network = Backbone::load(arch, &device, take).unwrap();
    let expected = host(cpu.forward(images(0, n, &Device::flex())));
    let layers = network.layers(n, SIZE);
    let batch = images(0, n, &device);
    let mut wrong = Vec::new();
    let mut check = |what: &str| {
        let features = host(network.forward(batch.clone()));
        let error = error(&features, &expected);
        println!("{arch}, {n} images, {what}: {error:.1e}");
        if error > FEATURES {
            wrong.push(format!("{what}: {error:.1e}"));
        }
        features
    };

    let names: Vec<_> = in_use(&layers).into_iter().map(Algorithm::name).collect();
    let first = check(&format!("defaults ({})", names.join(", ")));
    let again = check("again");
    let bits = |values: &[f32]| -> Vec<u32> { values.iter().map(|v| v.to_bits()).collect() };
    assert_eq!(bits(&first), bits(&again), "{arch}: two runs differ");

    let tested = |when: &str| {
        let failures = pollster::block_on(self_test(&device, &layers, |_, _| ()));
        let failures = failures.expect("a working device");
        assert_eq!(failures, [], "{arch}: self-test {when} tuning");
    };
    tested("before");
    let tuned = pollster::block_on(tune(&device, &layers, 600.0, Tuned::default()));
    let tuned = tuned.expect("a working device");
    assert!(
        tuned.apply(&layers),
        "{arch}: not tuned to the end: {}",
        tuned.to_json()
    );
    tested("after");
    let names: Vec<_> = in_use(&layers).into_iter().map(Algorithm::name).collect();
    check(&format!("tuned ({})", names.join(", ")));

    let gpu = Gpu::of(&device).expect("a GPU");
    // Of the networks whose layers are of other kinds: a software driver takes its time.
    let every = [Arch::ResNet18, Arch::ResNext50, Arch::EfficientNetB0].contains(&arch);
    for algorithm in Algorithm::all().into_iter().filter(|_| every) {
        let _ = tuned.apply(&layers);
        let mut applied = 0;
        for (layer, conv) in &layers {
            let (weights, _) = layer.on_gpu().expect("on the GPU");
            if algorithm.can_apply(conv, weights, gpu.max_binding()) {
                select::set_tuned(&gpu, *conv, algorithm);
                applied += 1;
            }
        }
        if applied > 0 {
            check(&format!("{} on {applied} layers", algorithm.name()));
        }
    }
    println!(
        "{arch}: {:.1} s, {} layers",
        start.elapsed().as_secs_f64(),
        layers.len()
    );
    assert!(wrong.is_empty(), "{arch}: {}", wrong.join("; "));
}

/// A network of which all is trained, batch norms too, on a device with gradients.
fn learner(arch: Arch, rate: f64, device: &Device) -> Learner {
    let config = TrainConfig {
        scope: Scope::All,
        norm: NormMode::Trained,
        head: HeadKind::Linear,
        optimizer: OptimizerKind::Sgd,
        schedule: Schedule::Constant,
        learning_rate: rate,
        backbone_lr_factor: 1.0,
        stage_lr_decay: 1.0,
        weight_decay: 0.0,
        ..TrainConfig::default()
    };
    let graph = Arc::new(arch.graph().without_chance());
    let spec = HeadSpec::of(config.head, graph.features(), CLASSES);
    let of_head = |name: &str, shape: &[usize]| Ok(fill(&names::of_head(&graph.head, name), shape));
    let head = Head::load(spec, device, of_head).unwrap();
    let take = |name: &str, shape: &[usize]| Ok(fill(name, shape));
    let tail = TrainableStages::with_norms(&graph, config.scope, device, take).unwrap();
    let counts = count((0..12).map(label), CLASSES);
    Learner::new(&config, Some(tail), head, &counts)
}

/// The losses of so many steps on two batches in turn, each before its update.
fn losses(arch: Arch, rate: f64, [steps, batch]: [usize; 2], device: &Device) -> Vec<f64> {
    let mut learner = learner(arch, rate, &device.clone().autodiff());
    let step = |step: usize| {
        let first = step % 2 * batch;
        let labels: Vec<usize> = (first..first + batch).map(label).collect();
        let targets = learner.objective().one_hot(&labels);
        let input = Input::Maps(vec![images(first, batch, device)]);
        learner.step(Batch::new(input, targets), 1.0);
        let (loss, _) = pollster::block_on(learner.sums()).expect("a working device");
        loss
    };
    (0..steps).map(step).collect()
}

/// The losses of a training on hardware and on the CPU.
fn check_training(arch: Arch, rate: f64, sizes: [usize; 2]) {
    let start = Instant::now();
    let device = open();
    let ours = losses(arch, rate, sizes, &device);
    let elapsed = start.elapsed().as_secs_f64();
    let theirs = losses(arch, rate, sizes, &Device::flex());
    let errors = ours.iter().zip(&theirs).map(|(a, b)| ((a - b) / b).abs());
    let worst = errors.fold(0.0, |top, e| if e > top || e.is_nan() { e } else { top });
    println!(
        "{arch}: losses of {} steps {:.4} to {:.4}, off by {worst:.1e}; {elapsed:.1} s of {:.1} s",
        sizes[0],
        theirs[0],
        theirs[sizes[0] - 1],
        start.elapsed().as_secs_f64()
    );
    assert!(worst <= LOSSES, "{arch}: {ours:?} on the GPU, {theirs:?}");
    // What is restored from a checkpoint goes on with the same numbers.
    let again = losses(arch, rate, [2, sizes[1]], &device);
    assert_eq!(again, ours[..2], "{arch}: two trainings differ");
}

/// What only tests ask for: a software adapter in the place of hardware, and the name says so.
#[test]
#[ignore = "needs a Vulkan driver"]
fn the_device_says_what_it_is_taken_for() {
    // The first device of the process, one at a time.
    drop(gpu::open());
    let plain = pollster::block_on(device::open(DeviceChoice::Gpu)).expect("a Vulkan driver");
    if DeviceState::of(&plain.device).adapter() == Adapter::Hardware {
        println!("{} is hardware", plain.name);
        return;
    }
    let forced = pollster::block_on(device::open(DeviceChoice::AsHardware)).expect("the same");
    assert_eq!(DeviceState::of(&forced.device).adapter(), Adapter::Hardware);
    assert_eq!(forced.name, format!("{} taken for hardware", plain.name));
    assert!(forced.note.expect("a note").contains("test"));
}

/// Layers and their sizes, as the self-test takes them.
type Layers<'a> = [(&'a Conv2d, ConvShape)];

/// Runs `work` on a device of its own, with what loses that: the work must fail, and no kernel be taken for broken.
fn check_lost(
    when: &str,
    work: impl FnOnce(&Device, &Layers, Box<dyn FnOnce() + Send>) -> Option<Error>,
) {
    // The first device of the process, one at a time.
    drop(gpu::open());
    let opened = pollster::block_on(device::open_to_lose());
    let (OpenDevice { device, .. }, lose) = opened.expect("a Vulkan driver");
    DeviceState::of(&device).set_adapter(Adapter::Hardware);
    let layer = |[kernel, groups]: [usize; 2]| {
        let geometry = Geometry {
            stride: 1,
            padding: kernel / 2,
            dilation: 1,
            groups,
        };
        let weight = [64, 64 / groups, kernel, kernel];
        let shape = ConvShape::of([2, 64, 14, 14], weight, geometry).expect("sizes that fit");
        let (weight, bias) = (Tensor::zeros(weight, &device), Tensor::zeros([64], &device));
        (Conv2d::new(weight, bias, geometry), shape)
    };
    let layers = [[3, 1], [1, 1], [3, 16]].map(layer);
    let layers = layers.each_ref().map(|(layer, shape)| (layer, *shape));
    let gpu = Gpu::of(&device).expect("a GPU");
    let error = work(&device, &layers, Box::new(lose));
    println!("lost {when}: {error:?}");
    assert!(
        matches!(error, Some(Error::Gpu(_))),
        "lost {when}: {error:?}"
    );
    let mut broken: Vec<String> = Vec::new();
    let kernels = Algorithm::all().into_iter();
    broken.extend((kernels.filter(|a| select::is_broken(&gpu, *a))).map(Algorithm::name));
    let gradients = Gradient::all().into_iter();
    broken.extend((gradients.filter(|g| select::is_gradient_broken(&gpu, *g))).map(Gradient::name));
    assert!(
        broken.is_empty(),
        "lost {when}: {broken:?} taken for broken"
    );
}

/// A device that is lost while its kernels are tested or tuned is an error, and says nothing about the kernels.
#[test]
#[ignore = "needs a Vulkan driver"]
fn a_lost_device_is_no_broken_kernel() {
    check_lost("before the self-test", |device, layers, lose| {
        lose();
        pollster::block_on(self_test(device, layers, |_, _| ())).err()
    });
    check_lost("in the self-test", |device, layers, lose| {
        let mut lose = Some(lose);
        let progress = |done: usize, _| {
            if let Some(lose) = lose.take_if(|_| done == 1) {
                lose();
            }
        };
        pollster::block_on(self_test(device, layers, progress)).err()
    });
    check_lost(
        "before the self-test of gradients",
        |device, layers, lose| {
            lose();
            pollster::block_on(self_test_gradients(device, layers)).err()
        },
    );
    for milliseconds in [0, 50, 300] {
        check_lost("while tuning", |device, layers, lose| {
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(milliseconds));
                lose();
            });
            // What comes to its end before is done again. A device that is lost just while cubecl maps its timestamps ends
            // in a panic of cubecl's (cubecl-wgpu 0.11, `stop_profile`): an end as well, as long as no kernel is blamed.
            let tune = || pollster::block_on(tune(device, layers, 60.0, Tuned::default()));
            let tune = || std::panic::catch_unwind(std::panic::AssertUnwindSafe(tune));
            (0..1000).find_map(|_| match tune() {
                Ok(tuned) => tuned.err(),
                Err(_) => Some(Error::Gpu(
                    "lost while its timestamps were mapped".to_string(),
                )),
            })
        });
    }
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn resnet18() {
    check_forward(Arch::ResNet18, 4);
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn resnet50() {
    check_forward(Arch::ResNet50, 1);
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn resnext50() {
    check_forward(Arch::ResNext50, 1);
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn densenet121() {
    check_forward(Arch::Densenet121, 1);
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn efficientnet_b0() {
    check_forward(Arch::EfficientNetB0, 3);
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn resnet18_trains() {
    check_training(Arch::ResNet18, 3e-6, [6, 4]);
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn resnext50_trains() {
    check_training(Arch::ResNext50, 1e-7, [3, 4]);
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn efficientnet_b0_trains() {
    check_training(Arch::EfficientNetB0, 3e-4, [4, 4]);
}
