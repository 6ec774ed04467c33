//! Images through the backbone, their features into a cache.

use burn::tensor::Tensor;

use super::mailbox::Mailbox;
use crate::data::Dataset;
use crate::error::Result;
use crate::infer::Classifier;
use crate::model::head::to_host;
use crate::platform::time;
use crate::protocol::{Backend, EngineState, Event, Phase, Skipped};
use crate::train::cache::FeatureCache;

/// Images a batch through the backbone: on a GPU enough to fill it, on the CPU few, so that pause and
/// cancel answer soon; more would not be faster there.
pub(super) const fn batch_size(backend: Backend) -> usize {
    match backend {
        Backend::Webgpu | Backend::Cuda => 16,
        Backend::Cpu => 4,
    }
}

/// Images `[N,3,S,S]` on the device, and their numbers in the cache.
pub(super) type Numbered = (Vec<usize>, Tensor<4>);

/// A way of images through the backbone in use, told to whoever listens.
pub(super) struct Pass<'a> {
    pub mailbox: &'a mut Mailbox,
    pub backend: Backend,
    pub classifier: &'a Classifier,
}

impl Pass<'_> {
    /// Puts the features of what has those numbers into the cache, and says how many milliseconds that took.
    /// `load` makes a batch of some of them, if any can be read, and notes in the cache which cannot. While the
    /// device works on a batch the next one is made.
    pub async fn fill(
        &mut self,
        cache: &mut FeatureCache,
        numbers: &[usize],
        mut load: impl AsyncFnMut(&[usize], &mut FeatureCache) -> Result<Option<Numbered>>,
    ) -> Result<f64> {
        self.mailbox.set_state(EngineState::Featurising);
        let (start, total, mut done) = (time::now(), numbers.len() as u64, 0);
        let mut pending: Option<(Vec<usize>, Tensor<2>)> = None;
        for batch in numbers.chunks(batch_size(self.backend)) {
            let next = load(batch, cache).await?;
            let next = next.map(|(good, images)| (good, self.classifier.backbone.forward(images)));
            if let Some((good, features)) = std::mem::replace(&mut pending, next) {
                cache.insert(&good, &to_host(features).await?);
            }
            done += batch.len() as u64;
            self.mailbox.progress(Phase::Featurising, done, total);
            self.mailbox.poll_commands(Some(self.classifier)).await?;
        }
        if let Some((good, features)) = pending {
            cache.insert(&good, &to_host(features).await?);
        }
        Ok(time::now() - start)
    }

    /// Tells which of those samples could not be read; those of an earlier pass too, for they are left out of
    /// this one just the same.
    pub fn tell_unreadable(
        &self,
        set: &Dataset,
        cache: &FeatureCache,
        samples: &[usize],
    ) -> Vec<Skipped> {
        let mut skipped = Vec::new();
        for &sample in samples {
            if let Some(reason) = cache.unreadable(sample) {
                let (file, reason) = (set.samples[sample].path.clone(), reason.to_string());
                self.mailbox.emit(Event::FileError {
                    file: file.clone(),
                    reason: reason.clone(),
                });
                skipped.push(Skipped::failed(file, reason));
            }
        }
        skipped
    }
}
