//! Batch norm by the batch's own mean and variance, with its gradients, and the `ReLU` and the sum of a
//! residual block behind it: `y = act((x - mean) / sqrt(var + eps) * gamma + beta + residual)`.
//!
//! One channel at a time, which for a ResNet fits the second-level cache: the pass over memory that the
//! sums need is the only one that reads it from further away. Sums are in `f32` over a few hundred values
//! at a time and in `f64` over these. <https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html>;
//! the gradients are those of Ioffe and Szegedy 2015 (arXiv:1502.03167), section 3.

use crate::kernels::simd::sums::sums;
use crate::kernels::simd::{for_chunks, written};

/// Sizes of a batch: `[N,C,H*W]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NormShape {
    /// N.
    pub images: usize,
    /// C.
    pub channels: usize,
    /// H * W.
    pub area: usize,
}

/// What the forward pass gives.
#[derive(Debug, Clone)]
pub struct Normed {
    /// Like x.
    pub y: Vec<f32>,
    /// `[C]`.
    pub mean: Vec<f32>,
    /// `[C]`, divided by the number of values, not by one less.
    pub variance: Vec<f32>,
}

/// What the backward pass gives.
#[derive(Debug, Clone)]
pub struct Gradients {
    /// Like x.
    pub x: Vec<f32>,
    /// `[C]`.
    pub gamma: Vec<f32>,
    /// `[C]`.
    pub beta: Vec<f32>,
    /// Like x, where it was asked for: dy through the `ReLU`.
    pub residual: Option<Vec<f32>>,
}

/// Memory that several threads write, each its own channels.
#[derive(Clone, Copy)]
struct Planes {
    start: *mut f32,
    batch: NormShape,
}

// SAFETY: `plane` is called for each plane by one thread alone.
unsafe impl Send for Planes {}
// SAFETY: as above.
unsafe impl Sync for Planes {}

impl Planes {
    fn of(values: &mut [f32], batch: NormShape) -> Self {
        assert_eq!(values.len(), batch.images * batch.channels * batch.area);
        Self {
            start: values.as_mut_ptr(),
            batch,
        }
    }

    /// # Safety
    /// Nobody else has this plane.
    unsafe fn plane<'a>(self, image: usize, channel: usize) -> &'a mut [f32] {
        debug_assert!(image < self.batch.images && channel < self.batch.channels);
        let at = (image * self.batch.channels + channel) * self.batch.area;
        // SAFETY: `of` checked the length; the caller vouches for the rest.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(at), self.batch.area) }
    }
}

impl NormShape {
    /// The planes of a channel.
    fn planes<'a>(
        &self,
        values: &'a [f32],
        channel: usize,
    ) -> impl Iterator<Item = &'a [f32]> + Clone {
        let planes = values.chunks_exact(self.area.max(1));
        planes.skip(channel).step_by(self.channels.max(1))
    }

    /// Values of a channel.
    const fn count(&self) -> f64 {
        (self.images * self.area) as f64
    }

    /// Mean and variance of a channel. The squares are of the distance from its first value, so that a
    /// mean far from zero takes no digits from the variance.
    fn moments(&self, x: &[f32], channel: usize) -> (f64, f64) {
        let origin = x.get(channel * self.area).copied().unwrap_or(0.0);
        let mut total = [0.0; 2];
        for plane in self.planes(x, channel) {
            let part = sums(plane, plane, |x, _| {
                [x - origin, (x - origin) * (x - origin)]
            });
            total[0] += part[0];
            total[1] += part[1];
        }
        let [first, second] = total.map(|sum| sum / self.count());
        (f64::from(origin) + first, (second - first * first).max(0.0))
    }
}

/// Normalises `x` `[N,C,H,W]`: `gamma`, `beta` `[C]`, `residual` like x.
///
/// # Panics
/// If a tensor is not as long as the others say.
#[must_use]
pub fn forward(
    batch: NormShape,
    x: &[f32],
    [gamma, beta]: [&[f32]; 2],
    residual: Option<&[f32]>,
    relu: bool,
    eps: f64,
) -> Normed {
    let mut moments = vec![(0.0, 0.0); batch.channels];
    let y = written(x.len(), |y| {
        let out = Planes::of(y, batch);
        for_chunks(&mut moments, 1, |channel, moments| {
            let (mean, variance) = batch.moments(x, channel);
            moments[0] = (mean as f32, variance as f32);
            let scale = f64::from(gamma[channel]) / (variance + eps).sqrt();
            let (mean, scale, beta) = (mean as f32, scale as f32, beta[channel]);
            // What is negative becomes this.
            let least = if relu { 0.0 } else { f32::NEG_INFINITY };
            for (image, x) in batch.planes(x, channel).enumerate() {
                // SAFETY: a channel is one thread's.
                let y = unsafe { out.plane(image, channel) };
                match residual {
                    None => {
                        for (y, x) in y.iter_mut().zip(x) {
                            *y = at_least((x - mean) * scale + beta, least);
                        }
                    }
                    Some(residual) => {
                        let start = (image * batch.channels + channel) * batch.area;
                        let residual = &residual[start..start + batch.area];
                        for ((y, x), residual) in y.iter_mut().zip(x).zip(residual) {
                            *y = at_least((x - mean) * scale + beta + residual, least);
                        }
                    }
                }
            }
        });
    });
    let (mean, variance) = moments.into_iter().unzip();
    Normed { y, mean, variance }
}

/// The larger; what is not a number stays so.
#[inline(always)]
fn at_least(value: f32, least: f32) -> f32 {
    if value < least { least } else { value }
}

/// The gradients, from `dy` `[N,C,H,W]`. With a `ReLU`, `y` is its output.
///
/// # Panics
/// If a tensor is not as long as the others say.
#[must_use]
pub fn backward(
    batch: NormShape,
    [x, dy]: [&[f32]; 2],
    y: Option<&[f32]>,
    [gamma, mean, variance]: [&[f32]; 3],
    with_residual: bool,
    eps: f64,
) -> Gradients {
    let mut masked = vec![
        0.0;
        if with_residual && y.is_some() {
            x.len()
        } else {
            0
        }
    ];
    let has_mask = !masked.is_empty();
    let residual = if has_mask {
        Some(Planes::of(&mut masked, batch))
    } else {
        None
    };
    let mut channels = vec![(0.0, 0.0); batch.channels];
    let dx = written(x.len(), |dx| {
        let out = Planes::of(dx, batch);
        for_chunks(&mut channels, 1, |channel, result| {
            let mean = mean[channel];
            let inverse = 1.0 / (f64::from(variance[channel]) + eps).sqrt();
            // Through the ReLU first, into the memory of the result, which is read again below.
            let mut total = [0.0; 2];
            for (image, (x, dy)) in batch
                .planes(x, channel)
                .zip(batch.planes(dy, channel))
                .enumerate()
            {
                // SAFETY: a channel is one thread's.
                let dx = unsafe { out.plane(image, channel) };
                let dy = match y {
                    None => dy,
                    Some(y) => {
                        let start = (image * batch.channels + channel) * batch.area;
                        for ((dx, dy), y) in dx.iter_mut().zip(dy).zip(&y[start..]) {
                            *dx = if *y > 0.0 { *dy } else { 0.0 };
                        }
                        &*dx
                    }
                };
                let part = sums(x, dy, |x, dy| [dy, (x - mean) * dy]);
                total[0] += part[0];
                total[1] += part[1];
            }
            let [dbeta, dgamma] = [total[0], total[1] * inverse];
            result[0] = (dgamma as f32, dbeta as f32);
            // dx = gamma / std * (dy - mean(dy) - xhat * mean(dy * xhat)), as a dy + b (x - mean) + c.
            let a = f64::from(gamma[channel]) * inverse;
            let b = -a * inverse * dgamma / batch.count();
            let c = (-a * dbeta / batch.count()) as f32;
            let (a, b) = (a as f32, b as f32);
            for (image, (x, dy)) in batch
                .planes(x, channel)
                .zip(batch.planes(dy, channel))
                .enumerate()
            {
                // SAFETY: as above.
                let dx = unsafe { out.plane(image, channel) };
                if y.is_none() {
                    for ((dx, x), dy) in dx.iter_mut().zip(x).zip(dy) {
                        *dx = a * dy + (b * (x - mean) + c);
                    }
                    continue;
                }
                if let Some(residual) = residual {
                    // SAFETY: as above.
                    unsafe { residual.plane(image, channel) }.copy_from_slice(dx);
                }
                for (dx, x) in dx.iter_mut().zip(x) {
                    *dx = a * *dx + (b * (x - mean) + c);
                }
            }
        });
    });
    let (gamma, beta) = channels.into_iter().unzip();
    Gradients {
        x: dx,
        gamma,
        beta,
        residual: has_mask.then_some(masked),
    }
}
