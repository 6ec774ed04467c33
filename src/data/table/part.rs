//! Which column of a table says the part of each image, and what its cells say.

use std::collections::HashSet;

use super::columns::{header, rank, sample};
use super::labels::{Label, says_label};
use super::parse::Table;
use crate::data::parts::said;
use crate::protocol::Part;

/// Words of a header that say "part".
const PART_WORDS: [&str; 9] = [
    "split",
    "subset",
    "set",
    "partition",
    "part",
    "usage",
    "dataset",
    "phase",
    "mode",
];

/// Words of a header that say that images are divided; numbers below it do not say which one is for training.
const DIVISION_WORDS: [&str; 9] = [
    "split",
    "splits",
    "subset",
    "set",
    "partition",
    "usage",
    "fold",
    "folds",
    "kfold",
];

/// A column whose every cell says a part (`train`, `test`), or whether it is for training (1, 0).
pub(super) fn part_column(table: &Table, image: usize, label: Option<&Label>) -> Option<usize> {
    (0..table.columns.len()).find(|&column| {
        if column == image || label == Some(&Label::Column(column)) {
            return false;
        }
        let is_part = |cell: &str| said(cell).is_some_and(|s| s.alone);
        let values: HashSet<&str> = sample(table)
            .map(|row| table.cell(row, column))
            .filter(|cell| !cell.is_empty())
            .collect();
        if values.is_empty() || values.len() > 12 {
            return false;
        }
        let says = rank(table, column, &PART_WORDS).is_some();
        // A class may be called `train`: all cells say parts, and either the header does or there are two.
        let parts: HashSet<Part> = values
            .iter()
            .filter_map(|v| said(v).map(|s| s.part))
            .collect();
        let is_labels = says_label(table, column);
        if values.iter().all(|v| is_part(v)) && (says || (parts.len() > 1 && !is_labels)) {
            return true;
        }
        flag(table, column).is_some() && values.iter().all(|v| truth(v).is_some())
    })
}

/// The part that a 1 means in a column of 0 and 1, by its name: `is_train`, `is_test`, and `train_test_split`, where
/// 1 is for training (as CUB-200 has it).
pub(super) fn flag(table: &Table, column: usize) -> Option<Part> {
    let header = header(table, column);
    let words: Vec<&str> = header.iter().map(String::as_str).collect();
    match words[..] {
        ["is", part] => said(part)
            .map(|s| s.part)
            .filter(|&part| part != Part::Unlabelled),
        ["train" | "training", "test" | "testing", "split"] => Some(Part::Train),
        _ => None,
    }
}

pub(super) fn truth(cell: &str) -> Option<bool> {
    match cell.to_ascii_lowercase().as_str() {
        "1" | "1.0" | "true" | "yes" => Some(true),
        "0" | "0.0" | "false" | "no" | "-1" => Some(false),
        _ => None,
    }
}

/// The part that a row says. Where several columns of 0 and 1 speak of it (`is_train`, `is_val`, `is_test`), the one
/// with the 1 counts.
pub(super) fn part_of(table: &Table, column: usize, row: usize) -> Option<Part> {
    let cell = table.cell(row, column);
    let Some(own) = flag(table, column) else {
        return said(cell).map(|s| s.part);
    };
    if truth(cell)? {
        return Some(own);
    }
    let mut others = (0..table.columns.len()).filter(|&other| other != column);
    let marked = others.find_map(|other| {
        flag(table, other).filter(|_| truth(table.cell(row, other)) == Some(true))
    });
    marked.or(Some(if own == Part::Train {
        Part::Test
    } else {
        Part::Train
    }))
}

/// Whether a column divides the images by numbers, and nothing says which of them is for training.
pub(super) fn is_undecided(table: &Table, column: usize) -> bool {
    let divides = rank(table, column, &DIVISION_WORDS).is_some();
    let values: HashSet<&str> = sample(table)
        .map(|row| table.cell(row, column))
        .filter(|cell| !cell.is_empty())
        .collect();
    divides
        && flag(table, column).is_none()
        && !values.is_empty()
        && values.len() <= 50
        && values
            .iter()
            .all(|v| v.parse::<f64>().is_ok_and(|n| n.fract() == 0.0))
}

/// Whether no cell of a column says a part.
pub(super) fn says_no_part(table: &Table, column: usize) -> bool {
    !sample(table).any(|row| part_of(table, column, row).is_some())
}
