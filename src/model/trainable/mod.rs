//! The part of a backbone that a training changes, and the frozen part before it, which stays a
//! [`Backbone`] on the inner device: its output is the input of the [`TrainableStages`].

mod random_init;
mod stages;

use burn::tensor::Tensor;

use super::backbone::Backbone;
use super::resnet::{Layout, ResNetConfig, pooled_size};
use crate::config::{Arch, Scope};

pub use random_init::random_init;
pub use stages::TrainableStages;

/// Stages of the family.
const STAGES: usize = 4;

/// Whole stages before what `scope` trains; none if the stem is trained as well.
#[must_use]
pub const fn frozen_stages(scope: Scope) -> Option<usize> {
    match scope {
        Scope::Head => Some(STAGES),
        Scope::LastStage => Some(STAGES - 1),
        Scope::LastTwo => Some(STAGES - 2),
        Scope::All => None,
    }
}

/// Whether `scope` trains the convolution of that name in a checkpoint.
#[must_use]
pub fn trains(scope: Scope, conv: &str) -> bool {
    match scope {
        Scope::Head => false,
        Scope::LastStage => conv.starts_with("layer4."),
        Scope::LastTwo => conv.starts_with("layer3.") || conv.starts_with("layer4."),
        Scope::All => true,
    }
}

/// Shape `[C,H,W]` of what goes into the trained part for an image of edge `size`.
#[must_use]
pub fn input_shape(arch: Arch, scope: Scope, size: usize) -> [usize; 3] {
    let Some(stages) = frozen_stages(scope) else {
        return [3, size, size];
    };
    let Layout { stem, stages: all } = ResNetConfig::of(arch).layout();
    let (mut channels, mut edge) = (stem.output, pooled_size(stem.output_size(size)));
    for conv in all.iter().take(stages).flatten().flat_map(|b| &b.convs) {
        (channels, edge) = (conv.output, conv.output_size(edge));
    }
    [channels, edge, edge]
}

/// Normalised images `[N,3,S,S]` through what `scope` leaves frozen: `[N,C,H,W]` as [`input_shape`] says.
#[must_use]
pub fn forward_frozen(backbone: &Backbone, images: Tensor<4>, scope: Scope) -> Tensor<4> {
    match frozen_stages(scope) {
        Some(stages) => backbone.forward_until(images, stages),
        None => images,
    }
}

/// The stage that a convolution of that name belongs to, from 1; the stem counts as the first.
#[must_use]
pub fn stage_of(conv: &str) -> usize {
    let number = conv
        .strip_prefix("layer")
        .and_then(|rest| rest.split('.').next());
    number.and_then(|n| n.parse().ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frozen_parts_output_is_as_torchvision_has_it() {
        let shape = |arch, scope, size| input_shape(arch, scope, size);
        use Arch::{ResNet18, ResNet50};
        assert_eq!(shape(ResNet18, Scope::LastStage, 224), [256, 14, 14]);
        assert_eq!(shape(ResNet18, Scope::LastStage, 150), [256, 10, 10]);
        assert_eq!(shape(ResNet50, Scope::LastStage, 224), [1024, 14, 14]);
        assert_eq!(shape(ResNet50, Scope::All, 96), [3, 96, 96]);
    }
}
