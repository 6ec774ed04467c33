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
/// memory; each class keeps an image to train on, and gives one to validation if it has two that differ. Images that the
/// backbone was trained on ([`Dataset::mark_seen`]) are held out only where a class has too few others.
/// A data set with a validation set of its own is divided by that instead.
#[must_use]
pub fn split(data: &Dataset, val_fraction: f64, seed: u64) -> Split {
    split_units(data, units(data), val_fraction, seed)
}

/// The same of so many training images a class, or of all where it is 0. Which ones is drawn by `draw`; no group of
/// duplicates is parted for it, so that a class may have fewer.
#[must_use]
pub fn split_few(
    data: &Dataset,
    (per_class, draw): (usize, u64),
    val_fraction: f64,
    seed: u64,
) -> Split {
    let mut units = units(data);
    for (class, units) in units.iter_mut().enumerate().filter(|_| per_class > 0) {
        Random::for_purpose(draw, &format!("images of class {class}")).shuffle(units);
        let mut left = per_class;
        units.retain(|unit| match left.checked_sub(unit.len()) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        });
        // As if there were no others.
        units.sort_unstable();
    }
    split_units(data, units, val_fraction, seed)
}

fn split_units(
    data: &Dataset,
    mut units: Vec<Vec<Vec<usize>>>,
    val_fraction: f64,
    seed: u64,
) -> Split {
    let own: Vec<usize> = data.subset(Subset::Validation).collect();
    if !own.is_empty() {
        let mut train: Vec<usize> = units.into_iter().flatten().flatten().collect();
        train.sort_unstable();
        return Split {
            train,
            validation: own,
        };
    }
    let mut split = Split::default();
    for (class, units) in units.iter_mut().enumerate() {
        let images: usize = units.iter().map(Vec::len).sum();
        // Rounded half up; what f64 gives here is the same on every platform.
        let target = ((images as f64 * val_fraction + 0.5) as usize).max(1);
        Random::for_purpose(seed, &format!("split of class {class}")).shuffle(units);
        // Stable, so that the order of chance stays within each.
        units.sort_by_key(|unit| unit.iter().any(|&i| data.is_seen(i)));
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
