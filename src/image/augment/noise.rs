//! Gaussian noise.

use super::{check, to_byte};
use crate::error::{Error, Result};
use crate::image::Rgb;
use crate::random::Random;

/// Adds `noise` `[H,W,3]` to the values 0..1, cuts to 0..1 and rounds to 8 bits: scikit-image's
/// `random_noise(mode="gaussian", clip=True)` and `img_as_ubyte`.
///
/// # Errors
/// [`Error::Shape`] if the pixels are not `[H,W,3]`, or the noise is not as many.
pub fn add_noise(image: &Rgb, noise: &[f32]) -> Result<Rgb> {
    check("noise", image)?;
    if noise.len() != image.pixels.len() {
        let reason = format!("{} values for {} bytes", noise.len(), image.pixels.len());
        return Err(Error::shape("noise", reason));
    }
    let value: [f64; 256] = std::array::from_fn(|x| x as f64 * (1.0 / 255.0));
    let noisy = image.pixels.iter().zip(noise);
    let pixels = noisy
        .map(|(&x, &n)| to_byte(value[usize::from(x)] + f64::from(n)))
        .collect();
    Ok(Rgb { pixels, ..*image })
}

/// `n` independent numbers of mean 0 and that variance, from a stream of their own.
///
/// Box and Muller 1958, "A Note on the Generation of Random Normal Deviates": two uniform numbers make two
/// normal ones. Both come from one draw of 64 bits, 24 each, which is what a 32-bit fraction holds; the
/// largest number is hence 5.8 deviations, and 8 bits a pixel show no difference.
#[must_use]
pub fn gaussian(seed: u64, n: usize, variance: f64) -> Vec<f32> {
    const UNIT: f32 = 1.0 / (1 << 24) as f32;
    let deviation = variance.max(0.0).sqrt() as f32;
    let mut random = Random::for_purpose(seed, "noise");
    let mut numbers = Vec::with_capacity(n + 1);
    while numbers.len() < n {
        let bits = random.bits();
        // Never 0, whose logarithm is none.
        let radius = ((bits >> 40) + 1) as f32 * UNIT;
        let angle = (bits & 0xff_ffff) as f32 * UNIT;
        let radius = deviation * (-2.0 * libm::logf(radius)).sqrt();
        let (sin, cos) = libm::sincosf(std::f32::consts::TAU * angle);
        numbers.extend([radius * cos, radius * sin]);
    }
    numbers.truncate(n);
    numbers
}
