//! Training the end of a backbone together with a fresh head: as in [`super::run`], with two optimizers
//! and a lower learning rate for the convolutions, which only need to be adjusted.

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};

use super::epochs::{self, Batches, Learner, Sums};
use super::inputs::{Inputs, Labelled};
use super::metrics::Tally;
use super::run::{Flow, Observer, adam, check_sizes, fresh_head, has_norm, not_a_number};
use crate::config::TrainConfig;
use crate::error::{Error, Result};
use crate::model::backbone::Backbone;
use crate::model::head::{Head, HeadSpec, read};
use crate::model::tune::Tail;
use crate::platform::time;
use crate::protocol::EpochReport;
use crate::random::Random;

/// Images a validation batch has where the training batch is smaller.
const VALIDATION_BATCH: usize = 16;

/// What a run leaves.
#[derive(Debug, Clone)]
pub struct Tuned {
    /// The best epoch's backbone, on the inner device.
    pub backbone: Backbone,
    /// The best epoch's head, there too.
    pub head: Head,
    /// That epoch, from 1: highest validation accuracy, lowest validation loss among equals.
    pub best_epoch: usize,
    /// Every epoch.
    pub epochs: Vec<EpochReport>,
    /// Whether it was stopped before its last epoch.
    pub stopped: bool,
}

/// Trains what `config.scope` says of `backbone`, and a fresh head. A kept input has been filled in before.
///
/// # Errors
/// [`Error::Shape`] for a setting out of range, [`Error::Dataset`] if no image of a part can be read,
/// [`Error::Gpu`] if the device fails, and what the observer says.
pub async fn run<R: FnMut(usize) -> Result<Vec<f32>>>(
    config: &TrainConfig,
    spec: HeadSpec,
    backbone: &Backbone,
    inputs: &mut Inputs<'_, R>,
    train: &[Labelled],
    validation: &[Labelled],
    observer: &mut impl Observer,
) -> Result<Tuned> {
    config.check()?;
    check_sizes(&spec, train.len(), validation.len())?;
    let tuner = Tuner::new(config, spec, backbone);
    let mut learner = OnImages {
        batches: Batches::new(config.batch, config.seed),
        batch: config.batch,
        tuner,
        inputs,
        train,
        validation,
    };
    let course = epochs::course(&mut learner, config.epochs, observer).await?;
    let (tail, head) = course.model;
    Ok(Tuned {
        backbone: tail.onto(backbone),
        head,
        best_epoch: course.best_epoch,
        epochs: course.epochs,
        stopped: course.stopped,
    })
}

/// The trained end of a backbone and the head on it, on their way.
pub struct Tuner {
    tail: Tail,
    head: Head,
    tail_optimizer: ModuleOptimizer,
    head_optimizer: ModuleOptimizer,
    learning_rate: f64,
    factor: f64,
    device: Device,
    dropout: Random,
    sums: Sums,
}

impl Tuner {
    /// Begins with the backbone's weights and a fresh head.
    #[must_use]
    pub fn new(config: &TrainConfig, spec: HeadSpec, backbone: &Backbone) -> Self {
        let device = backbone.device().clone().autodiff();
        Self {
            tail: Tail::of(backbone, config.scope, &device),
            head: fresh_head(config, spec, &device),
            tail_optimizer: adam(),
            head_optimizer: adam(),
            learning_rate: config.learning_rate,
            factor: config.backbone_lr_factor,
            dropout: Random::for_purpose(config.seed, "dropout"),
            device,
            sums: Sums::default(),
        }
    }

    /// One step of Adam on the mean cross-entropy of a batch: the frozen part's output `[N,C,H,W]` on the
    /// inner device, labels `[N]`.
    pub fn step(&mut self, input: Tensor<4>, labels: &[usize]) {
        let labels = epochs::labels(labels.iter().copied(), &self.device);
        let features = self.tail.forward(input.autodiff());
        let logits = self.head.forward_train(features, &mut self.dropout);
        let loss = self.sums.loss(logits, labels);
        let mut gradients = loss.backward();
        let of_tail = GradientsParams::from_module(&mut gradients, &self.tail);
        let of_head = GradientsParams::from_module(&mut gradients, &self.head);
        let (tail, head) = (self.tail.clone(), self.head.clone());
        let rate = self.learning_rate;
        self.tail = (self.tail_optimizer).step(rate * self.factor, tail, of_tail);
        self.head = self.head_optimizer.step(rate, head, of_head);
    }

    /// Mean loss and accuracy over the examples since the last call.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the device fails, [`Error::Shape`] if the loss has run away.
    pub async fn sums(&mut self) -> Result<(f64, f64)> {
        self.sums.take().await
    }

    /// Convolutions and head as they are, on the inner device.
    #[must_use]
    pub fn model(&self) -> (Tail, Head) {
        (self.tail.valid(), self.head.valid())
    }
}

/// A tuner and the images it learns from.
struct OnImages<'a, 'b, R> {
    tuner: Tuner,
    batches: Batches,
    batch: usize,
    inputs: &'a mut Inputs<'b, R>,
    train: &'a [Labelled],
    validation: &'a [Labelled],
}

impl<R: FnMut(usize) -> Result<Vec<f32>>> Learner for OnImages<'_, '_, R> {
    type Model = (Tail, Head);

    fn steps(&self) -> usize {
        self.batches.count(self.train.len())
    }

    fn order(&mut self) -> Vec<Vec<usize>> {
        self.batches.order(self.train.len())
    }

    async fn step(&mut self, batch: &[usize]) -> Result<()> {
        let samples: Vec<Labelled> = batch.iter().map(|&i| self.train[i]).collect();
        let input = self.inputs.batch(&samples);
        // A step is long: were they queued up, progress and pause would run ahead of the device by minutes.
        // The step before this one ran while the images were read.
        self.tuner.sums.wait().await?;
        // Unreadable images may leave fewer than the head's batch norm can do with.
        let least = 1 + usize::from(has_norm(self.tuner.head.spec()));
        if let Some((input, labels)) = input
            && labels.len() >= least
        {
            self.tuner.step(input, &labels);
        }
        Ok(())
    }

    async fn report(
        &mut self,
        epoch: usize,
        start: f64,
        observer: &mut impl Observer,
    ) -> Result<(EpochReport, Flow)> {
        let nothing = |part| Error::Dataset(format!("there is no readable {part} image"));
        if self.tuner.sums.seen() == 0 {
            return Err(nothing("training"));
        }
        let (train_loss, train_accuracy) = self.tuner.sums().await?;
        let (tail, head) = self.model();
        let (mut logits, mut labels) = (Vec::new(), Vec::new());
        let mut flow = Flow::Continue;
        for samples in self.validation.chunks(self.batch.max(VALIDATION_BATCH)) {
            if let Some((input, known)) = self.inputs.batch(samples) {
                logits.extend(read(head.forward(tail.forward(input))).await?);
                labels.extend(known);
            }
            if observer.validating().await? == Flow::Stop {
                flow = Flow::Stop;
            }
        }
        if labels.is_empty() {
            return Err(nothing("validation"));
        }
        let tally = Tally::of(&logits, &labels, head.classes());
        if !tally.loss().is_finite() {
            return Err(not_a_number());
        }
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
        Ok((report, flow))
    }

    fn model(&self) -> (Tail, Head) {
        self.tuner.model()
    }
}
