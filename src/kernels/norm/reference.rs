//! Batch norm by the batch's own mean and variance, and its gradients.
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

/// The gradients of x `[N,C,area]`, gamma and beta `[C]` and the residual, like x, from `dy` like y. With a `ReLU`,
/// `y` is its output. Ioffe and Szegedy 2015 (arXiv:1502.03167), section 3.
///
/// # Panics
/// If a tensor is not as long as the others say.
#[must_use]
pub fn batch_norm_gradients<T: Number>(
    [images, channels, area]: [usize; 3],
    [x, dy]: [&[T]; 2],
    y: Option<&[T]>,
    gamma: &[T],
    eps: f64,
) -> [Vec<f64>; 4] {
    check("x", x, images * channels * area);
    check("dy", dy, x.len());
    check("gamma", gamma, channels);
    let count = (images * area) as f64;
    let mut dy: Vec<f64> = dy.iter().map(|v| (*v).into()).collect();
    if let Some(y) = y {
        check("y", y, x.len());
        for (dy, y) in dy.iter_mut().zip(y) {
            if (*y).into() <= 0.0 {
                *dy = 0.0;
            }
        }
    }
    let mut dx = vec![0.0; x.len()];
    let (mut dgamma, mut dbeta) = (Vec::new(), Vec::new());
    for (channel, gamma) in gamma.iter().enumerate() {
        let indices = (0..images).flat_map(|image| {
            let start = (image * channels + channel) * area;
            start..start + area
        });
        let value = |i: usize| -> f64 { x[i].into() };
        let mean = indices.clone().map(value).sum::<f64>() / count;
        let squares = indices.clone().map(|i| (value(i) - mean).powi(2));
        let inverse = 1.0 / (squares.sum::<f64>() / count + eps).sqrt();
        let normed = |i: usize| (value(i) - mean) * inverse;
        let of_gamma: f64 = indices.clone().map(|i| dy[i] * normed(i)).sum();
        let of_beta: f64 = indices.clone().map(|i| dy[i]).sum();
        for i in indices {
            let centred = dy[i] - of_beta / count - normed(i) * of_gamma / count;
            dx[i] = (*gamma).into() * inverse * centred;
        }
        dgamma.push(of_gamma);
        dbeta.push(of_beta);
    }
    [dx, dgamma, dbeta, dy]
}
