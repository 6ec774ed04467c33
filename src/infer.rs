//! The classifier: backbone, head and the labels of its outputs, from an image to probabilities.

mod about;
mod imported;
mod load;
mod timm;

use std::collections::BTreeMap;

use burn::tensor::Tensor;

pub use about::{check_names, renamed};
pub use imported::read_model;
pub use load::{Given, Loaded, Purpose, is_head};

use crate::config::{BundledModel, HeadKind, Preprocess, Scope};
use crate::error::{Error, Result};
use crate::model::backbone::Backbone;
use crate::model::head::{Head, Named, to_host};
use crate::model::input::Batch;
use crate::network::Arch;
use crate::weights::{GRAPH, names};

/// A model ready to use.
#[derive(Debug, Clone)]
pub struct Classifier {
    /// The frozen part.
    pub backbone: Backbone,
    /// What stands on it.
    pub head: Head,
    /// Which preset the head is.
    pub head_kind: HeadKind,
    /// Labels of the outputs, in order, K.
    pub classes: Vec<String>,
    /// How an image becomes the input.
    pub preprocess: Preprocess,
    /// How much of it was trained here: with tuned convolutions the head alone is of no use.
    pub tuned: Scope,
    /// The bundled model that its backbone is, or began from, if that says on which images it was trained.
    pub seen: Option<BundledModel>,
    /// Whether the head was never trained: it stands in for one that could not be used, and its answers mean nothing.
    pub untrained: bool,
}

impl Classifier {
    /// Refuses to answer with a head that was never trained. `source` is what the model is called.
    ///
    /// # Errors
    /// [`Error::Weights`] if it was not.
    pub fn check_trained(&self, source: &str) -> Result<()> {
        if self.untrained {
            let reason = "has a backbone, but no head that was trained for these classes: train it before you \
                          classify or measure with it";
            return Err(Error::weights(source, reason));
        }
        Ok(())
    }

    /// Width of what the head takes, C.
    #[must_use]
    pub fn features(&self) -> usize {
        self.backbone.features()
    }

    /// Normalised images `[N,3,S,S]`, one after the other, to logits `[N,K]`, still on the device.
    #[must_use]
    pub fn logits(&self, pixels: Vec<f32>, size: usize) -> Tensor<2> {
        let images = self.backbone.batch(pixels, size);
        self.head.forward(self.backbone.forward(images))
    }

    /// The bytes of an image file to the probability of each class `[K]`.
    ///
    /// # Errors
    /// [`Error::Decode`] naming the file, [`Error::Gpu`] if the device fails.
    pub async fn classify(&self, name: &str, bytes: &[u8]) -> Result<Vec<f32>> {
        let features = self.pooled(name, bytes)?;
        let logits = to_host(self.head.forward(features)).await?;
        self.check_finite(&logits)?;
        Ok(softmax(&logits))
    }

    /// The bytes of an image file to its features `[C]`, which is what a head takes.
    ///
    /// # Errors
    /// [`Error::Decode`] naming the file, [`Error::Gpu`] if the device fails.
    pub async fn extract(&self, name: &str, bytes: &[u8]) -> Result<Vec<f32>> {
        to_host(self.pooled(name, bytes)?).await
    }

    /// `[1,C]`, on the device.
    fn pooled(&self, name: &str, bytes: &[u8]) -> Result<Tensor<2>> {
        let mut batch = Batch::new(self.backbone.device(), &self.preprocess);
        for pushed in batch.push(vec![(name.to_string(), Ok(bytes.to_vec()))])? {
            pushed?;
        }
        let images = batch.finish();
        let images = images.ok_or_else(|| Error::decode(name, "is not there"))?;
        Ok(self.backbone.forward(images))
    }

    /// A trial run on a black image: weights that are numbers one by one may still overflow together.
    ///
    /// # Errors
    /// [`Error::Weights`] if what comes out is not numbers, [`Error::Gpu`] if the device fails.
    pub async fn try_out(&self) -> Result<()> {
        let size = self.preprocess.size;
        let logits = to_host(self.logits(vec![0.0; 3 * size * size], size)).await?;
        self.check_finite(&logits)
    }

    fn check_finite(&self, logits: &[f32]) -> Result<()> {
        if logits.iter().all(|logit| logit.is_finite()) {
            return Ok(());
        }
        let arch = self.backbone.arch().name();
        Err(Error::weights(
            arch,
            "the model's output is not a number: its weights are too large",
        ))
    }

    /// The head's weights, under the names that torchvision gives the last layer of this backbone.
    ///
    /// # Errors
    /// [`Error::Gpu`] if the device does not give them.
    pub async fn head_state(&self) -> Result<Vec<Named>> {
        let called = &self.backbone.graph().head;
        let mut tensors = self.head.state().await?;
        for (name, ..) in &mut tensors {
            *name = names::of_head(called, name);
        }
        Ok(tensors)
    }

    /// What a checkpoint of this model says about itself. `backbone` is the SHA-256 of the file that the
    /// backbone came in.
    #[must_use]
    pub fn metadata(&self, backbone: &str) -> BTreeMap<String, String> {
        let list = |values: [f32; 3]| values.map(|v| v.to_string()).join(",");
        let untrained = self.untrained.then_some(("untrained", "true".to_string()));
        let seen = self.seen.map(|model| ("seen", model.name().to_string()));
        let network = self.backbone.graph();
        let imported = self.backbone.arch() == Arch::Imported;
        // A value of plain numbers and names is always written.
        let graph =
            imported.then(|| (GRAPH, serde_json::to_string(&**network).unwrap_or_default()));
        let classes = serde_json::Value::from(self.classes.clone());
        [
            ("format", "pt".to_string()),
            ("arch", self.backbone.arch().name().to_string()),
            ("head", self.head_kind.name().to_string()),
            ("classes", classes.to_string()),
            ("input", self.preprocess.size.to_string()),
            ("mean", list(self.preprocess.mean)),
            ("std", list(self.preprocess.std)),
            ("backbone", backbone.to_string()),
            ("tuned", self.tuned.name().to_string()),
            (
                "transparency",
                self.preprocess.transparency.name().to_string(),
            ),
        ]
        .into_iter()
        .chain(untrained)
        .chain(seen)
        .chain(graph)
        .map(|(key, value)| (key.to_string(), value))
        .collect()
    }
}

/// `exp(x) / sum(exp(x))` of one row `[K]`, shifted by its maximum so that nothing overflows.
#[must_use]
pub fn softmax(logits: &[f32]) -> Vec<f32> {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exp: Vec<f64> = logits.iter().map(|x| f64::from(x - top).exp()).collect();
    let sum: f64 = exp.iter().sum();
    exp.iter().map(|x| (x / sum) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::softmax;

    #[test]
    fn softmax_of_large_logits_is_finite_and_sums_to_one() {
        let p = softmax(&[1000.0, 999.0, -1000.0]);
        assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((f64::from(p[0]) - 1.0 / (1.0 + (-1.0_f64).exp())).abs() < 1e-6);
    }
}
