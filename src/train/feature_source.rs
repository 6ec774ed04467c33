//! What goes into the trained part of a backbone: images through the frozen part before it, computed once
//! and kept if that fits the memory and no image changes from epoch to epoch, else for every batch anew.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};

use super::cache::FeatureCache;
use super::learner::{Batch, Input};
use super::teacher::Teacher;
use crate::config::{Scope, TrainConfig};
use crate::error::Result;
use crate::model::backbone::Backbone;
use crate::model::head::to_host;
use crate::model::trainable::{forward_frozen, input_shape};

/// Bytes of f32 that may be kept: a browser tab has 4 GiB of address space at most, and the model, the
/// images on their way and the page want theirs.
pub const BUDGET: usize = 512 << 20;

/// Images that go through the frozen part at once where nothing is kept.
const CHUNK: usize = 16;

/// An image and its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labelled {
    /// Its number in the data set.
    pub sample: usize,
    /// Below the number of classes.
    pub label: usize,
}

/// An image that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Its number in the data set.
    pub sample: usize,
    /// Which of its augmented views; none for the image as it is.
    pub view: Option<usize>,
    /// Edge, in pixels.
    pub size: usize,
}

/// A way to images, several at a time: normalised pixels `[3,S,S]` each, or why not.
pub trait ImageLoader: AsyncFnMut(&[Request]) -> Vec<Result<Vec<f32>>> {}

impl<F: AsyncFnMut(&[Request]) -> Vec<Result<Vec<f32>>>> ImageLoader for F {}

/// Samples on their way through the frozen part.
pub struct FeatureSource<'a, P> {
    backbone: &'a Backbone,
    scope: Scope,
    /// Edge of the model's own input, in pixels.
    size: usize,
    shape: [usize; 3],
    pictures: P,
    cache: Option<FeatureCache>,
    /// Whether training images are other ones in every epoch.
    changes: bool,
    teacher: Option<&'a Teacher>,
    /// On the device, to be read when the next images are on their way.
    pending: Option<(Vec<usize>, Tensor<4>)>,
    unreadable: BTreeMap<usize, String>,
}

impl<'a, P: ImageLoader> FeatureSource<'a, P> {
    /// For so many training and validation images of edge `size`; keeps what can be kept if it fits `budget`
    /// bytes.
    pub fn new(
        backbone: &'a Backbone,
        config: &TrainConfig,
        size: usize,
        pictures: P,
        [train, validation]: [usize; 2],
        budget: usize,
    ) -> Self {
        let shape = input_shape(backbone.arch(), config.scope, size);
        let changes = config.changes_inputs();
        let samples = validation + if changes { 0 } else { train };
        let width: usize = shape.iter().product();
        let fits = samples.saturating_mul(width).saturating_mul(4) <= budget;
        let mut cache = FeatureCache::new(width);
        // A tab may have less left than the budget.
        let cache = (fits && cache.reserve(samples)).then_some(cache);
        Self {
            backbone,
            scope: config.scope,
            size,
            shape,
            pictures,
            cache,
            changes,
            teacher: None,
            pending: None,
            unreadable: BTreeMap::new(),
        }
    }

    /// Shows training images to a teacher as well.
    #[must_use]
    pub const fn taught_by(mut self, teacher: Option<&'a Teacher>) -> Self {
        self.teacher = teacher;
        self
    }

    /// Whether anything is kept of what the frozen part gives.
    #[must_use]
    pub const fn is_cached(&self) -> bool {
        self.cache.is_some()
    }

    /// Whether training images are other ones in every epoch, so that only the validation's are kept.
    #[must_use]
    pub const fn changes(&self) -> bool {
        self.changes
    }

    /// Bytes that one sample takes in the cache.
    #[must_use]
    pub fn bytes_per_sample(&self) -> usize {
        4 * self.shape.iter().product::<usize>()
    }

    /// The device of the frozen part.
    #[must_use]
    pub const fn device(&self) -> &Device {
        self.backbone.device()
    }

    /// Samples that could not be read so far, and why.
    #[must_use]
    pub const fn unreadable(&self) -> &BTreeMap<usize, String> {
        &self.unreadable
    }

    /// Sends samples, as they are, through the frozen part into the cache. While the device works on these
    /// the ones of the call before are read back; [`Self::settle`] reads the last.
    ///
    /// # Errors
    /// [`Error::Gpu`](crate::error::Error::Gpu) if the device fails.
    pub async fn cache(&mut self, samples: &[usize]) -> Result<()> {
        let size = self.size;
        let requests = samples.iter().map(|&sample| Request {
            sample,
            view: None,
            size,
        });
        let (good, pixels) = self.decode(requests).await;
        let output = (!good.is_empty()).then(|| {
            let images = self.backbone.batch(pixels, self.size);
            forward_frozen(self.backbone, images, self.scope)
        });
        self.settle().await?;
        let good = good.into_iter().map(|place| samples[place]).collect();
        self.pending = output.map(|output| (good, output));
        Ok(())
    }

    /// Reads what is still on the device into the cache.
    ///
    /// # Errors
    /// As [`Self::keep`].
    pub async fn settle(&mut self) -> Result<()> {
        if let (Some((samples, output)), Some(cache)) = (self.pending.take(), &mut self.cache) {
            cache.insert(&samples, &to_host(output).await?);
        }
        Ok(())
    }

    /// The input `[N,C,H,W]` of these samples, as they are, on the inner device, and the labels `[N]` of those
    /// that could be read; none if none could.
    pub async fn plain(&mut self, samples: &[Labelled]) -> Option<(Tensor<4>, Vec<usize>)> {
        let cached = |cache: &FeatureCache| {
            samples
                .iter()
                .all(|l| cache.knows(l.sample) || self.unreadable.contains_key(&l.sample))
        };
        if let Some(cache) = self.cache.as_ref().filter(|cache| cached(cache)) {
            let (mut rows, mut labels) = (Vec::new(), Vec::new());
            for Labelled { sample, label } in samples {
                if let Some(row) = cache.get(*sample) {
                    rows.extend_from_slice(row);
                    labels.push(*label);
                }
            }
            let [c, h, w] = self.shape;
            let data = TensorData::new(rows, [labels.len(), c, h, w]);
            return (!labels.is_empty()).then(|| (Tensor::from_data(data, self.device()), labels));
        }
        let as_it_is = |labelled: &Labelled| (*labelled, None);
        let samples: Vec<_> = samples.iter().map(as_it_is).collect();
        let (pixels, labels) = self.images(&samples, self.size).await;
        (!labels.is_empty()).then(|| (self.through(pixels, self.size), labels))
    }

    /// A training batch: each sample in that view, of edge `size`; `mix` then mixes the images and gives their
    /// targets.
    ///
    /// # Errors
    /// What `mix` says.
    pub async fn changed(
        &mut self,
        samples: &[(Labelled, Option<usize>)],
        size: usize,
        mix: impl FnOnce(&mut [f32], &[usize]) -> Result<Vec<f32>>,
    ) -> Result<Option<Batch>> {
        let (mut pixels, labels) = self.images(samples, size).await;
        if labels.is_empty() {
            return Ok(None);
        }
        let targets = mix(&mut pixels, &labels)?;
        let shown = |teacher: &Teacher| teacher.probabilities(pixels.clone(), size);
        let teacher = self.teacher.map(shown);
        Ok(Some(Batch {
            input: Input::Maps(self.through(pixels, size)),
            targets,
            teacher,
        }))
    }

    /// Pixels `[N,3,S,S]` and labels `[N]` of what can be read.
    async fn images(
        &mut self,
        samples: &[(Labelled, Option<usize>)],
        size: usize,
    ) -> (Vec<f32>, Vec<usize>) {
        let requests = samples
            .iter()
            .map(|&(Labelled { sample, .. }, view)| Request { sample, view, size });
        let (good, pixels) = self.decode(requests).await;
        let labels = good.into_iter().map(|place| samples[place].0.label);
        (pixels, labels.collect())
    }

    /// Images through the frozen part, some at a time.
    fn through(&self, pixels: Vec<f32>, size: usize) -> Tensor<4> {
        if self.scope == Scope::All {
            return self.backbone.batch(pixels, size);
        }
        let parts = pixels.chunks(CHUNK * 3 * size * size).map(|pixels| {
            let images = self.backbone.batch(pixels.to_vec(), size);
            forward_frozen(self.backbone, images, self.scope)
        });
        Tensor::cat(parts.collect(), 0)
    }

    /// The pixels of those requests that can be read, one after the other, and which those are.
    async fn decode(&mut self, requests: impl Iterator<Item = Request>) -> (Vec<usize>, Vec<f32>) {
        let known =
            |(_, request): &(usize, Request)| !self.unreadable.contains_key(&request.sample);
        let (places, requests): (Vec<usize>, Vec<Request>) =
            requests.enumerate().filter(known).unzip();
        let (mut good, mut pixels) = (Vec::new(), Vec::new());
        let images = (self.pictures)(&requests).await;
        for ((place, request), image) in places.into_iter().zip(&requests).zip(images) {
            match image {
                Ok(image) => {
                    good.push(place);
                    pixels.extend(image);
                }
                Err(error) => {
                    self.unreadable.insert(request.sample, error.reason());
                }
            }
        }
        (good, pixels)
    }
}
