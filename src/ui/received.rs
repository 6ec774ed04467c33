//! What the engine told, as the page holds it; a picture is the address under which the browser holds it.

use std::collections::HashSet;

use crate::protocol::{Backend, DatasetSummary, Event, JobId, Message};

/// What runs the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its kind.
    pub backend: Backend,
    /// The adapter's name, or "CPU" with the number of threads.
    pub name: String,
    /// Why it is not the one hoped for.
    pub note: Option<String>,
}

/// A picture the engine drew for a first try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// File name.
    pub name: String,
    /// Address of the picture.
    pub url: String,
}

/// An event together with the addresses of the pictures that came with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// The event and its job.
    pub message: Message<Event>,
    /// Addresses of its blobs, in order.
    pub urls: Vec<String>,
}

/// The data set in use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dataset {
    /// The job that opened it.
    pub job: JobId,
    /// What was found in it.
    pub summary: DatasetSummary,
    /// Addresses of the thumbnails, one a class; empty if there are none.
    pub thumbnails: Vec<String>,
    /// Addresses of the pictures of each reading of the labels, in the order of `summary.readings`.
    pub pictures: Vec<Vec<String>>,
}

impl Dataset {
    /// What was found, with the addresses of the pictures that came with it.
    #[must_use]
    pub fn new(job: JobId, summary: DatasetSummary, urls: &[String]) -> Self {
        let some = |first: u32, count: usize| {
            let pictures = urls.iter().skip(first as usize).take(count);
            pictures.cloned().collect::<Vec<_>>()
        };
        let thumbnails = summary.thumbnails;
        let thumbnails =
            thumbnails.map_or_else(Vec::new, |first| some(first, summary.classes.len()));
        let pictures = summary.readings.iter();
        let pictures = pictures
            .map(|reading| some(reading.first_picture, reading.pictures as usize))
            .collect();
        Self {
            job,
            summary,
            thumbnails,
            pictures,
        }
    }

    /// Groups of identical images that make no figure wrong: the others are among the leaks.
    #[must_use]
    pub fn harmless_duplicates(&self) -> Vec<&Vec<String>> {
        let leaks = self.summary.leaks.iter().flat_map(|leak| &leak.files);
        let leaks: HashSet<&String> = leaks.collect();
        let groups = self.summary.duplicates.iter();
        groups
            .filter(|group| !group.iter().any(|file| leaks.contains(file)))
            .collect()
    }

    /// Images to train and validate on, and to test on.
    #[must_use]
    pub fn totals(&self) -> (usize, usize) {
        self.summary
            .classes
            .iter()
            .fold((0, 0), |(a, b), c| (a + c.train, b + c.test))
    }
}
