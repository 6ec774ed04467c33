//! A trained model put in use and kept.

use super::split_of;
use crate::config::{Scope, TrainConfig};
use crate::data::Dataset;
use crate::engine::Engine;
use crate::engine::active_model::ActiveModel;
use crate::error::Result;
use crate::infer::Classifier;
use crate::model::head::{Head, HeadSpec};
use crate::model::trainable::TrainableStages;
use crate::protocol::Run;
use crate::weights::{self, Checkpoint, Dtype, NamedTensor, StoredTensor};

/// A training that is over, and its model, which is not in use yet.
pub(super) struct TrainedModel {
    pub classifier: Classifier,
    /// The trained convolutions under torchvision's names; none for a head alone.
    pub tensors: Vec<NamedTensor>,
    pub run: Run,
    /// The samples that it held out.
    pub validation: Vec<usize>,
    /// Whether somebody stopped it.
    pub stopped_by_user: bool,
}

impl TrainedModel {
    /// Its head and its trained convolutions.
    pub async fn state(&self) -> Result<Vec<NamedTensor>> {
        let mut tensors = self.classifier.head.state().await?;
        tensors.extend(self.tensors.iter().cloned());
        Ok(tensors)
    }

    /// The same from what [`state`](Self::state) gave; `old` is the model that it was trained from.
    ///
    /// # Errors
    /// [`Error::Weights`](crate::error::Error::Weights) naming a tensor that is missing.
    pub fn restore(
        old: &Classifier,
        set: &Dataset,
        run: Run,
        mut tensors: Checkpoint,
    ) -> Result<Self> {
        let spec = HeadSpec::of(run.config.head, old.features(), set.classes.len());
        let take = |name: &str, shape: &[usize]| tensors.take_f32(name, shape);
        let head = Head::load(spec, old.backbone.device(), take)?;
        let rest = tensors.tensors.into_iter();
        let tensors: Vec<_> = rest
            .map(|(name, entry)| (name, entry.shape, entry.data))
            .collect();
        Ok(Self {
            classifier: trained(old, &run.config, head, set.classes.clone()),
            tensors,
            validation: split_of(set, &run.config).validation,
            run,
            stopped_by_user: false,
        })
    }
}

/// The model with a trained head. Trained convolutions are not in it before it is adopted.
pub(super) fn trained(
    old: &Classifier,
    config: &TrainConfig,
    head: Head,
    classes: Vec<String>,
) -> Classifier {
    Classifier {
        head,
        head_kind: config.head,
        classes,
        tuned: old.tuned.max(config.scope),
        untrained: false,
        ..old.clone()
    }
}

impl Engine {
    /// Puts a trained model in use and keeps it. A tuned backbone lies in no file yet, so one is written, and
    /// kept, as if it had been imported.
    pub(super) async fn install_trained(&mut self, candidate: TrainedModel) -> Result<()> {
        let TrainedModel {
            mut classifier,
            tensors,
            run,
            validation,
            ..
        } = candidate;
        if tensors.is_empty() {
            self.install(classifier, "trained here").await?;
        } else {
            let checkpoint = finetuned_checkpoint(self.model()?, tensors).await?;
            let head = classifier.head_state().await?;
            let before = self.model()?.origin.sha256().to_string();
            let bytes =
                weights::save_model(&checkpoint, &head, &classifier.metadata(&before), None)?;
            // From the file, so that what is in use now is what comes back after a reload.
            classifier.backbone = classifier.backbone.reload(checkpoint)?;
            let origin = self.store.write_backbone(bytes, &self.mailbox).await;
            self.set_model(classifier, origin, "trained here");
            self.persist_head().await;
        }
        if let Some(model) = &mut self.model {
            model.run = Some(run.id);
        }
        // Only now: a run that was dropped held out nothing from the model in use.
        self.data()?.validation = validation;
        Ok(())
    }
}

/// The backbone in use with those tensors in place of its own.
async fn finetuned_checkpoint(
    model: &ActiveModel,
    tensors: Vec<NamedTensor>,
) -> Result<Checkpoint> {
    // What was not trained stays as it came, with its batch norm. Without that file (another tab may
    // have put its own there) all is written as it is computed with.
    let (mut checkpoint, rest) = match model.backbone_file().await {
        Ok(checkpoint) => (checkpoint, Vec::new()),
        Err(_) => {
            let backbone = &model.classifier.backbone;
            let all = TrainableStages::of(backbone, Scope::All, backbone.device());
            (Checkpoint::default(), all.state().await?)
        }
    };
    for (name, shape, data) in rest.into_iter().chain(tensors) {
        let dtype = Dtype::F32;
        let entry = StoredTensor { shape, dtype, data };
        checkpoint.tensors.insert(name, entry);
    }
    Ok(checkpoint)
}
