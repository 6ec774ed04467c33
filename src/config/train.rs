//! The settings of a training run.

use serde::{Deserialize, Serialize};

use super::settings::{Setting, setting, settings};
use super::value::words;
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

words!(Scope {
    Head = "head", "the head";
    LastStage = "last-stage", "the last stage and the head";
    LastTwo = "last-two", "the last two stages and the head";
    All = "all", "everything";
});

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

words!(NormMode {
    Frozen = "frozen", "frozen";
    Trained = "trained", "trained";
});

/// The rule that turns gradients into steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerKind {
    /// Kingma and Ba 2014, arXiv:1412.6980; weight decay is added to the gradient.
    #[default]
    Adam,
    /// Loshchilov and Hutter 2017, arXiv:1711.05101; weight decay apart from the gradient.
    AdamW,
    /// Stochastic gradient descent with Nesterov's momentum.
    Sgd,
}

words!(OptimizerKind {
    Adam = "adam", "Adam";
    AdamW = "adamw", "AdamW";
    Sgd = "sgd", "SGD";
});

impl OptimizerKind {
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

words!(Schedule {
    Constant = "constant", "constant";
    Step = "step", "in steps";
    Cosine = "cosine", "cosine";
});

/// From that epoch on, training images of that edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizeFrom {
    /// From 1.
    pub epoch: usize,
    /// Edge, in pixels.
    pub size: usize,
}

// The page's headings, in the order of their settings.
const OPTIMIZER: &str = "Optimizer";
const SCHEDULE: &str = "Schedule";
const LOSS: &str = "Loss, and when to stop";
const BACKBONE: &str = "Head and backbone";
const CHANCE: &str = "Chance, and what is held out";

/// The most epochs, and whatever is counted in epochs.
const EPOCHS: f64 = 1000.0;
const SIZE: (f64, f64) = (Preprocess::SIZE.0 as f64, Preprocess::SIZE.1 as f64);

settings! {
    /// A training run.
    pub struct TrainConfig, TRAIN: "" in request => request.config;

    /// The head that is trained.
    head: HeadKind = HeadKind::Linear => setting("head").note("new layers on the backbone, trained from scratch");
    /// What is trained: last-stage is layer4 and the head, last-two has layer3 as well.
    scope: Scope = Scope::Head => setting("what is trained").flag("train").value_name("WHAT");
    /// Augmentation: a preset; in files also its parts one by one.
    #[serde(deserialize_with = "super::augment::named_or_spelt_out")]
    augment: Augment = Augment::default() => setting("augmentation").value_name("PRESET")
        .note("what is done to training images, so that no epoch shows the same twice");
    /// Learning rate, for the head.
    learning_rate: f64 = 1e-3 => setting("learning rate").flag("lr").range(1e-7, 1.0);
    /// Passes over the training images.
    epochs: usize = 10 => setting("epochs").range(1.0, EPOCHS);
    /// Batch size.
    batch: usize = 32 => setting("batch").range(1.0, 1024.0).note("images a step");

    /// The rule that turns gradients into steps; SGD is Nesterov's.
    optimizer: OptimizerKind = OptimizerKind::Adam => setting("optimizer").group(OPTIMIZER);
    /// Momentum.
    momentum: f64 = 0.9 => setting("momentum").range(0.0, 0.999).note("for SGD").group(OPTIMIZER)
        .used(|c| c.optimizer == OptimizerKind::Sgd);
    /// Pull towards zero of weights, not of norms and biases.
    weight_decay: f64 = 0.0 => setting("weight decay").range(0.0, 1.0).group(OPTIMIZER);
    /// Largest norm of the gradient of all parameters together.
    clip_norm: f64 = 0.0 => setting("largest gradient norm").range(0.0, 1e6).note("0 is no limit").group(OPTIMIZER);

    /// How the learning rates go over the run.
    schedule: Schedule = Schedule::Constant => setting("schedule").group(SCHEDULE);
    /// Epochs of linear rise before the schedule, fractions allowed.
    warmup_epochs: f64 = 0.0 => setting("warm-up").label("Warm-up epochs").range(0.0, EPOCHS)
        .note("a slow start; no longer than the run").group(SCHEDULE);
    /// Epochs between two steps of the schedule.
    step_epochs: usize = 5 => setting("epochs between steps").range(1.0, EPOCHS).group(SCHEDULE)
        .used(|c| c.schedule == Schedule::Step);
    /// What such a step multiplies the learning rates by.
    step_factor: f64 = 0.1 => setting("step factor").label("Factor of a step").range(1e-4, 1.0).group(SCHEDULE)
        .used(|c| c.schedule == Schedule::Step);

    /// Share of each label given to all classes alike, arXiv:1512.00567, section 7.
    label_smoothing: f64 = 0.0 => setting("label smoothing").range(0.0, 0.5).group(LOSS);
    /// Share of the loss that is against a teacher's outputs and not the labels.
    // No input: the page cannot load a teacher. A training that has one keeps its share in the form all the same.
    distillation: f64 = 0.0 => setting("distillation").range(0.0, 1.0).group(LOSS).not_on_page()
        .note("0.5 where a teacher is named and nothing is said").used(TrainConfig::trains_convolutions);
    /// Early stopping: the run ends where its validation gets no better.
    patience: usize = 0 => setting("patience").range(0.0, EPOCHS).group(LOSS)
        .note("epochs without a better one; 0 never stops");
    /// Decay a step of an average of the weights, which is then measured and kept in their place.
    ema: f64 = 0.0 => setting("average's decay").label("Decay of the weights' average").range(0.0, 0.9999).group(LOSS)
        .note("0 is off");
    /// Classes weigh inversely to their number of images.
    class_weights: bool = false => setting("class weights").label("Rare classes weigh more").group(LOSS);

    /// Batch norm of the trained convolutions.
    norm: NormMode = NormMode::Frozen => setting("batch norm").group(BACKBONE)
        .note("frozen statistics for few images; trained ones for long trainings").used(TrainConfig::trains_convolutions);
    /// Learning rate of trained convolutions over the head's: they are to be adjusted, not forgotten.
    backbone_lr_factor: f64 = 0.1 => setting("backbone rate factor").range(1e-3, 1.0).group(BACKBONE)
        .note("times the learning rate: for convolutions").used(TrainConfig::trains_convolutions);
    /// Learning rate of each stage over that of the stage after it.
    stage_lr_decay: f64 = 1.0 => setting("stage rate decay").range(0.01, 1.0).group(BACKBONE)
        .note("times the next stage's rate").used(|c| c.scope > Scope::LastStage);
    /// Training images of another edge than the model's, from some epoch on.
    sizes: Vec<SizeFrom> = Vec::new() => setting("training size").label("Training sizes").range(SIZE.0, SIZE.1)
        .note("as epoch:pixels, such as 1:96 5:150; empty is the model's").group(BACKBONE)
        .value_name("EPOCH:PIXELS,...").used(TrainConfig::trains_convolutions);
    /// Record the norm of each stage's gradient: its mean over each epoch's steps, before clipping.
    gradient_norms: bool = false => setting("gradient norms").label("Record each stage's gradient norm")
        .group(BACKBONE).used(TrainConfig::trains_convolutions);
    /// Edge of the model's input from this training on.
    input_size: Option<usize> = None => setting("input size").range(SIZE.0, SIZE.1).group(BACKBONE)
        .note("pixels; empty is the model's");
    /// Go on from the model's own head, which must be the one named, instead of fresh weights.
    #[serde(alias = "keep_head")]
    resume_head: bool = false => setting("resume head").label("Go on from the head in use").group(BACKBONE);

    /// Seed of the first weights, the shuffling, the dropout and the augmentation.
    seed: u64 = 7 => setting("seed").note("any whole number").group(CHANCE);
    /// Seed of the split into training and validation.
    split_seed: u64 = 7 => setting("split seed").label("Seed of the split").group(CHANCE)
        .note("any whole number; which images are held out");
    /// Share of each class's images held out for validation.
    val_fraction: f64 = 0.2 => setting("validation fraction").range(0.05, 0.5).group(CHANCE);
    /// Images of each class to train on and to hold out from, drawn by the seed: to see what a training with few gives.
    images_per_class: usize = 0 => setting("images a class").range(0.0, 1e6).note("0 is all").group(CHANCE);
}

/// What is asked for: a training, and how many of it.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainRequest {
    /// The training.
    pub config: TrainConfig,
    /// Trainings, one after the other from `config.seed` on; the best one's model is put in use.
    pub seeds: usize,
}

impl Default for TrainRequest {
    fn default() -> Self {
        TrainConfig::default().into()
    }
}

/// It alone.
impl From<TrainConfig> for TrainRequest {
    fn from(config: TrainConfig) -> Self {
        Self { config, seeds: 1 }
    }
}

/// The row of the one setting that is none of a single training.
pub(super) static SEEDS: Setting = setting("trainings with different seeds")
    .range(1.0, 20.0)
    .note("one after the other, the best is used")
    .at(
        "seeds",
        "How many trainings, each with a seed of its own: the given one, the next, and so on.",
        |request, _| Some(&mut request.seeds),
    );

impl TrainRequest {
    /// Checks the ranges, and that the settings fit each other.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the setting.
    pub fn check(&self) -> Result<()> {
        let mut request = self.clone();
        Setting::all().try_for_each(|setting| setting.check(&mut request))?;
        self.config.augment.check_together()?;
        self.config.check_together()
    }
}

impl TrainConfig {
    /// Edge of the training images of an epoch (from 1), in pixels; `own` is the model's.
    #[must_use]
    pub fn size_at(&self, epoch: usize, own: usize) -> usize {
        let begun = self.sizes.iter().filter(|from| from.epoch <= epoch);
        begun
            .max_by_key(|from| from.epoch)
            .map_or(own, |from| from.size)
    }

    /// Checks the ranges, and that the settings fit each other.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the setting.
    pub fn check(&self) -> Result<()> {
        TrainRequest::from(self.clone()).check()
    }

    /// Checks what follows from no single row. The names are those of the rows.
    fn check_together(&self) -> Result<()> {
        within("warm-up", self.warmup_epochs, 0.0, self.epochs as f64)?;
        for from in &self.sizes {
            within("training size", from.epoch as f64, 1.0, EPOCHS)?;
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
        if self.normalises_batches() && self.batch < 2 {
            let reason = "1 image a step leaves batch norm nothing to normalise; 2 at least";
            return Err(Error::setting("batch", reason));
        }
        Ok(())
    }

    /// Whether convolutions are trained, and not the head alone.
    #[must_use]
    pub fn trains_convolutions(&self) -> bool {
        self.scope != Scope::Head
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
