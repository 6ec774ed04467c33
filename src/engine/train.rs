//! Trainings on the data set in use: one or several that differ in their seed, gone on with where they were
//! interrupted; the best one's model is put in use and kept.

use super::Engine;
use super::adopt::{Candidate, trained};
use super::keeper::{self, Keeper, Record};
use crate::config::{Normalization, Preprocess, Scope, TrainConfig};
use crate::data as dataset;
use crate::error::{Error, Result};
use crate::model::arch::check_scope;
use crate::platform::{Place, time};
use crate::protocol::{Backend, EngineState, Event, Interrupted, Run, TrainEvent};
use crate::train::metrics::share;
use crate::train::run::Resume;

impl Engine {
    /// Trains, so many times.
    pub(super) async fn train(&mut self, config: &TrainConfig, seeds: usize) -> Result<()> {
        TrainConfig::check_seeds(seeds)?;
        config.check()?;
        let before = self.model()?.classifier.preprocess.size;
        let wanted = config.input_size.unwrap_or(before);
        let trained = async {
            self.set_input_size(wanted)?;
            let id = time::unix();
            let record = self.record(config, seeds, id).await?;
            self.train_all(record, None).await
        };
        let trained = trained.await;
        self.or_size(trained, before)
    }

    /// After a training that failed the model has the input that it had.
    fn or_size(&mut self, trained: Result<()>, size: usize) -> Result<()> {
        if trained.is_err() {
            self.set_input_size(size)?;
        }
        trained
    }

    /// Goes on with the training that was interrupted.
    pub(super) async fn go_on(&mut self) -> Result<()> {
        let none = || Error::Storage("there is no training to go on with".to_string());
        let place = self.place.clone().ok_or_else(none)?;
        let record = keeper::record(&place).await.ok_or_else(none)?;
        let before = self.model()?.classifier.preprocess.size;
        self.set_input_size(record.size)?;
        let result = self.go_on_from(&place, record).await;
        self.or_size(result, before)
    }

    async fn go_on_from(&mut self, place: &Place, record: Record) -> Result<()> {
        let now = self.record(&record.run.config, record.run.seeds, 0).await?;
        if now.data != record.data {
            return Err(Error::Dataset(format!(
                "the training was on other images: {}",
                record.run.dataset
            )));
        }
        if now.teacher != record.teacher {
            return Err(Error::weights(
                "teacher",
                "the training began with another one; name that one again, or discard the training",
            ));
        }
        if now.backbone != record.backbone {
            return Err(Error::weights(
                "model",
                "the training began with another model; load that one again, or discard the training",
            ));
        }
        let resume = keeper::resume(place, &record).await?;
        self.train_all(record, resume).await
    }

    /// Forgets the training that was interrupted.
    pub(super) async fn discard(&mut self) -> Result<()> {
        if let Some(place) = &self.place {
            keeper::forget(place).await?;
        }
        self.desk.tell(Event::Interrupted { run: None });
        Ok(())
    }

    /// Says whether there is a training to go on with.
    pub(super) async fn tell_interrupted(&self) {
        let record = match &self.place {
            Some(place) => keeper::record(place).await,
            None => None,
        };
        let run = record.map(|record| record.run);
        self.desk.tell(Event::Interrupted { run });
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
    async fn record(&mut self, config: &TrainConfig, seeds: usize, id: u64) -> Result<Record> {
        let model = self.model()?;
        let (arch, backbone) = (model.classifier.backbone.arch(), model.origin.sha256());
        let backbone = backbone.to_string();
        let size = model.classifier.preprocess.size;
        let (classes, head) = (model.classifier.classes.clone(), model.classifier.head_kind);
        check_scope(arch, config.scope)?;
        let data = self.data()?;
        if let Some(problem) = &data.set.problem {
            return Err(Error::Dataset(problem.clone()));
        }
        if config.keep_head && (classes != data.set.classes || head != config.head) {
            let reason = format!(
                "the model has a {} head for {}; the settings want {} for {}",
                head.name(),
                classes.join(", "),
                config.head.name(),
                data.set.classes.join(", ")
            );
            return Err(Error::setting("keep the head", reason));
        }
        let teacher = self.teacher_for(config)?;
        let preprocess = self.model()?.classifier.preprocess.clone();
        let data = self.data()?;
        Ok(Record {
            run: Interrupted {
                dataset: data.set.name.clone(),
                demo: data.demo.clone(),
                arch,
                config: config.clone(),
                epochs: Vec::new(),
                seeds,
            },
            size,
            data: data.fingerprint(&preprocess).await,
            backbone,
            teacher,
            id,
            group: id,
            progress: None,
            state: 0,
            best: 0,
            done: Vec::new(),
            leader: None,
        })
    }

    /// The trainings of one command that are left, the first of them from `resume` on.
    async fn train_all(&mut self, mut record: Record, mut resume: Option<Resume>) -> Result<()> {
        let seeds = record.run.seeds;
        // A program of its own has no list of them from last time.
        for run in &record.done {
            if !self.runs.iter().any(|known| known.id == run.id) {
                self.add_run(run.clone()).await;
            }
        }
        let mut best = self.leader(&record).await;
        while record.run.seeds > 0 {
            if seeds > 1 {
                self.desk.tell(TrainEvent::Begun {
                    number: seeds - record.run.seeds + 1,
                    of: seeds,
                    seed: record.run.config.seed,
                });
            }
            let result = self.one(&record, resume.take()).await;
            let candidate = match result {
                Ok(candidate) => candidate,
                Err(error) => {
                    // What the trainings before it gave is not lost with this one.
                    if let Some(best) = best.take()
                        && !matches!(error, Error::Gpu(_))
                    {
                        self.adopt_candidate(best).await?;
                    }
                    return self.ended(error).await;
                }
            };
            self.add_run(candidate.run.clone()).await;
            record.done.push(candidate.run.clone());
            let by_user = candidate.by_user;
            record.run.seeds -= 1;
            if best
                .as_ref()
                .is_none_or(|best| candidate.run.beats(&best.run))
            {
                if record.run.seeds > 0 && !by_user {
                    self.lead(&mut record, &candidate).await;
                }
                best = Some(candidate);
            }
            record.run.config.seed = record.run.config.seed.wrapping_add(1);
            record.run.epochs.clear();
            record.progress = None;
            // Two runs may not have one id.
            record.id = time::unix().max(record.id + 1);
            if by_user {
                break;
            }
        }
        let Some(best) = best else {
            return Err(Error::Dataset("there was no training".to_string()));
        };
        let (best_epoch, stopped) = (best.run.best_epoch, best.run.stopped);
        if let Err(error) = self.adopt_candidate(best).await {
            return self.ended(error).await;
        }
        // Whether or not it can be removed: the model is in use and kept.
        let _ = self.discard().await;
        self.desk.tell(TrainEvent::Trained {
            best_epoch,
            stopped,
        });
        Ok(())
    }

    /// The best of the trainings before the one that was interrupted.
    async fn leader(&mut self, record: &Record) -> Option<Candidate> {
        let (place, leader) = (self.place.clone()?, record.leader?);
        let run = record.done.iter().find(|run| run.id == leader.id)?.clone();
        let found = async {
            let tensors = keeper::leader(&place, leader).await?;
            let old = self.model()?.classifier.clone();
            Candidate::restore(&old, &self.data()?.set, run, tensors)
        };
        let found = found.await;
        found
            .map_err(|error| {
                let text = format!("The trainings before it do not count any more: {error}");
                self.desk.warn(text);
            })
            .ok()
    }

    /// Keeps a training that no other has beaten yet.
    async fn lead(&mut self, record: &mut Record, candidate: &Candidate) {
        let Some(place) = self.place.clone() else {
            return;
        };
        let kept = async {
            let tensors = candidate.state().await?;
            keeper::lead(&place, record, candidate.run.id, &tensors).await
        };
        match kept.await {
            Ok(leader) => record.leader = Some(leader),
            Err(error) => self.desk.warn(format!(
                "After a reload this training would not count: {error}"
            )),
        }
    }

    /// A training that failed: of a lost GPU the page is told apart, for it can go on on a fresh one. One that
    /// was cancelled is not offered again.
    async fn ended(&mut self, error: Error) -> Result<()> {
        match error {
            Error::Gpu(reason) if self.opened()?.backend == Backend::Webgpu => {
                self.desk.tell(Event::DeviceLost { reason });
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
    async fn one(&mut self, record: &Record, resume: Option<Resume>) -> Result<Candidate> {
        let start = time::now();
        // Of one that goes on, the epochs that are done.
        let before: f64 = record.run.epochs.iter().map(|e| e.milliseconds).sum();
        let config = &record.run.config;
        let split = dataset::split(&self.data()?.set, config.val_fraction, config.split_seed);
        let classes = self.data()?.set.classes.clone();
        let keeper = match &self.place {
            Some(place) => Keeper::begin(place.clone(), record.clone()).await.map(Some),
            None => Ok(None),
        };
        let keeper = keeper.unwrap_or_else(|error| {
            self.desk.warn(format!(
                "The training could not go on after a reload: {error}"
            ));
            None
        });
        let outcome = if config.scope == Scope::Head {
            self.train_head(config, &classes, &split, resume, keeper)
                .await
        } else {
            self.tune(config, &classes, &split, resume, keeper).await
        }?;
        self.desk.set_state(EngineState::Training);
        let course = outcome.course;
        if let Some(error) = &course.ran_away {
            self.desk.warn(format!(
                "The training ended early, its best epoch counts: {error}"
            ));
        }
        let old = &self.model()?.classifier;
        let classifier = trained(old, config, course.model.head, classes);
        let tensors = match &course.model.tail {
            Some(tail) => tail.state().await?,
            None => Vec::new(),
        };
        let best = course.epochs.get(course.best_epoch - 1);
        let accuracy = best.map_or(0.0, |best| best.val_accuracy);
        let held_out = outcome.images[1] as u64;
        let run = Run {
            id: record.id,
            group: record.group,
            dataset: record.run.dataset.clone(),
            images: outcome.images,
            arch: record.run.arch,
            backbone: record.backbone.clone(),
            teacher: record.teacher.clone(),
            size: classifier.preprocess.size,
            device: self.opened()?.name.clone(),
            config: config.clone(),
            epochs: course.epochs,
            best_epoch: course.best_epoch,
            stopped: course.stopped,
            validation: share((accuracy * held_out as f64).round() as u64, held_out),
            test: None,
            milliseconds: before + time::now() - start,
        };
        Ok(Candidate {
            classifier,
            tensors,
            run,
            validation: split.validation,
            by_user: course.by_user,
        })
    }
}

impl super::Data {
    /// SHA-256 of all that its images and labels follow from: classes, paths, labels, parts, how they are prepared.
    async fn fingerprint(&self, preprocess: &Preprocess) -> String {
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
        crate::platform::hash::sha256(text.as_bytes()).await
    }
}
