//! The engine's desk: commands come in, events go out, and a long job looks up from its work here.

use std::collections::VecDeque;

use async_channel::Receiver;

use super::classify;
use crate::error::{Error, Result};
use crate::infer::Classifier;
use crate::platform::files::InputFile;
use crate::platform::time;
use crate::protocol::{Command, EngineState, Event, JobId, Phase};
use crate::train::run::Flow;

/// A command and the files it speaks of.
#[derive(Debug, Clone)]
pub struct Order {
    /// The command.
    pub command: Command,
    /// Its files; a `FileRef`'s slot counts into this list.
    pub files: Vec<InputFile>,
}

/// Takes an event and the bytes that belong to it.
pub type Emit = Box<dyn Fn(Event, Vec<Vec<u8>>)>;

/// Milliseconds of work between two looks at the desk: a command waits no longer than this, or one
/// batch, and yielding costs next to nothing.
const SLICE: f64 = 12.0;

/// Images that a long job is held up for; more wait for its end.
const FEW: usize = 8;

/// Milliseconds between two progress events.
const PROGRESS: f64 = 80.0;

/// Commands, events, and the state that is shown.
pub struct Desk {
    inbox: Receiver<Order>,
    later: VecDeque<Order>,
    emit: Emit,
    state: EngineState,
    looked: f64,
    progress: Option<Progress>,
}

/// The progress shown last.
struct Progress {
    job: JobId,
    phase: Phase,
    begun: f64,
    shown: f64,
}

impl Desk {
    /// An empty desk.
    #[must_use]
    pub fn new(inbox: Receiver<Order>, emit: Emit) -> Self {
        Self {
            inbox,
            later: VecDeque::new(),
            emit,
            state: EngineState::Starting,
            looked: 0.0,
            progress: None,
        }
    }

    /// The next command; none when nobody is left to give one.
    pub async fn next(&mut self) -> Option<Order> {
        match self.later.pop_front() {
            Some(order) => Some(order),
            None => self.inbox.recv().await.ok(),
        }
    }

    /// Sends an event.
    pub fn tell(&self, event: Event) {
        (self.emit)(event, Vec::new());
    }

    /// Says that a job failed.
    pub fn fail(&self, job: JobId, error: &Error) {
        self.tell(Event::Failed {
            job,
            kind: error.kind(),
            error: error.to_string(),
        });
    }

    /// Sends an event with bytes.
    pub fn hand(&self, event: Event, blobs: Vec<Vec<u8>>) {
        (self.emit)(event, blobs);
    }

    /// Sends a warning.
    pub fn warn(&self, text: impl Into<String>) {
        self.tell(Event::Warning { text: text.into() });
    }

    /// Changes the state, and says so if it is another one.
    pub fn set_state(&mut self, state: EngineState) {
        if self.state != state {
            self.state = state;
            self.tell(Event::State { state });
        }
    }

    /// Reports progress, not more often than a person can see.
    pub fn progress(&mut self, job: JobId, phase: Phase, done: u64, total: u64) {
        let now = time::now();
        let same = self
            .progress
            .take()
            .filter(|p| p.job == job && p.phase == phase);
        let mut progress = same.unwrap_or(Progress {
            job,
            phase,
            begun: now,
            shown: f64::NEG_INFINITY,
        });
        if now - progress.shown >= PROGRESS || done == total {
            progress.shown = now;
            self.tell(Event::Progress {
                job,
                phase,
                done,
                total,
                milliseconds: now - progress.begun,
            });
        }
        self.progress = Some(progress);
    }

    /// Looks up from a job: lets messages in, acts on those about this job, keeps the rest for later; a
    /// few images to classify are done at once if there is a classifier. A held job stays in here.
    ///
    /// # Errors
    /// [`Error::Cancelled`] if the job is to be dropped.
    pub async fn look_up(&mut self, job: JobId, meanwhile: Option<&Classifier>) -> Result<Flow> {
        if time::now() - self.looked >= SLICE {
            time::yield_now().await;
            self.looked = time::now();
        }
        let mut flow = Flow::Continue;
        while let Ok(order) = self.inbox.try_recv() {
            if self.sort(job, order, meanwhile).await? == Flow::Stop {
                flow = Flow::Stop;
            }
        }
        Ok(flow)
    }

    /// Whether a job is to be dropped, for work that cannot wait: takes what is there, yields nothing.
    pub fn is_cancelled(&mut self, job: JobId) -> bool {
        let mut cancelled = false;
        while let Ok(order) = self.inbox.try_recv() {
            match order.command {
                Command::Cancel { job: named } if named == job => cancelled = true,
                Command::Cancel { job: named } => self.drop_waiting(named),
                _ => self.later.push_back(order),
            }
        }
        cancelled
    }

    /// Deals with one command that came in the middle of a job.
    async fn sort(
        &mut self,
        job: JobId,
        order: Order,
        meanwhile: Option<&Classifier>,
    ) -> Result<Flow> {
        let Order { command, files } = order;
        match command {
            Command::Cancel { job: named } if named == job => return Err(Error::Cancelled),
            Command::Cancel { job: named } => self.drop_waiting(named),
            Command::Stop { job: named } if named == job => return Ok(Flow::Stop),
            Command::Pause { job: named } if named == job => {
                return self.hold(job, meanwhile).await;
            }
            // Nothing is held, so there is nothing to go on with; and what names no job that runs is late.
            Command::Resume { .. } | Command::Stop { .. } | Command::Pause { .. } => {}
            command => self.take_or_keep(Order { command, files }, meanwhile).await,
        }
        Ok(Flow::Continue)
    }

    /// Classifies a few images at once, if that is what the order is; anything else is kept for later.
    async fn take_or_keep(&mut self, order: Order, meanwhile: Option<&Classifier>) {
        match (&order.command, meanwhile) {
            (Command::Classify { job, files }, Some(classifier)) if files.len() <= FEW => {
                classify::few(self, classifier, *job, files, &order.files).await;
            }
            _ => self.later.push_back(order),
        }
    }

    /// Waits until the held job is resumed, stopped or cancelled.
    async fn hold(&mut self, job: JobId, meanwhile: Option<&Classifier>) -> Result<Flow> {
        let before = self.state;
        self.set_state(EngineState::Paused);
        let flow = loop {
            let Ok(order) = self.inbox.recv().await else {
                break Err(Error::Cancelled);
            };
            let Order { command, files } = order;
            match command {
                Command::Resume { job: named } if named == job => break Ok(Flow::Continue),
                Command::Stop { job: named } if named == job => break Ok(Flow::Stop),
                Command::Cancel { job: named } if named == job => break Err(Error::Cancelled),
                Command::Cancel { job: named } => self.drop_waiting(named),
                command => self.take_or_keep(Order { command, files }, meanwhile).await,
            }
        };
        self.set_state(before);
        flow
    }

    /// Cancels a job that has not begun.
    pub fn drop_waiting(&mut self, job: JobId) {
        let before = self.later.len();
        self.later
            .retain(|order| job_of(&order.command) != Some(job));
        if self.later.len() < before {
            self.tell(Event::Cancelled { job });
        }
    }
}

/// The job that a command begins.
#[must_use]
pub const fn job_of(command: &Command) -> Option<JobId> {
    match command {
        Command::Classify { job, .. }
        | Command::OpenDataset { job, .. }
        | Command::Train { job, .. }
        | Command::Continue { job }
        | Command::Estimate { job, .. }
        | Command::Preview { job, .. }
        | Command::Fresh { job, .. }
        | Command::Evaluate { job }
        | Command::Import { job, .. }
        | Command::NameClasses { job, .. }
        | Command::SetInput { job, .. }
        | Command::Teach { job, .. }
        | Command::Download { job, .. }
        | Command::Export { job, .. }
        | Command::MeasureHead { job, .. }
        | Command::MeasureForward { job, .. }
        | Command::MeasureFineTune { job, .. } => Some(*job),
        Command::Start { .. }
        | Command::Samples
        | Command::Reset
        | Command::Discard
        | Command::ForgetRun { .. }
        | Command::Pause { .. }
        | Command::Resume { .. }
        | Command::Stop { .. }
        | Command::Cancel { .. } => None,
    }
}
