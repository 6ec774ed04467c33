//! Batch norm by the batch's own mean and variance.
//! <https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html>

use crate::kernels::reference::{Number, check};

/// x `[N,C,area]`, gamma, beta `[C]`, residual like x: y like x, mean and biased variance `[C]`.
///
/// # Panics
/// If a tensor is not as long as the others say.
#[must_use]
pub fn batch_norm<T: Number>(
    [images, channels, area]: [usize; 3],
    x: &[T],
    [gamma, beta]: [&[T]; 2],
    residual: Option<&[T]>,
    relu: bool,
    eps: f64,
) -> [Vec<f64>; 3] {
    check("x", x, images * channels * area);
    check("gamma", gamma, channels);
    check("beta", beta, channels);
    let count = (images * area) as f64;
    let mut y: Vec<f64> = x.iter().map(|v| (*v).into()).collect();
    let (mut means, mut variances) = (Vec::new(), Vec::new());
    for channel in 0..channels {
        let indices = (0..images).flat_map(|image| {
            let start = (image * channels + channel) * area;
            start..start + area
        });
        let mean = indices.clone().map(|i| y[i]).sum::<f64>() / count;
        let squares = indices.clone().map(|i| (y[i] - mean) * (y[i] - mean));
        let variance = squares.sum::<f64>() / count;
        let scale = gamma[channel].into() / (variance + eps).sqrt();
        for i in indices {
            y[i] = (y[i] - mean) * scale + beta[channel].into();
        }
        means.push(mean);
        variances.push(variance);
    }
    if let Some(residual) = residual {
        check("residual", residual, y.len());
        for (y, residual) in y.iter_mut().zip(residual) {
            *y += (*residual).into();
        }
    }
    if relu {
        for y in &mut y {
            *y = y.max(0.0);
        }
    }
    [y, means, variances]
}
