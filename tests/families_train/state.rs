//! What was trained goes through a checkpoint, and what comes out computes the same.

use std::collections::HashMap;
use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use retune::config::Scope;
use retune::model::backbone::Backbone;
use retune::model::trainable::TrainableStages;
use retune::network::Arch;
use retune::random::Random;
use retune::weights::NamedTensor;

use super::formula::uniform;
use super::{assert_close, backbone, edge, for_every_family, host, images, moved, take};

/// A network's numbers through f32 once more, folded in another order.
const TRAINED: f64 = 1e-5;

/// A backbone of the tensors of a state, all of which it takes.
fn loaded(arch: Arch, state: Vec<NamedTensor>) -> Backbone {
    let mut tensors: HashMap<String, (Vec<usize>, Vec<f32>)> = HashMap::new();
    for (name, shape, values) in state {
        let twice = tensors.insert(name.clone(), (shape, values));
        assert!(twice.is_none(), "{arch}: {name} twice");
    }
    let wanted: HashMap<String, Vec<usize>> = arch.graph().tensors().into_iter().collect();
    for (name, (shape, values)) in &tensors {
        assert_eq!(wanted.get(name), Some(shape), "{arch}: {name}");
        assert_eq!(
            values.len(),
            shape.iter().product::<usize>(),
            "{arch}: {name}"
        );
    }
    assert_eq!(tensors.len(), wanted.len(), "{arch}: tensors");
    let take = |name: &str, _: &[usize]| Ok(tensors.remove(name).unwrap().1);
    Backbone::load(arch, &Device::flex(), take).unwrap()
}

/// The state of what is trained after a step: every number is another by up to a hundredth of 1.
fn changed(tail: TrainableStages) -> TrainableStages {
    moved(tail, |at, n| {
        let values = uniform(&format!("change {at}"), n);
        Some(values.map(|u| 0.01 * (u - 0.5) as f32).collect())
    })
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

fn state(tail: &TrainableStages) -> Vec<NamedTensor> {
    pollster::block_on(tail.state()).unwrap()
}

fn check(arch: Arch) {
    let start = std::time::Instant::now();
    let device = Device::flex();
    let frozen = backbone(arch);
    let size = edge(frozen.graph(), 32);
    let batch = images(0, 2, size, &device);
    let all = |tail: &TrainableStages, batch: &Tensor<4>| host(tail.forward(vec![batch.clone()]));

    // As it was loaded, and changed.
    let tail = TrainableStages::of(&frozen, Scope::All, &device);
    let again = loaded(arch, state(&tail));
    let [before, after] = [&frozen, &again].map(|net| host(net.forward(batch.clone())));
    assert_eq!(bits(&before), bits(&after), "{arch}: {before:?} {after:?}");
    drop((frozen, again));
    let tail = changed(tail);
    let again = loaded(arch, state(&tail));
    let tail_again = TrainableStages::of(&again, Scope::All, &device);
    let [before, after] = [&tail, &tail_again].map(|tail| all(tail, &batch));
    assert_eq!(
        bits(&before),
        bits(&after),
        "{arch}, changed: {before:?} {after:?}"
    );
    drop((tail, tail_again, again));

    // A step of training moves the running statistics.
    let graph = Arc::new(arch.graph().without_chance());
    let tail = TrainableStages::with_norms(&graph, Scope::All, &device, take).unwrap();
    let mut tail = changed(tail);
    let four = images(2, 4, edge(&graph, 64), &device);
    let mut random = Random::for_purpose(1, "nothing");
    let _ = tail.forward_train(vec![four], &mut random);
    let before = all(&tail, &batch);
    let again = loaded(arch, state(&tail));
    drop(tail);
    let after = host(again.forward(batch));
    let difference = assert_close(
        &format!("{arch} with trained norms"),
        &after,
        &before,
        TRAINED,
    );
    println!(
        "{arch} at {size}: the same bits with frozen norms, {difference:.1e} apart with trained ones; {:.1} s",
        start.elapsed().as_secs_f64()
    );
}

for_every_family!(check);
