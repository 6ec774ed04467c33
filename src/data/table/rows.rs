//! What the rows of one or several tables say of the images, until a reading is made of it.

use std::collections::{HashMap, HashSet};

use super::{Files, LabelTable};
use crate::data::labelling::{Labelling, Spot, list};
use crate::data::layout::file_name;
use crate::protocol::Part;

/// What rows say of the images.
pub(in crate::data) struct Rows {
    /// The label of each image, a number into `labelling.names`.
    pub(super) label: Vec<Option<u32>>,
    pub(super) part: Vec<Option<Part>>,
    /// The second label of an image that has two.
    pub(super) second: HashMap<usize, u32>,
    pub(super) names: Labelling,
    pub(super) notes: Vec<String>,
}

impl Rows {
    pub(in crate::data) fn new(images: usize) -> Self {
        Self {
            label: vec![None; images],
            part: vec![None; images],
            second: HashMap::new(),
            names: Labelling::default(),
            notes: Vec::new(),
        }
    }

    /// Images that have a label.
    pub(in crate::data) fn labelled(&self) -> usize {
        self.label.iter().flatten().count()
    }

    /// Whether it labels images that another one does not.
    pub(in crate::data) fn adds_to(&self, other: &Self) -> bool {
        let mut pairs = self.label.iter().zip(&other.label);
        pairs.any(|(own, others)| own.is_some() && others.is_none())
    }

    /// Whether it speaks of the same labels as another one: it agrees about the images that both label; if there are
    /// none, it has the other's labels, nearly all of them unless the tables are named alike (`train.csv`, `test.csv`).
    /// A table of one label has the images of that class.
    pub(in crate::data) fn goes_with(&self, other: &Self, named_alike: bool) -> bool {
        let [own, others] = [self, other].map(|rows| &rows.names.names);
        let mut both = 0;
        for (label, others_label) in self.label.iter().zip(&other.label) {
            if let (Some(a), Some(b)) = (label, others_label) {
                both += 1;
                if own[*a as usize] != others[*b as usize] {
                    return false;
                }
            }
        }
        let least = own.len().min(others.len());
        if both > 0 || least < 2 {
            return true;
        }
        let known: HashSet<&String> = others.iter().collect();
        let shared = own.iter().filter(|name| known.contains(name)).count();
        shared * 10 >= least * if named_alike { 5 } else { 9 }
    }

    /// Whether it labels other images than another one with the same labels, as the table of another year does: none is
    /// new, and most of them come again.
    pub(in crate::data) fn continues(&self, other: &Self) -> bool {
        let [own, others] = [self, other].map(|rows| &rows.names.names);
        let mut pairs = self.label.iter().zip(&other.label);
        own.len() > 1
            && own.len() * 2 > others.len()
            && own.iter().all(|name| others.contains(name))
            && !pairs.any(|(own, others)| own.is_some() && others.is_some())
    }

    /// Whether it gives several images one label.
    pub(in crate::data) fn is_constant(&self) -> bool {
        self.labelled() > 1 && self.names.names.len() == 1
    }

    /// Whether it gives several images one label beside a table of several labels, with no image in common: one that
    /// others have too, or any if all its images are for testing.
    pub(in crate::data) fn is_constant_beside(&self, other: &Self, files: &Files) -> bool {
        let mut pairs = self.label.iter().zip(&other.label);
        let is_tested = |image: usize| {
            let part = self.part[image].or_else(|| files.part(image));
            matches!(part, Some(Part::Test | Part::Unlabelled))
        };
        let all_tested = || (0..self.label.len()).all(|i| self.label[i].is_none() || is_tested(i));
        self.is_constant()
            && other.names.names.len() > 1
            && (other.names.names.contains(&self.names.names[0]) || all_tested())
            && !pairs.any(|(own, others)| own.is_some() && others.is_some())
    }

    /// The label of an image, if it has one alone.
    pub(in crate::data) fn label(&self, image: usize) -> Option<&str> {
        let label = self.label[image].filter(|_| !self.second.contains_key(&image))?;
        self.names.names.get(label as usize).map(String::as_str)
    }

    /// Whether it divides the labelled images as a reading of the folders does.
    pub(in crate::data) fn divides_like(&self, folders: &Labelling) -> bool {
        let (mut to, mut back) = (HashMap::new(), HashMap::new());
        self.label.iter().zip(&folders.spots).all(|(own, spot)| {
            let (Some(own), Spot::In(_, Some(class))) = (own, spot) else {
                return true;
            };
            *to.entry(*own).or_insert(*class) == *class
                && *back.entry(*class).or_insert(*own) == *own
        })
    }

    /// Where each image belongs: labels from the rows, parts from the rows, else the folders, else the name
    /// of the table.
    pub(in crate::data) fn labelling(
        mut self,
        folders: &Labelling,
        tables: &[&LabelTable],
    ) -> Labelling {
        let title = list(
            &tables
                .iter()
                .map(|t| file_name(&t.path))
                .collect::<Vec<_>>(),
        );
        let mut without = 0;
        let mut spots = Vec::with_capacity(folders.spots.len());
        for (image, spot) in folders.spots.iter().enumerate() {
            let own = match spot {
                Spot::Folder => {
                    spots.push(Spot::Folder);
                    continue;
                }
                Spot::In(part, _) => Some(*part),
                Spot::Out(..) => None,
            };
            spots.push(match (self.label[image], self.second.get(&image)) {
                (Some(first), Some(&second)) => {
                    let [first, second] = [first, second].map(|n| &self.names.names[n as usize]);
                    let reason = format!(
                        "has two labels in {title}: \u{201c}{first}\u{201d} and \u{201c}{second}\u{201d}"
                    );
                    Spot::Out(reason.into(), true)
                }
                (Some(label), None) => {
                    Spot::In(self.part[image].or(own).unwrap_or(Part::Train), Some(label))
                }
                (None, _) => {
                    if own == Some(Part::Train) && self.part[image].is_none() {
                        without += 1;
                    }
                    match (spot, own) {
                        (Spot::Out(..), _) => spot.clone(),
                        _ => Spot::In(Part::Unlabelled, None),
                    }
                }
            });
        }
        if without > 0 {
            self.notes.push(format!(
                "{} no label in {title} and {} not trained on.",
                if without == 1 {
                    "1 image has".to_owned()
                } else {
                    format!("{without} images have")
                },
                if without == 1 { "is" } else { "are" }
            ));
        }
        self.names.spots = spots;
        if !self.second.is_empty() {
            self.names.drop_empty();
        }
        self.names.notes = folders.notes.clone();
        self.names.notes.append(&mut self.notes);
        self.names
    }
}
