//! What the engine says, and what of the state that changes.

use super::State;
use crate::{
    config::Scope,
    protocol::{EngineState, Event, JobId, Skipped},
    ui::{
        form::Choice,
        parts::{
            self, Dataset, Device, Incoming, JobKind, Outcome, Place, Prediction, Progress, Sample,
            Shared,
        },
        training::{Forecast, Pulse, Turn},
    },
};

impl State {
    pub(super) fn hear(&mut self, Incoming { event, urls }: Incoming) {
        if self.deaf {
            return self.discarded.change().extend(urls);
        }
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
                    _ => self.end(0),
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
            Event::Model { model } => {
                if !model.arch.trains_convolutions() {
                    self.form.change().choose(Choice::Scope, Scope::Head.name());
                }
                self.model = Some(Shared::new(model));
                self.evaluation = None;
                self.forecast = None;
            }
            Event::Samples { names } => {
                let samples = names.into_iter().zip(urls);
                let samples = samples.map(|(name, url)| Sample { name, url });
                self.samples = Shared::new(samples.collect());
            }
            Event::Runs { runs } => self.know(runs),
            Event::Interrupted { run } => self.interrupted = run.map(Shared::new),
            Event::Warning { text } => self.say(Place::Page, false, text),
            Event::Failed { job: 0, error, .. } => {
                self.end(0);
                self.say(Place::Page, true, error);
            }
            event => self.hear_of_job(event, urls),
        }
    }

    fn hear_of_job(&mut self, event: Event, urls: Vec<String>) {
        let Some((id, kind)) = self.running(&event) else {
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
                let config = self.form.config().unwrap_or_default();
                self.forecast = Some(Shared::new(Forecast {
                    estimate,
                    epochs: config.epochs,
                    seeds: self.form.seeds().unwrap_or(1),
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
                self.say(kind.place(), false, format!("Saved {name}."));
                self.end(id);
            }
            Event::Finished { .. } => self.end(id),
            Event::Cancelled { .. } => {
                if kind == JobKind::Train {
                    self.training = None;
                }
                self.end(id);
                if kind == JobKind::Dataset {
                    self.not_opened();
                }
            }
            Event::Failed { error, .. } => {
                self.say(kind.place(), true, error);
                self.end(id);
                if kind == JobKind::Dataset {
                    self.not_opened();
                }
            }
            Event::DeviceLost { reason, .. } => {
                if kind == JobKind::Train {
                    self.lost(&reason);
                }
            }
            event => {
                if kind == JobKind::Train {
                    self.hear_of_training(event, id);
                }
            }
        }
    }

    fn hear_of_training(&mut self, event: Event, id: JobId) {
        let Some(training) = &mut self.training else {
            return;
        };
        match event {
            Event::Featurised {
                images,
                milliseconds,
                ..
            } => training.change().featurised = Some((images, milliseconds)),
            Event::Tuning { kept, bytes, .. } => training.change().tuning = Some((kept, bytes)),
            Event::Views { views, images, .. } => training.change().views = Some((views, images)),
            Event::Begun {
                number, of, seed, ..
            } => training.change().begin(Turn { number, of, seed }),
            Event::Pulse {
                epoch,
                loss,
                learning_rate,
                images_per_second,
                ..
            } => training.change().feel(Pulse {
                epoch,
                loss,
                learning_rate,
                images_per_second,
            }),
            Event::Epoch { report, .. } => training.change().report(report),
            Event::Trained {
                best_epoch,
                stopped,
                ..
            } => {
                training.change().result = Some((best_epoch, stopped));
                if training.is_last() {
                    self.over(id);
                }
            }
            // The bench's, those that `hear` and `hear_of_job` deal with, and those of other jobs.
            _ => {}
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
    fn running(&self, event: &Event) -> Option<(JobId, JobKind)> {
        let id = parts::job_of(event)?;
        let job = self.jobs.iter().find(|j| j.id == id)?;
        Some((job.id, job.kind))
    }
}
