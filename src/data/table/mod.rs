//! Labels from a table among the files: CSV, TSV or JSON. What names the images, what the labels and what
//! the part is found by content, or as the user says.

mod columns;
mod files;
mod json;
mod parse;

use std::collections::HashMap;

pub(super) use files::Files;
pub(super) use parse::MAX_BYTES;

use self::columns::{Label, Picked};
use self::files::Match;
use self::parse::Table;
use super::labelling::{Labelling, Spot, list, many};
use super::layout::file_name;
use super::parts::{self, said};
use crate::protocol::{Columns, Part, TableSummary};

/// Missing files that are named in a note.
const NAMED: usize = 3;

/// Whether a file may be a table of labels, by its name. A sample of what to submit to a competition has the
/// form of one, with made-up labels.
pub(super) fn is_table(path: &str) -> bool {
    let name = file_name(path).to_ascii_lowercase();
    let ending = [".csv", ".tsv", ".json", ".jsonl", ".ndjson"]
        .iter()
        .any(|e| name.ends_with(e));
    let made_up = parts::words(file_name(path)).iter().any(|w| {
        [
            "submission",
            "submissions",
            "submit",
            "predictions",
            "results",
        ]
        .contains(&w.as_str())
    });
    let made_up = made_up || name.contains("submission");
    ending && !made_up
}

/// A table that labels images.
pub(super) struct LabelTable {
    /// Its path.
    pub(super) path: String,
    table: Table,
    picked: Picked,
    /// The part that its name speaks of.
    hint: Option<Part>,
}

/// What rows say of the images.
pub(super) struct Rows {
    /// The label of each image, a number into `labelling.names`.
    label: Vec<Option<u32>>,
    part: Vec<Option<Part>>,
    /// The second label of an image that has two.
    second: HashMap<usize, u32>,
    names: Labelling,
    notes: Vec<String>,
}

impl Rows {
    pub(super) fn new(images: usize) -> Self {
        Self {
            label: vec![None; images],
            part: vec![None; images],
            second: HashMap::new(),
            names: Labelling::default(),
            notes: Vec::new(),
        }
    }

    /// Images that have a label.
    pub(super) fn labelled(&self) -> usize {
        self.label.iter().flatten().count()
    }

    /// Whether it labels images that another one does not, and whether they agree on the others.
    pub(super) fn compare(&self, other: &Self) -> (usize, bool) {
        let (mut new, mut agree) = (0, true);
        for (own, others) in self.label.iter().zip(&other.label) {
            match (own, others) {
                (Some(_), None) => new += 1,
                (Some(own), Some(others)) => {
                    agree &= self.names.names[*own as usize] == other.names.names[*others as usize];
                }
                _ => {}
            }
        }
        (new, agree)
    }

    /// Whether it divides the labelled images as a reading of the folders does.
    pub(super) fn divides_like(&self, folders: &Labelling) -> bool {
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
    pub(super) fn labelling(mut self, folders: &Labelling, tables: &[&LabelTable]) -> Labelling {
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
        self.names.notes = folders.notes.clone();
        self.names.notes.append(&mut self.notes);
        self.names
    }
}

impl LabelTable {
    /// Reads a table and finds its columns.
    ///
    /// # Errors
    /// The reason why it gives no labels.
    pub(super) fn read(
        path: &str,
        bytes: &[u8],
        files: &Files,
        asked: &Columns,
    ) -> Result<Self, String> {
        let mut table = parse::parse(path, bytes, &|cell| files.has(cell))?;
        let name = file_name(path);
        let stem = name.rsplit_once('.').map_or(name, |s| s.0);
        let hint = said(stem).map(|s| s.part);
        let notes = std::mem::take(&mut table.notes);
        table.notes = notes.iter().map(|n| format!("{name} {n}.")).collect();
        let picked = columns::pick(&table, files, hint, asked)?;
        Ok(Self {
            path: path.to_owned(),
            table,
            picked,
            hint,
        })
    }

    /// Whether a column says the part of each image.
    pub(super) fn has_parts(&self) -> bool {
        self.picked.part.is_some()
    }

    /// Whether a column of labels was found.
    pub(super) fn has_labels(&self) -> bool {
        self.picked.label != Label::None
    }

    /// The columns that may all be the label, if it is not clear which one is.
    pub(super) fn choices(&self) -> Vec<String> {
        match &self.picked.label {
            Label::Several(columns) => columns
                .iter()
                .map(|&c| self.table.columns[c].clone())
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The same table with the label in a column.
    pub(super) fn with_label(&self, column: &str) -> Self {
        let number = self.table.columns.iter().position(|c| c == column);
        Self {
            path: self.path.clone(),
            table: self.table.clone(),
            picked: Picked {
                label: number.map_or(Label::None, Label::Column),
                ..self.picked.clone()
            },
            hint: self.hint,
        }
    }

    /// The columns in use.
    pub(super) fn used(&self) -> Columns {
        self.picked.names(&self.table)
    }

    /// Whether its header says that a column has labels.
    pub(super) fn is_sure(&self) -> bool {
        match &self.picked.label {
            Label::Column(column) => columns::says_label(&self.table, *column),
            Label::OneHot(_) => true,
            Label::Several(_) | Label::None => false,
        }
    }

    /// Reads the rows into what is known of the images.
    ///
    /// # Errors
    /// The reason if many images have several labels.
    pub(super) fn apply(&self, files: &Files, rows: &mut Rows) -> Result<TableSummary, String> {
        let table = &self.table;
        let (mut matched, mut several, mut twice) = (0, 0, 0);
        let mut missing = Vec::new();
        let mut missed = 0;
        for row in 0..table.rows() {
            let cell = table.cell(row, self.picked.image);
            let part = self
                .picked
                .part
                .and_then(|column| columns::part_of(table, column, table.cell(row, column)));
            let image = match files.find(cell, part.or(self.hint)) {
                Match::One(image) => image,
                other => {
                    missed += usize::from(other == Match::None && !cell.is_empty());
                    several += usize::from(other == Match::Several);
                    if other == Match::None && missing.len() < NAMED && !cell.is_empty() {
                        missing.push(cell.chars().take(80).collect::<String>());
                    }
                    continue;
                }
            };
            matched += 1;
            let by_name = self.hint.filter(|_| files.part(image).is_none());
            rows.part[image] = part.or(by_name).or(rows.part[image]);
            let Some(label) = self.picked.label(table, row) else {
                continue;
            };
            let label = rows.names.class(label);
            match rows.label[image] {
                None => rows.label[image] = Some(label),
                Some(before) if before != label => {
                    twice += usize::from(rows.second.insert(image, label).is_none());
                }
                Some(_) => {}
            }
        }
        if twice > 0 && twice * 20 > matched {
            return Err(format!(
                "gives {} several labels, in a row each; one label an image is needed",
                many(twice, "image")
            ));
        }
        let name = file_name(&self.path);
        if missed > 0 {
            rows.notes.push(format!(
                "{missed} of {} rows of {name} name a file that is not here: {}{}.",
                table.rows(),
                missing.join(", "),
                if missed > missing.len() {
                    ", \u{2026}"
                } else {
                    ""
                }
            ));
        }
        if several > 0 {
            rows.notes.push(format!(
                "{several} of {} rows of {name} name a file of which there are several, in different folders; the rows are not used.",
                table.rows()
            ));
        }
        rows.notes.extend(table.notes.iter().cloned());
        Ok(TableSummary {
            file: self.path.clone(),
            columns: table.columns.clone(),
            used: self.used(),
            rows: table.rows(),
            matched,
        })
    }
}
