//! Geometry of the training curves: numbers to points of an SVG path.

use std::fmt::Write as _;

/// A chart's plot area, in SVG units, and the ranges that are drawn in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Where the x axis begins: at the first epoch's end, or before it.
    pub first: f64,
    /// Where it ends, in epochs.
    pub epochs: usize,
    /// The y axis.
    pub y: Axis,
}

/// A y axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Axis {
    /// From 0 to this.
    Linear(f64),
    /// From one power of ten to a larger one, given by their exponents.
    Log(i32, i32),
}

impl Axis {
    /// The powers of ten round all values that have a logarithm; a decade at least.
    #[must_use]
    pub fn decades(values: impl Iterator<Item = f64>) -> Self {
        let logs = values.map(f64::log10).filter(|log| log.is_finite());
        let ends = logs.fold(None, |ends: Option<(f64, f64)>, log| match ends {
            Some((low, high)) => Some((low.min(log), high.max(log))),
            None => Some((log, log)),
        });
        let (low, high) = ends.unwrap_or((-1.0, 0.0));
        let low = low.floor() as i32;
        Self::Log(low, (high.ceil() as i32).max(low + 1))
    }

    /// Whether the axis has a place for that value.
    #[must_use]
    pub fn takes(&self, value: f64) -> bool {
        value.is_finite() && (value > 0.0 || matches!(self, Self::Linear(_)))
    }

    /// How far up a value lies, from 0 to 1.
    #[must_use]
    pub fn share(&self, value: f64) -> f64 {
        let share = match *self {
            Self::Linear(top) => value / top,
            Self::Log(low, high) => (value.log10() - f64::from(low)) / f64::from(high - low),
        };
        share.clamp(0.0, 1.0)
    }

    /// The values at which there is a grid line.
    #[must_use]
    pub fn marks(&self) -> Vec<f64> {
        match *self {
            Self::Linear(top) => [0.0, 0.5, 1.0].map(|share| share * top).to_vec(),
            Self::Log(low, high) => {
                let step = (high - low).unsigned_abs().div_ceil(4).max(1);
                let exponents = (low..=high).step_by(step as usize);
                exponents.map(|exponent| 10f64.powi(exponent)).collect()
            }
        }
    }
}

impl Scale {
    /// Width of the plot area.
    pub const WIDTH: f64 = 320.0;
    /// Height of the plot area.
    pub const HEIGHT: f64 = 140.0;

    /// Section of an epoch's value.
    #[must_use]
    pub fn point(&self, epoch: f64, value: f64) -> (f64, f64) {
        let steps = (self.end() - self.first).max(1.0);
        let x = ((epoch - self.first) / steps).clamp(0.0, 1.0) * Self::WIDTH;
        (x, (1.0 - self.y.share(value)) * Self::HEIGHT)
    }

    /// The last epoch of the axis; of a single one there would be no axis.
    #[must_use]
    pub const fn end(&self) -> f64 {
        if self.epochs < 2 {
            2.0
        } else {
            self.epochs as f64
        }
    }

    /// What stands at the ends of the axis of that name. Epochs are drawn at their ends, so that what is heard within the
    /// first one needs room before it.
    #[must_use]
    pub fn ends(&self, axis: &str) -> [String; 2] {
        let last = self.end();
        if axis == "epoch" && self.first < 1.0 {
            [
                "start of epoch 1".to_owned(),
                format!("end of epoch {last}"),
            ]
        } else {
            [format!("{axis} {}", self.first), last.to_string()]
        }
    }

    /// A line through `(epoch, value)`, as the `points` of a polyline. What is not a number, or has no logarithm
    /// where that is drawn, is left out: a diverged loss must not blank the picture.
    #[must_use]
    pub fn line(&self, values: impl Iterator<Item = (f64, f64)>) -> String {
        let mut points = String::new();
        for (epoch, value) in values.filter(|v| self.y.takes(v.1)) {
            let (x, y) = self.point(epoch, value);
            // Writing to a `String` cannot fail.
            let _ = write!(points, "{x:.1},{y:.1} ");
        }
        points
    }
}

/// The smallest of 1, 2, 5 times a power of ten that holds all values; 1 if there are none.
#[must_use]
pub fn ceiling(values: impl Iterator<Item = f64>) -> f64 {
    let largest = values.filter(|v| v.is_finite()).fold(0.0, f64::max);
    if largest <= 0.0 {
        return 1.0;
    }
    let unit = 10f64.powf(largest.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].into_iter();
    let fits = steps.map(|s| s * unit).find(|top| *top >= largest);
    fits.unwrap_or(largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_ends_at_a_round_number() {
        for (values, top) in [
            (&[][..], 1.0),
            (&[0.0], 1.0),
            (&[0.3, 1.7], 2.0),
            (&[2.0], 2.0),
            (&[0.031], 0.05),
            (&[7.2, f64::NAN], 10.0),
            (&[f64::INFINITY], 1.0),
        ] {
            let got = ceiling(values.iter().copied());
            assert!((got - top).abs() < 1e-12, "{values:?}: {got}");
        }
    }

    #[test]
    fn a_line_spans_the_plot_and_skips_what_is_no_number() {
        let scale = Scale {
            first: 1.0,
            epochs: 3,
            y: Axis::Linear(2.0),
        };
        let values = [2.0, f64::NAN, 0.0];
        let line = scale.line(values.into_iter().zip([1.0, 2.0, 3.0]).map(|(v, e)| (e, v)));
        assert_eq!(line, "0.0,0.0 320.0,140.0 ");
    }

    #[test]
    fn one_epoch_and_values_beyond_the_axis_stay_inside() {
        let scale = Scale {
            first: 1.0,
            epochs: 1,
            y: Axis::Linear(1.0),
        };
        assert_eq!(scale.point(1.0, 5.0), (0.0, 0.0));
        assert_eq!(scale.point(0.0, -1.0), (0.0, Scale::HEIGHT));
    }

    #[test]
    fn a_log_axis_spans_the_decades_and_leaves_out_what_has_no_logarithm() {
        for (values, ends) in [
            (&[][..], (-1, 0)),
            (&[0.0, f64::NAN], (-1, 0)),
            (&[0.5], (-1, 0)),
            (&[1.0], (0, 1)),
            (&[3e-6, 0.0, 40.0, f64::INFINITY], (-6, 2)),
        ] {
            let axis = Axis::decades(values.iter().copied());
            assert_eq!(axis, Axis::Log(ends.0, ends.1), "{values:?}");
        }
        let scale = Scale {
            first: 1.0,
            epochs: 3,
            y: Axis::Log(-2, 2),
        };
        let line = scale.line([(1.0, 100.0), (2.0, 0.0), (3.0, 1.0)].into_iter());
        assert_eq!(line, "0.0,0.0 320.0,70.0 ");
    }

    #[test]
    fn a_log_axis_has_few_marks() {
        let marks = |axis: Axis| {
            axis.marks()
                .iter()
                .map(|v| format!("{v:.0e}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(marks(Axis::Log(-2, 1)), ["1e-2", "1e-1", "1e0", "1e1"]);
        assert_eq!(
            marks(Axis::Log(-6, 2)),
            ["1e-6", "1e-4", "1e-2", "1e0", "1e2"]
        );
        assert_eq!(marks(Axis::Linear(2.0)), ["0e0", "1e0", "2e0"]);
    }

    #[test]
    fn an_axis_says_where_it_begins() {
        let scale = |first| Scale {
            first,
            epochs: 4,
            y: Axis::Linear(1.0),
        };
        assert_eq!(scale(1.0).ends("epoch"), ["epoch 1", "4"]);
        assert_eq!(
            scale(0.0).ends("epoch"),
            ["start of epoch 1", "end of epoch 4"]
        );
        assert_eq!(scale(0.0).ends("phi"), ["phi 0", "4"]);
    }

    #[test]
    fn between_epochs_there_is_room_for_more() {
        let scale = Scale {
            first: 0.0,
            epochs: 4,
            y: Axis::Linear(1.0),
        };
        assert_eq!(
            scale.line([(0.5, 1.0), (4.0, 0.0)].into_iter()),
            "40.0,0.0 320.0,140.0 "
        );
    }
}
