//! A trained model that another one learns from: knowledge distillation, Hinton et al. 2015, arXiv:1503.02531.
//!
//! It sees what the student sees, the same crop of the same mixture: Beyer et al. 2021, arXiv:2106.05237, found
//! that to be what counts.

use burn::tensor::Tensor;
use burn::tensor::activation::softmax;

use crate::model::backbone::Backbone;
use crate::model::head::Head;

/// A model that says what it sees.
#[derive(Debug, Clone)]
pub struct Teacher {
    /// Without gradients, on the student's inner device.
    pub backbone: Backbone,
    /// What stands on it.
    pub head: Head,
}

impl Teacher {
    /// Normalised images `[N,3,S,S]`, one after the other, to probabilities `[N,K]`, still on the device.
    #[must_use]
    pub fn probabilities(&self, pixels: Vec<f32>, size: usize) -> Tensor<2> {
        let images = self.backbone.batch(pixels, size);
        softmax(self.head.forward(self.backbone.forward(images)), 1)
    }
}
