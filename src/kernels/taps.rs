//! What the two preprocessing kernels read besides pixels: filter weights in fixed point, and the network's
//! value for every byte.
//!
//! A network sees the difference between two roundings, so the photo resized on the GPU has to be the one
//! resized on the CPU, byte for byte. That one comes from the crate `fast_image_resize` (version 6,
//! `Convolution(Bilinear)` of three 8-bit channels): the columns first, rounded to 8 bits, then the rows,
//! with 16-bit weights. The numbers below follow its arithmetic, and `tests/kernel_reference.rs` compares.

use crate::config::Preprocess;

/// The filter along one side of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taps {
    /// `[to, row_length]`: for every output the first input, the number of inputs and a weight for each;
    /// zeros fill the row.
    pub words: Vec<i32>,
    /// Words of a row: 2 and the most inputs an output has.
    pub row_length: usize,
    /// Bits after the point of a weight, 14 to 21.
    pub shift: u32,
}

/// Weights are below 2 to this power, so that two fit a 32-bit SIMD lane on the CPU.
const WEIGHT_BITS: u32 = 15;
/// 32 bits without the 8 of a colour and 2 to spare: a sum never overflows.
const MOST_SHIFT: u32 = 32 - 8 - 2;

impl Taps {
    /// A triangle as wide as the scale, and never narrower than two inputs: from `from` pixels to `to`.
    ///
    /// <https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Resample.c>
    ///
    /// # Panics
    /// If a side is 0, or the filter has more than 2^31 words: a bug in the caller.
    #[must_use]
    pub fn bilinear(from: usize, to: usize) -> Self {
        assert!(from > 0 && to > 0, "{from} to {to} pixels");
        let scale = from as f64 / to as f64;
        // The triangle is 1 at its middle and 0 from `radius` inputs on.
        let radius = scale.max(1.0);
        let squeeze = 1.0 / radius;
        let rows: Vec<(usize, Vec<f64>)> = (0..to)
            .map(|output| {
                let middle = (output as f64 + 0.5) * scale;
                let first = (middle - radius).floor().max(0.0) as usize;
                let end = (middle + radius).ceil().min(from as f64) as usize;
                // Measured between the middles of pixels.
                let origin = middle - 0.5;
                let triangle = |input| (1.0 - ((input as f64 - origin) * squeeze).abs()).max(0.0);
                normalised(first, (first..end).map(triangle).collect())
            })
            .collect();

        let largest = rows
            .iter()
            .flat_map(|(_, weights)| weights)
            .copied()
            .fold(0.0, f64::max);
        let shift = shift(largest);
        let one = f64::from(1_u32 << shift);
        let row_length = 2 + rows
            .iter()
            .map(|(_, weights)| weights.len())
            .max()
            .unwrap_or(0);
        let mut words = vec![0; to * row_length];
        for (row, (start, weights)) in words.chunks_exact_mut(row_length).zip(&rows) {
            row[0] = word(*start);
            row[1] = word(weights.len());
            for (word, weight) in row[2..].iter_mut().zip(weights) {
                *word = (weight * one).round() as i32;
            }
        }
        Self {
            words,
            row_length,
            shift,
        }
    }
}

fn word(index: usize) -> i32 {
    i32::try_from(index).unwrap_or_else(|_| panic!("{index} pixels"))
}

/// The weights without zeros at either end, and the input of the first, divided by their sum. A zero at the
/// end still counts in the sum, where it changes nothing.
fn normalised(first: usize, mut weights: Vec<f64>) -> (usize, Vec<f64>) {
    let zeros = weights.iter().take_while(|w| **w == 0.0).count();
    weights.drain(..zeros);
    let sum: f64 = weights.iter().sum();
    if sum != 0.0 {
        for weight in &mut weights {
            *weight /= sum;
        }
    }
    while weights.last() == Some(&0.0) {
        weights.pop();
    }
    (first + zeros, weights)
}

/// The most bits after the point that leave the largest weight below 2^15 when rounded.
fn shift(largest: f64) -> u32 {
    (1..MOST_SHIFT)
        .find(|next| {
            (largest * f64::from(1_u32 << next)).round() >= f64::from(1_u32 << WEIGHT_BITS)
        })
        .map_or(MOST_SHIFT - 1, |next| next - 1)
}

/// `[3,256]`: the network's value of every byte of red, green and blue, with the three roundings of
/// [`crate::image::to_tensor`].
#[must_use]
pub fn levels(settings: &Preprocess) -> Vec<f32> {
    let channels = settings.mean.iter().zip(&settings.std);
    channels
        .flat_map(|(mean, std)| (0..256_u16).map(move |v| (f32::from(v) / 255.0 - mean) / std))
        .collect()
}
