//! What goes into the trained part of a backbone: images through the frozen part before it, computed once
//! and kept if that fits the memory, else for every batch anew.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};

use super::cache::FeatureCache;
use crate::config::Scope;
use crate::error::Result;
use crate::model::backbone::Backbone;
use crate::model::head::read;
use crate::model::tune::{forward_frozen, input_shape};

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

/// Samples on their way through the frozen part. `R` reads one: normalised pixels `[3,S,S]`, or why not.
pub struct Inputs<'a, R> {
    backbone: &'a Backbone,
    scope: Scope,
    size: usize,
    shape: [usize; 3],
    read: R,
    cache: Option<FeatureCache>,
    /// On the device, to be read when the next images are on their way.
    pending: Option<(Vec<usize>, Tensor<4>)>,
    unreadable: BTreeMap<usize, String>,
}

impl<'a, R: FnMut(usize) -> Result<Vec<f32>>> Inputs<'a, R> {
    /// For `samples` images of edge `size`; keeps them if they fit `budget` bytes.
    pub fn new(
        backbone: &'a Backbone,
        scope: Scope,
        size: usize,
        read: R,
        samples: usize,
        budget: usize,
    ) -> Self {
        let shape = input_shape(backbone.arch(), scope, size);
        let width = shape.iter().product();
        let fits = samples.saturating_mul(width).saturating_mul(4) <= budget;
        let mut cache = FeatureCache::new(width);
        // A tab may have less left than the budget.
        let cache = (fits && cache.reserve(samples)).then_some(cache);
        Self {
            backbone,
            scope,
            size,
            shape,
            read,
            cache,
            pending: None,
            unreadable: BTreeMap::new(),
        }
    }

    /// Whether what the frozen part gives is kept.
    #[must_use]
    pub const fn is_cached(&self) -> bool {
        self.cache.is_some()
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

    /// Sends samples through the frozen part into the cache. While the device works on these the ones of
    /// the call before are read back; [`Self::settle`] reads the last.
    ///
    /// # Errors
    /// [`Error::Gpu`](crate::error::Error::Gpu) if the device fails.
    pub async fn keep(&mut self, samples: &[usize]) -> Result<()> {
        let (good, pixels) = self.decode(samples);
        let output = (!good.is_empty()).then(|| {
            let images = self.backbone.batch(pixels, self.size);
            forward_frozen(self.backbone, images, self.scope)
        });
        self.settle().await?;
        self.pending = output.map(|output| (good, output));
        Ok(())
    }

    /// Reads what is still on the device into the cache.
    ///
    /// # Errors
    /// As [`Self::keep`].
    pub async fn settle(&mut self) -> Result<()> {
        if let (Some((samples, output)), Some(cache)) = (self.pending.take(), &mut self.cache) {
            cache.insert(&samples, &read(output).await?);
        }
        Ok(())
    }

    /// The input `[N,C,H,W]` of these samples on the inner device, and the labels `[N]` of those that could
    /// be read; none if none could.
    pub fn batch(&mut self, samples: &[Labelled]) -> Option<(Tensor<4>, Vec<usize>)> {
        match &self.cache {
            Some(cache) => {
                let (mut rows, mut labels) = (Vec::new(), Vec::new());
                for Labelled { sample, label } in samples {
                    if let Some(row) = cache.get(*sample) {
                        rows.extend_from_slice(row);
                        labels.push(*label);
                    }
                }
                let [c, h, w] = self.shape;
                let data = TensorData::new(rows, [labels.len(), c, h, w]);
                (!labels.is_empty()).then(|| (Tensor::from_data(data, self.device()), labels))
            }
            None => {
                let parts: Vec<_> = samples
                    .chunks(CHUNK)
                    .filter_map(|chunk| self.compute(chunk))
                    .collect();
                let (parts, labels): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
                (!parts.is_empty()).then(|| (Tensor::cat(parts, 0), labels.concat()))
            }
        }
    }

    fn compute(&mut self, samples: &[Labelled]) -> Option<(Tensor<4>, Vec<usize>)> {
        let numbers: Vec<usize> = samples.iter().map(|labelled| labelled.sample).collect();
        let (good, pixels) = self.decode(&numbers);
        let readable = samples.iter().filter(|l| good.contains(&l.sample));
        let labels: Vec<usize> = readable.map(|l| l.label).collect();
        if labels.is_empty() {
            return None;
        }
        let images = self.backbone.batch(pixels, self.size);
        Some((forward_frozen(self.backbone, images, self.scope), labels))
    }

    /// The pixels of those samples that can be read, one after the other, and which those are.
    fn decode(&mut self, samples: &[usize]) -> (Vec<usize>, Vec<f32>) {
        let (mut good, mut pixels) = (Vec::new(), Vec::new());
        for &sample in samples {
            if self.unreadable.contains_key(&sample) {
                continue;
            }
            match (self.read)(sample) {
                Ok(image) => {
                    good.push(sample);
                    pixels.extend(image);
                }
                Err(error) => {
                    self.unreadable.insert(sample, error.reason());
                }
            }
        }
        (good, pixels)
    }
}
