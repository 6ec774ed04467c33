//! What a training, and a measurement, say to people.

use std::path::Path;

use serde_json::json;

use super::compare;
use super::out::line;
use super::output::Output;
use crate::config::TrainConfig;
use crate::protocol::{
    ClassCount, DatasetSummary, EpochReport, Evaluation, Labels, ModelSummary, Proportion,
};

/// The question that a data set asks, with the flags that answer it; none if it asks none.
pub fn question(summary: &DatasetSummary) -> Option<String> {
    let asks = summary.labels == Labels::Auto && !summary.readings.is_empty();
    let problem = summary.problem.as_ref().filter(|_| asks)?;
    let mut text = format!("{}: {problem}", summary.name);
    for reading in &summary.readings {
        let shown = reading.classes.iter().map(|class| {
            let ClassCount { name, train, test } = class;
            match test {
                0 => format!("{name} {train}"),
                _ => format!("{name} {train}+{test}"),
            }
        });
        let more = if reading.count > reading.classes.len() {
            ", ..."
        } else {
            ""
        };
        let list = shown.collect::<Vec<_>>().join(", ");
        text.push_str(&format!(
            "\n  {}: {} ({} classes: {list}{more})",
            reading.flags, reading.text, reading.count
        ));
    }
    Some(text)
}

/// The norms of an epoch's gradients in one line; none where they were not recorded.
pub fn gradients(report: &EpochReport) -> Option<String> {
    let norms = report.gradients.iter();
    let norms = norms.map(|of| format!("{} {:.1e}", of.stage, of.norm));
    let text = norms.collect::<Vec<_>>().join(", ");
    (!text.is_empty()).then(|| format!("gradients: {text}"))
}

/// The end of a training run, for people.
pub fn print_training(output: &Output, out: &Path) {
    let best = output
        .epochs
        .iter()
        .find(|report| report.epoch == output.best_epoch);
    if let Some(best) = best {
        line(format_args!(
            "best epoch {}: validation accuracy {:.4}, loss {:.4}",
            best.epoch, best.val_accuracy, best.val_loss
        ));
    }
    if output.runs.len() > 1 {
        for text in compare::summary(&output.runs) {
            line(text);
        }
    }
    if let Some(report) = &output.evaluation {
        print_evaluation(report, false);
    }
    line(format_args!(
        "wrote {0}/model.safetensors and {0}/report.json",
        out.display()
    ));
    line(format_args!(
        "classify with it: retune classify --model {} IMAGE ...",
        shell_word(&out.join("model.safetensors"))
    ));
}

/// A path as a shell takes it.
fn shell_word(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/\\:._-+=,@~".contains(c);
    if path.chars().all(plain) {
        path
    } else {
        format!("\"{path}\"")
    }
}

/// What a training is about to do: its images by class and part, what is held out, what is trained of which backbone.
/// `counts` are the images of each class to train on and held out.
pub fn plan(
    summary: &DatasetSummary,
    model: &ModelSummary,
    config: &TrainConfig,
    (counts, own): (&[[usize; 2]], bool),
) -> Vec<String> {
    // Of a thousand classes the first ones show how they were read.
    const SHOWN: usize = 20;
    let rows = summary.classes.iter().zip(counts);
    let [train, held, test] = rows.clone().fold([0; 3], |sum, (class, [train, held])| {
        [sum[0] + train, sum[1] + held, sum[2] + class.test]
    });
    let row = |name: &str, [train, held, test]: [usize; 3]| {
        format!("  {name:16} {train:7} to train {held:7} held out {test:7} to test")
    };
    let mut lines = vec![format!(
        "{}: {} classes",
        summary.name,
        summary.classes.len()
    )];
    lines.extend(
        rows.clone()
            .take(SHOWN)
            .map(|(class, [train, held])| row(&class.name, [*train, *held, class.test])),
    );
    if summary.classes.len() > SHOWN {
        lines.push(format!("  ... and {} more", summary.classes.len() - SHOWN));
    }
    lines.push(row("all", [train, held, test]));
    lines.push(if own {
        "held out: the data set's own validation part".to_string()
    } else {
        format!(
            "held out: {:.0} % of the training images of each class, by split seed {}",
            100.0 * config.val_fraction,
            config.split_seed
        )
    });
    lines.push(format!(
        "trained: {} of {} ({}); head {}, images of {} x {} pixels",
        config.scope.label(),
        model.arch.name(),
        model.source,
        config.head.name(),
        model.size,
        model.size
    ));
    lines
}

/// An evaluation, as one line of JSON or for people.
pub fn print_evaluation(report: &Evaluation, as_json: bool) {
    if as_json {
        return line(json!(report));
    }
    line(format_args!(
        "{} accuracy {}, loss {:.4}",
        report.split,
        percent(&report.accuracy),
        report.loss
    ));
    for (class, share) in report.classes.iter().zip(&report.per_class) {
        let shown = match share.of {
            0 => "no image".to_string(),
            _ => percent(share),
        };
        line(format_args!("  {class:16} {shown}"));
    }
    line(format_args!("confusion (rows: true, columns: predicted)"));
    for (class, row) in report.classes.iter().zip(&report.confusion) {
        let cells: String = row.iter().map(|n| format!("{n:6}")).collect();
        line(format_args!("  {class:16}{cells}"));
    }
}

pub fn percent(share: &Proportion) -> String {
    let [value, low, high] = [share.value, share.low, share.high].map(|v| 100.0 * v);
    format!(
        "{value:.2} % ({low:.2} to {high:.2}, {} of {})",
        share.hits, share.of
    )
}
