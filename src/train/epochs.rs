//! The epoch loop, for whatever learns: a head on cached features, or the end of a backbone with it.

use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::run::{Flow, Observer};
use crate::error::{Error, Result};
use crate::model::head::read;
use crate::platform::time;
use crate::protocol::EpochReport;
use crate::random::Random;

/// What the loop drives.
pub(super) trait Learner {
    /// What is kept of the best epoch.
    type Model;
    /// Steps an epoch has.
    fn steps(&self) -> usize;
    /// The next epoch's batches, in a fresh order.
    fn order(&mut self) -> Vec<Vec<usize>>;
    /// Learns from one batch.
    async fn step(&mut self, batch: &[usize]) -> Result<()>;
    /// Ends an epoch that began at `start`: its means, and the validation.
    async fn report(
        &mut self,
        epoch: usize,
        start: f64,
        observer: &mut impl Observer,
    ) -> Result<(EpochReport, Flow)>;
    /// The model as it is now.
    fn model(&self) -> Self::Model;
}

/// What the loop leaves.
pub(super) struct Course<M> {
    pub model: M,
    pub best_epoch: usize,
    pub epochs: Vec<EpochReport>,
    pub stopped: bool,
}

/// Runs the epochs and keeps the best one's model.
///
/// # Errors
/// What the learner and the observer say.
pub(super) async fn course<L: Learner>(
    learner: &mut L,
    wanted: usize,
    observer: &mut impl Observer,
) -> Result<Course<L::Model>> {
    let total = wanted * learner.steps();
    let mut best: Option<(EpochReport, L::Model)> = None;
    let mut epochs = Vec::new();
    let mut done = 0;
    let mut stopped = false;
    for epoch in 1..=wanted {
        let start = time::now();
        for batch in learner.order() {
            learner.step(&batch).await?;
            done += 1;
            if observer.step(done, total).await? == Flow::Stop {
                stopped = done < total;
                break;
            }
        }
        let (report, flow) = learner.report(epoch, start, observer).await?;
        epochs.push(report);
        observer.epoch(report);
        if best.as_ref().is_none_or(|(old, _)| better(&report, old)) {
            best = Some((report, learner.model()));
        }
        stopped |= flow == Flow::Stop && epoch < wanted;
        if stopped {
            break;
        }
    }
    let (report, model) = best.ok_or_else(|| Error::shape("epochs", "none was asked for"))?;
    Ok(Course {
        model,
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

/// Seeded batches.
pub(super) struct Batches {
    size: usize,
    random: Random,
}

impl Batches {
    pub fn new(size: usize, seed: u64) -> Self {
        Self {
            size,
            random: Random::for_purpose(seed, "shuffle"),
        }
    }

    /// How many an epoch has.
    pub const fn count(&self, examples: usize) -> usize {
        let whole = examples / self.size;
        // Batch norm cannot normalise a single row, so a last batch of one is left out of the epoch.
        let steps = whole + (examples % self.size > 1) as usize;
        if steps == 0 { 1 } else { steps }
    }

    /// The next epoch's.
    pub fn order(&mut self, examples: usize) -> Vec<Vec<usize>> {
        let mut order: Vec<usize> = (0..examples).collect();
        self.random.shuffle(&mut order);
        let batches = order.chunks(self.size).map(<[usize]>::to_vec);
        batches.take(self.count(examples)).collect()
    }
}

/// Labels `[N]` on a device.
pub(super) fn labels(
    labels: impl ExactSizeIterator<Item = usize>,
    device: &Device,
) -> Tensor<1, Int> {
    let n = labels.len();
    let labels: Vec<i32> = labels.map(|label| label as i32).collect();
    Tensor::from_data(TensorData::new(labels, [n]), device)
}

/// Loss and hits summed over an epoch's examples, left on the device until the epoch is over.
#[derive(Default)]
pub(super) struct Sums {
    loss: Option<Tensor<1>>,
    hits: Option<Tensor<1, Int>>,
    seen: usize,
}

impl Sums {
    /// Mean cross-entropy `[1]` of logits `[N,K]` against labels `[N]`, counted in.
    pub fn loss(&mut self, logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
        let [n, _] = logits.dims();
        let hits = logits.clone().inner().argmax(1).squeeze_dim::<1>(1);
        let hits = hits.equal(labels.clone().inner()).int().sum();
        let cross_entropy = CrossEntropyLossConfig::new().init(&logits.device());
        let loss = cross_entropy.forward(logits, labels);
        let sum = loss.clone().inner() * n as f32;
        self.loss = Some(self.loss.take().map_or(sum.clone(), |loss| loss + sum));
        self.hits = Some(self.hits.take().map_or(hits.clone(), |old| old + hits));
        self.seen += n;
        loss
    }

    /// Waits until the device has done all that was asked of it so far.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the device fails.
    pub async fn wait(&self) -> Result<()> {
        if let Some(loss) = &self.loss {
            read(loss.clone()).await?;
        }
        Ok(())
    }

    /// Examples since the last call of [`Self::take`].
    pub const fn seen(&self) -> usize {
        self.seen
    }

    /// Mean loss and accuracy over the examples since the last call.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the device fails, [`Error::Shape`] if the loss has run away.
    pub async fn take(&mut self) -> Result<(f64, f64)> {
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
}
