//! One run, of a head or of convolutions too, as the engine watches it: shown on the desk, kept after each epoch.

use super::desk::Desk;
use super::keeper::Keeper;
use crate::error::Result;
use crate::infer::Classifier;
use crate::protocol::{EpochReport, Phase, TrainEvent};
use crate::train::run::{Course, Flow, Kept, Observer, Pulse};

/// Shows a run on the desk, and keeps it.
pub(super) struct OnDesk<'a> {
    pub desk: &'a mut Desk,
    /// The model in use until the new one is.
    pub old: &'a Classifier,
    /// None once it could not be kept.
    pub keeper: Option<Keeper>,
}

impl Observer for OnDesk<'_> {
    async fn step(&mut self, done: usize, total: usize) -> Result<Flow> {
        let total = total as u64;
        self.desk.progress(Phase::Training, done as u64, total);
        self.desk.look_up(Some(self.old)).await
    }

    async fn validating(&mut self) -> Result<Flow> {
        self.desk.look_up(Some(self.old)).await
    }

    fn pulse(&mut self, pulse: Pulse) {
        self.desk.tell(TrainEvent::Pulse {
            epoch: pulse.epoch,
            loss: pulse.loss,
            learning_rate: pulse.learning_rate,
            images_per_second: pulse.images_per_second,
        });
    }

    fn epoch(&mut self, report: EpochReport) {
        self.desk.tell(TrainEvent::Epoch { report });
    }

    fn keeps(&self) -> bool {
        self.keeper.is_some()
    }

    async fn keep(&mut self, kept: Kept<'_>) -> Result<()> {
        if let Some(keeper) = &mut self.keeper
            && let Err(error) = keeper.keep(kept).await
        {
            self.keeper = None;
            self.desk.warn(format!(
                "The training goes on, but could not go on after a reload: {error}"
            ));
        }
        Ok(())
    }
}

/// What a training left.
pub(super) struct Outcome {
    pub course: Course,
    /// Images that were trained and validated on.
    pub images: [usize; 2],
}
