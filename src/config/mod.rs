//! Every setting a user can change: default, unit and valid range in one place, shared by the page's
//! inputs, the command line's flags and the engine's checks.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Which device the user asked for (`?backend=` in the page, `--device` on the command line).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceChoice {
    /// The GPU where there is a real one, else the CPU. A software adapter counts as none.
    #[default]
    Auto,
    /// The GPU, a software adapter included; an error where there is none.
    Gpu,
    /// The CPU.
    Cpu,
}

/// The backbones: torchvision's `ResNet` family (V1.5: the stride sits in the 3x3 convolution).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Arch {
    #[default]
    #[serde(rename = "resnet18")]
    ResNet18,
    #[serde(rename = "resnet34")]
    ResNet34,
    #[serde(rename = "resnet50")]
    ResNet50,
    #[serde(rename = "resnet101")]
    ResNet101,
    #[serde(rename = "resnet152")]
    ResNet152,
    #[serde(rename = "wide_resnet50_2")]
    WideResNet50,
    #[serde(rename = "wide_resnet101_2")]
    WideResNet101,
    #[serde(rename = "resnext50_32x4d")]
    ResNext50,
    #[serde(rename = "resnext101_32x8d")]
    ResNext101,
}

impl Arch {
    /// All of them, small to large within a family.
    pub const ALL: [Self; 9] = [
        Self::ResNet18,
        Self::ResNet34,
        Self::ResNet50,
        Self::ResNet101,
        Self::ResNet152,
        Self::WideResNet50,
        Self::WideResNet101,
        Self::ResNext50,
        Self::ResNext101,
    ];

    /// torchvision's name, which is also the one in files and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ResNet18 => "resnet18",
            Self::ResNet34 => "resnet34",
            Self::ResNet50 => "resnet50",
            Self::ResNet101 => "resnet101",
            Self::ResNet152 => "resnet152",
            Self::WideResNet50 => "wide_resnet50_2",
            Self::WideResNet101 => "wide_resnet101_2",
            Self::ResNext50 => "resnext50_32x4d",
            Self::ResNext101 => "resnext101_32x8d",
        }
    }

    /// The backbone of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.name() == name)
    }
}

/// The heads on offer. C is what the backbone gives (512 or 2048), K the number of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadKind {
    /// C->K.
    #[default]
    Linear,
    /// C->1024->256->64->K, ReLU between, dropout 0.2 after the first.
    #[serde(rename = "mlp-3")]
    Mlp3,
    /// C->128->K, ReLU between.
    #[serde(rename = "mlp-1")]
    Mlp1,
    /// C->1024->512->256->128->64->K with ReLU, dropout 0.2 and batch norm (the course's ResNet-34 head).
    #[serde(rename = "mlp-bn")]
    MlpBn,
}

impl HeadKind {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 4] = [Self::Linear, Self::Mlp3, Self::Mlp1, Self::MlpBn];

    /// The name in files, in the page and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Mlp3 => "mlp-3",
            Self::Mlp1 => "mlp-1",
            Self::MlpBn => "mlp-bn",
        }
    }

    /// What it is, for a menu.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Linear => "one linear layer",
            Self::Mlp3 => "1024, 256, 64; dropout 0.2",
            Self::Mlp1 => "128",
            Self::MlpBn => "1024, 512, 256, 128, 64; dropout 0.2, batch norm",
        }
    }

    /// The head of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|h| h.name() == name)
    }
}

/// How much of a model a training changes. The order is that of the cost.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The head; every image goes through the backbone once.
    #[default]
    Head,
    /// The last of the four stages (`layer4`) and the head.
    LastStage,
    /// Every convolution and the head.
    All,
}

impl Scope {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 3] = [Self::Head, Self::LastStage, Self::All];

    /// The name in files, in the page and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::LastStage => "last-stage",
            Self::All => "all",
        }
    }

    /// What it is, for a menu.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Head => "the head",
            Self::LastStage => "the last stage and the head",
            Self::All => "everything",
        }
    }

    /// What it costs, in words.
    #[must_use]
    pub const fn cost(self) -> &'static str {
        match self {
            Self::Head => "seconds to minutes: each image goes through the backbone once",
            Self::LastStage => {
                "minutes: each epoch runs a fifth of the backbone, and its gradients"
            }
            Self::All => {
                "the slowest, for a GPU: each epoch runs the whole backbone, and its gradients"
            }
        }
    }

    /// The one of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }
}

/// How an RGB image becomes the tensor `[3,S,S]`: resized to S x S, scaled to 0..1, then
/// `(x - mean) / deviation` per channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preprocess {
    /// S, in pixels.
    pub size: usize,
    /// Mean of red, green, blue, in 0..1. Default: ImageNet's.
    pub mean: [f32; 3],
    /// Standard deviation of red, green, blue, in 0..1. Default: ImageNet's.
    pub std: [f32; 3],
}

impl Default for Preprocess {
    fn default() -> Self {
        Self {
            size: 150,
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225],
        }
    }
}

impl Preprocess {
    /// Input sizes that every backbone accepts and a tab can hold, in pixels.
    pub const SIZE: (usize, usize) = (32, 512);

    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Shape`] naming the setting.
    pub fn check(&self) -> Result<()> {
        within(
            "input size",
            self.size as f64,
            Self::SIZE.0 as f64,
            Self::SIZE.1 as f64,
        )?;
        for s in self.std {
            within("deviation", f64::from(s), 1e-4, 1e4)?;
        }
        for m in self.mean {
            within("mean", f64::from(m), -1e4, 1e4)?;
        }
        Ok(())
    }
}

/// A training run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainConfig {
    /// The head to train from fresh weights.
    pub head: HeadKind,
    /// What is trained.
    pub scope: Scope,
    /// Adam's learning rate, for the head.
    pub learning_rate: f64,
    /// The learning rate of trained convolutions over the head's: they are to be adjusted, not forgotten.
    pub backbone_lr_factor: f64,
    /// Passes over the training images.
    pub epochs: usize,
    /// Images a step.
    pub batch: usize,
    /// Seed of the split, the head's first weights, the shuffling and the dropout.
    pub seed: u64,
    /// Share of each class's images held out for validation.
    pub val_fraction: f64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            head: HeadKind::Linear,
            scope: Scope::Head,
            learning_rate: 1e-3,
            backbone_lr_factor: 0.1,
            epochs: 10,
            batch: 32,
            seed: 7,
            val_fraction: 0.2,
        }
    }
}

impl TrainConfig {
    /// Valid learning rates.
    pub const LEARNING_RATE: (f64, f64) = (1e-7, 1.0);
    /// Valid factors between the convolutions' learning rate and the head's.
    pub const BACKBONE_LR_FACTOR: (f64, f64) = (1e-3, 1.0);
    /// Valid numbers of epochs.
    pub const EPOCHS: (usize, usize) = (1, 1000);
    /// Valid batch sizes, in images.
    pub const BATCH: (usize, usize) = (1, 1024);
    /// Valid validation fractions.
    pub const VAL_FRACTION: (f64, f64) = (0.05, 0.5);

    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Shape`] naming the setting.
    pub fn check(&self) -> Result<()> {
        let (lo, hi) = Self::LEARNING_RATE;
        within("learning rate", self.learning_rate, lo, hi)?;
        let (lo, hi) = Self::BACKBONE_LR_FACTOR;
        within("backbone rate factor", self.backbone_lr_factor, lo, hi)?;
        let (lo, hi) = Self::EPOCHS;
        within("epochs", self.epochs as f64, lo as f64, hi as f64)?;
        let (lo, hi) = Self::BATCH;
        within("batch", self.batch as f64, lo as f64, hi as f64)?;
        if self.head == HeadKind::MlpBn && self.batch < 2 {
            let reason = "1 image a step leaves batch norm nothing to normalise; 2 at least";
            return Err(Error::shape("batch", reason));
        }
        let (lo, hi) = Self::VAL_FRACTION;
        within("validation fraction", self.val_fraction, lo, hi)
    }
}

/// The demo set: scenes drawn by our own generator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DemoConfig {
    /// Images a class.
    pub per_class: usize,
    /// Edge of the square images, in pixels.
    pub size: usize,
    /// Seed of the drawing.
    pub seed: u64,
}

impl Default for DemoConfig {
    fn default() -> Self {
        Self {
            per_class: 40,
            size: 150,
            seed: 1,
        }
    }
}

/// An error unless `lo <= value <= hi`; NaN never passes.
fn within(what: &str, value: f64, lo: f64, hi: f64) -> Result<()> {
    if value >= lo && value <= hi {
        return Ok(());
    }
    Err(Error::shape(
        what,
        format!("{value} is outside {lo} to {hi}"),
    ))
}
