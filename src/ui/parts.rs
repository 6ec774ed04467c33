//! The pieces the page's state is made of. Plain data: no DOM, no browser types; a picture is the
//! address under which the browser holds it.

use std::{collections::HashMap, ops::Deref, rc::Rc};

use crate::protocol::{Backend, DatasetSummary, Event, JobId, Message, ModelSummary, Phase};

/// A value that many views hold. Two are equal if they are the same allocation, so that a view of ten
/// thousand rows learns in one comparison that nothing changed.
#[derive(Debug, Default)]
pub struct Shared<T>(Rc<T>);

impl<T> Shared<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(Rc::new(value))
    }
}

impl<T: Clone> Shared<T> {
    /// The value, to change; copied first if a view still holds it.
    pub fn change(&mut self) -> &mut T {
        Rc::make_mut(&mut self.0)
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// The places of the page; a notice is shown in the place it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Above all others.
    Page,
    /// Images and their labels.
    Classify,
    /// The data set.
    Data,
    /// Settings and curves.
    Train,
    /// Accuracy and confusion.
    Evaluate,
    /// The model in use.
    Model,
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// Opening the device and loading the model; its id is 0.
    Start,
    /// Classifying images.
    Classify,
    /// Opening a data set.
    Dataset,
    /// Training, or going on with one.
    Train,
    /// Measuring the model.
    Evaluate,
    /// Loading a checkpoint from a file.
    Import,
    /// Downloading pretrained weights.
    Download,
    /// Handing out the model.
    Export,
    /// Timing a step of a training.
    Estimate,
    /// Showing what an augmentation does.
    Preview,
    /// Putting random weights in use.
    RandomInit,
}

impl JobKind {
    /// Where its progress and its errors are shown.
    #[must_use]
    pub const fn place(self) -> Place {
        match self {
            Self::Start => Place::Page,
            Self::Classify => Place::Classify,
            Self::Dataset => Place::Data,
            Self::Train | Self::Estimate | Self::Preview => Place::Train,
            Self::Evaluate => Place::Evaluate,
            Self::Import | Self::Download | Self::Export | Self::RandomInit => Place::Model,
        }
    }
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// What is counted.
    pub phase: Phase,
    /// Done so far.
    pub done: u64,
    /// Of how many; 0 where that is not known.
    pub total: u64,
    /// Since the phase began.
    pub milliseconds: f64,
}

/// A running job.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its name in the protocol.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// How far it is, once the engine said so.
    pub progress: Option<Progress>,
}

/// What runs the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its kind.
    pub backend: Backend,
    /// The adapter's name, or "CPU".
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

/// A message in one place of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Names it, to dismiss it.
    pub id: u32,
    /// Where it is shown.
    pub place: Place,
    /// Whether something failed; otherwise work goes on.
    pub error: bool,
    /// A sentence.
    pub text: String,
}

/// What the model said about an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The model that said it: its labels belong to the probabilities.
    pub model: Shared<ModelSummary>,
    /// Softmax of the logits `[K]`.
    pub probabilities: Vec<f32>,
    /// Index of the largest.
    pub best: usize,
    /// Decoding, resizing, network.
    pub milliseconds: f64,
}

impl Prediction {
    /// Below this probability of the best class the page says that the model is unsure.
    pub const UNSURE: f32 = 0.5;

    /// Reads an answer of the engine. Without probabilities there is no prediction.
    #[must_use]
    pub fn new(
        model: Shared<ModelSummary>,
        probabilities: Vec<f32>,
        milliseconds: f64,
    ) -> Option<Self> {
        let best = probabilities
            .iter()
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(b.1))?
            .0;
        Some(Self {
            model,
            probabilities,
            best,
            milliseconds,
        })
    }

    /// Name of class `index`; its number, from 0, where the model has no name for it.
    #[must_use]
    pub fn name(&self, index: usize) -> String {
        let name = self.model.classes.get(index);
        name.cloned().unwrap_or_else(|| format!("class {index}"))
    }

    /// Name of the best class.
    #[must_use]
    pub fn label(&self) -> String {
        self.name(self.best)
    }

    /// Probability of the best class.
    #[must_use]
    pub fn probability(&self) -> f32 {
        self.probabilities.get(self.best).copied().unwrap_or(0.0)
    }

    /// Whether no class convinces.
    #[must_use]
    pub fn unsure(&self) -> bool {
        self.probability() < Self::UNSURE
    }
}

/// What became of an image.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Nothing yet.
    Waiting,
    /// It has a label.
    Classified(Prediction),
    /// It could not be used, and why.
    Failed(String),
}

/// One image of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its path.
    pub file: String,
    /// Address of the picture, for those that are shown as cards.
    pub url: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
}

/// The images last given to be classified, in the order they were given.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// The images.
    pub rows: Vec<Shared<Row>>,
    /// Which page of the table is shown, from 0.
    pub page: usize,
    places: Rc<HashMap<String, usize>>,
}

impl Batch {
    /// Up to so many images are all shown as cards.
    pub const ALL_CARDS: usize = 60;
    /// Of more images so many are shown as cards, the rest in a table.
    pub const FIRST_CARDS: usize = 12;
    /// Rows of the table shown at once: the page redraws them with every frame of results.
    pub const PAGE: usize = 100;

    /// Images that wait for their answers. Paths are told apart: see [`super::intake`].
    #[must_use]
    pub fn new(files: Vec<(String, Option<String>)>) -> Self {
        let places = files.iter().enumerate();
        let places = places.map(|(i, (file, _))| (file.clone(), i)).collect();
        let row = |(file, url)| {
            Shared::new(Row {
                file,
                url,
                outcome: Outcome::Waiting,
            })
        };
        Self {
            rows: files.into_iter().map(row).collect(),
            page: 0,
            places: Rc::new(places),
        }
    }

    /// How many of `total` images are shown as cards.
    #[must_use]
    pub const fn cards(total: usize) -> usize {
        if total <= Self::ALL_CARDS {
            total
        } else {
            Self::FIRST_CARDS
        }
    }

    /// Notes what became of a file; a file that is not in the batch is ignored.
    pub fn settle(&mut self, file: &str, outcome: Outcome) {
        let place = self.places.get(file).copied();
        if let Some(row) = place.and_then(|i| self.rows.get_mut(i)) {
            row.change().outcome = outcome;
        }
    }
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

    /// Images to train and validate on, and to test on.
    #[must_use]
    pub fn totals(&self) -> (usize, usize) {
        self.summary
            .classes
            .iter()
            .fold((0, 0), |(a, b), c| (a + c.train, b + c.test))
    }
}
