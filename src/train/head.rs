//! Training a head on cached features, and measuring it.
//!
//! Training loss and accuracy are means over the epoch's own steps, while the weights changed, as the usual
//! curves show them.

use burn::tensor::{Device, Tensor, TensorData};

use super::batches::{BatchSampler, BatchSource, LabelledBatch, StepIndex};
use super::fit::{self, has_norm};
pub use super::fit::{CheckpointState, FitResult, Flow, LiveMetrics, Observer, Progress, Resume};
use super::learner::{Batch, Input, Learner, init_head, not_a_number};
use super::metrics::ConfusionTally;
use super::objective::Objective;
use super::parameters::{collect, replace};
use crate::config::{Augment, TrainConfig};
use crate::error::{Error, Result};
use crate::image::augment::Mix;
use crate::model::head::{Head, HeadSpec, to_host};

/// Rows a validation batch has: the largest activation is then 1024 x 1024 floats, 4 MB.
const VALIDATION_BATCH: usize = 1024;

/// Labelled features.
#[derive(Debug, Clone, Default)]
pub struct Examples {
    /// `[N,C]`, row after row; where images are augmented `[V,N,C]`, all of one view after the other.
    pub features: Vec<f32>,
    /// `[N]`, each below the number of classes; with views as often as there are views.
    pub labels: Vec<usize>,
}

impl Examples {
    /// Adds one.
    pub fn push(&mut self, features: &[f32], label: usize) {
        self.features.extend_from_slice(features);
        self.labels.push(label);
    }

    /// N, or V N.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// C.
    #[must_use]
    pub fn width(&self) -> usize {
        self.features.len() / self.len().max(1)
    }

    /// Rows `[n,C]`.
    fn rows(&self, picks: impl ExactSizeIterator<Item = usize>) -> Vec<f32> {
        let width = self.width();
        let mut rows = Vec::with_capacity(picks.len() * width);
        for i in picks {
            rows.extend_from_slice(&self.features[i * width..(i + 1) * width]);
        }
        rows
    }

    /// Rows as they lie as a tensor `[n,C]`.
    fn tensor(&self, rows: Vec<f32>, device: &Device) -> Tensor<2> {
        let width = self.width();
        let n = rows.len() / width.max(1);
        Tensor::from_data(TensorData::new(rows, [n, width]), device)
    }
}

/// How many labels of each class there are, `[K]`.
#[must_use]
pub fn count(labels: impl Iterator<Item = usize>, classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    for label in labels {
        counts[label] += 1;
    }
    counts
}

/// What a run begins with.
#[derive(Default)]
pub struct Start {
    /// A head on the inner device to go on from; none for a fresh one.
    pub head: Option<Head>,
    /// A run to go on with.
    pub resume: Option<Resume>,
}

/// What a head is trained on.
#[derive(Debug, Clone, Copy)]
pub struct Features<'a> {
    /// To learn from, `views` views of each.
    pub train: &'a Examples,
    /// 1 where nothing is augmented.
    pub views: usize,
    /// Held out.
    pub validation: &'a Examples,
}

/// Trains a head.
///
/// # Errors
/// [`Error::Setting`] for a setting out of range or an empty part, [`Error::Gpu`] if the device fails, and
/// what the observer says.
pub async fn run(
    config: &TrainConfig,
    spec: HeadSpec,
    features: Features<'_>,
    begin: Start,
    device: &Device,
    observer: &mut impl Observer,
) -> Result<FitResult> {
    let Features {
        train,
        views,
        validation,
    } = features;
    config.check()?;
    check_sizes(config, train.len(), validation.len())?;
    let device = device.clone().autodiff();
    let head = head_on(config, spec, begin.head, &device)?;
    let counts = count(train.labels.iter().copied(), head.classes());
    let mut learner = Learner::new(config, None, head, &counts);
    let mut feed = OnFeatures {
        config,
        batches: BatchSampler::new(config),
        views: views.max(1),
        train,
        validation,
        device: device.inner(),
    };
    fit::fit(config, &mut learner, &mut feed, begin.resume, observer).await
}

/// The head that a run begins with, on a device with gradients.
pub(super) fn head_on(
    config: &TrainConfig,
    spec: HeadSpec,
    head: Option<Head>,
    device: &Device,
) -> Result<Head> {
    match head {
        None => Ok(init_head(config, spec, device)),
        Some(head) if *head.spec() == spec => {
            Ok(replace(init_head(config, spec, device), collect(&head)))
        }
        Some(_) => Err(Error::setting(
            "resume the head",
            "the model's head is another one than that of the settings, or has other classes",
        )),
    }
}

/// Whether there is enough to train and to measure on.
pub(super) fn check_sizes(config: &TrainConfig, train: usize, validation: usize) -> Result<()> {
    for (part, images) in [("training", train), ("validation", validation)] {
        if images == 0 {
            return Err(Error::Dataset(format!("there is no readable {part} image")));
        }
    }
    if has_norm(config.head) && train < 2 {
        return Err(Error::Dataset(
            "batch norm needs two training images at least".to_string(),
        ));
    }
    Ok(())
}

/// Features of examples.
struct OnFeatures<'a> {
    config: &'a TrainConfig,
    batches: BatchSampler,
    views: usize,
    train: &'a Examples,
    validation: &'a Examples,
    device: Device,
}

impl OnFeatures<'_> {
    /// N of the training examples.
    fn examples(&self) -> usize {
        self.train.len() / self.views
    }

    /// The images are gone, their features are left, so those are mixed (Verma et al. 2018, arXiv:1806.05236);
    /// nothing can be cut out of them, so cutmix mixes too.
    fn mix(&self, at: StepIndex, n: usize) -> Option<Mix> {
        let augment = &self.config.augment;
        let alpha = if augment.mixup > 0.0 {
            augment.mixup
        } else {
            augment.cutmix
        };
        let augment = Augment {
            mixup: alpha,
            cutmix: 0.0,
            ..Augment::default()
        };
        Mix::draw(&augment, self.config.seed, at.epoch, at.step, n, 1)
    }
}

impl BatchSource for OnFeatures<'_> {
    fn steps(&self) -> usize {
        self.batches.count(self.examples())
    }

    fn order(&self, epoch: usize) -> Vec<Vec<usize>> {
        self.batches.order(self.examples(), epoch)
    }

    async fn batch(
        &mut self,
        at: StepIndex,
        picks: &[usize],
        objective: &Objective,
    ) -> Result<Option<Batch>> {
        let examples = self.examples();
        // More epochs than views: they take turns.
        let row = |&pick: &usize| {
            let (example, view) = self.batches.view(examples, at.epoch, pick);
            view % self.views * examples + example
        };
        let rows: Vec<usize> = picks.iter().map(row).collect();
        let labels: Vec<usize> = rows.iter().map(|&row| self.train.labels[row]).collect();
        let mut targets = objective.one_hot(&labels);
        let mut features = self.train.rows(rows.into_iter());
        if let Some(mix) = self.mix(at, labels.len()) {
            mix.apply(&mut features, &mut targets)?;
        }
        let input = self.train.tensor(features, &self.device);
        Ok(Some(Batch::new(Input::Features(input), targets)))
    }

    async fn validation(&mut self, index: usize) -> Result<Option<Option<LabelledBatch>>> {
        let start = index * VALIDATION_BATCH;
        let end = self.validation.len().min(start + VALIDATION_BATCH);
        if start >= end {
            return Ok(None);
        }
        let rows = self.validation.rows(start..end);
        let rows = self.validation.tensor(rows, &self.device);
        let labels = self.validation.labels[start..end].to_vec();
        Ok(Some(Some((Input::Features(rows), labels))))
    }

    fn is_slow(&self) -> bool {
        false
    }
}

/// Loss, accuracy and confusion of a head on labelled features.
///
/// # Errors
/// [`Error::Gpu`] if the device fails, [`Error::Weights`] if what comes out is not numbers.
pub async fn measure(head: &Head, examples: &Examples) -> Result<ConfusionTally> {
    let classes = head.classes();
    let device = head.device();
    let mut logits = Vec::with_capacity(examples.len() * classes);
    for start in (0..examples.len()).step_by(VALIDATION_BATCH) {
        let end = examples.len().min(start + VALIDATION_BATCH);
        let x = examples.tensor(examples.rows(start..end), &device);
        logits.extend(to_host(head.forward(x)).await?);
    }
    let tally = ConfusionTally::of(&logits, &examples.labels, classes);
    if !tally.loss().is_finite() {
        return Err(not_a_number());
    }
    Ok(tally)
}
