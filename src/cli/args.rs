//! What can be asked for on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::{Arch, DeviceChoice, HeadKind};
use crate::error::{Error, Result};

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
        /// JPEG, PNG, WebP, GIF or BMP files.
        #[arg(required = true, value_name = "IMAGE")]
        images: Vec<PathBuf>,
    },
    /// Train a head, and convolutions if asked for; writes model.safetensors and report.json.
    Train(Box<TrainArgs>),
    /// Show trainings side by side: settings, accuracy, mean and deviation over seeds.
    Compare(CompareArgs),
    /// Measure a model on a data set's test images.
    Evaluate {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Show every layer with its output shape, parameters and multiply-adds.
    Inspect(InspectArgs),
}

/// Flags of every task that runs a model.
#[derive(Args, Clone)]
pub struct Common {
    /// Checkpoint to use (.safetensors or .pth) in place of the bundled scenes model.
    #[arg(long)]
    pub model: Option<PathBuf>,
    /// What runs it; auto takes a real GPU if there is one.
    #[arg(long, default_value = "auto")]
    pub device: Device,
    /// Print JSON, one object a line.
    #[arg(long)]
    pub json: bool,
}

/// Which data set.
#[derive(Args, Clone)]
pub struct DataArgs {
    /// A folder or a zip: a folder a class, optionally under seg_train and seg_test.
    pub dataset: PathBuf,
}

/// A layer table.
#[derive(Args)]
pub struct InspectArgs {
    /// Backbone, by torchvision's name.
    pub arch: String,
    /// Edge of the input, in pixels.
    #[arg(long, default_value_t = 224)]
    pub input: usize,
    /// Head on it.
    #[arg(long, default_value = "linear", value_parser = head)]
    pub head: HeadKind,
    /// Outputs of the head; 1000 is ImageNet's.
    #[arg(long, default_value_t = 1000)]
    pub classes: usize,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
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
#[derive(Clone, Copy, Default, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    #[default]
    Auto,
    Gpu,
    Cpu,
    /// NVIDIA's, in a build with `--features cuda`
    Cuda,
}

impl From<Device> for DeviceChoice {
    fn from(device: Device) -> Self {
        match device {
            Device::Auto => Self::Auto,
            Device::Gpu => Self::Gpu,
            Device::Cpu => Self::Cpu,
            Device::Cuda => Self::Cuda,
        }
    }
}

/// A backbone's name.
pub fn arch(name: &str) -> Result<Arch> {
    Arch::from_name(name).ok_or_else(|| {
        let names = Arch::ALL.map(Arch::name).join(", ");
        Error::shape("architecture", format!("{name} is none of {names}"))
    })
}

fn head(name: &str) -> std::result::Result<HeadKind, String> {
    let names = HeadKind::ALL.map(HeadKind::name).join(", ");
    HeadKind::from_name(name).ok_or(format!("none of {names}"))
}
