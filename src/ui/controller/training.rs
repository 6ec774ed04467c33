//! What is done about trainings, before and after them.

use super::{Controller, Subject};
use crate::{
    config::TrainRequest,
    protocol::{Command, JobId},
    ui::{
        jobs::JobKind,
        state::{Action, Continuation, JobStarted},
    },
};

/// Changed images shown beside the image itself.
const VIEWS: usize = 7;

impl Controller {
    pub(super) fn train(&self) {
        let state = self.now();
        if let (true, Ok(TrainRequest { config, seeds })) = (state.idle(), state.form.request()) {
            let start = state.start;
            self.begin(JobStarted::Train(config.epochs), &[], |_| Command::Train {
                config,
                seeds,
                start,
            });
        }
    }

    pub(super) fn go_on(&self) {
        let continuation = self.now().continuation();
        if !self.may_begin(JobKind::Train) {
            return;
        }
        match continuation {
            Some(Continuation::Now | Continuation::Perhaps) => {
                self.begin(JobStarted::Continue, &[], |_| Command::Continue);
            }
            Some(Continuation::Demo(config)) => {
                self.open_demo(config);
                self.act(Action::Resume);
            }
            Some(Continuation::NeedsData) | None => {}
        }
    }

    pub(super) fn preview(&self, subject: Subject) {
        let state = self.now();
        let given = self.given.borrow().first().cloned();
        let found: Vec<_> = given
            .into_iter()
            .filter(|_| subject == Subject::Given)
            .collect();
        let (Ok(augment), true) = (state.form.augment(), self.may_begin(JobKind::Preview)) else {
            return;
        };
        let seed = state.form.request().unwrap_or_default().config.seed;
        let image = state.preview + usize::from(subject == Subject::Next);
        self.begin(JobStarted::Preview(image), &found, |files| {
            Command::Preview {
                file: files.into_iter().next(),
                image,
                augment,
                seed,
                views: VIEWS,
            }
        });
    }

    /// Drops a job. A training that waits for a fresh worker is known to nobody but the page.
    pub(super) fn cancel(&self, job: JobId) {
        let state = self.now();
        let waits = state.resume.is_some();
        if waits && state.job(JobKind::Train).is_some_and(|j| j.id == job) {
            self.act(Action::GiveUp);
        } else {
            self.tell(Some(job), Command::Cancel);
        }
    }

    pub(super) fn to_training(&self, command: Command) {
        if let Some(job) = self.now().job(JobKind::Train) {
            self.tell(Some(job.id), command);
        }
    }
}
