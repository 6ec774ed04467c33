//! Putting a model in use: the one kept from last time, an imported one, a downloaded one, one of random weights.

use std::ops::ControlFlow;

use crate::classes;
use crate::config::{Arch, BundledModel, InputSettings, StartFrom};
use crate::engine::active_model::{ActiveModel, ModelStore, Origin};
use crate::engine::{Engine, find};
use crate::error::{Error, Result};
use crate::infer::{self, Classifier, Given, Loaded, Purpose};
use crate::platform::files::InputFile;
use crate::protocol::{Event, FileRef, Phase};
use crate::weights::{self, Bundled, Checkpoint, hub};

impl Engine {
    /// At the start: the model kept from last time if there is one and it is whole, else the bundled scenes.
    pub(in crate::engine) async fn load_persisted_or_bundled(&mut self) -> Result<()> {
        if let Some(head) = self.store.head().await {
            match self.load_kept(&head).await {
                Ok(()) => return Ok(()),
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                Err(error) => self.mailbox.warn(format!(
                    "The model kept from last time could not be loaded ({error}); this is the bundled one for six scenes."
                )),
            }
        }
        let model = self.load_bundled(BundledModel::Scenes).await?;
        self.set_active(model);
        Ok(())
    }

    /// The kept head on the backbone it was trained on.
    async fn load_kept(&mut self, head: &[u8]) -> Result<()> {
        let head = ModelStore::read_head(head)?;
        let sha256 = head.metadata.get("backbone").cloned().unwrap_or_default();
        let source = head.metadata.get("source").cloned();
        let (classifier, origin) = if let Some(bundled) = Bundled::of_hash(&sha256) {
            let model = self.load_bundled(bundled.model).await?;
            (model.classifier, model.origin)
        } else {
            let checkpoint = ModelStore::backbone(&sha256).await?;
            let arch = head
                .metadata
                .get("arch")
                .and_then(|name| Arch::from_name(name));
            let device = &self.device()?.device;
            // Its own head gives way to the kept one.
            let loaded = Classifier::load(checkpoint, arch, Given::default(), device)?;
            (loaded.classifier, Origin::Kept { sha256 })
        };
        let (classifier, _) = classifier.with_head(head, None)?;
        self.set_model(classifier, origin, source.as_deref().unwrap_or("kept"));
        Ok(())
    }

    /// A bundled model, fetched if need be, and not yet in use.
    async fn load_bundled(&mut self, model: BundledModel) -> Result<ActiveModel> {
        let untrained = self.classes_wanted();
        let mailbox = &mut self.mailbox;
        let mut progress = |done, total| {
            mailbox.progress(Phase::LoadingModel, done, total);
            if mailbox.is_cancelled() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let bundled = Bundled::of(model);
        let bytes = bundled.load(&mut progress).await?;
        let device = &self.device()?.device;
        let classifier = Classifier::of_bundle(bundled, &bytes, &untrained, device)?;
        let origin = Origin::Bundled(model);
        Ok(ActiveModel::new(classifier, origin, model.name()))
    }

    /// Puts a model in use and says so.
    pub(in crate::engine) fn set_model(
        &mut self,
        classifier: Classifier,
        origin: Origin,
        source: &str,
    ) {
        self.set_active(ActiveModel::new(classifier, origin, source));
    }

    /// The same.
    pub(in crate::engine) fn set_active(&mut self, model: ActiveModel) {
        self.exchange(model);
        self.tell_model();
    }

    /// Puts a model in use without a word; what was in use. Features of another backbone are worthless and go.
    pub(in crate::engine) fn exchange(&mut self, mut model: ActiveModel) -> Option<ActiveModel> {
        let classifier = &mut model.classifier;
        if let Some(transparency) = self.transparency {
            classifier.preprocess.transparency = transparency;
        }
        let same = self.model.as_ref().is_some_and(|old| {
            old.origin.sha256() == model.origin.sha256()
                && old.classifier.preprocess == classifier.preprocess
        });
        if !same && let Some(data) = &mut self.data {
            data.forget_features(classifier.features());
        }
        self.model.replace(model)
    }

    /// Puts the bundled model in use that a training for the classes of the data set in use begins from, if it is
    /// another than the one in use, without a word; what was in use.
    pub(in crate::engine) async fn begin_from(
        &mut self,
        start: StartFrom,
    ) -> Result<Option<ActiveModel>> {
        let bundled = self.model()?.origin.bundled();
        let set = &self.data()?.set;
        if let Some(problem) = &set.problem {
            return Err(Error::Dataset(problem.clone()));
        }
        let classes = set.classes.clone();
        match start.instead(bundled, &classes) {
            Some(instead) => self.change_to(instead).await,
            None => Ok(None),
        }
    }

    /// Puts a bundled model in use without a word and without keeping it for the next start; what was in use.
    pub(in crate::engine) async fn change_to(
        &mut self,
        bundled: BundledModel,
    ) -> Result<Option<ActiveModel>> {
        let loaded = self.load_bundled(bundled).await?;
        self.prepare_kernels(&loaded.classifier).await?;
        Ok(self.exchange(loaded))
    }

    /// Says which model is in use.
    pub(in crate::engine) fn tell_model(&self) {
        if let Some(model) = &self.model {
            let model = model.summary();
            self.mailbox.emit(Event::Model { model });
        }
    }

    /// Keeps the head in use for the next start.
    pub(in crate::engine) async fn persist_head(&self) {
        if let Some(model) = &self.model {
            self.store.write_head(model, &self.mailbox).await;
        }
    }

    /// Puts a trained head in use and keeps it.
    pub(in crate::engine) async fn install(
        &mut self,
        classifier: Classifier,
        source: &str,
    ) -> Result<()> {
        let origin = self.model()?.origin.clone();
        self.set_model(classifier, origin, source);
        self.persist_head().await;
        Ok(())
    }

    /// A checkpoint from a file: a whole model, or a head for the backbone in use.
    pub(in crate::engine) async fn import(
        &mut self,
        file: &FileRef,
        beside: &[FileRef],
        arch: Option<Arch>,
        (classes, input, purpose): (Option<Vec<String>>, InputSettings, Purpose),
        files: &[InputFile],
    ) -> Result<()> {
        let bytes = find(file, files)?.read()?;
        let (mut checkpoint, converted) = infer::read_model(&file.path, &bytes)?;
        for other in beside {
            let handle = find(other, files)?;
            if handle.len() > weights::MAX_BESIDE {
                continue;
            }
            weights::read_beside(&mut checkpoint, handle.name(), &handle.read()?);
        }
        if infer::is_head(&checkpoint) {
            let model = self.model()?;
            // A whole model that was exported and came back has another hash on the same backbone, so
            // this is no reason to refuse.
            let trained_on = checkpoint.metadata.get("backbone");
            let other = trained_on.is_some_and(|sha256| sha256 != model.origin.sha256());
            let (mut classifier, warnings) =
                model.classifier.with_head(checkpoint, classes.as_deref())?;
            input.apply(&mut classifier.preprocess);
            classifier.preprocess.check()?;
            self.prepare_kernels(&classifier).await?;
            let tried = classifier.try_out().await;
            tried.map_err(|error| error.in_file(&file.path))?;
            self.install(classifier, &file.path).await?;
            for warning in warnings {
                self.mailbox.warn(warning);
            }
            if other {
                self.mailbox.warn(format!(
                    "{} was trained on another backbone file than the one in use; if its labels make no \
                     sense, import the whole model it belongs to.",
                    file.path
                ));
            }
        } else {
            let told = (classes.as_deref(), input, purpose);
            let kept = converted.unwrap_or(bytes);
            self.use_checkpoint(checkpoint, kept, arch, told, &file.path)
                .await?;
        }
        self.mailbox.emit(Event::Finished);
        Ok(())
    }

    /// Names the outputs of the model in use.
    pub(in crate::engine) async fn name_classes(&mut self, classes: Vec<String>) -> Result<()> {
        let ActiveModel {
            classifier,
            origin,
            source,
            ..
        } = self.model()?;
        let outputs = classifier.classes.len();
        infer::check_names(&classes, outputs).map_err(|reason| Error::weights(source, reason))?;
        let names: Vec<String> = classes.iter().map(|name| name.trim().to_string()).collect();
        let renamed = infer::renamed(source, &classifier.classes, &names);
        let named = Classifier {
            classes: names,
            ..classifier.clone()
        };
        let (origin, source) = (origin.clone(), source.clone());
        self.set_model(named, origin, &source);
        if let Some(text) = renamed {
            self.mailbox.warn(text);
        }
        self.persist_head().await;
        self.mailbox.emit(Event::Finished);
        Ok(())
    }

    /// Changes how the images of the model in use are prepared.
    pub(in crate::engine) async fn set_input(&mut self, input: InputSettings) -> Result<()> {
        let ActiveModel {
            classifier,
            origin,
            source,
            ..
        } = self.model()?;
        let mut changed = classifier.clone();
        input.apply(&mut changed.preprocess);
        changed.preprocess.check()?;
        let (origin, source) = (origin.clone(), source.clone());
        self.prepare_kernels(&changed).await?;
        changed.try_out().await?;
        self.set_model(changed, origin, &source);
        self.persist_head().await;
        self.mailbox.emit(Event::Finished);
        Ok(())
    }

    /// Pretrained ImageNet weights from the hub.
    pub(in crate::engine) async fn download(&mut self, arch: Arch) -> Result<()> {
        let mailbox = &mut self.mailbox;
        let mut progress = |done, total| {
            mailbox.progress(Phase::Downloading, done, total);
            if mailbox.is_cancelled() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let file = hub::download(self.hub.as_deref(), arch, &mut progress).await?;
        for warning in file.warnings {
            self.mailbox.warn(warning);
        }
        let name = format!("{} (ImageNet)", arch.name());
        let used = match weights::read(&name, &file.bytes) {
            Ok(checkpoint) => {
                let told = (None, InputSettings::default(), Purpose::Pretrained);
                self.use_checkpoint(checkpoint, file.bytes, Some(arch), told, &name)
                    .await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = used {
            // Whatever is wrong with it, the next try must ask the server again; and without storage
            // there is nothing to forget.
            let _ = hub::forget(self.hub.as_deref(), arch).await;
            return Err(error);
        }
        self.mailbox.emit(Event::Finished);
        Ok(())
    }

    /// A backbone of random weights.
    pub(in crate::engine) async fn random_init(&mut self, arch: Arch, seed: u64) -> Result<()> {
        if arch == Arch::Imported {
            let reason = "an imported network is in its file, and nowhere else";
            return Err(Error::setting("random weights", reason));
        }
        let checkpoint = crate::model::trainable::random_init(&arch.graph(), arch.name(), seed);
        let name = checkpoint.file.clone();
        let metadata = [("format", "pt"), ("arch", arch.name()), ("input", "150")];
        let metadata = metadata.map(|(key, value)| (key.to_string(), value.to_string()));
        let bytes = weights::save_model(&checkpoint, &[], &metadata.into(), None)?;
        let checkpoint = weights::read(&name, &bytes)?;
        let told = (None, InputSettings::default(), Purpose::Pretrained);
        self.use_checkpoint(checkpoint, bytes, Some(arch), told, &name)
            .await?;
        self.mailbox.emit(Event::Finished);
        Ok(())
    }

    /// Puts a whole model in use and keeps its file.
    async fn use_checkpoint(
        &mut self,
        checkpoint: Checkpoint,
        bytes: Vec<u8>,
        arch: Option<Arch>,
        (names, input, purpose): (Option<&[String]>, InputSettings, Purpose),
        source: &str,
    ) -> Result<()> {
        let untrained = self.classes_wanted();
        let given = Given {
            names,
            untrained: &untrained,
            input,
            purpose,
        };
        let device = &self.device()?.device;
        let Loaded {
            mut classifier,
            warnings,
            ..
        } = Classifier::load(checkpoint, arch, given, device)?;
        self.prepare_kernels(&classifier).await?;
        let tried = classifier.try_out().await;
        tried.map_err(|error| error.in_file(source))?;
        let origin = self.store.write_backbone(bytes, &self.mailbox).await;
        // A bundled file that came by another way has seen the same images.
        classifier.seen = Bundled::seen_by(origin.sha256()).or(classifier.seen);
        self.set_model(classifier, origin, source);
        self.persist_head().await;
        for warning in warnings {
            self.mailbox.warn(warning);
        }
        Ok(())
    }

    /// The labels a new head would get: those of the data set, else those of the model in use.
    pub(in crate::engine) fn classes_wanted(&self) -> Vec<String> {
        let data = self.data.as_ref().filter(|data| data.set.problem.is_none());
        match (data, &self.model) {
            (Some(data), _) => data.set.classes.clone(),
            (None, Some(model)) => model.classifier.classes.clone(),
            (None, None) => classes::intel(),
        }
    }

    /// Forgets the kept model and puts a bundled one in use, which is kept if it is not the one that is used unasked.
    pub(in crate::engine) async fn use_bundled(&mut self, bundled: BundledModel) -> Result<()> {
        self.change_to(bundled).await?;
        self.tell_model();
        self.store.clear(&self.mailbox).await;
        if bundled != BundledModel::default() {
            self.persist_head().await;
        }
        self.mailbox.emit(Event::Finished);
        Ok(())
    }
}
