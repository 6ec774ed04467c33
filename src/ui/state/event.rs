//! What the engine says, and what of the state that changes.

use super::State;
use crate::{
    protocol::{EngineState, Event, JobId, Message, ModelSummary, START, Skipped, TrainEvent},
    ui::{
        intake,
        jobs::{JobKind, Notice, Progress, Section},
        predictions::{Outcome, Prediction},
        received::{Dataset, Device, Incoming, Sample},
        shared::Shared,
        training::{Forecast, LiveMetrics, Turn},
    },
};

impl State {
    pub(super) fn on_message(&mut self, Incoming { message, urls }: Incoming) {
        if self.ignoring_worker {
            return self.discarded.change().extend(urls);
        }
        let Message { job, body: event } = message;
        match event {
            Event::State { state } => {
                self.engine = state;
                match state {
                    EngineState::Starting => {}
                    // Nothing that was asked for will be done.
                    EngineState::Failed => {
                        self.jobs = Shared::default();
                        self.resume = None;
                    }
                    _ => self.end(START),
                }
                if state == EngineState::Ready {
                    self.end_trained();
                }
            }
            Event::Device {
                backend,
                name,
                note,
            } => {
                let device = Device {
                    backend,
                    name,
                    note,
                };
                self.device = Some(Shared::new(device));
            }
            Event::Model { model } => self.put_in_use(job, Shared::new(model)),
            Event::Samples { names } => {
                let samples = names.into_iter().zip(urls);
                let samples = samples.map(|(name, url)| Sample { name, url });
                self.samples = Shared::new(samples.collect());
            }
            Event::Runs { runs } => self.know(runs),
            Event::Interrupted { run } => self.interrupted = run.map(Shared::new),
            Event::Warning { text } => self.warn(job, text),
            // Of no job, or of the start.
            Event::Failed { error, .. } if matches!(job, None | Some(START)) => {
                self.end(START);
                self.notify(Section::Page, true, error);
            }
            event => self.on_job_event(job, event, urls),
        }
    }

    /// Another model is in use, or the same one under other names. Only a naming leaves the answers as they
    /// are: no summary tells two trainings of a head apart.
    fn put_in_use(&mut self, job: Option<JobId>, model: Shared<ModelSummary>) {
        let by = self.running(job);
        if let (Some((_, JobKind::NameOutputs)), Some(old)) = (by, &self.model) {
            self.batch.change().rename(old, &model);
        }
        self.imported = match by {
            Some((id, JobKind::Import)) => Some(id),
            Some((_, JobKind::NameOutputs | JobKind::SetInput)) => self.imported,
            _ => None,
        };
        // What was said of the model before is no longer of use.
        let of_another = |made: JobId| Some(made) != job;
        let gone = |notice: &Notice| notice.model_of.is_some_and(of_another);
        if self.notices.iter().any(gone) {
            self.notices.change().retain(|notice| !gone(notice));
        }
        self.model = Some(model);
        self.evaluation = None;
        self.forecast = None;
    }

    fn on_job_event(&mut self, job: Option<JobId>, event: Event, urls: Vec<String>) {
        let Some((id, kind)) = self.running(job) else {
            self.discarded.change().extend(urls);
            return;
        };
        match event {
            Event::Progress {
                phase,
                done,
                total,
                milliseconds,
                ..
            } => {
                let progress = Progress {
                    phase,
                    done,
                    total,
                    milliseconds,
                };
                if let Some(job) = self.jobs.change().iter_mut().find(|j| j.id == id) {
                    job.progress = Some(progress);
                }
            }
            Event::Classified {
                file,
                probabilities,
                milliseconds,
                ..
            } => {
                let Some(model) = self.model.clone() else {
                    return;
                };
                let outcome = Prediction::new(model, probabilities, milliseconds).map_or_else(
                    || Outcome::Failed("the model gave no answer".to_owned()),
                    Outcome::Classified,
                );
                self.batch.change().settle(&file, outcome);
            }
            Event::FileError { file, reason, .. } => match (kind, &mut self.training) {
                (JobKind::Classify, _) => {
                    let reason = intake::unclassified(&file, reason);
                    self.batch.change().settle(&file, Outcome::Failed(reason));
                }
                (JobKind::Train, Some(run)) => {
                    run.change().skipped.push(Skipped::failed(file, reason))
                }
                // The others list them in what they answer at their end.
                _ => {}
            },
            Event::Dataset { summary, .. } => {
                self.dataset = Some(Shared::new(Dataset::new(id, summary, &urls)));
                self.evaluation = None;
                self.forecast = None;
                self.end(id);
                self.opened();
            }
            Event::Estimated { estimate, .. } => {
                // The settings cannot be changed while it is made.
                let request = self.form.request().unwrap_or_default();
                self.forecast = Some(Shared::new(Forecast {
                    estimate,
                    epochs: request.config.epochs,
                    seeds: request.seeds,
                }));
                self.end(id);
            }
            Event::Previews { names, .. } => {
                let pictures = names.into_iter().zip(urls);
                let pictures = pictures.map(|(name, url)| Sample { name, url });
                self.previews = Shared::new(pictures.collect());
                self.end(id);
            }
            Event::Evaluated { report, .. } => {
                self.evaluation = Some(Shared::new(report));
                self.end(id);
            }
            Event::Exported { name, .. } => {
                self.notify(kind.section(), false, format!("Saved {name}."));
                self.end(id);
            }
            Event::Finished => self.end(id),
            Event::Cancelled => {
                if kind == JobKind::Train {
                    self.training = None;
                }
                self.end(id);
                if kind == JobKind::Dataset {
                    self.not_opened();
                }
            }
            Event::Failed { error, .. } => {
                self.notify(kind.section(), true, error);
                self.end(id);
                if kind == JobKind::Dataset {
                    self.not_opened();
                }
            }
            Event::DeviceLost { reason } if kind == JobKind::Train => self.lost(&reason),
            Event::Featurised {
                images,
                milliseconds,
            } => {
                if let (JobKind::Train, Some(training)) = (kind, &mut self.training) {
                    training.change().featurised = Some((images, milliseconds));
                }
            }
            Event::Training(event) if kind == JobKind::Train => self.on_train_event(event, id),
            // The bench's, and those that `hear` deals with.
            _ => {}
        }
    }

    fn on_train_event(&mut self, event: TrainEvent, id: JobId) {
        let Some(training) = &mut self.training else {
            return;
        };
        match event {
            TrainEvent::Tuning { kept, bytes, .. } => {
                training.change().tuning = Some((kept, bytes))
            }
            // The page has a table of the classes.
            TrainEvent::Divided { .. } => {}
            TrainEvent::Views { views, images } => training.change().views = Some((views, images)),
            TrainEvent::Begun { number, of, seed } => {
                training.change().begin(Turn { number, of, seed })
            }
            TrainEvent::LiveMetrics {
                epoch,
                loss,
                learning_rate,
                images_per_second,
            } => training.change().push_sample(LiveMetrics {
                epoch,
                loss,
                learning_rate,
                images_per_second,
            }),
            TrainEvent::Epoch { report } => training.change().report(report),
            TrainEvent::Trained {
                best_epoch,
                stopped,
            } => {
                training.change().result = Some((best_epoch, stopped));
                if training.is_last() {
                    self.over(id);
                }
            }
        }
    }

    /// The engine is at rest: of several trainings the last one came sooner than announced.
    fn end_trained(&mut self) {
        let done = self.training.as_ref().is_some_and(|t| t.result.is_some());
        if let (true, Some(job)) = (done, self.job(JobKind::Train)) {
            self.over(job.id);
        }
    }

    /// The running job an event is about.
    fn running(&self, id: Option<JobId>) -> Option<(JobId, JobKind)> {
        let job = self.jobs.iter().find(|j| Some(j.id) == id)?;
        Some((job.id, job.kind))
    }
}
