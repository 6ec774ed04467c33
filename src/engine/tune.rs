//! Training convolutions: the images through the frozen part, the run, and the tuned backbone in use and
//! kept.

use super::Engine;
use super::data::batch_size;
use super::train::OnDesk;
use crate::config::{Scope, TrainConfig};
use crate::data::Split;
use crate::error::{Error, Result};
use crate::image;
use crate::infer::Classifier;
use crate::model::arch::features;
use crate::model::head::HeadSpec;
use crate::model::tune;
use crate::model::weights::{self, Checkpoint, Dtype, Entry};
use crate::platform::time;
use crate::protocol::{EngineState, Event, JobId, Phase};
use crate::train::inputs::{BUDGET, Inputs, Labelled};
use crate::train::tune::{Tuned, run};

impl Engine {
    /// Trains what `config.scope` says of the backbone in use, with a fresh head; puts the best epoch's
    /// model in use and keeps it.
    pub(super) async fn tune(
        &mut self,
        job: JobId,
        config: &TrainConfig,
        classes: Vec<String>,
        split: Split,
    ) -> Result<()> {
        let tuned = self.tuned(job, config, classes.len(), &split).await?;
        let (best_epoch, stopped) = (tuned.best_epoch, tuned.stopped);
        let old = &self.model()?.classifier;
        let classifier = Classifier {
            backbone: tuned.backbone,
            head: tuned.head,
            head_kind: config.head,
            classes,
            preprocess: old.preprocess.clone(),
            tuned: old.tuned.max(config.scope),
        };
        self.adopt_tuned(classifier, config.scope).await?;
        // Only now: a run that was dropped held out nothing from the model in use.
        self.data()?.validation = split.validation;
        self.desk.tell(Event::Trained {
            job,
            best_epoch,
            stopped,
        });
        Ok(())
    }

    /// The run itself.
    async fn tuned(
        &mut self,
        job: JobId,
        config: &TrainConfig,
        classes: usize,
        split: &Split,
    ) -> Result<Tuned> {
        let Self {
            desk,
            opened,
            model,
            data,
            ..
        } = self;
        let (Some(opened), Some(model), Some(data)) = (opened, model, data) else {
            return Err(Error::Dataset("open a data set first".to_string()));
        };
        let old = &model.classifier;
        let set = &mut data.set;
        let labelled = |samples: &[usize]| -> Vec<Labelled> {
            let label = |&sample: &usize| {
                let label = set.samples.get(sample)?.class?;
                Some(Labelled { sample, label })
            };
            samples.iter().filter_map(label).collect()
        };
        let mut parts = [labelled(&split.train), labelled(&split.validation)];
        let paths: Vec<String> = set.samples.iter().map(|s| s.path.clone()).collect();
        let read = |sample: usize| {
            let bytes = set.read(sample)?;
            image::load(&paths[sample], &bytes, &old.preprocess)
        };
        let images = parts[0].len() + parts[1].len();
        let size = old.preprocess.size;
        let mut inputs = Inputs::new(&old.backbone, config.scope, size, read, images, BUDGET);
        desk.tell(Event::Tuning {
            job,
            kept: inputs.is_cached(),
            bytes: (images as u64) * inputs.bytes_per_sample() as u64,
        });
        if inputs.is_cached() {
            desk.set_state(EngineState::Featurising);
            let (start, mut done) = (time::now(), 0);
            let all: Vec<usize> = parts.iter().flatten().map(|l| l.sample).collect();
            for batch in all.chunks(batch_size(opened.backend)) {
                inputs.keep(batch).await?;
                done += batch.len() as u64;
                desk.progress(job, Phase::Featurising, done, images as u64);
                desk.look_up(job, Some(old)).await?;
            }
            inputs.settle().await?;
            desk.tell(Event::Featurised {
                job,
                images: images - inputs.unreadable().len(),
                milliseconds: time::now() - start,
            });
            for part in &mut parts {
                part.retain(|l| !inputs.unreadable().contains_key(&l.sample));
            }
        }
        desk.set_state(EngineState::Training);
        let features = features(old.backbone.arch());
        let spec = HeadSpec::of(config.head, features, classes);
        let mut observer = OnDesk {
            job,
            desk: &mut *desk,
            old,
        };
        let [train, validation] = &parts;
        let result = run(
            config,
            spec,
            &old.backbone,
            &mut inputs,
            train,
            validation,
            &mut observer,
        )
        .await;
        for (&sample, reason) in inputs.unreadable() {
            let (file, reason) = (paths[sample].clone(), reason.clone());
            desk.tell(Event::FileError { job, file, reason });
        }
        result
    }

    /// Puts a model with a tuned backbone in use. Its backbone lies in no file yet, so one is written, and
    /// kept, as if it had been imported.
    async fn adopt_tuned(&mut self, classifier: Classifier, scope: Scope) -> Result<()> {
        // What was not trained stays as it came, with its batch norm. Without that file (another tab may
        // have put its own there) all is written as it is computed with.
        let (mut checkpoint, written) = match self.backbone_in_use().await {
            Ok(checkpoint) => (checkpoint, scope),
            Err(_) => (Checkpoint::default(), Scope::All),
        };
        for (name, shape, data) in tune::state(&classifier.backbone, written).await? {
            let dtype = Dtype::F32;
            let entry = Entry { shape, dtype, data };
            checkpoint.tensors.insert(name, entry);
        }
        let head = classifier.head_state().await?;
        let before = self.model()?.origin.sha256().to_string();
        let bytes = weights::save_model(&checkpoint, &head, &classifier.metadata(&before))?;
        let origin = self.keep_backbone(bytes).await;
        self.set_model(classifier, origin, "trained here");
        self.keep_head().await;
        Ok(())
    }
}
