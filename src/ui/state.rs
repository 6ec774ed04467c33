//! What the page shows, and the one place where that changes.
//!
//! The engine may still be answering for a job that the user has replaced or dropped. Every long job
//! carries an id, and an event of a job that is not in the list of running ones changes nothing.

use std::rc::Rc;

use yew::Reducible;

use super::{
    form::{Field, TrainForm},
    parts::{
        self, Batch, Dataset, Device, Incoming, Job, JobKind, Notice, Outcome, Place, Prediction,
        Progress, Run, Sample, Shared,
    },
};
use crate::{
    config::{Arch, HeadKind, Scope},
    protocol::{EngineState, Evaluation, Event, JobId, ModelSummary, Skipped},
};

/// All that the page shows. Cloned with every change, so what is large is [`Shared`].
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// What the engine is doing.
    pub engine: EngineState,
    /// What runs the model, once known.
    pub device: Option<Shared<Device>>,
    /// The model in use, once loaded.
    pub model: Option<Shared<ModelSummary>>,
    /// Jobs under way, oldest first; at most one of a kind.
    pub jobs: Shared<Vec<Job>>,
    /// Pictures to try first.
    pub samples: Shared<Vec<Sample>>,
    /// The images last given.
    pub batch: Shared<Batch>,
    /// The data set in use.
    pub dataset: Option<Shared<Dataset>>,
    /// The last training run.
    pub run: Option<Shared<Run>>,
    /// The last evaluation of the model in use on the data set in use.
    pub evaluation: Option<Shared<Evaluation>>,
    /// The training settings as typed.
    pub form: Shared<TrainForm>,
    /// The backbone chosen for download.
    pub arch: Arch,
    /// Messages that were not dismissed.
    pub notices: Shared<Vec<Notice>>,
    /// Files found so far in a folder that is being read.
    pub reading: Option<usize>,
    /// Whether something is being dragged over the page.
    pub dragging: bool,
    /// Network requests since the page was ready.
    pub requests: u32,
    /// Addresses of pictures that came for a dropped job: to be given back to the browser.
    pub discarded: Shared<Vec<String>>,
    next_notice: u32,
}

/// What the user began.
#[derive(Debug, Clone, PartialEq)]
pub enum Began {
    /// Classifying these files; with the address of the picture for those shown as cards.
    Classify(Vec<(String, Option<String>)>),
    /// A training of so many epochs.
    Train(usize),
    /// Any other job.
    Other(JobKind),
}

/// What changes the state.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// The worker spoke; all it said since the last frame.
    Worker(Vec<Incoming>),
    /// The worker is gone; why, in a sentence.
    Broken(String),
    /// A job was sent to the worker.
    Began(JobId, Began),
    /// A setting was typed.
    Typed(Field, String),
    /// A head was chosen.
    Head(HeadKind),
    /// What is trained was chosen.
    Scope(Scope),
    /// A backbone was chosen for download.
    Arch(Arch),
    /// Another page of the table.
    Page(usize),
    /// Files found so far in the folder being read; none once it is read.
    Reading(Option<usize>),
    /// Something is, or is no longer, being dragged over the page.
    Dragging(bool),
    /// So many more network requests.
    Requests(u32),
    /// Something the page itself has to say.
    Say(Place, String),
    /// A message was read.
    Dismiss(u32),
}

impl Default for State {
    fn default() -> Self {
        Self {
            engine: EngineState::Starting,
            device: None,
            model: None,
            jobs: Shared::new(vec![Job {
                id: 0,
                kind: JobKind::Start,
                progress: None,
            }]),
            samples: Shared::default(),
            batch: Shared::default(),
            dataset: None,
            run: None,
            evaluation: None,
            form: Shared::default(),
            arch: Arch::default(),
            notices: Shared::default(),
            reading: None,
            dragging: false,
            requests: 0,
            discarded: Shared::default(),
            next_notice: 0,
        }
    }
}

impl Reducible for State {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut next = (*self).clone();
        next.apply(action);
        Rc::new(next)
    }
}

impl State {
    /// Messages kept; older ones give way, or a failing job could fill the page.
    const NOTICES: usize = 6;

    /// The running job of that kind.
    #[must_use]
    pub fn job(&self, kind: JobKind) -> Option<&Job> {
        self.jobs.iter().find(|j| j.kind == kind)
    }

    /// Whether the engine does, or will do, anything at all.
    #[must_use]
    pub const fn usable(&self) -> bool {
        !matches!(self.engine, EngineState::Failed | EngineState::Unsupported)
    }

    /// Whether a new long job can begin: nothing but classifying is under way. What is asked for while
    /// the engine starts, it does when it is ready.
    #[must_use]
    pub fn idle(&self) -> bool {
        let quick = |j: &Job| matches!(j.kind, JobKind::Start | JobKind::Classify);
        matches!(self.engine, EngineState::Starting | EngineState::Ready)
            && self.jobs.iter().all(quick)
    }

    /// Why training cannot begin, for the place where the button is.
    #[must_use]
    pub fn training_needs(&self) -> Option<String> {
        let Some(dataset) = &self.dataset else {
            return Some("Open a data set first, or use the demo set.".to_owned());
        };
        if let Some(problem) = &dataset.summary.problem {
            return Some(problem.clone());
        }
        self.form.config().err().map(|e| e.to_string())
    }

    /// Addresses of every picture that is shown, for giving the others back to the browser.
    pub fn urls(&self) -> impl Iterator<Item = &String> {
        let cards = self.batch.rows.iter().take(Batch::ALL_CARDS);
        let cards = cards.filter_map(|r| r.url.as_ref());
        let samples = self.samples.iter().map(|s| &s.url);
        let thumbnails = self.dataset.iter().flat_map(|d| &d.thumbnails);
        cards.chain(samples).chain(thumbnails)
    }

    fn apply(&mut self, action: Action) {
        match action {
            Action::Worker(events) => {
                for incoming in events {
                    self.hear(incoming);
                }
            }
            Action::Broken(text) => {
                self.engine = EngineState::Failed;
                self.jobs = Shared::default();
                self.say(Place::Page, true, text);
            }
            Action::Began(id, began) => self.begin(id, began),
            Action::Typed(field, text) => self.form.change().type_in(field, text),
            Action::Head(head) => self.form.change().head = head,
            Action::Scope(scope) => self.form.change().scope = scope,
            Action::Arch(arch) => self.arch = arch,
            Action::Page(page) => self.batch.change().page = page,
            Action::Reading(files) => self.reading = files,
            Action::Dragging(dragging) => self.dragging = dragging,
            Action::Requests(more) => self.requests = self.requests.saturating_add(more),
            Action::Say(place, text) => self.say(place, false, text),
            Action::Dismiss(id) => self.notices.change().retain(|n| n.id != id),
        }
    }

    /// Notes a job that was sent; another of its kind is no longer shown, nor are old messages there.
    fn begin(&mut self, id: JobId, began: Began) {
        let kind = match &began {
            Began::Classify(_) => JobKind::Classify,
            Began::Train(_) => JobKind::Train,
            Began::Other(kind) => *kind,
        };
        self.notices.change().retain(|n| n.place != kind.place());
        let jobs = self.jobs.change();
        jobs.retain(|j| j.kind != kind);
        jobs.push(Job {
            id,
            kind,
            progress: None,
        });
        match began {
            Began::Classify(files) => self.batch = Shared::new(Batch::new(files)),
            Began::Train(epochs) => {
                self.run = Some(Shared::new(Run {
                    epochs,
                    ..Run::default()
                }));
            }
            // The worker's requests are not visible from the page; this one the page knows of.
            Began::Other(JobKind::Download) => self.requests = self.requests.saturating_add(1),
            Began::Other(_) => {}
        }
    }

    fn hear(&mut self, Incoming { event, urls }: Incoming) {
        match event {
            Event::State { state } => {
                self.engine = state;
                if state != EngineState::Starting {
                    self.end(0);
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
                self.model = Some(Shared::new(model));
                self.evaluation = None;
            }
            Event::Samples { names } => {
                let samples = names.into_iter().zip(urls);
                let samples = samples.map(|(name, url)| Sample { name, url });
                self.samples = Shared::new(samples.collect());
            }
            Event::Warning { text } => self.say(Place::Page, false, text),
            Event::Failed { job: 0, error } => {
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
            Event::FileError { file, reason, .. } => match (kind, &mut self.run) {
                (JobKind::Classify, _) => {
                    self.batch.change().settle(&file, Outcome::Failed(reason));
                }
                (JobKind::Train, Some(run)) => run.change().skipped.push(Skipped { file, reason }),
                // The others list them in what they answer at their end.
                _ => {}
            },
            Event::Dataset { summary, .. } => {
                let first = summary.thumbnails.map_or(urls.len(), |i| i as usize);
                let thumbnails = urls.into_iter().skip(first).collect();
                self.dataset = Some(Shared::new(Dataset {
                    summary,
                    thumbnails,
                }));
                self.evaluation = None;
                self.end(id);
            }
            Event::Featurised {
                images,
                milliseconds,
                ..
            } => {
                if let (JobKind::Train, Some(run)) = (kind, &mut self.run) {
                    run.change().featurised = Some((images, milliseconds));
                }
            }
            Event::Tuning { kept, bytes, .. } => {
                if let Some(run) = &mut self.run {
                    run.change().tuning = Some((kept, bytes));
                }
            }
            Event::Epoch { report, .. } => {
                if let Some(run) = &mut self.run {
                    let reports = &mut run.change().reports;
                    // After a lost GPU the run goes on from its last epoch, which then comes again.
                    reports.retain(|r| r.epoch < report.epoch);
                    reports.push(report);
                }
            }
            Event::Trained {
                best_epoch,
                stopped,
                ..
            } => {
                if let Some(run) = &mut self.run {
                    run.change().result = Some((best_epoch, stopped));
                }
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
                    self.run = None;
                }
                self.end(id);
            }
            Event::Failed { error, .. } => {
                self.say(kind.place(), true, error);
                self.end(id);
            }
            // Asked for by the bench alone.
            Event::Measured { .. } => {}
            Event::Views { .. }
            | Event::Begun { .. }
            | Event::Pulse { .. }
            | Event::DeviceLost { .. }
            | Event::Estimated { .. }
            | Event::Previews { .. } => {}
            // Events without a job: see `hear`.
            Event::State { .. }
            | Event::Device { .. }
            | Event::Model { .. }
            | Event::Samples { .. }
            | Event::Runs { .. }
            | Event::Interrupted { .. }
            | Event::Warning { .. } => {}
        }
    }

    /// The running job an event is about.
    fn running(&self, event: &Event) -> Option<(JobId, JobKind)> {
        let id = parts::job_of(event)?;
        let job = self.jobs.iter().find(|j| j.id == id)?;
        Some((job.id, job.kind))
    }

    fn end(&mut self, id: JobId) {
        if self.jobs.iter().any(|j| j.id == id) {
            self.jobs.change().retain(|j| j.id != id);
        }
    }

    fn say(&mut self, place: Place, error: bool, text: String) {
        let id = self.next_notice;
        self.next_notice += 1;
        let notices = self.notices.change();
        notices.push(Notice {
            id,
            place,
            error,
            text,
        });
        if notices.len() > Self::NOTICES {
            notices.remove(0);
        }
    }
}

#[cfg(test)]
mod tests;
