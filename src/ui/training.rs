//! A training as the page follows it, and what is known of one beforehand.

use crate::protocol::{EpochReport, Estimate, Skipped};

/// A training a moment later.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LiveMetrics {
    /// Epochs gone, as a fraction.
    pub epoch: f64,
    /// Training loss, nats.
    pub loss: f64,
    /// The head's learning rate.
    pub learning_rate: f64,
    /// Training images a second.
    pub images_per_second: f64,
}

/// Which of several trainings runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// From 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    /// Its seed.
    pub seed: u64,
}

/// The norm of a stage's gradient over a training.
#[derive(Debug, Clone, PartialEq)]
pub struct StageNorms {
    /// Name of the stage.
    pub stage: String,
    /// Epoch and norm, of the epochs that have one.
    pub norms: Vec<(usize, f64)>,
}

/// A training, running or over; of several with different seeds the last one begun.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Training {
    /// Epochs asked for.
    pub epochs: usize,
    /// Which of several; none before it is known.
    pub turn: Option<Turn>,
    /// The numbers so far.
    pub reports: Vec<EpochReport>,
    /// What was heard between them.
    pub pulses: Vec<LiveMetrics>,
    /// Images that went through the backbone, and for how many milliseconds.
    pub featurised: Option<(usize, f64)>,
    /// Kept views of each training image, and images through the backbone in all.
    pub views: Option<(usize, usize)>,
    /// When convolutions are trained: whether the frozen part's output is kept, and its bytes.
    pub tuning: Option<(bool, u64)>,
    /// The best epoch, from 1, and whether it was stopped early; once it is over.
    pub result: Option<(usize, bool)>,
    /// Files that were left out while the images went through the backbone.
    pub skipped: Vec<Skipped>,
}

impl Training {
    /// Pulses kept; of more, every second one goes.
    pub const PULSES: usize = 600;

    /// Notes a pulse.
    pub fn push_sample(&mut self, pulse: LiveMetrics) {
        self.pulses.push(pulse);
        if self.pulses.len() > Self::PULSES {
            let last = self.pulses.len() - 1;
            let mut i = 0;
            self.pulses.retain(|_| {
                i += 1;
                (last + 1 - i).is_multiple_of(2)
            });
        }
    }

    /// Notes an epoch. After a lost GPU a training goes on from its last epoch, which may come again.
    pub fn report(&mut self, report: EpochReport) {
        self.reports.retain(|r| r.epoch < report.epoch);
        self.reports.push(report);
    }

    /// Notes which of several it is. Another seed has curves of its own.
    pub fn begin(&mut self, turn: Turn) {
        if self.turn.is_some_and(|old| old.seed != turn.seed) {
            self.reports.clear();
            self.pulses.clear();
            self.result = None;
        }
        self.turn = Some(turn);
    }

    /// Forgets what came after the last epoch, from which it goes on.
    pub fn rewind(&mut self) {
        let gone = self.reports.last().map_or(0.0, |r| r.epoch as f64);
        self.pulses.retain(|pulse| pulse.epoch <= gone);
        self.result = None;
    }

    /// The norms of the gradients, from the input to the head; nothing where they were not recorded.
    #[must_use]
    pub fn gradients(&self) -> Vec<StageNorms> {
        let mut stages: Vec<StageNorms> = Vec::new();
        for report in &self.reports {
            for (place, of) in report.gradients.iter().enumerate() {
                if stages.len() == place {
                    stages.push(StageNorms {
                        stage: of.stage.clone(),
                        norms: Vec::new(),
                    });
                }
                stages[place].norms.push((report.epoch, of.norm));
            }
        }
        stages
    }

    /// Whether no other seed comes after it.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.turn.is_none_or(|turn| turn.number >= turn.of)
    }
}

/// How long a training will take, and the training that was meant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// The engine's answer.
    pub estimate: Estimate,
    /// Epochs of a training.
    pub epochs: usize,
    /// Trainings.
    pub seeds: usize,
}
