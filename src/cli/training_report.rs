//! report.json: what a training was told, what it learned from, its curves, and the test's numbers if there was a test
//! set. Written by `train` and `experiment`, read by `compare` and `experiment`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::output::Output;
use super::train_args::Plan;
use crate::config::{Arch, TrainConfig};
use crate::error::{Error, Result};
use crate::protocol::{
    ClassCount, EpochReport, Evaluation, Labels, Leak, Run, Skipped, TableSummary,
};

/// Its name in the folder of a training.
pub const FILE: &str = "report.json";

/// The report of a training, of all its seeds. Older ones lack what was not written then.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrainingReport {
    /// The data set's name, and what was found in it.
    pub dataset: String,
    pub classes: Vec<ClassCount>,
    #[serde(default)]
    labels: Labels,
    #[serde(default)]
    table: Option<TableSummary>,
    #[serde(default)]
    duplicates: Vec<Vec<String>>,
    #[serde(default)]
    leaks: Vec<Leak>,
    #[serde(default)]
    notes: Vec<String>,
    /// Backbone of the model that is kept, edge of its input, SHA-256 of the file that it came in.
    arch: Option<Arch>,
    input: Option<usize>,
    backbone_sha256: Option<String>,
    /// What weights were asked for; none in reports from before it was noted.
    #[serde(default)]
    pub weights: Option<String>,
    /// How many trainings were asked for; the same.
    #[serde(default)]
    pub seeds: Option<usize>,
    /// The settings, with the first one's seed.
    pub config: TrainConfig,
    /// The trainings.
    pub runs: Vec<Run>,
    /// What ran them.
    pub device: String,
    #[serde(default)]
    features: Features,
    /// Of the training whose model is kept.
    epochs: Vec<EpochReport>,
    best_epoch: usize,
    /// Its model on the test images.
    pub test: Option<Evaluation>,
    #[serde(default)]
    skipped: Vec<Skipped>,
}

/// Images that went through a frozen backbone.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Features {
    images: usize,
    milliseconds: f64,
}

impl TrainingReport {
    /// The report of the training that the output has just heard of.
    pub fn of(plan: &Plan, output: &Output) -> Self {
        let summary = output.summary.clone().unwrap_or_default();
        let model = output.model.as_ref();
        let (images, milliseconds) = output.featurised;
        // One that went on has the settings that it began with.
        let first = output.runs.first().map(|run| &run.config);
        // Of a training that went on the weights are those that it began from.
        let arch = output.runs.first().map(|run| run.arch);
        let known = !arch.is_some_and(|arch| plan.is_of_another_backbone(arch));
        Self {
            dataset: summary.name,
            classes: summary.classes,
            labels: summary.labels,
            table: summary.table,
            duplicates: summary.duplicates,
            leaks: summary.leaks,
            notes: summary.notes,
            arch: model.map(|model| model.arch),
            input: model.map(|model| model.size),
            backbone_sha256: model.and_then(|model| model.sha256.clone()),
            weights: known.then(|| plan.weights_word().to_owned()),
            seeds: Some(if output.gone_on {
                output.runs.len()
            } else {
                plan.seeds
            }),
            config: first.unwrap_or(&plan.config).clone(),
            runs: output.runs.clone(),
            device: output.device.clone(),
            features: Features {
                images,
                milliseconds,
            },
            epochs: output.epochs.clone(),
            best_epoch: output.best_epoch,
            test: output.evaluation.clone(),
            skipped: output.skipped.clone(),
        }
    }

    /// The report of a file, or of the folder that it lies in.
    ///
    /// # Errors
    /// [`Error::Storage`] naming the file, if it cannot be read or is no such report.
    pub fn read(path: &Path) -> Result<Self> {
        let file = if path.is_dir() {
            path.join(FILE)
        } else {
            path.to_path_buf()
        };
        let wrong = |reason: String| Error::Storage(format!("{}: {reason}", file.display()));
        let text = std::fs::read_to_string(&file).map_err(|error| wrong(error.to_string()))?;
        serde_json::from_str(&text)
            .map_err(|error| wrong(format!("is no report of a training ({error})")))
    }

    /// As the file has it.
    ///
    /// # Errors
    /// [`Error::Storage`] if a number in it has no JSON.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map_err(|error| Error::Storage(format!("{FILE}: {error}")))
    }

    /// Whether the data set has images to test on.
    pub fn has_test_images(&self) -> bool {
        self.classes.iter().any(|class| class.test > 0)
    }
}
