//! Promise: a head trains to what its data allow, to the same numbers for the same seed, and survives a
//! file; a run can be stopped and keeps its best epoch.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use retune::config::{Augment, HeadKind, OptimizerKind, Schedule, TrainConfig};
use retune::error::{Error, Result};
use retune::model::head::{Head, HeadSpec, Step, to_host};
use retune::protocol::EpochReport;
use retune::random::Random;
use retune::train::head::{
    CheckpointState, Examples, Features, FitResult, Flow, Observer, Progress, Resume, Start,
    measure, run,
};
use retune::train::objective::Objective;
use retune::weights::{self, Checkpoint, NamedTensor};

const WIDTH: usize = 24;
const CLASSES: usize = 3;

/// Clouds round three corners; they overlap a little.
fn clouds(n: usize, seed: u64) -> Examples {
    let mut random = Random::new(seed);
    let mut examples = Examples::default();
    for i in 0..n {
        let label = i % CLASSES;
        let row: Vec<f32> = (0..WIDTH)
            .map(|j| {
                let centre = if j % CLASSES == label { 0.6 } else { 0.0 };
                (centre + random.uniform() - 0.5) as f32
            })
            .collect();
        examples.push(&row, label);
    }
    examples
}

/// Stops after so many steps, if at all.
#[derive(Default)]
struct Watch {
    stop_after: Option<usize>,
    epochs: Vec<EpochReport>,
    last: (usize, usize),
    /// CheckpointState after that epoch, as through files.
    keep_after: Option<usize>,
    kept: Option<(Progress, Checkpoint)>,
    best: Option<Checkpoint>,
}

/// Tensors as they come back from a file.
fn through_a_file(tensors: &[NamedTensor]) -> Checkpoint {
    let bytes = weights::save(tensors, &BTreeMap::new(), weights::SaveAs::F32).unwrap();
    weights::read("kept", &bytes).unwrap()
}

impl Observer for Watch {
    async fn step(&mut self, done: usize, total: usize) -> Result<Flow> {
        self.last = (done, total);
        Ok(if self.stop_after == Some(done) {
            Flow::Stop
        } else {
            Flow::Continue
        })
    }

    fn epoch(&mut self, report: EpochReport) {
        self.epochs.push(report);
    }

    fn wants_checkpoints(&self) -> bool {
        self.keep_after.is_some()
    }

    async fn checkpoint(&mut self, state: CheckpointState<'_>) -> Result<()> {
        if self.keep_after < Some(state.progress.epochs.len()) {
            return Ok(());
        }
        self.kept = Some((state.progress.clone(), through_a_file(&state.state)));
        if let Some(best) = state.best {
            self.best = Some(through_a_file(&best));
        }
        Ok(())
    }
}

fn train(config: &TrainConfig, watch: &mut Watch) -> Result<FitResult> {
    go_on(config, None, watch)
}

fn go_on(config: &TrainConfig, resume: Option<Resume>, watch: &mut Watch) -> Result<FitResult> {
    let spec = HeadSpec::of(config.head, WIDTH, CLASSES);
    let (train, validation) = (clouds(301, 1), clouds(90, 2));
    let features = Features {
        train: &train,
        views: 1,
        validation: &validation,
    };
    let begin = Start { head: None, resume };
    let device = Device::flex();
    pollster::block_on(run(config, spec, features, begin, &device, watch))
}

fn config(head: HeadKind, epochs: usize) -> TrainConfig {
    TrainConfig {
        head,
        epochs,
        learning_rate: 3e-3,
        ..TrainConfig::default()
    }
}

#[test]
fn every_head_learns() {
    for head in HeadKind::ALL {
        let mut watch = Watch::default();
        let trained = train(&config(head, 12), &mut watch).unwrap();
        let first = watch.epochs[0].train_loss;
        let last = &watch.epochs[11];
        assert!(
            last.train_loss < 0.5 * first,
            "{}: {first} to {}",
            head.name(),
            last.train_loss
        );
        assert!(last.val_accuracy > 0.97, "{}: {last:?}", head.name());
        assert!(!trained.stopped);
        // 301 = 9 batches of 32 and one of 13.
        assert_eq!(watch.last, (120, 120));
    }
}

#[test]
fn the_kept_head_is_the_best_epochs() {
    let config = config(HeadKind::Mlp1, 8);
    let trained = train(&config, &mut Watch::default()).unwrap();
    let best = &trained.epochs[trained.best_epoch - 1];
    for epoch in &trained.epochs {
        assert!(best.val_accuracy >= epoch.val_accuracy);
    }
    let tally = pollster::block_on(measure(&trained.model.head, &clouds(90, 2))).unwrap();
    assert!((tally.accuracy() - best.val_accuracy).abs() < 1e-9);
    assert!((tally.loss() - best.val_loss).abs() < 1e-6);
}

#[test]
fn a_head_alone_records_no_gradients() {
    let asked = TrainConfig {
        gradient_norms: true,
        ..config(HeadKind::Linear, 2)
    };
    let trained = train(&asked, &mut Watch::default()).unwrap();
    assert!(
        trained
            .epochs
            .iter()
            .all(|epoch| epoch.gradients.is_empty())
    );
}

#[test]
fn a_seed_gives_the_same_numbers_and_another_gives_others() {
    // Dropout included: its masks come from the seed as well.
    let config = config(HeadKind::MlpBn, 3);
    let losses = |config: &TrainConfig| {
        let trained = train(config, &mut Watch::default()).unwrap();
        trained
            .epochs
            .iter()
            .map(|epoch| epoch.train_loss.to_bits())
            .collect::<Vec<_>>()
    };
    let other = TrainConfig {
        seed: 8,
        ..config.clone()
    };
    assert_eq!(losses(&config), losses(&config));
    assert_ne!(losses(&config), losses(&other));
}

#[test]
fn stopping_keeps_what_is_there() {
    let mut watch = Watch {
        stop_after: Some(15),
        ..Watch::default()
    };
    let trained = train(&config(HeadKind::Linear, 50), &mut watch).unwrap();
    assert!(trained.stopped);
    assert_eq!((trained.epochs.len(), watch.last.0), (2, 15));
}

/// The numbers of a head.
fn numbers(course: &FitResult) -> Vec<Vec<f32>> {
    let state = pollster::block_on(course.model.head.state()).unwrap();
    state.into_iter().map(|(_, _, values)| values).collect()
}

/// Losses and accuracies, to the last bit; times differ.
fn curves(epochs: &[EpochReport]) -> Vec<[u64; 4]> {
    let bits = |e: &EpochReport| {
        [e.train_loss, e.train_accuracy, e.val_loss, e.val_accuracy].map(f64::to_bits)
    };
    epochs.iter().map(bits).collect()
}

/// What is killed after an epoch and goes on ends as what was never killed, to the last bit: with every
/// optimizer, momentum, dropout, batch norm, an average of the weights, mixed examples, a schedule.
#[test]
fn a_killed_run_goes_on_to_the_same_numbers() {
    for (optimizer, head, ema) in [
        (OptimizerKind::Adam, HeadKind::MlpBn, 0.0),
        (OptimizerKind::AdamW, HeadKind::Mlp3, 0.95),
        (OptimizerKind::Sgd, HeadKind::Linear, 0.9),
    ] {
        let config = TrainConfig {
            optimizer,
            ema,
            schedule: Schedule::Cosine,
            warmup_epochs: 1.0,
            weight_decay: 1e-3,
            augment: Augment {
                mixup: 0.4,
                ..Augment::default()
            },
            ..config(head, 6)
        };
        let whole = train(&config, &mut Watch::default()).unwrap();
        for killed_after in [1, 3] {
            let mut watch = Watch {
                keep_after: Some(killed_after),
                ..Watch::default()
            };
            train(&config, &mut watch).unwrap();
            let (progress, state) = watch.kept.unwrap();
            assert_eq!(progress.epochs.len(), killed_after);
            let resume = Resume {
                progress,
                state,
                best: watch.best.unwrap(),
            };
            let mut rest = Watch::default();
            let resumed = go_on(&config, Some(resume), &mut rest).unwrap();
            assert_eq!(rest.epochs.len(), 6 - killed_after);
            assert_eq!(curves(&resumed.epochs), curves(&whole.epochs));
            assert_eq!(resumed.best_epoch, whole.best_epoch);
            assert_eq!(numbers(&resumed), numbers(&whole), "{}", optimizer.name());
        }
    }
}

#[test]
fn patience_ends_a_run_that_gets_no_better() {
    let config = TrainConfig {
        patience: 2,
        learning_rate: 0.3,
        ..config(HeadKind::Mlp1, 60)
    };
    let course = train(&config, &mut Watch::default()).unwrap();
    assert!(course.stopped);
    assert_eq!(course.epochs.len(), course.best_epoch + 2);
}

/// With every fourth example of class 0 only, weights lift that class's accuracy.
#[test]
fn weights_help_the_rare_class() {
    let objective = |class_weights| {
        let config = TrainConfig {
            class_weights,
            ..TrainConfig::default()
        };
        Objective::new(&config, &[10, 40, 40])
    };
    let one_hot = objective(true).one_hot(&[0, 1]);
    // n / (K n_c) is 3 and 0.75; over their sum.
    assert_eq!(
        objective(true).coefficients(&one_hot),
        [0.8, 0.0, 0.0, 0.0, 0.2, 0.0]
    );
    assert_eq!(
        objective(false).coefficients(&one_hot),
        [0.5, 0.0, 0.0, 0.0, 0.5, 0.0]
    );
}

#[test]
fn going_on_with_anothers_state_is_refused() {
    let mut watch = Watch {
        keep_after: Some(1),
        ..Watch::default()
    };
    train(&config(HeadKind::Linear, 3), &mut watch).unwrap();
    let (progress, state) = watch.kept.unwrap();
    let best = watch.best.unwrap();
    let resume = Resume {
        progress,
        state,
        best,
    };
    let other = config(HeadKind::Mlp1, 3);
    let error = go_on(&other, Some(resume), &mut Watch::default()).unwrap_err();
    assert!(error.to_string().contains("student."), "{error}");
}

#[test]
fn settings_out_of_range_and_empty_parts_are_refused() {
    let mut wrong = config(HeadKind::Linear, 1);
    wrong.learning_rate = f64::NAN;
    let error = train(&wrong, &mut Watch::default()).unwrap_err();
    assert!(error.to_string().contains("learning rate"), "{error}");

    let mut single = config(HeadKind::MlpBn, 1);
    single.batch = 1;
    let error = train(&single, &mut Watch::default()).unwrap_err();
    assert!(error.to_string().contains("batch"), "{error}");

    let spec = HeadSpec::of(HeadKind::Linear, WIDTH, CLASSES);
    let (some, none, device) = (clouds(9, 1), Examples::default(), Device::flex());
    let config = config(HeadKind::Linear, 1);
    let mut watch = Watch::default();
    let features = Features {
        train: &some,
        views: 1,
        validation: &none,
    };
    let empty = run(
        &config,
        spec,
        features,
        Start::default(),
        &device,
        &mut watch,
    );
    let error = pollster::block_on(empty).unwrap_err();
    assert!(
        matches!(&error, Error::Dataset(text) if text.contains("validation")),
        "{error}"
    );
}

#[test]
fn a_head_survives_a_file() {
    let device = Device::flex();
    let x: Vec<f32> = clouds(7, 3).features;
    let x: Tensor<2> = Tensor::from_data(TensorData::new(x, [7, WIDTH]), &device);
    for kind in HeadKind::ALL {
        let course = train(&config(kind, 1), &mut Watch::default()).unwrap();
        let head = course.model.head;
        let state = pollster::block_on(head.state()).unwrap();
        let named: Vec<_> = state
            .iter()
            .map(|(name, shape, _)| (name.clone(), shape.clone()))
            .collect();
        assert_eq!(HeadSpec::recognise(&named, WIDTH), Some((kind, CLASSES)));
        let again = Head::load(
            HeadSpec::of(kind, WIDTH, CLASSES),
            &device,
            |name, shape| {
                let found = state.iter().find(|(n, s, _)| n == name && s == shape);
                Ok(found.unwrap().2.clone())
            },
        );
        let before = pollster::block_on(to_host(head.forward(x.clone()))).unwrap();
        let after = pollster::block_on(to_host(again.unwrap().forward(x.clone()))).unwrap();
        assert_eq!(before, after, "{}", kind.name());
    }
}

/// The course work's heads, written out as in its report.
#[test]
fn presets_are_the_course_works_heads() {
    use Step::{BatchNorm, Dropout, Relu};
    let linear = |input, output| Step::Linear { input, output };
    let steps = |kind| HeadSpec::of(kind, 2048, 6).steps;
    assert_eq!(steps(HeadKind::Linear), [linear(2048, 6)]);
    assert_eq!(
        steps(HeadKind::Mlp1),
        [linear(2048, 128), Relu, linear(128, 6)]
    );
    assert_eq!(
        steps(HeadKind::Mlp3),
        [
            linear(2048, 1024),
            Relu,
            Dropout(0.2),
            linear(1024, 256),
            Relu,
            linear(256, 64),
            Relu,
            linear(64, 6)
        ]
    );
    assert_eq!(
        steps(HeadKind::MlpBn),
        [
            linear(2048, 1024),
            Relu,
            Dropout(0.2),
            BatchNorm(1024),
            linear(1024, 512),
            Relu,
            BatchNorm(512),
            linear(512, 256),
            Relu,
            Dropout(0.2),
            BatchNorm(256),
            linear(256, 128),
            Relu,
            Dropout(0.2),
            BatchNorm(128),
            linear(128, 64),
            Relu,
            linear(64, 6)
        ]
    );
}
