//! Geometry of the training curves: numbers to points of an SVG path.

use std::fmt::Write as _;

/// A chart's plot area, in SVG units, and the ranges that are drawn in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Where the x axis begins: at the first epoch's end, or before it.
    pub first: f64,
    /// Where it ends, in epochs.
    pub epochs: usize,
    /// Upper end of the y axis; the lower one is 0.
    pub top: f64,
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
        let share = (value / self.top).clamp(0.0, 1.0);
        (x, (1.0 - share) * Self::HEIGHT)
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

    /// A line through `(epoch, value)`, as the `points` of a polyline. What is not a number is left
    /// out: a diverged loss must not blank the picture.
    #[must_use]
    pub fn line(&self, values: impl Iterator<Item = (f64, f64)>) -> String {
        let mut points = String::new();
        for (epoch, value) in values.filter(|v| v.1.is_finite()) {
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
            top: 2.0,
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
            top: 1.0,
        };
        assert_eq!(scale.point(1.0, 5.0), (0.0, 0.0));
        assert_eq!(scale.point(0.0, -1.0), (0.0, Scale::HEIGHT));
    }

    #[test]
    fn between_epochs_there_is_room_for_more() {
        let scale = Scale {
            first: 0.0,
            epochs: 4,
            top: 1.0,
        };
        assert_eq!(
            scale.line([(0.5, 1.0), (4.0, 0.0)].into_iter()),
            "40.0,0.0 320.0,140.0 "
        );
    }
}
