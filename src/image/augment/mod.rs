//! What is done to training images so that no epoch shows the same one twice: the transforms of
//! [`crate::config::Augment`], drawn from a seed.
//!
//! Chance and change are kept apart. [`View::draw`] and [`Mix::draw`] turn a seed into concrete numbers, which a
//! page can show in words; the transforms take numbers and are held against torchvision, Pillow and
//! scikit-image in `tests/augment.rs`. Sines, logarithms and powers come from `libm`: the standard library's
//! are the system's, and a seed would mean another picture in the browser than natively.

mod colour;
mod draw;
mod geometry;
mod mix;
mod noise;
mod tensor;
mod view;

pub use colour::{adjust_brightness, adjust_contrast, adjust_hue, adjust_saturation, grayscale};
pub use geometry::{crop, crop_padded, flip_horizontal, flip_vertical, rotate, translate};
pub use mix::Mix;
pub use noise::{add_noise, gaussian};
pub use tensor::{cutmix, erase, mixup};
pub use view::{Colour, Erased, Noise, Padded, Rotated, View};

use super::Rgb;
use crate::error::{Error, Result};

/// A rectangle of whole pixels; rows count from the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Area {
    /// First column.
    pub x: usize,
    /// First row.
    pub y: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// Nothing below indexes an image that has not been through here.
fn check(what: &str, image: &Rgb) -> Result<()> {
    let pixels = image.width.checked_mul(image.height);
    match pixels.and_then(|n| n.checked_mul(3)) {
        Some(bytes) if bytes > 0 && bytes == image.pixels.len() => Ok(()),
        _ => Err(Error::shape(
            what,
            format!(
                "{} bytes for {} x {} pixels",
                image.pixels.len(),
                image.width,
                image.height
            ),
        )),
    }
}

/// 0..1 to 0..255, halves to the even number as numpy's `rint` has it; scikit-image's `img_as_ubyte`.
fn to_byte(value: f64) -> u8 {
    // Adding 1.5 * 2^52 leaves no bits for a fraction, so the sum is rounded, and the integer stands in its low
    // bits: the same everywhere, and no call of a function where the processor's baseline cannot round.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    ((value * 255.0).clamp(0.0, 255.0) + SHIFT).to_bits() as u8
}
