//! What is done to a training image so that no epoch shows the same one twice, and the presets.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::settings::{setting, settings};
use super::value::none_of;
use super::{Crop, Edges, Input, Jitter, Rotation, TrainConfig, TrainRequest, Turns, Value, Word};
use crate::error::{Error, Result};

// The page's headings, in the order of their settings.
const PART: &str = "Which part";
const PLACE: &str = "Place";
const COLOURS: &str = "Colours";
const WHOLE: &str = "Whole images";
const OFTEN: &str = "How often";

settings! {
    /// What is done to training images, drawn anew for each image and epoch from the seed. Everything off is
    /// the default; the order is that of the fields, `mixup` and `cutmix` coming last, on whole batches.
    pub struct Augment, AUGMENT: "augment." in request => request.config.augment;

    /// Which part of the image is shown; none for all of it, resized.
    crop: Option<Crop> = None => setting("crop").note("a border is mirrored; a part is resized").group(PART), [
        setting("crop padding").label("Border, share of the edge").range(0.0, 0.5).group(PART).at(
            "augment.crop.padding", "Border of a random crop.", |r, on| Some(padding(r, on)?)),
        setting("smallest crop scale").label("Smallest share of the area").range(0.01, 1.0).group(PART).at(
            "augment.crop.scale.least", "Smallest share of the area of a resized crop.",
            |r, on| Some(&mut resized(r, on)?.0[0])),
        setting("largest crop scale").label("Largest share of the area").range(0.01, 1.0).group(PART).at(
            "augment.crop.scale.most", "Largest share of the area of a resized crop.",
            |r, on| Some(&mut resized(r, on)?.0[1])),
        setting("smallest crop ratio").label("Smallest ratio").range(0.2, 5.0).note("width to height").group(PART).at(
            "augment.crop.ratio.least", "Smallest ratio of a resized crop.",
            |r, on| Some(&mut resized(r, on)?.1[0])),
        setting("largest crop ratio").label("Largest ratio").range(0.2, 5.0).note("width to height").group(PART).at(
            "augment.crop.ratio.most", "Largest ratio of a resized crop.",
            |r, on| Some(&mut resized(r, on)?.1[1])),
    ];
    /// Probability of a mirror image.
    horizontal_flip: f64 = 0.0 => setting("horizontal flip").label("Mirror image").range(0.0, 1.0).note("how often")
        .group(PLACE);
    /// Probability of an image upside down.
    vertical_flip: f64 = 0.0 => setting("vertical flip").label("Upside down").range(0.0, 1.0).note("how often")
        .group(PLACE);
    /// Rotation by an angle drawn anew, or by that angle.
    rotation: Option<Rotation> = None => setting("rotation").group(PLACE), [
        setting("rotation angle").label("Angle").range(0.0, 180.0).note("degrees").group(PLACE).at(
            "augment.rotation.degrees", "Largest angle of a rotation.", |r, on| Some(&mut rotation(r, on)?.degrees)),
        setting("corners of a rotation").note("what comes where nothing was").group(PLACE).at(
            "augment.rotation.edges", "Corners of a rotated image.", |r, on| Some(&mut rotation(r, on)?.edges)),
    ];
    /// Largest shift in either direction; the edges are mirrored.
    translation: f64 = 0.0 => setting("translation").label("Shift").range(0.0, 0.5).note("share of the edge").group(PLACE);
    /// Change of colours.
    jitter: Option<Jitter> = None => setting("colour jitter").label("Change colours").group(COLOURS), [
        setting("brightness").range(0.0, 2.0).group(COLOURS).at(
            "augment.jitter.brightness", "Change of brightness.", |r, on| Some(&mut jitter(r, on)?.brightness)),
        setting("contrast").range(0.0, 2.0).group(COLOURS).at(
            "augment.jitter.contrast", "Change of contrast.", |r, on| Some(&mut jitter(r, on)?.contrast)),
        setting("saturation").range(0.0, 2.0).group(COLOURS).at(
            "augment.jitter.saturation", "Change of saturation.", |r, on| Some(&mut jitter(r, on)?.saturation)),
        setting("hue").range(0.0, 0.5).note("share of the colour circle").group(COLOURS).at(
            "augment.jitter.hue", "Change of hue.", |r, on| Some(&mut jitter(r, on)?.hue)),
    ];
    /// Probability of an image without colour.
    grayscale: f64 = 0.0 => setting("grayscale").label("Without colour").range(0.0, 1.0).note("how often").group(COLOURS);
    /// Gaussian noise on values 0..1; scikit-image's random_noise.
    noise: f64 = 0.0 => setting("noise").range(0.0, 1.0).note("variance").group(COLOURS);
    /// Probability that a rectangle is erased, to the mean colour; torchvision's RandomErasing.
    erasing: f64 = 0.0 => setting("erasing").label("Erased rectangle").range(0.0, 1.0).note("how often").group(WHOLE);
    /// Beta distribution's parameter of mixup, arXiv:1710.09412.
    mixup: f64 = 0.0 => setting("mixup").range(0.0, 4.0).note("0 is off").group(WHOLE);
    /// The same of cutmix, arXiv:1905.04899; with both on, each batch gets one of them, by the toss of a coin.
    cutmix: f64 = 0.0 => setting("cutmix").range(0.0, 4.0).note("0 is off").group(WHOLE);
    /// Copies of each image, the first as it is and the others changed.
    copies: usize = 1 => setting("copies").range(1.0, 16.0).note("showings of each image an epoch").group(OFTEN);
    /// Each changed image undergoes one of the transforms that are on, in turn, instead of all.
    one_by_one: bool = false => setting("one by one").label("One change an image, in turn").group(OFTEN);
    /// Different views that are kept; epochs take turns at them.
    views: usize = 4 => setting("views").label("Kept views").range(1.0, 32.0).group(OFTEN)
        .note("of each image, where the backbone is frozen").used(|c| !c.trains_convolutions());
}

// The ways into what can be off; `on` puts it on.

fn padding(request: &mut TrainRequest, on: bool) -> Option<&mut f64> {
    let crop = &mut request.config.augment.crop;
    if on && !matches!(crop, Some(Crop::Random { .. })) {
        *crop = Some(Crop::padded());
    }
    match crop {
        Some(Crop::Random { padding }) => Some(padding),
        _ => None,
    }
}

fn resized(request: &mut TrainRequest, on: bool) -> Option<(&mut [f64; 2], &mut [f64; 2])> {
    let crop = &mut request.config.augment.crop;
    if on && !matches!(crop, Some(Crop::Resized { .. })) {
        *crop = Some(Crop::resized(0.7));
    }
    match crop {
        Some(Crop::Resized { scale, ratio }) => Some((scale, ratio)),
        _ => None,
    }
}

fn rotation(request: &mut TrainRequest, on: bool) -> Option<&mut Rotation> {
    let rotation = &mut request.config.augment.rotation;
    if on {
        rotation.get_or_insert_default();
    }
    rotation.as_mut()
}

fn jitter(request: &mut TrainRequest, on: bool) -> Option<&mut Jitter> {
    let jitter = &mut request.config.augment.jitter;
    if on {
        jitter.get_or_insert_default();
    }
    jitter.as_mut()
}

impl Augment {
    /// Names of the presets, in the order they are offered.
    pub const PRESETS: [&'static str; 5] =
        ["none", "course-work", "course-work-x4", "light", "strong"];
    /// The word for what is none of the presets.
    pub const CUSTOM: &'static str = "custom";

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
        let augment = self.clone();
        let config = TrainConfig {
            augment,
            ..TrainConfig::default()
        };
        config.check()
    }

    /// Checks what follows from no single row. The names are those of the rows.
    pub(super) fn check_together(&self) -> Result<()> {
        let Some(Crop::Resized { scale, ratio }) = self.crop else {
            return Ok(());
        };
        for (name, [least, most]) in [("largest crop scale", scale), ("largest crop ratio", ratio)]
        {
            if least > most {
                let reason = format!("{most} is below the smallest, {least}");
                return Err(Error::setting(name, reason));
            }
        }
        Ok(())
    }
}

/// A preset, or whatever the parts are.
impl Value for Augment {
    fn input(&self) -> Input {
        Input::Words(PRESETS)
    }

    fn text(&self) -> String {
        self.name().unwrap_or(Self::CUSTOM).to_owned()
    }

    fn read(&mut self, text: &str) -> std::result::Result<(), String> {
        if text != Self::CUSTOM {
            *self = Self::preset(text).ok_or_else(|| none_of(PRESETS))?;
        }
        Ok(())
    }
}

/// The presets in a menu.
const PRESETS: &[Word] = &[
    ("none", "none"),
    (
        "course-work",
        "course work: mirror, colours, small rotation",
    ),
    (
        "course-work-x4",
        "course work x4: four showings, each changed once",
    ),
    ("light", "light: crop, mirror"),
    ("strong", "strong: all of it, mixup and cutmix too"),
    (Augment::CUSTOM, "custom: as set under “Augmentation”"),
];

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
