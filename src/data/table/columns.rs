//! Which column of a table names files, which has the labels, which the part: found by content.

use std::collections::{HashMap, HashSet};

use super::files::{Files, Match};
use super::parse::Table;
use crate::data::parts::{self, said};
use crate::protocol::{Columns, Part};

/// Rows that a column is judged by.
const SAMPLE: usize = 4000;
/// Cells that all columns together are judged by.
const CELLS: usize = 400_000;
/// Most labels.
const MAX_LABELS: usize = 20_000;

/// Words of a header that say "label", the surest first.
const LABEL_WORDS: [&str; 25] = [
    "label",
    "labels",
    "class",
    "classes",
    "category",
    "target",
    "classname",
    "y",
    "breed",
    "species",
    "diagnosis",
    "dx",
    "disease",
    "variety",
    "type",
    "categories",
    "kategorie",
    "klasse",
    "clase",
    "classe",
    "etiqueta",
    "tag",
    "tags",
    "choice",
    "choices",
];
/// Words of a header that say "file".
const FILE_WORDS: [&str; 12] = [
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
}

/// Where the labels stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Label {
    /// In one column.
    Column(usize),
    /// In the names of columns, of which each row marks one.
    OneHot(Vec<usize>),
    /// In one of these; which one is the question.
    Several(Vec<usize>),
    /// Nowhere.
    None,
}

/// Rows spread evenly over a table.
fn sample(table: &Table) -> impl Iterator<Item = usize> {
    let rows = table.rows();
    let taken = rows
        .min(SAMPLE)
        .min((CELLS / table.columns.len().max(1)).max(50));
    (0..taken).map(move |i| i * rows / taken.max(1))
}

/// Words of a column's name.
fn header(table: &Table, column: usize) -> Vec<String> {
    parts::words(&table.columns[column])
}

fn rank(table: &Table, column: usize, words: &[&str]) -> Option<usize> {
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
    let text = |cell: &str| files.find(cell, hint);
    let number = |cell: &str| files.find_number(cell, hint);
    let (image, by_number) = match named(&asked.image)? {
        Some(column) => {
            let names = |find: &dyn Fn(&str) -> Match| {
                sample(table).any(|row| find(table.cell(row, column)) != Match::None)
            };
            (column, !names(&text) && names(&number))
        }
        None => match image_column(table, files, &text, false) {
            Some(column) => (column, false),
            None => image_column(table, files, &number, true)
                .map(|column| (column, true))
                .ok_or("has no column that names the images that are here")?,
        },
    };
    let part = match named(&asked.part)? {
        Some(column) => Some(column),
        None => part_column(table, image, asked_label.as_ref()),
    };
    let undecided: Vec<usize> = (0..table.columns.len())
        .filter(|&column| {
            column != image
                && Some(column) != part
                && asked_label != Some(Label::Column(column))
                && is_undecided(table, column)
        })
        .collect();
    let label = match asked_label {
        Some(label) => {
            if let Label::Column(column) = label {
                refuse_several(table, column)?;
            }
            label
        }
        None => {
            let find: &dyn Fn(&str) -> Match = if by_number { &number } else { &text };
            let used: Vec<usize> = (std::iter::once(image).chain(part))
                .chain(undecided.iter().copied())
                .collect();
            label_column(table, find, image, &used)?
        }
    };
    Ok(Picked {
        image,
        by_number,
        label,
        part,
        undecided,
    })
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

/// Whether a column divides the images by numbers, and nothing says which of them is for training.
fn is_undecided(table: &Table, column: usize) -> bool {
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

/// The column that names the most images. Numbers count only under a header that says "file", if at least half of the
/// rows have an image's number.
fn image_column(
    table: &Table,
    files: &Files,
    find: &dyn Fn(&str) -> Match,
    numbers: bool,
) -> Option<usize> {
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
    best.map(|b| b.2)
}

/// A column whose every cell says a part (`train`, `test`), or whether it is for training (1, 0).
fn part_column(table: &Table, image: usize, label: Option<&Label>) -> Option<usize> {
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
        let is_labels = rank(table, column, &LABEL_WORDS).is_some();
        if values.iter().all(|v| is_part(v)) && (says || (parts.len() > 1 && !is_labels)) {
            return true;
        }
        flag(table, column).is_some() && values.iter().all(|v| truth(v).is_some())
    })
}

/// The part that a 1 means in a column of 0 and 1, by its name: `is_train`, `is_test`, and `train_test_split`, where
/// 1 is for training (as CUB-200 has it).
fn flag(table: &Table, column: usize) -> Option<Part> {
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

fn truth(cell: &str) -> Option<bool> {
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

/// What a column's cells are like.
struct Profile<'a> {
    counts: HashMap<&'a str, usize>,
    /// Cells that are not empty.
    filled: usize,
    /// Whether all are numbers, and whether any of them has a fraction.
    numbers: bool,
    fractions: bool,
    /// Whether all are 0 or 1.
    marks: bool,
}

fn profile<'a>(table: &'a Table, column: usize, rows: &[usize]) -> Profile<'a> {
    let mut profile = Profile {
        counts: HashMap::new(),
        filled: 0,
        numbers: true,
        fractions: false,
        marks: true,
    };
    for &row in rows {
        let cell = table.cell(row, column);
        if cell.is_empty() {
            continue;
        }
        profile.filled += 1;
        *profile.counts.entry(cell).or_default() += 1;
    }
    for cell in profile.counts.keys() {
        let number = cell.parse::<f64>();
        profile.numbers &= number.is_ok();
        profile.fractions |= number.is_ok_and(|n| n.fract() != 0.0);
        profile.marks &= matches!(*cell, "0" | "1" | "0.0" | "1.0");
    }
    profile
}

/// The column of labels, of those that are not `used` for anything else.
fn label_column(
    table: &Table,
    find: &dyn Fn(&str) -> Match,
    image: usize,
    used: &[usize],
) -> Result<Label, String> {
    // Rows of images that are here; what stands in others gives no class.
    let rows: Vec<usize> = sample(table)
        .filter(|&row| find(table.cell(row, image)) != Match::None)
        .collect();
    let others = (0..table.columns.len()).filter(|c| !used.contains(c));
    let mut candidates = Vec::new();
    let mut marks = Vec::new();
    for column in others {
        let profile = profile(table, column, &rows);
        let distinct = profile.counts.len();
        let rank = rank(table, column, &LABEL_WORDS);
        if profile.marks && profile.filled == rows.len() && rank.is_none() {
            marks.push(column);
        }
        if profile.filled * 2 < rows.len() || profile.filled == 0 {
            continue;
        }
        let plausible = if rank.is_some() {
            !(profile.numbers && profile.fractions) && (distinct < rows.len() || rows.len() < 4)
        } else {
            distinct > 1
                && distinct * 2 <= rows.len()
                && distinct <= 1000
                && !profile.fractions
                && !(profile.numbers && distinct > 50)
        };
        if rank.is_some() && !plausible && distinct > 1 {
            // All different, as lists of labels tend to be.
            refuse_several(table, column)?;
        }
        if plausible && distinct <= MAX_LABELS {
            candidates.push((rank, column, profile));
        }
    }
    let preferred: Vec<_> = candidates.iter().filter(|c| c.0.is_some()).collect();
    if preferred.is_empty() && marks.len() > 1 {
        let others = candidates.iter().filter(|c| !marks.contains(&c.1)).count();
        if let Some(label) = one_hot(table, &marks, &rows, others)? {
            return Ok(label);
        }
    }
    let pool: Vec<_> = if preferred.is_empty() {
        candidates.iter().collect()
    } else {
        preferred
    };
    // Columns that divide the images in the same way are one: names win over numbers.
    let mut groups: Vec<usize> = Vec::new();
    let mut pool = pool;
    pool.sort_by_key(|(rank, column, profile)| {
        (profile.numbers, rank.unwrap_or(usize::MAX), *column)
    });
    for (_, column, _) in &pool {
        if !groups
            .iter()
            .any(|&g| same_division(table, g, *column, &rows))
        {
            groups.push(*column);
        }
    }
    match groups[..] {
        [] => Ok(Label::None),
        [column] => {
            refuse_several(table, column)?;
            Ok(Label::Column(column))
        }
        _ => {
            groups.sort_unstable();
            groups.truncate(6);
            Ok(Label::Several(groups))
        }
    }
}

/// Whether two columns divide rows into the same classes.
fn same_division(table: &Table, a: usize, b: usize, rows: &[usize]) -> bool {
    let (mut to, mut back) = (HashMap::new(), HashMap::new());
    rows.iter().all(|&row| {
        let (a, b) = (table.cell(row, a), table.cell(row, b));
        *to.entry(a).or_insert(b) == b && *back.entry(b).or_insert(a) == a
    })
}

/// Labels as columns of 0 and 1 with one 1 a row.
fn one_hot(
    table: &Table,
    marks: &[usize],
    rows: &[usize],
    others: usize,
) -> Result<Option<Label>, String> {
    let marked = |row: usize| {
        let ones = marks
            .iter()
            .filter(|&&c| truth(table.cell(row, c)) == Some(true));
        ones.count()
    };
    let (mut several, mut one) = (0, 0);
    for &row in rows {
        match marked(row) {
            0 => {}
            1 => one += 1,
            _ => several += 1,
        }
    }
    if several == 0 {
        return Ok((one > 0).then(|| Label::OneHot(marks.to_vec())));
    }
    if others > 0 {
        // Properties beside a column of labels.
        return Ok(None);
    }
    let names: Vec<&str> = marks.iter().map(|&c| table.columns[c].as_str()).collect();
    Err(format!(
        "gives {several} of {} images several labels (columns {}); one label an image is needed",
        rows.len(),
        crate::data::labelling::list(&names)
    ))
}

/// Refuses a column of lists: `cat|dog`, `haze primary`.
fn refuse_several(table: &Table, column: usize) -> Result<(), String> {
    let rows: Vec<usize> = sample(table).collect();
    let values = profile(table, column, &rows).counts;
    let several = |example: &str| {
        let example: String = example.chars().take(60).collect();
        Err(format!(
            "gives images several labels (\u{201c}{example}\u{201d} in the column \u{201c}{}\u{201d}); one label an image is needed",
            table.columns[column]
        ))
    };
    // A list as JSON has it, in a cell: `["cat", "dog"]`, `{"choices": ["cat", "dog"]}`.
    let is_json =
        |v: &&&str| v.starts_with("[\"") || v.starts_with("['") || v.starts_with("{\"choices\"");
    if let Some(example) = values.keys().filter(is_json).min() {
        return several(example);
    }
    for separator in ['|', ';', ',', ' '] {
        let lists: Vec<&str> = values
            .keys()
            .copied()
            .filter(|v| v.trim().contains(separator))
            .collect();
        if lists.is_empty() {
            continue;
        }
        let atoms: HashSet<&str> = values
            .keys()
            .flat_map(|v| v.split(separator))
            .map(str::trim)
            .filter(|a| !a.is_empty())
            .collect();
        // The same words again and again in other company, or words that stand alone elsewhere.
        let alone = lists
            .iter()
            .filter(|list| {
                let mut atoms = list
                    .split(separator)
                    .map(str::trim)
                    .filter(|a| !a.is_empty());
                atoms.all(|a| values.contains_key(a))
            })
            .count();
        let recombined = atoms.len() * 3 < values.len() * 2 && lists.len() * 2 > values.len();
        let is_list = match separator {
            '|' | ';' => true,
            // `ice`, `cream` and `ice cream` may be three classes.
            ' ' => recombined || (alone * 2 >= lists.len() && alone > 1),
            _ => recombined || (alone * 2 >= lists.len() && alone > 0),
        };
        if is_list {
            return several(lists.iter().min().copied().unwrap_or_default());
        }
    }
    Ok(())
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

    /// The label of a row, if it has one.
    pub(super) fn label<'a>(&self, table: &'a Table, row: usize) -> Option<&'a str> {
        match &self.label {
            Label::Column(column) => Some(table.cell(row, *column)).filter(|c| !c.is_empty()),
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

/// Whether a column's name says that it has labels.
pub(super) fn says_label(table: &Table, column: usize) -> bool {
    rank(table, column, &LABEL_WORDS).is_some()
}
