//! Where events end on the command line: results on standard output, progress and words on standard
//! error, and what the report needs is kept.

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::failure::Failure;
use super::out::line;
use super::report;
use crate::config::TrainConfig;
use crate::error::ErrorKind;
use crate::protocol::{
    DatasetSummary, EpochReport, Evaluation, Event, ExportCheck, Interrupted, LeakKind,
    ModelSummary, Phase, Run, Skipped, TrainEvent,
};
use crate::train::metrics::argmax;

/// What was said.
#[derive(Default)]
pub struct Output {
    /// Print classifications: as JSON lines, or for people.
    classify: Option<bool>,
    bar: Option<(Phase, ProgressBar)>,
    /// Files that failed.
    pub failed: usize,
    /// The same, by name.
    pub skipped: Vec<Skipped>,
    /// Why the last command failed, if it did.
    pub failure: Option<Failure>,
    /// What runs the model.
    pub device: String,
    /// Whether the training is one that was interrupted before.
    pub gone_on: bool,
    /// The model in use.
    pub model: Option<ModelSummary>,
    /// The data set in use.
    pub summary: Option<DatasetSummary>,
    /// Images through the backbone, and the milliseconds that took.
    pub featurised: (usize, f64),
    /// The trainings so far.
    pub runs: Vec<Run>,
    /// A training that can go on.
    pub interrupted: Option<Interrupted>,
    /// The epochs of the training.
    pub epochs: Vec<EpochReport>,
    /// The epoch whose head was kept.
    pub best_epoch: usize,
    /// The settings of a training that is not announced yet.
    pub announce: Option<TrainConfig>,
    /// The last evaluation.
    pub evaluation: Option<Evaluation>,
    /// The last export.
    pub exported: Vec<u8>,
    /// How it did beside the model, if it was run.
    pub export_check: Option<ExportCheck>,
}

impl Output {
    /// Prints each classification, as JSON or for people.
    pub fn classify(json: bool) -> Self {
        Self {
            classify: Some(json),
            ..Self::default()
        }
    }

    /// Prints no classifications.
    pub fn quiet() -> Self {
        Self::default()
    }

    /// Takes an event in.
    pub fn show(&mut self, event: Event, blobs: Vec<Vec<u8>>) {
        match event {
            Event::Device { name, note, .. } => {
                if let Some(note) = note {
                    self.say(&note);
                }
                self.device = name;
            }
            Event::Model { model } => self.model = Some(model),
            Event::Classified {
                file,
                probabilities,
                milliseconds,
                ..
            } => {
                self.classified(&file, &probabilities, milliseconds);
            }
            Event::FileError { file, reason, .. } => self.file_error(Path::new(&file), &reason),
            Event::Dataset { summary, .. } => {
                self.dataset(&summary);
                self.summary = Some(summary);
            }
            Event::Progress {
                phase, done, total, ..
            } => self.progress(phase, done, total),
            Event::Featurised {
                images,
                milliseconds,
                ..
            } => {
                self.featurised.0 += images;
                self.featurised.1 += milliseconds;
            }
            Event::Training(event) => self.train_event(event),
            Event::Runs { runs } => self.runs = runs,
            Event::Interrupted { run } => self.interrupted = run,
            Event::DeviceLost { reason, .. } => {
                self.failure = Some(Failure {
                    kind: ErrorKind::Gpu,
                    text: format!("GPU: {reason}; the training can go on from its last epoch"),
                });
            }
            Event::Evaluated { report, .. } => self.evaluation = Some(report),
            Event::Exported { check, .. } => {
                self.export_check = check;
                self.exported = blobs.into_iter().next().unwrap_or_default();
            }
            Event::Warning { text } => self.say(&text),
            Event::Failed { kind, error, .. } => self.failure = Some(Failure { kind, text: error }),
            // How far the engine is, and the answers to what only the page asks for.
            _ => {}
        }
    }

    fn train_event(&mut self, event: TrainEvent) {
        match event {
            TrainEvent::Tuning {
                kept,
                changes,
                bytes,
            } => {
                let what = match (kept, changes) {
                    (true, false) => "kept in memory",
                    (true, true) => "kept for validation; training images change with every epoch",
                    (false, _) => "too much to keep, computed for every batch",
                };
                let megabytes = bytes.div_ceil(1_000_000);
                self.say(&format!("the input of what is trained takes {megabytes} MB: {what}"));
            }
            TrainEvent::Views { views, images } => self.say(&format!(
                "{views} augmented views of each training image are kept: {images} images through the backbone"
            )),
            TrainEvent::Divided { counts, own } => {
                // Told once of several trainings.
                let Some(config) = self.announce.take() else {
                    return;
                };
                if let (Some(summary), Some(model)) = (&self.summary, &self.model) {
                    for text in report::plan(summary, model, &config, (&counts, own)) {
                        self.say(&text);
                    }
                }
            }
            TrainEvent::Begun {
                number, of, seed
            } => {
                self.say(&format!("training {number} of {of}, seed {seed}"));
                self.epochs.clear();
            }
            TrainEvent::Epoch { report } => {
                self.say(&format!(
                    "epoch {:3}  train loss {:.4} accuracy {:.4}  validation loss {:.4} accuracy {:.4}",
                    report.epoch,
                    report.train_loss,
                    report.train_accuracy,
                    report.val_loss,
                    report.val_accuracy
                ));
                if let Some(text) = report::gradients(&report) {
                    self.say(&text);
                }
                self.epochs.push(report);
            }
            TrainEvent::Trained { best_epoch, .. } => {
                self.best_epoch = best_epoch;
                // Of several trainings the report is on the one whose model is in use.
                let best = self.runs.iter();
                let best = best.reduce(|best, run| if run.beats(best) { run } else { best });
                if let Some(run) = best {
                    self.epochs.clone_from(&run.epochs);
                }
            }
            TrainEvent::LiveMetrics { .. } => {}
        }
    }

    /// Begins with the epochs of a training that goes on.
    pub fn go_on(&mut self, run: &Interrupted) {
        self.gone_on = true;
        self.epochs.clone_from(&run.epochs);
    }

    /// Forgets what was said of a training, and of images that could not be read in it; what was said of the data set stays.
    pub fn forget_training(&mut self) {
        let summary = self.summary.as_ref();
        self.skipped = summary.map_or_else(Vec::new, |summary| summary.skipped.clone());
        self.featurised = (0, 0.0);
        self.epochs.clear();
        self.best_epoch = 0;
        self.evaluation = None;
        self.exported.clear();
    }

    /// Says what was left out of a data set and what makes its figures wrong; counts the images that failed.
    fn dataset(&mut self, summary: &DatasetSummary) {
        // A set of another kind would fill the screen with its files.
        const SHOWN: usize = 20;
        for failed in [true, false] {
            let files: Vec<_> = (summary.skipped.iter())
                .filter(|skipped| skipped.failed == failed)
                .collect();
            for Skipped { file, reason, .. } in files.iter().take(SHOWN) {
                self.say(&format!("{file}: {reason}"));
            }
            if files.len() > SHOWN {
                self.say(&format!("... and {} more", files.len() - SHOWN));
            }
            if failed {
                self.failed += files.len();
            }
        }
        self.skipped.extend(summary.skipped.iter().cloned());
        for note in &summary.notes {
            self.say(note);
        }
        for leak in summary.leaks.iter().take(SHOWN) {
            let what = match leak.kind {
                LeakKind::BetweenParts => "the same image in several parts",
                LeakKind::TwoLabels => "the same image with two labels",
            };
            self.say(&format!("{what}: {}", leak.files.join(" = ")));
        }
        if summary.leaks.len() > SHOWN {
            self.say(&format!("... and {} more", summary.leaks.len() - SHOWN));
        }
    }

    /// Notes a file that failed, and says so where results go.
    pub fn file_error(&mut self, file: &Path, reason: &str) {
        self.failed += 1;
        let file = file.to_string_lossy().into_owned();
        match self.classify {
            Some(true) => line(format_args!("{}", json!({"file": file, "error": reason}))),
            _ => self.say(&format!("{file}: {reason}")),
        }
        self.skipped.push(Skipped::failed(file, reason));
    }

    fn classified(&mut self, file: &str, probabilities: &[f32], milliseconds: f64) {
        let classes = self.model.as_ref().map_or(&[][..], |model| &model.classes);
        let best = argmax(probabilities);
        let label = classes.get(best).map_or("", String::as_str);
        let probability = probabilities.get(best).copied().unwrap_or_default();
        if self.classify == Some(true) {
            let named = classes.iter().zip(probabilities);
            let named: serde_json::Map<_, _> =
                named.map(|(class, p)| (class.clone(), json!(p))).collect();
            let shown = json!({
                "file": file, "label": label, "probability": probability,
                "probabilities": named, "milliseconds": milliseconds,
            });
            line(shown);
        } else {
            line(format_args!(
                "{file}: {label} {:.1} % ({milliseconds:.0} ms)",
                100.0 * probability
            ));
        }
    }

    fn progress(&mut self, phase: Phase, done: u64, total: u64) {
        let word = match phase {
            Phase::LoadingModel | Phase::PreparingGpu | Phase::Classifying => return,
            Phase::Downloading => "downloading",
            Phase::Indexing => "indexing",
            Phase::Comparing => "compared with what the backbone has seen",
            Phase::Featurising => "features",
            Phase::Training => "training",
            Phase::Evaluating => "evaluating",
        };
        if self.bar.as_ref().is_none_or(|(shown, _)| *shown != phase) {
            let style = "{prefix:11} {wide_bar} {pos}/{len} {eta} left";
            let style = ProgressStyle::with_template(style).unwrap_or(ProgressStyle::default_bar());
            let bar = ProgressBar::new(total).with_style(style).with_prefix(word);
            self.bar = Some((phase, bar));
        }
        if let Some((_, bar)) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
            if done == total {
                bar.finish_and_clear();
                self.bar = None;
            }
        }
    }

    /// A line on standard error that does not tear the progress bar.
    fn say(&self, text: &str) {
        match &self.bar {
            Some((_, bar)) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }
}
