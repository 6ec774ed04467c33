//! From 8-bit pixels to the numbers the network was trained on.

use super::Rgb;
use crate::config::Preprocess;

/// `[H,W,3]` bytes to a tensor `[3,H,W]` of `(x / 255 - mean) / std`: torchvision's `ToTensor` and
/// `Normalize`, with the same three roundings to `f32`, so that the results are equal to the last bit.
///
/// <https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.Normalize.html>
#[must_use]
pub fn to_tensor(image: &Rgb, settings: &Preprocess) -> Vec<f32> {
    let mut tensor = Vec::with_capacity(image.pixels.len());
    for channel in 0..3 {
        let (mean, std) = (settings.mean[channel], settings.std[channel]);
        // A byte has 256 values: two divisions each, not two a pixel.
        let table: [f32; 256] = std::array::from_fn(|x| (x as f32 / 255.0 - mean) / std);
        let bytes = image.pixels.iter().skip(channel).step_by(3);
        tensor.extend(bytes.map(|&x| table[usize::from(x)]));
    }
    tensor
}
