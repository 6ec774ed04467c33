//! Trainings in words.

use super::{counted, duration, percent, rough};
use crate::{
    compare::MeanStd,
    config::{Scope, StartFrom},
    protocol::{ClassCount, Interrupted, ModelSummary, Run},
    ui::training::{Forecast, LiveMetrics, Training, Turn},
};

/// How a training ended, or how far it is.
#[must_use]
pub fn training(training: &Training) -> String {
    let images = training.featurised.map(|(images, milliseconds)| {
        let images = counted(images, "image", "images");
        format!(
            "{images} through the backbone in {}. ",
            duration(milliseconds)
        )
    });
    let tuning = training.tuning.map(|(kept, bytes)| {
        let megabytes = bytes.div_ceil(1_000_000);
        if kept {
            format!("The trained part's input is kept in memory ({megabytes} MB). ")
        } else {
            format!(
                "The trained part's input is computed for every batch ({megabytes} MB are too much to keep). "
            )
        }
    });
    let seen = training
        .reports
        .last()
        .map(|r| format!("Epoch {} of {}.", r.epoch, training.epochs));
    format!(
        "{}{}{}",
        images.unwrap_or_default(),
        tuning.unwrap_or_default(),
        end(training).or(seen).unwrap_or_default()
    )
}

fn end(training: &Training) -> Option<String> {
    let (best, stopped) = training.result?;
    let end = if stopped { "Stopped" } else { "Done" };
    if training.turn.is_some_and(|turn| turn.of > 1) {
        return Some(format!("{end}: the best training's model is in use."));
    }
    let what = if training.tuning.is_some() {
        "model"
    } else {
        "head"
    };
    let report = training.reports.iter().find(|r| r.epoch == best);
    let accuracy = report.map(|r| format!(" ({} on validation)", percent(r.val_accuracy)));
    Some(format!(
        "{end}: the {what} of epoch {best}{} is in use.",
        accuracy.unwrap_or_default()
    ))
}

/// Which model a training for these classes begins from, and why.
#[must_use]
pub fn begins_from(model: &ModelSummary, classes: &[ClassCount], start: StartFrom) -> String {
    let names: Vec<String> = ClassCount::names(classes);
    match start.instead(model.bundled, &names) {
        Some(instead) => format!(
            "Begins from the {}, for the backbone in use has seen six scenes only and these classes are not those six. It comes \
             from this page's own host.",
            instead.label()
        ),
        None => format!("Begins from {}.", super::model(model)),
    }
}

/// Which of several trainings runs; nothing of a single one.
#[must_use]
pub fn turn(turn: Turn) -> Option<String> {
    let Turn { number, of, seed } = turn;
    (of > 1).then(|| format!("Training {number} of {of}, seed {seed}. "))
}

/// What is kept of augmented images.
#[must_use]
pub fn views((views, images): (usize, usize)) -> String {
    let views = counted(views, "augmented view", "augmented views");
    let images = counted(images, "image", "images");
    format!("{views} of each training image are kept ({images} through the backbone). ")
}

/// A training at a moment.
#[must_use]
pub fn pulse(pulse: &LiveMetrics) -> String {
    format!(
        "Learning rate {}, {:.0} images/s, loss now {:.4}",
        rate(pulse.learning_rate),
        pulse.images_per_second,
        pulse.loss
    )
}

/// A learning rate, to three digits.
#[must_use]
pub fn rate(rate: f64) -> String {
    if rate == 0.0 || !rate.is_finite() {
        return rate.to_string();
    }
    let digits = 2 - rate.abs().log10().floor() as i32;
    if digits > 7 {
        return format!("{rate:.2e}");
    }
    let text = format!("{rate:.*}", usize::try_from(digits).unwrap_or(0));
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A gradient's norm, to two digits.
#[must_use]
pub fn norm(norm: f64) -> String {
    format!("{norm:.1e}")
}

/// How long a training will take, in a sentence or two.
#[must_use]
pub fn forecast(forecast: &Forecast) -> String {
    let Forecast {
        estimate: e,
        epochs,
        seeds,
    } = forecast;
    let prepare = match e.prepare_milliseconds {
        0.0 => String::new(),
        time => format!("{} to prepare, then ", duration(time)),
    };
    let total = if *seeds > 1 {
        // Only the first one prepares.
        let again = (e.milliseconds - e.prepare_milliseconds).max(0.0);
        let all = e.milliseconds + again * (*seeds - 1) as f64;
        format!("About {} for {seeds} trainings, each", about(all))
    } else {
        format!("About {}:", about(e.milliseconds))
    };
    let kept = if e.views > 0 {
        let views = counted(e.views, "augmented view", "augmented views");
        format!(" {views} of each training image are kept.")
    } else {
        String::new()
    };
    format!(
        "{total} {prepare}{} of {} ({} of {}). Needs about {}.{kept}",
        counted(*epochs, "epoch", "epochs"),
        duration(e.epoch_milliseconds),
        counted(e.steps, "step", "steps"),
        duration(e.step_milliseconds),
        memory(e.bytes),
    )
}

/// A long time, in whole minutes.
fn about(milliseconds: f64) -> String {
    let seconds = milliseconds / 1000.0;
    if (120.0..3600.0).contains(&seconds) {
        format!("{:.0}\u{a0}min", seconds / 60.0)
    } else if seconds < 10.0 {
        duration(milliseconds)
    } else {
        rough(seconds)
    }
}

/// Bytes, to two digits.
fn memory(bytes: u64) -> String {
    let megabytes = bytes.div_ceil(1_000_000);
    match megabytes {
        0..100 => format!("{megabytes}\u{a0}MB"),
        100..1000 => format!("{}\u{a0}MB", megabytes.div_ceil(10) * 10),
        _ => format!("{:.1}\u{a0}GB", megabytes as f64 / 1000.0),
    }
}

/// A training that can go on.
#[must_use]
pub fn interrupted(run: &Interrupted) -> String {
    let done = run.epochs.last().map_or(0, |r| r.epoch);
    let set = if run.demo.is_some() {
        "the demo set".to_owned()
    } else {
        format!("“{}”", run.dataset)
    };
    let more = match run.seeds {
        0 | 1 => String::new(),
        seeds => format!(
            " {} with other seeds would follow.",
            counted(seeds - 1, "training", "trainings")
        ),
    };
    let when = match done {
        0 => "before its first epoch was over".to_owned(),
        done => format!("after epoch {done} of {}", run.config.epochs),
    };
    format!("A training on {set} stopped {when}.{more}")
}

/// What is needed to go on with it.
#[must_use]
pub fn needs_images(run: &Interrupted) -> String {
    format!(
        "Open the same images again (folder or zip “{}”), then continue.",
        run.dataset
    )
}

/// Mean and deviation of several accuracies.
#[must_use]
pub fn spread(spread: &MeanStd) -> String {
    format!("{:.1} ± {}", spread.mean * 100.0, percent(spread.deviation))
}

/// What a training of so much of a model costs.
#[must_use]
pub const fn cost(scope: Scope) -> &'static str {
    match scope {
        Scope::Head => "seconds to minutes: each image goes through the backbone once",
        Scope::LastStage => "minutes: each epoch runs a fifth of the backbone, and its gradients",
        Scope::LastTwo => "longer: each epoch runs two fifths of the backbone, and its gradients",
        Scope::All => {
            "the slowest, for a GPU: each epoch runs the whole backbone, and its gradients"
        }
    }
}

/// A run in a few words, for a legend.
#[must_use]
pub fn run_name(run: &Run) -> String {
    let c = &run.config;
    format!(
        "{}, {}, {} {}, seed {}",
        run.arch.name(),
        c.scope.label(),
        c.optimizer.name(),
        rate(c.learning_rate),
        c.seed
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Estimate;

    fn ahead(seeds: usize, prepare: f64, views: usize) -> Forecast {
        Forecast {
            estimate: Estimate {
                steps: 38,
                step_milliseconds: 400.0,
                prepare_milliseconds: prepare,
                epoch_milliseconds: 16_000.0,
                milliseconds: 160_000.0 + prepare,
                bytes: 347_000_000,
                views,
            },
            epochs: 10,
            seeds,
        }
    }

    #[test]
    fn a_forecast_is_one_sentence_with_its_parts() {
        assert_eq!(
            forecast(&ahead(1, 12_000.0, 0)).replace('\u{a0}', " "),
            "About 3 min: 12 s to prepare, then 10 epochs of 16 s (38 steps of 400 ms). Needs about 350 MB."
        );
        assert_eq!(
            forecast(&ahead(3, 0.0, 4)).replace('\u{a0}', " "),
            "About 8 min for 3 trainings, each 10 epochs of 16 s (38 steps of 400 ms). Needs about 350 MB. \
             4 augmented views of each training image are kept."
        );
    }

    #[test]
    fn rates_are_short() {
        let rates = [0.001, 0.000_5, 1.0, 0.0, 1.23456e-4, 1e-7, 0.1 + 0.2];
        let texts = ["0.001", "0.0005", "1", "0", "0.000123", "1.00e-7", "0.3"];
        assert_eq!(rates.map(rate), texts);
    }
}
