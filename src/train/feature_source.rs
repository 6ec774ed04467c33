//! What goes into the trained part of a backbone: images through the frozen part before it, computed once
//! and kept if that fits the memory and no image changes from epoch to epoch, else for every batch anew.

use std::collections::BTreeMap;

use burn::tensor::Device;

use super::cache::FeatureCache;
pub use super::cache_plan::{BUDGET, CachePlan};
use super::extraction::Extraction;
use super::learner::{Batch, Input};
use super::teacher::Teacher;
use crate::config::{Scope, TrainConfig};
use crate::error::Result;
use crate::model::backbone::Backbone;

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
    loader: P,
    plan: CachePlan,
    cache: Option<FeatureCache>,
    extraction: Extraction<'a>,
    teacher: Option<&'a Teacher>,
    unreadable: BTreeMap<usize, String>,
}

impl<'a, P: ImageLoader> FeatureSource<'a, P> {
    /// For so many training and validation images of edge `size`; keeps what can be kept if it fits `budget`
    /// bytes.
    pub fn new(
        backbone: &'a Backbone,
        config: &TrainConfig,
        size: usize,
        loader: P,
        counts: [usize; 2],
        budget: usize,
    ) -> Self {
        let plan = CachePlan::new(backbone.graph(), config, size, counts, budget);
        let mut cache = FeatureCache::new(plan.values);
        // A tab may have less left than the budget.
        let cache = (plan.kept && cache.reserve(plan.images)).then_some(cache);
        Self {
            backbone,
            scope: config.scope,
            size,
            loader,
            plan,
            cache,
            extraction: Extraction::new(backbone, config.scope),
            teacher: None,
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

    /// What is to be kept; [`Self::is_cached`] says whether there was the memory for it.
    #[must_use]
    pub const fn plan(&self) -> &CachePlan {
        &self.plan
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
        if let (Some(cache), false) = (&mut self.cache, good.is_empty()) {
            let good = good.into_iter().map(|place| samples[place]).collect();
            let images = self.backbone.batch(pixels, size);
            self.extraction.push(cache, good, images).await?;
        }
        Ok(())
    }

    /// Reads what is still on the device into the cache.
    ///
    /// # Errors
    /// As [`Self::cache`].
    pub async fn settle(&mut self) -> Result<()> {
        match &mut self.cache {
            Some(cache) => self.extraction.finish(cache).await,
            None => Ok(()),
        }
    }

    /// The input of these samples, as they are, on the inner device, and the labels `[N]` of those that could be
    /// read; none if none could.
    pub async fn plain(&mut self, samples: &[Labelled]) -> Option<(Input, Vec<usize>)> {
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
            let input = || Input::from_host(self.backbone, self.scope, self.size, rows);
            return (!labels.is_empty()).then(|| (input(), labels));
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
            input: self.through(pixels, size),
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
    fn through(&self, pixels: Vec<f32>, size: usize) -> Input {
        if self.scope == Scope::All {
            return Input::Maps(vec![self.backbone.batch(pixels, size)]);
        }
        let parts = pixels.chunks(CHUNK * 3 * size * size).map(|pixels| {
            let images = self.backbone.batch(pixels.to_vec(), size);
            Input::frozen(self.backbone, images, self.scope)
        });
        Input::cat(parts.collect())
    }

    /// The pixels of those requests that can be read, one after the other, and which those are.
    async fn decode(&mut self, requests: impl Iterator<Item = Request>) -> (Vec<usize>, Vec<f32>) {
        let known =
            |(_, request): &(usize, Request)| !self.unreadable.contains_key(&request.sample);
        let (places, requests): (Vec<usize>, Vec<Request>) =
            requests.enumerate().filter(known).unzip();
        let (mut good, mut pixels) = (Vec::new(), Vec::new());
        let images = (self.loader)(&requests).await;
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
