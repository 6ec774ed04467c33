//! The epoch loop, for whatever a learner is fed with.

use serde::{Deserialize, Serialize};

use super::batches::{BatchSource, StepIndex};
use super::learner::{Learner, Student, model_state, not_a_number};
use super::metrics::ConfusionTally;
use super::schedule;
use crate::config::{HeadKind, TrainConfig};
use crate::error::{Error, Result};
use crate::model::head::to_host;
use crate::platform::time;
use crate::protocol::EpochReport;
use crate::weights::{Checkpoint, NamedTensor};

/// Milliseconds between two looks at the loss in the middle of an epoch: each waits for the device.
const PULSE: f64 = 400.0;

/// What the loop is told after each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// End here; what is trained so far counts.
    Stop,
}

/// A run a moment later, as means since the last of these.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LiveMetrics {
    /// Epochs gone, as a fraction.
    pub epoch: f64,
    /// Training loss, nats.
    pub loss: f64,
    /// The head's.
    pub learning_rate: f64,
    /// Training images.
    pub images_per_second: f64,
}

/// How far a run is, for its continuation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Every epoch that is over.
    pub epochs: Vec<EpochReport>,
    /// The best of them, from 1.
    pub best_epoch: usize,
}

/// All that a run needs to go on after an epoch.
pub struct CheckpointState<'a> {
    /// How far it is.
    pub progress: &'a Progress,
    /// What the next step depends on.
    pub state: Vec<NamedTensor>,
    /// The best epoch's model, where it is the one just over.
    pub best: Option<Vec<NamedTensor>>,
}

/// The same, read back.
#[derive(Debug, Clone)]
pub struct Resume {
    /// How far it was.
    pub progress: Progress,
    /// What the next step depends on.
    pub state: Checkpoint,
    /// The best epoch's model.
    pub best: Checkpoint,
}

/// Who watches a run: draws it, holds it, stops it, keeps it.
pub trait Observer {
    /// After each step, `done` of `total` over the whole run. An error ends the run and drops it.
    fn step(&mut self, done: usize, total: usize) -> impl Future<Output = Result<Flow>>;
    /// Between the batches of a validation that takes long.
    fn validating(&mut self) -> impl Future<Output = Result<Flow>> {
        std::future::ready(Ok(Flow::Continue))
    }
    /// Several times a second, if there is news.
    fn pulse(&mut self, _: LiveMetrics) {}
    /// After each epoch.
    fn epoch(&mut self, report: EpochReport);
    /// Whether the run is to be kept after each epoch.
    fn wants_checkpoints(&self) -> bool {
        false
    }
    /// Keeps it.
    fn checkpoint(&mut self, _: CheckpointState<'_>) -> impl Future<Output = Result<()>> {
        std::future::ready(Ok(()))
    }
}

/// What a run leaves.
#[derive(Debug, Clone)]
pub struct FitResult {
    /// The best epoch's model, on the inner device.
    pub model: Student,
    /// That epoch, from 1: highest validation accuracy, lowest validation loss among equals.
    pub best_epoch: usize,
    /// Every epoch.
    pub epochs: Vec<EpochReport>,
    /// Whether it was stopped before its last epoch.
    pub stopped: bool,
    /// Whether somebody stopped it.
    pub stopped_by_user: bool,
    /// What ended it, if it ran away after a good epoch.
    pub diverged: Option<Error>,
}

/// Runs the epochs, or those that are left of them, and gives the best one's model.
///
/// # Errors
/// [`Error::Gpu`] if the device fails, [`Error::Diverged`] if the loss is not finite, [`Error::Weights`] if what was
/// kept does not fit, and what the feed and the observer say.
pub(super) async fn fit(
    config: &TrainConfig,
    learner: &mut Learner,
    feed: &mut impl BatchSource,
    resume: Option<Resume>,
    observer: &mut impl Observer,
) -> Result<FitResult> {
    let (mut progress, mut best) = match resume {
        None => {
            let (epochs, best_epoch) = (Vec::new(), 0);
            (Progress { epochs, best_epoch }, None)
        }
        Some(mut resume) => {
            learner.restore(&mut resume.state)?;
            let model = learner.model_of(&mut resume.best)?;
            (resume.progress, Some(model))
        }
    };
    let (per_epoch, mut stopped) = (feed.steps(), false);
    let total = config.epochs * per_epoch;
    let mut tired = patience_exhausted(config, &progress);
    let (mut stopped_by_user, mut diverged) = (false, None);
    while progress.epochs.len() < config.epochs && !stopped && !tired {
        let epoch = progress.epochs.len() + 1;
        let mut clock = Clock::start();
        learner.begin(epoch);
        for (step, picks) in feed.order(epoch).into_iter().enumerate() {
            let moment = StepIndex { epoch, step };
            let done = (epoch - 1) * per_epoch + step;
            let factor = schedule::factor(config, done, per_epoch);
            let batch = feed.batch(moment, &picks, learner.objective()).await?;
            if feed.is_slow() {
                // Were long steps queued up, progress and pause would run ahead of the device by minutes.
                // The step before this one ran while the images were read.
                learner.sums.wait().await?;
            }
            if let Some(batch) = batch
                && batch.images(learner.objective().classes()) >= least(config)
            {
                learner.step(batch, factor);
            }
            if clock.is_due(PULSE)
                && let Some((loss, images)) = learner.sums.lately().await?
            {
                observer.pulse(LiveMetrics {
                    epoch: (done + 1) as f64 / per_epoch as f64,
                    loss,
                    learning_rate: learner.rate(factor),
                    images_per_second: clock.lap(images),
                });
            }
            let watched = time::now();
            let flow = observer.step(done + 1, total).await?;
            clock.leave_out(time::now() - watched);
            if flow == Flow::Stop {
                stopped_by_user = true;
                stopped = done + 1 < total;
                break;
            }
        }
        let (report, flow) = match report(config, learner, feed, epoch, &clock, observer).await {
            Ok(report) => report,
            // What was good before is not lost with it.
            Err(error @ (Error::Diverged(_) | Error::Weights { .. })) if best.is_some() => {
                diverged = Some(error);
                stopped = true;
                break;
            }
            Err(error) => return Err(error),
        };
        stopped_by_user |= flow == Flow::Stop;
        let is_best = progress.take(report.clone());
        observer.epoch(report);
        if is_best {
            best = Some(learner.model());
        }
        stopped |= flow == Flow::Stop && epoch < config.epochs;
        tired = patience_exhausted(config, &progress);
        if observer.wants_checkpoints() && !stopped && !tired && epoch < config.epochs {
            let kept = CheckpointState {
                progress: &progress,
                state: learner.state().await?,
                best: match &best {
                    Some(best) if is_best => Some(model_state(best).await?),
                    _ => None,
                },
            };
            observer.checkpoint(kept).await?;
        }
    }
    let model = best.ok_or_else(|| Error::setting("epochs", "none was asked for"))?;
    Ok(FitResult {
        model,
        best_epoch: progress.best_epoch,
        stopped: stopped || tired && progress.epochs.len() < config.epochs,
        epochs: progress.epochs,
        stopped_by_user,
        diverged,
    })
}

impl Progress {
    /// Notes an epoch; whether it is the best so far.
    fn take(&mut self, report: EpochReport) -> bool {
        let old = self.epochs.get(self.best_epoch.wrapping_sub(1));
        let is_best = old.is_none_or(|old| report.beats(old));
        if is_best {
            self.best_epoch = report.epoch;
        }
        self.epochs.push(report);
        is_best
    }
}

/// Whether the patience is at its end.
fn patience_exhausted(config: &TrainConfig, progress: &Progress) -> bool {
    config.patience > 0 && progress.epochs.len() - progress.best_epoch >= config.patience
}

/// Images that a batch needs.
fn least(config: &TrainConfig) -> usize {
    1 + usize::from(config.normalises_batches())
}

/// Ends an epoch: its means, and the validation.
async fn report(
    config: &TrainConfig,
    learner: &mut Learner,
    feed: &mut impl BatchSource,
    epoch: usize,
    clock: &Clock,
    observer: &mut impl Observer,
) -> Result<(EpochReport, Flow)> {
    let nothing = |part| Error::Dataset(format!("there is no readable {part} image"));
    let seen = learner.sums.seen();
    if seen == 0 {
        return Err(nothing("training"));
    }
    let (train_loss, train_accuracy) = learner.sums().await?;
    let gradients = learner.gradient_norms().await?;
    let images_per_second = 1e3 * seen as f64 / clock.worked().max(1e-3);
    let tally = validate(&learner.model(), feed, observer).await?;
    let Some((tally, flow)) = tally else {
        return Err(nothing("validation"));
    };
    let last = epoch * feed.steps() - 1;
    let factor = schedule::factor(config, last, feed.steps());
    let report = EpochReport {
        epoch,
        train_loss,
        train_accuracy,
        val_loss: tally.loss(),
        val_accuracy: tally.accuracy(),
        milliseconds: clock.worked(),
        learning_rate: learner.rate(factor),
        images_per_second,
        gradients,
    };
    Ok((report, flow))
}

/// Loss, accuracy and confusion of a model on the validation images; none if there are none.
async fn validate(
    model: &Student,
    feed: &mut impl BatchSource,
    observer: &mut impl Observer,
) -> Result<Option<(ConfusionTally, Flow)>> {
    let (mut logits, mut labels) = (Vec::new(), Vec::new());
    let (mut flow, mut index) = (Flow::Continue, 0);
    while let Some(batch) = feed.validation(index).await? {
        index += 1;
        if let Some((input, known)) = batch {
            logits.extend(to_host(model.forward(input)).await?);
            labels.extend(known);
        }
        if observer.validating().await? == Flow::Stop {
            flow = Flow::Stop;
        }
    }
    if labels.is_empty() {
        return Ok(None);
    }
    let tally = ConfusionTally::of(&logits, &labels, model.head.classes());
    if !tally.loss().is_finite() {
        return Err(not_a_number());
    }
    Ok(Some((tally, flow)))
}

/// The time of an epoch without what was not work: held, or shown.
struct Clock {
    start: f64,
    left_out: f64,
    lap: f64,
}

impl Clock {
    fn start() -> Self {
        Self {
            start: time::now(),
            left_out: 0.0,
            lap: 0.0,
        }
    }

    fn worked(&self) -> f64 {
        time::now() - self.start - self.left_out
    }

    fn leave_out(&mut self, milliseconds: f64) {
        self.left_out += milliseconds;
    }

    /// Whether so much was worked since the last lap.
    fn is_due(&self, milliseconds: f64) -> bool {
        self.worked() - self.lap >= milliseconds
    }

    /// Ends a lap with so many images: how many a second.
    fn lap(&mut self, images: usize) -> f64 {
        let now = self.worked();
        let lap = (now - self.lap).max(1e-3);
        self.lap = now;
        1e3 * images as f64 / lap
    }
}

/// Whether a head normalises over the batch.
pub(super) fn has_norm(head: HeadKind) -> bool {
    head == HeadKind::MlpBn
}
