//! The settings that are typed: what each is called, and which number of the settings it stands for.

use super::slot::Slot;
use crate::config::{Crop, TrainConfig};

/// A setting that is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Field {
    LearningRate,
    Epochs,
    Batch,
    /// Trainings that differ in their seed; no setting of a single one.
    Seeds,
    Momentum,
    WeightDecay,
    ClipNorm,
    Warmup,
    StepEpochs,
    StepFactor,
    LabelSmoothing,
    Patience,
    Ema,
    BackboneFactor,
    StageDecay,
    Sizes,
    Seed,
    SplitSeed,
    ValFraction,
    CropPadding,
    CropLeast,
    CropMost,
    RatioLeast,
    RatioMost,
    HorizontalFlip,
    VerticalFlip,
    Degrees,
    Translation,
    Brightness,
    Contrast,
    Saturation,
    Hue,
    Grayscale,
    Noise,
    Erasing,
    Mixup,
    Cutmix,
    Copies,
    Views,
}

/// How a field is spoken of.
struct Words {
    /// In messages, as `config` names it.
    name: &'static str,
    title: &'static str,
    test_id: &'static str,
    /// What the range does not say.
    note: &'static str,
}

const fn words(
    name: &'static str,
    title: &'static str,
    test_id: &'static str,
    note: &'static str,
) -> Words {
    Words {
        name,
        title,
        test_id,
        note,
    }
}

impl Field {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 39] = {
        use Field::*;
        [
            LearningRate,
            Epochs,
            Batch,
            Seeds,
            Momentum,
            WeightDecay,
            ClipNorm,
            Warmup,
            StepEpochs,
            StepFactor,
            LabelSmoothing,
            Patience,
            Ema,
            BackboneFactor,
            StageDecay,
            Sizes,
            Seed,
            SplitSeed,
            ValFraction,
            CropPadding,
            CropLeast,
            CropMost,
            RatioLeast,
            RatioMost,
            HorizontalFlip,
            VerticalFlip,
            Degrees,
            Translation,
            Brightness,
            Contrast,
            Saturation,
            Hue,
            Grayscale,
            Noise,
            Erasing,
            Mixup,
            Cutmix,
            Copies,
            Views,
        ]
    };

    /// Whether it is one of the augmentation's.
    #[must_use]
    pub const fn is_augment(self) -> bool {
        self as usize >= Self::CropPadding as usize
    }

    /// The field whose value limits this one's.
    #[must_use]
    pub const fn companion(self) -> Option<Self> {
        match self {
            Self::Warmup => Some(Self::Epochs),
            Self::CropMost => Some(Self::CropLeast),
            Self::RatioMost => Some(Self::RatioLeast),
            _ => None,
        }
    }

    const fn words(self) -> Words {
        match self {
            Self::LearningRate => words("learning rate", "Learning rate", "lr-input", ""),
            Self::Epochs => words("epochs", "Epochs", "epochs-input", ""),
            Self::Batch => words("batch", "Batch", "batch-input", "images a step"),
            Self::Seeds => words(
                "seeds",
                "Trainings with different seeds",
                "seeds-input",
                "one after the other, the best is used",
            ),
            Self::Momentum => words("momentum", "Momentum", "momentum-input", "for SGD"),
            Self::WeightDecay => words("weight decay", "Weight decay", "weight-decay-input", ""),
            Self::ClipNorm => words(
                "largest gradient norm",
                "Largest gradient norm",
                "clip-input",
                "0 is no limit",
            ),
            Self::Warmup => words("warm-up", "Warm-up epochs", "warmup-input", "a slow start"),
            Self::StepEpochs => words(
                "epochs between steps",
                "Epochs between steps",
                "step-epochs-input",
                "",
            ),
            Self::StepFactor => words("step factor", "Factor of a step", "step-factor-input", ""),
            Self::LabelSmoothing => {
                words("label smoothing", "Label smoothing", "smoothing-input", "")
            }
            Self::Patience => words(
                "patience",
                "Patience",
                "patience-input",
                "epochs without a better one; 0 never stops",
            ),
            Self::Ema => words(
                "average's decay",
                "Decay of the weights' average",
                "ema-input",
                "0 is off",
            ),
            Self::BackboneFactor => words(
                "backbone rate factor",
                "Backbone rate factor",
                "factor-input",
                "times the learning rate: for convolutions",
            ),
            Self::StageDecay => words(
                "stage rate decay",
                "Stage rate decay",
                "stage-decay-input",
                "times the next stage's rate",
            ),
            Self::Sizes => words(
                "training size",
                "Training sizes",
                "sizes-input",
                "as epoch:pixels, such as 1:96 5:150; empty is the model's",
            ),
            Self::Seed => words("seed", "Seed", "seed-input", "any whole number"),
            Self::SplitSeed => words(
                "split seed",
                "Seed of the split",
                "split-seed-input",
                "any whole number; which images are held out",
            ),
            Self::ValFraction => words(
                "validation fraction",
                "Validation fraction",
                "val-input",
                "",
            ),
            Self::CropPadding => words(
                "crop padding",
                "Border, share of the edge",
                "crop-padding-input",
                "",
            ),
            Self::CropLeast => words(
                "crop scale",
                "Smallest share of the area",
                "crop-least-input",
                "",
            ),
            Self::CropMost => words(
                "crop scale",
                "Largest share of the area",
                "crop-most-input",
                "",
            ),
            Self::RatioLeast => words(
                "crop ratio",
                "Smallest ratio",
                "ratio-least-input",
                "width to height",
            ),
            Self::RatioMost => words(
                "crop ratio",
                "Largest ratio",
                "ratio-most-input",
                "width to height",
            ),
            Self::HorizontalFlip => {
                words("horizontal flip", "Mirror image", "flip-input", "how often")
            }
            Self::VerticalFlip => words(
                "vertical flip",
                "Upside down",
                "vertical-flip-input",
                "how often",
            ),
            Self::Degrees => words("rotation", "Angle", "degrees-input", "degrees"),
            Self::Translation => words(
                "translation",
                "Shift",
                "translation-input",
                "share of the edge",
            ),
            Self::Brightness => words("brightness", "Brightness", "brightness-input", ""),
            Self::Contrast => words("contrast", "Contrast", "contrast-input", ""),
            Self::Saturation => words("saturation", "Saturation", "saturation-input", ""),
            Self::Hue => words("hue", "Hue", "hue-input", "share of the colour circle"),
            Self::Grayscale => words(
                "grayscale",
                "Without colour",
                "grayscale-input",
                "how often",
            ),
            Self::Noise => words("noise", "Noise", "noise-input", "variance"),
            Self::Erasing => words("erasing", "Erased rectangle", "erasing-input", "how often"),
            Self::Mixup => words("mixup", "Mixup", "mixup-input", "0 is off"),
            Self::Cutmix => words("cutmix", "Cutmix", "cutmix-input", "0 is off"),
            Self::Copies => words(
                "copies",
                "Copies",
                "copies-input",
                "showings of each image an epoch",
            ),
            Self::Views => words(
                "views",
                "Kept views",
                "views-input",
                "of each image, where the backbone is frozen",
            ),
        }
    }

    /// Its name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.words().name
    }

    /// Its label.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.words().title
    }

    /// Its `data-testid`.
    #[must_use]
    pub const fn test_id(self) -> &'static str {
        self.words().test_id
    }

    /// What its range does not say.
    #[must_use]
    pub const fn note(self) -> &'static str {
        self.words().note
    }

    /// The number it stands for; none where the choices leave it without effect.
    pub(super) const fn slot(self, config: &mut TrainConfig) -> Option<Slot<'_>> {
        use Slot::{Number, Seed, Sizes, Whole};
        let a = &mut config.augment;
        Some(match self {
            Self::LearningRate => Number(&mut config.learning_rate),
            Self::Epochs => Whole(&mut config.epochs),
            Self::Batch => Whole(&mut config.batch),
            Self::Seeds => return None,
            Self::Momentum => Number(&mut config.momentum),
            Self::WeightDecay => Number(&mut config.weight_decay),
            Self::ClipNorm => Number(&mut config.clip_norm),
            Self::Warmup => Number(&mut config.warmup_epochs),
            Self::StepEpochs => Whole(&mut config.step_epochs),
            Self::StepFactor => Number(&mut config.step_factor),
            Self::LabelSmoothing => Number(&mut config.label_smoothing),
            Self::Patience => Whole(&mut config.patience),
            Self::Ema => Number(&mut config.ema),
            Self::BackboneFactor => Number(&mut config.backbone_lr_factor),
            Self::StageDecay => Number(&mut config.stage_lr_decay),
            Self::Sizes => Sizes(&mut config.sizes),
            Self::Seed => Seed(&mut config.seed),
            Self::SplitSeed => Seed(&mut config.split_seed),
            Self::ValFraction => Number(&mut config.val_fraction),
            Self::CropPadding => match &mut a.crop {
                Some(Crop::Random { padding }) => Number(padding),
                _ => return None,
            },
            Self::CropLeast | Self::CropMost | Self::RatioLeast | Self::RatioMost => {
                match (&mut a.crop, self) {
                    (Some(Crop::Resized { scale, .. }), Self::CropLeast) => Number(&mut scale[0]),
                    (Some(Crop::Resized { scale, .. }), Self::CropMost) => Number(&mut scale[1]),
                    (Some(Crop::Resized { ratio, .. }), Self::RatioLeast) => Number(&mut ratio[0]),
                    (Some(Crop::Resized { ratio, .. }), _) => Number(&mut ratio[1]),
                    _ => return None,
                }
            }
            Self::HorizontalFlip => Number(&mut a.horizontal_flip),
            Self::VerticalFlip => Number(&mut a.vertical_flip),
            Self::Degrees => match &mut a.rotation {
                Some(rotation) => Number(&mut rotation.degrees),
                None => return None,
            },
            Self::Translation => Number(&mut a.translation),
            Self::Brightness | Self::Contrast | Self::Saturation | Self::Hue => {
                match (&mut a.jitter, self) {
                    (Some(jitter), Self::Brightness) => Number(&mut jitter.brightness),
                    (Some(jitter), Self::Contrast) => Number(&mut jitter.contrast),
                    (Some(jitter), Self::Saturation) => Number(&mut jitter.saturation),
                    (Some(jitter), _) => Number(&mut jitter.hue),
                    (None, _) => return None,
                }
            }
            Self::Grayscale => Number(&mut a.grayscale),
            Self::Noise => Number(&mut a.noise),
            Self::Erasing => Number(&mut a.erasing),
            Self::Mixup => Number(&mut a.mixup),
            Self::Cutmix => Number(&mut a.cutmix),
            Self::Copies => Whole(&mut a.copies),
            Self::Views => Whole(&mut a.views),
        })
    }
}
