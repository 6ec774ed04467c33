//! Runs side by side: in which settings they differ, and what several seeds of the same give.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::protocol::{Proportion, Run};

/// Runs that differ in their seed only, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Group<'a> {
    /// The id they share.
    pub id: u64,
    /// They.
    pub runs: Vec<&'a Run>,
}

/// A mean over several runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanStd {
    /// Mean.
    pub mean: f64,
    /// Sample standard deviation: over `count - 1`.
    pub deviation: f64,
    /// Runs.
    pub count: usize,
}

/// The runs by their groups, the group with the newest run first.
#[must_use]
pub fn groups(runs: &[Run]) -> Vec<Group<'_>> {
    let mut sorted: Vec<&Run> = runs.iter().collect();
    sorted.sort_by_key(|run| std::cmp::Reverse(run.id));
    let mut groups: Vec<Group<'_>> = Vec::new();
    for run in sorted {
        match groups.iter_mut().find(|g| g.id == run.group) {
            Some(group) => group.runs.push(run),
            None => groups.push(Group {
                id: run.group,
                runs: vec![run],
            }),
        }
    }
    groups
}

impl Group<'_> {
    /// The validation accuracies of several runs; none of a single one.
    #[must_use]
    pub fn validation(&self) -> Option<MeanStd> {
        spread(self.runs.iter().map(|run| run.validation))
    }

    /// The test accuracies of those that were measured, if there are several.
    #[must_use]
    pub fn test(&self) -> Option<MeanStd> {
        spread(self.runs.iter().filter_map(|run| run.test))
    }
}

fn spread(shares: impl Iterator<Item = Proportion>) -> Option<MeanStd> {
    let values: Vec<f64> = shares.map(|share| share.value).collect();
    let count = values.len();
    if count < 2 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / count as f64;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    let deviation = (squares / (count - 1) as f64).sqrt();
    Some(MeanStd {
        mean,
        deviation,
        count,
    })
}

/// The settings in which runs differ: name, and each run's value. What else tells runs apart (images,
/// backbone, device) is among them.
#[must_use]
pub fn differences(runs: &[&Run]) -> Vec<(String, Vec<String>)> {
    let settings: Vec<_> = runs.iter().map(|run| all(run)).collect();
    differing(&settings)
}

/// The same of settings by their paths, [`leaves`] and others.
#[must_use]
pub fn differing(settings: &[BTreeMap<String, String>]) -> Vec<(String, Vec<String>)> {
    let names: BTreeSet<&String> = settings.iter().flat_map(BTreeMap::keys).collect();
    let value = |of: &BTreeMap<String, String>, name: &str| {
        of.get(name).cloned().unwrap_or_else(|| "–".to_owned())
    };
    let mut rows = Vec::new();
    for name in &names {
        // "rotation: off" says nothing that the rows of the other run's rotation do not say.
        let below = format!("{name}.");
        let has_parts = names.iter().any(|other| other.starts_with(&below));
        let values: Vec<String> = settings.iter().map(|of| value(of, name)).collect();
        if !has_parts && values.iter().any(|v| *v != values[0]) {
            rows.push((title(name), values));
        }
    }
    rows
}

fn all(run: &Run) -> BTreeMap<String, String> {
    // Plain data with text keys always has a JSON form.
    let config = serde_json::to_value(&run.config).unwrap_or_default();
    let mut all = leaves(&config);
    let teacher = run.teacher.as_deref().unwrap_or("none");
    let others = [
        ("data set", run.dataset.clone()),
        ("images", format!("{} + {}", run.images[0], run.images[1])),
        ("backbone", run.arch.name().to_owned()),
        ("backbone file", run.backbone.chars().take(12).collect()),
        ("teacher file", teacher.chars().take(12).collect()),
        ("input size", run.size.to_string()),
        ("device", run.device.clone()),
    ];
    all.extend(others.map(|(name, value)| (name.to_owned(), value)));
    all
}

/// Every value of a JSON object under its path, `augment.rotation.degrees`.
#[must_use]
pub fn leaves(value: &Value) -> BTreeMap<String, String> {
    let mut leaves = BTreeMap::new();
    collect(String::new(), value, &mut leaves);
    leaves
}

fn collect(path: String, value: &Value, leaves: &mut BTreeMap<String, String>) {
    if let Value::Object(map) = value {
        for (name, value) in map {
            let dot = if path.is_empty() { "" } else { "." };
            collect(format!("{path}{dot}{name}"), value, leaves);
        }
    } else {
        leaves.insert(path, text(value));
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "off".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) if items[0].is_object() => {
            let item = |item: &Value| leaves(item).into_values().collect::<Vec<_>>().join(":");
            items.iter().map(item).collect::<Vec<_>>().join(" ")
        }
        Value::Array(items) => items.iter().map(short).collect::<Vec<_>>().join(" to "),
        other => other.to_string(),
    }
}

/// A number without the digits of an endless fraction.
fn short(value: &Value) -> String {
    let text = value.to_string();
    match value.as_f64() {
        Some(number) if text.len() > 8 => format!("{number:.4}"),
        _ => text,
    }
}

/// A path as words.
fn title(path: &str) -> String {
    path.replace('_', " ").replace('.', ": ")
}

#[cfg(test)]
pub mod tests {
    //! Runs, for this module's tests and the reducer's.

    use super::*;
    use crate::config::{Arch, Augment, OptimizerKind, SizeFrom, TrainConfig};

    /// A share of a hundred.
    pub fn share(value: f64) -> Proportion {
        Proportion {
            hits: (value * 100.0) as u64,
            of: 100,
            value,
            low: value - 0.1,
            high: value + 0.1,
        }
    }

    /// A run of that id and group with that validation accuracy.
    pub fn run(id: u64, group: u64, accuracy: f64) -> Run {
        Run {
            id,
            group,
            dataset: "demo set".into(),
            images: [192, 48],
            arch: Arch::ResNet18,
            backbone: "0123456789abcdef".into(),
            teacher: None,
            size: 150,
            device: "CPU".into(),
            config: TrainConfig::default(),
            epochs: Vec::new(),
            best_epoch: 2,
            stopped: false,
            validation: share(accuracy),
            test: None,
            milliseconds: 9000.0,
            seen: None,
        }
    }

    #[test]
    fn runs_of_one_group_stand_together_newest_first() {
        let runs = [
            run(1, 1, 0.5),
            run(2, 2, 0.5),
            run(3, 2, 0.5),
            run(4, 1, 0.5),
            run(5, 5, 0.5),
        ];
        let groups = groups(&runs);
        let ids: Vec<_> = groups
            .iter()
            .map(|g| (g.id, g.runs.iter().map(|r| r.id).collect::<Vec<_>>()))
            .collect();
        assert_eq!(ids, [(5, vec![5]), (1, vec![4, 1]), (2, vec![3, 2])]);
    }

    #[test]
    fn mean_and_deviation_are_those_of_a_sample() {
        let mut runs = [run(1, 1, 0.9), run(2, 1, 0.94), run(3, 1, 0.98)];
        runs[0].test = Some(share(0.8));
        let of_three = groups(&runs);
        let spread = of_three[0].validation().expect("three runs");
        assert_eq!(spread.count, 3);
        assert!((spread.mean - 0.94).abs() < 1e-12);
        // sqrt((0.04^2 + 0 + 0.04^2) / 2), where a whole population's would be over 3.
        assert!((spread.deviation - 0.04).abs() < 1e-12, "{spread:?}");
        assert_eq!(of_three[0].test(), None);
        runs[2].test = Some(share(0.9));
        let test = groups(&runs)[0].test().expect("two were measured");
        assert_eq!(test.count, 2);
        assert!((test.deviation - 0.1 / 2f64.sqrt()).abs() < 1e-12);
        assert_eq!(groups(&runs[..1])[0].validation(), None);
    }

    #[test]
    fn only_what_differs_is_listed() {
        let a = run(1, 1, 0.9);
        let mut b = run(2, 2, 0.9);
        assert_eq!(differences(&[&a, &b]), []);
        b.config.optimizer = OptimizerKind::Sgd;
        b.config.learning_rate = 0.05;
        b.config.augment = Augment::preset("course-work").expect("known");
        b.config.sizes = vec![
            SizeFrom { epoch: 1, size: 96 },
            SizeFrom {
                epoch: 5,
                size: 128,
            },
        ];
        b.arch = Arch::ResNet50;
        let rows = differences(&[&a, &b, &a]);
        let row = |name: &str| {
            let row = rows.iter().find(|row| row.0 == name);
            row.map(|row| row.1.join(" | "))
        };
        assert_eq!(row("optimizer").as_deref(), Some("adam | sgd | adam"));
        assert_eq!(
            row("learning rate").as_deref(),
            Some("0.001 | 0.05 | 0.001")
        );
        assert_eq!(row("sizes").as_deref(), Some("none | 1:96 5:128 | none"));
        assert_eq!(
            row("backbone").as_deref(),
            Some("resnet18 | resnet50 | resnet18")
        );
        assert_eq!(
            row("augment: rotation: degrees").as_deref(),
            Some("– | 10.0 | –")
        );
        assert_eq!(
            (row("augment: rotation"), row("seed"), row("epochs")),
            (None, None, None)
        );
        // Optimizer, rate, sizes, backbone, flip, three of the rotation, four of the colours.
        assert_eq!(rows.len(), 12, "{rows:?}");
    }
}
