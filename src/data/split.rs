//! Training and validation, divided so that the same images and seed give the same halves everywhere.

use super::Subset;
use super::dataset::Dataset;
use crate::random::Random;

/// Sample numbers of a data set, each list ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Split {
    /// To train on.
    pub train: Vec<usize>,
    /// Held out.
    pub validation: Vec<usize>,
}

/// Holds out about `val_fraction` of each class. Duplicates stay together, or validation would measure
/// memory; each class keeps an image to train on, and gives one to validation if it has two that differ.
/// A data set with a validation set of its own is divided by that instead.
#[must_use]
pub fn split(data: &Dataset, val_fraction: f64, seed: u64) -> Split {
    let own: Vec<usize> = data.subset(Subset::Validation).collect();
    if !own.is_empty() {
        return Split {
            train: data.subset(Subset::Train).collect(),
            validation: own,
        };
    }
    let mut split = Split::default();
    for (class, units) in units(data).iter_mut().enumerate() {
        let images: usize = units.iter().map(Vec::len).sum();
        // Rounded half up; what f64 gives here is the same on every platform.
        let target = ((images as f64 * val_fraction + 0.5) as usize).max(1);
        Random::for_purpose(seed, &format!("split of class {class}")).shuffle(units);
        let (mut held, mut left) = (0, units.len());
        for unit in units {
            if left > 1 && (held == 0 || held + unit.len() <= target) {
                held += unit.len();
                left -= 1;
                split.validation.append(unit);
            } else {
                split.train.append(unit);
            }
        }
    }
    split.train.sort_unstable();
    split.validation.sort_unstable();
    split
}

/// The training images of each class, in units that must not be parted: single images, and groups of
/// duplicates, which count for the class of their first image.
fn units(data: &Dataset) -> Vec<Vec<Vec<usize>>> {
    let mut first: Vec<usize> = (0..data.samples.len()).collect();
    let is_train = |&&i: &&usize| {
        data.samples
            .get(i)
            .is_some_and(|s| s.subset == Subset::Train)
    };
    for group in &data.duplicates {
        let group: Vec<usize> = group.iter().filter(is_train).copied().collect();
        for &i in &group {
            first[i] = group[0];
        }
    }
    let mut units = vec![Vec::new(); data.classes.len()];
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); data.samples.len()];
    for i in data.subset(Subset::Train) {
        members[first[i]].push(i);
    }
    for (unit, sample) in members.into_iter().zip(&data.samples) {
        if let (Some(class), false) = (sample.class, unit.is_empty()) {
            units[class].push(unit);
        }
    }
    units
}
