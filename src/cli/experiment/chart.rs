//! The curves of an experiment as numbers of an SVG: every seed's, and their mean.

use super::{Experiment, State};
use crate::protocol::{EpochReport, Run};

/// The plot area in SVG units; what is left of it and below it is for the labels.
pub const LEFT: f64 = 44.0;
pub const TOP: f64 = 8.0;
pub const WIDTH: f64 = 300.0;
pub const HEIGHT: f64 = 140.0;

/// A number of an epoch.
type Measure = fn(&EpochReport) -> f64;

/// The curves of one experiment.
pub struct Curves {
    pub name: String,
    /// The most epochs of a seed.
    pub epochs: usize,
    pub charts: [Chart; 2],
}

/// One measure by epoch.
pub struct Chart {
    pub title: &'static str,
    pub axis: Axis,
    /// Each seed's points.
    pub seeds: Vec<String>,
    /// Those of their mean, if there are several.
    pub mean: Option<String>,
}

/// A y axis, the same in all charts of a measure, so that experiments can be compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    low: f64,
    high: f64,
    step: f64,
    percent: bool,
}

impl Axis {
    /// Round numbers about all values.
    pub fn round(values: &[f64], percent: bool) -> Self {
        let finite = values.iter().copied().filter(|value| value.is_finite());
        let (least, most) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
            (low.min(v), high.max(v))
        });
        let (least, most) = if least <= most {
            (least, most)
        } else {
            (0.0, 1.0)
        };
        // Four steps or so, of 1, 2 or 5 times a power of ten.
        let rough = ((most - least) / 4.0).max(0.0025);
        let power = 10_f64.powf(rough.log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|of| of * power);
        let step = steps
            .into_iter()
            .find(|step| *step >= rough)
            .unwrap_or(rough);
        let low = (least / step).floor() * step;
        let high = ((most / step).ceil() * step).max(low + step);
        Self {
            low,
            high,
            step,
            percent,
        }
    }

    /// Labels, with their heights in the chart.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        let count = ((self.high - self.low) / self.step).round() as usize;
        let value = |tick: usize| self.low + tick as f64 * self.step;
        let (scale, unit) = if self.percent {
            (100.0, " %")
        } else {
            (1.0, "")
        };
        // As many digits as the step has.
        let digits = (-(self.step * scale).log10()).ceil().max(0.0) as usize;
        let label = |value: f64| format!("{:.digits$}{unit}", scale * value);
        (0..=count)
            .map(|tick| (self.y(value(tick)), label(value(tick))))
            .collect()
    }

    fn y(&self, value: f64) -> f64 {
        TOP + HEIGHT * (self.high - value) / (self.high - self.low)
    }
}

/// The place of an epoch, from 1.
pub fn x(epoch: usize, epochs: usize) -> f64 {
    let share = (epoch - 1) as f64 / (epochs.max(2) - 1) as f64;
    LEFT + WIDTH * share
}

/// The curves of what is finished.
pub fn curves(experiments: &[Experiment]) -> Vec<Curves> {
    let finished = experiments
        .iter()
        .filter_map(|experiment| match &experiment.state {
            State::Done(report) => Some((experiment.name.clone(), report.runs.as_slice())),
            _ => None,
        });
    let finished: Vec<(String, &[Run])> = finished.collect();
    let axis = |of: Measure, percent| {
        let runs = finished.iter().flat_map(|(_, runs)| runs.iter());
        let values: Vec<f64> = runs.flat_map(|run| run.epochs.iter().map(of)).collect();
        Axis::round(&values, percent)
    };
    let measures: [(&str, Measure, bool); 2] = [
        ("Validation accuracy", |epoch| epoch.val_accuracy, true),
        ("Validation loss", |epoch| epoch.val_loss, false),
    ];
    let measures = measures.map(|(title, of, percent)| (title, of, axis(of, percent)));
    let of_experiment = |(name, runs): &(String, &[Run])| {
        let epochs = runs.iter().map(|run| run.epochs.len()).max().unwrap_or(1);
        let charts = measures.map(|(title, of, axis)| {
            let seeds = runs.iter().map(|run| run.epochs.iter().map(of).collect());
            let seeds: Vec<Vec<f64>> = seeds.collect();
            let several = seeds.len() > 1;
            Chart {
                title,
                axis,
                mean: several.then(|| points(&mean(&seeds), epochs, &axis)),
                seeds: seeds
                    .iter()
                    .map(|seed| points(seed, epochs, &axis))
                    .collect(),
            }
        });
        Curves {
            name: name.clone(),
            epochs,
            charts,
        }
    };
    finished.iter().map(of_experiment).collect()
}

/// The mean of the seeds, as far as all of them go: one may have been stopped early.
fn mean(seeds: &[Vec<f64>]) -> Vec<f64> {
    let epochs = seeds.iter().map(Vec::len).min().unwrap_or(0);
    let at = |epoch: usize| seeds.iter().map(|seed| seed[epoch]).sum::<f64>() / seeds.len() as f64;
    (0..epochs).map(at).collect()
}

/// The points of a polyline. One point alone is there twice, or nothing would be drawn.
fn points(values: &[f64], epochs: usize, axis: &Axis) -> String {
    let finite = values
        .iter()
        .enumerate()
        .filter(|(_, value)| value.is_finite());
    let point = |(index, value): (usize, &f64)| {
        format!("{:.1},{:.1}", x(index + 1, epochs), axis.y(*value))
    };
    let mut points: Vec<String> = finite.map(point).collect();
    if let [only] = points.as_slice() {
        points.push(only.clone());
    }
    points.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_lie_where_their_epochs_and_values_are() {
        let axis = Axis {
            low: 0.4,
            high: 1.0,
            step: 0.2,
            percent: true,
        };
        // The first epoch at the left edge, the last at the right one; 0.4 below, 1.0 above.
        assert_eq!(
            points(&[0.4, 0.7, 1.0], 3, &axis),
            "44.0,148.0 194.0,78.0 344.0,8.0"
        );
        // A run that was stopped early ends early, and a single epoch is a dot.
        assert_eq!(points(&[0.4, 0.7], 3, &axis), "44.0,148.0 194.0,78.0");
        assert_eq!(points(&[0.7], 1, &axis), "44.0,78.0 44.0,78.0");
        assert_eq!(points(&[f64::NAN, 1.0], 2, &axis), "344.0,8.0 344.0,8.0");
        assert_eq!(points(&[], 2, &axis), "");
    }

    #[test]
    fn axes_have_round_ticks_about_all_values() {
        let labels = |values: &[f64], percent| {
            let ticks = Axis::round(values, percent).ticks();
            ticks
                .into_iter()
                .map(|(_, label)| label)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            labels(&[0.861, 0.929], true),
            ["86 %", "88 %", "90 %", "92 %", "94 %"]
        );
        assert_eq!(
            labels(&[0.21, 1.8], false),
            ["0.0", "0.5", "1.0", "1.5", "2.0"]
        );
        assert_eq!(labels(&[0.5], true), ["50.0 %", "50.5 %"]);
        assert_eq!(
            labels(&[f64::NAN], true).first().map(String::as_str),
            Some("0 %")
        );
    }

    #[test]
    fn the_mean_goes_as_far_as_every_seed() {
        assert_eq!(mean(&[vec![0.5, 0.7, 0.9], vec![0.7, 0.9]]), [0.6, 0.8]);
        assert_eq!(mean(&[]), [0.0; 0]);
    }
}
