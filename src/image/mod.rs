//! From the bytes of a file to the model's input: [`load`] here, or `model::input`, which resizes on a GPU to
//! the same bits, so that the same photo gives the same tensor wherever it is opened.

pub mod augment;
mod bmp;
pub mod browser;
mod canvas;
pub mod decode;
mod exif;
mod gif;
pub mod kind;
pub mod normalize;
pub mod phash;
mod png;
mod pnm;
pub mod resize;
mod tiff;
mod webp;

pub use browser::transcode;
pub use canvas::{MAX_PIXELS, MAX_PIXELS_KEPT, MAX_SIDE};
pub use decode::{decode, decode_with, encode_png};
pub use kind::Kind;
pub use normalize::to_tensor;
pub use resize::resize;

use crate::config::Preprocess;
pub use crate::config::Transparency;
use crate::error::Result;

/// An image of 8-bit red, green and blue, upright.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rgb {
    /// W, in pixels.
    pub width: usize,
    /// H, in pixels.
    pub height: usize,
    /// `[H,W,3]`, row by row from the top.
    pub pixels: Vec<u8>,
}

/// Decodes as a model wants it: transparency becomes what it was in the model's training.
///
/// # Errors
/// As [`decode()`].
pub fn decode_for(name: &str, bytes: &[u8], settings: &Preprocess) -> Result<Rgb> {
    decode_with(name, bytes, settings.transparency)
}

/// Decodes, resizes to the model's input and normalises: a tensor `[3,S,S]`.
///
/// # Errors
/// [`crate::error::Error::Decode`] with a reason fit for the user, under the name given.
pub fn load(name: &str, bytes: &[u8], settings: &Preprocess) -> Result<Vec<f32>> {
    let image = decode_for(name, bytes, settings)?;
    let image = resize(&image, settings.size, settings.size)?;
    Ok(to_tensor(&image, settings))
}
