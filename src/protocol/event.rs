//! What the engine answers.

use serde::{Deserialize, Serialize};

use crate::error::ErrorKind;

use super::{
    Backend, DatasetSummary, EngineState, EpochReport, Estimate, Evaluation, ExportCheck,
    Interrupted, ModelSummary, Run,
};

/// What a progress bar is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Bytes of a model, from the server or the browser's storage.
    LoadingModel,
    /// Kernels compiled and tested.
    PreparingGpu,
    /// Bytes of pretrained weights, from the hub.
    Downloading,
    /// Files of a data set.
    Indexing,
    /// Images classified.
    Classifying,
    /// Images compared with those that the backbone was trained on.
    Comparing,
    /// Images through the backbone.
    Featurising,
    /// Steps of a training run.
    Training,
    /// Images of an evaluation.
    Evaluating,
}

/// What the engine answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// The engine's state changed.
    State {
        /// The new state.
        state: EngineState,
    },
    /// A device is open.
    Device {
        /// Its kind.
        backend: Backend,
        /// The adapter's name, or "CPU" with the number of threads.
        name: String,
        /// Why it is not the one hoped for, in a sentence.
        note: Option<String>,
    },
    /// Another model is in use.
    Model {
        /// It.
        model: ModelSummary,
    },
    /// The sample images, PNG: blob i belongs to `names[i]`.
    Samples {
        /// File names.
        names: Vec<String>,
    },
    /// A long job moved.
    Progress {
        /// What is counted.
        phase: Phase,
        /// Done so far.
        done: u64,
        /// Of how many; 0 where that is not known.
        total: u64,
        /// Since this phase of the job began.
        milliseconds: f64,
    },
    /// One image is classified.
    Classified {
        /// Its path.
        file: String,
        /// Softmax of the logits `[K]`, in the order of the model's classes.
        probabilities: Vec<f32>,
        /// Decoding, resizing, network.
        milliseconds: f64,
    },
    /// One file failed; the job goes on.
    FileError {
        /// Its path.
        file: String,
        /// Why.
        reason: String,
    },
    /// A data set is open.
    Dataset {
        /// What was found.
        summary: DatasetSummary,
    },
    /// All images of a job went through the backbone.
    Featurised {
        /// Images.
        images: usize,
        /// Time, of those that were not cached.
        milliseconds: f64,
    },
    /// A training moved on.
    Training(TrainEvent),
    /// All runs that are kept, oldest first.
    Runs {
        /// They.
        runs: Vec<Run>,
    },
    /// A training can go on where the tab or the process ended; none if there is none (any more).
    Interrupted {
        /// It.
        run: Option<Interrupted>,
    },
    /// The device failed in the middle of a training that can go on from its last epoch, on a fresh one.
    DeviceLost {
        /// Why, complete.
        reason: String,
    },
    /// An estimate is ready.
    Estimated {
        /// It.
        estimate: Estimate,
    },
    /// An image and what an augmentation made of it, PNG: blob i belongs to `names[i]`, the image itself first.
    Previews {
        /// What was done, in words.
        names: Vec<String>,
    },
    /// An evaluation is over.
    Evaluated {
        /// Its numbers.
        report: Evaluation,
    },
    /// A file is ready: its bytes are blob 0.
    Exported {
        /// A name to save it under.
        name: String,
        /// What came of running the file, where it was run.
        #[serde(default)]
        check: Option<ExportCheck>,
    },
    /// Times of a measurement.
    Measured {
        /// Each run, epoch or step.
        milliseconds: Vec<f64>,
    },
    /// A job is over.
    Finished,
    /// A job was dropped at the user's word.
    Cancelled,
    /// Something the user should know; work goes on.
    Warning {
        /// A sentence.
        text: String,
    },
    /// The job failed, or a command that is none. What was in use before still is.
    Failed {
        /// What kind of error it is.
        kind: ErrorKind,
        /// The error's text, complete.
        error: String,
    },
}

/// What a training says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "training")]
pub enum TrainEvent {
    /// Convolutions are about to be trained: what becomes of the frozen part's output.
    Tuning {
        /// Whether it is kept; else it is computed for every batch anew.
        kept: bool,
        /// Whether training images are other ones in every epoch, so that only the validation's are kept.
        changes: bool,
        /// Bytes that it takes, or would take, for all images.
        bytes: u64,
    },
    /// Features of augmented images are kept: the backbone is frozen, so each goes through it once.
    Views {
        /// Views of each training image.
        views: usize,
        /// Images through the backbone in all.
        images: usize,
    },
    /// How the images are divided, told before each training.
    Divided {
        /// Of each class, in label order, the images to train on and those that are held out.
        counts: Vec<[usize; 2]>,
        /// Whether those held out are the data set's own validation part.
        own: bool,
    },
    /// A training of several begins.
    Begun {
        /// From 1.
        number: usize,
        /// How many there will be.
        of: usize,
        /// Its seed.
        seed: u64,
    },
    /// A training a moment later: means over the steps since the last of these.
    LiveMetrics {
        /// Epochs gone, as a fraction.
        epoch: f64,
        /// Training loss, nats.
        loss: f64,
        /// The head's learning rate.
        learning_rate: f64,
        /// Training images a second.
        images_per_second: f64,
    },
    /// An epoch is over.
    Epoch {
        /// Its numbers.
        report: EpochReport,
    },
    /// A training run is over, its best epoch's model in use and kept.
    Trained {
        /// The epoch with the highest validation accuracy (lowest loss among equals), from 1.
        best_epoch: usize,
        /// Whether it was stopped before its last epoch.
        stopped: bool,
    },
}

impl From<TrainEvent> for Event {
    fn from(event: TrainEvent) -> Self {
        Self::Training(event)
    }
}
