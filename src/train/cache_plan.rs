//! What of the frozen part's outputs a training keeps, and what it computes for every batch.

use crate::config::{Augment, Scope, TrainConfig};
use crate::model::trainable::input_values;
use crate::network::Graph;

/// Bytes of f32 that may be kept of maps: a browser tab has 4 GiB of address space at most, and the model, the
/// images on their way and the page want theirs.
pub const BUDGET: usize = 512 << 20;

/// The plan of one training, by which it runs and its time and memory are estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CachePlan {
    /// Values that the frozen part gives for one image.
    pub values: usize,
    /// Views of each training image that are kept; 1 where nothing is augmented, or nothing of training images kept.
    pub views: usize,
    /// Whether training images are other ones in every epoch, so that only the validation's are kept.
    pub changes: bool,
    /// Whether it is kept at all: it fits the budget.
    pub kept: bool,
    /// Images, each view counted, that are to be kept.
    pub images: usize,
}

impl CachePlan {
    /// For so many training and validation images of edge `size`. Behind a wholly frozen backbone there are only
    /// pooled features, which are always kept, those of augmented views too; maps are kept if they fit `budget` bytes.
    #[must_use]
    pub fn new(
        graph: &Graph,
        config: &TrainConfig,
        size: usize,
        [train, validation]: [usize; 2],
        budget: usize,
    ) -> Self {
        if config.scope == Scope::Head {
            let views = views(&config.augment);
            return Self {
                values: graph.features(),
                views,
                changes: false,
                kept: true,
                images: train * views + validation,
            };
        }
        let values = input_values(graph, config.scope, size);
        let changes = config.changes_inputs();
        let images = validation + if changes { 0 } else { train };
        let bytes = images
            .saturating_mul(values)
            .saturating_mul(size_of::<f32>());
        Self {
            values,
            views: 1,
            changes,
            kept: bytes <= budget,
            images,
        }
    }

    /// Bytes of all that is to be kept.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        (self.images as u64) * (self.values as u64) * size_of::<f32>() as u64
    }
}

/// Views of each training image that are kept: enough for an epoch's copies, and whole epochs of them.
fn views(augment: &Augment) -> usize {
    if !augment.changes_images() {
        return 1;
    }
    let copies = augment.copies.max(1);
    augment.views.max(copies).div_ceil(copies) * copies
}
