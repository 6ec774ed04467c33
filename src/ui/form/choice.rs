//! The settings that are chosen from a list, and those that are on or off.

use crate::config::{
    Augment, Crop, Edges, HeadKind, Jitter, NormMode, Optimizer, Rotation, Schedule, Scope,
    TrainConfig, Turns,
};

/// A setting that is chosen from a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Choice {
    Head,
    Scope,
    /// A preset of the augmentation, or none of them.
    Augment,
    Optimizer,
    Schedule,
    Norm,
    Crop,
    Turns,
    Edges,
}

/// The word for an augmentation that is none of the presets.
pub const CUSTOM: &str = "custom";

const CROPS: [&str; 3] = ["none", "random", "resized"];
const TURNS: [&str; 3] = ["none", "any", "exact"];
const EDGES: [Edges; 3] = [Edges::Reflect, Edges::Wrap, Edges::Fill];
const EDGE_NAMES: [&str; 3] = ["reflect", "wrap", "fill"];

impl Choice {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::Head,
        Self::Scope,
        Self::Augment,
        Self::Optimizer,
        Self::Schedule,
        Self::Norm,
        Self::Crop,
        Self::Turns,
        Self::Edges,
    ];

    /// Its label.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Head => "Head",
            Self::Scope => "What is trained",
            Self::Augment => "Augmentation",
            Self::Optimizer => "Optimizer",
            Self::Schedule => "Schedule",
            Self::Norm => "Batch norm",
            Self::Crop => "Crop",
            Self::Turns => "Rotation",
            Self::Edges => "Corners of a rotation",
        }
    }

    /// Its `data-testid`.
    #[must_use]
    pub const fn test_id(self) -> &'static str {
        match self {
            Self::Head => "head-select",
            Self::Scope => "scope-select",
            Self::Augment => "augment-select",
            Self::Optimizer => "optimizer-select",
            Self::Schedule => "schedule-select",
            Self::Norm => "norm-select",
            Self::Crop => "crop-select",
            Self::Turns => "rotation-select",
            Self::Edges => "edges-select",
        }
    }

    /// Whether it is one of the augmentation's parts.
    #[must_use]
    pub const fn is_augment(self) -> bool {
        matches!(self, Self::Crop | Self::Turns | Self::Edges)
    }

    /// What can be chosen, by name.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        match self {
            Self::Head => HeadKind::ALL.map(HeadKind::name).to_vec(),
            Self::Scope => Scope::ALL.map(Scope::name).to_vec(),
            Self::Augment => Augment::PRESETS.into_iter().chain([CUSTOM]).collect(),
            Self::Optimizer => Optimizer::ALL.map(Optimizer::name).to_vec(),
            Self::Schedule => Schedule::ALL.map(Schedule::name).to_vec(),
            Self::Norm => NormMode::ALL.map(NormMode::name).to_vec(),
            Self::Crop => CROPS.to_vec(),
            Self::Turns => TURNS.to_vec(),
            Self::Edges => EDGE_NAMES.to_vec(),
        }
    }

    /// What one of them is, for the menu.
    #[must_use]
    pub fn label(self, index: usize) -> String {
        let name = self.names().get(index).copied().unwrap_or_default();
        let text = match (self, name) {
            (Self::Head, _) => {
                return HeadKind::from_name(name)
                    .map_or_else(String::new, |h| format!("{name} ({})", h.description()));
            }
            (Self::Scope, _) => Scope::from_name(name).map_or(name, Scope::description),
            (Self::Augment, "course-work") => "course work: mirror, colours, small rotation",
            (Self::Augment, "course-work-x4") => "course work x4: four showings, each changed once",
            (Self::Augment, "light") => "light: crop, mirror",
            (Self::Augment, "strong") => "strong: all of it, mixup and cutmix too",
            (Self::Augment, CUSTOM) => "custom: as set under “Augmentation”",
            (Self::Optimizer, "adam") => "Adam",
            (Self::Optimizer, "adamw") => "AdamW",
            (Self::Optimizer, "sgd") => "SGD",
            (Self::Schedule, "step") => "in steps",
            (Self::Norm, "frozen") => "frozen",
            (Self::Norm, "trained") => "trained",
            (Self::Crop, "random") => "moved about",
            (Self::Crop, "resized") => "a part, resized",
            (Self::Turns, "any") => "any angle up to",
            (Self::Turns, "exact") => "that angle",
            (Self::Edges, "reflect") => "mirrored",
            (Self::Edges, "wrap") => "opposite side",
            (Self::Edges, "fill") => "black",
            _ => name,
        };
        text.to_owned()
    }

    /// Puts the option of that number into the settings. The augmentation's preset is in its parts.
    pub(super) fn put(self, index: usize, config: &mut TrainConfig) {
        let a = &mut config.augment;
        match self {
            Self::Head => config.head = HeadKind::ALL[index],
            Self::Scope => config.scope = Scope::ALL[index],
            Self::Augment => {}
            Self::Optimizer => config.optimizer = Optimizer::ALL[index],
            Self::Schedule => config.schedule = Schedule::ALL[index],
            Self::Norm => config.norm = NormMode::ALL[index],
            Self::Crop => {
                a.crop = match CROPS[index] {
                    "random" => Some(Crop::Random { padding: 0.0 }),
                    "resized" => Some(Crop::resized(0.01)),
                    _ => None,
                }
            }
            Self::Turns => {
                let turns = match TURNS[index] {
                    "any" => Some(Turns::Any),
                    "exact" => Some(Turns::Exact),
                    _ => None,
                };
                a.rotation = turns.map(|turns| Rotation {
                    turns,
                    ..Rotation::default()
                });
            }
            Self::Edges => {
                if let Some(rotation) = &mut a.rotation {
                    rotation.edges = EDGES[index];
                }
            }
        }
    }

    /// The number of the option that the settings have; none where they do not say.
    pub(super) fn find(self, config: &TrainConfig) -> Option<usize> {
        let a = &config.augment;
        let name = match self {
            Self::Head => config.head.name(),
            Self::Scope => config.scope.name(),
            Self::Augment => a.name().unwrap_or(CUSTOM),
            Self::Optimizer => config.optimizer.name(),
            Self::Schedule => config.schedule.name(),
            Self::Norm => config.norm.name(),
            Self::Crop => match a.crop {
                None => "none",
                Some(Crop::Random { .. }) => "random",
                Some(Crop::Resized { .. }) => "resized",
            },
            Self::Turns => match a.rotation.map(|r| r.turns) {
                None => "none",
                Some(Turns::Any) => "any",
                Some(Turns::Exact) => "exact",
            },
            Self::Edges => {
                let edges = a.rotation?.edges;
                return EDGES.into_iter().position(|e| e == edges);
            }
        };
        self.names().into_iter().position(|n| n == name)
    }
}

/// A setting that is on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Flag {
    ResumeHead,
    ClassWeights,
    Jitter,
    OneByOne,
}

impl Flag {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 4] = [
        Self::ResumeHead,
        Self::ClassWeights,
        Self::Jitter,
        Self::OneByOne,
    ];

    /// Its label.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::ResumeHead => "Go on from the head in use",
            Self::ClassWeights => "Rare classes weigh more",
            Self::Jitter => "Change colours",
            Self::OneByOne => "One change an image, in turn",
        }
    }

    /// Its `data-testid`.
    #[must_use]
    pub const fn test_id(self) -> &'static str {
        match self {
            Self::ResumeHead => "resume-head-input",
            Self::ClassWeights => "class-weights-input",
            Self::Jitter => "jitter-input",
            Self::OneByOne => "one-by-one-input",
        }
    }

    /// Whether it is one of the augmentation's.
    #[must_use]
    pub const fn is_augment(self) -> bool {
        matches!(self, Self::Jitter | Self::OneByOne)
    }

    pub(super) fn put(self, on: bool, config: &mut TrainConfig) {
        match self {
            Self::ResumeHead => config.resume_head = on,
            Self::ClassWeights => config.class_weights = on,
            Self::Jitter => config.augment.jitter = on.then(Jitter::default),
            Self::OneByOne => config.augment.one_by_one = on,
        }
    }

    pub(super) const fn find(self, config: &TrainConfig) -> bool {
        match self {
            Self::ResumeHead => config.resume_head,
            Self::ClassWeights => config.class_weights,
            Self::Jitter => config.augment.jitter.is_some(),
            Self::OneByOne => config.augment.one_by_one,
        }
    }
}
