//! Training a head: every image, and every augmented view of it, through the backbone once.

use super::checkpoint::CheckpointWriter;
use super::features::Pass;
use super::image_loader;
use super::observer::{EngineObserver, Outcome};
use super::{Data, Engine, JobContext, Views};
use crate::config::TrainConfig;
use crate::data::Split;
use crate::error::{Error, Result};
use crate::infer::Classifier;
use crate::model::head::HeadSpec;
use crate::protocol::{EngineState, Event, TrainEvent};
use crate::train::cache::FeatureCache;
use crate::train::feature_source::{BUDGET, CachePlan, Request};
use crate::train::head::{Examples, Features, Resume, Start, run};

/// Bytes that the features of all views may take; they are copied once.
const MOST: u64 = 1 << 30;

impl Engine {
    /// Trains a head on the backbone in use.
    pub(super) async fn train_head(
        &mut self,
        config: &TrainConfig,
        classes: &[String],
        split: &Split,
        resume: Option<Resume>,
        writer: Option<CheckpointWriter>,
    ) -> Result<Outcome> {
        let Classifier {
            backbone,
            preprocess,
            ..
        } = &self.model()?.classifier;
        let counts = [split.train.len(), split.validation.len()];
        let plan = CachePlan::new(backbone.arch(), config, preprocess.size, counts, BUDGET);
        let (views, bytes) = (plan.views, plan.bytes());
        if bytes > MOST {
            let reason = format!(
                "{views} of each of {} images take {} MB; {} at most",
                split.train.len(),
                bytes >> 20,
                MOST >> 20
            );
            return Err(Error::setting("views", reason));
        }
        let (train, validation) = if views > 1 || config.augment.changes_images() {
            let images = plan.images;
            self.mailbox.emit(TrainEvent::Views { views, images });
            self.featurise(&split.validation).await?;
            self.featurise_views(config, &split.train, views).await?;
            (
                self.view_examples(&split.train, views),
                self.examples(&split.validation),
            )
        } else {
            let all: Vec<usize> = [&split.train[..], &split.validation].concat();
            self.featurise(&all).await?;
            (
                self.examples(&split.train),
                self.examples(&split.validation),
            )
        };
        check_classes(&train.labels, classes)?;
        self.mailbox.set_state(EngineState::Training);
        let JobContext {
            mailbox,
            classifier: old,
            ..
        } = self.context()?;
        let spec = HeadSpec::of(config.head, old.features(), classes.len());
        let head = config.resume_head.then(|| old.head.clone());
        let device = old.backbone.device().clone();
        let mut observer = EngineObserver {
            mailbox,
            old,
            writer,
        };
        let features = Features {
            train: &train,
            views,
            validation: &validation,
        };
        let begin = Start { head, resume };
        let fit = run(config, spec, features, begin, &device, &mut observer).await?;
        Ok(Outcome {
            fit,
            images: [train.len() / views, validation.len()],
        })
    }

    /// Sends those augmented views of the samples through the backbone that have not been. A view of sample i
    /// has the number `view samples + i` in the cache.
    async fn featurise_views(
        &mut self,
        config: &TrainConfig,
        samples: &[usize],
        views: usize,
    ) -> Result<()> {
        let JobContext {
            mailbox,
            opened,
            classifier,
            data,
            ..
        } = self.context()?;
        let settings = &classifier.preprocess;
        let same = data.views.take().filter(|kept| {
            kept.seed == config.seed && kept.augment == config.augment && kept.size == settings.size
        });
        let mut kept = same.unwrap_or_else(|| Views {
            augment: config.augment.clone(),
            seed: config.seed,
            size: settings.size,
            cache: FeatureCache::new(classifier.features()),
        });
        let set = &mut data.set;
        let all = set.samples.len();
        let numbers = (0..views).flat_map(|view| samples.iter().map(move |i| view * all + i));
        let missing: Vec<usize> = numbers.filter(|n| !kept.cache.knows(*n)).collect();
        let mut pass = Pass {
            mailbox,
            backend: opened.backend,
            classifier,
        };
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
        pass.tell_unreadable(&data.set, &kept.cache, samples);
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

/// Whether each class has a training image that could be read: a model would be written with a class it never saw.
///
/// # Errors
/// [`Error::Dataset`] naming the classes that have none.
pub(super) fn check_classes(labels: &[usize], classes: &[String]) -> Result<()> {
    let mut seen = vec![false; classes.len()];
    for &label in labels {
        seen[label] = true;
    }
    let unseen = classes.iter().zip(seen).filter(|(_, seen)| !seen);
    let unseen: Vec<&str> = unseen.map(|(class, _)| class.as_str()).collect();
    // That there is none at all is said better by the training itself.
    if unseen.is_empty() || labels.is_empty() {
        return Ok(());
    }
    Err(Error::Dataset(format!(
        "no training image of {} can be read",
        unseen.join(", ")
    )))
}
