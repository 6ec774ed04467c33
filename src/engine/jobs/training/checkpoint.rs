//! A training that is kept after each epoch, so that it can go on where the tab or the process ended.
//!
//! Four files: the numbers of the best epoch, those that the next step depends on, those of the best training
//! with another seed, and last a small JSON that names them. Each of the first three has two names, used in
//! turn: until the JSON is written the old ones count and are whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::platform::{StorageLocation, store};
use crate::protocol::{Interrupted, Run};
use crate::train::head::{CheckpointState, Progress, Resume};
use crate::weights::{self, NamedTensor};

/// What is known of the training.
const MANIFEST: &str = "training.json";
/// The files that it may name.
const STATES: [&str; 2] = [
    "training-state-0.safetensors",
    "training-state-1.safetensors",
];
const BESTS: [&str; 2] = ["training-best-0.safetensors", "training-best-1.safetensors"];
const BEST_RUNS: [&str; 2] = [
    "training-leader-0.safetensors",
    "training-leader-1.safetensors",
];

/// A training, kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct CheckpointManifest {
    /// What is shown of it.
    pub run: Interrupted,
    /// Edge of the model's input, in pixels.
    pub size: usize,
    /// SHA-256 of the data set's paths and classes: another set would give other numbers.
    pub data: String,
    /// SHA-256 of the file that the backbone came in.
    pub backbone: String,
    /// The same of the teacher, if there is one.
    #[serde(default)]
    pub teacher: Option<String>,
    /// SHA-256 of the list by which images that the backbone has seen are held out last; none if they are not.
    #[serde(default)]
    pub seen: Option<String>,
    /// When it began, and the first of its click.
    pub id: u64,
    pub group: u64,
    /// How far it is; none in its first epoch.
    pub progress: Option<Progress>,
    /// Which of the files of each kind count.
    pub state: usize,
    pub best: usize,
    /// The trainings with other seeds that are over.
    #[serde(default)]
    pub done: Vec<Run>,
    /// The best of them.
    #[serde(rename = "leader")]
    pub best_run: Option<BestRun>,
}

/// A training that is over, while others may still beat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BestRun {
    /// Its run.
    pub id: u64,
    /// Which of the files counts.
    file: usize,
}

/// Keeps one training.
pub(super) struct CheckpointWriter {
    place: StorageLocation,
    manifest: CheckpointManifest,
}

impl CheckpointWriter {
    /// Begins to keep a training: from now on it can be gone on with.
    ///
    /// # Errors
    /// [`Error::Storage`] if there is no room.
    pub async fn begin(place: StorageLocation, manifest: CheckpointManifest) -> Result<Self> {
        let writer = Self { place, manifest };
        writer.write_manifest().await?;
        if let Some(best_run) = &writer.manifest.best_run {
            let _ = store::remove_at(&writer.place, BEST_RUNS[1 - best_run.file.min(1)]).await;
        }
        Ok(writer)
    }

    async fn write_manifest(&self) -> Result<()> {
        let text = serde_json::to_vec(&self.manifest)
            .map_err(|error| Error::Storage(format!("{MANIFEST}: {error}")))?;
        store::write_at(&self.place, MANIFEST, &text).await
    }

    /// Keeps an epoch.
    ///
    /// # Errors
    /// [`Error::Storage`] if there is no room; the epoch kept before is then still there.
    pub async fn write(&mut self, kept: CheckpointState<'_>) -> Result<()> {
        // Another tab may have begun a training of its own: then that one is kept, and not a mixture.
        let there = read_manifest(&self.place).await.map(|there| there.id);
        if there != Some(self.manifest.id) {
            let reason = "another training is kept there by now";
            return Err(Error::Storage(reason.to_string()));
        }
        let none = BTreeMap::new();
        let mut manifest = self.manifest.clone();
        if let Some(best) = kept.best {
            manifest.best = 1 - manifest.best;
            let bytes = weights::save(&best, &none, weights::SaveAs::F32)?;
            store::write_at(&self.place, BESTS[manifest.best], &bytes).await?;
        }
        manifest.state = 1 - manifest.state;
        let bytes = weights::save(&kept.state, &none, weights::SaveAs::F32)?;
        store::write_at(&self.place, STATES[manifest.state], &bytes).await?;
        manifest.run.epochs.clone_from(&kept.progress.epochs);
        manifest.progress = Some(kept.progress.clone());
        self.manifest = manifest;
        self.write_manifest().await?;
        // What no longer counts only takes room.
        let _ = store::remove_at(&self.place, STATES[1 - self.manifest.state]).await;
        let _ = store::remove_at(&self.place, BESTS[1 - self.manifest.best]).await;
        Ok(())
    }
}

/// The training kept at a place, if there is one that can be read.
pub(super) async fn read_manifest(place: &StorageLocation) -> Option<CheckpointManifest> {
    let bytes = store::read_at(place, MANIFEST).await.ok()??;
    serde_json::from_slice(&bytes).ok()
}

/// What it goes on from; none if it is to begin again with its first epoch.
///
/// # Errors
/// [`Error::Storage`] if a file is gone, [`Error::Weights`] if it is damaged.
pub(super) async fn resume(
    place: &StorageLocation,
    manifest: &CheckpointManifest,
) -> Result<Option<Resume>> {
    let Some(progress) = manifest.progress.clone() else {
        return Ok(None);
    };
    let state = load(place, STATES[manifest.state.min(1)]).await?;
    let best = load(place, BESTS[manifest.best.min(1)]).await?;
    Ok(Some(Resume {
        progress,
        state,
        best,
    }))
}

/// Keeps the best training so far; it counts once the next one's manifest names it.
///
/// # Errors
/// [`Error::Storage`] if there is no room; the one before is then still there.
pub(super) async fn write_best_run(
    place: &StorageLocation,
    manifest: &CheckpointManifest,
    id: u64,
    tensors: &[NamedTensor],
) -> Result<BestRun> {
    let file = manifest
        .best_run
        .as_ref()
        .map_or(0, |old| 1 - old.file.min(1));
    let bytes = weights::save(tensors, &BTreeMap::new(), weights::SaveAs::F32)?;
    store::write_at(place, BEST_RUNS[file], &bytes).await?;
    Ok(BestRun { id, file })
}

/// The numbers of the best training so far.
///
/// # Errors
/// As [`resume`].
pub(super) async fn read_best_run(
    place: &StorageLocation,
    best_run: BestRun,
) -> Result<weights::Checkpoint> {
    load(place, BEST_RUNS[best_run.file.min(1)]).await
}

async fn load(place: &StorageLocation, key: &str) -> Result<weights::Checkpoint> {
    let bytes = store::read_at(place, key).await?;
    let gone = || Error::Storage(format!("{key}: what the training goes on from is gone"));
    weights::read(key, &bytes.ok_or_else(gone)?)
}

/// Forgets it.
///
/// # Errors
/// [`Error::Storage`] if it cannot be removed.
pub(super) async fn forget(place: &StorageLocation) -> Result<()> {
    // The manifest first: without it the others mean nothing.
    store::remove_at(place, MANIFEST).await?;
    for key in STATES.into_iter().chain(BESTS).chain(BEST_RUNS) {
        store::remove_at(place, key).await?;
    }
    Ok(())
}
