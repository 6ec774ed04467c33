//! Which setting stands where.

use super::{
    Choice, Field, Flag,
    Item::{C, F, O},
};

/// A setting of any kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// Typed.
    F(Field),
    /// Chosen.
    C(Choice),
    /// On or off.
    O(Flag),
}

/// Settings with a heading of their own.
pub type Group = (&'static str, &'static [Item]);

/// What is always visible.
pub const FIRST: &[Item] = &[
    C(Choice::Head),
    C(Choice::Scope),
    C(Choice::Augment),
    F(Field::LearningRate),
    F(Field::Epochs),
    F(Field::Batch),
    F(Field::Seeds),
];

/// What is under "More settings".
pub const MORE: &[Group] = &[
    (
        "Optimizer",
        &[
            C(Choice::Optimizer),
            F(Field::Momentum),
            F(Field::WeightDecay),
            F(Field::ClipNorm),
        ],
    ),
    (
        "Schedule",
        &[
            C(Choice::Schedule),
            F(Field::Warmup),
            F(Field::StepEpochs),
            F(Field::StepFactor),
        ],
    ),
    (
        "Loss, and when to stop",
        &[
            F(Field::LabelSmoothing),
            F(Field::Patience),
            F(Field::Ema),
            O(Flag::ClassWeights),
        ],
    ),
    (
        "Head and backbone",
        &[
            C(Choice::Norm),
            F(Field::BackboneFactor),
            F(Field::StageDecay),
            F(Field::Sizes),
            O(Flag::ResumeHead),
        ],
    ),
    (
        "Chance, and what is held out",
        &[F(Field::Seed), F(Field::SplitSeed), F(Field::ValFraction)],
    ),
];

/// What is under "Augmentation".
pub const AUGMENT: &[Group] = &[
    (
        "Which part",
        &[
            C(Choice::Crop),
            F(Field::CropPadding),
            F(Field::CropLeast),
            F(Field::CropMost),
            F(Field::RatioLeast),
            F(Field::RatioMost),
        ],
    ),
    (
        "Section",
        &[
            C(Choice::Turns),
            C(Choice::Edges),
            F(Field::Degrees),
            F(Field::HorizontalFlip),
            F(Field::VerticalFlip),
            F(Field::Translation),
        ],
    ),
    (
        "Colours",
        &[
            O(Flag::Jitter),
            F(Field::Brightness),
            F(Field::Contrast),
            F(Field::Saturation),
            F(Field::Hue),
            F(Field::Grayscale),
            F(Field::Noise),
        ],
    ),
    (
        "Whole images",
        &[F(Field::Erasing), F(Field::Mixup), F(Field::Cutmix)],
    ),
    (
        "How often",
        &[F(Field::Copies), F(Field::Views), O(Flag::OneByOne)],
    ),
];
