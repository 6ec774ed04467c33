//! `retune compare`: trainings side by side.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::args::CompareArgs;
use super::out::line;
use super::report::percent;
use crate::error::{Error, Result};
use crate::protocol::Run;
use crate::train::metrics::mean_and_deviation;

/// Prints the runs of some reports.
pub fn run(args: &CompareArgs) -> Result<()> {
    let mut runs = Vec::new();
    for path in &args.reports {
        for run in read(path)? {
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
            percent(&run.validation),
            run.test.as_ref().map(percent).unwrap_or_default(),
        ));
    }
    let runs: Vec<Run> = runs.into_iter().map(|(_, run)| run).collect();
    for text in summary(&runs).into_iter().chain(differences(&runs)) {
        line(text);
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<Run>> {
    let file = if path.is_dir() {
        path.join("report.json")
    } else {
        path.to_path_buf()
    };
    let wrong = |reason: String| Error::Storage(format!("{}: {reason}", file.display()));
    let text = std::fs::read_to_string(&file).map_err(|error| wrong(error.to_string()))?;
    let mut report: Value =
        serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let runs = report.get_mut("runs").map(Value::take);
    let runs = runs.ok_or_else(|| wrong("is no report of a training".to_string()))?;
    serde_json::from_value(runs).map_err(|error| wrong(error.to_string()))
}

/// A line for each group of runs that differ in their seed only.
pub fn summary(runs: &[Run]) -> Vec<String> {
    let mut groups: BTreeMap<u64, Vec<&Run>> = BTreeMap::new();
    for run in runs {
        groups.entry(run.group).or_default().push(run);
    }
    let several = groups.values().filter(|runs| runs.len() > 1);
    several
        .map(|runs| {
            let shares: Vec<f64> = runs.iter().map(|run| run.validation.value).collect();
            let (mean, deviation) = mean_and_deviation(&shares);
            format!(
                "{} seeds: validation accuracy {:.2} % on average, standard deviation {:.2}",
                runs.len(),
                100.0 * mean,
                100.0 * deviation
            )
        })
        .collect()
}

/// The settings in which runs differ, a line each.
fn differences(runs: &[Run]) -> Vec<String> {
    let settings: Vec<BTreeMap<String, String>> = runs
        .iter()
        .map(|run| {
            let mut leaves = BTreeMap::new();
            flatten("", &json!(run.config), &mut leaves);
            leaves
        })
        .collect();
    let names = settings.iter().flat_map(BTreeMap::keys).cloned();
    let names: std::collections::BTreeSet<String> = names.collect();
    let mut lines = Vec::new();
    for name in names {
        let none = String::from("-");
        let values: Vec<&String> = settings
            .iter()
            .map(|s| s.get(&name).unwrap_or(&none))
            .collect();
        if values.windows(2).any(|pair| pair[0] != pair[1]) {
            let values: Vec<&str> = values.into_iter().map(String::as_str).collect();
            lines.push(format!("{name}: {}", values.join(" | ")));
        }
    }
    lines
}

fn flatten(name: &str, value: &Value, leaves: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let name = if name.is_empty() {
                    field.clone()
                } else {
                    format!("{name}.{field}")
                };
                flatten(&name, value, leaves);
            }
        }
        value => {
            leaves.insert(name.to_string(), value.to_string());
        }
    }
}
