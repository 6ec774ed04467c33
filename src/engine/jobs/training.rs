//! Trainings on the data set in use: one or several that differ in their seed, gone on with where they were
//! interrupted; the best one's model is put in use and kept.

mod checkpoint;
mod finetune;
mod head;
mod observer;
mod trained_model;

use std::ops::ControlFlow;

use checkpoint::{CheckpointManifest, CheckpointWriter};
pub(super) use finetune::trainable_stages;
use trained_model::{TrainedModel, trained};

use crate::config::{Augment, Scope, StartFrom, TrainConfig, TrainRequest};
use crate::data::{Dataset, Split, Subset, split_few};
use crate::engine::active_model::ActiveModel;
use crate::engine::loaded_teacher::LoadedTeacher;
use crate::engine::seen_images::{self, count_seen, forget_seen, list_of, mark_seen};
use crate::engine::test_accuracy::test_accuracy;
use crate::engine::{Engine, JobContext, image_loader};
use crate::error::{Error, Result};
use crate::network::inspect::check_size;
use crate::platform::{StorageLocation, parallel, time};
use crate::protocol::{Backend, EngineState, Event, Interrupted, Run, TrainEvent};
use crate::train::feature_source::Request;
use crate::train::head::Resume;
use crate::train::metrics::share;
use crate::weights::Bundled;

/// What was in use before a training.
struct Before {
    /// The model that it did not begin from.
    replaced: Option<ActiveModel>,
    /// Edge of the input of the one that it did, in pixels.
    size: usize,
    /// The run that this one is of.
    run: Option<u64>,
}

/// Which images a training learns from, and which are held out.
pub(in crate::engine) fn split_of(set: &Dataset, config: &TrainConfig) -> Split {
    let few = (config.images_per_class, config.seed);
    split_few(set, few, config.val_fraction, config.split_seed)
}

impl Engine {
    /// Trains, so many times.
    pub(in crate::engine) async fn train(
        &mut self,
        config: &TrainConfig,
        seeds: usize,
        start: StartFrom,
    ) -> Result<()> {
        let request = TrainRequest {
            config: config.clone(),
            seeds,
        };
        request.check()?;
        let replaced = self.begin_from(start.of(config)).await?;
        let before = self.before(replaced)?;
        let wanted = config.input_size.unwrap_or(before.size);
        let trained = async {
            self.set_input_size(wanted)?;
            let id = time::unix();
            let manifest = self.manifest(config, seeds, id).await?;
            self.train_all(manifest, None).await
        };
        let trained = trained.await;
        self.restore_unless_trained(trained, before)
    }

    /// Tells the model that a training begins from, if it took another's place.
    fn before(&mut self, replaced: Option<ActiveModel>) -> Result<Before> {
        if replaced.is_some() {
            self.tell_model();
        }
        let model = self.model()?;
        Ok(Before {
            replaced,
            size: model.classifier.preprocess.size,
            run: model.run,
        })
    }

    /// After a training that failed the model is in use that was before it, with the input that it had; unless one of several
    /// seeds came to its end: then that one's is.
    fn restore_unless_trained(&mut self, trained: Result<()>, before: Before) -> Result<()> {
        if trained.is_err() && self.model()?.run == before.run {
            self.set_input_size(before.size)?;
            if let Some(replaced) = before.replaced {
                self.set_active(replaced);
            }
        }
        trained
    }

    /// Goes on with the training that was interrupted.
    pub(in crate::engine) async fn continue_training(&mut self) -> Result<()> {
        let none = || Error::Storage("there is no training to go on with".to_string());
        let place = self.place.clone().ok_or_else(none)?;
        let manifest = checkpoint::read_manifest(&place).await.ok_or_else(none)?;
        let other = manifest.backbone != self.model()?.origin.sha256();
        // A head to go on from is not in a bundled file.
        let fetch = other && !manifest.run.config.resume_head;
        let replaced = match Bundled::of_hash(&manifest.backbone).filter(|_| fetch) {
            Some(bundled) => self.change_to(bundled.model).await?,
            None => None,
        };
        let before = self.before(replaced)?;
        let continued = async {
            self.set_input_size(manifest.size)?;
            self.continue_from(&place, manifest).await
        };
        let continued = continued.await;
        self.restore_unless_trained(continued, before)
    }

    async fn continue_from(
        &mut self,
        place: &StorageLocation,
        manifest: CheckpointManifest,
    ) -> Result<()> {
        let now = self
            .manifest(&manifest.run.config, manifest.run.seeds, 0)
            .await?;
        if now.data != manifest.data {
            return Err(Error::Dataset(format!(
                "the training was on other images: {}",
                manifest.run.dataset
            )));
        }
        if now.teacher != manifest.teacher {
            return Err(Error::weights(
                "teacher",
                "the training began with another one; name that one again, or discard the training",
            ));
        }
        if now.backbone != manifest.backbone {
            return Err(Error::weights(
                "model",
                "the training began with another model; load that one again, or discard the training",
            ));
        }
        if manifest.seen.is_some() && manifest.seen != now.seen {
            return Err(Error::weights(
                "list of seen images",
                "the training began with another one, by which other images were held out; discard the training",
            ));
        }
        let resume = checkpoint::resume(place, &manifest).await?;
        self.train_all(manifest, resume).await
    }

    /// Forgets the training that was interrupted.
    pub(in crate::engine) async fn discard(&mut self) -> Result<()> {
        if let Some(place) = &self.place {
            checkpoint::forget(place).await?;
        }
        self.mailbox.emit(Event::Interrupted { run: None });
        Ok(())
    }

    /// Says whether there is a training to go on with.
    pub(in crate::engine) async fn tell_interrupted(&self) {
        let manifest = match &self.place {
            Some(place) => checkpoint::read_manifest(place).await,
            None => None,
        };
        let run = manifest.map(|manifest| manifest.run);
        self.mailbox.emit(Event::Interrupted { run });
    }

    /// Gives the model's input that edge. Features of another size are worthless and go.
    fn set_input_size(&mut self, size: usize) -> Result<()> {
        let model = self.model.as_mut();
        let model = model.ok_or_else(|| Error::weights("model", "none is loaded yet"))?;
        if model.classifier.preprocess.size != size {
            model.classifier.preprocess.size = size;
            let width = model.classifier.features();
            if let Some(data) = &mut self.data {
                data.forget_features(width);
            }
            self.tell_model();
        }
        Ok(())
    }

    /// What is to be kept of a training that begins now.
    async fn manifest(
        &mut self,
        config: &TrainConfig,
        seeds: usize,
        id: u64,
    ) -> Result<CheckpointManifest> {
        let model = self.model()?;
        let network = &model.classifier.backbone;
        let (arch, backbone) = (network.arch(), model.origin.sha256().to_string());
        let size = model.classifier.preprocess.size;
        let (classes, head) = (model.classifier.classes.clone(), model.classifier.head_kind);
        let untrained = model.classifier.untrained;
        for size in config.sizes.iter().map(|from| from.size) {
            check_size(network.graph(), arch.name(), size)?;
        }
        self.check_validation_part().await?;
        let data = self.data()?;
        if let Some(problem) = &data.set.problem {
            return Err(Error::Dataset(problem.clone()));
        }
        if config.resume_head && untrained {
            let reason = "these weights have no head that was trained, to go on from";
            return Err(Error::setting("resume the head", reason));
        }
        if config.resume_head && (classes != data.set.classes || head != config.head) {
            let reason = format!(
                "the model has a {} head for {}; the settings want {} for {}",
                head.name(),
                classes.join(", "),
                config.head.name(),
                data.set.classes.join(", ")
            );
            return Err(Error::setting("resume the head", reason));
        }
        if config.images_per_class == 1 && data.set.subset(Subset::Validation).next().is_none() {
            let reason = "1 leaves none to hold out, and the data set has no validation part; 2 at least, or 0 for all";
            return Err(Error::setting("images a class", reason));
        }
        let seen = self.list_of_seen().await;
        let JobContext {
            model,
            teacher,
            data,
            ..
        } = self.context()?;
        let preprocess = &model.classifier.preprocess;
        let teacher = LoadedTeacher::wanted(teacher, config, &data.set.classes, preprocess)?;
        Ok(CheckpointManifest {
            run: Interrupted {
                dataset: data.set.name.clone(),
                demo: data.demo.clone(),
                arch,
                config: config.clone(),
                epochs: Vec::new(),
                seeds,
            },
            size,
            data: data.fingerprint(preprocess).await,
            backbone,
            teacher,
            seen,
            id,
            group: id,
            progress: None,
            state: 0,
            best: 0,
            done: Vec::new(),
            best_run: None,
        })
    }

    /// SHA-256 of the list of what the backbone in use has seen, if it has one. That it is not to be had is said: then those
    /// images are held out as all others.
    async fn list_of_seen(&mut self) -> Option<String> {
        let (_, asset) = list_of(&self.model().ok()?.classifier)?;
        match Bundled::load_asset(asset, &mut |_, _| ControlFlow::Continue(())).await {
            Ok(_) => Some(asset.sha256.to_string()),
            Err(error) => {
                self.mailbox.warn(format!(
                    "Whether the backbone was trained on images of this data set cannot be said ({error}): if it was, the \
                     accuracies measured will be too high."
                ));
                None
            }
        }
    }

    /// Where no image of the data set's own validation part can be read, training images are held out instead, and it is
    /// said: with nothing to measure on no epoch could be the best one.
    async fn check_validation_part(&mut self) -> Result<()> {
        let JobContext {
            mailbox,
            model,
            data,
            ..
        } = self.context()?;
        let classifier = &model.classifier;
        let settings = &classifier.preprocess;
        let own: Vec<usize> = data.set.subset(Subset::Validation).collect();
        let request = |&sample: &usize| Request {
            sample,
            view: None,
            size: settings.size,
        };
        let mut first = None;
        for part in own.chunks(parallel::width()) {
            let requests: Vec<Request> = part.iter().map(request).collect();
            let as_they_are = Augment::default();
            for image in
                image_loader::load(&mut data.set, &requests, settings, &as_they_are, 0).await
            {
                match image {
                    Ok(_) => return Ok(()),
                    Err(error) => _ = first.get_or_insert(error),
                }
            }
            mailbox.poll_commands(Some(classifier)).await?;
        }
        if let Some(error) = first {
            mailbox.warn(format!(
                "None of the {} images of the validation part can be read ({error}). Training images are held out in \
                 their place.",
                own.len()
            ));
            data.set.set_aside(own);
        }
        Ok(())
    }

    /// The trainings of one command that are left, the first of them from `resume` on.
    async fn train_all(
        &mut self,
        mut manifest: CheckpointManifest,
        mut resume: Option<Resume>,
    ) -> Result<()> {
        let seeds = manifest.run.seeds;
        // Which images are held out depends on it; a training kept by a version without such a list goes on without.
        let mut context = self.context()?;
        match manifest.seen {
            Some(_) => {
                let samples = context.data.to_compare();
                mark_seen(&mut context, &samples).await?;
            }
            None => forget_seen(context.data),
        }
        // A program of its own has no list of them from last time.
        for run in &manifest.done {
            self.history.add(run.clone(), &self.mailbox).await;
        }
        let mut best = self.best_run(&manifest).await;
        while manifest.run.seeds > 0 {
            if seeds > 1 {
                self.mailbox.emit(TrainEvent::Begun {
                    number: seeds - manifest.run.seeds + 1,
                    of: seeds,
                    seed: manifest.run.config.seed,
                });
            }
            let result = self.one(&manifest, resume.take()).await;
            let candidate = match result {
                Ok(candidate) => candidate,
                Err(error) => return self.ended_with(best, error).await,
            };
            self.history.add(candidate.run.clone(), &self.mailbox).await;
            manifest.done.push(candidate.run.clone());
            let stopped_by_user = candidate.stopped_by_user;
            let (id, head_alone) = (candidate.run.id, candidate.run.config.scope == Scope::Head);
            let measured = candidate.classifier.clone();
            manifest.run.seeds -= 1;
            if best
                .as_ref()
                .is_none_or(|best| candidate.run.beats(&best.run))
            {
                if manifest.run.seeds > 0 && !stopped_by_user {
                    self.checkpoint_best_run(&mut manifest, &candidate).await;
                }
                best = Some(candidate);
            }
            // Of several trainings one is kept; how far their accuracies lie apart is told of all of them. Trained
            // convolutions are measured once they are in use.
            if seeds > 1 && head_alone && !stopped_by_user {
                let test = match self.context() {
                    Ok(context) => test_accuracy(context, &measured).await,
                    Err(error) => Err(error),
                };
                match test {
                    Ok(Some(test)) => {
                        if let Some(done) = manifest.done.last_mut() {
                            done.test = Some(test);
                        }
                        self.history.set_test(id, test, &self.mailbox).await;
                    }
                    Ok(None) => {}
                    Err(error) => return self.ended_with(best, error).await,
                }
            }
            manifest.run.config.seed = manifest.run.config.seed.wrapping_add(1);
            manifest.run.epochs.clear();
            manifest.progress = None;
            // Two runs may not have one id.
            manifest.id = time::unix().max(manifest.id + 1);
            if stopped_by_user {
                break;
            }
        }
        let Some(best) = best else {
            return Err(Error::Dataset("there was no training".to_string()));
        };
        let (best_epoch, stopped) = (best.run.best_epoch, best.run.stopped);
        if let Err(error) = self.install_trained(best).await {
            return self.ended(error).await;
        }
        // Whether or not it can be removed: the model is in use and kept.
        let _ = self.discard().await;
        self.mailbox.emit(TrainEvent::Trained {
            best_epoch,
            stopped,
        });
        Ok(())
    }

    /// A training of several that failed. What those before it gave is not lost with it.
    async fn ended_with(&mut self, best: Option<TrainedModel>, error: Error) -> Result<()> {
        if let Some(best) = best
            && !matches!(error, Error::Gpu(_))
        {
            self.install_trained(best).await?;
        }
        self.ended(error).await
    }

    /// The best of the trainings before the one that was interrupted.
    async fn best_run(&mut self, manifest: &CheckpointManifest) -> Option<TrainedModel> {
        let (place, best_run) = (self.place.clone()?, manifest.best_run?);
        let run = manifest
            .done
            .iter()
            .find(|run| run.id == best_run.id)?
            .clone();
        let found = async {
            let tensors = checkpoint::read_best_run(&place, best_run).await?;
            let old = self.model()?.classifier.clone();
            TrainedModel::restore(&old, &self.data()?.set, run, tensors)
        };
        let found = found.await;
        found
            .map_err(|error| {
                let text = format!("The trainings before it do not count any more: {error}");
                self.mailbox.warn(text);
            })
            .ok()
    }

    /// Keeps a training that no other has beaten yet.
    async fn checkpoint_best_run(
        &mut self,
        manifest: &mut CheckpointManifest,
        candidate: &TrainedModel,
    ) {
        let Some(place) = self.place.clone() else {
            return;
        };
        let kept = async {
            let tensors = candidate.state().await?;
            checkpoint::write_best_run(&place, manifest, candidate.run.id, &tensors).await
        };
        match kept.await {
            Ok(best_run) => manifest.best_run = Some(best_run),
            Err(error) => self.mailbox.warn(format!(
                "This training is not kept, should those that follow be interrupted: {error}"
            )),
        }
    }

    /// A training that failed: of a lost GPU the page is told apart, for it can go on on a fresh one. One that
    /// was cancelled is not offered again.
    async fn ended(&mut self, error: Error) -> Result<()> {
        match error {
            Error::Gpu(reason) if self.device()?.backend == Backend::Webgpu => {
                self.mailbox.emit(Event::DeviceLost { reason });
                self.tell_interrupted().await;
                Ok(())
            }
            // Nobody wants it any more, or it would end so again.
            error @ (Error::Cancelled | Error::Diverged(_)) => {
                let _ = self.discard().await;
                Err(error)
            }
            error => {
                self.tell_interrupted().await;
                Err(error)
            }
        }
    }

    /// One training.
    async fn one(
        &mut self,
        manifest: &CheckpointManifest,
        resume: Option<Resume>,
    ) -> Result<TrainedModel> {
        let start = time::now();
        // Of one that goes on, the epochs that are done.
        let before: f64 = manifest.run.epochs.iter().map(|e| e.milliseconds).sum();
        let config = &manifest.run.config;
        let split = split_of(&self.data()?.set, config);
        let set = &self.data()?.set;
        let classes = set.classes.clone();
        let mut counts = vec![[0; 2]; classes.len()];
        for (part, samples) in [&split.train, &split.validation].into_iter().enumerate() {
            for label in samples.iter().filter_map(|i| set.samples.get(*i)?.class) {
                counts[label][part] += 1;
            }
        }
        let own = set.subset(Subset::Validation).next().is_some();
        self.mailbox.emit(TrainEvent::Divided { counts, own });
        let seen = count_seen(&self.context()?, &split);
        // Of several seeds all hold out the same images, unless each draws its own.
        let another = manifest.done.is_empty() || resume.is_some() || config.images_per_class > 0;
        if let Some(seen) = seen.filter(|_| another) {
            let text = seen_images::warning(&seen, split.validation.len());
            self.mailbox.warn(text);
        }
        let writer = match &self.place {
            Some(place) => CheckpointWriter::begin(place.clone(), manifest.clone())
                .await
                .map(Some),
            None => Ok(None),
        };
        let writer = writer.unwrap_or_else(|error| {
            self.mailbox.warn(format!(
                "If this training is interrupted, it cannot be taken up again: {error}"
            ));
            None
        });
        let context = self.context()?;
        let outcome = if config.scope == Scope::Head {
            head::train_head(context, config, &split, resume, writer).await
        } else {
            finetune::finetune(context, config, &split, resume, writer).await
        }?;
        self.mailbox.set_state(EngineState::Training);
        let fit = outcome.fit;
        if let Some(error) = &fit.diverged {
            self.mailbox.warn(format!(
                "The training ended early, its best epoch counts: {error}"
            ));
        }
        let old = &self.model()?.classifier;
        let classifier = trained(old, config, fit.model.head, classes);
        let tensors = match &fit.model.tail {
            Some(tail) => tail.state().await?,
            None => Vec::new(),
        };
        let best = fit.epochs.get(fit.best_epoch - 1);
        let accuracy = best.map_or(0.0, |best| best.val_accuracy);
        let held_out = outcome.images[1] as u64;
        let run = Run {
            id: manifest.id,
            group: manifest.group,
            dataset: manifest.run.dataset.clone(),
            images: outcome.images,
            arch: manifest.run.arch,
            backbone: manifest.backbone.clone(),
            teacher: manifest.teacher.clone(),
            size: classifier.preprocess.size,
            device: self.device()?.name.clone(),
            config: config.clone(),
            epochs: fit.epochs,
            best_epoch: fit.best_epoch,
            stopped: fit.stopped,
            validation: share((accuracy * held_out as f64).round() as u64, held_out),
            test: None,
            milliseconds: before + time::now() - start,
            seen,
        };
        Ok(TrainedModel {
            classifier,
            tensors,
            run,
            validation: split.validation,
            stopped_by_user: fit.stopped_by_user,
        })
    }
}
