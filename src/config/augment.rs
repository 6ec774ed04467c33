//! What is done to a training image so that no epoch shows the same one twice, and the presets.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::within;
use crate::error::{Error, Result};

/// What a rotated image has where it was not before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Edges {
    /// The opposite side again.
    Wrap,
    /// The image mirrored at its edge.
    #[default]
    Reflect,
    /// Black.
    Fill,
}

/// A rotation round the centre by an angle drawn evenly from `-degrees..=degrees`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rotation {
    /// The largest angle, 0 to 180 degrees.
    pub degrees: f64,
    /// Which angles are drawn.
    pub turns: Turns,
    /// What comes into the corners.
    pub edges: Edges,
}

/// The angles of a [`Rotation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Turns {
    /// Any from `-degrees` to `degrees`.
    #[default]
    Any,
    /// `degrees` itself, as the exercise rotates.
    Exact,
}

impl Default for Rotation {
    fn default() -> Self {
        Self {
            degrees: 10.0,
            turns: Turns::Any,
            edges: Edges::Reflect,
        }
    }
}

/// torchvision's `ColorJitter`: the first three multiply by a factor drawn from `max(0, 1 - x)..1 + x`, the
/// hue turns by a share of the colour circle drawn from `-hue..hue`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jitter {
    /// 0 to 2.
    pub brightness: f64,
    /// 0 to 2.
    pub contrast: f64,
    /// 0 to 2.
    pub saturation: f64,
    /// 0 to 0.5.
    pub hue: f64,
}

impl Default for Jitter {
    fn default() -> Self {
        Self {
            brightness: 0.3,
            contrast: 0.4,
            saturation: 0.4,
            hue: 0.2,
        }
    }
}

/// The part of an image that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum Crop {
    /// The resized image with a border of that share of its edge, mirrored, and out of it a square of the
    /// size it had (`RandomCrop` with padding).
    Random {
        /// 0 to 0.5.
        padding: f64,
    },
    /// torchvision's `RandomResizedCrop`: a part of that share of the area, of that ratio of width to
    /// height, resized.
    Resized {
        /// Smallest and largest share of the area, 0.01 to 1.
        scale: [f64; 2],
        /// Smallest and largest ratio, 0.2 to 5.
        ratio: [f64; 2],
    },
}

impl Crop {
    /// torchvision's `RandomResizedCrop` with its ratios, keeping that much of the area at least.
    #[must_use]
    pub const fn resized(least: f64) -> Self {
        Self::Resized {
            scale: [least, 1.0],
            ratio: [3.0 / 4.0, 4.0 / 3.0],
        }
    }
}

/// What is done to training images, drawn anew for each image and epoch from the seed. Everything off is
/// the default; the order is that of the fields, `mixup` and `cutmix` coming last, on whole batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augment {
    /// Which part of the image; none for all of it, resized.
    pub crop: Option<Crop>,
    /// Probability of a mirror image.
    pub horizontal_flip: f64,
    /// Probability of an image upside down.
    pub vertical_flip: f64,
    /// Rotation.
    pub rotation: Option<Rotation>,
    /// Largest shift in either direction, as a share of the edge, 0 to 0.5; the edges are mirrored.
    pub translation: f64,
    /// Colours.
    pub jitter: Option<Jitter>,
    /// Probability of an image without colour.
    pub grayscale: f64,
    /// Variance of Gaussian noise on values 0..1, 0 to 1; scikit-image's `random_noise`.
    pub noise: f64,
    /// Probability that a rectangle is erased, to the mean colour; torchvision's `RandomErasing`.
    pub erasing: f64,
    /// Beta distribution's parameter of mixup (arXiv:1710.09412), 0 to 4; 0 is off.
    pub mixup: f64,
    /// The same of cutmix (arXiv:1905.04899); with both on, each batch gets one of them, by the toss of a coin.
    pub cutmix: f64,
    /// How many times an epoch shows each image: the first time as it is, then changed.
    pub copies: usize,
    /// Each changed image undergoes one of the transforms that are on, in turn, instead of all.
    pub one_by_one: bool,
    /// Different views of each image that are kept where the backbone is frozen; epochs take turns at them.
    pub views: usize,
}

impl Default for Augment {
    fn default() -> Self {
        Self {
            crop: None,
            horizontal_flip: 0.0,
            vertical_flip: 0.0,
            rotation: None,
            translation: 0.0,
            jitter: None,
            grayscale: 0.0,
            noise: 0.0,
            erasing: 0.0,
            mixup: 0.0,
            cutmix: 0.0,
            copies: 1,
            one_by_one: false,
            views: 4,
        }
    }
}

impl Augment {
    /// Names of the presets, in the order they are offered.
    pub const PRESETS: [&'static str; 5] =
        ["none", "course-work", "course-work-x4", "light", "strong"];
    /// Valid numbers of copies.
    pub const COPIES: (usize, usize) = (1, 16);
    /// Valid numbers of kept views.
    pub const VIEWS: (usize, usize) = (1, 32);

    /// The preset of that name, if there is one.
    #[must_use]
    pub fn preset(name: &str) -> Option<Self> {
        let none = Self::default();
        Some(match name {
            "none" => none,
            // What the exercise lists: mirror image, colour jitter, a small rotation.
            "course-work" => Self {
                horizontal_flip: 0.5,
                rotation: Some(Rotation::default()),
                jitter: Some(Jitter::default()),
                ..none
            },
            // The exercise's four-fold data set: as it is, mirrored, rotated with wrapping edges, noisy.
            "course-work-x4" => Self {
                horizontal_flip: 1.0,
                rotation: Some(Rotation {
                    degrees: 45.0,
                    turns: Turns::Exact,
                    edges: Edges::Wrap,
                }),
                noise: 0.04,
                copies: 4,
                one_by_one: true,
                ..none
            },
            "light" => Self {
                crop: Some(Crop::resized(0.7)),
                horizontal_flip: 0.5,
                ..none
            },
            "strong" => Self {
                crop: Some(Crop::resized(0.3)),
                horizontal_flip: 0.5,
                rotation: Some(Rotation::default()),
                jitter: Some(Jitter {
                    brightness: 0.3,
                    contrast: 0.3,
                    saturation: 0.3,
                    hue: 0.0,
                }),
                erasing: 0.25,
                mixup: 0.2,
                cutmix: 1.0,
                ..none
            },
            _ => return None,
        })
    }

    /// The name of the preset that this is, if it is one.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        Self::PRESETS
            .into_iter()
            .find(|name| Self::preset(name).as_ref() == Some(self))
    }

    /// What is done with each word's image alone, for a line of text: "flip, rotation 45°".
    #[must_use]
    pub fn words(&self) -> Vec<&'static str> {
        [
            (self.crop.is_some(), "crop"),
            (self.horizontal_flip > 0.0, "mirror"),
            (self.vertical_flip > 0.0, "upside down"),
            (self.rotation.is_some(), "rotation"),
            (self.translation > 0.0, "shift"),
            (self.jitter.is_some(), "colours"),
            (self.grayscale > 0.0, "grayscale"),
            (self.noise > 0.0, "noise"),
            (self.erasing > 0.0, "erasing"),
            (self.mixup > 0.0, "mixup"),
            (self.cutmix > 0.0, "cutmix"),
        ]
        .into_iter()
        .filter_map(|(on, word)| on.then_some(word))
        .collect()
    }

    /// Whether an image is ever changed on its own, or shown more than once.
    #[must_use]
    pub fn changes_images(&self) -> bool {
        let alone = Self {
            mixup: 0.0,
            cutmix: 0.0,
            ..self.clone()
        };
        !alone.words().is_empty() || self.copies > 1
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the setting.
    pub fn check(&self) -> Result<()> {
        within("horizontal flip", self.horizontal_flip, 0.0, 1.0)?;
        within("vertical flip", self.vertical_flip, 0.0, 1.0)?;
        if let Some(rotation) = &self.rotation {
            within("rotation", rotation.degrees, 0.0, 180.0)?;
        }
        match &self.crop {
            None => {}
            Some(Crop::Random { padding }) => within("crop padding", *padding, 0.0, 0.5)?,
            Some(Crop::Resized { scale, ratio }) => {
                for (what, [lo, hi], [least, most]) in [
                    ("crop scale", *scale, [0.01, 1.0]),
                    ("crop ratio", *ratio, [0.2, 5.0]),
                ] {
                    within(what, lo, least, most)?;
                    within(what, hi, least, most)?;
                    if lo > hi {
                        return Err(Error::setting(what, format!("{lo} is above {hi}")));
                    }
                }
            }
        }
        within("translation", self.translation, 0.0, 0.5)?;
        if let Some(jitter) = &self.jitter {
            within("brightness", jitter.brightness, 0.0, 2.0)?;
            within("contrast", jitter.contrast, 0.0, 2.0)?;
            within("saturation", jitter.saturation, 0.0, 2.0)?;
            within("hue", jitter.hue, 0.0, 0.5)?;
        }
        within("grayscale", self.grayscale, 0.0, 1.0)?;
        within("noise", self.noise, 0.0, 1.0)?;
        within("erasing", self.erasing, 0.0, 1.0)?;
        within("mixup", self.mixup, 0.0, 4.0)?;
        within("cutmix", self.cutmix, 0.0, 4.0)?;
        let (lo, hi) = Self::COPIES;
        within("copies", self.copies as f64, lo as f64, hi as f64)?;
        let (lo, hi) = Self::VIEWS;
        within("views", self.views as f64, lo as f64, hi as f64)
    }
}

/// A preset by its name, or an [`Augment`] field by field.
pub(super) fn named_or_spelt_out<'de, D: Deserializer<'de>>(
    from: D,
) -> std::result::Result<Augment, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Name(String),
        Fields(Box<Augment>),
    }
    match Either::deserialize(from)? {
        Either::Fields(augment) => Ok(*augment),
        Either::Name(name) => Augment::preset(&name).ok_or_else(|| {
            let names = Augment::PRESETS.join(", ");
            D::Error::custom(format!("the augmentation {name:?} is none of {names}"))
        }),
    }
}
