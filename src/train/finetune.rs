//! Training the end of a backbone together with a head: as in [`super::head`], on images.

use super::batches::{BatchSampler, BatchSource, LabelledBatch, StepIndex};
use super::feature_source::{FeatureSource, ImageLoader, Labelled};
use super::fit::{self, FitResult, Observer};
use super::head::{Start, check_sizes, count, head_on};
use super::learner::{Batch, Learner};
use super::objective::Objective;
use crate::config::TrainConfig;
use crate::error::Result;
use crate::image::augment::Mix;
use crate::model::head::HeadSpec;
use crate::model::trainable::TrainableStages;

/// Images a validation batch has where the training batch is smaller.
const VALIDATION_BATCH: usize = 16;

/// What a run learns from.
pub struct Images<'a, 'b, P> {
    /// A way to them. What is to be kept of them has been kept before.
    pub inputs: &'a mut FeatureSource<'b, P>,
    /// Edge of the model's own input, in pixels.
    pub size: usize,
    /// To learn from.
    pub train: &'a [Labelled],
    /// Held out.
    pub validation: &'a [Labelled],
}

/// Trains `tail`, which is on a device with gradients, and a head on it.
///
/// # Errors
/// [`Error::Setting`](crate::error::Error::Shape) for a setting out of range,
/// [`Error::Dataset`](crate::error::Error::Dataset) if no image of a part can be read,
/// [`Error::Gpu`](crate::error::Error::Gpu) if the device fails, and what the observer says.
pub async fn run<P: ImageLoader>(
    config: &TrainConfig,
    spec: HeadSpec,
    tail: TrainableStages,
    images: Images<'_, '_, P>,
    begin: Start,
    observer: &mut impl Observer,
) -> Result<FitResult> {
    config.check()?;
    check_sizes(config, images.train.len(), images.validation.len())?;
    let device = images.inputs.device().clone().autodiff();
    let head = head_on(config, spec, begin.head, &device)?;
    let counts = count(images.train.iter().map(|l| l.label), head.classes());
    let mut learner = Learner::new(config, Some(tail), head, &counts);
    let mut feed = OnImages {
        config,
        batches: BatchSampler::new(config),
        images,
    };
    fit::fit(config, &mut learner, &mut feed, begin.resume, observer).await
}

/// Images and their labels.
struct OnImages<'a, 'b, 'c, P> {
    config: &'c TrainConfig,
    batches: BatchSampler,
    images: Images<'a, 'b, P>,
}

impl<P: ImageLoader> BatchSource for OnImages<'_, '_, '_, P> {
    fn steps(&self) -> usize {
        self.batches.count(self.images.train.len())
    }

    fn order(&self, epoch: usize) -> Vec<Vec<usize>> {
        self.batches.order(self.images.train.len(), epoch)
    }

    async fn batch(
        &mut self,
        at: StepIndex,
        picks: &[usize],
        objective: &Objective,
    ) -> Result<Option<Batch>> {
        let train = self.images.train;
        let chosen = |&pick: &usize| {
            let (example, view) = self.batches.view(train.len(), at.epoch, pick);
            (train[example], Some(view))
        };
        let samples: Vec<_> = picks.iter().map(chosen).collect();
        let inputs = &mut self.images.inputs;
        if inputs.plan().changes {
            let (augment, seed) = (&self.config.augment, self.config.seed);
            let size = self.config.size_at(at.epoch, self.images.size);
            let mix = |pixels: &mut [f32], labels: &[usize]| {
                let mut targets = objective.one_hot(labels);
                let mix = Mix::draw(augment, seed, at.epoch, at.step, labels.len(), size);
                if let Some(mix) = mix {
                    mix.apply(pixels, &mut targets)?;
                }
                Ok(targets)
            };
            return inputs.changed(&samples, size, mix).await;
        }
        let samples: Vec<_> = samples.into_iter().map(|(labelled, _)| labelled).collect();
        let plain = inputs.plain(&samples).await;
        Ok(plain.map(|(input, labels)| Batch::new(input, objective.one_hot(&labels))))
    }

    async fn validation(&mut self, index: usize) -> Result<Option<Option<LabelledBatch>>> {
        let size = self.config.batch.max(VALIDATION_BATCH);
        let Some(samples) = self.images.validation.chunks(size).nth(index) else {
            return Ok(None);
        };
        Ok(Some(self.images.inputs.plain(samples).await))
    }

    fn is_slow(&self) -> bool {
        true
    }
}
