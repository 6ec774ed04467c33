//! How many launches a training step is on a GPU, counted where burn's runtime issues them. Nothing is computed: the
//! launches are dropped on their way.

mod gpu;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use burn::tensor::{Device, Tensor, TensorData};
use burn_cubecl::cubecl::dry_run::DryRun;
use burn_cubecl::cubecl::logging::{LaunchObservation, LaunchObserver};
use gpu::open;
use retune::config::{Arch, HeadKind, NormMode, OptimizerKind, Scope, TrainConfig};
use retune::kernels::gpu::launch::Gpu;
use retune::model::head::{Head, HeadSpec};
use retune::model::trainable::TrainableStages;
use retune::train::learner::{Batch, Input, Learner};

const CLASSES: usize = 5;
const IMAGES: usize = 16;
const SIZE: usize = 64;

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
    let counts = Arc::new(Counts {
        thread: thread::current().id(),
        launches: Mutex::default(),
    });
    let observation = LaunchObservation::new(counts.clone());
    work();
    drop(observation);
    let mut launches = counts.launches.lock().unwrap_or_else(PoisonError::into_inner);
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

#[test]
#[ignore = "needs a Vulkan driver"]
fn a_step_of_a_resnet() {
    let dry = DryRun::new();
    let config = TrainConfig {
        scope: Scope::All,
        norm: NormMode::Trained,
        optimizer: OptimizerKind::AdamW,
        weight_decay: 0.05,
        clip_norm: 1.0,
        ema: 0.99,
        ..TrainConfig::default()
    };
    let launches = step(&open(), &config);
    let all: usize = launches.values().sum();
    let ours = launches.iter().filter(|(name, _)| name.starts_with("optimizer_"));
    let ours: usize = ours.map(|(_, count)| count).sum();
    for (name, count) in &launches {
        println!("{count:5} {name}");
    }
    println!("{all:5} in all, {ours} of the optimizer and the average");
    drop(dry);
}
