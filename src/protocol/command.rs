//! What page and command line ask for.

use serde::{Deserialize, Serialize};

use super::JobId;
use crate::config::{Arch, Augment, DemoConfig, DeviceChoice, TrainConfig};

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
    /// The same with its weights in 16 bits.
    HalfModel,
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
        /// Trainings, one after the other from `config.seed` on; the best one's model is put in use.
        seeds: usize,
    },
    /// Go on with the training of [`Event::Interrupted`], on the same images, opened again.
    Continue {
        /// Names the job.
        job: JobId,
    },
    /// Forget the training of [`Event::Interrupted`].
    Discard,
    /// Time a step or two of a training and say how long all of it will take; answered by
    /// [`Event::Estimated`].
    Estimate {
        /// Names the job.
        job: JobId,
        /// The settings.
        config: TrainConfig,
    },
    /// Show what an augmentation makes of an image; answered by [`Event::Previews`].
    Preview {
        /// Names the job.
        job: JobId,
        /// The image; none for one of the data set in use, or a generated one where there is none.
        file: Option<FileRef>,
        /// Which of the data set's training images, counted round and round.
        image: usize,
        /// What is done to it.
        augment: Augment,
        /// Seed of what is drawn.
        seed: u64,
        /// How many of them.
        views: usize,
    },
    /// Put a backbone of random weights in use, to see what pretraining is worth.
    Fresh {
        /// Names the job.
        job: JobId,
        /// Which backbone.
        arch: Arch,
        /// Seed of the weights.
        seed: u64,
    },
    /// Forget a run of [`Event::Runs`].
    ForgetRun {
        /// Its id.
        id: u64,
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
    /// Load a whole model from a file as the teacher of trainings with a `distillation`.
    Teach {
        /// Names the job.
        job: JobId,
        /// `.safetensors` or `.pth`; its classes are those of the data set.
        file: FileRef,
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
