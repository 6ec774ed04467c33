//! What can be asked for on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::{
    Arch, DeviceChoice, HeadKind, InputSettings, Normalization, Preprocess, Transparency,
};
use crate::error::{Error, Result};

pub use super::experiment::ExperimentArgs;
pub use super::inspect_args::InspectArgs;
use super::label_args::LabelArgs;
pub use super::train_args::TrainArgs;

/// Classify images, and fine-tune a pretrained `ResNet` on your own.
#[derive(Parser)]
#[command(name = "retune", version, about)]
pub struct Cli {
    #[command(subcommand)]
    pub task: Task,
}

/// The tasks.
#[derive(Subcommand)]
pub enum Task {
    /// Say what is on each image.
    Classify {
        #[command(flatten)]
        common: Common,
        /// JPEG, PNG, WebP, GIF, BMP, TIFF or PNM files, or folders of them.
        #[arg(required = true, value_name = "IMAGE")]
        images: Vec<PathBuf>,
    },
    /// Train a head, and convolutions if asked for; writes model.safetensors and report.json.
    Train(Box<TrainArgs>),
    /// Train by every run file of a folder, one after the other; writes a table of what came of them, report.md and
    /// report.html.
    Experiment(Box<ExperimentArgs>),
    /// Show trainings side by side: settings, accuracy, mean and deviation over seeds.
    Compare(CompareArgs),
    /// Measure a model on a data set's test images.
    Evaluate {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Write a model as a file to use elsewhere, ONNX or safetensors.
    Export(ExportArgs),
    /// Show every layer of a network with its output shape, parameters and multiply-adds; without a name, all networks.
    Inspect(InspectArgs),
}

/// Flags of `export`.
#[derive(Args)]
pub struct ExportArgs {
    #[command(flatten)]
    pub common: Common,
    /// What to write: a .zip with an ONNX file and a text on how to run it, the .onnx file alone, or .safetensors.
    #[arg(value_name = "FILE")]
    pub out: PathBuf,
    /// Weights in 16 bits.
    #[arg(long)]
    pub half: bool,
    /// An ONNX file that takes normalised images [N,3,S,S] in place of the pixels of one.
    #[arg(long)]
    pub tensor: bool,
}

/// Flags of every task that runs a model.
#[derive(Args, Clone)]
pub struct Common {
    /// Model to use: "scenes" (the default) or "things", which are bundled, or a checkpoint (.safetensors, PyTorch's or .onnx).
    #[arg(long)]
    pub model: Option<PathBuf>,
    /// Names of that model's outputs, in order: NAME,NAME,... or a text file with a name a line; they win over its own.
    #[arg(long, value_name = "NAMES", requires = "model", value_parser = classes)]
    pub classes: Option<Classes>,
    /// What runs it; auto takes a real GPU if there is one.
    #[arg(long, default_value = "auto")]
    pub device: Device,
    /// What becomes of transparency: over white, or dropped as Pillow's convert("RGB") does.
    #[arg(long, value_parser = transparency, value_name = "white|dropped")]
    pub transparency: Option<Transparency>,
    /// Edge of the model's input, in pixels; wins over what its file says.
    #[arg(long, value_name = "PIXELS", value_parser = input_size)]
    pub input_size: Option<usize>,
    /// What the pixels were brought to in the model's training; wins over what its file says.
    #[arg(long, value_parser = normalization, value_name = "imagenet|half|none")]
    pub normalize: Option<Normalization>,
    /// Print JSON, one object a line.
    #[arg(long)]
    pub json: bool,
}

impl Common {
    /// What is said of the model's images.
    pub const fn input(&self) -> InputSettings {
        InputSettings {
            size: self.input_size,
            normalization: self.normalize,
        }
    }
}

/// Which data set.
#[derive(Args, Clone)]
pub struct DataArgs {
    /// A folder, zip or tar: a folder a class, optionally under train and test, or images with a table of labels.
    pub dataset: PathBuf,
    #[command(flatten)]
    pub labels: LabelArgs,
}

/// Trainings to compare.
#[derive(Args)]
pub struct CompareArgs {
    /// Folders that `retune train` wrote, or their report.json.
    #[arg(required = true, value_name = "FOLDER")]
    pub reports: Vec<PathBuf>,
    /// Print JSON, one run a line.
    #[arg(long)]
    pub json: bool,
}

/// `--device`.
#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    #[default]
    Auto,
    Gpu,
    Cpu,
    /// For tests: a software GPU as if it were hardware
    #[value(hide = true)]
    #[serde(rename = "as-hardware")]
    AsHardware,
    /// NVIDIA's, in a build with `--features cuda`
    Cuda,
}

impl From<Device> for DeviceChoice {
    fn from(device: Device) -> Self {
        match device {
            Device::Auto => Self::Auto,
            Device::Gpu => Self::Gpu,
            Device::Cpu => Self::Cpu,
            Device::AsHardware => Self::AsHardware,
            Device::Cuda => Self::Cuda,
        }
    }
}

/// `--transparency`.
pub fn transparency(name: &str) -> std::result::Result<Transparency, String> {
    Transparency::from_name(name).ok_or_else(|| "none of white, dropped".to_string())
}

/// `--input-size`.
fn input_size(text: &str) -> std::result::Result<usize, String> {
    let (low, high) = Preprocess::SIZE;
    let size = text.parse().ok().filter(|size| (low..=high).contains(size));
    size.ok_or_else(|| format!("not a number of pixels from {low} to {high}"))
}

/// `--normalize`.
pub fn normalization(name: &str) -> std::result::Result<Normalization, String> {
    Normalization::from_name(name).ok_or_else(|| "none of imagenet, half, none".to_string())
}

/// Names of outputs, in order.
#[derive(Clone)]
pub struct Classes(pub Vec<String>);

/// Whether a name that is alone was meant as a file's.
fn looks_like_a_file(text: &str) -> bool {
    let ends = [".txt", ".csv", ".json", ".names"];
    let lower = text.to_ascii_lowercase();
    !text.contains(',') && ends.iter().any(|end| lower.ends_with(end))
}

/// `--classes`: a list, or the file that has one.
fn classes(text: &str) -> std::result::Result<Classes, String> {
    let path = std::path::Path::new(text);
    let list: Vec<String> = if path.is_file() {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        lines
            .filter(|line| !line.is_empty())
            .map(str::to_string)
            .collect()
    } else if looks_like_a_file(text) {
        return Err("no such file".to_string());
    } else {
        text.split(',')
            .map(|name| name.trim().to_string())
            .collect()
    };
    if list.is_empty() {
        return Err("holds no names".to_string());
    }
    Ok(Classes(list))
}

/// The error for a name of a backbone that is none of these, with what may have been meant.
pub fn no_such_arch(name: &str, names: &[&str]) -> Error {
    let meant = meant(name, names).map(|meant| format!("; did you mean {meant}?"));
    let (names, meant) = (names.join(", "), meant.unwrap_or_default());
    Error::setting("architecture", format!("{name} is none of {names}{meant}"))
}

fn meant<'a>(name: &str, names: &[&'a str]) -> Option<&'a str> {
    /// As alike as clap's own suggestions are to be.
    const ALIKE: f64 = 0.7;
    let typed = name.to_ascii_lowercase().replace(['-', ' '], "_");
    let alike = |known: &&'a str| (strsim::jaro(&typed, known), *known);
    let best = names.iter().map(alike).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(alike, _)| *alike > ALIKE)
        .map(|(_, name)| name)
}

/// A backbone's name.
pub fn arch(name: &str) -> Result<Arch> {
    Arch::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Arch::ALL.iter().map(|arch| arch.name()).collect();
        no_such_arch(name, &names)
    })
}

/// A head's name.
pub fn head(name: &str) -> std::result::Result<HeadKind, String> {
    let names = HeadKind::ALL.map(HeadKind::name).join(", ");
    HeadKind::from_name(name).ok_or(format!("none of {names}"))
}
