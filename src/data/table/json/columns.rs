//! Tables as pandas writes them, column by column or with the rows apart from the header.

use std::collections::HashMap;

use super::value::MAX_VALUES;
use super::{Item, NO_TABLE, cell, objects};
use crate::data::table::parse::{MAX_COLUMNS, Table, named};

/// An object of objects: one a file, or one a column.
pub(super) fn nested(entries: Vec<(String, Item)>) -> Result<Table, String> {
    let inner = |item: &Item| match item {
        Item::Map(inner) => inner.len(),
        _ => 0,
    };
    let most = entries.iter().map(|(_, v)| inner(v)).max().unwrap_or(0);
    let numbered = entries.iter().all(|(_, v)| match v {
        Item::Map(inner) => inner
            .iter()
            .all(|(k, _)| k.bytes().all(|b| b.is_ascii_digit())),
        _ => false,
    });
    if numbered && most > 0 && entries.len() <= MAX_COLUMNS {
        let mut rows: Vec<(String, Vec<String>)> = Vec::new();
        let mut number: HashMap<String, usize> = HashMap::new();
        let width = entries.len();
        let names = entries.iter().map(|(k, _)| k.clone()).collect();
        for (at, (_, column)) in entries.into_iter().enumerate() {
            let Item::Map(column) = column else { continue };
            for (key, item) in column {
                let row = *number.entry(key.clone()).or_insert_with(|| {
                    rows.push((key, vec![String::new(); width]));
                    rows.len() - 1
                });
                rows[row].1[at] = cell(&item).unwrap_or_default();
                if rows.len().saturating_mul(width) > MAX_VALUES {
                    return Err(NO_TABLE.into());
                }
            }
        }
        let mut table = Table::new(named(names));
        for (_, cells) in &rows {
            table.push(cells.iter().map(String::as_str))?;
        }
        return Ok(table);
    }
    let rows = entries.into_iter().map(|(key, item)| {
        let mut row = vec![("key".to_owned(), Item::Text(key))];
        if let Item::Map(inner) = item {
            row.extend(inner);
        }
        row
    });
    objects(rows.collect())
}

/// The header apart from the rows: `{"columns": ["file", "label"], "index": [0], "data": [["a.jpg", "cat"]]}`. None if it
/// is no such table.
pub(super) fn split(entries: &[(String, Item)]) -> Option<Result<Table, String>> {
    let list = |key: &str| {
        entries.iter().find_map(|(k, v)| match v {
            Item::List(items) if k == key => Some(items),
            _ => None,
        })
    };
    let (columns, rows) = (list("columns")?, list("data")?);
    let is_row = |row: &Item| matches!(row, Item::List(cells) if cells.len() == columns.len());
    if columns.is_empty() || columns.len() > MAX_COLUMNS || !rows.iter().all(is_row) {
        return None;
    }
    let names: Option<Vec<String>> = columns.iter().map(cell).collect();
    let mut table = Table::new(named(names?));
    for row in rows {
        let Item::List(cells) = row else { continue };
        let cells: Vec<String> = cells.iter().map(|c| cell(c).unwrap_or_default()).collect();
        if let Err(reason) = table.push(cells.iter().map(String::as_str)) {
            return Some(Err(reason));
        }
    }
    Some(Ok(table))
}
