//! Labels from a table among the files: CSV, TSV or JSON. What names the images, what the labels and what
//! the part is found by content, or as the user says.

mod columns;
mod files;
mod headers;
mod join;
mod json;
mod label_studio;
mod labels;
mod parse;
mod part;
mod rows;
mod separated;
mod text;

use std::collections::HashMap;
use std::rc::Rc;

pub(super) use files::{Files, Match};
pub(super) use join::{FolderLabels, Parsed};
pub(super) use json::NO_TABLE;
pub(super) use parse::MAX_BYTES;
pub(super) use rows::Rows;

use self::columns::Picked;
use self::labels::Label;
use self::parse::Table;
use super::labelling::{list, many, quoted};
use super::layout::{file_name, parent, stem};
use super::parts::{self, residue, said};
use super::reading::TableFile;
use crate::protocol::{Columns, Part, TableSummary};

/// Missing files that are named in a note.
const NAMED: usize = 3;

/// Whether a file is a table, by its name.
pub(super) fn is_table(path: &str) -> bool {
    let name = file_name(path).to_ascii_lowercase();
    [".csv", ".tsv", ".json", ".jsonl", ".ndjson"]
        .iter()
        .any(|e| name.ends_with(e))
}

/// Why a table is not read that nobody asked for: a sample of what to submit to a competition has the form of a table
/// of labels, which are made up.
pub(super) fn not_read(path: &str) -> Option<String> {
    const MADE_UP: [&str; 12] = [
        "submission",
        "submissions",
        "submit",
        "subm",
        "sub",
        "predictions",
        "preds",
        "results",
        "baseline",
        "dummy",
        "upload",
        "benchmark",
    ];
    let words = parts::words(stem(path));
    let made_up = words.iter().any(|w| MADE_UP.contains(&w.as_str()))
        || (words.iter().any(|w| w == "solution") && words.iter().any(|w| w == "format"));
    let name = file_name(path);
    let made_up = made_up || name.to_ascii_lowercase().contains("submission");
    made_up.then(|| {
        format!(
            "is by its name a sample of what to submit, with made-up labels; if it has the true ones, say so: --labels {}, or add the table in the page",
            quoted(name)
        )
    })
}

/// Whether a file is a text in plain, by its name.
pub(super) fn is_text(path: &str) -> bool {
    let name = file_name(path).to_ascii_lowercase();
    parse::TEXTS.iter().any(|ending| name.ends_with(ending))
}

/// Whether a text in plain may list images, their parts or the names of classes, by its name: a data set may have a
/// text beside each image.
pub(super) fn is_list(path: &str) -> bool {
    const WORDS: [&str; 17] = [
        "split",
        "splits",
        "partition",
        "list",
        "lists",
        "label",
        "labels",
        "class",
        "classes",
        "images",
        "names",
        "categories",
        "annotation",
        "annotations",
        "anno",
        "synsets",
        "folds",
    ];
    let stem = stem(path);
    let has = |word: &String| WORDS.contains(&word.as_str());
    is_text(path) && (said(stem).is_some() || parts::words(stem).iter().any(has))
}

/// Reads the tables and joins those that are numbered by one column.
pub(super) fn parse_all(tables: &[TableFile], files: &Files) -> Vec<Parsed> {
    let names = |cell: &str| files.find(cell, None) != Match::None;
    let mut all: Vec<Parsed> = tables
        .iter()
        .filter_map(|file| {
            let table = file.bytes.as_ref().map_err(Clone::clone);
            let parsed = Parsed {
                path: file.path.clone(),
                table: table
                    .and_then(|bytes| {
                        parse::parse(&file.path, bytes, &|cell| files.has(cell), &names)
                    })
                    .map(|table| by_columns(&table, files).unwrap_or(table))
                    .map(|table| join::folder_and_file(&table, files).unwrap_or(table))
                    .map(Rc::new),
                joined: Vec::new(),
                is_part: false,
            };
            let is_list = |table: &Rc<Table>| columns::names_images(table, files);
            (!file.is_doubtful || parsed.table.as_ref().is_ok_and(is_list)).then_some(parsed)
        })
        .collect();
    join::join(&mut all, files);
    all
}

/// A table whose columns are the parts and name the images of each, as one of images and parts.
fn by_columns(table: &Table, files: &Files) -> Option<Table> {
    let is_part = |name: &String| said(name).is_some_and(|said| said.alone);
    if table.columns.len() < 2 || !table.columns.iter().all(is_part) {
        return None;
    }
    let mut found = Table::new(vec!["image".to_owned(), "split".to_owned()]);
    for (column, name) in table.columns.iter().enumerate() {
        for row in 0..table.rows() {
            let cell = table.cell(row, column);
            if !cell.is_empty() {
                found.push([cell, name]).ok()?;
            }
        }
    }
    let named = (0..found.rows())
        .filter(|&row| files.find(found.cell(row, 0), None) != Match::None)
        .count();
    (named > 0 && named * 2 >= found.rows()).then_some(found)
}

/// The part that a table's folder says, where tables lie in folders of several parts and their images elsewhere:
/// `train/labels.csv`, `test/labels.csv`, `images/0.jpg`.
fn part_of_folder(path: &str, all: &[Parsed], files: &Files) -> Option<Part> {
    let part = |path: &str| {
        let folder = file_name(parent(path));
        said(folder).filter(|said| said.alone).map(|s| s.part)
    };
    let own = part(path)?;
    let is_alone = all
        .iter()
        .filter_map(|table| part(&table.path))
        .all(|other| other == own);
    let has_images = files.folder_is_here(path) == Some(true);
    (!is_alone && !has_images).then_some(own)
}

/// A sentence about a column of labels that was guessed, or beside which others may be meant.
fn label_note(table: &Table, picked: &Picked, name: &str) -> Option<String> {
    let Label::Column(column) = picked.label else {
        return None;
    };
    let has_header = !parse::is_unnamed(&table.columns[column]);
    let is_sure = headers::says_label(table, column);
    if !picked.is_found || !has_header || (is_sure && picked.others.is_empty()) {
        return None;
    }
    let quote = |&column: &usize| format!("\u{201c}{}\u{201d}", table.columns[column]);
    let mut note = format!(
        "The classes are those of the column {} of {name}",
        quote(&column)
    );
    if !is_sure {
        note.push_str(", whose name does not say that it has labels");
    }
    if !picked.others.is_empty() {
        let others: Vec<String> = picked.others.iter().take(6).map(quote).collect();
        note.push_str(&format!(
            "; it also has {}",
            crate::data::labelling::list(&others)
        ));
    }
    note.push_str(&format!(
        ". --labels {} --label-column NAME, or the choice in the page, takes another one.",
        quoted(name)
    ));
    Some(note)
}

/// A table that labels images, or says their parts.
#[derive(Clone)]
pub(super) struct LabelTable {
    /// Its path.
    pub(super) path: String,
    table: Rc<Table>,
    picked: Picked,
    /// The part that its name speaks of.
    hint: Option<Part>,
    /// Whether it names images with the folders that they lie in: `cat/7.jpg`. A folder that is not here then means
    /// that the image is not.
    with_folders: bool,
    /// Names of the classes that it has numbers for.
    class_names: HashMap<String, String>,
    /// How it was read, where the user should know: sentences.
    notes: Vec<String>,
    /// Other tables that were read with it.
    pub(super) with: Vec<String>,
}

impl LabelTable {
    /// Reads a table and finds its columns.
    ///
    /// # Errors
    /// The reason why it gives no labels.
    pub(super) fn read(
        parsed: &Parsed,
        all: &[Parsed],
        files: &Files,
        asked: &Columns,
    ) -> Result<Self, String> {
        let path = &parsed.path;
        let table = parsed.table.clone()?;
        let (name, stem) = (file_name(path), stem(path));
        let hint = if text::says_division(stem) {
            None
        } else {
            let own = said(stem).map(|s| s.part);
            own.or_else(|| part_of_folder(path, all, files))
        };
        let picked = columns::pick(&table, files, hint, asked)?;
        let mut notes: Vec<String> = table.notes.iter().map(|n| format!("{name} {n}.")).collect();
        if picked.by_number {
            notes.push(format!(
                "The numbers in the column \u{201c}{}\u{201d} of {name} are taken for those in the names of the images.",
                table.columns[picked.image]
            ));
        }
        notes.extend(label_note(&table, &picked, name));
        let mut with = parsed.joined.clone();
        let mut class_names = HashMap::new();
        if let Label::Column(column) = picked.label {
            let mut numbers: Vec<&str> = (0..table.rows())
                .map(|row| table.cell(row, column))
                .filter(|cell| !cell.is_empty())
                .collect();
            numbers.sort_unstable();
            numbers.dedup();
            if let Some((names, list)) = join::class_names(path, &numbers, all) {
                notes.push(format!(
                    "The classes, which are numbers in {}, are called as in {}.",
                    with.iter()
                        .find(|p| p.contains("class"))
                        .map_or(name, |p| file_name(p)),
                    file_name(&list)
                ));
                class_names = names;
                with.push(list);
            }
        }
        let with_folders = (0..table.rows())
            .any(|row| files.folder_is_here(table.cell(row, picked.image)) == Some(true));
        Ok(Self {
            path: path.clone(),
            with_folders,
            table,
            picked,
            hint,
            class_names,
            notes,
            with,
        })
    }

    /// Whether it says the part of each image: in a column, or by its own name.
    pub(super) fn has_parts(&self) -> bool {
        let is_undecided = !self.picked.undecided.is_empty();
        self.picked.part.is_some()
            || (self.hint).is_some_and(|part| part != Part::Train || !is_undecided)
    }

    /// What a row has for a part that is none's word, and the name of the column.
    pub(super) fn strange_word(&self, row: usize) -> Option<(&str, &str)> {
        let column = self.picked.part?;
        let word = part::strange_word(&self.table, column, row)?;
        Some((word, self.table.columns[column].as_str()))
    }

    /// The part that its name speaks of.
    pub(super) const fn hint(&self) -> Option<Part> {
        self.hint
    }

    /// Whether its name speaks of training and validation at once, as PASCAL VOC's `trainval` does.
    pub(super) fn is_trainval(&self) -> bool {
        let words = parts::words(file_name(&self.path));
        let has = |wanted: &str| words.iter().any(|w| w == wanted);
        has("trainval") || (has("train") && has("val"))
    }

    /// The columns that divide the images by numbers of which nothing says which one is for training, and what
    /// stands in each.
    pub(super) fn undecided(&self) -> Vec<(String, Vec<String>)> {
        let numbers = |&column: &usize| {
            let mut numbers: Vec<String> = (0..self.table.rows())
                .map(|row| self.table.cell(row, column).to_owned())
                .filter(|cell| !cell.is_empty())
                .collect();
            numbers.sort_unstable();
            numbers.dedup();
            (self.table.columns[column].clone(), numbers)
        };
        self.picked.undecided.iter().map(numbers).collect()
    }

    /// Rows below the header.
    pub(super) fn rows(&self) -> usize {
        self.table.rows()
    }

    /// The image of a row, and the part that the row or the table's name says. An image that lies in the folder of
    /// another part is found too if `beyond`.
    pub(super) fn row(&self, files: &Files, row: usize, beyond: bool) -> (Match, Option<Part>) {
        let cell = self.table.cell(row, self.picked.image);
        let column = self.picked.part;
        let own = column.and_then(|column| part::part_of(&self.table, column, row));
        let part = own.or(self.hint);
        let find = |hint| {
            if self.with_folders && files.folder_is_here(cell) == Some(false) {
                return Match::None;
            }
            if self.picked.by_number {
                files.find_number(cell, hint)
            } else {
                files.find(cell, hint)
            }
        };
        let found = match find(part) {
            Match::None if beyond && !self.picked.by_number => match find(None) {
                Match::One(_) => files.find_beyond(cell, part),
                other => other,
            },
            // A table names the files beside it first.
            Match::Several if !cell.contains(['/', '\\']) && !self.picked.by_number => {
                let beside = format!("{}/{cell}", parent(&self.path));
                match files.folder_is_here(&beside) {
                    Some(true) => files.find(&beside, part),
                    _ => Match::Several,
                }
            }
            found => found,
        };
        (found, own)
    }

    /// Whether a column of labels was found.
    pub(super) fn has_labels(&self) -> bool {
        self.picked.label != Label::None
    }

    /// Rows that name a file of which there are several.
    pub(super) fn ambiguous(&self, files: &Files) -> usize {
        let rows = 0..self.table.rows();
        rows.filter(|&row| self.row(files, row, false).0 == Match::Several)
            .count()
    }

    /// Whether all its rows have one label.
    pub(super) fn has_one_label(&self) -> bool {
        let mut labels = (0..self.table.rows()).filter_map(|r| self.picked.label(&self.table, r));
        labels
            .next()
            .is_some_and(|first| labels.all(|other| other == first))
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

    /// Whether it has a column of a name.
    pub(super) fn has_column(&self, name: &str) -> bool {
        self.table.columns.iter().any(|column| column == name)
    }

    /// Whether the names of two tables differ in the part alone, as those of `train.csv` and `test.csv` do.
    pub(super) fn is_named_like(&self, other: &Self) -> bool {
        let [own, others] = [self, other].map(|table| residue(file_name(&table.path)));
        own == others
    }

    /// The same table with the label in a column.
    pub(super) fn with_label(&self, column: &str) -> Self {
        let number = self.table.columns.iter().position(|c| c == column);
        Self {
            picked: Picked {
                label: number.map_or(Label::None, Label::Column),
                ..self.picked.clone()
            },
            ..self.clone()
        }
    }

    /// The columns in use.
    pub(super) fn used(&self) -> Columns {
        self.picked.names(&self.table)
    }

    /// Whether its header says that a column has labels.
    pub(super) fn is_sure(&self) -> bool {
        match &self.picked.label {
            Label::Column(column) => headers::says_label(&self.table, *column),
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
        let (mut matched, mut several, mut twice, mut without) = (0, 0, 0, 0);
        let mut missing = Vec::new();
        let mut missed = 0;
        for row in 0..table.rows() {
            let cell = table.cell(row, self.picked.image);
            let (found, part) = self.row(files, row, false);
            let image = match found {
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
                without += usize::from(self.picked.is_missing(table, row));
                continue;
            };
            let label = self.class_names.get(label).map_or(label, String::as_str);
            let label = rows.names.class(label);
            match rows.label[image] {
                None => rows.label[image] = Some(label),
                Some(before) if before != label => {
                    twice += usize::from(rows.second.insert(image, label).is_none());
                }
                Some(_) => {}
            }
        }
        if twice > 0 && twice * 5 > matched {
            return Err(format!(
                "gives {} several labels, in a row each; one label an image is needed",
                many(twice, "image")
            ));
        }
        let name = file_name(&self.path);
        if twice > 0 {
            let mut images: Vec<usize> = rows.second.keys().copied().collect();
            images.sort_unstable();
            let images: Vec<&str> = images.iter().map(|&i| file_name(files.path(i))).collect();
            rows.notes.push(format!(
                "Rows of {name} contradict each other about the label of {}, left out: {}.",
                many(twice, "image"),
                list(&images)
            ));
        }
        if without > 0 {
            rows.notes.push(format!(
                "{without} of {} rows of {name} have a word for a missing value where the label is (NA, nan, null, None, ?, -); they give none.",
                table.rows()
            ));
        }
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
        rows.notes.extend(self.notes.iter().cloned());
        Ok(TableSummary {
            file: self.path.clone(),
            columns: table.columns.clone(),
            used: self.used(),
            rows: table.rows(),
            matched,
        })
    }
}
