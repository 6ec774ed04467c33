//! Loss, accuracy, confusion and their uncertainty, from logits, on the host and in f64.

use crate::protocol::{Evaluation, Proportion, Skipped};

/// The 95 % quantile of the normal distribution, two-sided.
const Z95: f64 = 1.959_963_984_540_054;

/// A share with its 95 % Wilson score interval (Wilson 1927, JASA 22, 209-212): unlike the plain
/// normal interval it stays inside 0..1 and is honest for few trials.
#[must_use]
pub fn share(hits: u64, of: u64) -> Proportion {
    if of == 0 {
        return Proportion {
            hits,
            of,
            value: 0.0,
            low: 0.0,
            high: 1.0,
        };
    }
    let (n, p) = (of as f64, hits as f64 / of as f64);
    let z2 = Z95 * Z95;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z95 * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
    Proportion {
        hits,
        of,
        value: p,
        low: (centre - half).max(0.0),
        high: (centre + half).min(1.0),
    }
}

/// Index of the largest value; the first among equals, 0 of none.
#[must_use]
pub fn argmax(values: &[f32]) -> usize {
    let best = values.iter().enumerate();
    best.fold((0, f32::NEG_INFINITY), |best, (i, &v)| {
        if v > best.1 { (i, v) } else { best }
    })
    .0
}

/// Mean loss and hits of a set of predictions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfusionTally {
    /// `confusion[true][predicted]`, counts.
    pub confusion: Vec<Vec<u64>>,
    /// Sum of the cross-entropies, nats.
    loss: f64,
}

impl ConfusionTally {
    /// Counts logits `[N,K]`, row after row, against labels `[N]`.
    #[must_use]
    pub fn of(logits: &[f32], labels: &[usize], classes: usize) -> Self {
        let mut tally = Self {
            confusion: vec![vec![0; classes]; classes],
            loss: 0.0,
        };
        for (row, &label) in logits.chunks_exact(classes.max(1)).zip(labels) {
            let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum: f64 = row.iter().map(|x| f64::from(x - top).exp()).sum();
            // -log softmax(row)[label]
            tally.loss += sum.ln() - f64::from(row[label] - top);
            tally.confusion[label][argmax(row)] += 1;
        }
        tally
    }

    /// Predictions counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.confusion.iter().flatten().sum()
    }

    /// Right ones.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.confusion
            .iter()
            .enumerate()
            .map(|(i, row)| row[i])
            .sum()
    }

    /// hits / count, 0 of none.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        share(self.hits(), self.count()).value
    }

    /// Mean cross-entropy, nats; 0 of none.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.loss / (self.count().max(1)) as f64
    }

    /// The report on these predictions.
    #[must_use]
    pub fn evaluation(self, split: &str, classes: &[String], skipped: Vec<Skipped>) -> Evaluation {
        let rows = self.confusion.iter().enumerate();
        Evaluation {
            split: split.to_string(),
            classes: classes.to_vec(),
            accuracy: share(self.hits(), self.count()),
            loss: self.loss(),
            per_class: rows
                .map(|(i, row)| share(row[i], row.iter().sum()))
                .collect(),
            confusion: self.confusion,
            skipped,
            seen: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked out by hand from the formula, in Python.
    #[test]
    fn wilson_interval_of_known_shares() {
        for (hits, of, low, high) in [
            (8, 10, 0.490_162_471_536_641_7, 0.943_317_848_545_637_4),
            (0, 5, 0.0, 0.434_482_464_783_965_3),
            (2700, 3000, 0.888_747_973_652_688, 0.910_228_947_366_867),
        ] {
            let got = share(hits, of);
            assert!((got.low - low).abs() < 1e-6, "{got:?} {low}");
            assert!((got.high - high).abs() < 1e-6, "{got:?} {high}");
        }
    }

    #[test]
    fn tally_counts_and_averages() {
        let logits = [2.0, 0.0, 0.0, 1.0, 0.0, 3.0];
        let tally = ConfusionTally::of(&logits, &[0, 0, 1], 2);
        assert_eq!(tally.confusion, vec![vec![1, 1], vec![0, 1]]);
        assert_eq!((tally.hits(), tally.count()), (2, 3));
        let ln = |d: f64| (1.0 + d.exp()).ln();
        let loss = (ln(-2.0) + ln(1.0) + ln(-3.0)) / 3.0;
        assert!((tally.loss() - loss).abs() < 1e-9);
    }
}
