//! The runs that are kept to be compared: figures only, no weights.

use super::Engine;
use crate::error::Result;
use crate::platform::store;
use crate::protocol::{Event, Proportion, Run};

/// They are kept under this name.
const RUNS: &str = "runs.json";

/// More than a person compares; the oldest go first.
const MOST: usize = 200;

impl Engine {
    /// At the start: the runs kept from last time.
    pub(super) async fn load_runs(&mut self) {
        if self.persistent
            && let Ok(Some(bytes)) = store::read(RUNS).await
        {
            // Written by an older version, they may mean nothing to this one.
            self.runs = serde_json::from_slice(&bytes).unwrap_or_default();
        }
        self.tell_runs();
    }

    fn tell_runs(&self) {
        let runs = self.runs.clone();
        self.mailbox.emit(Event::Runs { runs });
    }

    /// Adds a run.
    pub(super) async fn add_run(&mut self, run: Run) {
        self.runs.push(run);
        let surplus = self.runs.len().saturating_sub(MOST);
        self.runs.drain(..surplus);
        self.persist_runs().await;
    }

    /// Notes the accuracy of a run's model on the test images.
    pub(super) async fn test_run(&mut self, id: u64, test: Proportion) {
        if let Some(run) = self.runs.iter_mut().find(|run| run.id == id) {
            run.test = Some(test);
            self.persist_runs().await;
        }
    }

    /// Forgets a run.
    pub(super) async fn forget_run(&mut self, id: u64) -> Result<()> {
        self.runs.retain(|run| run.id != id);
        self.persist_runs().await;
        Ok(())
    }

    /// Says which runs there are, and keeps them.
    async fn persist_runs(&mut self) {
        self.tell_runs();
        if !self.persistent {
            return;
        }
        let kept = match serde_json::to_vec(&self.runs) {
            Ok(bytes) => store::write(RUNS, &bytes).await,
            Err(error) => Err(crate::error::Error::Storage(format!("{RUNS}: {error}"))),
        };
        if let Err(error) = kept {
            self.mailbox.warn(format!(
                "The list of runs will be gone after a reload: {error}"
            ));
        }
    }
}
