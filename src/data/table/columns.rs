//! Which column of a table names files, which has the labels, which the part: found by content.

use std::collections::HashSet;

use super::files::{Files, Match};
use super::labels::{Label, is_missing, label_column, refuse_several};
use super::parse::Table;
use super::part::{flag, is_undecided, may_be_labels, part_column, says_no_part, truth};
use crate::data::parts;
use crate::protocol::{Columns, Part};

/// Rows that a column is judged by.
const SAMPLE: usize = 4000;
/// Cells that all columns together are judged by.
const CELLS: usize = 400_000;
/// Rows of which one at least names an image, where a column does.
const FEW: usize = 100;
/// Words of a header that say "file".
pub(super) const FILE_WORDS: [&str; 12] = [
    "file",
    "filename",
    "filenames",
    "image",
    "img",
    "path",
    "filepath",
    "filepaths",
    "id",
    "name",
    "photo",
    "picture",
];
/// Columns by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picked {
    pub(super) image: usize,
    /// Whether the images are named by numbers that stand in their names: `7` for `img_007.jpg`.
    pub(super) by_number: bool,
    pub(super) label: Label,
    pub(super) part: Option<usize>,
    /// Columns that divide the images by numbers of which nothing says which one is for training.
    pub(super) undecided: Vec<usize>,
    /// Columns of words that may be labels too.
    pub(super) others: Vec<usize>,
    /// Whether the label was found, and not named by the user.
    pub(super) is_found: bool,
}

/// Rows spread evenly over a table.
pub(super) fn sample(table: &Table) -> impl Iterator<Item = usize> {
    let rows = table.rows();
    let taken = rows
        .min(SAMPLE)
        .min((CELLS / table.columns.len().max(1)).max(50));
    (0..taken).map(move |i| i * rows / taken.max(1))
}

/// Words of a column's name.
pub(super) fn header(table: &Table, column: usize) -> Vec<String> {
    parts::words(&table.columns[column])
}

pub(super) fn rank(table: &Table, column: usize, words: &[&str]) -> Option<usize> {
    let header = header(table, column);
    words
        .iter()
        .position(|word| header.iter().any(|w| w == word))
}

/// The number of a column by its name.
///
/// # Errors
/// The reason, with the names that there are.
pub(super) fn by_name(table: &Table, name: &str) -> Result<usize, String> {
    let same = |own: &String| own.trim().to_lowercase() == name.trim().to_lowercase();
    let exact = table.columns.iter().position(|own| own == name);
    exact
        .or_else(|| table.columns.iter().position(same))
        .ok_or_else(|| {
            format!(
                "has no column \u{201c}{name}\u{201d}; it has {}",
                crate::data::labelling::list(&table.columns)
            )
        })
}

/// Picks the columns; those that are named are taken as they are.
///
/// # Errors
/// The reason if a named column is not there, no column names files, or the labels are several an image.
pub(super) fn pick(
    table: &Table,
    files: &Files,
    hint: Option<Part>,
    asked: &Columns,
) -> Result<Picked, String> {
    let named = |name: &Option<String>| match name {
        Some(name) => by_name(table, name).map(Some),
        None => Ok(None),
    };
    let asked_label = match &asked.label {
        // The columns of a one-hot table, as `Picked::names` writes them.
        Some(name) if name.contains(" + ") && by_name(table, name).is_err() => {
            let numbers: Result<Vec<usize>, String> =
                name.split(" + ").map(|n| by_name(table, n)).collect();
            Some(Label::OneHot(numbers?))
        }
        name => named(name)?.map(Label::Column),
    };
    let text = |cell: &str| files.find_beyond(cell, hint);
    let number = |cell: &str| files.find_number(cell, hint);
    let (image, by_number) = match named(&asked.image)? {
        Some(column) => {
            let count = |find: &dyn Fn(&str) -> Match| {
                let named =
                    sample(table).filter(|&row| find(table.cell(row, column)) != Match::None);
                named.count()
            };
            (column, count(&number) > count(&text) * 2)
        }
        None => {
            let by_name = image_column(table, files, &text, false);
            let by_number = image_column(table, files, &number, true);
            match (by_name, by_number) {
                // `1000` is the name of `1000.jpg`, and `1` that of no file among `0001.jpg` ...
                (Some((other, few)), Some((column, many)))
                    if many > few * if other == column { 2 } else { 10 } =>
                {
                    (column, true)
                }
                (Some((column, _)), _) => (column, false),
                (None, Some((column, _))) => (column, true),
                (None, None) => {
                    return Err(unnamed(table, files));
                }
            }
        }
    };
    let part = match named(&asked.part)? {
        Some(column) if says_no_part(table, column) => {
            return Err(format!(
                "has no word for training, validation or test in the column \u{201c}{}\u{201d}, nor 0 and 1 under a name such as is_train",
                table.columns[column]
            ));
        }
        Some(column) => Some(column),
        None => part_column(table, image, asked_label.as_ref()),
    };
    let mut undecided: Vec<usize> = (0..table.columns.len())
        .filter(|&column| {
            column != image
                && Some(column) != part
                && asked_label != Some(Label::Column(column))
                && is_undecided(table, column)
        })
        .collect();
    let is_found = asked_label.is_none();
    let (label, others) = match asked_label {
        Some(label) => {
            if let Label::Column(column) = label {
                refuse_several(table, column)?;
            }
            (label, Vec::new())
        }
        None => {
            let find: &dyn Fn(&str) -> Match = if by_number { &number } else { &text };
            let divides = |&column: &usize| {
                (part.is_some() && flag(table, column).is_some())
                    || (undecided.contains(&column) && !may_be_labels(table, column))
            };
            let used: Vec<usize> = (std::iter::once(image).chain(part))
                .chain((0..table.columns.len()).filter(divides))
                .collect();
            label_column(table, find, image, &used)?
        }
    };
    undecided.retain(|&column| match &label {
        Label::Column(label) => *label != column,
        Label::Several(labels) => !labels.contains(&column),
        Label::OneHot(_) | Label::None => true,
    });
    Ok(Picked {
        image,
        by_number,
        label,
        part,
        undecided,
        others,
        is_found,
    })
}

/// The reason why a table is of no use, with what it has and what would be needed.
fn unnamed(table: &Table, files: &Files) -> String {
    let short = |text: &str| text.chars().take(40).collect::<String>();
    let cells: Vec<String> = (0..table.columns.len())
        .filter(|_| table.rows() > 0)
        .map(|column| format!("\u{201c}{}\u{201d}", short(table.cell(0, column))))
        .collect();
    let reason = "has no column that names the images that are here";
    match cells.is_empty() || files.len() == 0 {
        true => reason.to_owned(),
        false => format!(
            "{reason} (its first row is {}, an image is called \u{201c}{}\u{201d})",
            crate::data::labelling::list(&cells),
            short(crate::data::layout::file_name(files.path(0)))
        ),
    }
}

/// Whether a table has a column that names images, at least half of its rows.
pub(super) fn names_images(table: &Table, files: &Files) -> bool {
    let rows: Vec<usize> = sample(table).collect();
    (0..table.columns.len()).any(|column| {
        let named = rows
            .iter()
            .filter(|&&row| files.find(table.cell(row, column), None) != Match::None);
        named.count() * 2 >= rows.len().max(1)
    })
}

/// How many images the column names that names the most.
pub(super) fn most_named(table: &Table, files: &Files) -> usize {
    let named = |column: usize| {
        let mut named = HashSet::new();
        for row in 0..table.rows() {
            if let Match::One(image) = files.find(table.cell(row, column), None) {
                named.insert(image);
            }
        }
        named.len()
    };
    let is_likely = |column: &usize| {
        let mut few = sample(table).take(FEW);
        few.any(|row| files.find(table.cell(row, *column), None) != Match::None)
    };
    let columns = (0..table.columns.len()).filter(is_likely);
    columns.map(named).max().unwrap_or(0)
}

/// The column that names the most images, and how many. Numbers count only under a header that says "file", if at least half of the
/// rows have an image's number.
fn image_column(
    table: &Table,
    files: &Files,
    find: &dyn Fn(&str) -> Match,
    numbers: bool,
) -> Option<(usize, usize)> {
    let mut best: Option<(usize, usize, usize)> = None;
    for column in 0..table.columns.len() {
        if numbers && rank(table, column, &FILE_WORDS).is_none() {
            continue;
        }
        let mut named = HashSet::new();
        for row in sample(table) {
            match find(table.cell(row, column)) {
                Match::One(image) => {
                    named.insert(image);
                }
                // A name that is there several times is a name all the same.
                Match::Several => {
                    named.insert(files.len() + row);
                }
                Match::None => {}
            }
        }
        let says = rank(table, column, &FILE_WORDS).map_or(0, |r| FILE_WORDS.len() - r);
        let score = (named.len(), says, column);
        if numbers && named.len() * 2 < sample(table).count() {
            continue;
        }
        if !named.is_empty() && best.is_none_or(|b| (score.0, score.1) > (b.0, b.1)) {
            best = Some(score);
        }
    }
    best.map(|(named, _, column)| (column, named))
}

impl Picked {
    /// The columns by name.
    pub(super) fn names(&self, table: &Table) -> Columns {
        let name = |column: usize| table.columns[column].clone();
        Columns {
            image: Some(name(self.image)),
            label: match &self.label {
                Label::Column(column) => Some(name(*column)),
                Label::OneHot(columns) => {
                    let names: Vec<String> = columns.iter().map(|&c| name(c)).collect();
                    Some(names.join(" + "))
                }
                Label::Several(_) | Label::None => None,
            },
            part: self.part.map(name),
        }
    }

    /// Whether a word for a missing value stands where the label of a row is.
    pub(super) fn is_missing(&self, table: &Table, row: usize) -> bool {
        match &self.label {
            Label::Column(column) => {
                let cell = table.cell(row, *column);
                !cell.is_empty() && is_missing(cell)
            }
            _ => false,
        }
    }

    /// The label of a row, if it has one.
    pub(super) fn label<'a>(&self, table: &'a Table, row: usize) -> Option<&'a str> {
        match &self.label {
            Label::Column(column) => Some(table.cell(row, *column)).filter(|c| !is_missing(c)),
            Label::OneHot(columns) => {
                let is_marked = |c: &&usize| truth(table.cell(row, **c)) == Some(true);
                let mut marked = columns.iter().filter(is_marked);
                match (marked.next(), marked.next()) {
                    (Some(&one), None) => Some(table.columns[one].as_str()),
                    _ => None,
                }
            }
            Label::Several(_) | Label::None => None,
        }
    }
}
