//! The epoch loop: seeded batches, cross-entropy, Adam, validation, the best epoch kept.
//!
//! Adam as Kingma and Ba 2014 (arXiv:1412.6980) with PyTorch's epsilon, 1e-8. Training loss and accuracy
//! are means over the epoch's own steps, while the weights changed, as the usual curves show them.

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Int, Tensor, TensorData};

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
    for (part, examples) in [("training", train), ("validation", validation)] {
        if examples.is_empty() {
            return Err(Error::Dataset(format!("there is no readable {part} image")));
        }
    }
    let has_norm = spec
        .steps
        .iter()
        .any(|step| matches!(step, Step::BatchNorm(_)));
    if has_norm && train.len() < 2 {
        return Err(Error::Dataset(
            "batch norm needs two training images at least".to_string(),
        ));
    }
    let mut trainer = Trainer::new(config, spec, device);
    let total = config.epochs * trainer.steps(train);
    let mut best: Option<(EpochReport, Head)> = None;
    let mut epochs = Vec::new();
    let mut done = 0;
    for epoch in 1..=config.epochs {
        let start = time::now();
        let mut flow = Flow::Continue;
        for batch in trainer.order(train) {
            trainer.step(train, &batch);
            done += 1;
            flow = observer.step(done, total).await?;
            if flow == Flow::Stop {
                break;
            }
        }
        let report = trainer.report(epoch, validation, start).await?;
        epochs.push(report);
        observer.epoch(report);
        if best.as_ref().is_none_or(|(old, _)| better(&report, old)) {
            best = Some((report, trainer.head.valid()));
        }
        if flow == Flow::Stop {
            break;
        }
    }
    let stopped = done < total;
    let (report, head) = best.ok_or_else(|| Error::shape("epochs", "none was asked for"))?;
    Ok(Trained {
        head,
        best_epoch: report.epoch,
        epochs,
        stopped,
    })
}

/// Whether `new` beats `old`: accuracy first, then loss.
fn better(new: &EpochReport, old: &EpochReport) -> bool {
    let accuracy = new.val_accuracy.total_cmp(&old.val_accuracy);
    accuracy.then(old.val_loss.total_cmp(&new.val_loss)).is_gt()
}

/// A head on its way, with its optimizer and its streams of chance.
pub struct Trainer {
    head: Head,
    optimizer: ModuleOptimizer,
    learning_rate: f64,
    batch: usize,
    device: Device,
    shuffle: Random,
    dropout: Random,
    // Sums over the epoch's examples, left on the device until the epoch is over.
    loss: Option<Tensor<1>>,
    hits: Option<Tensor<1, Int>>,
    seen: usize,
}

impl Trainer {
    /// A fresh head and optimizer on `device` (without gradients; the trainer adds them).
    #[must_use]
    pub fn new(config: &TrainConfig, spec: HeadSpec, device: &Device) -> Self {
        let device = device.clone().autodiff();
        Self {
            head: Head::init(
                spec,
                Random::for_purpose(config.seed, "head").bits(),
                &device,
            ),
            optimizer: AdamConfig::new().with_epsilon(1e-8).init(),
            learning_rate: config.learning_rate,
            batch: config.batch,
            shuffle: Random::for_purpose(config.seed, "shuffle"),
            dropout: Random::for_purpose(config.seed, "dropout"),
            device,
            loss: None,
            hits: None,
            seen: 0,
        }
    }

    /// Steps an epoch has.
    #[must_use]
    pub fn steps(&self, examples: &Examples) -> usize {
        self.batches(examples.len())
    }

    fn batches(&self, examples: usize) -> usize {
        let whole = examples / self.batch;
        // Batch norm cannot normalise a single row, so a last batch of one is left out of the epoch.
        let rest = examples % self.batch;
        (whole + usize::from(rest > 1)).max(1)
    }

    /// The next epoch's batches, in a fresh order.
    pub fn order(&mut self, examples: &Examples) -> Vec<Vec<usize>> {
        let mut order: Vec<usize> = (0..examples.len()).collect();
        self.shuffle.shuffle(&mut order);
        let batches = order.chunks(self.batch).map(<[usize]>::to_vec);
        batches.take(self.batches(examples.len())).collect()
    }

    /// One step of Adam on the mean cross-entropy of a batch.
    pub fn step(&mut self, examples: &Examples, batch: &[usize]) {
        let width = examples.features.len() / examples.len();
        let mut rows = Vec::with_capacity(batch.len() * width);
        for &i in batch {
            rows.extend_from_slice(&examples.features[i * width..(i + 1) * width]);
        }
        let labels: Vec<i32> = batch.iter().map(|&i| examples.labels[i] as i32).collect();
        let n = batch.len();
        let x = Tensor::<2>::from_data(TensorData::new(rows, [n, width]), &self.device);
        let y = Tensor::<1, Int>::from_data(TensorData::new(labels, [n]), &self.device);

        let logits = self.head.forward_train(x, &mut self.dropout);
        let hits = logits.clone().inner().argmax(1).squeeze_dim::<1>(1);
        let hits = hits.equal(y.clone().inner()).int().sum();
        let cross_entropy = CrossEntropyLossConfig::new().init(&self.device);
        let loss = cross_entropy.forward(logits, y);
        let sum = loss.clone().inner() * n as f32;
        let gradients = GradientsParams::from_grads(loss.backward(), &self.head);
        let head = self.head.clone();
        self.head = self.optimizer.step(self.learning_rate, head, gradients);

        self.loss = Some(self.loss.take().map_or(sum.clone(), |loss| loss + sum));
        self.hits = Some(self.hits.take().map_or(hits.clone(), |old| old + hits));
        self.seen += n;
    }

    /// Mean loss and accuracy over the examples since the last call.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the device fails, [`Error::Shape`] if the loss has run away.
    pub async fn sums(&mut self) -> Result<(f64, f64)> {
        let seen = std::mem::take(&mut self.seen).max(1) as f64;
        let (loss, hits) = match (self.loss.take(), self.hits.take()) {
            (Some(loss), Some(hits)) => (read(loss).await?[0], read(hits.float()).await?[0]),
            _ => (0.0, 0.0),
        };
        if !loss.is_finite() {
            return Err(Error::shape(
                "learning rate",
                "the loss is no longer a number; try a smaller one",
            ));
        }
        Ok((f64::from(loss) / seen, f64::from(hits) / seen))
    }

    /// Ends an epoch: reads the sums, measures on the validation examples.
    async fn report(
        &mut self,
        epoch: usize,
        validation: &Examples,
        start: f64,
    ) -> Result<EpochReport> {
        let (train_loss, train_accuracy) = self.sums().await?;
        let tally = measure(&self.head.valid(), validation).await?;
        Ok(EpochReport {
            epoch,
            train_loss,
            train_accuracy,
            val_loss: tally.loss(),
            val_accuracy: tally.accuracy(),
            milliseconds: time::now() - start,
        })
    }
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
        return Err(Error::weights(
            "head",
            "its output is not a number: its weights are too large",
        ));
    }
    Ok(tally)
}
