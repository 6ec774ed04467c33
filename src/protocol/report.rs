//! What events are about: the model, the data, the numbers of a training.

use serde::{Deserialize, Serialize};

use super::{Columns, Labels};
use crate::config::{Arch, BundledModel, DemoConfig, HeadKind, Normalization, TrainConfig};

/// What the engine is doing. One value, never a handful of booleans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineState {
    /// Opening the device, loading the model.
    #[default]
    Starting,
    /// Waiting for work.
    Ready,
    /// Sending images through the backbone.
    Featurising,
    /// Training.
    Training,
    /// A training is held.
    Paused,
    /// Starting failed; the reason came in an [`Event::Failed`](super::Event::Failed).
    Failed,
}

impl EngineState {
    /// The word in `data-state`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
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
    /// burn's kernels on CUDA, natively.
    Cuda,
}

impl Backend {
    /// The word in `data-backend`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Webgpu => "webgpu",
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
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
    /// What its input is normalised to; none if that has no name.
    #[serde(default)]
    pub normalization: Option<Normalization>,
    /// Whether its head was never trained, so that it cannot classify yet.
    #[serde(default)]
    pub untrained: bool,
    /// Width of the features, C.
    pub features: usize,
    /// Parameters of backbone and head.
    pub parameters: u64,
    /// Where it came from: the name of a [`BundledModel`], a file's name, "trained here".
    pub source: String,
    /// SHA-256 of the file that the backbone came in, hexadecimal.
    pub sha256: Option<String>,
    /// The bundled model whose backbone it has, if it is one's.
    #[serde(default)]
    pub bundled: Option<BundledModel>,
}

impl ModelSummary {
    /// The bundled model that it is, under whatever names its outputs go.
    #[must_use]
    pub fn as_bundled(&self) -> Option<BundledModel> {
        self.bundled.filter(|model| self.source == model.name())
    }
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

impl ClassCount {
    /// The labels of some classes, in their order.
    #[must_use]
    pub fn names(classes: &[Self]) -> Vec<String> {
        classes.iter().map(|class| class.name.clone()).collect()
    }
}

/// A file that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Its path.
    pub file: String,
    /// Why, in plain words.
    pub reason: String,
    /// Whether it should have been used and could not be (a damaged image); else it is a file that no data set
    /// needs (a text, a table that was read).
    #[serde(default)]
    pub failed: bool,
}

impl Skipped {
    /// An image, or a file that holds some, which cannot be used.
    pub fn failed(file: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            reason: reason.into(),
            failed: true,
        }
    }

    /// A file that is no image.
    pub fn passed_over(file: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            reason: reason.into(),
            failed: false,
        }
    }
}

/// The same image where it makes a figure wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leak {
    /// What is wrong with it.
    pub kind: LeakKind,
    /// The paths of the identical images.
    pub files: Vec<String>,
}

/// What identical images do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeakKind {
    /// They lie in the training set and in the test or validation set: the measured accuracy is too high.
    BetweenParts,
    /// They have different labels: one of the labels is wrong.
    TwoLabels,
}

/// A way to read the labels of a data set, to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// What to ask for to get it.
    pub labels: Labels,
    /// What it takes for the label, in words for the page: "the folder below the data set: COVID, Normal".
    pub text: String,
    /// The same as flags of the command line: `--class-level 1`.
    pub flags: String,
    /// The classes it gives; the first few.
    pub classes: Vec<ClassCount>,
    /// How many it gives in all.
    pub count: usize,
    /// Small PNGs of one image a class for the first few classes: blobs from this index on, as many as `pictures`.
    #[serde(default)]
    pub first_picture: u32,
    /// How many of them.
    #[serde(default)]
    pub pictures: u32,
}

/// A table that gives the labels.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TableSummary {
    /// Its path.
    pub file: String,
    /// Its columns, in order.
    pub columns: Vec<String>,
    /// The columns that are used.
    pub used: Columns,
    /// Rows below the header.
    pub rows: usize,
    /// Rows that name an image that is there.
    pub matched: usize,
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
    /// How the labels were read.
    #[serde(default)]
    pub labels: Labels,
    /// The ways to read them, if there are several; the one in use is among them, unless the user must choose:
    /// then none is in use, and `problem` asks.
    #[serde(default)]
    pub readings: Vec<Reading>,
    /// The table that the labels come from, if they do.
    #[serde(default)]
    pub table: Option<TableSummary>,
    /// Identical images that make figures wrong.
    #[serde(default)]
    pub leaks: Vec<Leak>,
    /// Paths of the images of a folder that has no classes to learn: they can be classified instead.
    #[serde(default)]
    pub loose_images: Vec<String>,
    /// What else the user should know before training, a sentence each.
    #[serde(default)]
    pub notes: Vec<String>,
    /// One small PNG a class, in class order: blobs from this index on; none if it could not be made.
    pub thumbnails: Option<u32>,
}

/// The numbers after an epoch. Losses are mean cross-entropy in nats, accuracies 0..1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// The head's learning rate at the epoch's last step.
    #[serde(default)]
    pub learning_rate: f64,
    /// Training images a second, validation left out.
    #[serde(default)]
    pub images_per_second: f64,
    /// Of each trained stage, from the input on, and then of the head; empty where it was not asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gradients: Vec<StageGradient>,
}

/// How large a stage's gradient was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageGradient {
    /// Name of the stage: "stem" before the first one, "head" behind the last.
    pub stage: String,
    /// L2 norm of the gradient of its parameters before clipping, the mean over an epoch's steps.
    pub norm: f64,
}

impl EpochReport {
    /// Whether its model is better than the other's on the held out images: by accuracy, then by loss.
    #[must_use]
    pub fn beats(&self, other: &Self) -> bool {
        let accuracy = self.val_accuracy.total_cmp(&other.val_accuracy);
        let loss = other.val_loss.total_cmp(&self.val_loss);
        accuracy.then(loss).is_gt()
    }
}

/// A training in figures, kept to be compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// When it began, in milliseconds since 1970; tells it from every other.
    pub id: u64,
    /// The id of the first of several trainings that differ in their seed only; its own if it is alone.
    pub group: u64,
    /// Name of the data set.
    pub dataset: String,
    /// Training images, and held out ones.
    pub images: [usize; 2],
    /// Backbone.
    pub arch: Arch,
    /// SHA-256 of the file that the backbone came in.
    pub backbone: String,
    /// The same of its teacher, if it had one.
    #[serde(default)]
    pub teacher: Option<String>,
    /// Edge of the input, in pixels.
    pub size: usize,
    /// What it ran on.
    pub device: String,
    /// The settings.
    pub config: TrainConfig,
    /// Every epoch.
    pub epochs: Vec<EpochReport>,
    /// The epoch whose model was kept, from 1.
    pub best_epoch: usize,
    /// Whether it was stopped before its last epoch.
    pub stopped: bool,
    /// Accuracy of that epoch's model on the held out images.
    pub validation: Proportion,
    /// Accuracy of that model on the test images, once it was measured.
    #[serde(default)]
    pub test: Option<Proportion>,
    /// Time of the training, featurising included, in milliseconds.
    pub milliseconds: f64,
    /// How many of its images the backbone had been trained on, if it had on any.
    #[serde(default)]
    pub seen: Option<Seen>,
}

/// Images of a data set that a backbone was trained on, or copies of them: what is measured on those flatters it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The bundled model whose backbone it is.
    pub model: BundledModel,
    /// Among those to train on.
    pub train: usize,
    /// Among those held out.
    pub validation: usize,
    /// Among those to test on.
    pub test: usize,
}

impl Run {
    /// The epoch whose model was kept.
    #[must_use]
    pub fn best(&self) -> Option<&EpochReport> {
        self.epochs.get(self.best_epoch.checked_sub(1)?)
    }

    /// Whether its best epoch beats the other's.
    #[must_use]
    pub fn beats(&self, other: &Self) -> bool {
        let best = self.best().zip(other.best());
        best.is_some_and(|(best, others)| best.beats(others))
    }
}

/// A training that did not come to its end and can go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interrupted {
    /// Name of the data set.
    pub dataset: String,
    /// Whether that is the demo set, which needs no files to open it.
    pub demo: Option<DemoConfig>,
    /// Backbone.
    pub arch: Arch,
    /// The settings.
    pub config: TrainConfig,
    /// Epochs that are done.
    pub epochs: Vec<EpochReport>,
    /// Trainings of one click that were still to come, this one counted.
    pub seeds: usize,
}

/// How long a training will take, from a step that was timed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Steps an epoch.
    pub steps: usize,
    /// One step, in milliseconds.
    pub step_milliseconds: f64,
    /// Sending every image through the frozen part once, in milliseconds; 0 where that is done already or
    /// belongs to the steps.
    pub prepare_milliseconds: f64,
    /// An epoch with its validation, in milliseconds.
    pub epoch_milliseconds: f64,
    /// All of it, in milliseconds.
    pub milliseconds: f64,
    /// Memory that it takes beside the model, in bytes: weights, gradients, optimizer, activations, caches.
    pub bytes: u64,
    /// Views of each training image that are kept; 0 where images are changed on the fly.
    pub views: usize,
}

/// A share with its 95 % Wilson interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Proportion {
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

/// An exported file, read back and run beside the model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ExportCheck {
    /// How many images.
    pub images: usize,
    /// Whether they are the user's; else they were drawn.
    pub own: bool,
    /// Largest difference of a probability.
    pub difference: f64,
}

/// The model measured on labelled images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// "test", "validation", or "all" where the data set has neither.
    pub split: String,
    /// Labels, in the order of the rows and columns.
    pub classes: Vec<String>,
    /// Overall accuracy.
    pub accuracy: Proportion,
    /// Mean cross-entropy, nats.
    pub loss: f64,
    /// Accuracy within each true class (recall).
    pub per_class: Vec<Proportion>,
    /// `confusion[true][predicted]`, counts.
    pub confusion: Vec<Vec<u64>>,
    /// Files left out.
    pub skipped: Vec<Skipped>,
    /// How many of the images the backbone was trained on.
    #[serde(default)]
    pub seen: usize,
}
