//! The twin of `linear.wgsl`.

use super::{Number, check};

/// x `[N,I]`, w `[O,I]`, b `[O]`: y `[N,O]`, `y[n,o] = b[o] + sum over i of x[n,i] * w[o,i]`, negative values
/// made 0 if `relu`.
///
/// # Panics
/// If there are no inputs, or a tensor is not as long as the others say.
#[must_use]
pub fn linear<T: Number>(rows: usize, x: &[T], w: &[T], b: &[T], relu: bool) -> Vec<f64> {
    let outputs = b.len();
    let inputs = w.len() / outputs.max(1);
    assert!(inputs > 0, "a linear layer without inputs");
    check("w", w, outputs * inputs);
    check("x", x, rows * inputs);
    let mut y = Vec::with_capacity(rows * outputs);
    for x in x.chunks_exact(inputs) {
        for (w, b) in w.chunks_exact(inputs).zip(b) {
            let products = x.iter().zip(w).map(|(x, w)| (*x).into() * (*w).into());
            let sum = (*b).into() + products.sum::<f64>();
            y.push(if relu { sum.max(0.0) } else { sum });
        }
    }
    y
}
