//! How many launches a training step is on a GPU, counted where burn's runtime issues them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use burn::tensor::{Device, Tensor, TensorData};
use burn_cubecl::cubecl::logging::{LaunchObservation, LaunchObserver};
use retune::config::{Arch, HeadKind, NormMode, OptimizerKind, Scope, TrainConfig};
use retune::kernels::gpu::launch::Gpu;
use retune::kernels::optimizer::set_broken;
use retune::model::head::{Head, HeadSpec};
use retune::model::trainable::TrainableStages;
use retune::platform::device_state::{Adapter, DeviceState};
use retune::train::learner::{Batch, Input, Learner};

use crate::gpu::open;

const CLASSES: usize = 5;
const IMAGES: usize = 2;
const SIZE: usize = 32;

/// Launches of a step on hardware: the 534 of November 2026 and a tenth more. By burn's ops they are 2564.
const MOST: usize = 587;

/// Launches by the kernel's name, of one thread: other tests launch at the same time.
struct Counts {
    thread: ThreadId,
    launches: Mutex<BTreeMap<&'static str, usize>>,
}

impl LaunchObserver for Counts {
    fn launched(&self, kernel: &'static str) {
        if thread::current().id() == self.thread {
            let mut launches = self.launches.lock().unwrap_or_else(PoisonError::into_inner);
            *launches.entry(kernel).or_default() += 1;
        }
    }
}

fn count(work: impl FnOnce()) -> BTreeMap<&'static str, usize> {
    // cubecl has one observer a process.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let counts = Arc::new(Counts {
        thread: thread::current().id(),
        launches: Mutex::default(),
    });
    let observation = LaunchObservation::new(counts.clone());
    work();
    drop(observation);
    let mut launches = counts
        .launches
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *launches)
}

/// A step of the whole of a ResNet-18.
fn step(device: &Device, config: &TrainConfig) -> BTreeMap<&'static str, usize> {
    let gradients = device.clone().autodiff();
    let take = |_: &str, shape: &[usize]| Ok(vec![0.01; shape.iter().product()]);
    let graph = Arc::new(Arch::ResNet18.graph());
    let mut take_tail = take;
    let tail = TrainableStages::with_norms(&graph, Scope::All, &gradients, &mut take_tail);
    let spec = HeadSpec::of(HeadKind::Linear, 512, CLASSES);
    let head = Head::load(spec, &gradients, take).expect("weights");
    let counts = [10; CLASSES];
    let mut learner = Learner::new(config, Some(tail.expect("weights")), head, &counts);
    let mut step = || {
        let images = vec![0.5; IMAGES * 3 * SIZE * SIZE];
        let images = TensorData::new(images, [IMAGES, 3, SIZE, SIZE]);
        let images = Tensor::<4>::from_data(images, device);
        let labels: Vec<usize> = (0..IMAGES).map(|i| i % CLASSES).collect();
        let targets = learner.objective().one_hot(&labels);
        learner.step(Batch::new(Input::Maps(vec![images]), targets), 1.0);
    };
    // The first step makes what later ones have.
    step();
    step();
    count(step)
}

fn config() -> TrainConfig {
    TrainConfig {
        scope: Scope::All,
        norm: NormMode::Trained,
        optimizer: OptimizerKind::AdamW,
        weight_decay: 0.05,
        clip_norm: 1.0,
        ema: 0.99,
        ..TrainConfig::default()
    }
}

fn print(launches: &BTreeMap<&'static str, usize>) {
    for (name, count) in launches {
        println!("{count:5} {name}");
    }
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn a_step_on_hardware_is_not_many_launches() {
    let device = open();
    DeviceState::of(&device).set_adapter(Adapter::Hardware);
    let launches = step(&device, &config());
    print(&launches);
    let all: usize = launches.values().sum();
    println!("{all:5} in all");
    assert!(all <= MOST, "{all} launches");
}

#[test]
#[ignore = "needs a Vulkan driver"]
fn a_step_of_the_optimizer_is_a_few_launches() {
    let config = config();
    let device = open();
    let launches = step(&device, &config);
    let ours = |(name, _): &(&&str, &usize)| name.starts_with("optimizer_");
    let of_optimizer: usize = launches.iter().filter(ours).map(|(_, n)| n).sum();
    let all: usize = launches.values().sum();
    print(&launches);
    println!("{all:5} in all, {of_optimizer} of the optimizer and the average");
    // 62 gradients, 6 a launch; the norm, 2; the step; the average, and of the 40 running statistics, which do not lie
    // with the parameters, 5 a launch.
    assert_eq!(of_optimizer, 11 + 2 + 1 + 1 + 8);
    // The same of burn's ops.
    set_broken(&Gpu::of(&device).expect("a GPU"), true);
    let before: usize = step(&device, &config).values().sum();
    println!("{before:5} in all by burn's ops");
    assert!(before > all + 1000, "{before} and {all}");
}
