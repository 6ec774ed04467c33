//! The loss of a batch and its gradient in one pass over the logits.

use std::sync::LazyLock;

use super::choice;
use super::launch::{Buffer, Kernel};
use super::params::SoftmaxCrossEntropyParams;
use super::pool::spread;
use super::source::Source;

static SOFTMAX_CROSS_ENTROPY: LazyLock<Kernel> = LazyLock::new(|| {
    let text = include_str!("../../shaders/softmax_cross_entropy.wgsl");
    Kernel::new(&Source::new("softmax_cross_entropy", text), [64, 1, 1])
});

/// Logits `[N,K]` and targets `[N]` to the loss of each row `[N]` and the gradient of their mean `[N,K]`.
/// Nothing if a target is not below K, or there are no rows.
#[must_use]
pub fn softmax_cross_entropy(logits: &Buffer, targets: &[u32]) -> Option<(Buffer, Buffer)> {
    let [rows, classes] = <[usize; 2]>::try_from(logits.dims()).ok()?;
    let known = targets.iter().all(|&target| (target as usize) < classes);
    if rows == 0 || targets.len() != rows || !known {
        return None;
    }
    let workgroups = spread(rows).filter(|_| choice::enabled())?;
    let gpu = logits.gpu();
    let loss = gpu.empty(&[rows]);
    let gradient = gpu.empty(&[rows, classes]);
    let params = SoftmaxCrossEntropyParams {
        rows: rows as u32,
        classes: classes as u32,
        scale: 1.0 / rows as f32,
    };
    gpu.launch_to(
        &SOFTMAX_CROSS_ENTROPY,
        workgroups,
        &[logits, &gpu.upload(targets.iter().copied())],
        &[&loss, &gradient],
        &params.words(),
    );
    Some((loss, gradient))
}
