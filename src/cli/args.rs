//! What can be asked for on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::{Arch, DeviceChoice, HeadKind, Scope, TrainConfig};
use crate::error::{Error, Result};

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

/// A training run.
#[derive(Args)]
pub struct TrainArgs {
    #[command(flatten)]
    pub data: DataArgs,
    /// Backbone, by torchvision's name (resnet18, wide_resnet50_2, ...).
    #[arg(long)]
    pub arch: Option<String>,
    /// Pretrained weights (.safetensors or .pth), or "imagenet" to download timm's.
    #[arg(long)]
    pub weights: Option<String>,
    /// Head: linear, mlp-3, mlp-1 or mlp-bn.
    #[arg(long, default_value = "linear", value_parser = head)]
    pub head: HeadKind,
    /// What is trained: head, last-stage (layer4 and the head) or all.
    #[arg(long, default_value = "head", value_parser = scope, value_name = "WHAT")]
    pub train: Scope,
    /// Passes over the training images.
    #[arg(long, default_value_t = TrainConfig::default().epochs)]
    pub epochs: usize,
    /// Learning rate of Adam, for the head.
    #[arg(long, default_value_t = TrainConfig::default().learning_rate, allow_negative_numbers = true)]
    pub lr: f64,
    /// Learning rate of trained convolutions, as a share of the head's.
    #[arg(long, default_value_t = TrainConfig::default().backbone_lr_factor, allow_negative_numbers = true)]
    pub backbone_lr_factor: f64,
    /// Images a step.
    #[arg(long, default_value_t = TrainConfig::default().batch)]
    pub batch: usize,
    /// Seed of split, first weights, shuffling and dropout.
    #[arg(long, default_value_t = TrainConfig::default().seed)]
    pub seed: u64,
    /// Share of each class held out for validation.
    #[arg(long, default_value_t = TrainConfig::default().val_fraction, allow_negative_numbers = true)]
    pub val_fraction: f64,
    /// Folder for model.safetensors and report.json.
    #[arg(long)]
    pub out: PathBuf,
    /// What runs it; auto takes a real GPU if there is one.
    #[arg(long, default_value = "auto")]
    pub device: Device,
    /// Print the report as JSON.
    #[arg(long)]
    pub json: bool,
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

/// `--device`.
#[derive(Clone, Copy, ValueEnum)]
pub enum Device {
    Auto,
    Gpu,
    Cpu,
}

impl From<Device> for DeviceChoice {
    fn from(device: Device) -> Self {
        match device {
            Device::Auto => Self::Auto,
            Device::Gpu => Self::Gpu,
            Device::Cpu => Self::Cpu,
        }
    }
}

impl TrainArgs {
    /// The engine's settings.
    pub fn config(&self) -> TrainConfig {
        TrainConfig {
            head: self.head,
            scope: self.train,
            learning_rate: self.lr,
            backbone_lr_factor: self.backbone_lr_factor,
            epochs: self.epochs,
            batch: self.batch,
            seed: self.seed,
            val_fraction: self.val_fraction,
            ..TrainConfig::default()
        }
    }

    /// The flags it shares with the other tasks.
    pub fn common(&self) -> Common {
        Common {
            model: None,
            device: self.device,
            json: self.json,
        }
    }

    /// The backbone, if one was named.
    pub fn arch(&self) -> Result<Option<Arch>> {
        self.arch.as_deref().map(arch).transpose()
    }

    /// Without `--weights` there is only the bundled backbone.
    pub fn check_bundled(&self) -> Result<()> {
        match self.arch()? {
            None | Some(Arch::ResNet18) => Ok(()),
            Some(arch) => Err(Error::shape(
                "--arch",
                format!(
                    "{} has no bundled weights; give --weights FILE, or --weights imagenet to download them",
                    arch.name()
                ),
            )),
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

fn scope(name: &str) -> std::result::Result<Scope, String> {
    let names = Scope::ALL.map(Scope::name).join(", ");
    Scope::from_name(name).ok_or(format!("none of {names}"))
}
