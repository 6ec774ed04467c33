//! One way of showing an image: the numbers, what they make of it, and the words for it.

use super::{
    Area, add_noise, adjust_brightness, adjust_contrast, adjust_hue, adjust_saturation, crop,
    crop_padded, erase, flip_horizontal, flip_vertical, gaussian, grayscale, rotate, translate,
};
use crate::config::{Edges, Preprocess};
use crate::error::Result;
use crate::image::{Rgb, resize, to_tensor};

/// What is done to one image, in the order of the fields; the default is nothing. What happens to the resized
/// image is in shares of its edge, so that a preview of any size shows what a network of another size sees.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct View {
    /// The part of the original that is shown, in its pixels.
    pub crop: Option<Area>,
    /// A crop of the resized image with a mirrored border.
    pub padded: Option<Padded>,
    /// Mirrored.
    pub flip_horizontal: bool,
    /// Upside down.
    pub flip_vertical: bool,
    /// Turned.
    pub rotation: Option<Rotated>,
    /// Moved right and down by these shares of the edge, to the nearest pixel.
    pub translation: [f64; 2],
    /// Changes of colour, in this order.
    pub colours: Vec<Colour>,
    /// Without colour.
    pub grayscale: bool,
    /// Noisy.
    pub noise: Option<Noise>,
    /// With a rectangle of the mean colour.
    pub erased: Option<Erased>,
}

/// A crop of the size of the image, out of the image with a mirrored border.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Padded {
    /// Width of the border, as a share of the edge.
    pub padding: f64,
    /// Column and row of the crop among those there are, from 0 up to but without 1; the middle is no change.
    pub at: [f64; 2],
}

impl Padded {
    /// The border and the first column and row of the crop, in pixels of an image of that edge.
    fn pixels(self, size: usize) -> (usize, [usize; 2]) {
        let padding = nearest(self.padding * size as f64);
        (
            padding,
            self.at
                .map(|at| pick(at, padding.saturating_mul(2).saturating_add(1))),
        )
    }
}

/// A turn about the centre.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rotated {
    /// Counter-clockwise.
    pub degrees: f64,
    /// What comes into the corners.
    pub edges: Edges,
}

/// A change of colour, with the factor, or for the hue the share of the circle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Colour {
    /// [`adjust_brightness`].
    Brightness(f64),
    /// [`adjust_contrast`].
    Contrast(f64),
    /// [`adjust_saturation`].
    Saturation(f64),
    /// [`adjust_hue`].
    Hue(f64),
}

/// Gaussian noise, of which only the seed is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// On values 0..1.
    pub variance: f64,
    /// Of the stream it is drawn from.
    pub seed: u64,
}

/// A rectangle in shares of the resized image's edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Erased {
    /// Below 1.
    pub width: f64,
    /// Below 1.
    pub height: f64,
    /// Column and row among those there are, from 0 up to but without 1.
    pub at: [f64; 2],
}

impl Erased {
    /// In pixels of an image of that edge; never all of it.
    #[must_use]
    pub fn area(self, size: usize) -> Area {
        let side = |share: f64| nearest(share * size as f64).min(size.saturating_sub(1));
        let (width, height) = (side(self.width), side(self.height));
        Area {
            x: pick(self.at[0], size - width + 1),
            y: pick(self.at[1], size - height + 1),
            width,
            height,
        }
    }
}

/// To whole pixels, halves to the even number as Python's `round` has it.
fn nearest(pixels: f64) -> usize {
    pixels.round_ties_even() as usize
}

/// One of `n` places by a number from 0 up to but without 1.
fn pick(at: f64, n: usize) -> usize {
    ((at * n as f64) as usize).min(n.saturating_sub(1))
}

impl View {
    /// The model's input `[3,S,S]`: resized, changed, normalised. Where nothing is changed, what
    /// [`crate::image::load`] gives.
    ///
    /// # Errors
    /// [`crate::error::Error::Shape`] if the pixels are not `[H,W,3]`, or the crop is not within them.
    pub fn apply(&self, image: &Rgb, settings: &Preprocess) -> Result<Vec<f32>> {
        let picture = self.picture(image, settings.size)?;
        let mut tensor = to_tensor(&picture, settings);
        if let Some(erased) = self.erased {
            erase(&mut tensor, settings.size, erased.area(settings.size))?;
        }
        Ok(tensor)
    }

    /// The same to look at, `[size,size,3]`. What is erased has the mean colour of ImageNet, which is the
    /// usual input's.
    ///
    /// # Errors
    /// [`crate::error::Error::Shape`] as for [`Self::apply`].
    pub fn apply_rgb(&self, image: &Rgb, size: usize) -> Result<Rgb> {
        let mut picture = self.picture(image, size)?;
        if let Some(erased) = self.erased {
            let area = erased.area(size);
            let mean = Preprocess::default()
                .mean
                .map(|m| (m * 255.0).round() as u8);
            let rows = picture.pixels.chunks_exact_mut(3 * size);
            for row in rows.skip(area.y).take(area.height) {
                for pixel in row.chunks_exact_mut(3).skip(area.x).take(area.width) {
                    pixel.copy_from_slice(&mean);
                }
            }
        }
        Ok(picture)
    }

    /// All but the erasing.
    fn picture(&self, image: &Rgb, size: usize) -> Result<Rgb> {
        let mut image = match self.crop {
            Some(area) => resize(&crop(image, area)?, size, size)?,
            None => resize(image, size, size)?,
        };
        if let Some(padded) = self.padded {
            let (padding, [x, y]) = padded.pixels(size);
            image = crop_padded(&image, padding, x, y)?;
        }
        if self.flip_horizontal {
            image = flip_horizontal(&image)?;
        }
        if self.flip_vertical {
            image = flip_vertical(&image)?;
        }
        if let Some(Rotated { degrees, edges }) = self.rotation {
            image = rotate(&image, degrees, edges)?;
        }
        let shift = self.translation;
        let shift = shift.map(|share| (share * size as f64).round_ties_even() as isize);
        if shift != [0, 0] {
            image = translate(&image, shift[0], shift[1])?;
        }
        for &colour in &self.colours {
            image = match colour {
                Colour::Brightness(factor) => adjust_brightness(&image, factor),
                Colour::Contrast(factor) => adjust_contrast(&image, factor),
                Colour::Saturation(factor) => adjust_saturation(&image, factor),
                Colour::Hue(turn) => adjust_hue(&image, turn),
            };
        }
        if self.grayscale {
            image = grayscale(&image);
        }
        if let Some(Noise { variance, seed }) = self.noise {
            image = add_noise(&image, &gaussian(seed, image.pixels.len(), variance))?;
        }
        Ok(image)
    }

    /// What is done, for a line of text: "mirrored, rotated by -7°, brightness x 1.2".
    #[must_use]
    pub fn words(&self) -> String {
        let mut words = Vec::new();
        if let Some(area) = self.crop {
            words.push(format!("cropped to {} x {}", area.width, area.height));
        }
        if let Some(Padded { padding, at }) = self.padded {
            let [x, y] = at.map(|at| percent(padding * (1.0 - 2.0 * at)));
            words.push(format!("cropped {x} and {y} off the centre"));
        }
        if self.flip_horizontal {
            words.push("mirrored".into());
        }
        if self.flip_vertical {
            words.push("upside down".into());
        }
        if let Some(Rotated { degrees, .. }) = self.rotation {
            words.push(format!("rotated by {}°", rounded(degrees, 0)));
        }
        if self.translation != [0.0, 0.0] {
            let [x, y] = self.translation.map(percent);
            words.push(format!("shifted by {x} and {y}"));
        }
        words.extend(self.colours.iter().map(|colour| match *colour {
            Colour::Brightness(factor) => format!("brightness x {}", rounded(factor, 1)),
            Colour::Contrast(factor) => format!("contrast x {}", rounded(factor, 1)),
            Colour::Saturation(factor) => format!("saturation x {}", rounded(factor, 1)),
            Colour::Hue(turn) => format!("hue turned by {}°", rounded(360.0 * turn, 0)),
        }));
        if self.grayscale {
            words.push("without colour".into());
        }
        if let Some(Noise { variance, .. }) = self.noise {
            words.push(format!("noise of {}", rounded(variance.max(0.0).sqrt(), 2)));
        }
        if let Some(erased) = self.erased {
            let share = percent(erased.width * erased.height);
            words.push(format!("{share} erased"));
        }
        if words.is_empty() {
            return "as it is".into();
        }
        words.join(", ")
    }
}

fn percent(share: f64) -> String {
    format!("{} %", rounded(100.0 * share, 0))
}

/// To that many decimals, and never "-0".
fn rounded(number: f64, decimals: usize) -> String {
    let text = format!("{number:.decimals$}");
    match text.strip_prefix('-') {
        Some(zero) if zero.bytes().all(|b| matches!(b, b'0' | b'.')) => zero.into(),
        _ => text,
    }
}
