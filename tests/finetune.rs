//! Promise: convolutions can be trained too. What was asked for changes and nothing else does, gradients
//! are right, a seed gives the same numbers with and without a cache, and what was tuned survives a file.

use std::sync::LazyLock;

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};
use retune::config::{
    Arch, BundledModel, HeadKind, NormMode, OptimizerKind, Preprocess, Scope, TrainConfig,
};
use retune::data::demo;
use retune::error::{Error, Result};
use retune::image;
use retune::infer::{Classifier, Given};
use retune::model::backbone::Backbone;
use retune::model::head::{Head, HeadSpec, to_host};
use retune::model::trainable::{TrainableStages, forward_frozen};
use retune::network::graph::Op;
use retune::protocol::{EpochReport, StageGradient};
use retune::train::batches::BatchSampler;
use retune::train::feature_source::{BUDGET, FeatureSource, Labelled, Request};
use retune::train::finetune::{Images, run};
use retune::train::head::{Flow, Observer, Start};
use retune::train::learner::init_head;
use retune::train::metrics::ConfusionTally;
use retune::weights::{self, Bundled, Checkpoint, Dtype, NamedTensor, StoredTensor};

const SIZE: usize = 32;
const CLASSES: usize = 3;
/// Images a class: four to train on, two to validate on.
const PER_CLASS: usize = 6;

struct Watch;

impl Observer for Watch {
    async fn step(&mut self, _: usize, _: usize) -> Result<Flow> {
        Ok(Flow::Continue)
    }

    fn epoch(&mut self, _: EpochReport) {}
}

fn preprocess() -> Preprocess {
    Preprocess {
        size: SIZE,
        ..Preprocess::default()
    }
}

/// What a run leaves, as the engine puts it in use.
#[derive(Debug)]
struct Tuned {
    backbone: Backbone,
    head: Head,
    epochs: Vec<EpochReport>,
}

fn checkpoint() -> Checkpoint {
    let mut progress = |_, _| std::ops::ControlFlow::Continue(());
    let bytes = pollster::block_on(Bundled::of(BundledModel::Scenes).load(&mut progress)).unwrap();
    weights::read("bundled", &bytes).unwrap()
}

fn classifier() -> Classifier {
    let loaded = Classifier::load(checkpoint(), None, Given::default(), &Device::flex()).unwrap();
    loaded.classifier
}

/// The bundled backbone; its batch norms are real ones, so folding matters.
fn backbone() -> Backbone {
    classifier().backbone
}

/// Normalised pixels `[3,S,S]` of demo image number `sample`, whose class is `sample % CLASSES`.
fn pixels(sample: usize) -> Vec<f32> {
    static ALL: LazyLock<Vec<Vec<f32>>> = LazyLock::new(|| {
        let draw = |i: usize| {
            let image = demo::draw(i % CLASSES, i / CLASSES, SIZE, 5);
            image::load("demo", &image::encode_png(&image).unwrap(), &preprocess()).unwrap()
        };
        (0..CLASSES * PER_CLASS).map(draw).collect()
    });
    ALL[sample].clone()
}

fn config(scope: Scope, epochs: usize) -> TrainConfig {
    TrainConfig {
        scope,
        epochs,
        batch: 5,
        ..TrainConfig::default()
    }
}

fn spec(config: &TrainConfig) -> HeadSpec {
    HeadSpec::of(config.head, 512, CLASSES)
}

fn labelled(samples: impl Iterator<Item = usize>) -> Vec<Labelled> {
    let label = |sample| Labelled {
        sample,
        label: sample % CLASSES,
    };
    samples.map(label).collect()
}

/// A run on the demo images; reading one fails where `broken` says so.
fn train(config: &TrainConfig, budget: usize, broken: fn(usize) -> bool) -> (Result<Tuned>, usize) {
    let backbone = backbone();
    let all = CLASSES * PER_CLASS;
    let read = |request: &Request| {
        if broken(request.sample) {
            Err(Error::decode("demo", "is torn"))
        } else {
            Ok(pixels(request.sample))
        }
    };
    let pictures = async |requests: &[Request]| requests.iter().map(read).collect();
    let counts = [all - 2 * CLASSES, 2 * CLASSES];
    let mut inputs = FeatureSource::new(&backbone, config, SIZE, pictures, counts, budget);
    assert_eq!(inputs.is_cached(), budget > 0);
    let samples: Vec<usize> = (0..all).collect();
    let result = pollster::block_on(async {
        if inputs.is_cached() {
            for chunk in samples.chunks(4) {
                inputs.cache(chunk).await?;
            }
            inputs.settle().await?;
        }
        let split = all - 2 * CLASSES;
        let (train, validation) = (labelled(0..split), labelled(split..all));
        let spec = spec(config);
        let images = Images {
            inputs: &mut inputs,
            size: SIZE,
            train: &train,
            validation: &validation,
        };
        let device = backbone.device().clone().autodiff();
        let tail = match config.norm {
            NormMode::Frozen => TrainableStages::of(&backbone, config.scope, &device),
            NormMode::Trained => {
                let mut from = checkpoint();
                let take = |name: &str, shape: &[usize]| from.take_f32(name, shape);
                TrainableStages::with_norms(backbone.graph(), config.scope, &device, take)?
            }
        };
        run(config, spec, tail, images, Start::default(), &mut Watch).await
    });
    let unreadable = inputs.unreadable().len();
    let tuned = result.map(|course| {
        let state = pollster::block_on(course.model.tail.as_ref().unwrap().state()).unwrap();
        let mut all = checkpoint();
        for (name, shape, data) in state {
            let dtype = Dtype::F32;
            all.tensors
                .insert(name, StoredTensor { shape, dtype, data });
        }
        Tuned {
            backbone: backbone.reload(all).unwrap(),
            head: course.model.head,
            epochs: course.epochs,
        }
    });
    (tuned, unreadable)
}

fn trained(config: &TrainConfig, budget: usize) -> Tuned {
    train(config, budget, |_| false).0.unwrap()
}

fn named(backbone: &Backbone) -> Vec<NamedTensor> {
    let all = TrainableStages::of(backbone, Scope::All, backbone.device());
    pollster::block_on(all.state()).unwrap()
}

/// Names of the tensors that differ.
fn changed(a: &Backbone, b: &Backbone) -> Vec<String> {
    let pairs = named(a).into_iter().zip(named(b));
    let differ = pairs.filter(|(a, b)| a.2 != b.2);
    differ.map(|(a, _)| a.0).collect()
}

#[test]
fn the_last_stage_learns_and_the_others_stay() {
    let tuned = trained(&config(Scope::LastStage, 6), BUDGET);
    let losses: Vec<f64> = tuned.epochs.iter().map(|e| e.train_loss).collect();
    assert!(losses[5] < 0.6 * losses[0], "{losses:?}");
    let changed = changed(&backbone(), &tuned.backbone);
    assert!(
        changed.iter().all(|name| name.starts_with("layer4.")),
        "{changed:?}"
    );
    // Weight and bias of the five convolutions: two blocks of two, and a projection.
    assert_eq!(changed.len(), 10, "{changed:?}");
}

#[test]
fn everything_learns_down_to_the_stem() {
    let tuned = trained(&config(Scope::All, 5), BUDGET);
    let losses: Vec<f64> = tuned.epochs.iter().map(|e| e.train_loss).collect();
    assert!(losses[4] < 0.6 * losses[0], "{losses:?}");
    let changed = changed(&backbone(), &tuned.backbone);
    assert!(changed.iter().any(|name| name == "conv1.weight"));
    // Weight and bias of each of the twenty convolutions.
    assert_eq!(changed.len(), 40, "{changed:?}");
}

/// Norms that follow the batches learn too, and what comes back from the file is what was measured.
#[test]
fn trained_norms_learn_and_their_statistics_move() {
    let config = TrainConfig {
        norm: NormMode::Trained,
        ..config(Scope::All, 5)
    };
    let tuned = trained(&config, BUDGET);
    let losses: Vec<f64> = tuned.epochs.iter().map(|e| e.train_loss).collect();
    assert!(losses[4] < 0.8 * losses[0], "{losses:?}");
    let changed = changed(&backbone(), &tuned.backbone);
    assert_eq!(changed.len(), 40, "{changed:?}");
}

/// Convolutions help: with the same head, learning rate and epochs the loss is lower than the head's alone.
#[test]
fn the_head_alone_learns_less() {
    let low = TrainConfig {
        backbone_lr_factor: 1e-3,
        ..config(Scope::LastStage, 4)
    };
    let high = TrainConfig {
        backbone_lr_factor: 0.3,
        ..low.clone()
    };
    let last = |config| trained(config, BUDGET).epochs[3].train_loss;
    let (low, high) = (last(&low), last(&high));
    assert!(high < low, "{high} against {low}");
}

#[test]
fn a_seed_gives_the_same_numbers_kept_or_not() {
    for scope in [Scope::LastStage, Scope::All] {
        let config = config(scope, 2);
        let run = |budget| {
            let tuned = trained(&config, budget);
            let losses = tuned.epochs.iter().map(|e| (e.train_loss, e.val_loss));
            losses.collect::<Vec<_>>()
        };
        let kept = run(BUDGET);
        assert_eq!(kept, run(BUDGET));
        // The frozen part sees other batches then, and a matrix product may add up in another order.
        for (kept, fresh) in kept.iter().zip(run(0)) {
            let (train, val) = (kept.0 - fresh.0, kept.1 - fresh.1);
            assert!(train.abs() < 1e-5 && val.abs() < 1e-5, "{kept:?} {fresh:?}");
        }
    }
}

#[test]
fn torn_images_are_left_out_and_counted() {
    let config = config(Scope::LastStage, 1);
    for budget in [0, BUDGET] {
        // One to train on, one to validate on.
        let (result, unreadable) = train(&config, budget, |sample| sample == 3 || sample == 13);
        assert_eq!((result.unwrap().epochs.len(), unreadable), (1, 2));
        let (result, _) = train(&config, budget, |sample| sample >= 12);
        let error = result.unwrap_err().to_string();
        assert!(error.contains("validation"), "{error}");
    }
}

/// Every head stands on a trained stage, those with batch norm too.
#[test]
fn every_head_goes_with_it() {
    for head in HeadKind::ALL {
        let config = TrainConfig {
            head,
            ..config(Scope::LastStage, 1)
        };
        let tuned = trained(&config, BUDGET);
        assert!(tuned.epochs[0].train_loss.is_finite(), "{}", head.name());
    }
}

/// Mean cross-entropy of a backbone and head on six images, in f64.
fn loss(backbone: &Backbone, head: &Head) -> f64 {
    let images: Vec<f32> = (0..6).flat_map(pixels).collect();
    let logits = head.forward(backbone.forward(backbone.batch(images, SIZE)));
    let logits = pollster::block_on(to_host(logits)).unwrap();
    let labels: Vec<usize> = (0..6).map(|i| i % CLASSES).collect();
    ConfusionTally::of(&logits, &labels, CLASSES).loss()
}

/// Central differences of the loss in two values of a convolution, against the gradient of its weight.
#[test]
fn gradients_are_those_of_central_differences() {
    let (backbone, device) = (backbone(), Device::flex());
    let head = Head::init(HeadSpec::of(HeadKind::Linear, 512, CLASSES), 3, &device);
    // As it is computed with: every batch norm is 1, so a weight in the file is a folded weight.
    let values = named(&backbone);
    for (scope, name) in [
        (Scope::LastStage, "layer4.1.conv2"),
        (Scope::LastStage, "layer4.0.downsample.0"),
        (Scope::All, "layer1.0.conv1"),
        (Scope::All, "conv1"),
    ] {
        let tail = TrainableStages::of(&backbone, scope, &device.clone().autodiff());
        let images: Vec<f32> = (0..6).flat_map(pixels).collect();
        let input = forward_frozen(&backbone, backbone.batch(images, SIZE), scope);
        let logits = head.forward(tail.forward(input.into_iter().map(Tensor::autodiff).collect()));
        let labels: Vec<i32> = (0..6).map(|i| i % CLASSES as i32).collect();
        let labels = TensorData::new(labels, [6]);
        let labels = Tensor::<1, Int>::from_data(labels, &device.clone().autodiff());
        let gradients = CrossEntropyLossConfig::new()
            .init(&device.clone().autodiff())
            .forward(logits, labels)
            .backward();
        let weight = tail.weight(name).unwrap();
        let gradient = pollster::block_on(to_host(weight.grad(&gradients).unwrap())).unwrap();
        // The largest is the one that rounding hides least.
        let largest = |range: std::ops::Range<usize>| {
            range
                .max_by(|a, b| gradient[*a].abs().total_cmp(&gradient[*b].abs()))
                .unwrap()
        };
        let half = gradient.len() / 2;
        for index in [largest(0..half), largest(half..gradient.len())] {
            let moved = |by: f32| {
                let take = |wanted: &str, _: &[usize]| {
                    let found = values.iter().find(|(n, _, _)| n == wanted);
                    let mut data = found.unwrap().2.clone();
                    if wanted == format!("{name}.weight") {
                        data[index] += by;
                    }
                    Ok(data)
                };
                loss(
                    &Backbone::load(Arch::ResNet18, &device, take).unwrap(),
                    &head,
                )
            };
            let step = 4e-3;
            let difference = (moved(step) - moved(-step)) / f64::from(2.0 * step);
            let got = f64::from(gradient[index]);
            // Rounding of the f32 loss over the step, and the third derivative of the loss.
            let tolerance = 2e-4 + 0.03 * difference.abs();
            assert!(
                (got - difference).abs() < tolerance,
                "{name}[{index}]: gradient {got}, difference {difference}"
            );
        }
    }
}

/// The gradient of each parameter of a module, in the order of its visitors.
struct Gradients<'a>(&'a GradientsParams, Vec<Vec<f32>>);

impl ModuleVisitor for Gradients<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = self.0.get::<D>(param.id).unwrap();
        let values = pollster::block_on(to_host(gradient.flatten::<1>(0, D - 1)));
        self.1.push(values.unwrap());
    }
}

fn gradients_of(module: &impl Module, gradients: &GradientsParams) -> Vec<Vec<f32>> {
    let mut all = Gradients(gradients, Vec::new());
    module.visit(&mut all);
    all.1
}

/// By a run's first weights and burn's own loss, on these images: for each tensor of the whole network and its head
/// its name in a file and its gradient.
fn gradients_by_hand(config: &TrainConfig, samples: &[usize]) -> Vec<(String, Vec<f32>)> {
    let (backbone, device) = (backbone(), Device::flex().autodiff());
    let head = init_head(config, spec(config), &device);
    let tail = TrainableStages::of(&backbone, Scope::All, &device);
    let images: Vec<f32> = samples.iter().flat_map(|i| pixels(*i)).collect();
    let input = vec![backbone.batch(images, SIZE).autodiff()];
    let logits = head.forward(tail.forward(input));
    let labels: Vec<i32> = samples.iter().map(|i| (i % CLASSES) as i32).collect();
    let labels = TensorData::new(labels, [samples.len()]);
    let labels = Tensor::<1, Int>::from_data(labels, &device);
    let loss = CrossEntropyLossConfig::new().init(&device);
    let mut all = loss.forward(logits, labels).backward();
    let of_tail = GradientsParams::from_module(&mut all, &tail);
    let of_head = GradientsParams::from_module(&mut all, &head);
    let nodes = backbone.graph().nodes.iter();
    let convs = nodes.filter(|node| matches!(node.op, Op::Conv(_)));
    // Each has a weight and the bias of its norm.
    let names = convs.flat_map(|node| {
        let norm = node.name.replace("conv", "bn");
        let norm = norm.replace("downsample.0", "downsample.1");
        [format!("{}.weight", node.name), format!("{norm}.bias")]
    });
    let names = names.chain(["fc.weight".to_string(), "fc.bias".to_string()]);
    let gradients = [gradients_of(&tail, &of_tail), gradients_of(&head, &of_head)];
    let named: Vec<_> = names.zip(gradients.concat()).collect();
    assert_eq!(named.len(), 42);
    named
}

/// The stage of a tensor of ResNet-18, as a report calls it.
fn stage_of(name: &str) -> &str {
    match name.split('.').next().unwrap() {
        "conv1" | "bn1" => "stem",
        "fc" => "head",
        layer => layer,
    }
}

fn norm<'a>(gradients: impl Iterator<Item = &'a Vec<f32>>) -> f64 {
    let square = |g: &f32| f64::from(*g) * f64::from(*g);
    gradients.flatten().map(square).sum::<f64>().sqrt()
}

const STAGES: [&str; 6] = ["stem", "layer1", "layer2", "layer3", "layer4", "head"];

fn norms_by_hand(config: &TrainConfig, samples: &[usize]) -> [f64; 6] {
    let all = gradients_by_hand(config, samples);
    STAGES.map(|stage| {
        let own = all.iter().filter(|(name, _)| stage_of(name) == stage);
        norm(own.map(|(_, gradient)| gradient))
    })
}

/// A run whose steps are too small to change the next one's gradient.
fn recorded(batch: usize) -> TrainConfig {
    TrainConfig {
        gradient_norms: true,
        learning_rate: 1e-7,
        batch,
        ..config(Scope::All, 1)
    }
}

fn assert_norms(got: &[StageGradient], expected: &[f64]) {
    let names: Vec<_> = got.iter().map(|of| of.stage.as_str()).collect();
    assert_eq!(names, STAGES);
    for (got, expected) in got.iter().zip(expected) {
        let off = (got.norm - expected).abs();
        assert!(off < 2e-3 * expected, "{got:?}, by hand {expected}");
    }
}

/// One step, then several of which the mean is told.
#[test]
fn recorded_gradient_norms_are_those_computed_by_hand() {
    let images = CLASSES * (PER_CLASS - 2);
    for batch in [images, 4] {
        let config = recorded(batch);
        let epochs = trained(&config, BUDGET).epochs;
        let steps = BatchSampler::new(&config).order(images, 1);
        let mut expected = [0.0; 6];
        for samples in &steps {
            for (sum, norm) in expected.iter_mut().zip(norms_by_hand(&config, samples)) {
                *sum += norm / steps.len() as f64;
            }
        }
        assert_norms(&epochs[0].gradients, &expected);
    }
}

/// Along its gradient a stage changes the loss by the gradient's norm: central differences.
#[test]
fn a_recorded_norm_is_the_slope_of_the_loss_along_it() {
    let config = recorded(6);
    let samples: Vec<usize> = (0..6).collect();
    let (gradients, norms) = (
        gradients_by_hand(&config, &samples),
        norms_by_hand(&config, &samples),
    );
    let head = init_head(&config, spec(&config), &Device::flex());
    let values = named(&backbone());
    for (stage, norm) in STAGES.into_iter().zip(norms).take(5) {
        let moved = |by: f64| {
            let take = |wanted: &str, _: &[usize]| {
                let found = values.iter().find(|(name, _, _)| name == wanted);
                let mut data = found.unwrap().2.clone();
                let gradient = gradients.iter().find(|(name, _)| name == wanted);
                if let Some((_, gradient)) = gradient.filter(|_| stage_of(wanted) == stage) {
                    for (value, slope) in data.iter_mut().zip(gradient) {
                        *value += (by / norm) as f32 * slope;
                    }
                }
                Ok(data)
            };
            let backbone = Backbone::load(Arch::ResNet18, &Device::flex(), take);
            loss(&backbone.unwrap(), &head)
        };
        // So small because of the kinks of ReLU and max pool: the difference comes nearer as it shrinks.
        let step = 2e-4;
        let difference = (moved(step) - moved(-step)) / (2.0 * step);
        let off = (norm - difference).abs();
        assert!(off < 0.02 * norm, "{stage}: {norm}, {difference}");
    }
}

/// The norms of all stages make up the one that is clipped, and they are told as they were before that.
#[test]
fn the_stages_make_up_the_norm_that_is_clipped() {
    let run = |clip_norm| {
        let config = TrainConfig {
            clip_norm,
            optimizer: OptimizerKind::Sgd,
            momentum: 0.0,
            learning_rate: 1e-2,
            backbone_lr_factor: 1.0,
            ..recorded(12)
        };
        let mut tuned = trained(&config, BUDGET);
        let (before, after) = (named(&backbone()), named(&tuned.backbone));
        let pairs = before.iter().zip(&after);
        let change: Vec<Vec<f32>> = pairs
            .map(|(a, b)| a.2.iter().zip(&b.2).map(|(a, b)| b - a).collect())
            .collect();
        (tuned.epochs.remove(0).gradients, norm(change.iter()))
    };
    let (norms, free) = run(0.0);
    let all = norms.iter().map(|of| of.norm * of.norm).sum::<f64>().sqrt();
    // A limit just above changes nothing; half of it halves the step.
    assert_eq!(run(1.001 * all), (norms.clone(), free));
    let (clipped, half) = run(0.5 * all);
    assert_eq!(clipped, norms);
    assert!((half / free - 0.5).abs() < 1e-3, "{half} of {free}");
}

/// Trained norms count too, frozen stages have no gradient, and nothing is recorded unless it is asked for.
#[test]
fn only_what_is_trained_and_asked_for_has_a_gradient_norm() {
    let run = |scope, norm, gradient_norms| {
        let config = TrainConfig {
            norm,
            gradient_norms,
            ..config(scope, 2)
        };
        trained(&config, BUDGET).epochs
    };
    for epoch in run(Scope::All, NormMode::Trained, true) {
        let norms: Vec<f64> = epoch.gradients.iter().map(|of| of.norm).collect();
        assert_eq!(norms.len(), 6);
        assert!(norms.iter().all(|norm| *norm > 0.0), "{norms:?}");
    }
    let epochs = run(Scope::LastTwo, NormMode::Frozen, true);
    let names = epochs[1].gradients.iter().map(|of| of.stage.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["layer3", "layer4", "head"]);
    let epochs = run(Scope::LastStage, NormMode::Frozen, false);
    assert!(epochs.iter().all(|epoch| epoch.gradients.is_empty()));
}

/// A folded convolution goes through a file as convolution and batch norm, to the last bit.
#[test]
fn what_was_tuned_survives_a_file() {
    let tuned = trained(&config(Scope::All, 1), BUDGET);
    let classifier = Classifier {
        backbone: tuned.backbone,
        head: tuned.head,
        classes: (0..CLASSES).map(|i| format!("class {i}")).collect(),
        preprocess: preprocess(),
        tuned: Scope::All,
        ..classifier()
    };
    let mut tensors = named(&classifier.backbone);
    tensors.extend(pollster::block_on(classifier.head_state()).unwrap());
    let file = weights::save(&tensors, &classifier.metadata("none"), weights::SaveAs::F32);
    let again = weights::read("tuned", &file.unwrap()).unwrap();
    let again = Classifier::load(again, None, Given::default(), &Device::flex()).unwrap();
    assert!(!again.head_replaced);
    let again = again.classifier;
    assert_eq!(again.tuned, Scope::All);
    assert_eq!(changed(&classifier.backbone, &again.backbone), [""; 0]);
    let logits = |classifier: &Classifier| {
        let images = (0..4).flat_map(pixels).collect();
        pollster::block_on(to_host(classifier.logits(images, SIZE))).unwrap()
    };
    for (a, b) in logits(&classifier).iter().zip(logits(&again)) {
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
}
