//! What the table says of an experiment: the same cells in Markdown, in HTML, and on the terminal.

use super::{Experiment, State};
use crate::cli::compare::seen;
use crate::cli::train_args::Start;
use crate::cli::training_report::TrainingReport;
use crate::compare::{self, MeanStd};
use crate::config::{Augment, Schedule};
use crate::protocol::{Proportion, Run};
use crate::weights::Bundled;

/// Headings of what was asked for.
pub const SETTINGS: [&str; 8] = [
    "Run file",
    "Backbone, weights",
    "Trained",
    "Head",
    "Augmentation",
    "Optimizer, rate",
    "Epochs",
    "Seeds",
];

/// Headings of what came of it.
pub const RESULTS: [&str; 6] = [
    "Validation, best epoch",
    "Test",
    "Cross-entropy, test",
    "Minutes",
    "Date",
    "Device",
];

/// The heading of the figure that a run file brings along.
pub const FIGURE: &str = "Exercise's figure";

/// How the figures are to be read.
pub const NOTES: [&str; 4] = [
    "Validation: accuracy on the held-out images, of each seed's best epoch; mean ± sample standard deviation over the \
     seeds, or of one seed with its 95 % interval. Choosing the best epoch by it makes it somewhat too high.",
    "Test: accuracy and mean cross-entropy (nats) of the model that is kept, the best seed's by validation, on images \
     that no choice was made by; with its 95 % interval (Wilson). All seeds: mean ± sample standard deviation of the \
     heads of all seeds, of which the kept one is one; not measured where convolutions were trained.",
    "So many seen: of the images measured on, these were seen when the backbone was trained, so that the accuracy is too \
     high.",
    "Minutes: all seeds together. Features of a frozen backbone that an earlier experiment of the same call computed are \
     used again and not counted again.",
];

/// An experiment's line.
pub struct Row {
    pub settings: [String; SETTINGS.len()],
    /// The exercise's own figure, if the run file has it.
    pub figure: String,
    /// What came of it; or why nothing did.
    pub results: Result<[String; RESULTS.len()], String>,
}

impl Row {
    pub fn of(experiment: &Experiment) -> Self {
        let plan = &experiment.plan;
        let config = &plan.config;
        let report = match &experiment.state {
            State::Done(report) => Ok(&**report),
            State::Failed(reason) => Err(format!("failed: {reason}")),
            State::Open => Err("has not run yet".to_owned()),
        };
        let augment = &config.augment;
        Self {
            settings: [
                experiment.name.clone(),
                backbone(experiment),
                config.scope.label().to_owned(),
                config.head.name().to_owned(),
                augment.name().unwrap_or(Augment::CUSTOM).to_owned(),
                optimizer(experiment),
                config.epochs.to_string(),
                plan.seeds.to_string(),
            ],
            figure: plan.figure.clone().unwrap_or_default(),
            results: report.map(results),
        }
    }
}

/// The line of an experiment on the terminal.
pub fn summary(experiment: &Experiment) -> String {
    let name = &experiment.name;
    match Row::of(experiment).results {
        Ok([validation, test, ..]) => format!("{name}: validation {validation}, test {test}"),
        Err(reason) => format!("{name}: {reason}"),
    }
}

/// The data sets of the finished experiments, in words.
pub fn data_sets(experiments: &[Experiment]) -> Vec<String> {
    let mut found = Vec::new();
    for experiment in experiments {
        let State::Done(report) = &experiment.state else {
            continue;
        };
        let sum = report.classes.iter().fold([0, 0], |sum, class| {
            [sum[0] + class.train, sum[1] + class.test]
        });
        let text = format!(
            "{}: {} classes, {} images to train on and to hold out from, {} to test",
            report.dataset,
            report.classes.len(),
            sum[0],
            sum[1]
        );
        if !found.contains(&text) {
            found.push(text);
        }
    }
    found
}

fn backbone(experiment: &Experiment) -> String {
    let plan = &experiment.plan;
    let run = match &experiment.state {
        State::Done(report) => report.runs.first(),
        _ => None,
    };
    let bundled = run
        .and_then(|run| Bundled::of_hash(&run.backbone))
        .map(|bundled| bundled.model);
    let bundled = bundled.or(match plan.start {
        Start::Bundled(model) => Some(model),
        _ => None,
    });
    let arch = run.map(|run| run.arch).or(plan.arch);
    let arch = arch.or(bundled.map(|model| Bundled::of(model).arch));
    let weights = bundled.map_or(plan.weights_word(), |model| model.name());
    match arch {
        Some(arch) => format!("{}, {weights}", arch.name()),
        None => weights.to_owned(),
    }
}

fn optimizer(experiment: &Experiment) -> String {
    let config = &experiment.plan.config;
    let mut text = format!("{}, {}", config.optimizer.label(), config.learning_rate);
    if config.schedule != Schedule::Constant {
        text.push_str(&format!(", {}", config.schedule.label()));
    }
    if config.trains_convolutions() {
        text.push_str(&format!("; backbone × {}", config.backbone_lr_factor));
    }
    text
}

fn results(report: &TrainingReport) -> [String; RESULTS.len()] {
    let runs = &report.runs;
    let milliseconds: f64 = runs.iter().map(|run| run.milliseconds).sum();
    let of_run = |run: &Run| run.seen.map_or(0, |seen| seen.validation);
    let seen_in_validation = runs.iter().map(of_run).max().unwrap_or(0);
    let begun = runs.iter().map(|run| run.id).min();
    let test = match &report.test {
        Some(test) => seen(share(&test.accuracy), test.seen),
        None if report.has_test_images() => "could not be measured".to_owned(),
        None => "no test images".to_owned(),
    };
    // Each head of several seeds is measured; of trained convolutions the one model that is kept.
    let seeds = compare::groups(runs).first().and_then(|group| group.test());
    let seeds = seeds.map(|spread| format!("; all seeds {}", mean_std(&spread)));
    [
        seen(validation(runs), seen_in_validation),
        test + &seeds.unwrap_or_default(),
        report
            .test
            .as_ref()
            .map_or_else(String::new, |test| format!("{:.4}", test.loss)),
        format!("{:.1}", milliseconds / 60e3),
        begun.map_or_else(String::new, date),
        report.device.clone(),
    ]
}

/// The accuracy on the held-out images: over the seeds, or of the one there is.
fn validation(runs: &[Run]) -> String {
    let spread = compare::groups(runs)
        .first()
        .and_then(|group| group.validation());
    match (spread, runs) {
        (Some(spread), _) => mean_std(&spread),
        (None, [run, ..]) => share(&run.validation),
        (None, []) => String::new(),
    }
}

fn mean_std(spread: &MeanStd) -> String {
    format!(
        "{:.2} ± {:.2} %",
        100.0 * spread.mean,
        100.0 * spread.deviation
    )
}

fn share(share: &Proportion) -> String {
    let [value, low, high] = [share.value, share.low, share.high].map(|v| 100.0 * v);
    format!("{value:.2} % ({low:.2} to {high:.2})")
}

/// The day (UTC) of a time in milliseconds since 1970, as 2026-11-28.
///
/// Years begin in March, so that a leap day is a year's last; 400 years have 146 097 days.
fn date(milliseconds: u64) -> String {
    // 719 468 days from 0000-03-01 to 1970-01-01.
    let days = milliseconds / 86_400_000 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = year + 400 * era + u64::from(month >= 10);
    let month = if month < 10 { month + 3 } else { month - 9 };
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::tests::run;

    #[test]
    fn several_seeds_are_a_mean_and_a_sample_deviation_and_one_has_its_interval() {
        let runs = [run(1, 1, 0.9), run(2, 1, 0.94), run(3, 1, 0.98)];
        assert_eq!(validation(&runs), "94.00 ± 4.00 %");
        assert_eq!(validation(&runs[..1]), "90.00 % (80.00 to 100.00)");
        assert_eq!(validation(&[]), "");
    }

    #[test]
    fn a_day_is_that_of_the_calendar() {
        // By GNU date, -u -d DAY +%s.
        for (seconds, day) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_735_689_599, "2024-12-31"),
            (1_735_689_600, "2025-01-01"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(date(seconds * 1000), day);
        }
    }
}
