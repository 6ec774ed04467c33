//! What page and command line ask for.

use serde::{Deserialize, Serialize};

use super::Skipped;
use crate::config::{
    Arch, Augment, BundledModel, DemoConfig, DeviceChoice, InputSettings, StartFrom, TrainConfig,
    Transparency,
};

/// Names of the files that the Hugging Face hub keeps beside a checkpoint and that say more about it: the names of its
/// outputs, how its images are prepared.
pub const MODEL_CONFIGS: [&str; 2] = ["config.json", "preprocessor_config.json"];

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
    /// Loose files under their paths.
    Folder {
        /// Every file of the folder, images or not.
        files: Vec<FileRef>,
        /// What lies in the folder and could not be listed: a link to nowhere, a file of the cloud.
        #[serde(default)]
        unread: Vec<Skipped>,
        /// Folders that hold nothing at all: among class folders, classes without an image.
        #[serde(default)]
        empty: Vec<String>,
    },
    /// A zip or tar, read in place.
    #[serde(alias = "zip")]
    Archive {
        /// The archive.
        file: FileRef,
    },
    /// Generated scenes.
    Demo {
        /// How many, how large, which seed.
        config: DemoConfig,
    },
}

/// Where the labels of a data set come from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Labels {
    /// To be found out. If two readings are left, the answer asks.
    #[default]
    Auto,
    /// To be found out in the same way; names that are nearly the same are one class wherever they come from, or not.
    Similar {
        /// Whether they are one.
        merge: bool,
    },
    /// Names of folders.
    Folders {
        /// Which folder is the class: 1 is the outermost one in which the images' paths differ, wrapping folders
        /// and parts (`train`, `test`) not counted. An image that does not lie so deep has its innermost one. None
        /// to find out, and to ask if several are left.
        #[serde(default)]
        level: Option<usize>,
        /// Whether names that differ in case alone are one class; none to ask where there are such.
        #[serde(default)]
        merge_similar: Option<bool>,
        /// Folders that are parts of the data set, by name, where their names do not say so.
        #[serde(default)]
        parts: Vec<(String, Part)>,
    },
    /// A table (CSV, TSV, JSON) among the files.
    Table {
        /// Its path, or the end of it; several with `;` between them.
        file: String,
        /// The columns; those not named are found by content.
        #[serde(default)]
        columns: Columns,
    },
    /// Names of files: `{label}` is the label, `*` is any text, `#` a whole number, the rest is itself:
    /// `{label}.*.jpg`.
    FileNames {
        /// The pattern, of the name without folders.
        pattern: String,
    },
}

/// A part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// To train on, and to hold out from if there is no validation set.
    Train,
    /// The data set's own validation set.
    Validation,
    /// Read by the evaluation only.
    Test,
    /// To predict; labels are not known.
    Unlabelled,
}

/// Columns of a table, by the names in its header (`column 1` ... where it has none).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Columns {
    /// Names the image's file, with or without folders and ending.
    #[serde(default)]
    pub image: Option<String>,
    /// The label; of a table with a column of 0 and 1 for each class, all their names with ` + ` between them.
    #[serde(default)]
    pub label: Option<String>,
    /// The part: train, validation, test.
    #[serde(default)]
    pub part: Option<String>,
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
    /// Backbone and head as ONNX.
    Onnx {
        /// What goes into it, and how it is packed.
        file: OnnxFile,
        /// Whether its weights are in 16 bits.
        half: bool,
    },
}

/// A model as ONNX.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnnxFile {
    /// The whole way from an image's pixels to probabilities, in a zip with a text on how to run it.
    Zip,
    /// The same, without zip and text.
    Image,
    /// From normalised images `[N,3,S,S]`.
    Tensor,
}

/// What the engine is asked to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "command")]
pub enum Command {
    /// First command: open a device, load the model (the one kept from last time, else the bundled scenes).
    Start {
        /// The device asked for.
        device: DeviceChoice,
        /// Another address than the Hugging Face hub's for pretrained weights (a mirror, a test).
        hub: Option<String>,
        /// What becomes of transparency in images; none for what the model was trained with.
        #[serde(default)]
        transparency: Option<Transparency>,
    },
    /// Draw the sample images; answered by [`Event::Samples`](super::Event::Samples).
    Samples,
    /// Classify each file; a file that fails gets its own [`Event::FileError`](super::Event::FileError).
    Classify {
        /// The images.
        files: Vec<FileRef>,
    },
    /// Open and index a data set; answered by [`Event::Dataset`](super::Event::Dataset).
    OpenDataset {
        /// Where it comes from.
        source: DatasetSource,
        /// Files beside it: a table of labels that is not among its own files.
        #[serde(default)]
        beside: Vec<FileRef>,
        /// Where its labels come from.
        #[serde(default)]
        labels: Labels,
    },
    /// Featurise what is not cached yet, then train a head, and convolutions if they are asked for.
    Train {
        /// The settings.
        config: TrainConfig,
        /// Trainings, one after the other from `config.seed` on; the best one's model is put in use.
        seeds: usize,
        /// Which model they begin from.
        #[serde(default)]
        start: StartFrom,
    },
    /// Go on with the training of [`Event::Interrupted`](super::Event::Interrupted), on the same images, opened again.
    Continue,
    /// Forget the training of [`Event::Interrupted`](super::Event::Interrupted).
    Discard,
    /// Time a step or two of a training and say how long all of it will take; answered by
    /// [`Event::Estimated`](super::Event::Estimated).
    Estimate {
        /// The settings.
        config: TrainConfig,
        /// Which model it would begin from.
        #[serde(default)]
        start: StartFrom,
    },
    /// Show what an augmentation makes of an image; answered by [`Event::Previews`](super::Event::Previews).
    Preview {
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
    RandomInit {
        /// Which backbone.
        arch: Arch,
        /// Seed of the weights.
        seed: u64,
    },
    /// Forget a run of [`Event::Runs`](super::Event::Runs).
    ForgetRun {
        /// Its id.
        id: u64,
    },
    /// Hold the running training of the message's job after the current batch.
    Pause,
    /// Go on with the held training of the message's job.
    Resume,
    /// End the training of the message's job early and keep its best epoch.
    Stop,
    /// Drop the message's job and what it has made so far.
    Cancel,
    /// Measure the model in use on the data set's test images; on its validation images if it has none; on
    /// all if nothing was held out.
    Evaluate,
    /// Load a checkpoint, a whole model or a head, from a file.
    Import {
        /// `.safetensors` or `.pth`.
        file: FileRef,
        /// The backbone, where the file does not say; none to find out from its tensors.
        arch: Option<Arch>,
        /// Names of its outputs, where the user gives them; they win over the file's own.
        #[serde(default)]
        classes: Option<Vec<String>>,
        /// How its images are prepared, where the user says so; it wins over the file's own.
        #[serde(default)]
        input: InputSettings,
        /// Whether a new head is about to be trained in place of its own.
        #[serde(default)]
        to_train: bool,
        /// What lies beside it and says more about it: [`MODEL_CONFIGS`].
        #[serde(default)]
        beside: Vec<FileRef>,
    },
    /// Name the outputs of the model in use, in their order.
    NameClasses {
        /// As many names as there are outputs, all different.
        classes: Vec<String>,
    },
    /// Say how the images of the model in use are prepared, where its file does not or is wrong.
    SetInput {
        /// What is said; the rest stays.
        input: InputSettings,
    },
    /// Load a whole model from a file as the teacher of trainings with a `distillation`.
    Teach {
        /// `.safetensors` or `.pth`; its classes are those of the data set.
        file: FileRef,
    },
    /// Download pretrained ImageNet weights. The only command that reaches another host.
    Download {
        /// Which backbone.
        arch: Arch,
    },
    /// Hand out the model in use; answered by [`Event::Exported`](super::Event::Exported).
    Export {
        /// Head or whole model.
        what: ExportKind,
    },
    /// Forget the kept model and put a bundled one in use.
    UseBundled {
        /// Which one.
        model: BundledModel,
    },
    /// Time head epochs on generated features (`cargo xtask bench`); answered by `Event::Measured`.
    MeasureHead {
        /// Samples, N of `[N,C]`.
        samples: usize,
        /// Features a sample, C of `[N,C]`.
        features: usize,
        /// Width of the one hidden layer (dropout 0.2 after it); none for a linear head.
        hidden: Option<usize>,
        /// Epochs to time, after one that is not.
        epochs: usize,
    },
    /// Time classification of a generated image (`cargo xtask bench`); answered by `Event::Measured`.
    MeasureForward {
        /// Edge of the input, in pixels.
        size: usize,
        /// Images a batch.
        batch: usize,
        /// Runs to time, after one that is not.
        runs: usize,
    },
    /// Time training steps of the last stage and a linear head, of the backbone in use, on a generated
    /// input that the frozen part might have given (`cargo xtask bench`); answered by `Event::Measured`.
    MeasureFineTune {
        /// Edge of the images, in pixels.
        size: usize,
        /// Images a step.
        batch: usize,
        /// Steps to time, after one that is not.
        steps: usize,
    },
}
