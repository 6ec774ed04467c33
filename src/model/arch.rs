//! What holds for every backbone, whichever family it is of: the width of its features, the tensors of
//! its checkpoint, what of it can be trained.

use super::layers::Shaped;
use super::resnet::ResNetConfig;
use super::{densenet, efficientnet};
use crate::config::{Arch, Family, Scope};
use crate::error::{Error, Result};

/// Width of the pooled features `[N,C]`.
#[must_use]
pub const fn features(arch: Arch) -> usize {
    match arch.family() {
        Family::ResNet => ResNetConfig::of(arch).features(),
        Family::DenseNet => densenet::features(arch),
        Family::EfficientNet => efficientnet::features(arch),
    }
}

/// Names and shapes of the backbone's float tensors, as torchvision has them: without the last layer and
/// without the norms' counters.
#[must_use]
pub fn tensors(arch: Arch) -> Vec<Shaped> {
    match arch.family() {
        Family::ResNet => ResNetConfig::of(arch).layout().tensors(),
        Family::DenseNet => densenet::Layout::of(arch).tensors(),
        Family::EfficientNet => efficientnet::Layout::of(arch).tensors(),
    }
}

/// Refuses to train convolutions that cannot be: where a training begins.
///
/// # Errors
/// [`Error::Setting`] naming the setting.
pub fn check_scope(arch: Arch, scope: Scope) -> Result<()> {
    if scope == Scope::Head || arch.trains_convolutions() {
        return Ok(());
    }
    let (scope, arch) = (scope.name(), arch.name());
    let reason = format!("is \u{201c}{scope}\u{201d}: of {arch} only the head can be trained");
    Err(Error::setting("what is trained", reason))
}
