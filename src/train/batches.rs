//! What a learner is fed with: batches in a seeded order, and a validation.

use super::learner::{Batch, Input};
use super::objective::Objective;
use crate::config::TrainConfig;
use crate::error::Result;
use crate::random::Random;

/// A place in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepIndex {
    /// From 1.
    pub epoch: usize,
    /// Within the epoch, from 0.
    pub step: usize,
}

/// Validation examples and their labels.
pub type LabelledBatch = (Input, Vec<usize>);

/// A source of batches. What it gives follows from the seed and the moment alone, so that a run can go on
/// from any epoch.
#[expect(
    async_fn_in_trait,
    reason = "one thread: nobody asks whether the future is Send"
)]
pub trait BatchSource {
    /// Steps an epoch has.
    fn steps(&self) -> usize;
    /// The picks of an epoch's batches.
    fn order(&self, epoch: usize) -> Vec<Vec<usize>>;
    /// The batch of these picks; none if nothing of it can be read.
    ///
    /// # Errors
    /// [`Error::Gpu`](crate::error::Error::Gpu) if the device fails.
    async fn batch(
        &mut self,
        at: StepIndex,
        picks: &[usize],
        objective: &Objective,
    ) -> Result<Option<Batch>>;
    /// Batch `index` of the validation: none after the last, nothing in it if none of it can be read.
    ///
    /// # Errors
    /// As [`Self::batch`].
    async fn validation(&mut self, index: usize) -> Result<Option<Option<LabelledBatch>>>;
    /// Whether a step takes long enough to be waited for.
    fn is_slow(&self) -> bool;
}

/// Seeded batches of an epoch.
#[derive(Debug, Clone, Copy)]
pub struct BatchSampler {
    size: usize,
    copies: usize,
    seed: u64,
}

impl BatchSampler {
    /// By the settings.
    #[must_use]
    pub fn new(config: &TrainConfig) -> Self {
        Self {
            size: config.batch,
            copies: config.augment.copies,
            seed: config.seed,
        }
    }

    /// How many an epoch has for so many examples.
    #[must_use]
    pub const fn count(&self, examples: usize) -> usize {
        let examples = examples * self.copies;
        let whole = examples / self.size;
        // Batch norm cannot normalise a single row, so a last batch of one is left out of the epoch.
        let steps = whole + (examples % self.size > 1) as usize;
        if steps == 0 { 1 } else { steps }
    }

    /// Those of an epoch, from 1: example i in its copy c is the number `c examples + i`.
    #[must_use]
    pub fn order(&self, examples: usize, epoch: usize) -> Vec<Vec<usize>> {
        let mut order: Vec<usize> = (0..examples * self.copies).collect();
        Random::for_purpose(self.seed, &format!("shuffle {epoch}")).shuffle(&mut order);
        let batches = order.chunks(self.size).map(<[usize]>::to_vec);
        batches.take(self.count(examples)).collect()
    }

    /// The example of a pick, and which view of it an epoch shows: every epoch has other ones.
    #[must_use]
    pub const fn view(&self, examples: usize, epoch: usize, pick: usize) -> (usize, usize) {
        let copy = pick / examples;
        (pick % examples, (epoch - 1) * self.copies + copy)
    }
}
