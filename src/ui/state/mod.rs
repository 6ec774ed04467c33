//! What the page shows, and the one place where that changes.
//!
//! The engine may still be answering for a job that the user has replaced or dropped. Every long job
//! carries an id, and an event of a job that is not in the list of running ones changes nothing.

mod event;
mod recover;
mod runs;

use std::rc::Rc;

use yew::Reducible;

pub use recover::{Continuation, Effect, EffectKind, Resume};
pub use runs::{CURVES, Runs};

use super::{
    anatomy::{Explore, Explorer},
    form::TrainForm,
    jobs::{Job, JobKind, Notice, Section},
    predictions::{Batch, Row},
    received::{Dataset, Device, Incoming, Sample},
    shared::Shared,
    text,
    training::{Forecast, Training},
};
use crate::{
    config::{Arch, StartFrom},
    protocol::{EngineState, Evaluation, Interrupted, JobId, ModelSummary, START},
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
    /// The import that the model in use came by, if it did.
    pub imported: Option<JobId>,
    /// Jobs under way, oldest first; at most one of a kind.
    pub jobs: Shared<Vec<Job>>,
    /// Pictures to try first.
    pub samples: Shared<Vec<Sample>>,
    /// The images last given.
    pub batch: Shared<Batch>,
    /// The data set in use.
    pub dataset: Option<Shared<Dataset>>,
    /// The last training.
    pub training: Option<Shared<Training>>,
    /// The runs that are kept.
    pub runs: Shared<Runs>,
    /// A training that did not come to its end.
    pub interrupted: Option<Shared<Interrupted>>,
    /// What follows once the data set is open.
    pub resume: Option<Resume>,
    /// What is to be done outside, each once and in this order; gone once it is said to be done.
    pub effects: Vec<Effect>,
    /// The number of the last effect that there was.
    pub last_effect: u32,
    /// How long a training as set will take.
    pub forecast: Option<Shared<Forecast>>,
    /// An image and what the augmentation makes of it.
    pub previews: Shared<Vec<Sample>>,
    /// Which training image they are of.
    pub preview: usize,
    /// The last evaluation of the model in use on the data set in use.
    pub evaluation: Option<Shared<Evaluation>>,
    /// The training settings as typed.
    pub form: Shared<TrainForm>,
    /// Which model a training begins from.
    pub start: StartFrom,
    /// The backbone chosen for download.
    pub arch: Arch,
    /// The backbone chosen for random weights.
    pub random_init: Arch,
    /// What is looked at under "Architectures".
    pub explorer: Shared<Explorer>,
    /// Messages that were not dismissed.
    pub notices: Shared<Vec<Notice>>,
    /// Files found so far in a folder that is being read.
    pub reading: Option<usize>,
    /// Whether something is being dragged over the page.
    pub dragging: bool,
    /// A new version of the page, if one waits.
    pub new_version: Option<NewVersion>,
    /// Network requests since the page was ready.
    pub requests: u32,
    /// Addresses of pictures that came for a dropped job: to be given back to the browser.
    pub discarded: Shared<Vec<String>>,
    next_notice: u32,
    /// The last job of each kind, running or over: what the engine warns of may come after its end.
    last_jobs: Vec<(JobId, JobKind)>,
    /// How often the GPU was lost in the training under way.
    losses: u32,
    /// How often the worker died in it.
    deaths: u32,
    /// Whether the worker is to be replaced: what the old one still says counts no more.
    ignoring_worker: bool,
}

/// What the user began.
#[derive(Debug, Clone, PartialEq)]
pub enum JobStarted {
    /// Classifying these files; with the address of the picture for those shown as cards.
    Classify(Vec<(String, Option<String>)>),
    /// A training of so many epochs.
    Train(usize),
    /// Going on with a training.
    Continue,
    /// Showing what the augmentation makes of the training image of that number.
    Preview(usize),
    /// Any other job.
    Other(JobKind),
}

/// A new version of the page, whose files are all there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewVersion {
    /// A reload puts it in use.
    Ready,
    /// Another tab runs the version before.
    HeldByTabs,
}

/// What changes the state.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// The worker spoke; all it said since the last frame.
    Worker(Vec<Incoming>),
    /// The worker is gone; why, in a sentence.
    Broken(String),
    /// Another worker is in its place.
    Restarted,
    /// The effects up to this number are being carried out.
    EffectsTaken(u32),
    /// A job was sent to the worker.
    JobStarted(JobId, JobStarted),
    /// The setting of that key was typed, chosen, or put on or off.
    Typed(&'static str, String),
    /// It was chosen which model a training begins from.
    ChooseStart(StartFrom),
    /// A backbone was chosen for download.
    Arch(Arch),
    /// A backbone was chosen for random weights.
    ChooseRandomInit(Arch),
    /// Something was chosen or opened under "Architectures".
    Explore(Explore),
    /// A run's curves are to be shown, or no longer.
    Show(u64, bool),
    /// The interrupted training goes on once the data set is open.
    Resume,
    /// A training that was to go on is not to.
    GiveUp,
    /// The interrupted training is dropped.
    Discard,
    /// Another page of the table.
    Page(usize),
    /// Files found so far in the folder being read; none once it is read.
    Reading(Option<usize>),
    /// Something is, or is no longer, being dragged over the page.
    Dragging(bool),
    /// What there is to say about a new version of the page.
    NewVersion(Option<NewVersion>),
    /// So many more network requests.
    Requests(u32),
    /// Something the page itself has to say.
    Notify(Section, String),
    /// A message was read.
    Dismiss(u32),
}

impl Default for State {
    fn default() -> Self {
        Self {
            engine: EngineState::Starting,
            device: None,
            model: None,
            imported: None,
            jobs: Shared::new(vec![Job {
                id: START,
                kind: JobKind::Start,
                progress: None,
            }]),
            samples: Shared::default(),
            batch: Shared::default(),
            dataset: None,
            training: None,
            runs: Shared::default(),
            interrupted: None,
            resume: None,
            effects: Vec::new(),
            last_effect: 0,
            forecast: None,
            previews: Shared::default(),
            preview: 0,
            evaluation: None,
            form: Shared::default(),
            start: StartFrom::default(),
            arch: Arch::default(),
            random_init: Arch::default(),
            explorer: Shared::default(),
            notices: Shared::default(),
            reading: None,
            dragging: false,
            new_version: None,
            requests: 0,
            discarded: Shared::default(),
            next_notice: 0,
            last_jobs: Vec::new(),
            losses: 0,
            deaths: 0,
            ignoring_worker: false,
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

    /// The running job that a section shows, of those that must be alone.
    #[must_use]
    pub fn job_in(&self, section: Section) -> Option<&Job> {
        self.jobs.iter().find(|j| j.kind.section() == section)
    }

    /// Whether the engine does, or will do, anything at all.
    #[must_use]
    pub const fn usable(&self) -> bool {
        !matches!(self.engine, EngineState::Failed)
    }

    /// Whether a new long job can begin: nothing but classifying is under way. What is asked for while
    /// the engine starts, it does when it is ready.
    #[must_use]
    pub fn idle(&self) -> bool {
        let quick = |j: &Job| matches!(j.kind, JobKind::Start | JobKind::Classify);
        matches!(self.engine, EngineState::Starting | EngineState::Ready)
            && self.jobs.iter().all(quick)
    }

    /// Whether nothing runs that a reload of the page would end.
    #[must_use]
    pub fn rests(&self) -> bool {
        !matches!(self.engine, EngineState::Starting)
            && self.jobs.is_empty()
            && self.reading.is_none()
    }

    /// Whether images are being worked through that may take minutes.
    #[must_use]
    pub fn works(&self) -> bool {
        let long = |job: &Job| matches!(job.kind, JobKind::Train | JobKind::Evaluate);
        self.engine != EngineState::Paused && self.jobs.iter().any(long)
    }

    /// Images of the folder in use, if it has no classes to learn and they were not classified since.
    #[must_use]
    pub fn loose_images(&self) -> usize {
        let loose = self.dataset.as_ref();
        let loose = loose.map_or(&[][..], |d| &d.summary.loose_images);
        let rows = &self.batch.rows;
        let first = |row: &Shared<Row>| loose.first() == Some(&row.file);
        if rows.len() == loose.len() && rows.iter().any(first) {
            0
        } else {
            loose.len()
        }
    }

    /// Why training cannot begin, for the section where the button is.
    #[must_use]
    pub fn training_needs(&self) -> Option<String> {
        let Some(dataset) = &self.dataset else {
            return Some("Open a data set first, or use the demo set.".to_owned());
        };
        if let Some(problem) = &dataset.summary.problem {
            return Some(problem.clone());
        }
        self.form.request().err().map(|e| e.to_string())
    }

    /// Which model a training begins from, and why, for the section where the button is.
    #[must_use]
    pub fn begins_from(&self) -> Option<String> {
        let (model, dataset) = self.model.as_ref().zip(self.dataset.as_ref())?;
        let ready = dataset.summary.problem.is_none();
        let config = self.form.request().unwrap_or_default().config;
        ready.then(|| text::begins_from(model, &dataset.summary.classes, self.start.of(&config)))
    }

    /// Why the model in use cannot be measured, for the section where the button is.
    #[must_use]
    pub fn evaluation_needs(&self) -> Option<String> {
        let Some(dataset) = &self.dataset else {
            return Some("Open a data set first, or use the demo set.".to_owned());
        };
        let asks = text::asks(&dataset.summary);
        asks.then(|| "Choose under Data what the labels are first.".to_owned())
    }

    /// Addresses of every picture that is shown, for giving the others back to the browser.
    pub fn urls(&self) -> impl Iterator<Item = &String> {
        let cards = self.batch.rows.iter().take(Batch::ALL_CARDS);
        let cards = cards.filter_map(|r| r.url.as_ref());
        let samples = self.samples.iter().map(|s| &s.url);
        let thumbnails = self.dataset.iter();
        let thumbnails =
            thumbnails.flat_map(|d| d.thumbnails.iter().chain(d.pictures.iter().flatten()));
        let previews = self.previews.iter().map(|p| &p.url);
        cards.chain(samples).chain(thumbnails).chain(previews)
    }

    fn apply(&mut self, action: Action) {
        match action {
            Action::Worker(events) => {
                for incoming in events {
                    self.on_message(incoming);
                }
            }
            Action::Broken(_) if self.ignoring_worker => {}
            Action::Broken(why) => self.broken(&why),
            Action::Restarted => self.ignoring_worker = false,
            Action::EffectsTaken(last) => self.effects.retain(|effect| effect.id > last),
            Action::JobStarted(id, began) => self.begin(id, began),
            Action::Typed(key, text) => self.settings().type_in(key, text),
            Action::ChooseStart(start) => {
                self.start = start;
                self.forecast = None;
            }
            Action::Arch(arch) => self.arch = arch,
            Action::ChooseRandomInit(arch) => self.random_init = arch,
            Action::Explore(change) => self.explorer.change().apply(change),
            Action::Show(id, shown) => self.show(id, shown),
            Action::Resume => self.resume = Some(Resume::Surely),
            Action::GiveUp => self.give_up(),
            Action::Discard => self.interrupted = None,
            Action::Page(page) => self.batch.change().page = page,
            Action::Reading(files) => self.reading = files,
            Action::Dragging(dragging) => self.dragging = dragging,
            Action::NewVersion(new) => self.new_version = new,
            Action::Requests(more) => self.requests = self.requests.saturating_add(more),
            Action::Notify(section, text) => self.notify(section, false, text),
            Action::Dismiss(id) => self.notices.change().retain(|n| n.id != id),
        }
    }

    /// The settings, to change: what was estimated for them holds no longer.
    pub(super) fn settings(&mut self) -> &mut TrainForm {
        self.forecast = None;
        self.form.change()
    }

    /// Notes a job that was sent; another of its kind is no longer shown, nor are old messages there.
    fn begin(&mut self, id: JobId, began: JobStarted) {
        let kind = match &began {
            JobStarted::Classify(_) => JobKind::Classify,
            JobStarted::Train(_) | JobStarted::Continue => JobKind::Train,
            JobStarted::Preview(_) => JobKind::Preview,
            JobStarted::Other(kind) => *kind,
        };
        // Going on with a training that is shown, after a lost GPU, is no new beginning.
        let goes_on = began == JobStarted::Continue && self.job(kind).is_some();
        if !goes_on {
            self.notices
                .change()
                .retain(|n| n.section != kind.section() || n.model_of.is_some());
            if kind == JobKind::Train {
                (self.losses, self.deaths) = (0, 0);
            }
        }
        self.last_jobs.retain(|(_, old)| *old != kind);
        self.last_jobs.push((id, kind));
        let jobs = self.jobs.change();
        jobs.retain(|j| j.kind != kind);
        jobs.push(Job {
            id,
            kind,
            progress: None,
        });
        match began {
            JobStarted::Classify(files) => self.batch = Shared::new(Batch::new(files)),
            JobStarted::Train(epochs) => {
                self.training = Some(Shared::new(Training {
                    epochs,
                    ..Training::default()
                }));
            }
            JobStarted::Continue => self.take_up(goes_on),
            JobStarted::Preview(image) => self.preview = image,
            // The worker's requests are not visible from the page; this one the page knows of.
            JobStarted::Other(JobKind::Download) => self.requests = self.requests.saturating_add(1),
            JobStarted::Other(JobKind::Estimate) => self.forecast = None,
            JobStarted::Other(_) => {}
        }
    }

    fn end(&mut self, id: JobId) {
        if self.jobs.iter().any(|j| j.id == id) {
            self.jobs.change().retain(|j| j.id != id);
        }
    }

    fn notify(&mut self, section: Section, error: bool, text: String) {
        self.note(section, error, text, None);
    }

    /// What the engine warns of, where the job is that it is about.
    fn warn(&mut self, job: Option<JobId>, text: String) {
        let known = self.last_jobs.iter().find(|(id, _)| Some(*id) == job);
        let (id, kind) = known.copied().unwrap_or((START, JobKind::Start));
        let model_of = kind.brings_model().then_some(id);
        self.note(kind.section(), false, text, model_of);
    }

    /// Shows a sentence; one that is there already comes anew instead of twice.
    fn note(&mut self, section: Section, error: bool, text: String, model_of: Option<JobId>) {
        let id = self.next_notice;
        self.next_notice += 1;
        let notices = self.notices.change();
        notices.retain(|notice| notice.text != text);
        notices.push(Notice {
            id,
            section,
            error,
            model_of,
            text,
        });
        if notices.len() > Self::NOTICES {
            notices.remove(0);
        }
    }
}

#[cfg(test)]
mod tests;
