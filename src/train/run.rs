//! Training a head on cached features: seeded batches, cross-entropy, Adam, validation.
//!
//! Adam as Kingma and Ba 2014 (arXiv:1412.6980) with PyTorch's epsilon, 1e-8. Training loss and accuracy
//! are means over the epoch's own steps, while the weights changed, as the usual curves show them.

use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};

use super::epochs::{self, Batches, Learner, Sums};
use super::metrics::Tally;
use crate::config::TrainConfig;
use crate::error::{Error, Result};
use crate::model::head::{Head, HeadSpec, Step, read};
use crate::platform::time;
use crate::protocol::EpochReport;
use crate::random::Random;

/// Rows a validation batch has: the largest activation is then 1024 x 1024 floats, 4 MB.
const VALIDATION_BATCH: usize = 1024;

/// Labelled features.
#[derive(Debug, Clone, Default)]
pub struct Examples {
    /// `[N,C]`, row after row.
    pub features: Vec<f32>,
    /// `[N]`, each below the number of classes.
    pub labels: Vec<usize>,
}

impl Examples {
    /// Adds one.
    pub fn push(&mut self, features: &[f32], label: usize) {
        self.features.extend_from_slice(features);
        self.labels.push(label);
    }

    /// N.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}

/// What the loop is told after each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// End here; what is trained so far counts.
    Stop,
}

/// Who watches a run: draws it, holds it, stops it.
pub trait Observer {
    /// After each step, `done` of `total` over the whole run. An error ends the run and drops it.
    fn step(&mut self, done: usize, total: usize) -> impl Future<Output = Result<Flow>>;
    /// Between the batches of a validation that takes long.
    fn validating(&mut self) -> impl Future<Output = Result<Flow>> {
        std::future::ready(Ok(Flow::Continue))
    }
    /// After each epoch.
    fn epoch(&mut self, report: EpochReport);
}

/// What a run leaves.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The head of the best epoch, on the inner device.
    pub head: Head,
    /// That epoch, from 1: highest validation accuracy, lowest validation loss among equals.
    pub best_epoch: usize,
    /// Every epoch.
    pub epochs: Vec<EpochReport>,
    /// Whether it was stopped before its last epoch.
    pub stopped: bool,
}

/// Trains a fresh head.
///
/// # Errors
/// [`Error::Shape`] for a setting out of range or an empty part, [`Error::Gpu`] if the device fails, and
/// what the observer says.
pub async fn run(
    config: &TrainConfig,
    spec: HeadSpec,
    train: &Examples,
    validation: &Examples,
    device: &Device,
    observer: &mut impl Observer,
) -> Result<Trained> {
    config.check()?;
    check_sizes(&spec, train.len(), validation.len())?;
    let mut learner = OnFeatures {
        trainer: Trainer::new(config, spec, device),
        train,
        validation,
    };
    let course = epochs::course(&mut learner, config.epochs, observer).await?;
    Ok(Trained {
        head: course.model,
        best_epoch: course.best_epoch,
        epochs: course.epochs,
        stopped: course.stopped,
    })
}

/// Whether there is enough to train and to measure on.
pub(super) fn check_sizes(spec: &HeadSpec, train: usize, validation: usize) -> Result<()> {
    for (part, images) in [("training", train), ("validation", validation)] {
        if images == 0 {
            return Err(Error::Dataset(format!("there is no readable {part} image")));
        }
    }
    if has_norm(spec) && train < 2 {
        return Err(Error::Dataset(
            "batch norm needs two training images at least".to_string(),
        ));
    }
    Ok(())
}

/// Whether a head normalises over the batch.
pub(super) fn has_norm(spec: &HeadSpec) -> bool {
    let mut steps = spec.steps.iter();
    steps.any(|step| matches!(step, Step::BatchNorm(_)))
}

/// A head and the examples it learns from.
struct OnFeatures<'a> {
    trainer: Trainer,
    train: &'a Examples,
    validation: &'a Examples,
}

impl Learner for OnFeatures<'_> {
    type Model = Head;

    fn steps(&self) -> usize {
        self.trainer.batches.count(self.train.len())
    }

    fn order(&mut self) -> Vec<Vec<usize>> {
        self.trainer.order(self.train)
    }

    async fn step(&mut self, batch: &[usize]) -> Result<()> {
        self.trainer.step(self.train, batch);
        Ok(())
    }

    async fn report(
        &mut self,
        epoch: usize,
        start: f64,
        _: &mut impl Observer,
    ) -> Result<(EpochReport, Flow)> {
        let (train_loss, train_accuracy) = self.trainer.sums().await?;
        let tally = measure(&self.model(), self.validation).await?;
        let report = EpochReport {
            epoch,
            train_loss,
            train_accuracy,
            val_loss: tally.loss(),
            val_accuracy: tally.accuracy(),
            milliseconds: time::now() - start,
            learning_rate: 0.0,
            images_per_second: 0.0,
        };
        Ok((report, Flow::Continue))
    }

    fn model(&self) -> Head {
        self.trainer.head.valid()
    }
}

/// PyTorch's Adam, as both trainers use it.
pub(super) fn adam() -> ModuleOptimizer {
    AdamConfig::new().with_epsilon(1e-8).init()
}

/// A head on its way, with its optimizer and its streams of chance.
pub struct Trainer {
    head: Head,
    optimizer: ModuleOptimizer,
    learning_rate: f64,
    device: Device,
    batches: Batches,
    dropout: Random,
    sums: Sums,
}

impl Trainer {
    /// A fresh head and optimizer on `device` (without gradients; the trainer adds them).
    #[must_use]
    pub fn new(config: &TrainConfig, spec: HeadSpec, device: &Device) -> Self {
        let device = device.clone().autodiff();
        Self {
            head: fresh_head(config, spec, &device),
            optimizer: adam(),
            learning_rate: config.learning_rate,
            batches: Batches::new(config.batch, config.seed),
            dropout: Random::for_purpose(config.seed, "dropout"),
            device,
            sums: Sums::default(),
        }
    }

    /// The next epoch's batches, in a fresh order.
    pub fn order(&mut self, examples: &Examples) -> Vec<Vec<usize>> {
        self.batches.order(examples.len())
    }

    /// One step of Adam on the mean cross-entropy of a batch.
    pub fn step(&mut self, examples: &Examples, batch: &[usize]) {
        let width = examples.features.len() / examples.len();
        let mut rows = Vec::with_capacity(batch.len() * width);
        for &i in batch {
            rows.extend_from_slice(&examples.features[i * width..(i + 1) * width]);
        }
        let x = TensorData::new(rows, [batch.len(), width]);
        let x = Tensor::<2>::from_data(x, &self.device);
        let y = epochs::labels(batch.iter().map(|&i| examples.labels[i]), &self.device);

        let logits = self.head.forward_train(x, &mut self.dropout);
        let loss = self.sums.loss(logits, y);
        let gradients = GradientsParams::from_grads(loss.backward(), &self.head);
        let head = self.head.clone();
        self.head = self.optimizer.step(self.learning_rate, head, gradients);
    }

    /// Mean loss and accuracy over the examples since the last call.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the device fails, [`Error::Shape`] if the loss has run away.
    pub async fn sums(&mut self) -> Result<(f64, f64)> {
        self.sums.take().await
    }
}

/// The head that a run begins with.
pub(super) fn fresh_head(config: &TrainConfig, spec: HeadSpec, device: &Device) -> Head {
    let seed = Random::for_purpose(config.seed, "head").bits();
    Head::init(spec, seed, device)
}

/// Loss, accuracy and confusion of a head on labelled features.
///
/// # Errors
/// [`Error::Gpu`] if the device fails, [`Error::Weights`] if what comes out is not numbers.
pub async fn measure(head: &Head, examples: &Examples) -> Result<Tally> {
    let classes = head.classes();
    let device = head.device();
    let width = examples.features.len() / examples.len().max(1);
    let mut logits = Vec::with_capacity(examples.len() * classes);
    for rows in examples.features.chunks((VALIDATION_BATCH * width).max(1)) {
        let shape = [rows.len() / width, width];
        let x = Tensor::from_data(TensorData::new(rows.to_vec(), shape), &device);
        logits.extend(read(head.forward(x)).await?);
    }
    let tally = Tally::of(&logits, &examples.labels, classes);
    if !tally.loss().is_finite() {
        return Err(not_a_number());
    }
    Ok(tally)
}

/// What a validation says of a head that overflows.
pub(super) fn not_a_number() -> Error {
    Error::weights(
        "head",
        "its output is not a number: its weights are too large",
    )
}
