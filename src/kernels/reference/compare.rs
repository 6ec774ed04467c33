//! Comparing a kernel's result with its twin's.

use std::fmt;
use std::ops::Add;

/// How far a value may be off: `absolute + relative * |expected|`.
///
/// The relative part alone would fail wherever a sum of large terms happens to be nearly zero, the absolute
/// part alone would pass anything small.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// In the unit of the values.
    pub absolute: f64,
    /// A share of the expected value.
    pub relative: f64,
}

/// Half the distance from 1 to the next `f32`: the largest relative error of one rounding.
const ROUNDING: f64 = f32::EPSILON as f64 / 2.0;
/// How many times the estimate of [`Tolerance::sum_of`] is allowed; a kernel that drops or repeats one term
/// is still off by thousands of times more.
const MARGIN: f64 = 4.0;

impl Tolerance {
    /// Not a bit off, as far as an `f32` can be compared with an `f64`.
    pub const EXACT: Self = Self {
        absolute: 0.0,
        relative: 0.0,
    };

    /// A result that is one expected value, rounded to 16 bits (11 of them the fraction): 2^-11 of it, and
    /// half the smallest step between such numbers, 2^-25.
    pub const F16: Self = Self {
        absolute: 1.0 / (1_u32 << 25) as f64,
        relative: 1.0 / (1_u32 << 11) as f64,
    };

    /// A sum of `n` terms, each of size 1 at most, added up in `f32` in any order.
    ///
    /// Each addition rounds, with a relative error of at most u = 2^-24 of the partial sum, and the errors'
    /// signs are as good as random. Terms of random sign make partial sums of size sqrt(k), whose errors add
    /// up to u * sqrt(1 + 2 + ... + n), below u * n: the absolute part. Terms of one sign make partial sums
    /// of size k/n of the result, whose errors add up to less than u * sqrt(n) of it: the relative part. Both
    /// are granted four times over. Higham and Mary 2019, "A New Approach to Probabilistic Rounding Error
    /// Analysis", section 2, <https://doi.org/10.1137/18M1226312>.
    #[must_use]
    pub fn sum_of(n: usize) -> Self {
        let n = n.max(1) as f64;
        Self {
            absolute: MARGIN * ROUNDING * n,
            relative: MARGIN * ROUNDING * n.sqrt(),
        }
    }

    /// The same for values, hence terms, that are so many times as large.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self {
            absolute: self.absolute * factor,
            ..self
        }
    }

    fn at(self, expected: f64) -> f64 {
        self.absolute + self.relative * expected.abs()
    }
}

/// Two errors, one after the other.
impl Add for Tolerance {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            absolute: self.absolute + other.absolute,
            relative: self.relative + other.relative,
        }
    }
}

/// Why two tensors are not the same.
#[derive(Debug, Clone, PartialEq)]
pub enum Mismatch {
    /// They have not even the same number of values.
    Length {
        /// Values there are.
        actual: usize,
        /// Values there should be.
        expected: usize,
    },
    /// Some values are too far off.
    Values {
        /// How many.
        count: usize,
        /// Of how many.
        total: usize,
        /// Where the largest error among them is.
        index: usize,
        /// The value there.
        actual: f32,
        /// The value that should be there.
        expected: f64,
        /// What may lie between the two.
        tolerance: f64,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Length { actual, expected } => write!(f, "{actual} values instead of {expected}"),
            Self::Values {
                count,
                total,
                index,
                actual,
                expected,
                tolerance,
            } => write!(
                f,
                "{count} of {total} values differ too much, the most by {:e} at [{index}]: {actual:e} \
                 instead of {expected:e} within {tolerance:e}",
                error(*actual, *expected)
            ),
        }
    }
}

impl std::error::Error for Mismatch {}

/// Infinite where either is not finite: a NaN equals nothing, and two infinities may have any distance.
fn error(actual: f32, expected: f64) -> f64 {
    let error = (f64::from(actual) - expected).abs();
    if error.is_finite() {
        error
    } else {
        f64::INFINITY
    }
}

/// Compares value by value. What is not finite, on either side, is a difference.
///
/// # Errors
/// [`Mismatch`], with the count of differences and the largest of them.
pub fn compare(actual: &[f32], expected: &[f64], tolerance: Tolerance) -> Result<(), Mismatch> {
    if actual.len() != expected.len() {
        return Err(Mismatch::Length {
            actual: actual.len(),
            expected: expected.len(),
        });
    }
    let beyond = actual
        .iter()
        .zip(expected)
        .map(|(a, e)| error(*a, *e))
        .enumerate()
        // Not `error > tolerance`: an infinite tolerance shall not pass what is not finite.
        .filter(|(i, error)| !(error.is_finite() && *error <= tolerance.at(expected[*i])));
    let count = beyond.clone().count();
    match beyond.max_by(|a, b| a.1.total_cmp(&b.1)) {
        None => Ok(()),
        Some((index, _)) => Err(Mismatch::Values {
            count,
            total: actual.len(),
            index,
            actual: actual[index],
            expected: expected[index],
            tolerance: tolerance.at(expected[index]),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_passes_and_the_bound_is_inside() {
        assert_eq!(
            compare(&[1.0, -0.5], &[1.0, -0.5], Tolerance::EXACT),
            Ok(())
        );
        let half = Tolerance {
            absolute: 0.25,
            relative: 0.125,
        };
        assert_eq!(compare(&[2.5, 0.25], &[2.0, 0.0], half), Ok(()));
        assert!(compare(&[2.625], &[2.0], half).is_err());
    }

    #[test]
    fn what_is_reported_is_the_largest_difference() {
        let mismatch = compare(
            &[1.0, 2.0, 7.0, 4.5],
            &[1.0, 3.0, 3.0, 4.0],
            Tolerance::EXACT,
        );
        let text = mismatch.expect_err("three differ").to_string();
        for part in ["3 of 4", "4e0", "[2]", "7e0", "3e0"] {
            assert!(text.contains(part), "no {part} in: {text}");
        }
    }

    #[test]
    fn what_is_not_finite_never_passes() {
        let anything = Tolerance {
            absolute: f64::INFINITY,
            relative: 0.0,
        };
        for (actual, expected) in [
            (f32::NAN, 0.0),
            (0.0, f64::NAN),
            (f32::NAN, f64::NAN),
            (f32::INFINITY, f64::INFINITY),
        ] {
            let result = compare(&[0.0, actual], &[0.0, expected], anything);
            assert!(matches!(
                result,
                Err(Mismatch::Values {
                    count: 1,
                    index: 1,
                    ..
                })
            ));
        }
    }

    #[test]
    fn lengths_must_match() {
        assert!(compare(&[], &[1.0], Tolerance::EXACT).is_err());
        assert!(compare(&[1.0, 2.0], &[1.0], Tolerance::EXACT).is_err());
    }

    /// The bound is kept in the worst order, one after the other, and is not so wide that a lost term hides.
    #[test]
    fn a_sum_in_f32_is_within_its_tolerance_and_a_lost_term_is_not() {
        let mut random = crate::random::Random::new(1);
        for n in [1, 9, 576, 4608, 25_088] {
            for base in [-1.0, 0.0] {
                let terms: Vec<f32> = (0..n)
                    .map(|_| (base + (1.0 - base) * random.uniform()) as f32)
                    .collect();
                let exact: f64 = terms.iter().map(|t| f64::from(*t)).sum();
                let sum: f32 = terms.iter().sum();
                assert_eq!(compare(&[sum], &[exact], Tolerance::sum_of(n)), Ok(()));
                let lost = compare(&[sum - 0.7], &[exact], Tolerance::sum_of(n));
                assert!(lost.is_err(), "{n} terms from {base}");
            }
        }
    }
}
