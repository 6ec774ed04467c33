//! The classifier: backbone, head and the labels of its outputs, from an image to probabilities.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};

use crate::config::{Arch, Family, HeadKind, Preprocess, Scope};
use crate::error::{Error, Result};
use crate::model::arch::{features, tensors};
use crate::model::backbone::Backbone;
use crate::model::head::{Head, HeadSpec, Named, read};
use crate::model::input::Batch;
use crate::model::weights::hub::Pretrained;
use crate::model::weights::{Checkpoint, names};
use crate::train::metrics::softmax;

/// Seed of the head that stands in for one of another class count.
const FRESH_HEAD: u64 = 0;

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
}

/// A model read from a checkpoint, and what the user should know about it.
#[derive(Debug)]
pub struct Loaded {
    /// The model.
    pub classifier: Classifier,
    /// Set if the checkpoint's last layers could not be used and were replaced by untrained ones.
    pub fresh_head: Option<String>,
}

impl Classifier {
    /// A whole model from a checkpoint. The backbone is `arch` if given, else what the file says it is,
    /// else the member of the family whose tensors fit. The head is used if its outputs have names: the
    /// file's own, or `classes` if there are as many; else a fresh one for `classes` takes its place.
    ///
    /// # Errors
    /// [`Error::Weights`] naming every missing, superfluous or wrongly shaped tensor.
    pub fn load(
        mut checkpoint: Checkpoint,
        arch: Option<Arch>,
        classes: &[String],
        device: &Device,
    ) -> Result<Loaded> {
        let about = About::of(&checkpoint)?;
        let arch = match arch.or(about.arch) {
            Some(arch) => arch,
            None => recognise(&checkpoint)?,
        };
        let features = features(arch);
        let found = head_tensors(&checkpoint);
        let mut expected = tensors(arch);
        expected.extend(found.iter().cloned());
        checkpoint.check(&expected)?;
        let backbone =
            Backbone::load(arch, device, |name, shape| checkpoint.take_f32(name, shape))?;

        let file = checkpoint.file.clone();
        let known = HeadSpec::recognise(&found, features);
        let outputs = known.map(|(_, outputs)| outputs);
        let names = match (about.classes, outputs) {
            (Some(names), _) => Some(names),
            (None, Some(outputs)) if outputs == classes.len() => Some(classes.to_vec()),
            _ => None,
        };
        let (head_kind, head, classes, fresh_head) = match (known, names) {
            (Some((kind, outputs)), Some(names)) if outputs == names.len() => {
                let spec = HeadSpec::of(kind, features, outputs);
                let take = |name: &str, shape: &[usize]| checkpoint.take_f32(name, shape);
                (kind, Head::load(spec, device, take)?, names, None)
            }
            (None, _) if !found.is_empty() => {
                let names: Vec<_> = found
                    .iter()
                    .map(|(name, shape)| format!("{name} {shape:?}"))
                    .collect();
                let reason = format!("its head is none of the presets: {}", names.join(", "));
                return Err(Error::weights(file, reason));
            }
            _ => {
                let had = outputs.map_or("no last layer".to_string(), |n| format!("{n} outputs"));
                let note = format!(
                    "{file} has {had}, and {} classes are wanted: the backbone is used with a new, \
                     untrained head. Train it before you classify.",
                    classes.len()
                );
                let spec = HeadSpec::of(HeadKind::Linear, features, classes.len());
                let head = Head::init(spec, FRESH_HEAD, device);
                (HeadKind::Linear, head, classes.to_vec(), Some(note))
            }
        };
        // A checkpoint that does not say how large its input is, but has ImageNet's outputs.
        let usual = match outputs {
            Some(Pretrained::CLASSES) => Pretrained::of(arch).preprocess(),
            _ => Preprocess::default(),
        };
        let preprocess = about.preprocess.unwrap_or(usual);
        Ok(Loaded {
            classifier: Self {
                backbone,
                head,
                head_kind,
                classes,
                preprocess,
                tuned: about.tuned,
            },
            fresh_head,
        })
    }

    /// The same backbone with a head from a checkpoint that holds a head alone.
    ///
    /// # Errors
    /// [`Error::Weights`] if its tensors are no preset's for this backbone, or its outputs have no names.
    pub fn with_head(&self, mut checkpoint: Checkpoint) -> Result<Self> {
        let about = About::of(&checkpoint)?;
        let arch = self.backbone.arch();
        let file = checkpoint.file.clone();
        if let Some(other) = about.arch
            && other != arch
        {
            let reason = format!(
                "is a head for {}, the backbone is {}",
                other.name(),
                arch.name()
            );
            return Err(Error::weights(file, reason));
        }
        let found = head_tensors(&checkpoint);
        checkpoint.check(&found)?;
        let features = features(arch);
        let Some((head_kind, outputs)) = HeadSpec::recognise(&found, features) else {
            let names: Vec<_> = found
                .iter()
                .map(|(name, shape)| format!("{name} {shape:?}"))
                .collect();
            let reason = format!(
                "no preset on {features} features has these tensors: {}",
                names.join(", ")
            );
            return Err(Error::weights(file, reason));
        };
        let classes = about.classes.unwrap_or_else(|| self.classes.clone());
        if classes.len() != outputs {
            let reason = format!("has {outputs} outputs and names for {}", classes.len());
            return Err(Error::weights(file, reason));
        }
        let spec = HeadSpec::of(head_kind, features, outputs);
        let take = |name: &str, shape: &[usize]| checkpoint.take_f32(name, shape);
        Ok(Self {
            backbone: self.backbone.clone(),
            head: Head::load(spec, self.backbone.device(), take)?,
            head_kind,
            classes,
            preprocess: about.preprocess.unwrap_or_else(|| self.preprocess.clone()),
            tuned: self.tuned,
        })
    }

    /// Width of what the head takes, C.
    #[must_use]
    pub const fn features(&self) -> usize {
        features(self.backbone.arch())
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
        let mut batch = Batch::new(self.backbone.device(), &self.preprocess);
        batch.push(name, bytes)?;
        let images = batch.finish();
        let images = images.ok_or_else(|| Error::decode(name, "is not there"))?;
        let logits = read(self.head.forward(self.backbone.forward(images))).await?;
        self.check_finite(&logits)?;
        Ok(softmax(&logits))
    }

    /// A trial run on a black image: weights that are numbers one by one may still overflow together.
    ///
    /// # Errors
    /// [`Error::Weights`] if what comes out is not numbers, [`Error::Gpu`] if the device fails.
    pub async fn try_out(&self) -> Result<()> {
        let size = self.preprocess.size;
        let logits = read(self.logits(vec![0.0; 3 * size * size], size)).await?;
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
        let family = self.backbone.arch().family();
        let mut tensors = self.head.state().await?;
        for (name, ..) in &mut tensors {
            *name = names::of_head(family, name);
        }
        Ok(tensors)
    }

    /// What a checkpoint of this model says about itself. `backbone` is the SHA-256 of the file that the
    /// backbone came in.
    #[must_use]
    pub fn metadata(&self, backbone: &str) -> BTreeMap<String, String> {
        let list = |values: [f32; 3]| values.map(|v| v.to_string()).join(",");
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
        ]
        .into_iter()
        .map(|(key, value)| (key.to_string(), value))
        .collect()
    }
}

/// What a checkpoint says about itself, as far as it does.
struct About {
    arch: Option<Arch>,
    classes: Option<Vec<String>>,
    preprocess: Option<Preprocess>,
    tuned: Scope,
}

impl About {
    /// Reads the metadata; what is there must make sense.
    fn of(checkpoint: &Checkpoint) -> Result<Self> {
        let get = |key: &str| checkpoint.metadata.get(key).map(String::as_str);
        let wrong = |key: &str, value: &str| {
            Error::weights(&checkpoint.file, format!("its {key:?} is {value:?}"))
        };
        let arch = get("arch")
            .map(|name| Arch::from_name(name).ok_or_else(|| wrong("arch", name)))
            .transpose()?;
        let classes = get("classes").map(|text| {
            serde_json::from_str(text).unwrap_or_else(|_| {
                text.split(',')
                    .map(|name| name.trim().to_string())
                    .collect()
            })
        });
        let triple = |key: &str| {
            let Some(text) = get(key) else {
                return Ok(None);
            };
            let values: Vec<f32> = text
                .split(',')
                .filter_map(|v| v.trim().parse().ok())
                .collect();
            let values = <[f32; 3]>::try_from(values).map_err(|_| wrong(key, text))?;
            Ok(Some(values))
        };
        let preprocess = get("input")
            .map(|text| {
                let default = Preprocess::default();
                let settings = Preprocess {
                    size: text.parse().map_err(|_| wrong("input", text))?,
                    mean: triple("mean")?.unwrap_or(default.mean),
                    std: triple("std")?.unwrap_or(default.std),
                };
                settings
                    .check()
                    .map_err(|error| Error::weights(&checkpoint.file, error))?;
                Ok(settings)
            })
            .transpose()?;
        Ok(Self {
            arch,
            classes,
            preprocess,
            tuned: get("tuned").and_then(Scope::from_name).unwrap_or_default(),
        })
    }
}

/// Whether a checkpoint is a head alone.
#[must_use]
pub fn is_head(checkpoint: &Checkpoint) -> bool {
    checkpoint
        .tensors
        .keys()
        .all(|name| name.starts_with("fc."))
}

/// Names and shapes of the head's tensors.
fn head_tensors(checkpoint: &Checkpoint) -> Vec<(String, Vec<usize>)> {
    let tensors = checkpoint.tensors.iter();
    tensors
        .filter(|(name, _)| name.starts_with("fc."))
        .map(|(name, entry)| (name.clone(), entry.shape.clone()))
        .collect()
}

/// The backbone whose tensors fit best; the loader then names what does not fit.
fn recognise(checkpoint: &Checkpoint) -> Result<Arch> {
    let families = [Family::ResNet, Family::DenseNet, Family::EfficientNet];
    let family = families
        .into_iter()
        .find(|family| checkpoint.shape(names::mark(*family)).is_some());
    let Some(family) = family else {
        let found: Vec<_> = checkpoint.tensors.keys().take(3).cloned().collect();
        let reason = format!(
            "is no backbone known here: none of the tensors {} among {}, ...",
            families.map(names::mark).join(", "),
            found.join(", ")
        );
        return Err(Error::weights(&checkpoint.file, reason));
    };
    let fit = |arch: &Arch| {
        let tensors = tensors(*arch);
        let wanted = tensors.len();
        let fits = |(name, shape): &&(String, Vec<usize>)| checkpoint.shape(name) == Some(shape);
        let fitting = tensors.iter().filter(fits).count();
        // Fitting tensors count for, wanted but absent ones against.
        2 * fitting as i64 - wanted as i64
    };
    let members = Arch::ALL.into_iter().filter(|arch| arch.family() == family);
    Ok(members.max_by_key(fit).unwrap_or_default())
}
