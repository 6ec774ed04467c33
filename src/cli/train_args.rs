//! What a training is told: a run file, flags that win over it, and the defaults.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;
use serde::de::{DeserializeOwned, value::StrDeserializer};

use super::args::{Common, Device, arch, transparency};
use super::label_args::LabelArgs;
use super::{HUB, RANDOM};
use crate::config::{
    Arch, Augment, HeadKind, NormMode, Normalization, Optimizer, Schedule, Scope, TrainConfig,
    Transparency,
};
use crate::error::{Error, Result};
use crate::model::arch::check_scope;
use crate::weights::bundled;

/// A teacher's share of the loss where nothing is said of it.
const DISTILLATION: f64 = 0.5;

/// A training run.
#[derive(Args)]
pub struct TrainArgs {
    /// A folder, zip or tar: a folder a class, optionally under train and test, or images with a table of labels.
    pub dataset: Option<PathBuf>,
    #[command(flatten)]
    pub labels: LabelArgs,
    /// A run file (TOML) with any of these settings and all others; flags win over it.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Backbone, by torchvision's name (resnet18, wide_resnet50_2, ...).
    #[arg(long)]
    pub arch: Option<String>,
    /// Pretrained weights (.safetensors or .pth), "imagenet" to download timm's, or "random".
    #[arg(long)]
    pub weights: Option<String>,
    /// Head: linear, mlp-3, mlp-1 or mlp-bn.
    #[arg(long, value_parser = word::<HeadKind>)]
    pub head: Option<HeadKind>,
    /// What is trained: head, last-stage (layer4 and the head), last-two or all.
    #[arg(long, value_parser = word::<Scope>, value_name = "WHAT")]
    pub train: Option<Scope>,
    /// Batch norm of trained convolutions: frozen or trained.
    #[arg(long, value_parser = word::<NormMode>)]
    pub norm: Option<NormMode>,
    /// Edge of the model's input, in pixels.
    #[arg(long)]
    pub input_size: Option<usize>,
    /// Augmentation: none, course-work, course-work-x4, light or strong.
    #[arg(long, value_name = "PRESET")]
    pub augment: Option<String>,
    /// Optimizer: adam, adamw or sgd (Nesterov).
    #[arg(long, value_parser = word::<Optimizer>)]
    pub optimizer: Option<Optimizer>,
    /// Learning rate over the run: constant, step or cosine.
    #[arg(long, value_parser = word::<Schedule>)]
    pub schedule: Option<Schedule>,
    /// Epochs of linear warm-up.
    #[arg(long)]
    pub warmup_epochs: Option<f64>,
    /// Passes over the training images.
    #[arg(long)]
    pub epochs: Option<usize>,
    /// Learning rate, for the head.
    #[arg(long, allow_negative_numbers = true)]
    pub lr: Option<f64>,
    /// Learning rate of trained convolutions, as a share of the head's.
    #[arg(long, allow_negative_numbers = true)]
    pub backbone_lr_factor: Option<f64>,
    /// Weight decay; not on norms and biases.
    #[arg(long, allow_negative_numbers = true)]
    pub weight_decay: Option<f64>,
    /// Label smoothing.
    #[arg(long, allow_negative_numbers = true)]
    pub label_smoothing: Option<f64>,
    /// A whole model of the same classes to learn from as well (.safetensors or .pth).
    #[arg(long, value_name = "FILE")]
    pub teacher: Option<PathBuf>,
    /// Share of the loss that is against the teacher's outputs; 0.5 unless something else is said.
    #[arg(long, allow_negative_numbers = true)]
    pub distillation: Option<f64>,
    /// Largest norm of the gradient; 0 is no limit.
    #[arg(long, allow_negative_numbers = true)]
    pub clip_norm: Option<f64>,
    /// Weigh classes inversely to their number of images.
    #[arg(long)]
    pub class_weights: bool,
    /// Epochs without a better validation before the run ends; 0 is never.
    #[arg(long)]
    pub patience: Option<usize>,
    /// Decay of the average of the weights; 0 is off.
    #[arg(long, allow_negative_numbers = true)]
    pub ema: Option<f64>,
    /// Images a step.
    #[arg(long)]
    pub batch: Option<usize>,
    /// Seed of first weights, shuffling, dropout and augmentation.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Trainings with different seeds, from --seed on; the best one's model is written.
    #[arg(long)]
    pub seeds: Option<usize>,
    /// Seed of the split into training and validation.
    #[arg(long)]
    pub split_seed: Option<u64>,
    /// Share of each class held out for validation.
    #[arg(long, allow_negative_numbers = true)]
    pub val_fraction: Option<f64>,
    /// Folder for model.safetensors, report.json and the checkpoint of each epoch.
    #[arg(long)]
    pub out: PathBuf,
    /// Go on with the training that --out holds, if it did not come to its end.
    #[arg(long)]
    pub resume: bool,
    /// Write the model's weights as 16 bits.
    #[arg(long)]
    pub half: bool,
    /// What runs it; auto takes a real GPU if there is one.
    #[arg(long)]
    pub device: Option<Device>,
    /// What becomes of transparency: over white, or dropped as Pillow's convert("RGB") does.
    #[arg(long, value_parser = transparency, value_name = "white|dropped")]
    pub transparency: Option<Transparency>,
    /// What the pixels were brought to in the training of --weights, where the file does not say.
    #[arg(long, value_parser = word::<Normalization>, value_name = "imagenet|half|none")]
    pub normalize: Option<Normalization>,
    /// Print the report as JSON.
    #[arg(long)]
    pub json: bool,
}

/// A run file.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RunFile {
    /// Seen from the run file's folder.
    dataset: Option<PathBuf>,
    arch: Option<String>,
    weights: Option<String>,
    /// Seen from the run file's folder.
    teacher: Option<PathBuf>,
    device: Device,
    seeds: Option<usize>,
    train: TrainConfig,
}

/// What a training is told, all together.
pub struct Plan {
    /// The data set.
    pub dataset: PathBuf,
    /// The backbone, if one was named.
    pub arch: Option<Arch>,
    /// Its weights: a file, [`super::HUB`] or [`super::RANDOM`]; none for the bundled ones.
    pub weights: Option<String>,
    /// Another model to learn from.
    pub teacher: Option<PathBuf>,
    /// Device, JSON.
    pub common: Common,
    /// Trainings with different seeds.
    pub seeds: usize,
    /// The engine's settings.
    pub config: TrainConfig,
}

impl TrainArgs {
    /// Reads the run file, puts the flags over it, checks the ranges.
    ///
    /// # Errors
    /// [`Error::Storage`] if the file cannot be read, [`Error::Setting`] naming what is wrong in it or among the
    /// flags.
    pub fn plan(&self) -> Result<Plan> {
        let file = match &self.config {
            Some(path) => read(path)?,
            None => RunFile::default(),
        };
        let mut config = file.train;
        set(&mut config.head, self.head);
        set(&mut config.scope, self.train);
        set(&mut config.norm, self.norm);
        set(&mut config.optimizer, self.optimizer);
        set(&mut config.schedule, self.schedule);
        set(&mut config.warmup_epochs, self.warmup_epochs);
        set(&mut config.epochs, self.epochs);
        set(&mut config.learning_rate, self.lr);
        set(&mut config.backbone_lr_factor, self.backbone_lr_factor);
        set(&mut config.weight_decay, self.weight_decay);
        set(&mut config.label_smoothing, self.label_smoothing);
        set(&mut config.distillation, self.distillation);
        set(&mut config.clip_norm, self.clip_norm);
        set(&mut config.patience, self.patience);
        set(&mut config.ema, self.ema);
        set(&mut config.batch, self.batch);
        set(&mut config.seed, self.seed);
        set(&mut config.split_seed, self.split_seed);
        set(&mut config.val_fraction, self.val_fraction);
        config.class_weights |= self.class_weights;
        config.input_size = self.input_size.or(config.input_size);
        if let Some(name) = &self.augment {
            config.augment = Augment::preset(name).ok_or_else(|| {
                let names = Augment::PRESETS.join(", ");
                Error::setting("--augment", format!("{name} is none of {names}"))
            })?;
        }
        config.check()?;
        let beside = |path: PathBuf| match &self.config {
            Some(file) => file.parent().unwrap_or(Path::new("")).join(path),
            None => path,
        };
        let dataset = self.dataset.clone().or(file.dataset.map(beside));
        let teacher = self.teacher.clone().or(file.teacher.map(beside));
        // A training that goes on has its own settings.
        if !self.resume {
            self.check_teacher(teacher.as_deref(), &mut config)?;
        }
        let name = self.arch.clone().or(file.arch);
        let arch = name.as_deref().map(arch).transpose()?;
        let weights = self.weights.clone().or(file.weights);
        check_weights(arch, weights.as_deref(), config.scope)?;
        let seeds = self.seeds.or(file.seeds).unwrap_or(1);
        TrainConfig::check_seeds(seeds)?;
        Ok(Plan {
            dataset: dataset.ok_or_else(|| {
                Error::setting("data set", "none is named: give a folder or a zip")
            })?,
            arch,
            weights,
            teacher,
            common: Common {
                model: None,
                classes: None,
                transparency: self.transparency,
                input_size: None,
                normalize: self.normalize,
                device: self.device.unwrap_or(file.device),
                json: self.json,
            },
            seeds,
            config,
        })
    }

    /// For a training that begins: gives a teacher its share, unless the flag says another, 0 too.
    ///
    /// # Errors
    /// [`Error::Setting`] if a teacher is wanted and none is named, or one is named that cannot teach.
    pub fn check_teacher(&self, teacher: Option<&Path>, config: &mut TrainConfig) -> Result<()> {
        let unsaid = self.distillation.is_none() && config.distillation <= 0.0;
        if teacher.is_some() && unsaid {
            config.distillation = DISTILLATION;
        }
        if teacher.is_none() && config.distillation > 0.0 {
            let reason = "no teacher is named: give --teacher FILE";
            return Err(Error::setting("distillation", reason));
        }
        config.check()
    }
}

/// Whether there are such weights of that backbone, and what is to be trained of it can be: as far as it is known before
/// anything is loaded.
fn check_weights(arch: Option<Arch>, weights: Option<&str>, scope: Scope) -> Result<()> {
    let known = match (arch, weights) {
        // A file may say which backbone it is.
        (None, Some(file)) if file != HUB && file != RANDOM => return Ok(()),
        (arch, _) => arch.unwrap_or_default(),
    };
    if weights.is_none() && known != bundled::ARCH {
        let reason = format!(
            "{} has no bundled weights; give --weights FILE, --weights imagenet to download them, or --weights random",
            known.name()
        );
        return Err(Error::setting("--arch", reason));
    }
    if weights == Some(RANDOM) && !known.trains_convolutions() {
        let reason = format!("of {} only the head can be trained", known.name());
        return Err(Error::setting("--weights random", reason));
    }
    check_scope(known, scope)
}

fn set<T>(setting: &mut T, flag: Option<T>) {
    if let Some(flag) = flag {
        *setting = flag;
    }
}

fn read(path: &Path) -> Result<RunFile> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::Storage(format!("{shown}: {error}")))?;
    toml::from_str(&text)
        .map_err(|error| Error::setting(shown.to_string(), error.to_string().trim()))
}

/// A setting by the word that it has in files.
fn word<T: DeserializeOwned>(text: &str) -> std::result::Result<T, String> {
    let word = StrDeserializer::<serde::de::value::Error>::new(text);
    T::deserialize(word).map_err(|error| error.to_string())
}
