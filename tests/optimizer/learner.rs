//! What a learner keeps.

use burn::tensor::{Device, Tensor, TensorData};
use retune::config::{HeadKind, OptimizerKind, TrainConfig};
use retune::model::head::{Head, HeadSpec};
use retune::train::learner::{Batch, Input, Learner, model_state};
use retune::weights::Checkpoint;

use crate::gpu::{open, random};
use crate::{checkpoint, difference};

const CLASSES: usize = 3;
const WIDTH: usize = 37;
const IMAGES: usize = 7;

fn learner(config: &TrainConfig, device: &Device) -> Learner {
    let spec = HeadSpec::of(HeadKind::Linear, WIDTH, CLASSES);
    let take = |name: &str, shape: &[usize]| Ok(random(9, name, shape.iter().product()));
    let head = Head::load(spec, &device.clone().autodiff(), take).expect("weights");
    Learner::new(config, None, head, &[10; CLASSES])
}

fn learn(learner: &mut Learner, device: &Device, step: u64) {
    let features = random(step, "features", IMAGES * WIDTH);
    let features = Tensor::from_data(TensorData::new(features, [IMAGES, WIDTH]), device);
    let labels: Vec<usize> = (0..IMAGES).map(|i| (i + step as usize) % CLASSES).collect();
    let targets = learner.objective().one_hot(&labels);
    learner.step(Batch::new(Input::Features(features), targets), 1.0);
}

/// What a learner keeps is the same on a GPU and on the CPU, and either goes on from the other's.
#[test]
#[ignore = "needs a Vulkan driver"]
fn a_learner_keeps_the_same_files_as_on_the_cpu() {
    let (device, cpu) = (open(), Device::flex());
    let config = TrainConfig {
        optimizer: OptimizerKind::AdamW,
        learning_rate: 0.01,
        weight_decay: 0.1,
        clip_norm: 0.5,
        ema: 0.9,
        ..TrainConfig::default()
    };
    let mut learners = [&device, &cpu].map(|device| (learner(&config, device), device));
    for (learner, device) in &mut learners {
        (0..10).for_each(|step| learn(learner, device, step));
    }
    let kept = [0, 1].map(|i: usize| {
        let state = pollster::block_on(learners[i].0.state());
        checkpoint(state.expect("a working GPU"))
    });
    let names = |kept: &Checkpoint| kept.tensors.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&kept[0]), names(&kept[1]));
    // The forward pass has its own roundings, and Adam divides by small numbers.
    let near = |one: &Checkpoint, other: &Checkpoint| {
        for (name, tensor) in &other.tensors {
            let off = difference(&one.tensors[name].data, &tensor.data);
            assert!(off <= 1e-4, "{name}: {off:e}");
        }
    };
    near(&kept[0], &kept[1]);
    // Each goes on from the other's.
    let [mut of_gpu, mut of_cpu] = kept;
    learners[0].0.restore(&mut of_cpu).expect("fits");
    learners[1].0.restore(&mut of_gpu).expect("fits");
    for (learner, device) in &mut learners {
        (10..20).for_each(|step| learn(learner, device, step));
    }
    let models = [0, 1].map(|i: usize| {
        let model = learners[i].0.model();
        checkpoint(pollster::block_on(model_state(&model)).expect("a working GPU"))
    });
    near(&models[0], &models[1]);
}
