//! Trainings that go on: after a reload, a lost GPU, a worker that died. What has to be done outside the
//! page's state is left as an [`Effect`], which the controller carries out.

use super::State;
use crate::{
    config::{DemoConfig, DeviceChoice, TrainRequest},
    protocol::{EngineState, Interrupted, JobId, START},
    ui::{
        jobs::{Job, JobKind, Section},
        shared::Shared,
        training::Training,
    },
};

/// What is to be done outside the state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum EffectKind {
    /// A fresh worker, on that device or the one asked for at first, with the data set opened again.
    Restart(Option<DeviceChoice>),
    /// Go on with the interrupted training.
    Continue,
}

/// Something to be done once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    /// Its number; later ones have larger numbers.
    pub id: u32,
    /// What to do.
    pub kind: EffectKind,
}

/// What the page does when the data set that is being opened is open.
#[derive(Debug, Clone, PartialEq)]
pub enum Resume {
    /// It goes on with the training.
    Surely,
    /// It does so if the engine knows of one that was interrupted; else this is said.
    IfKept(String),
}

/// What "Continue" does.
#[derive(Debug, Clone, PartialEq)]
pub enum Continuation {
    /// It goes on at once.
    Now,
    /// It opens the demo set first.
    Demo(DemoConfig),
    /// It goes on with the open data set, if that proves to be the same one.
    Perhaps,
    /// The user has to open the data set first.
    NeedsData,
}

/// A GPU lost this often within one training is given up.
const CPU_AFTER: u32 = 3;

/// What is said where the page cannot help itself.
const RELOAD: &str = "Reload the page; a trained model is kept.";

impl State {
    /// What "Continue" does, if a training was interrupted and none runs.
    #[must_use]
    pub fn continuation(&self) -> Option<Continuation> {
        let interrupted = self.interrupted_now()?;
        let same = self.has_open(&interrupted.dataset);
        Some(match (&interrupted.demo, &self.dataset) {
            (Some(demo), _) if same && *demo == DemoConfig::default() => Continuation::Now,
            (Some(demo), _) => Continuation::Demo(demo.clone()),
            (None, Some(_)) if same => Continuation::Now,
            (None, Some(_)) => Continuation::Perhaps,
            (None, None) => Continuation::NeedsData,
        })
    }

    /// Whether a data set of that name is open.
    fn has_open(&self, name: &str) -> bool {
        let open = self.dataset.as_ref();
        open.is_some_and(|dataset| dataset.summary.name == name)
    }

    /// The interrupted training, to be offered; while one runs, it is that one.
    #[must_use]
    pub fn interrupted_now(&self) -> Option<&Shared<Interrupted>> {
        let offered = self.job(JobKind::Train).is_none() && self.resume.is_none();
        self.interrupted.as_ref().filter(|_| offered)
    }

    /// The training that the page goes on with: the one it shows, or the interrupted one.
    pub(super) fn take_up(&mut self, shown: bool) {
        self.resume = None;
        if let (true, Some(training)) = (shown, &mut self.training) {
            training.change().rewind();
        } else if let Some(interrupted) = self.interrupted.clone() {
            // On another data set the engine may yet refuse it.
            if self.has_open(&interrupted.dataset) {
                self.settings().take(&TrainRequest {
                    config: interrupted.config.clone(),
                    seeds: interrupted.seeds,
                });
            }
            self.training = Some(Shared::new(Training {
                epochs: interrupted.config.epochs,
                reports: interrupted.epochs.clone(),
                ..Training::default()
            }));
        } else {
            self.training = Some(Shared::default());
        }
    }

    /// The GPU is gone in the middle of a training.
    pub(super) fn lost(&mut self, reason: &str) {
        self.losses += 1;
        let reason = reason.trim_end_matches('.');
        if self.losses > CPU_AFTER {
            self.give_up();
            self.restart(Some(DeviceChoice::Cpu), None);
            let text = format!(
                "The device was lost again ({reason}): the training stands still. It can be continued."
            );
            return self.notify(Section::Train, true, text);
        }
        let (device, text) = if self.losses == CPU_AFTER {
            let text = format!(
                "The GPU was lost for the third time ({reason}): the training goes on from its last epoch \
                 on the CPU."
            );
            (Some(DeviceChoice::Cpu), text)
        } else {
            let text = format!(
                "The GPU was lost ({reason}): the training goes on from its last epoch on a fresh one."
            );
            (None, text)
        };
        self.restart(device, Some(Resume::Surely));
        self.notify(Section::Train, false, text);
    }

    /// The worker is gone. In the middle of a training it gets one more chance.
    pub(super) fn broken(&mut self, why: &str) {
        if self.job(JobKind::Train).is_some() && self.dataset.is_some() && self.deaths == 0 {
            self.deaths = 1;
            self.interrupted = None;
            self.restart(
                None,
                Some(Resume::IfKept(format!(
                    "{why} The training could not be kept."
                ))),
            );
            let text = format!("{why} It is started again, to go on with the training.");
            return self.notify(Section::Train, false, text);
        }
        self.engine = EngineState::Failed;
        self.jobs = Shared::default();
        self.resume = None;
        self.notify(Section::Page, true, format!("{why} {RELOAD}"));
    }

    fn restart(&mut self, device: Option<DeviceChoice>, resume: Option<Resume>) {
        self.engine = EngineState::Starting;
        self.ignoring_worker = true;
        // Whatever else the old worker was at is gone with it.
        let jobs = self.jobs.change();
        jobs.retain(|j| j.kind == JobKind::Train);
        for job in jobs.iter_mut() {
            job.progress = None;
        }
        jobs.push(Job {
            id: START,
            kind: JobKind::Start,
            progress: None,
        });
        self.resume = resume;
        self.leave(EffectKind::Restart(device));
    }

    /// The data set is open, if one was waited for.
    pub(super) fn opened(&mut self) {
        match self.resume.take() {
            None => {}
            Some(Resume::IfKept(text)) if self.interrupted.is_none() => {
                self.give_up();
                self.notify(Section::Train, true, text);
            }
            // Waited for until the controller says that it began: the offer to go on would flash up.
            Some(resume) => {
                self.resume = Some(resume);
                self.leave(EffectKind::Continue);
            }
        }
    }

    /// The data set could not be opened, or was not to be.
    pub(super) fn not_opened(&mut self) {
        if self.resume.is_some() {
            let running = self.job(JobKind::Train).is_some();
            self.give_up();
            if running {
                let text = "The data set was not opened again, so the training stands still.";
                self.notify(Section::Train, true, text.to_owned());
            }
        }
    }

    /// Goes on no longer; the engine still knows the training, if it kept it.
    pub(super) fn give_up(&mut self) {
        self.resume = None;
        self.jobs.change().retain(|j| j.kind != JobKind::Train);
    }

    /// The training is over, one way or the other.
    pub(super) fn over(&mut self, id: JobId) {
        self.interrupted = None;
        self.end(id);
    }

    pub(super) fn leave(&mut self, kind: EffectKind) {
        self.last_effect += 1;
        let id = self.last_effect;
        self.effects.push(Effect { id, kind });
    }
}
