//! Numbers and states in words: units, times, what a job is at.

mod architecture;
mod data;
mod training;

pub use architecture::{constraint, large, layers, shape, weights};
pub use data::{asks, contents, leaks, names, reading_classes, table, unnamed};

pub use training::{
    begins_from, cost, forecast, interrupted, needs_images, norm, pulse, rate, run_name, spread,
    training, turn, views,
};

use super::{jobs::Progress, state::NewVersion};
use crate::config::{BundledModel, Normalization};
use crate::protocol::{EngineState, ExportCheck, ModelSummary, Phase, Proportion};

/// `0.934` as `93.4 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{:.1}\u{a0}%", share * 100.0)
}

/// What there is to say about a new version of the page.
#[must_use]
pub const fn new_version(version: NewVersion, idle: bool) -> &'static str {
    match (version, idle) {
        (NewVersion::HeldByTabs, _) => {
            "A new version of Retune is ready, but another tab runs the old one. Close that, then reload."
        }
        (NewVersion::Ready, true) => "A new version of Retune is ready. Reload to use it.",
        (NewVersion::Ready, false) => {
            "A new version of Retune is ready. It waits until nothing is running here."
        }
    }
}

/// What pixels are brought to.
#[must_use]
pub fn normalization(normalization: Option<Normalization>) -> &'static str {
    normalization.map_or("its own mean and deviation", Normalization::label)
}

/// `17034` as `17 034`.
#[must_use]
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// `n` things, `1 thing`.
#[must_use]
pub fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(n as u64), if n == 1 { one } else { many })
}

/// How an exported file did beside the model, a sentence to follow another.
#[must_use]
pub fn checked(check: ExportCheck) -> String {
    let images = counted(check.images, "image", "images");
    let whose = if check.own {
        "of yours"
    } else {
        "drawn for it"
    };
    format!(
        " Read back and run on {images} {whose}, its probabilities are at most {:.1e} from the model's.",
        check.difference
    )
}

/// A short time, in the unit that suits it.
#[must_use]
pub fn duration(milliseconds: f64) -> String {
    let seconds = milliseconds / 1000.0;
    if milliseconds < 1000.0 {
        format!("{milliseconds:.0}\u{a0}ms")
    } else if seconds < 10.0 {
        format!("{seconds:.1}\u{a0}s")
    } else {
        rough(seconds)
    }
}

/// Seconds, rounded as an estimate deserves.
fn rough(seconds: f64) -> String {
    let s = seconds.round() as u64;
    match s {
        0..60 => format!("{s}\u{a0}s"),
        60..3600 => format!("{}\u{a0}min {:02}\u{a0}s", s / 60, s % 60),
        _ => format!("{}\u{a0}h {:02}\u{a0}min", s / 3600, s % 3600 / 60),
    }
}

/// What a progress bar counts, how far it is and how long it will take.
#[must_use]
pub fn progress(progress: &Progress) -> String {
    let Progress {
        phase, done, total, ..
    } = *progress;
    let (what, of) = match phase {
        Phase::LoadingModel => ("Loading the model", megabytes(done, total)),
        Phase::PreparingGpu => ("Preparing the GPU", counts(done, total)),
        Phase::Downloading => ("Downloading", megabytes(done, total)),
        Phase::Indexing => ("Reading files", counts(done, total)),
        Phase::Classifying => ("Classifying images", counts(done, total)),
        Phase::Comparing => (
            "Images compared with those the backbone has seen",
            counts(done, total),
        ),
        Phase::Featurising => ("Images through the backbone", counts(done, total)),
        Phase::Training => ("Training steps", counts(done, total)),
        Phase::Evaluating => ("Measuring on images", counts(done, total)),
    };
    match time_left(progress) {
        Some(left) => format!("{what}: {of}, {left} left"),
        None => format!("{what}: {of}"),
    }
}

/// Time left at the pace so far; none before there is a pace.
#[must_use]
pub fn time_left(progress: &Progress) -> Option<String> {
    let Progress {
        done,
        total,
        milliseconds,
        ..
    } = *progress;
    // The first moments are no pace: caches are cold, shaders compile.
    if done == 0 || done >= total || milliseconds < 500.0 {
        return None;
    }
    let left = milliseconds / done as f64 * (total - done) as f64 / 1000.0;
    Some(rough(left.max(1.0)))
}

fn counts(done: u64, total: u64) -> String {
    if total == 0 {
        count(done)
    } else {
        format!("{} of {}", count(done), count(total))
    }
}

fn megabytes(done: u64, total: u64) -> String {
    let mb = |bytes: u64| bytes as f64 / 1e6;
    if total == 0 {
        format!("{:.1}\u{a0}MB", mb(done))
    } else {
        format!("{:.1} of {:.1}\u{a0}MB", mb(done), mb(total))
    }
}

/// The word of a phase in `data-phase`, as the protocol spells it.
#[must_use]
pub const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::LoadingModel => "loading-model",
        Phase::PreparingGpu => "preparing-gpu",
        Phase::Downloading => "downloading",
        Phase::Indexing => "indexing",
        Phase::Classifying => "classifying",
        Phase::Comparing => "comparing",
        Phase::Featurising => "featurising",
        Phase::Training => "training",
        Phase::Evaluating => "evaluating",
    }
}

/// What the engine is doing, for the status line.
#[must_use]
pub const fn engine(state: EngineState) -> &'static str {
    match state {
        EngineState::Starting => "Starting",
        EngineState::Ready => "Ready",
        EngineState::Featurising => "Reading images",
        EngineState::Training => "Training",
        EngineState::Paused => "Paused",
        EngineState::Failed => "Stopped by an error",
    }
}

/// The model in one line.
#[must_use]
pub fn model(model: &ModelSummary) -> String {
    let classes = counted(model.classes.len(), "class", "classes");
    format!("{}, {classes}, {}", model.arch.name(), model.source)
}

/// What a bundled model is for.
#[must_use]
pub const fn bundled(model: BundledModel) -> &'static str {
    match model {
        BundledModel::Scenes => {
            "ResNet-18: buildings, forest, glacier, mountain, sea, street. In use until another one is chosen."
        }
        BundledModel::Things => {
            "EfficientNet-Lite0: any photo, with ImageNet's 1000 labels - animals, plants, food, tools, vehicles."
        }
        BundledModel::General => {
            "A ResNet trained on ImageNet, without a last layer: features for classes of your own. Train it before you \
             classify."
        }
    }
}

/// A bundled model's card, beside the page.
#[must_use]
pub const fn card(model: BundledModel) -> &'static str {
    match model {
        BundledModel::Scenes => "models/resnet18-scenes.md",
        BundledModel::Things => "models/efficientnet_lite0-imagenet.md",
        BundledModel::General => "models/resnet-2223-imagenet.md",
    }
}

/// Whose answer it is that is not the model's in use.
#[must_use]
pub fn stale(model: &ModelSummary) -> String {
    format!("by the model before: {}", model.source)
}

/// That answers are not those of the model in use, and what to do.
#[must_use]
pub fn stale_answers(before: &ModelSummary, answers: usize, now: &ModelSummary) -> String {
    let (answers, are) = match answers {
        1 => ("1 answer below is".to_owned(), "it"),
        n => (format!("{} answers below are", count(n as u64)), "them"),
    };
    let todo = if now.untrained {
        format!(
            "The model in use is another one, and is not trained yet: train it, then get {are} anew."
        )
    } else {
        "The model in use is another one.".to_owned()
    };
    format!("{answers} by the model before ({}). {todo}", model(before))
}

/// That some of the images measured on were seen in the backbone's training.
#[must_use]
pub fn seen(images: u64, of: u64) -> String {
    format!(
        "{} of these {} images, or copies of them, are among those that the backbone was trained on: this accuracy is too high.",
        count(images),
        count(of)
    )
}

/// Labels in a line; of many only the first.
#[must_use]
pub fn labels(classes: &[String]) -> String {
    match classes.get(..BARS) {
        Some(first) if classes.len() > BARS => {
            format!("{} and {} more", first.join(", "), classes.len() - BARS)
        }
        _ => classes.join(", "),
    }
}

/// A share's 95 % interval.
#[must_use]
pub fn interval(share: &Proportion) -> String {
    format!("{:.1}–{}", share.low * 100.0, percent(share.high))
}

/// The shade of a cell of the confusion matrix, 0 to 9, after its share of the row.
#[must_use]
pub fn heat(n: u64, total: u64) -> u64 {
    // Rounded up: a single mistake among thousands must not look like none.
    (n * 9).div_ceil(total.max(1))
}

/// Up to so many classes every one has a bar; of more only the likeliest, or a card would not end.
pub const BARS: usize = 12;

/// Which classes get a bar: all of them in the model's order, or of many the likeliest, best first.
#[must_use]
pub fn bars(probabilities: &[f32]) -> Vec<(usize, f32)> {
    let mut bars: Vec<_> = probabilities.iter().copied().enumerate().collect();
    if bars.len() > BARS {
        bars.sort_by(|a, b| b.1.total_cmp(&a.1));
        bars.truncate(BARS);
    }
    bars
}

/// The pairs of classes that are mixed up most: true class, predicted class, count.
#[must_use]
pub fn mixups(confusion: &[Vec<u64>], most: usize) -> Vec<(usize, usize, u64)> {
    let cells = confusion.iter().enumerate().flat_map(|(t, row)| {
        let wrong = row
            .iter()
            .enumerate()
            .filter(move |(p, n)| *p != t && **n > 0);
        wrong.map(move |(p, n)| (t, p, *n))
    });
    let mut cells: Vec<_> = cells.collect();
    cells.sort_by_key(|cell| std::cmp::Reverse(cell.2));
    cells.truncate(most);
    cells
}

/// Numbers with spaces between them, every digit kept, for whoever reads the page by program.
#[must_use]
pub fn join(values: &[f32]) -> String {
    let values: Vec<String> = values.iter().map(f32::to_string).collect();
    values.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(percent(0.9344), "93.4\u{a0}%");
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(17_034), "17\u{202f}034");
        assert_eq!(count(1_000_000), "1\u{202f}000\u{202f}000");
        assert_eq!(counted(1, "image", "images"), "1 image");
        assert_eq!(duration(41.3), "41\u{a0}ms");
        assert_eq!(duration(3_210.0), "3.2\u{a0}s");
        assert_eq!(duration(125_000.0), "2\u{a0}min 05\u{a0}s");
        assert_eq!(duration(7_500_000.0), "2\u{a0}h 05\u{a0}min");
    }

    #[test]
    fn time_left_needs_a_pace_and_an_end() {
        let at = |done, total, milliseconds| Progress {
            phase: Phase::Featurising,
            done,
            total,
            milliseconds,
        };
        assert_eq!(time_left(&at(100, 400, 10_000.0)), Some("30\u{a0}s".into()));
        assert_eq!(time_left(&at(0, 400, 10_000.0)), None);
        assert_eq!(time_left(&at(100, 0, 10_000.0)), None);
        assert_eq!(time_left(&at(400, 400, 10_000.0)), None);
        assert_eq!(time_left(&at(1, 400, 20.0)), None);
    }

    #[test]
    fn progress_says_what_is_counted() {
        let at = |phase, done, total| Progress {
            phase,
            done,
            total,
            milliseconds: 0.0,
        };
        assert_eq!(
            progress(&at(Phase::Downloading, 12_340_000, 44_700_000)),
            "Downloading: 12.3 of 44.7\u{a0}MB"
        );
        assert_eq!(
            progress(&at(Phase::Indexing, 1_200, 0)),
            "Reading files: 1\u{202f}200"
        );
    }

    #[test]
    fn few_classes_keep_their_order_and_many_are_ranked() {
        assert_eq!(bars(&[0.1, 0.7, 0.2]), [(0, 0.1), (1, 0.7), (2, 0.2)]);
        let many: Vec<f32> = (0..40).map(|i| i as f32).collect();
        let bars = bars(&many);
        assert_eq!(bars.len(), BARS);
        assert_eq!(bars[..2], [(39, 39.0), (38, 38.0)]);
    }

    #[test]
    fn phases_are_spelt_as_in_the_protocol() {
        for p in [
            Phase::LoadingModel,
            Phase::PreparingGpu,
            Phase::Downloading,
            Phase::Indexing,
            Phase::Classifying,
            Phase::Comparing,
            Phase::Featurising,
            Phase::Training,
            Phase::Evaluating,
        ] {
            assert_eq!(serde_json::to_value(p).expect("text"), phase(p));
        }
    }

    #[test]
    fn a_shade_is_never_lost_and_never_beyond_the_last() {
        assert_eq!(
            [heat(0, 0), heat(0, 9), heat(1, 9000), heat(9000, 9000)],
            [0, 0, 1, 9]
        );
    }

    #[test]
    fn mixups_leave_out_the_diagonal() {
        let confusion = [vec![9, 2, 0], vec![5, 9, 1], vec![0, 0, 9]];
        assert_eq!(mixups(&confusion, 2), [(1, 0, 5), (0, 1, 2)]);
    }
}
