//! Images through the frozen part of a backbone into a cache, one batch ahead of the device.

use burn::tensor::Tensor;

use super::cache::FeatureCache;
use super::learner::Input;
use crate::config::Scope;
use crate::error::Result;
use crate::model::backbone::Backbone;

/// Fills a [`FeatureCache`]. While the device works on a batch the caller makes the next one; reading back waits
/// until that one is on its way.
pub struct Extraction<'a> {
    backbone: &'a Backbone,
    scope: Scope,
    pending: Option<(Vec<usize>, Input)>,
}

impl<'a> Extraction<'a> {
    /// Through what a training of that scope leaves frozen.
    #[must_use]
    pub const fn new(backbone: &'a Backbone, scope: Scope) -> Self {
        Self {
            backbone,
            scope,
            pending: None,
        }
    }

    /// Sends normalised images `[N,3,S,S]`, which have these numbers in the cache, to the device, and reads the batch
    /// before them into the cache.
    ///
    /// # Errors
    /// [`Error::Gpu`](crate::error::Error::Gpu) if the device fails.
    pub async fn push(
        &mut self,
        cache: &mut FeatureCache,
        numbers: Vec<usize>,
        images: Tensor<4>,
    ) -> Result<()> {
        let output = Input::frozen(self.backbone, images, self.scope);
        let before = self.pending.replace((numbers, output));
        settle(before, cache).await
    }

    /// Reads the last batch into the cache.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub async fn finish(&mut self, cache: &mut FeatureCache) -> Result<()> {
        settle(self.pending.take(), cache).await
    }
}

async fn settle(batch: Option<(Vec<usize>, Input)>, cache: &mut FeatureCache) -> Result<()> {
    if let Some((numbers, output)) = batch {
        cache.insert(&numbers, &output.to_host().await?);
    }
    Ok(())
}
