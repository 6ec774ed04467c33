//! Every setting a user can change: those of a training in one table (`settings.rs`), from which the page's inputs, the
//! command line's flags and the engine's checks follow.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

mod augment;
mod bundled;
mod head;
mod settings;
mod train;
mod transforms;
mod value;

use value::{number, words};

pub use crate::network::Arch;
pub use augment::Augment;
pub use bundled::{BundledModel, StartFrom};
pub use head::HeadKind;
pub use settings::Setting;
#[cfg(all(test, any(feature = "ui", feature = "cli")))]
pub(crate) use settings::tests::sample;
pub use train::{NormMode, OptimizerKind, Schedule, Scope, SizeFrom, TrainConfig, TrainRequest};
pub use transforms::{Crop, Edges, Jitter, Rotation, Turns};
pub use value::{Input, Value, Word};

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
    /// For tests: the GPU, and a software adapter goes through all that a hardware one would, tuning and kernels.
    AsHardware,
    /// An NVIDIA GPU through CUDA, in a native build with the feature `cuda`; an error elsewhere.
    Cuda,
}

/// What becomes of transparency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transparency {
    /// The image is laid over white, as on a page.
    #[default]
    White,
    /// Alpha is thrown away, as Pillow's `convert("RGB")` does: a black shape on nothing becomes all black.
    Dropped,
}

words!(Transparency {
    White = "white", "over white";
    Dropped = "dropped", "dropped";
});

/// What the pixels, 0 to 1, are brought to: the usual ones by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Normalization {
    /// ImageNet's mean and deviation of each channel, as torchvision's models want it.
    Imagenet,
    /// Mean and deviation 0.5: -1 to 1.
    Half,
    /// None: 0 to 1, as `ToTensor` alone gives them.
    None,
}

words!(Normalization {
    Imagenet = "imagenet", "ImageNet's mean and deviation";
    Half = "half", "-1 to 1 (mean and deviation 0.5)";
    None = "none", "0 to 1 (no normalisation)";
});

impl Normalization {
    /// Mean and standard deviation of red, green, blue, in 0..1.
    #[must_use]
    pub const fn mean_std(self) -> ([f32; 3], [f32; 3]) {
        match self {
            Self::Imagenet => ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
            Self::Half => ([0.5; 3], [0.5; 3]),
            Self::None => ([0.0; 3], [1.0; 3]),
        }
    }
}

/// How an image becomes the tensor `[3,S,S]`: resized to S x S, scaled to 0..1, then
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
    /// What becomes of transparency before all that.
    pub transparency: Transparency,
}

impl Default for Preprocess {
    fn default() -> Self {
        let (mean, std) = Normalization::Imagenet.mean_std();
        Self {
            size: 150,
            mean,
            std,
            transparency: Transparency::default(),
        }
    }
}

impl Preprocess {
    /// Input sizes that a tab can hold, in pixels; a network may want more than the least.
    pub const SIZE: (usize, usize) = (32, 640);

    /// What a backbone's pretrained weights were measured on.
    #[must_use]
    pub fn of(arch: Arch) -> Self {
        let row = arch.row();
        let normalization = if row.half {
            Normalization::Half
        } else {
            Normalization::Imagenet
        };
        let (mean, std) = normalization.mean_std();
        Self {
            size: row.size,
            mean,
            std,
            ..Self::default()
        }
    }

    /// The name of its normalisation, if it has one.
    #[must_use]
    pub fn normalization(&self) -> Option<Normalization> {
        let mut known = Normalization::ALL.into_iter();
        known.find(|n| n.mean_std() == (self.mean, self.std))
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the setting.
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

/// What a user says of the images of a model whose file does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct InputSettings {
    /// Edge of the input, in pixels; none to leave it.
    pub size: Option<usize>,
    /// None to leave it.
    pub normalization: Option<Normalization>,
}

impl InputSettings {
    /// Whether nothing is left to be assumed.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.size.is_some() && self.normalization.is_some()
    }

    /// Puts what is said in place of what was.
    pub fn apply(&self, preprocess: &mut Preprocess) {
        preprocess.size = self.size.unwrap_or(preprocess.size);
        if let Some(normalization) = self.normalization {
            (preprocess.mean, preprocess.std) = normalization.mean_std();
        }
    }
}

/// The demo set: scenes drawn by our own generator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
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

impl DemoConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the setting.
    pub fn check(&self) -> Result<()> {
        let (low, high) = Preprocess::SIZE;
        within("demo set's images a class", self.per_class as f64, 2.0, 1e4)?;
        within("demo set's size", self.size as f64, low as f64, high as f64)
    }
}

/// An error unless `lo <= value <= hi`; NaN never passes.
fn within(what: &str, value: f64, lo: f64, hi: f64) -> Result<()> {
    if value >= lo && value <= hi {
        return Ok(());
    }
    Err(Error::setting(
        what,
        format!(
            "{} is outside {} to {}",
            number(value),
            number(lo),
            number(hi)
        ),
    ))
}
