//! Promise: every network has the tensors, parameters and multiply-adds that torchvision's or timm's has.
//!
//! The oracle is `tests/fixtures/reference/MODEL.json`, written by `make_reference.py` beside it. What the networks
//! compute is compared in `tests/reference.rs`.

use std::collections::BTreeMap;

use retune::network::Arch;
use retune::network::inspect::layers;
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    input: Vec<usize>,
    parameters: u64,
    multiply_adds: u64,
    state_dict: BTreeMap<String, Vec<usize>>,
    stages: BTreeMap<String, Stage>,
    features: Vec<f32>,
}

#[derive(Deserialize)]
struct Stage {
    shape: Vec<usize>,
}

fn reference(arch: Arch) -> Reference {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/reference");
    let bytes = std::fs::read(format!("{folder}/{arch}.json"))
        .unwrap_or_else(|error| panic!("{arch} has no reference: {error}"));
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn every_network_has_the_tensors_and_the_cost_of_its_reference() {
    for &arch in Arch::ALL {
        let want = reference(arch);
        let graph = arch.graph();
        let classes = 1000;
        let features = graph.features();
        assert_eq!(features, want.features.len(), "{arch}: features");
        let head = &graph.head.alone;
        let mut tensors: BTreeMap<_, _> = graph.tensors().into_iter().collect();
        tensors.insert(format!("{head}.weight"), vec![classes, features]);
        tensors.insert(format!("{head}.bias"), vec![classes]);
        let expected: BTreeMap<_, _> = want
            .state_dict
            .into_iter()
            .filter(|(name, _)| !name.ends_with("num_batches_tracked"))
            .collect();
        let only = |a: &BTreeMap<String, Vec<usize>>, b: &BTreeMap<String, Vec<usize>>| {
            let differ = a.iter().filter(|(name, shape)| b.get(*name) != Some(shape));
            differ
                .take(8)
                .map(|(name, shape)| format!("{name} {shape:?}"))
                .collect::<Vec<_>>()
        };
        assert!(
            tensors == expected,
            "{arch}: ours has {:?}, the reference {:?}",
            only(&tensors, &expected),
            only(&expected, &tensors)
        );
        let rows = layers(&graph, arch.name(), want.input[2]).unwrap();
        let of_head = (features * classes) as u64;
        let parameters: u64 = rows.iter().map(|row| row.parameters).sum();
        assert_eq!(
            parameters + of_head + classes as u64,
            want.parameters,
            "{arch}: parameters"
        );
        let multiply_adds: u64 = rows.iter().map(|row| row.multiply_adds).sum();
        assert_eq!(
            multiply_adds + of_head,
            want.multiply_adds,
            "{arch}: multiply-adds"
        );
    }
}

#[test]
fn every_named_output_is_one_of_its_reference_and_of_its_shape() {
    for &arch in Arch::ALL {
        let want = reference(arch);
        let graph = arch.graph();
        let shapes = graph.shapes([want.input[2], want.input[3]]).unwrap();
        let taps: BTreeMap<_, _> = (graph.taps.into_iter())
            .map(|(name, id)| (name, [&[1], &shapes[id][..]].concat()))
            .collect();
        let stages: BTreeMap<_, _> = (want.stages.into_iter())
            .map(|(name, stage)| (name, stage.shape))
            .collect();
        assert_eq!(taps, stages, "{arch}");
    }
}
