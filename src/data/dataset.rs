//! A data set once it is indexed: samples in an order that follows from names alone, so that a split and a
//! seed mean the same images wherever the set is opened.

use std::collections::BTreeSet;
use std::fmt;

use super::Subset;
use super::division::UNLISTED;
use super::folders::NO_CLASS;
use super::source::Source;
use crate::error::{Error, Result};
use crate::protocol::{ClassCount, DatasetSummary, Labels, Leak, Reading, Skipped, TableSummary};

/// An image of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Its path, with `/` between the parts.
    pub path: String,
    /// Its label, a number into [`Dataset::classes`].
    pub class: Option<usize>,
    /// What it is for.
    pub subset: Subset,
    /// Its number in the source.
    pub(super) file: usize,
}

/// A way to read the labels, with images to show for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The reading, without pictures.
    pub reading: Reading,
    /// One image of each of its first few classes, in the order of `reading.classes`: file numbers for
    /// [`Dataset::read_file`].
    pub examples: Vec<usize>,
}

/// An indexed data set.
pub struct Dataset {
    /// Name of the folder or archive, or "demo set".
    pub name: String,
    /// Labels, alphabetical; their places are the class numbers.
    pub classes: Vec<String>,
    /// Images, sorted by subset, class, file name.
    pub samples: Vec<Sample>,
    /// Files that are left out.
    pub skipped: Vec<Skipped>,
    /// Groups of byte-identical images, numbers into `samples`.
    pub duplicates: Vec<Vec<usize>>,
    /// Why training is not possible, if it is not; or what the user must choose first.
    pub problem: Option<String>,
    /// How the labels were read; [`Labels::Auto`] if the user must choose.
    pub labels: Labels,
    /// The ways to read them, if there are several to choose from.
    pub readings: Vec<Candidate>,
    /// The table that the labels come from, if they do.
    pub table: Option<TableSummary>,
    /// Identical images that make figures wrong.
    pub leaks: Vec<Leak>,
    /// What else the user should know before training, a sentence each.
    pub notes: Vec<String>,
    /// Samples that the backbone in use was trained on, see [`Dataset::mark_seen`].
    pub(super) seen: BTreeSet<usize>,
    /// Samples that no subset has any more, see [`Dataset::set_aside`].
    pub(super) set_aside: BTreeSet<usize>,
    pub(super) source: Box<dyn Source>,
}

impl Dataset {
    /// Notes a sample that the backbone in use was trained on: it is held out only where there are too few others.
    pub fn mark_seen(&mut self, sample: usize) {
        self.seen.insert(sample);
    }

    /// Takes these notes away.
    pub fn forget_seen(&mut self) {
        self.seen.clear();
    }

    /// Whether the backbone in use was trained on a sample.
    #[must_use]
    pub fn is_seen(&self, sample: usize) -> bool {
        self.seen.contains(&sample)
    }

    /// The file of a sample.
    ///
    /// # Errors
    /// Naming the file, if it cannot be read (any more).
    pub fn read(&mut self, sample: usize) -> Result<Vec<u8>> {
        let sample = self.samples.get(sample);
        let sample = sample.ok_or_else(|| Error::Dataset("there is no such sample".into()))?;
        self.source.read(sample.file)
    }

    /// A file of the source by its number, that of a [`Candidate`]'s example.
    ///
    /// # Errors
    /// Naming the file, if it cannot be read (any more).
    pub fn read_file(&mut self, file: usize) -> Result<Vec<u8>> {
        self.source.read(file)
    }

    /// The numbers of the samples of one subset, ascending.
    pub fn subset(&self, subset: Subset) -> impl Iterator<Item = usize> {
        let samples = self.samples.iter().enumerate();
        samples
            .filter(move |(i, s)| s.subset == subset && !self.set_aside.contains(i))
            .map(|(i, _)| i)
    }

    /// Takes samples out of their subset, because they cannot be read. Their numbers and those of all others stay.
    pub fn set_aside(&mut self, samples: impl IntoIterator<Item = usize>) {
        self.set_aside.extend(samples);
    }

    /// Paths of the images of a data set that has no classes to learn: they can still be classified. None where there
    /// are classes, or a choice of them.
    #[must_use]
    pub fn loose_images(&self) -> Vec<String> {
        if self.problem.is_none() || !self.readings.is_empty() || self.classes.len() > 1 {
            return Vec::new();
        }
        let left_out = |s: &&Skipped| s.reason == NO_CLASS || s.reason == UNLISTED;
        let outside = self.skipped.iter().filter(left_out);
        let outside = outside.map(|s| s.file.clone());
        self.samples
            .iter()
            .map(|s| s.path.clone())
            .chain(outside)
            .collect()
    }

    /// What is told about it. Thumbnails are left to the caller.
    #[must_use]
    pub fn summary(&self) -> DatasetSummary {
        let mut classes: Vec<ClassCount> = self
            .classes
            .iter()
            .map(|name| ClassCount {
                name: name.clone(),
                train: 0,
                test: 0,
            })
            .collect();
        for sample in &self.samples {
            let Some(class) = sample.class.and_then(|c| classes.get_mut(c)) else {
                continue;
            };
            match sample.subset {
                Subset::Train | Subset::Validation => class.train += 1,
                Subset::Test => class.test += 1,
                Subset::Unlabelled => {}
            }
        }
        let path = |&i: &usize| self.samples.get(i).map(|s| s.path.clone());
        DatasetSummary {
            name: self.name.clone(),
            classes,
            unlabelled: self.subset(Subset::Unlabelled).count(),
            duplicates: self
                .duplicates
                .iter()
                .map(|group| group.iter().filter_map(path).collect())
                .collect(),
            skipped: self.skipped.clone(),
            problem: self.problem.clone(),
            labels: self.labels.clone(),
            readings: self.readings.iter().map(|c| c.reading.clone()).collect(),
            table: self.table.clone(),
            leaks: self.leaks.clone(),
            notes: self.notes.clone(),
            loose_images: Vec::new(),
            thumbnails: None,
        }
    }
}

impl fmt::Debug for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dataset")
            .field("name", &self.name)
            .field("classes", &self.classes)
            .field("samples", &self.samples.len())
            .finish_non_exhaustive()
    }
}
