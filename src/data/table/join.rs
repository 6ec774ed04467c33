//! Tables that are numbered by one column: CUB-200 names its images in `images.txt` and says class and part by the
//! number in `image_class_labels.txt` and `train_test_split.txt`. They are made one table; numbers of classes get the
//! names that `classes.txt` has for them.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::columns::{by_name, names_images, sample};
use super::files::{Files, Match};
use super::headers::says_label;
use super::parse::{Table, named};
use crate::data::layout::{file_name, parent};
use crate::data::parts::words;
use crate::protocol::Columns;

/// A table as it was read, before its columns are picked.
pub(in crate::data) struct Parsed {
    /// Its path.
    pub(in crate::data) path: String,
    pub(super) table: Result<Rc<Table>, String>,
    /// Paths of the tables that were joined to it.
    pub(in crate::data) joined: Vec<String>,
    /// Whether it is part of another one.
    pub(in crate::data) is_part: bool,
}

/// A table that has labels of folders rather than of images.
pub(in crate::data) struct FolderLabels {
    /// The table's path.
    pub(in crate::data) path: String,
    /// The column that names the folders.
    pub(in crate::data) id: String,
    /// The column that may have their labels.
    pub(in crate::data) label: String,
    /// Whether that column's name says so.
    pub(in crate::data) is_sure: bool,
}

impl Parsed {
    /// Images that it names; none if it cannot be read.
    pub(in crate::data) fn images_named(&self, files: &Files) -> Option<usize> {
        let table = self.table.as_ref().ok()?;
        Some(super::columns::most_named(table, files))
    }

    /// Whether it may well have labels although none were found: it cannot be read, or names the images that are here.
    pub(in crate::data) fn is_unreadable_or_names_images(&self, files: &Files) -> bool {
        let names = |table: &Rc<Table>| super::columns::names_images(table, files);
        self.table.as_ref().map_or(true, names)
    }

    /// Whether it has a column of a name, or all columns of a one-hot table's.
    pub(in crate::data) fn has_column(&self, name: &str) -> bool {
        let has = |name: &str| {
            self.table
                .as_ref()
                .is_ok_and(|table| by_name(table, name).is_ok())
        };
        has(name) || (name.contains(" + ") && name.split(" + ").all(has))
    }

    /// The column in which most of some names stand, a row each, and one beside it that may have their labels: its name
    /// says so, or its values come again and again.
    pub(in crate::data) fn labels_of(&self, names: &[String]) -> Option<FolderLabels> {
        let table = self.table.as_ref().ok()?;
        let cells = |column| (0..table.rows()).map(move |row| table.cell(row, column));
        let all = 0..table.columns.len();
        let id = all.clone().find(|&column| {
            let own: HashSet<&str> = cells(column).collect();
            let named = names.iter().filter(|name| own.contains(name.as_str()));
            named.count() * 5 >= names.len() * 4
        })?;
        let may_be_label = |&column: &usize| {
            let values: HashSet<&str> = cells(column).collect();
            column != id && values.len() > 1 && values.len() * 2 <= table.rows()
        };
        let mut others: Vec<usize> = all.filter(may_be_label).collect();
        others.sort_by_key(|&column| !says_label(table, column));
        let label = *others.first()?;
        Some(FolderLabels {
            path: self.path.clone(),
            id: table.columns[id].clone(),
            label: table.columns[label].clone(),
            is_sure: says_label(table, label),
        })
    }

    /// Those of the columns that it has.
    pub(in crate::data) fn own(&self, columns: &Columns) -> Columns {
        let own = |name: &Option<String>| name.clone().filter(|name| self.has_column(name));
        Columns {
            image: own(&columns.image),
            label: own(&columns.label),
            part: own(&columns.part),
        }
    }
}

/// The column of numbers that stand for images, all different: its number, and the row of each.
fn numbers(table: &Table) -> Option<(usize, HashMap<&str, usize>)> {
    let column = (table.columns.iter()).position(|name| {
        ["id", "image_id", "img_id", "imageid"].contains(&&*name.to_lowercase())
    })?;
    let mut rows = HashMap::with_capacity(table.rows());
    for row in 0..table.rows() {
        let cell = table.cell(row, column);
        let whole = !cell.is_empty() && cell.bytes().all(|b| b.is_ascii_digit());
        if !whole || rows.insert(cell, row).is_some() {
            return None;
        }
    }
    (!rows.is_empty()).then_some((column, rows))
}

/// Joins the tables of one folder that number the same images.
pub(super) fn join(tables: &mut [Parsed], files: &Files) {
    let names: Vec<bool> = tables
        .iter()
        .map(|t| t.table.as_ref().is_ok_and(|t| names_images(t, files)))
        .collect();
    for main in 0..tables.len() {
        let Ok(table) = tables[main].table.clone() else {
            continue;
        };
        let Some((column, rows)) = numbers(&table).filter(|_| names[main]) else {
            continue;
        };
        let mut others = Vec::new();
        for (i, other) in tables.iter().enumerate() {
            let Ok(cells) = &other.table else { continue };
            if i == main || names[i] || parent(&other.path) != parent(&tables[main].path) {
                continue;
            }
            let Some((own, own_rows)) = numbers(cells) else {
                continue;
            };
            let same = cells.columns[own].eq_ignore_ascii_case(&table.columns[column]);
            let shared = rows.keys().filter(|id| own_rows.contains_key(*id)).count();
            if same && shared * 10 >= rows.len() * 9 {
                others.push((i, own));
            }
        }
        if others.is_empty() {
            continue;
        }
        if let Ok(joined) = joined(&table, column, &others, tables) {
            tables[main].table = Ok(Rc::new(joined));
            for (other, _) in others {
                tables[other].is_part = true;
                let path = tables[other].path.clone();
                tables[main].joined.push(path);
            }
        }
    }
}

fn joined(
    main: &Table,
    column: usize,
    others: &[(usize, usize)],
    tables: &[Parsed],
) -> Result<Table, String> {
    let mut columns = main.columns.clone();
    let mut added: Vec<(Rc<Table>, usize, HashMap<String, usize>)> = Vec::new();
    for &(other, own) in others {
        let Ok(table) = tables[other].table.clone() else {
            continue;
        };
        let by_number: HashMap<String, usize> = (0..table.rows())
            .map(|row| (table.cell(row, own).to_owned(), row))
            .collect();
        columns.extend(
            (0..table.columns.len())
                .filter(|&c| c != own)
                .map(|c| table.columns[c].clone()),
        );
        added.push((table, own, by_number));
    }
    let mut out = Table::new(named(columns));
    out.notes.clone_from(&main.notes);
    for row in 0..main.rows() {
        let mut cells: Vec<&str> = (0..main.columns.len()).map(|c| main.cell(row, c)).collect();
        let id = main.cell(row, column);
        for (table, own, by_number) in &added {
            let others = (0..table.columns.len()).filter(|c| c != own);
            match by_number.get(id) {
                Some(&row) => cells.extend(others.map(|c| table.cell(row, c))),
                None => cells.extend(others.map(|_| "")),
            }
        }
        out.push(cells)?;
    }
    Ok(out)
}

/// Names of classes that stand for some numbers, from a list near a table, with that list's path: `1 Albatross`, or a
/// name a line, counted from 0 or 1.
pub(super) fn class_names(
    near: &str,
    numbers: &[&str],
    tables: &[Parsed],
) -> Option<(HashMap<String, String>, String)> {
    let whole: Vec<usize> = numbers
        .iter()
        .map(|n| n.parse().ok())
        .collect::<Option<_>>()?;
    let (first, last) = (*whole.iter().min()?, *whole.iter().max()?);
    let is_list = |table: &&Parsed| {
        let is_near =
            parent(near) == parent(&table.path) || parent(near).starts_with(parent(&table.path));
        const WORDS: [&str; 7] = [
            "class",
            "classes",
            "label",
            "labels",
            "names",
            "categories",
            "synsets",
        ];
        is_near
            && words(file_name(&table.path))
                .iter()
                .any(|w| WORDS.contains(&w.as_str()))
    };
    tables.iter().filter(is_list).find_map(|list| {
        let table = list.table.as_ref().ok()?;
        let name_of: HashMap<String, String> = match table.columns.len() {
            1 => {
                let from = match (first, last) {
                    (0, last) if last + 1 == table.rows() => 0,
                    (1, last) if last == table.rows() => 1,
                    _ => return None,
                };
                let names = (0..table.rows()).map(|row| table.cell(row, 0).to_owned());
                names
                    .enumerate()
                    .map(|(i, name)| ((i + from).to_string(), name))
                    .collect()
            }
            2 => (0..table.rows())
                .map(|row| (table.cell(row, 0).to_owned(), table.cell(row, 1).to_owned()))
                .collect(),
            _ => return None,
        };
        let names: HashSet<&String> = name_of.values().collect();
        let says_names = names.len() == table.rows()
            && names
                .iter()
                .all(|name| name.chars().any(char::is_alphabetic))
            && numbers.iter().all(|n| name_of.contains_key(*n));
        says_names.then(|| (name_of, list.path.clone()))
    })
}

/// The same table with folder and file in one column where two columns name an image together: `siteA`, `0.jpg`. None
/// where a column does so alone.
pub(super) fn folder_and_file(table: &Table, files: &Files) -> Option<Table> {
    let rows: Vec<usize> = sample(table).collect();
    let count = |find: &dyn Fn(usize) -> Match| {
        let named = rows
            .iter()
            .filter(|&&row| matches!(find(row), Match::One(_)));
        named.count()
    };
    let columns = 0..table.columns.len();
    let alone = |column: usize| count(&|row| files.find(table.cell(row, column), None));
    if rows.is_empty()
        || columns
            .clone()
            .any(|column| alone(column) * 2 >= rows.len())
    {
        return None;
    }
    // Only a column that speaks of files can be the second half; looking at all pairs would take long.
    let several = |column: &usize| {
        let named = rows
            .iter()
            .filter(|&&row| files.find(table.cell(row, *column), None) == Match::Several);
        named.count() * 2 >= rows.len()
    };
    let path = |row: usize, folder: usize, file: usize| {
        format!(
            "{}/{}",
            table.cell(row, folder).trim_matches('/'),
            table.cell(row, file)
        )
    };
    for file in columns.clone().filter(several) {
        for folder in columns.clone().filter(|&folder| folder != file) {
            let together = count(&|row| files.find(&path(row, folder, file), None));
            if together * 2 < rows.len() {
                continue;
            }
            let mut names = table.columns.clone();
            names[folder] = format!("{}/{}", names[folder], names[file]);
            let mut joined = Table::new(names);
            joined.notes.clone_from(&table.notes);
            for row in 0..table.rows() {
                let path = path(row, folder, file);
                let cells = columns.clone().map(|column| {
                    if column == folder {
                        path.as_str()
                    } else {
                        table.cell(row, column)
                    }
                });
                joined.push(cells).ok()?;
            }
            return Some(joined);
        }
    }
    None
}
