//! What page, worker and command line say to each other. Plain data: no burn, no web.
//!
//! Bytes do not go through JSON. A file the user gave travels beside the command as a handle (a JS
//! `File`, or a path natively) and is named by its place in that list, a [`FileRef`]'s `slot`. Bytes
//! that the engine makes travel beside the event in the same way, as blobs.

use serde::{Deserialize, Serialize};

use crate::config::{Arch, DemoConfig, DeviceChoice, HeadKind, TrainConfig};

/// Names a long job; events of a job that is no longer shown are dropped by the reducer.
pub type JobId = u32;

/// A file that came with a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRef {
    /// Name, with the folders it lay in (`seg_train/forest/12.jpg`), separated by `/`.
    pub path: String,
    /// Its place in the list of handles that travels beside the command.
    pub slot: u32,
}

/// Where a data set comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum DatasetSource {
    /// Loose files whose paths give the classes.
    Folder {
        /// Every file of the folder, images or not.
        files: Vec<FileRef>,
    },
    /// A zip, read in place.
    Zip {
        /// The archive.
        file: FileRef,
    },
    /// Generated scenes.
    Demo {
        /// How many, how large, which seed.
        config: DemoConfig,
    },
}

/// What to export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExportKind {
    /// The head alone, names starting with `fc.`.
    Head,
    /// Backbone and head in one file.
    Model,
}

/// What the engine is asked to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "command")]
pub enum Command {
    /// First command: open a device, load the model (the one kept from last time, else the bundled).
    Start {
        /// The device asked for.
        device: DeviceChoice,
        /// Another address than the Hugging Face hub's for pretrained weights (a mirror, a test).
        hub: Option<String>,
    },
    /// Draw the sample images; answered by [`Event::Samples`].
    Samples,
    /// Classify each file; a file that fails gets its own [`Event::FileError`].
    Classify {
        /// Names the job.
        job: JobId,
        /// The images.
        files: Vec<FileRef>,
    },
    /// Open and index a data set; answered by [`Event::Dataset`].
    OpenDataset {
        /// Names the job.
        job: JobId,
        /// Where it comes from.
        source: DatasetSource,
    },
    /// Featurise what is not cached yet, then train a head, and convolutions if they are asked for.
    Train {
        /// Names the job.
        job: JobId,
        /// The settings.
        config: TrainConfig,
    },
    /// Hold the running training after the current batch.
    Pause {
        /// The training to hold.
        job: JobId,
    },
    /// Go on with a held training.
    Resume {
        /// The training to go on with.
        job: JobId,
    },
    /// End a training early and keep its best epoch.
    Stop {
        /// The training to end.
        job: JobId,
    },
    /// Drop a job and what it has made so far.
    Cancel {
        /// The job to drop.
        job: JobId,
    },
    /// Measure the model in use on the data set's test images; on its validation images if it has none; on
    /// all if nothing was held out.
    Evaluate {
        /// Names the job.
        job: JobId,
    },
    /// Load a checkpoint, a whole model or a head, from a file.
    Import {
        /// Names the job.
        job: JobId,
        /// `.safetensors` or `.pth`.
        file: FileRef,
        /// The backbone, where the file does not say; none to find out from its tensors.
        arch: Option<Arch>,
    },
    /// Download pretrained ImageNet weights. The only command that reaches another host.
    Download {
        /// Names the job.
        job: JobId,
        /// Which backbone.
        arch: Arch,
    },
    /// Hand out the model in use; answered by [`Event::Exported`].
    Export {
        /// Names the job.
        job: JobId,
        /// Head or whole model.
        what: ExportKind,
    },
    /// Forget the kept model and go back to the bundled one.
    Reset,
    /// Time head epochs on generated features (`cargo xtask bench`); answered by [`Event::Measured`].
    MeasureHead {
        /// Names the job.
        job: JobId,
        /// Samples, N of `[N,C]`.
        samples: usize,
        /// Features a sample, C of `[N,C]`.
        features: usize,
        /// Width of the one hidden layer (dropout 0.2 after it); none for a linear head.
        hidden: Option<usize>,
        /// Epochs to time, after one that is not.
        epochs: usize,
    },
    /// Time classification of a generated image (`cargo xtask bench`); answered by [`Event::Measured`].
    MeasureForward {
        /// Names the job.
        job: JobId,
        /// Edge of the input, in pixels.
        size: usize,
        /// Images a batch.
        batch: usize,
        /// Runs to time, after one that is not.
        runs: usize,
    },
    /// Time training steps of the last stage and a linear head, of the backbone in use, on a generated
    /// input that the frozen part might have given (`cargo xtask bench`); answered by [`Event::Measured`].
    MeasureFineTune {
        /// Names the job.
        job: JobId,
        /// Edge of the images, in pixels.
        size: usize,
        /// Images a step.
        batch: usize,
        /// Steps to time, after one that is not.
        steps: usize,
    },
}

/// What the engine is doing. One value, never a handful of booleans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineState {
    /// Opening the device, loading the model.
    #[default]
    Starting,
    /// Nothing here can run the model.
    Unsupported,
    /// Waiting for work.
    Ready,
    /// Sending images through the backbone.
    Featurising,
    /// Training.
    Training,
    /// A training is held.
    Paused,
    /// Starting failed; the reason came in an [`Event::Failed`].
    Failed,
}

impl EngineState {
    /// The word in `data-state`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Unsupported => "unsupported",
            Self::Ready => "ready",
            Self::Featurising => "featurising",
            Self::Training => "training",
            Self::Paused => "paused",
            Self::Failed => "failed",
        }
    }
}

/// What runs the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// WebGPU (Vulkan, Metal or DirectX natively).
    Webgpu,
    /// burn's CPU backend.
    Cpu,
}

impl Backend {
    /// The word in `data-backend`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Webgpu => "webgpu",
            Self::Cpu => "cpu",
        }
    }
}

/// The model in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelSummary {
    /// Backbone.
    pub arch: Arch,
    /// Head; none if its layers are not one of the presets.
    pub head: Option<HeadKind>,
    /// Labels, in output order.
    pub classes: Vec<String>,
    /// Edge of the input, in pixels.
    pub size: usize,
    /// Width of the features, C.
    pub features: usize,
    /// Parameters of backbone and head.
    pub parameters: u64,
    /// Where it came from: "bundled", a file's name, "trained here".
    pub source: String,
    /// SHA-256 of the file that the backbone came in, hexadecimal.
    pub sha256: Option<String>,
}

/// One class of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassCount {
    /// Label, from the folder's name.
    pub name: String,
    /// Images to train and validate on.
    pub train: usize,
    /// Images of the test set.
    pub test: usize,
}

/// A file that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Its path.
    pub file: String,
    /// Why, in plain words.
    pub reason: String,
}

/// What was found in a data set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DatasetSummary {
    /// Name of the folder or zip, or "demo set".
    pub name: String,
    /// Classes in label order (alphabetical).
    pub classes: Vec<ClassCount>,
    /// Images without a class (`seg_pred`).
    pub unlabelled: usize,
    /// Groups of byte-identical images; each lists the paths.
    pub duplicates: Vec<Vec<String>>,
    /// Files that cannot be used.
    pub skipped: Vec<Skipped>,
    /// Why training is not possible, if it is not.
    pub problem: Option<String>,
    /// One small PNG a class, in class order: blobs from this index on; none if it could not be made.
    pub thumbnails: Option<u32>,
}

/// The numbers after an epoch. Losses are mean cross-entropy in nats, accuracies 0..1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// From 1.
    pub epoch: usize,
    /// Mean over the epoch's steps, while the weights changed.
    pub train_loss: f64,
    /// The same.
    pub train_accuracy: f64,
    /// After the epoch.
    pub val_loss: f64,
    /// The same.
    pub val_accuracy: f64,
    /// Time of the epoch, validation included.
    pub milliseconds: f64,
}

/// A share with its 95 % Wilson interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// Hits.
    pub hits: u64,
    /// Trials.
    pub of: u64,
    /// hits / of.
    pub value: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

/// The model measured on labelled images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// "test", "validation", or "all" where the data set has neither.
    pub split: String,
    /// Labels, in the order of the rows and columns.
    pub classes: Vec<String>,
    /// Overall accuracy.
    pub accuracy: Share,
    /// Mean cross-entropy, nats.
    pub loss: f64,
    /// Accuracy within each true class (recall).
    pub per_class: Vec<Share>,
    /// `confusion[true][predicted]`, counts.
    pub confusion: Vec<Vec<u64>>,
    /// Files left out.
    pub skipped: Vec<Skipped>,
}

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
        /// The adapter's name, or "CPU".
        name: String,
        /// Why it is not the one hoped for, in a sentence.
        note: Option<String>,
    },
    /// Another model is in use.
    Model {
        /// It.
        model: ModelSummary,
    },
    /// The sample images, PNG: blob i belongs to names[i].
    Samples {
        /// File names.
        names: Vec<String>,
    },
    /// A long job moved.
    Progress {
        /// Which job; 0 is the start.
        job: JobId,
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
        /// Which job.
        job: JobId,
        /// Its path.
        file: String,
        /// Softmax of the logits `[K]`, in the order of the model's classes.
        probabilities: Vec<f32>,
        /// Decoding, resizing, network.
        milliseconds: f64,
    },
    /// One file failed; the job goes on.
    FileError {
        /// Which job.
        job: JobId,
        /// Its path.
        file: String,
        /// Why.
        reason: String,
    },
    /// A data set is open.
    Dataset {
        /// Which job.
        job: JobId,
        /// What was found.
        summary: DatasetSummary,
    },
    /// All images of a job went through the backbone.
    Featurised {
        /// Which job.
        job: JobId,
        /// Images.
        images: usize,
        /// Time, of those that were not cached.
        milliseconds: f64,
    },
    /// Convolutions are about to be trained: what becomes of the frozen part's output.
    Tuning {
        /// Which job.
        job: JobId,
        /// Whether it is kept; else it is computed for every batch anew.
        kept: bool,
        /// Bytes that it takes, or would take, for all images.
        bytes: u64,
    },
    /// An epoch is over.
    Epoch {
        /// Which job.
        job: JobId,
        /// Its numbers.
        report: EpochReport,
    },
    /// A training run is over, its best epoch's model in use and kept.
    Trained {
        /// Which job.
        job: JobId,
        /// The epoch with the highest validation accuracy (lowest loss among equals), from 1.
        best_epoch: usize,
        /// Whether it was stopped before its last epoch.
        stopped: bool,
    },
    /// An evaluation is over.
    Evaluated {
        /// Which job.
        job: JobId,
        /// Its numbers.
        report: Evaluation,
    },
    /// A file is ready: its bytes are blob 0.
    Exported {
        /// Which job.
        job: JobId,
        /// A name to save it under.
        name: String,
    },
    /// Times of a measurement.
    Measured {
        /// Which job.
        job: JobId,
        /// Each run, epoch or step.
        milliseconds: Vec<f64>,
    },
    /// A job is over.
    Finished {
        /// Which job.
        job: JobId,
    },
    /// A job was dropped at the user's word.
    Cancelled {
        /// Which job.
        job: JobId,
    },
    /// Something the user should know; work goes on.
    Warning {
        /// A sentence.
        text: String,
    },
    /// A job failed (0: the start). What was in use before it still is.
    Failed {
        /// Which job.
        job: JobId,
        /// The error's text, complete.
        error: String,
    },
}
