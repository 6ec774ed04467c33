//! Resizing as the reference does it. A network sees the difference between two bilinear filters: the one
//! without antialiasing costs points of accuracy, so the filter is part of the model.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use super::Rgb;
use crate::error::{Error, Result};

/// Antialiased bilinear: a triangle filter as wide as the scale, down the columns, rounded to 8 bits, then
/// along the rows. Pillow's `Image.resize(BILINEAR)`, which torchvision's `Resize` calls, does the rows
/// first, hence rounds other numbers: within 1 of 255 of it. Width and height are in pixels; the aspect is
/// not kept.
///
/// <https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Resample.c>
///
/// # Errors
/// [`Error::Shape`] if the pixels are not `[H,W,3]`, or a side is none or beyond 32 bits.
pub fn resize(image: &Rgb, width: usize, height: usize) -> Result<Rgb> {
    let fail = |reason: String| Error::shape("resize", reason);
    let side = |n: usize| match u32::try_from(n) {
        Ok(n) if n > 0 => Ok(n),
        _ => Err(fail(format!(
            "{} x {} to {width} x {height}",
            image.width, image.height
        ))),
    };
    let (from_width, from_height) = (side(image.width)?, side(image.height)?);
    // Typed images: the untyped ones bring the code for a dozen pixel formats into the page.
    let source = TypedImageRef::<U8x3>::from_buffer(from_width, from_height, &image.pixels)
        .map_err(|e| fail(e.to_string()))?;
    let (to_width, to_height) = (side(width)?, side(height)?);
    let bytes = width.checked_mul(height).and_then(|n| n.checked_mul(3));
    let mut pixels = vec![0; bytes.ok_or_else(|| fail(format!("to {width} x {height}")))?];
    let mut target = TypedImage::<U8x3>::from_buffer(to_width, to_height, &mut pixels)
        .map_err(|e| fail(e.to_string()))?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    Resizer::new()
        .resize_typed(&source, &mut target, &options)
        .map_err(|e| fail(e.to_string()))?;
    Ok(Rgb {
        width,
        height,
        pixels,
    })
}
