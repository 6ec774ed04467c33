//! Gradients are those of central differences, in every stage.
//!
//! The loss is a fixed random projection of the features. A parameter is moved along its own gradient g by h to both
//! sides: the loss then changes by `2 h |g|` if g is right, and by less if it is not, for no direction of that length
//! changes it more than the true gradient does. All values of the parameter take part, so that the change stands out of
//! what f32 rounds away.
//!
//! By the formula alone the running statistics have nothing to do with the images, and what tells one image from another
//! dies out on the way. So each network's follow a batch of its own first.

use std::collections::HashMap;
use std::sync::Arc;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use retune::config::{NormMode, Scope};
use retune::model::backbone::Backbone;
use retune::model::trainable::TrainableStages;
use retune::network::Arch;
use retune::network::graph::Op;
use retune::random::Random;

use super::formula::uniform;
use super::{edge, for_every_family, host, images, moved, take};

/// What a central difference may be off by, of the gradient: the third derivative of the loss, the ReLUs and maxima that
/// fall the other way within the step (both less the smaller the step is), and f32 rounding of the loss over its change
/// (less the larger it is). Of four steps that trade one for the other the best counts. A term that is missing, twice
/// there or of the wrong sign is off by a large share.
/// The deepest in training are the worst: of inception_v4 on four images PyTorch's own f32 gradients are 2% off its f64
/// ones.
const TOLERANCE: f64 = 0.04;

/// How far the loss is to change on each side, over the length of the features: rounding in some hundred layers is about
/// a millionth of it.
const CHANGES: [f64; 4] = [3e-3, 6e-4, 1.5e-2, 5e-2];

/// How far a parameter moves at most, over its length.
const FARTHEST: f64 = 0.05;

/// What so long a move must change the loss by to be seen, over the length of the features. What a list of numbers adds
/// to each channel may be taken away by the norm behind it, all of it.
const NOTHING: f64 = 1e-5;

/// The values of a parameter and its gradient; a running statistic has none.
struct Gradient {
    dims: Vec<usize>,
    values: Vec<f32>,
    gradient: Option<Vec<f32>>,
}

/// Takes the gradients of some parameters by their numbers.
struct Taker<'a> {
    gradients: &'a Gradients,
    at: usize,
    wanted: &'a [usize],
    found: Vec<(usize, Gradient)>,
}

impl ModuleVisitor for Taker<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.wanted.contains(&self.at) {
            let value = param.val();
            let found = Gradient {
                dims: param.dims().to_vec(),
                gradient: value.grad(self.gradients).map(host),
                values: host(value.inner()),
            };
            self.found.push((self.at, found));
        }
        self.at += 1;
    }
}

/// The kinds of the parameters: how many dimensions, and whether they are trained.
#[derive(Default)]
struct Kinds(Vec<(usize, bool)>);

impl ModuleVisitor for Kinds {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push((D, param.val().is_require_grad()));
    }
}

/// Of each stage the first weight, the last one, and the list of numbers (a bias, a norm's) in the middle.
fn chosen(tail: &TrainableStages) -> Vec<(usize, usize)> {
    let mut kinds = Kinds::default();
    tail.visit(&mut kinds);
    let stages: Vec<usize> = tail.stages().collect();
    let mut out = Vec::new();
    for stage in 1..=tail.stage_count() {
        let of_stage = |wanted: fn(usize) -> bool| -> Vec<usize> {
            let all = kinds.0.iter().enumerate();
            all.filter(|(at, (d, trained))| stages[*at] == stage && *trained && wanted(*d))
                .map(|(at, _)| at)
                .collect()
        };
        let (weights, lists) = (of_stage(|d| d > 1), of_stage(|d| d == 1));
        assert!(!weights.is_empty(), "stage {stage} has no weights");
        let mut of_this = vec![weights[0], weights[weights.len() - 1]];
        of_this.extend(lists.get(lists.len() / 2));
        of_this.dedup();
        out.extend(of_this.into_iter().map(|at| (stage, at)));
    }
    out
}

fn projection(n: usize, features: usize) -> Vec<f32> {
    let values = uniform("projection", n * features);
    values.map(|u| (2.0 * u - 1.0) as f32).collect()
}

/// The loss in f64 of features in f32.
fn loss(features: Tensor<2>) -> f64 {
    let [n, c] = features.dims();
    let features = host(features);
    let terms = features.iter().zip(projection(n, c));
    terms.map(|(f, p)| f64::from(*f) * f64::from(p)).sum()
}

fn norm(values: &[f32]) -> f64 {
    let squares = values.iter().map(|v| f64::from(*v) * f64::from(*v));
    squares.sum::<f64>().sqrt()
}

/// Checks a network whose loss `features` computes: with gradients, and without.
fn check_all(
    what: &str,
    tail: &TrainableStages,
    mut features: impl FnMut(&mut TrainableStages) -> Tensor<2>,
) {
    let start = std::time::Instant::now();
    let chosen = chosen(tail);
    let wanted: Vec<usize> = chosen.iter().map(|(_, at)| *at).collect();
    let output = features(&mut tail.clone());
    let scale = norm(&host(output.clone().inner()));
    let [n, c] = output.dims();
    let weights = TensorData::new(projection(n, c), [n, c]);
    let weights = Tensor::<2>::from_data(weights, &output.device());
    let gradients = (output * weights).sum().backward();
    let mut taker = Taker {
        gradients: &gradients,
        at: 0,
        wanted: &wanted,
        found: Vec::new(),
    };
    tail.visit(&mut taker);
    let found = taker.found;
    let still = tail.valid();
    let mut wrong = Vec::new();
    let mut worst = 0.0_f64;
    for (at, parameter) in &found {
        let (stage, _) = chosen.iter().find(|(_, number)| number == at).unwrap();
        let what = format!("{what}, stage {stage}, parameter {at} {:?}", parameter.dims);
        let Some(gradient) = &parameter.gradient else {
            wrong.push(format!("{what}: no gradient"));
            continue;
        };
        let length = norm(gradient);
        if length == 0.0 || !length.is_finite() {
            wrong.push(format!("{what}: a gradient of length {length}"));
            continue;
        }
        let farthest = FARTHEST * norm(&parameter.values).max(0.1);
        let is_nothing = length * farthest < NOTHING * scale;
        if is_nothing && parameter.dims.len() > 1 {
            wrong.push(format!("{what}: a gradient of {length:.1e} alone"));
            continue;
        }
        let mut tried = Vec::new();
        for change in CHANGES {
            let step = (change * scale / length).min(farthest);
            let by = step / length;
            let mut moved_loss = |sign: f64| {
                let change = |number: usize, _: usize| {
                    let along = gradient.iter().map(|g| (sign * by * f64::from(*g)) as f32);
                    (number == *at).then(|| along.collect())
                };
                loss(features(&mut moved(still.clone(), change)))
            };
            let difference = (moved_loss(1.0) - moved_loss(-1.0)) / (2.0 * step);
            let off = if is_nothing {
                difference.abs() * step / scale
            } else {
                (difference / length - 1.0).abs()
            };
            tried.push((off, step, difference));
            if off < TOLERANCE / 2.0 {
                break;
            }
        }
        let best = tried.iter().min_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
        worst = worst.max(best.0);
        if best.0.is_nan() || best.0 >= TOLERANCE {
            wrong.push(format!(
                "{what}: gradient {length:.4e}, differences {tried:.4?}"
            ));
        }
    }
    println!(
        "{what}: {} parameters, the largest difference {worst:.1e}; {:.1} s",
        found.len(),
        start.elapsed().as_secs_f64()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A batch's share in the running statistics. The rest is the formula's, whose variances are larger: with those of a
/// batch alone very deep networks blow up what f32 rounds away.
const SHARE: f64 = 0.97;

/// A network whose running statistics are nearly those of a batch.
fn settled(arch: Arch, size: usize) -> Backbone {
    let device = Device::flex();
    let mut graph = arch.graph().without_chance();
    for node in &mut graph.nodes {
        if let Op::Norm(norm) = &mut node.op {
            norm.momentum = SHARE;
        }
    }
    let graph = Arc::new(graph);
    let mut tail = TrainableStages::with_norms(&graph, Scope::All, &device, take).unwrap();
    if tail.norm() == NormMode::Trained {
        let mut random = Random::for_purpose(1, "nothing");
        let _ = tail.forward_train(vec![images(0, 8, size, &device)], &mut random);
    }
    let state = pollster::block_on(tail.state()).unwrap();
    drop(tail);
    let mut values: HashMap<String, Vec<f32>> = state
        .into_iter()
        .map(|(name, _, values)| (name, values))
        .collect();
    let take = |name: &str, _: &[usize]| Ok(values.remove(name).unwrap());
    Backbone::load_graph(arch, graph, &device, take).unwrap()
}

fn frozen(arch: Arch, n: usize, size: usize) {
    let device = Device::flex();
    let backbone = settled(arch, size);
    let tail = TrainableStages::of(&backbone, Scope::All, &device.clone().autodiff());
    drop(backbone);
    let batch = images(0, n, size, &device);
    check_all(&format!("{arch} at {size}, norms frozen"), &tail, |tail| {
        tail.forward(vec![on(batch.clone(), tail)])
    });
}

fn trained(arch: Arch, n: usize, size: usize) {
    let device = Device::flex();
    let graph = Arc::new(arch.graph().without_chance());
    let gradients = device.clone().autodiff();
    let tail = TrainableStages::with_norms(&graph, Scope::All, &gradients, take).unwrap();
    if tail.norm() == NormMode::Frozen {
        return;
    }
    let batch = images(0, n, size, &device);
    let mut random = Random::for_purpose(1, "nothing");
    check_all(&format!("{arch} at {size}, norms trained"), &tail, |tail| {
        tail.forward_train(vec![on(batch.clone(), tail)], &mut random)
    });
}

/// With gradients where the module has them.
fn on(x: Tensor<4>, module: &TrainableStages) -> Tensor<4> {
    if module.devices().iter().any(Device::is_autodiff) {
        x.autodiff()
    } else {
        x
    }
}

/// The first of a family with trained norms too.
fn check(arch: Arch) {
    let mut family = Arch::ALL
        .iter()
        .filter(|other| other.family() == arch.family());
    let size = match arch.family() {
        "VGG" => 32,
        // Planes of 2 by 2 at the end: the statistics of a few single values are chance.
        "Inception-v4" | "Inception-ResNet" => 107,
        _ => edge(&arch.graph(), 64),
    };
    if family.next() == Some(&arch) || arch.family() == "VGG" {
        frozen(arch, 2, size);
        let n = if arch == Arch::InceptionV4 { 8 } else { 4 };
        trained(arch, n, size);
    } else {
        frozen(arch, 1, size);
    }
}

for_every_family!(check);
