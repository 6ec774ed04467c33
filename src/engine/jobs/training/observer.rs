//! The engine's observer of one run, of a head or of convolutions too: it emits the run's events and writes a checkpoint
//! after each epoch.

use super::checkpoint::CheckpointWriter;
use crate::engine::mailbox::Mailbox;
use crate::error::Result;
use crate::infer::Classifier;
use crate::protocol::{EpochReport, Phase, TrainEvent};
use crate::train::head::{CheckpointState, FitResult, Flow, LiveMetrics, Observer};

/// Emits a run's events, and writes its checkpoints.
pub(super) struct EngineObserver<'a> {
    pub mailbox: &'a mut Mailbox,
    /// The model in use until the new one is.
    pub old: &'a Classifier,
    /// None once it could not be kept.
    pub writer: Option<CheckpointWriter>,
}

impl Observer for EngineObserver<'_> {
    async fn step(&mut self, done: usize, total: usize) -> Result<Flow> {
        let total = total as u64;
        self.mailbox.progress(Phase::Training, done as u64, total);
        self.mailbox.poll_commands(Some(self.old)).await
    }

    async fn validating(&mut self) -> Result<Flow> {
        self.mailbox.poll_commands(Some(self.old)).await
    }

    fn pulse(&mut self, pulse: LiveMetrics) {
        self.mailbox.emit(TrainEvent::LiveMetrics {
            epoch: pulse.epoch,
            loss: pulse.loss,
            learning_rate: pulse.learning_rate,
            images_per_second: pulse.images_per_second,
        });
    }

    fn epoch(&mut self, report: EpochReport) {
        self.mailbox.emit(TrainEvent::Epoch { report });
    }

    fn wants_checkpoints(&self) -> bool {
        self.writer.is_some()
    }

    async fn checkpoint(&mut self, state: CheckpointState<'_>) -> Result<()> {
        if let Some(writer) = &mut self.writer
            && let Err(error) = writer.write(state).await
        {
            self.writer = None;
            self.mailbox.warn(format!(
                "The training goes on, but if it is interrupted, it cannot be taken up again: {error}"
            ));
        }
        Ok(())
    }
}

/// What a training left.
pub(super) struct Outcome {
    pub fit: FitResult,
    /// Images that were trained and validated on.
    pub images: [usize; 2],
}
