//! What can be done to a training image, one by one.

use serde::{Deserialize, Serialize};

use super::value::{none_of, words};
use super::{Input, Value, Word};

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

words!(Edges {
    Reflect = "reflect", "mirrored";
    Wrap = "wrap", "opposite side";
    Fill = "fill", "black";
});

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

words!(Turns {
    Any = "any", "any angle up to";
    Exact = "exact", "that angle";
});

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
    /// `RandomCrop` of an image of 32 pixels with 4 more around it, as usual for those.
    pub(super) const fn padded() -> Self {
        Self::Random { padding: 0.125 }
    }

    /// torchvision's `RandomResizedCrop` with its ratios, keeping that much of the area at least.
    #[must_use]
    pub const fn resized(least: f64) -> Self {
        Self::Resized {
            scale: [least, 1.0],
            ratio: [3.0 / 4.0, 4.0 / 3.0],
        }
    }
}

/// Off, or on with the angles that are drawn.
impl Value for Option<Rotation> {
    fn input(&self) -> Input {
        Input::Words(ROTATIONS)
    }

    fn text(&self) -> String {
        self.map_or("none", |rotation| rotation.turns.name())
            .to_owned()
    }

    fn read(&mut self, text: &str) -> Result<(), String> {
        if text == "none" {
            *self = None;
        } else {
            let turns = Turns::from_name(text).ok_or_else(|| none_of(ROTATIONS))?;
            self.get_or_insert_default().turns = turns;
        }
        Ok(())
    }
}

const ROTATIONS: &[Word] = &[
    ("none", "none"),
    (Turns::Any.name(), Turns::Any.label()),
    (Turns::Exact.name(), Turns::Exact.label()),
];

/// Off, or on with its kind.
impl Value for Option<Crop> {
    fn input(&self) -> Input {
        Input::Words(CROPS)
    }

    fn text(&self) -> String {
        let kind = match self {
            None => "none",
            Some(Crop::Random { .. }) => "random",
            Some(Crop::Resized { .. }) => "resized",
        };
        kind.to_owned()
    }

    fn read(&mut self, text: &str) -> Result<(), String> {
        match (text, &self) {
            ("none", _) => *self = None,
            ("random", Some(Crop::Random { .. })) | ("resized", Some(Crop::Resized { .. })) => {}
            ("random", _) => *self = Some(Crop::padded()),
            ("resized", _) => *self = Some(Crop::resized(0.7)),
            _ => return Err(none_of(CROPS)),
        }
        Ok(())
    }
}

const CROPS: &[Word] = &[
    ("none", "none"),
    ("random", "moved about"),
    ("resized", "a part, resized"),
];

/// Off, or on.
impl Value for Option<Jitter> {
    fn input(&self) -> Input {
        Input::Switch
    }

    fn text(&self) -> String {
        self.is_some().text()
    }

    fn read(&mut self, text: &str) -> Result<(), String> {
        let mut on = false;
        on.read(text)?;
        *self = on.then(|| self.unwrap_or_default());
        Ok(())
    }
}
