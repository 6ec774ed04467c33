//! Where a network is cut, the two parts compute what the whole does, and every parameter has its stage.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use retune::config::{NormMode, Scope};
use retune::model::trainable::{TrainableStages, forward_frozen, input_shapes, trains};
use retune::network::Arch;
use retune::network::graph::{Graph, Op};
use retune::network::plan::{Mode, Plan, Run};
use retune::random::Random;

use super::{assert_close, backbone, edge, for_every_family, host, images, take};

const SCOPES: [Scope; 3] = [Scope::LastStage, Scope::LastTwo, Scope::All];

/// With frozen norms both compute by the same kernels from the same numbers, but sums and ReLUs may run apart: f32
/// rounding of some hundred layers.
const FROZEN: f64 = 1e-5;

/// With trained norms their scales are folded in f32 and not in f64.
const TRAINED: f64 = 1e-4;

/// The sizes of every parameter, in burn's order.
#[derive(Default)]
struct Sizes(Vec<Vec<usize>>);

impl ModuleVisitor for Sizes {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.dims().to_vec());
    }
}

fn sizes(tail: &TrainableStages) -> Vec<Vec<usize>> {
    let mut sizes = Sizes::default();
    tail.visit(&mut sizes);
    sizes.0
}

/// Stage and sizes of every parameter as they follow from the graph: convolutions, then norms without one, then linear
/// layers, each in the order of the nodes; of each its weight, its bias, the rest of its norm, and its own bias before
/// a norm.
fn expected(graph: &Graph, scope: Scope, mode: NormMode) -> Vec<(usize, Vec<usize>)> {
    let plan = Plan::new(graph, Mode::Training);
    let mut behind_conv = vec![None; graph.nodes.len()];
    for step in &plan.steps {
        if let Run::Conv { conv, norm, .. } = step.run {
            behind_conv[conv] = norm;
        }
    }
    let mut lists: [Vec<(usize, Vec<usize>)>; 3] = Default::default();
    for (id, node) in graph.nodes.iter().enumerate() {
        if !trains(graph, scope, node.stage) {
            continue;
        }
        let stage = node.stage;
        match &node.op {
            Op::Conv(conv) => {
                let list = &mut lists[0];
                let n = vec![conv.output];
                let norm = behind_conv[id].is_some();
                list.push((stage, conv.weight_shape().to_vec()));
                match (norm, mode) {
                    (true, NormMode::Trained) => {
                        // Beta, gamma, mean, variance.
                        list.extend(vec![(stage, n.clone()); 4]);
                        list.extend(conv.bias.then_some((stage, n)));
                    }
                    (true, NormMode::Frozen) => list.push((stage, n)),
                    (false, _) => list.extend(conv.bias.then_some((stage, n))),
                }
            }
            Op::Norm(norm) if !behind_conv.contains(&Some(id)) => {
                let tensors = if mode == NormMode::Trained { 4 } else { 2 };
                lists[1].extend(vec![(stage, vec![norm.channels]); tensors]);
            }
            Op::Linear(linear) => {
                lists[2].push((stage, vec![linear.output, linear.input]));
                lists[2].extend(linear.bias.then(|| (stage, vec![linear.output])));
            }
            _ => {}
        }
    }
    lists.concat()
}

fn check(arch: Arch) {
    let start = std::time::Instant::now();
    let device = Device::flex();
    let backbone = backbone(arch);
    let graph = backbone.graph().clone();
    let still = std::sync::Arc::new(arch.graph().without_chance());
    let size = edge(&graph, 64);
    let batch = images(0, 2, size, &device);
    let whole = host(backbone.forward(batch.clone()));
    let has_norms = graph
        .nodes
        .iter()
        .any(|node| matches!(node.op, Op::Norm(_)));
    let mut worst = [0.0_f64; 2];
    let mut random = Random::for_purpose(1, "nothing");
    for scope in SCOPES {
        let input = forward_frozen(&backbone, batch.clone(), scope);
        let shapes: Vec<[usize; 3]> = input
            .iter()
            .map(|map| {
                let [_, c, h, w] = map.dims();
                [c, h, w]
            })
            .collect();
        assert_eq!(
            shapes,
            input_shapes(&graph, scope, size),
            "{arch} {scope:?}"
        );

        let tail = TrainableStages::of(&backbone, scope, &device);
        assert_eq!(tail.norm(), NormMode::Frozen, "{arch}");
        let features = host(tail.forward(input.clone()));
        let what = format!("{arch} {scope:?} with frozen norms");
        worst[0] = worst[0].max(assert_close(&what, &features, &whole, FROZEN));
        check_stages(&what, &tail, &expected(&graph, scope, NormMode::Frozen));

        let mut tail = TrainableStages::with_norms(&still, scope, &device, take).unwrap();
        let features = host(tail.forward(input.clone()));
        let what = format!("{arch} {scope:?} with trained norms");
        worst[1] = worst[1].max(assert_close(&what, &features, &whole, TRAINED));
        check_stages(&what, &tail, &expected(&still, scope, NormMode::Trained));
        let normed = tail.norm() == NormMode::Trained;
        if scope == Scope::All {
            assert_eq!(normed, has_norms, "{arch}");
        }
        // In training the batch's statistics are others.
        let features = host(tail.forward_train(input, &mut random));
        let same = features
            .iter()
            .zip(&whole)
            .all(|(a, b)| (a - b).abs() < 1e-3);
        assert_eq!(
            same,
            !normed,
            "{what}: {:?} {:?}",
            &features[..4],
            &whole[..4]
        );
    }
    println!(
        "{arch} at {size}: largest difference {:.1e} with frozen norms, {:.1e} with trained ones; {:.1} s",
        worst[0],
        worst[1],
        start.elapsed().as_secs_f64()
    );
}

fn check_stages(what: &str, tail: &TrainableStages, expected: &[(usize, Vec<usize>)]) {
    let stages: Vec<usize> = tail.stages().collect();
    let sizes = sizes(tail);
    assert_eq!(stages.len(), sizes.len(), "{what}: numbers and parameters");
    let got: Vec<(usize, Vec<usize>)> = stages.into_iter().zip(sizes).collect();
    for (at, (got, want)) in got.iter().zip(expected).enumerate() {
        assert_eq!(got, want, "{what}: stage and sizes of parameter {at}");
    }
    assert_eq!(got.len(), expected.len(), "{what}: parameters");
}

for_every_family!(check);
