//! The engine's mailbox: commands come in, events go out, and a long job polls for commands here.

use std::collections::VecDeque;

use async_channel::Receiver;

use super::classify;
use crate::error::{Error, Result};
use crate::infer::Classifier;
use crate::platform::files::InputFile;
use crate::platform::time;
use crate::protocol::{Command, EngineState, Event, JobId, Message, Phase};
use crate::train::head::Flow;

/// A command and the files it speaks of.
#[derive(Debug, Clone)]
pub struct Order {
    /// The command, and the job that it begins or speaks of.
    pub message: Message<Command>,
    /// Its files; a `FileRef`'s slot counts into this list.
    pub files: Vec<InputFile>,
}

/// Takes an event with its job, and the bytes that belong to it.
pub type Emit = Box<dyn Fn(Message<Event>, Vec<Vec<u8>>)>;

/// Milliseconds of work between two polls of the mailbox: a command waits no longer than this, or one
/// batch, and yielding costs next to nothing.
const SLICE: f64 = 12.0;

/// Images that a long job is held up for; more wait for its end.
const FEW: usize = 8;

/// Milliseconds between two progress events.
const PROGRESS: f64 = 80.0;

/// Commands, events, and the state that is shown.
pub struct Mailbox {
    inbox: Receiver<Order>,
    later: VecDeque<Order>,
    emit: Emit,
    /// The job that is worked on: every event is of it.
    job: Option<JobId>,
    state: EngineState,
    looked: f64,
    progress: Option<Progress>,
}

/// The progress shown last.
struct Progress {
    job: Option<JobId>,
    phase: Phase,
    begun: f64,
    shown: f64,
}

impl Mailbox {
    /// An empty mailbox.
    #[must_use]
    pub fn new(inbox: Receiver<Order>, emit: Emit) -> Self {
        Self {
            inbox,
            later: VecDeque::new(),
            emit,
            job: None,
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

    /// Turns to a job; gives the one before.
    pub fn turn_to(&mut self, job: Option<JobId>) -> Option<JobId> {
        std::mem::replace(&mut self.job, job)
    }

    /// Sends an event of the job that is worked on.
    pub fn emit(&self, event: impl Into<Event>) {
        self.emit_with(event, Vec::new());
    }

    /// Says that the job failed.
    pub fn fail(&self, error: &Error) {
        self.emit(Event::Failed {
            kind: error.kind(),
            error: error.to_string(),
        });
    }

    /// Sends an event with bytes.
    pub fn emit_with(&self, event: impl Into<Event>, blobs: Vec<Vec<u8>>) {
        let message = Message {
            job: self.job,
            body: event.into(),
        };
        (self.emit)(message, blobs);
    }

    /// Sends a warning.
    pub fn warn(&self, text: impl Into<String>) {
        self.emit(Event::Warning { text: text.into() });
    }

    /// Changes the state, and says so if it is another one.
    pub fn set_state(&mut self, state: EngineState) {
        if self.state != state {
            self.state = state;
            self.emit(Event::State { state });
        }
    }

    /// Reports progress, not more often than a person can see.
    pub fn progress(&mut self, phase: Phase, done: u64, total: u64) {
        let (now, job) = (time::now(), self.job);
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
            self.emit(Event::Progress {
                phase,
                done,
                total,
                milliseconds: now - progress.begun,
            });
        }
        self.progress = Some(progress);
    }

    /// Polls for commands from within the job: acts on those about it, queues the others; a few images to
    /// classify are done at once if there is a classifier. A held job stays in here.
    ///
    /// # Errors
    /// [`Error::Cancelled`] if the job is to be dropped.
    pub async fn poll_commands(&mut self, meanwhile: Option<&Classifier>) -> Result<Flow> {
        if time::now() - self.looked >= SLICE {
            time::yield_now().await;
            self.looked = time::now();
        }
        let mut flow = Flow::Continue;
        while let Ok(order) = self.inbox.try_recv() {
            if self.route(order, meanwhile).await? == Flow::Stop {
                flow = Flow::Stop;
            }
        }
        Ok(flow)
    }

    /// Whether the job is to be dropped, for work that cannot wait: takes what is there, yields nothing.
    pub fn is_cancelled(&mut self) -> bool {
        let mut cancelled = false;
        while let Ok(order) = self.inbox.try_recv() {
            match order.message.body {
                Command::Cancel if order.message.job == self.job => cancelled = true,
                Command::Cancel => self.drop_waiting(order.message.job),
                _ => self.later.push_back(order),
            }
        }
        cancelled
    }

    /// Deals with one command that came in the middle of a job.
    async fn route(&mut self, order: Order, meanwhile: Option<&Classifier>) -> Result<Flow> {
        let mine = order.message.job == self.job;
        match order.message.body {
            Command::Cancel if mine => return Err(Error::Cancelled),
            Command::Cancel => self.drop_waiting(order.message.job),
            Command::Stop if mine => return Ok(Flow::Stop),
            Command::Pause if mine => return self.hold(meanwhile).await,
            // Nothing is held, so there is nothing to go on with; and what names no job that runs is late.
            Command::Resume | Command::Stop | Command::Pause => {}
            _ => self.answer_or_queue(order, meanwhile).await,
        }
        Ok(Flow::Continue)
    }

    /// Classifies a few images at once, if that is what the order is; anything else is kept for later.
    async fn answer_or_queue(&mut self, order: Order, meanwhile: Option<&Classifier>) {
        match (&order.message.body, meanwhile) {
            (Command::Classify { files }, Some(classifier)) if files.len() <= FEW => {
                let long = self.turn_to(order.message.job);
                classify::few(self, classifier, files, &order.files).await;
                self.turn_to(long);
            }
            _ => self.later.push_back(order),
        }
    }

    /// Waits until the held job is resumed, stopped or cancelled.
    async fn hold(&mut self, meanwhile: Option<&Classifier>) -> Result<Flow> {
        let before = self.state;
        self.set_state(EngineState::Paused);
        let flow = loop {
            let Ok(order) = self.inbox.recv().await else {
                break Err(Error::Cancelled);
            };
            let mine = order.message.job == self.job;
            match order.message.body {
                Command::Resume if mine => break Ok(Flow::Continue),
                Command::Stop if mine => break Ok(Flow::Stop),
                Command::Cancel if mine => break Err(Error::Cancelled),
                Command::Cancel => self.drop_waiting(order.message.job),
                _ => self.answer_or_queue(order, meanwhile).await,
            }
        };
        self.set_state(before);
        flow
    }

    /// Cancels a job that has not begun.
    pub fn drop_waiting(&mut self, job: Option<JobId>) {
        let before = self.later.len();
        self.later
            .retain(|order| job.is_none() || order.message.job != job);
        if self.later.len() < before {
            let worked_on = self.turn_to(job);
            self.emit(Event::Cancelled);
            self.turn_to(worked_on);
        }
    }
}
