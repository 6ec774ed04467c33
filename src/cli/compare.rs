//! `retune compare`: trainings side by side.

use serde_json::json;

use super::args::CompareArgs;
use super::out::line;
use super::report::percent;
use super::training_report::TrainingReport;
use crate::compare;
use crate::error::Result;
use crate::protocol::Run;

/// Prints the runs of some reports.
pub fn run(args: &CompareArgs) -> Result<()> {
    let mut runs = Vec::new();
    for path in &args.reports {
        for run in TrainingReport::read(path)?.runs {
            runs.push((path.display().to_string(), run));
        }
    }
    if args.json {
        for (_, run) in &runs {
            line(json!(run));
        }
        return Ok(());
    }
    line(format_args!(
        "{:28} {:16} {:10} {:8} {:>6} {:>5} {:>9}  {:38} {:38}",
        "run", "backbone", "trained", "head", "epochs", "seed", "time", "validation", "test"
    ));
    for (name, run) in &runs {
        line(format_args!(
            "{:28} {:16} {:10} {:8} {:>6} {:>5} {:>7.0} s  {:38} {:38}",
            name,
            run.arch.name(),
            run.config.scope.name(),
            run.config.head.name(),
            format!("{}/{}", run.best_epoch, run.epochs.len()),
            run.config.seed,
            run.milliseconds / 1e3,
            seen(
                percent(&run.validation),
                run.seen.map_or(0, |s| s.validation)
            ),
            run.test
                .as_ref()
                .map(|test| seen(percent(test), run.seen.map_or(0, |s| s.test)))
                .unwrap_or_default(),
        ));
    }
    let runs: Vec<Run> = runs.into_iter().map(|(_, run)| run).collect();
    for text in summary(&runs).into_iter().chain(differences(&runs)) {
        line(text);
    }
    Ok(())
}

/// An accuracy, and how many of its images the backbone had been trained on, if any.
pub fn seen(accuracy: String, images: usize) -> String {
    match images {
        0 => accuracy,
        _ => format!("{accuracy}, {images} seen"),
    }
}

/// A line for each group of runs that differ in their seed only, the oldest first as in the table.
pub fn summary(runs: &[Run]) -> Vec<String> {
    let spreads = compare::groups(runs).into_iter().rev();
    let spreads = spreads.filter_map(|group| group.validation());
    spreads
        .map(|spread| {
            format!(
                "{} seeds: validation accuracy {:.2} % on average, standard deviation {:.2}",
                spread.count,
                100.0 * spread.mean,
                100.0 * spread.deviation
            )
        })
        .collect()
}

/// The settings in which runs differ, a line each.
fn differences(runs: &[Run]) -> Vec<String> {
    let runs: Vec<&Run> = runs.iter().collect();
    let rows = compare::differences(&runs).into_iter();
    rows.map(|(name, values)| format!("{name}: {}", values.join(" | ")))
        .collect()
}
