//! In what a training that lies in an experiment's folder differs from the run file: a result of other settings may not
//! come into the table under that name.

use std::collections::BTreeMap;

use crate::cli::session::checkpoint_at;
use crate::cli::train_args::Plan;
use crate::cli::training_report::TrainingReport;
use crate::compare::{differing, leaves};
use crate::config::TrainConfig;
use crate::platform::hash;
use crate::protocol::{ClassCount, DatasetSummary, Interrupted};
use crate::weights::Bundled;

type Settings = BTreeMap<String, String>;

/// Differences that are told; of a thousand classes the first ones are enough.
const TOLD: usize = 6;

/// SHA-256 of the teacher's file, if there is one that can be read.
pub async fn sha256_of_teacher(plan: &Plan) -> Option<String> {
    let path = checkpoint_at(&plan.teacher.as_ref()?.to_string_lossy());
    Some(hash::sha256(&std::fs::read(path).ok()?).await)
}

/// Of a finished training, with `summary` of the data set in use.
pub fn of_report(
    report: &TrainingReport,
    plan: &Plan,
    summary: &DatasetSummary,
    teacher: Option<String>,
) -> Vec<String> {
    let Some(run) = report.runs.first() else {
        return vec!["it has no training".to_owned()];
    };
    let mut there = settings(&run.config, &report.dataset);
    let mut now = settings(&plan.config, &summary.name);
    put_classes(&mut there, &report.classes);
    put_classes(&mut now, &summary.classes);
    put_seeds(&mut there, report.seeds.unwrap_or(report.runs.len()));
    put_seeds(&mut now, plan.seeds);
    put(&mut there, "teacher file", short(run.teacher.as_deref()));
    put(&mut now, "teacher file", short(teacher.as_deref()));
    let bundled = plan
        .bundled(&ClassCount::names(&summary.classes))
        .map(Bundled::of);
    if let Some(arch) = bundled.map(|bundled| bundled.arch).or(plan.arch) {
        put(&mut there, "backbone", run.arch.name());
        put(&mut now, "backbone", arch.name());
    }
    let of_hash = Bundled::of_hash(&run.backbone).map(|bundled| bundled.model.name());
    if let Some(word) = of_hash.or(report.weights.as_deref()) {
        let asked = bundled.map_or(plan.weights_word(), |bundled| bundled.model.name());
        put(&mut there, "weights", word);
        put(&mut now, "weights", asked);
    }
    // Another version of the program may come with others.
    if let Some(bundled) = bundled {
        put(&mut there, "weights file", short(Some(&run.backbone)));
        put(&mut now, "weights file", short(Some(bundled.asset.sha256)));
    }
    told(there, now)
}

/// Of an interrupted one. That its images and its backbone are the same is seen to where it goes on.
pub fn of_interrupted(run: &Interrupted, plan: &Plan, summary: &DatasetSummary) -> Vec<String> {
    // Each seed that is done has left one less to come, and the next seed.
    let done = plan.seeds.saturating_sub(run.seeds) as u64;
    let mut config = run.config.clone();
    config.seed = config.seed.wrapping_sub(done);
    let mut there = settings(&config, &run.dataset);
    let mut now = settings(&plan.config, &summary.name);
    if run.seeds > plan.seeds {
        put_seeds(&mut there, run.seeds);
        put_seeds(&mut now, plan.seeds);
    }
    let bundled = plan
        .bundled(&ClassCount::names(&summary.classes))
        .map(Bundled::of);
    if let Some(arch) = bundled.map(|bundled| bundled.arch).or(plan.arch) {
        put(&mut there, "backbone", run.arch.name());
        put(&mut now, "backbone", arch.name());
    }
    told(there, now)
}

fn settings(config: &TrainConfig, dataset: &str) -> Settings {
    // Plain data with text keys always has a JSON form.
    let mut settings = leaves(&serde_json::to_value(config).unwrap_or_default());
    put(&mut settings, "data set", dataset);
    settings
}

fn put(settings: &mut Settings, name: &str, value: impl Into<String>) {
    settings.insert(name.to_owned(), value.into());
}

fn put_seeds(settings: &mut Settings, seeds: usize) {
    put(settings, "seeds", seeds.to_string());
}

fn put_classes(settings: &mut Settings, classes: &[ClassCount]) {
    for ClassCount { name, train, test } in classes {
        put(
            settings,
            &format!("images of {name}"),
            format!("{train} + {test}"),
        );
    }
}

/// The beginning of a hash.
fn short(sha256: Option<&str>) -> String {
    sha256.map_or("none".to_owned(), |sha256| {
        sha256.chars().take(12).collect()
    })
}

fn told(there: Settings, now: Settings) -> Vec<String> {
    let rows = differing(&[there, now]);
    let more = rows.len().saturating_sub(TOLD);
    let row = |(name, values): (String, Vec<String>)| {
        format!("{name}: {} there, {} now", values[0], values[1])
    };
    let mut told: Vec<String> = rows.into_iter().take(TOLD).map(row).collect();
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    told
}
