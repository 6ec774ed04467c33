//! The CPU twins of the optimizer's kernels, a tensor at a time and in `f64`.

use super::SegmentStep;
use crate::kernels::reference::{Number, check};

/// What Adam has besides a tensor's [`SegmentStep`].
#[derive(Debug, Clone, Copy)]
pub struct Adam {
    /// What is kept of each mean.
    pub betas: [f64; 2],
    /// Added to the root.
    pub epsilon: f64,
}

/// Values, mean of the gradient and mean of its squares after a step; `scale` is what the gradient is multiplied by.
#[must_use]
pub fn adam<T: Number>(
    adam: Adam,
    step: SegmentStep,
    scale: f64,
    [values, gradient, first, second]: [&[T]; 4],
) -> [Vec<f64>; 3] {
    for list in [gradient, first, second] {
        check("a tensor of Adam", list, values.len());
    }
    let [shrink, decay, rate, root] =
        [step.shrink, step.decay, step.rate, step.root].map(f64::from);
    let [beta_1, beta_2] = adam.betas;
    let mut out = [(); 3].map(|()| Vec::with_capacity(values.len()));
    for i in 0..values.len() {
        let w = values[i].into() * shrink;
        let g = gradient[i].into() * scale + w * decay;
        let m = first[i].into() * beta_1 + g * (1.0 - beta_1);
        let v = second[i].into() * beta_2 + g * g * (1.0 - beta_2);
        out[0].push(w - m * rate / (v.sqrt() / root + adam.epsilon));
        out[1].push(m);
        out[2].push(v);
    }
    out
}

/// Values and velocity after a step.
#[must_use]
pub fn sgd<T: Number>(
    momentum: f64,
    step: SegmentStep,
    scale: f64,
    [values, gradient, velocity]: [&[T]; 3],
) -> [Vec<f64>; 2] {
    for list in [gradient, velocity] {
        check("a tensor of SGD", list, values.len());
    }
    let [decay, rate] = [step.decay, step.rate].map(f64::from);
    let mut out = [(); 2].map(|()| Vec::with_capacity(values.len()));
    for i in 0..values.len() {
        let value = values[i].into();
        let g = gradient[i].into() * scale + value * decay;
        let v = velocity[i].into() * momentum + g;
        out[0].push(value - (g + v * momentum) * rate);
        out[1].push(v);
    }
    out
}

/// `decay * mean + (1 - decay) * now`.
#[must_use]
pub fn average<T: Number>(decay: f64, mean: &[T], now: &[T]) -> Vec<f64> {
    check("now", now, mean.len());
    let pairs = mean.iter().zip(now);
    pairs
        .map(|(&mean, &now)| decay * mean.into() + (1.0 - decay) * now.into())
        .collect()
}

/// `min(limit / (norm + 1e-6), 1)` of the norm of all values.
#[must_use]
pub fn clip_scale<T: Number>(gradients: &[&[T]], limit: f64) -> f64 {
    let squares = gradients.iter().copied().flatten().map(|&x| {
        let x: f64 = x.into();
        x * x
    });
    (limit / (squares.sum::<f64>().sqrt() + 1e-6)).min(1.0)
}
