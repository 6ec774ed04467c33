//! The images to classify and what became of them.

use std::collections::HashMap;
use std::rc::Rc;

use super::shared::Shared;
use crate::protocol::ModelSummary;

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

    /// Whether it is this model's answer. A summary does not tell two trainings apart, so that equal ones are of
    /// one model only where that comes with the program.
    #[must_use]
    pub fn is_by(&self, model: Option<&Shared<ModelSummary>>) -> bool {
        model.is_some_and(|model| {
            let same = || model.as_bundled().is_some() && **model == *self.model;
            self.model == *model || same()
        })
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

impl Outcome {
    /// What the model said, if it said something.
    #[must_use]
    pub const fn answer(&self) -> Option<&Prediction> {
        match self {
            Self::Classified(prediction) => Some(prediction),
            Self::Waiting | Self::Failed(_) => None,
        }
    }
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

    /// The answers that are not the model's in use, first to last.
    pub fn stale(&self, model: Option<&Shared<ModelSummary>>) -> impl Iterator<Item = &Prediction> {
        let answers = self.rows.iter().filter_map(|row| row.outcome.answer());
        answers.filter(move |answer| !answer.is_by(model))
    }

    /// The outputs of a model have other names: so have its answers.
    pub fn rename(&mut self, old: &Shared<ModelSummary>, new: &Shared<ModelSummary>) {
        for row in &mut self.rows {
            if row.outcome.answer().is_some_and(|a| a.is_by(Some(old)))
                && let Outcome::Classified(answer) = &mut row.change().outcome
            {
                answer.model = new.clone();
            }
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
