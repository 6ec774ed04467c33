//! The data set in use and what is known of it: its features, the views of its images, what was held out of it.

use std::collections::BTreeSet;

use super::features::Pass;
use super::image_loader;
use crate::config::{Augment, BundledModel, DemoConfig, Normalization, Preprocess, TrainConfig};
use crate::data::{Dataset, Subset};
use crate::error::Result;
use crate::model::input::Batch;
use crate::platform::hash;
use crate::protocol::{Event, Skipped};
use crate::train::cache::FeatureCache;
use crate::train::feature_source::{Labelled, Request};
use crate::train::head::Examples;

/// Name of the split that is all there is.
pub(super) const ALL: &str = "all";

/// Name of the split that no training sees.
pub(super) const TEST: &str = "test";

/// Bytes that the features of augmented images may take together; those of one training are copied once.
pub(super) const VIEWS_BUDGET: u64 = 1 << 30;

/// The data set in use and what is known of it.
pub(super) struct OpenDataset {
    pub set: Dataset,
    /// The validation samples of the last training on it.
    pub validation: Vec<usize>,
    /// What the demo set was drawn with, if it is that.
    pub demo: Option<DemoConfig>,
    /// Which of its images were compared with those that a bundled model has seen.
    pub compared: Option<Compared>,
    features: FeatureCache,
    /// One for each augmentation and seed, the last used one last: several seeds with one head after the other ask for the
    /// same ones in turn.
    views: Vec<Views>,
}

/// Samples that were compared with the images that a bundled model has seen.
pub(super) struct Compared {
    pub model: BundledModel,
    pub samples: BTreeSet<usize>,
}

/// Features of augmented images.
struct Views {
    augment: Augment,
    seed: u64,
    size: usize,
    cache: FeatureCache,
}

impl OpenDataset {
    /// A data set of which no features are known, for a backbone that gives `width` of them.
    pub fn new(set: Dataset, demo: Option<DemoConfig>, width: usize) -> Self {
        Self {
            set,
            validation: Vec::new(),
            demo,
            compared: None,
            features: FeatureCache::new(width),
            views: Vec::new(),
        }
    }

    /// Empties the caches, for a backbone with features of that width.
    pub fn forget_features(&mut self, width: usize) {
        self.features = FeatureCache::new(width);
        self.views.clear();
    }

    /// Sends those samples through the backbone that have not been, and tells the unreadable ones.
    pub async fn featurise(
        &mut self,
        pass: &mut Pass<'_>,
        samples: &[usize],
    ) -> Result<Vec<Skipped>> {
        let (images, milliseconds) = self.fill(pass, samples).await?;
        pass.mailbox.emit(Event::Featurised {
            images,
            milliseconds,
        });
        Ok(pass.tell_unreadable(&self.set, &self.features, samples))
    }

    /// The same without a word: how many could be read, and how many milliseconds it took.
    pub async fn fill(&mut self, pass: &mut Pass<'_>, samples: &[usize]) -> Result<(usize, f64)> {
        let Self { set, features, .. } = self;
        let missing: Vec<usize> = {
            let unknown = samples.iter().filter(|&&i| !features.knows(i));
            unknown.copied().collect()
        };
        let classifier = pass.classifier;
        let load = async |batch: &[usize], cache: &mut FeatureCache| {
            let mut images = Batch::new(classifier.backbone.device(), &classifier.preprocess);
            let files = image_loader::files(set, batch.iter().copied()).await;
            let mut good = Vec::new();
            for (&sample, pushed) in batch.iter().zip(images.push(files)?) {
                match pushed {
                    Ok(()) => good.push(sample),
                    Err(error) => cache.insert_unreadable(sample, error.reason()),
                }
            }
            Ok(images.finish().map(|images| (good, images)))
        };
        let milliseconds = pass.fill(features, &missing, load).await?;
        let readable = |sample: &&usize| features.get(**sample).is_some();
        Ok((missing.iter().filter(readable).count(), milliseconds))
    }

    /// Sends those augmented views of the samples through the backbone that have not been. View v of sample i has
    /// the number `v samples + i` in the cache.
    pub async fn featurise_views(
        &mut self,
        pass: &mut Pass<'_>,
        config: &TrainConfig,
        samples: &[usize],
        views: usize,
    ) -> Result<()> {
        let classifier = pass.classifier;
        let settings = &classifier.preprocess;
        let same = self.views.iter().position(|kept| {
            kept.seed == config.seed && kept.augment == config.augment && kept.size == settings.size
        });
        let mut kept = match same {
            Some(at) => self.views.remove(at),
            None => Views {
                augment: config.augment.clone(),
                seed: config.seed,
                size: settings.size,
                cache: FeatureCache::new(classifier.features()),
            },
        };
        self.make_room((views * samples.len() * classifier.features() * size_of::<f32>()) as u64);
        let set = &mut self.set;
        let all = set.samples.len();
        let numbers = (0..views).flat_map(|view| samples.iter().map(move |i| view * all + i));
        let missing: Vec<usize> = numbers.filter(|n| !kept.cache.knows(*n)).collect();
        let load = async |batch: &[usize], cache: &mut FeatureCache| {
            let request = |number: &usize| Request {
                sample: number % all,
                view: Some(number / all),
                size: settings.size,
            };
            let requests: Vec<Request> = batch.iter().map(request).collect();
            let images =
                image_loader::load(set, &requests, settings, &config.augment, config.seed).await;
            let (mut good, mut pixels) = (Vec::new(), Vec::new());
            for (&number, image) in batch.iter().zip(images) {
                match image {
                    Ok(image) => {
                        good.push(number);
                        pixels.extend(image);
                    }
                    Err(error) => cache.insert_unreadable(number, error.reason()),
                }
            }
            let images =
                (!good.is_empty()).then(|| classifier.backbone.batch(pixels, settings.size));
            Ok(images.map(|images| (good, images)))
        };
        let milliseconds = pass.fill(&mut kept.cache, &missing, load).await?;
        pass.mailbox.emit(Event::Featurised {
            images: missing.len(),
            milliseconds,
        });
        pass.tell_unreadable(&self.set, &kept.cache, samples);
        self.views.push(kept);
        Ok(())
    }

    /// Forgets views that have not been used for the longest, until there is room for so many bytes more.
    fn make_room(&mut self, bytes: u64) {
        let mut kept: u64 = self.views.iter().map(|views| views.cache.bytes()).sum();
        while kept + bytes > VIEWS_BUDGET && !self.views.is_empty() {
            kept -= self.views.remove(0).cache.bytes();
        }
    }

    /// The features of those samples that have any, with their labels in the data set's numbering.
    pub fn examples(&self, samples: &[usize]) -> Examples {
        let mut examples = Examples::default();
        for &sample in samples {
            let class = self.set.samples.get(sample).and_then(|sample| sample.class);
            if let (Some(features), Some(class)) = (self.features.get(sample), class) {
                examples.push(features, class);
            }
        }
        examples
    }

    /// The features of the views that were last asked for, all of one view after the other.
    pub fn view_examples(&self, samples: &[usize], views: usize) -> Examples {
        let mut examples = Examples::default();
        let Some(kept) = self.views.last() else {
            return examples;
        };
        for view in 0..views {
            for &sample in samples {
                let class = self.set.samples.get(sample).and_then(|sample| sample.class);
                let features = kept.cache.get(view * self.set.samples.len() + sample);
                if let (Some(features), Some(class)) = (features, class) {
                    examples.push(features, class);
                }
            }
        }
        examples
    }

    /// Samples with their labels; what has none is left out.
    pub fn labelled(&self, samples: &[usize]) -> Vec<Labelled> {
        let label = |&sample: &usize| {
            let label = self.set.samples.get(sample)?.class?;
            Some(Labelled { sample, label })
        };
        samples.iter().filter_map(label).collect()
    }

    /// The images that a training or an evaluation may be on.
    pub fn to_compare(&self) -> Vec<usize> {
        let subsets = [Subset::Train, Subset::Validation, Subset::Test];
        subsets
            .into_iter()
            .flat_map(|subset| self.set.subset(subset))
            .collect()
    }

    /// Which images an evaluation is on, by name and number.
    pub fn to_measure(&self) -> (&'static str, Vec<usize>) {
        let test: Vec<usize> = self.set.subset(Subset::Test).collect();
        if !test.is_empty() {
            return (TEST, test);
        }
        let own: Vec<usize> = self.set.subset(Subset::Validation).collect();
        if !own.is_empty() {
            return ("validation", own);
        }
        if !self.validation.is_empty() {
            return ("validation", self.validation.clone());
        }
        (ALL, self.set.subset(Subset::Train).collect())
    }

    /// SHA-256 of all that its images and labels follow from: classes, paths, labels, parts, how they are prepared.
    pub async fn fingerprint(&self, preprocess: &Preprocess) -> String {
        let mut text = self.set.classes.join("\n");
        for sample in &self.set.samples {
            let class = sample.class.map_or(-1, |class| class as i64);
            text.push_str(&format!("\n{}\t{class}\t{:?}", sample.path, sample.subset));
        }
        text.push_str(&format!("\n{}", preprocess.transparency.name()));
        // ImageNet's is not written, so that trainings kept before there was a choice go on.
        if preprocess.normalization() != Some(Normalization::Imagenet) {
            text.push_str(&format!("\n{:?}\n{:?}", preprocess.mean, preprocess.std));
        }
        hash::sha256(text.as_bytes()).await
    }
}
