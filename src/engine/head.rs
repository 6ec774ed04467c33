//! Training a head: every image, and every augmented view of it, through the backbone once.

use super::data::batch_size;
use super::keeper::Keeper;
use super::pictures;
use super::train::{OnDesk, Outcome};
use super::{AtHand, Data, Engine, Views};
use crate::config::{Augment, TrainConfig};
use crate::data::Split;
use crate::error::{Error, Result};
use crate::model::head::{HeadSpec, read};
use crate::platform::time;
use crate::protocol::{EngineState, Event, JobId, Phase};
use crate::train::cache::FeatureCache;
use crate::train::inputs::Request;
use crate::train::run::{Begin, Examples, Features, Resume, run};

/// Bytes that the features of all views may take; they are copied once.
const MOST: u64 = 1 << 30;

/// Views of each training image that are kept: enough for an epoch's copies, and whole epochs of them.
#[must_use]
pub(super) fn views(augment: &Augment) -> usize {
    if !augment.changes_images() {
        return 1;
    }
    let copies = augment.copies.max(1);
    augment.views.max(copies).div_ceil(copies) * copies
}

impl Engine {
    /// Trains a head on the backbone in use.
    pub(super) async fn train_head(
        &mut self,
        job: JobId,
        config: &TrainConfig,
        classes: &[String],
        split: &Split,
        resume: Option<Resume>,
        keeper: Option<Keeper>,
    ) -> Result<Outcome> {
        let views = views(&config.augment);
        let width = self.model()?.classifier.features();
        let bytes = 4 * (views as u64) * (split.train.len() as u64) * (width as u64);
        if bytes > MOST {
            let reason = format!(
                "{views} of each of {} images take {} MB; {} at most",
                split.train.len(),
                bytes >> 20,
                MOST >> 20
            );
            return Err(Error::shape("views", reason));
        }
        let (train, validation) = if views > 1 || config.augment.changes_images() {
            let images = split.train.len() * views + split.validation.len();
            self.desk.tell(Event::Views { job, views, images });
            self.featurise(job, &split.validation).await?;
            self.featurise_views(job, config, &split.train, views)
                .await?;
            (
                self.view_examples(&split.train, views),
                self.examples(&split.validation),
            )
        } else {
            let all: Vec<usize> = [&split.train[..], &split.validation].concat();
            self.featurise(job, &all).await?;
            (
                self.examples(&split.train),
                self.examples(&split.validation),
            )
        };
        self.desk.set_state(EngineState::Training);
        let AtHand {
            desk,
            classifier: old,
            ..
        } = self.at_hand()?;
        let spec = HeadSpec::of(config.head, old.features(), classes.len());
        let head = config.keep_head.then(|| old.head.clone());
        let device = old.backbone.device().clone();
        let mut observer = OnDesk {
            job,
            desk,
            old,
            keeper,
        };
        let features = Features {
            train: &train,
            views,
            validation: &validation,
        };
        let begin = Begin { head, resume };
        let course = run(config, spec, features, begin, &device, &mut observer).await?;
        Ok(Outcome {
            course,
            images: [train.len() / views, validation.len()],
        })
    }

    /// Sends those augmented views of the samples through the backbone that have not been. A view of sample i
    /// has the number `view samples + i` in the cache.
    async fn featurise_views(
        &mut self,
        job: JobId,
        config: &TrainConfig,
        samples: &[usize],
        views: usize,
    ) -> Result<()> {
        let AtHand {
            desk,
            opened,
            classifier: old,
            data,
        } = self.at_hand()?;
        let same = data.views.take().filter(|kept| {
            kept.seed == config.seed
                && kept.augment == config.augment
                && kept.size == old.preprocess.size
        });
        let mut kept = same.unwrap_or_else(|| Views {
            augment: config.augment.clone(),
            seed: config.seed,
            size: old.preprocess.size,
            cache: FeatureCache::new(old.features()),
        });
        let all = data.set.samples.len();
        let numbers = (0..views).flat_map(|view| samples.iter().map(move |i| view * all + i));
        let missing: Vec<usize> = numbers.filter(|n| !kept.cache.knows(*n)).collect();
        desk.set_state(EngineState::Featurising);
        let (start, total, mut done) = (time::now(), missing.len() as u64, 0);
        let mut pending = None;
        for batch in missing.chunks(batch_size(opened.backend)) {
            let request = |number: &usize| Request {
                sample: number % all,
                view: Some(number / all),
                size: old.preprocess.size,
            };
            let requests: Vec<Request> = batch.iter().map(request).collect();
            let (set, augment) = (&mut data.set, &config.augment);
            let images = pictures::load(set, &requests, &old.preprocess, augment, config.seed);
            let (mut good, mut pixels) = (Vec::new(), Vec::new());
            for (&number, image) in batch.iter().zip(images) {
                match image {
                    Ok(image) => {
                        good.push(number);
                        pixels.extend(image);
                    }
                    Err(error) => kept.cache.insert_unreadable(number, error.reason()),
                }
            }
            let next = (!good.is_empty()).then(|| {
                let images = old.backbone.batch(pixels, old.preprocess.size);
                (good, old.backbone.forward(images))
            });
            // While the device works on these the ones before are read.
            if let Some((numbers, features)) = std::mem::replace(&mut pending, next) {
                kept.cache.insert(&numbers, &read(features).await?);
            }
            done += batch.len() as u64;
            desk.progress(job, Phase::Featurising, done, total);
            desk.look_up(job, Some(old)).await?;
        }
        if let Some((numbers, features)) = pending {
            kept.cache.insert(&numbers, &read(features).await?);
        }
        desk.tell(Event::Featurised {
            job,
            images: missing.len(),
            milliseconds: time::now() - start,
        });
        for &sample in samples {
            if let Some(reason) = kept.cache.unreadable(sample) {
                let (file, reason) = (data.set.samples[sample].path.clone(), reason.to_string());
                desk.tell(Event::FileError { job, file, reason });
            }
        }
        data.views = Some(kept);
        Ok(())
    }

    /// The features of the views, all of one view after the other.
    fn view_examples(&self, samples: &[usize], views: usize) -> Examples {
        let mut examples = Examples::default();
        let Some(Data {
            set,
            views: Some(kept),
            ..
        }) = &self.data
        else {
            return examples;
        };
        for view in 0..views {
            for &sample in samples {
                let class = set.samples.get(sample).and_then(|sample| sample.class);
                let features = kept.cache.get(view * set.samples.len() + sample);
                if let (Some(features), Some(class)) = (features, class) {
                    examples.push(features, class);
                }
            }
        }
        examples
    }
}
