//! The settings of a training run.

use serde::{Deserialize, Serialize};

use super::{Augment, HeadKind, Preprocess, within};
use crate::error::{Error, Result};

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
    /// The last two stages (`layer3`, `layer4`) and the head.
    LastTwo,
    /// Every convolution and the head.
    All,
}

impl Scope {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 4] = [Self::Head, Self::LastStage, Self::LastTwo, Self::All];

    /// The name in files, in the page and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::LastStage => "last-stage",
            Self::LastTwo => "last-two",
            Self::All => "all",
        }
    }

    /// What it is, for a menu.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Head => "the head",
            Self::LastStage => "the last stage and the head",
            Self::LastTwo => "the last two stages and the head",
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
            Self::LastTwo => {
                "longer: each epoch runs two fifths of the backbone, and its gradients"
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

/// What becomes of a trained convolution's batch norm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NormMode {
    /// Its statistics stay, folded into the convolution: right for few images and small batches.
    #[default]
    Frozen,
    /// It normalises by each batch, and its statistics follow: right for long trainings and for random weights.
    Trained,
}

impl NormMode {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 2] = [Self::Frozen, Self::Trained];

    /// The name in files, in the page and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::Trained => "trained",
        }
    }
}

/// The rule that turns gradients into steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Optimizer {
    /// Kingma and Ba 2014, arXiv:1412.6980; weight decay is added to the gradient.
    #[default]
    Adam,
    /// Loshchilov and Hutter 2017, arXiv:1711.05101; weight decay apart from the gradient.
    AdamW,
    /// Stochastic gradient descent with Nesterov's momentum.
    Sgd,
}

impl Optimizer {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 3] = [Self::Adam, Self::AdamW, Self::Sgd];

    /// The name in files, in the page and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Adam => "adam",
            Self::AdamW => "adamw",
            Self::Sgd => "sgd",
        }
    }

    /// Numbers that it keeps for each parameter: the moments of Adam, the momentum of SGD.
    #[must_use]
    pub const fn state_copies(self) -> u64 {
        match self {
            Self::Adam | Self::AdamW => 2,
            Self::Sgd => 1,
        }
    }
}

/// How the learning rate goes over a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// The same throughout.
    #[default]
    Constant,
    /// Times `step_factor` after every `step_epochs` epochs.
    Step,
    /// Half a cosine down to nothing at the end.
    Cosine,
}

impl Schedule {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 3] = [Self::Constant, Self::Step, Self::Cosine];

    /// The name in files, in the page and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Step => "step",
            Self::Cosine => "cosine",
        }
    }
}

/// From that epoch on, training images of that edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizeFrom {
    /// From 1.
    pub epoch: usize,
    /// Edge, in pixels.
    pub size: usize,
}

/// A training run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// The head to train from fresh weights.
    pub head: HeadKind,
    /// Go on from the model's own head, which must be the one named, instead of fresh weights.
    #[serde(alias = "keep_head")]
    pub resume_head: bool,
    /// What is trained.
    pub scope: Scope,
    /// Batch norm of the trained convolutions.
    pub norm: NormMode,
    /// How gradients become steps.
    pub optimizer: Optimizer,
    /// Momentum of SGD, 0 to 0.999.
    pub momentum: f64,
    /// Learning rate, for the head.
    pub learning_rate: f64,
    /// The learning rate of trained convolutions over the head's: they are to be adjusted, not forgotten.
    pub backbone_lr_factor: f64,
    /// That of each stage over that of the stage after it.
    pub stage_lr_decay: f64,
    /// How the learning rates go.
    pub schedule: Schedule,
    /// Epochs of linear rise before the schedule, fractions allowed.
    pub warmup_epochs: f64,
    /// Epochs between two steps of [`Schedule::Step`].
    pub step_epochs: usize,
    /// What such a step multiplies by.
    pub step_factor: f64,
    /// Pull towards zero of weights, not of norms and biases.
    pub weight_decay: f64,
    /// Share of each label given to all classes alike, 0 to 0.5 (arXiv:1512.00567, section 7).
    pub label_smoothing: f64,
    /// Share of the loss that is against a teacher's outputs and not the labels, 0 to 1; needs a teacher.
    pub distillation: f64,
    /// Largest norm of the gradient of all parameters together; 0 is no limit.
    pub clip_norm: f64,
    /// Classes weigh inversely to their number of images.
    pub class_weights: bool,
    /// Epochs without a better validation before the run ends; 0 is never.
    pub patience: usize,
    /// Decay a step of an average of the weights, which is then measured and kept in their place; 0 is off.
    pub ema: f64,
    /// Edge of the model's input from this training on, in pixels; none to leave it.
    pub input_size: Option<usize>,
    /// What is done to training images; in files a preset's name will do.
    #[serde(deserialize_with = "super::augment::named_or_spelt_out")]
    pub augment: Augment,
    /// Training images of another edge than the model's, from some epoch on; needs convolutions to train.
    pub sizes: Vec<SizeFrom>,
    /// Passes over the training images.
    pub epochs: usize,
    /// Images a step.
    pub batch: usize,
    /// Seed of the first weights, the shuffling, the dropout and the augmentation.
    pub seed: u64,
    /// Seed of the split into training and validation.
    pub split_seed: u64,
    /// Share of each class's images held out for validation.
    pub val_fraction: f64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            head: HeadKind::Linear,
            resume_head: false,
            scope: Scope::Head,
            norm: NormMode::Frozen,
            optimizer: Optimizer::Adam,
            momentum: 0.9,
            learning_rate: 1e-3,
            backbone_lr_factor: 0.1,
            stage_lr_decay: 1.0,
            schedule: Schedule::Constant,
            warmup_epochs: 0.0,
            step_epochs: 5,
            step_factor: 0.1,
            weight_decay: 0.0,
            label_smoothing: 0.0,
            distillation: 0.0,
            clip_norm: 0.0,
            class_weights: false,
            patience: 0,
            ema: 0.0,
            input_size: None,
            augment: Augment::default(),
            sizes: Vec::new(),
            epochs: 10,
            batch: 32,
            seed: 7,
            split_seed: 7,
            val_fraction: 0.2,
        }
    }
}

impl TrainConfig {
    /// Valid learning rates.
    pub const LEARNING_RATE: (f64, f64) = (1e-7, 1.0);
    /// Valid factors between the convolutions' learning rate and the head's.
    pub const BACKBONE_LR_FACTOR: (f64, f64) = (1e-3, 1.0);
    /// Valid numbers of trainings that differ in their seed.
    pub const SEEDS: (usize, usize) = (1, 20);
    /// Valid numbers of epochs.
    pub const EPOCHS: (usize, usize) = (1, 1000);
    /// Valid batch sizes, in images.
    pub const BATCH: (usize, usize) = (1, 1024);
    /// Valid validation fractions.
    pub const VAL_FRACTION: (f64, f64) = (0.05, 0.5);

    /// Edge of the training images of an epoch (from 1), in pixels; `own` is the model's.
    #[must_use]
    pub fn size_at(&self, epoch: usize, own: usize) -> usize {
        let begun = self.sizes.iter().filter(|from| from.epoch <= epoch);
        begun
            .max_by_key(|from| from.epoch)
            .map_or(own, |from| from.size)
    }

    /// Checks how many trainings that differ in their seed are asked for.
    ///
    /// # Errors
    /// [`Error::Setting`] if it is none, or too many.
    pub fn check_seeds(seeds: usize) -> Result<()> {
        let (lo, hi) = Self::SEEDS;
        if (lo..=hi).contains(&seeds) {
            return Ok(());
        }
        let reason = format!("{seeds} is outside {lo} to {hi}");
        Err(Error::setting("trainings with different seeds", reason))
    }

    /// Checks the ranges, and that the settings fit each other.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the setting.
    pub fn check(&self) -> Result<()> {
        let (lo, hi) = Self::LEARNING_RATE;
        within("learning rate", self.learning_rate, lo, hi)?;
        let (lo, hi) = Self::BACKBONE_LR_FACTOR;
        within("backbone rate factor", self.backbone_lr_factor, lo, hi)?;
        within("stage rate decay", self.stage_lr_decay, 0.01, 1.0)?;
        within("momentum", self.momentum, 0.0, 0.999)?;
        let (lo, hi) = Self::EPOCHS;
        within("epochs", self.epochs as f64, lo as f64, hi as f64)?;
        within("warm-up", self.warmup_epochs, 0.0, self.epochs as f64)?;
        within(
            "epochs between steps",
            self.step_epochs as f64,
            1.0,
            hi as f64,
        )?;
        within("step factor", self.step_factor, 1e-4, 1.0)?;
        within("weight decay", self.weight_decay, 0.0, 1.0)?;
        within("label smoothing", self.label_smoothing, 0.0, 0.5)?;
        within("distillation", self.distillation, 0.0, 1.0)?;
        within("largest gradient norm", self.clip_norm, 0.0, 1e6)?;
        within("patience", self.patience as f64, 0.0, hi as f64)?;
        within("average's decay", self.ema, 0.0, 0.9999)?;
        self.augment.check()?;
        if let Some(size) = self.input_size {
            let (lo, hi) = Preprocess::SIZE;
            within("input size", size as f64, lo as f64, hi as f64)?;
        }
        for from in &self.sizes {
            within("epoch of a size", from.epoch as f64, 1.0, hi as f64)?;
            let (lo, hi) = Preprocess::SIZE;
            within("training size", from.size as f64, lo as f64, hi as f64)?;
        }
        if !self.sizes.is_empty() && self.scope == Scope::Head {
            let reason =
                "with a frozen backbone each image goes through it once, at the model's own size";
            return Err(Error::setting("training size", reason));
        }
        if self.distillation > 0.0 && self.scope == Scope::Head {
            let reason =
                "a teacher looks at images, and a frozen backbone's head is trained on features";
            return Err(Error::setting("distillation", reason));
        }
        let (lo, hi) = Self::BATCH;
        within("batch", self.batch as f64, lo as f64, hi as f64)?;
        if self.normalises_batches() && self.batch < 2 {
            let reason = "1 image a step leaves batch norm nothing to normalise; 2 at least";
            return Err(Error::setting("batch", reason));
        }
        let (lo, hi) = Self::VAL_FRACTION;
        within("validation fraction", self.val_fraction, lo, hi)
    }

    /// Whether training images are made anew in every epoch: they are changed, mixed, of another size, or
    /// shown to a teacher, who wants more of them than what goes into the trained convolutions.
    #[must_use]
    pub fn changes_inputs(&self) -> bool {
        let Augment { mixup, cutmix, .. } = self.augment;
        let mixes = mixup > 0.0 || cutmix > 0.0;
        self.augment.changes_images() || mixes || !self.sizes.is_empty() || self.distillation > 0.0
    }

    /// Whether a batch norm anywhere takes its statistics from the batch.
    #[must_use]
    pub fn normalises_batches(&self) -> bool {
        self.head == HeadKind::MlpBn
            || (self.scope != Scope::Head && self.norm == NormMode::Trained)
    }
}
