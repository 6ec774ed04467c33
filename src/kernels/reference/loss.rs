//! The twin of `softmax_cross_entropy.wgsl`.

use super::{Number, check};

/// What the loss of a batch comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Loss {
    /// `[N]`: of each row.
    pub rows: Vec<f64>,
    /// The mean of the rows.
    pub mean: f64,
    /// `[N,K]`: of the mean by each logit, hence with a factor of 1 / N.
    pub gradient: Vec<f64>,
}

/// Logits `[N,K]`, targets `[N]` below K:
/// `loss[n] = log(sum over k of exp(z[n,k])) - z[n,target[n]]`, and its gradient
/// `(softmax(z[n])[k] - [k = target[n]]) / N`.
///
/// # Panics
/// If there are no rows, the logits do not fall into rows, or a target is not below K.
#[must_use]
pub fn softmax_cross_entropy<T: Number>(logits: &[T], targets: &[u32]) -> Loss {
    let n = targets.len();
    let classes = logits.len() / n.max(1);
    assert!(classes > 0, "{} logits for {n} targets", logits.len());
    check("logits", logits, n * classes);
    let scale = 1.0 / n as f64;
    let mut rows = Vec::with_capacity(n);
    let mut gradient = Vec::with_capacity(logits.len());
    for (row, target) in logits.chunks_exact(classes).zip(targets) {
        let z: Vec<f64> = row.iter().map(|v| (*v).into()).collect();
        let t = *target as usize;
        let largest = z.iter().copied().fold(f64::MIN, f64::max);
        let sum: f64 = z.iter().map(|z| (z - largest).exp()).sum();
        rows.push(sum.ln() - (z[t] - largest));
        gradient.extend(z.iter().enumerate().map(|(k, z)| {
            let probability = (z - largest).exp() / sum;
            scale * (probability - if k == t { 1.0 } else { 0.0 })
        }));
    }
    Loss {
        mean: scale * rows.iter().sum::<f64>(),
        rows,
        gradient,
    }
}
