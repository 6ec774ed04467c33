//! The runs that are kept to be compared: figures only, no weights.

use super::mailbox::Mailbox;
use crate::error::Error;
use crate::platform::store;
use crate::protocol::{Event, Proportion, Run};

/// They are kept under this name.
const RUNS: &str = "runs.json";

/// More than a person compares; the oldest go first.
const MOST: usize = 200;

/// Earlier trainings, in figures. Every change is told and, if the history is persistent, written.
#[derive(Default)]
pub(super) struct RunHistory {
    runs: Vec<Run>,
    persistent: bool,
}

impl RunHistory {
    /// The history kept from last time, if it is persistent.
    pub async fn load(persistent: bool, mailbox: &Mailbox) -> Self {
        let mut runs = Vec::new();
        if persistent && let Ok(Some(bytes)) = store::read(RUNS).await {
            // Written by an older version, they may mean nothing to this one.
            runs = serde_json::from_slice(&bytes).unwrap_or_default();
        }
        let history = Self { runs, persistent };
        history.tell(mailbox);
        history
    }

    fn tell(&self, mailbox: &Mailbox) {
        let runs = self.runs.clone();
        mailbox.emit(Event::Runs { runs });
    }

    /// Adds a run, unless there is one of its id.
    pub async fn add(&mut self, run: Run, mailbox: &Mailbox) {
        if self.runs.iter().any(|known| known.id == run.id) {
            return;
        }
        self.runs.push(run);
        let surplus = self.runs.len().saturating_sub(MOST);
        self.runs.drain(..surplus);
        self.persist(mailbox).await;
    }

    /// Notes the accuracy of a run's model on the test images.
    pub async fn set_test(&mut self, id: u64, test: Proportion, mailbox: &Mailbox) {
        if let Some(run) = self.runs.iter_mut().find(|run| run.id == id) {
            run.test = Some(test);
            self.persist(mailbox).await;
        }
    }

    /// Forgets a run.
    pub async fn forget(&mut self, id: u64, mailbox: &Mailbox) {
        self.runs.retain(|run| run.id != id);
        self.persist(mailbox).await;
    }

    /// Says which runs there are, and writes them.
    async fn persist(&self, mailbox: &Mailbox) {
        self.tell(mailbox);
        if !self.persistent {
            return;
        }
        let written = match serde_json::to_vec(&self.runs) {
            Ok(bytes) => store::write(RUNS, &bytes).await,
            Err(error) => Err(Error::Storage(format!("{RUNS}: {error}"))),
        };
        if let Err(error) = written {
            mailbox.warn(format!(
                "The list of runs could not be kept for the next start: {error}"
            ));
        }
    }
}
