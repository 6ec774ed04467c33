//! The optimizer on a GPU: its kernels against their CPU twins, whole steps on flat buffers against the same steps of
//! burn's ops, and how many launches they are. Natively on whatever Vulkan offers, which `cargo xtask test` makes a
//! software one.

#[path = "../gpu/mod.rs"]
mod gpu;
mod kernels;
mod launches;
mod learner;
mod steps;

use retune::weights::{Checkpoint, Dtype, NamedTensor, StoredTensor};

/// As a file of these tensors is read.
pub fn checkpoint(tensors: Vec<NamedTensor>) -> Checkpoint {
    let stored = tensors.into_iter().map(|(name, shape, data)| {
        let dtype = Dtype::F32;
        (name, StoredTensor { shape, dtype, data })
    });
    Checkpoint {
        file: "test".to_string(),
        tensors: stored.collect(),
        ..Checkpoint::default()
    }
}

/// Largest difference, over the tensor's largest value.
pub fn difference(actual: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(actual.len(), expected.len());
    let largest = expected
        .iter()
        .fold(0.0_f64, |m, x| m.max(f64::from(x.abs())));
    let pairs = actual.iter().zip(expected);
    let worst = pairs
        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs())
        .fold(0.0, |m: f64, d| if d <= m { m } else { d });
    worst / largest.max(1e-30)
}
