//! Tables in JSON: a list of objects or pairs, an object of file names and labels, or a line each.

mod arrays;
mod coco;
mod columns;
mod parts;
mod prodigy;
mod value;
mod via;

use std::cell::Cell;
use std::collections::HashMap;

use self::coco::coco;
use self::columns::{nested, split};
use self::parts::{parts, says_part};
pub(super) use self::value::Item;
use self::value::{MAX_VALUES, value, without_nan};
pub(super) use self::via::of_table as of_via;
use super::label_studio;
use super::parse::{MAX_COLUMNS, Table, named, unnamed};

/// Reads a table; `names` tells whether a text names an image that is here.
///
/// # Errors
/// The reason why it is none.
pub(super) fn parse(text: &str, names: &dyn Fn(&str) -> bool) -> Result<Table, String> {
    let budget = Cell::new(MAX_VALUES);
    let whole = value(text, &budget);
    let item = match whole {
        Ok(item) => item,
        Err(error) => {
            let plain = without_nan(text);
            budget.set(MAX_VALUES);
            let whole = plain.as_ref().map(|plain| value(plain, &budget));
            let error = match whole {
                Some(Ok(item)) => return table(item, names),
                Some(Err(other)) => other,
                None => error,
            };
            // A line each.
            budget.set(MAX_VALUES);
            let mut lines = Vec::new();
            for (number, line) in plain.as_deref().unwrap_or(text).lines().enumerate() {
                if line.trim().is_empty() {
                    continue;
                }
                match value(line, &budget) {
                    Ok(item) => lines.push(item),
                    Err(error) if lines.is_empty() || budget.get() == 0 => {
                        drop(error);
                        break;
                    }
                    Err(error) => {
                        let text = error.to_string();
                        let reason = text.split(" at line").next().unwrap_or_default();
                        return Err(format!("is damaged JSON ({reason} in line {})", number + 1));
                    }
                }
            }
            if lines.len() < 2 || budget.get() == 0 {
                return Err(format!("is damaged JSON ({error})"));
            }
            Item::List(lines)
        }
    };
    table(item, names)
}

pub(in crate::data) const NO_TABLE: &str =
    "is JSON of another shape than a list of objects or an object of file names and labels";

fn table(item: Item, names: &dyn Fn(&str) -> bool) -> Result<Table, String> {
    match item {
        Item::Text(_) => Err(NO_TABLE.into()),
        Item::List(rows) => list(rows),
        Item::Map(entries) => {
            let has = |key: &str| {
                entries
                    .iter()
                    .any(|(k, v)| k == key && matches!(v, Item::List(_)))
            };
            if has("annotations") && has("images") {
                if let Some(rows) = coco(&entries) {
                    return objects(rows);
                }
                return Err(
                    "is a COCO file of boxes and outlines, which give an image several labels; one label an image is needed"
                        .into(),
                );
            }
            if let Some(rows) = via::rows(&entries) {
                return objects(rows?);
            }
            let whole = split(&entries)
                .or_else(|| arrays::columns(&entries, names))
                .or_else(|| arrays::fiftyone(&entries));
            whole.unwrap_or_else(|| map(entries, names))
        }
    }
}

/// What stands under a key.
fn get<'a>(entries: &'a [(String, Item)], key: &str) -> Option<&'a Item> {
    entries.iter().find(|(k, _)| k == key).map(|(_, v)| v)
}

/// A scalar, or a list of them, as a cell. A list of one is its value; one of several shows as such.
fn cell(item: &Item) -> Option<String> {
    match item {
        Item::Text(text) => Some(text.clone()),
        Item::List(items) => {
            let texts: Option<Vec<&str>> = items
                .iter()
                .map(|item| match item {
                    Item::Text(text) => Some(text.as_str()),
                    _ => None,
                })
                .collect();
            Some(texts?.join("|"))
        }
        // As Label Studio's short form has several choices.
        Item::Map(entries) => match &entries[..] {
            [(key, items @ Item::List(_))] if key == "choices" => cell(items),
            _ => None,
        },
    }
}

fn list(rows: Vec<Item>) -> Result<Table, String> {
    if rows.iter().any(label_studio::is_task) {
        return objects(label_studio::rows(&rows)?);
    }
    if rows.iter().all(|row| matches!(row, Item::Map(_))) && !rows.is_empty() {
        let rows = rows.into_iter().map(|row| match row {
            Item::Map(entries) => entries,
            _ => Vec::new(),
        });
        return objects(rows.collect());
    }
    // Pairs of file and label.
    let width = rows
        .iter()
        .map(|row| match row {
            Item::List(cells) => cells.len(),
            _ => 0,
        })
        .max()
        .unwrap_or(0);
    if !(2..=MAX_COLUMNS).contains(&width) {
        return Err(NO_TABLE.into());
    }
    let mut table = Table::new((0..width).map(unnamed).collect());
    for row in rows {
        let Item::List(cells) = row else {
            return Err(NO_TABLE.into());
        };
        let cells: Vec<String> = cells.iter().map(|c| cell(c).unwrap_or_default()).collect();
        table.push(cells.iter().map(String::as_str))?;
    }
    Ok(table)
}

/// What says the part of an object may lie one deeper: {"image": "a.jpg", "meta": {"split": "test"}}.
fn lift_parts(rows: &mut [Vec<(String, Item)>]) {
    const WORDS: [&str; 6] = ["split", "subset", "partition", "usage", "fold", "phase"];
    for row in rows {
        let mut found = Vec::new();
        for (_, item) in &*row {
            let Item::Map(inner) = item else { continue };
            let is_part = |(key, v): &&(String, Item)| {
                WORDS.contains(&key.to_lowercase().as_str()) && matches!(v, Item::Text(_))
            };
            found.extend(inner.iter().filter(is_part).cloned());
        }
        for (key, item) in found {
            if !row.iter().any(|(own, _)| *own == key) {
                row.push((key, item));
            }
        }
    }
}

fn objects(mut rows: Vec<Vec<(String, Item)>>) -> Result<Table, String> {
    lift_parts(&mut rows);
    let rejected = prodigy::take_accepted(&mut rows);
    let mut columns: Vec<String> = Vec::new();
    let mut number: HashMap<String, usize> = HashMap::new();
    for (key, item) in rows.iter().flatten() {
        if cell(item).is_some() && !number.contains_key(key) {
            if columns.len() >= MAX_COLUMNS {
                return Err(format!("has more than {MAX_COLUMNS} columns"));
            }
            number.insert(key.clone(), columns.len());
            columns.push(key.clone());
        }
    }
    if columns.is_empty() {
        return Err(NO_TABLE.into());
    }
    let width = columns.len();
    let mut table = Table::new(named(columns));
    table.notes.extend(rejected);
    for row in rows {
        let mut cells = vec![String::new(); width];
        for (key, item) in row {
            if let (Some(&at), Some(text)) = (number.get(&key), cell(&item)) {
                cells[at] = text;
            }
        }
        table.push(cells.iter().map(String::as_str))?;
    }
    Ok(table)
}

fn map(entries: Vec<(String, Item)>, names: &dyn Fn(&str) -> bool) -> Result<Table, String> {
    let every = |is: fn(&Item) -> bool| !entries.is_empty() && entries.iter().all(|(_, v)| is(v));
    let is_text = |item: &Item| matches!(item, Item::Text(_));
    if entries.iter().any(|(_, v)| !is_text(v))
        && (entries.iter()).all(|(key, v)| is_text(v) || says_part(key))
    {
        return parts(entries);
    }
    // {"splits": {"train": [...], "test": [...]}}, and {"cat": {"train": [...], "test": [...]}}.
    let holds_parts = |item: &Item| match item {
        Item::Map(inner) => {
            !inner.is_empty()
                && inner
                    .iter()
                    .all(|(key, v)| says_part(key) && matches!(v, Item::List(_)))
        }
        _ => false,
    };
    let deeper = entries.iter().filter(|(_, v)| !is_text(v)).count();
    if deeper > 0 && entries.iter().all(|(_, v)| is_text(v) || holds_parts(v)) {
        let mut by_part: Vec<(String, Item)> = Vec::new();
        for (class, item) in entries {
            let Item::Map(inner) = item else { continue };
            let named = |(part, items)| match deeper {
                1 => (part, items),
                _ => (part, Item::Map(vec![(class.clone(), items)])),
            };
            by_part.extend(inner.into_iter().map(named));
        }
        return parts(by_part);
    }
    // Rows of cells under any name.
    let is_rows = |item: &Item| match item {
        Item::List(rows) => {
            let is_row = |row: &Item| matches!(row, Item::List(cells) if cells.len() > 1);
            !rows.is_empty() && rows.iter().all(is_row)
        }
        _ => false,
    };
    if deeper == 1
        && let Some(at) = entries.iter().position(|(_, v)| is_rows(v))
    {
        let rows = entries.into_iter().nth(at);
        return rows.map_or_else(|| Err(NO_TABLE.into()), |(_, rows)| table(rows, names));
    }
    // One list of objects under a name, whatever stands beside it.
    let lists: Vec<usize> = (0..entries.len())
        .filter(|&i| match &entries[i].1 {
            Item::List(rows) => !rows.is_empty() && rows.iter().all(|r| matches!(r, Item::Map(_))),
            _ => false,
        })
        .collect();
    if let [only] = lists[..] {
        return match entries.into_iter().nth(only) {
            Some((_, rows)) => table(rows, names),
            None => Err(NO_TABLE.into()),
        };
    }
    // {"a.jpg": {"label": "cat", "split": "train"}}, and the columns of pandas: {"label": {"0": "cat"}}.
    if every(|v| matches!(v, Item::Map(_))) {
        return nested(entries);
    }
    // {"a.jpg": "cat"}, {"a.jpg": ["cat", "black"]} or {"cat": ["a.jpg", "b.jpg"]}: which one is seen by
    // what names files.
    let lists = every(|v| matches!(v, Item::List(_)));
    if !lists && !every(|v| matches!(v, Item::Text(_) | Item::List(_))) {
        return Err(NO_TABLE.into());
    }
    let mut pairs = Table::new(vec!["key".into(), "value".into()]);
    for (key, item) in &entries {
        match item {
            Item::List(items) if lists && items.iter().all(is_text) => {
                for item in items {
                    let text = cell(item).unwrap_or_default();
                    pairs.push([key.as_str(), text.as_str()])?;
                }
            }
            item => {
                let text = cell(item).ok_or(NO_TABLE)?;
                pairs.push([key.as_str(), text.as_str()])?;
            }
        }
    }
    Ok(pairs)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn rows(text: &str) -> Vec<Vec<String>> {
        parse(text, &|cell| cell.ends_with(".jpg"))
            .expect(text)
            .lines()
    }

    #[test]
    fn shapes_of_json_are_the_same_table() {
        let objects = [["file", "label"], ["a.jpg", "cat"], ["b.jpg", "7"]];
        for text in [
            r#"[{"file": "a.jpg", "label": "cat"}, {"label": 7, "file": "b.jpg", "box": {"x": 1}}]"#,
            "{\"file\": \"a.jpg\", \"label\": \"cat\"}\n\n{\"file\": \"b.jpg\", \"label\": 7}\n",
            r#"{"version": 1, "items": [{"file": "a.jpg", "label": ["cat"]}, {"file": "b.jpg", "label": 7}]}"#,
            r#"{"file": {"0": "a.jpg", "1": "b.jpg"}, "label": {"0": "cat", "1": 7}}"#,
            r#"{"columns": ["file", "label"], "index": [0, 1], "data": [["a.jpg", "cat"], ["b.jpg", 7]]}"#,
            r#"{"schema": {"fields": [{"name": "file"}]}, "data": [{"file": "a.jpg", "label": "cat"}, {"file": "b.jpg", "label": 7}]}"#,
        ] {
            assert_eq!(rows(text), objects, "{text}");
        }
        let pairs = [["key", "value"], ["a.jpg", "cat"], ["b.jpg", "dog"]];
        assert_eq!(rows(r#"{"a.jpg": "cat", "b.jpg": "dog"}"#), pairs);
        assert_eq!(
            rows(r#"{"cat": ["a.jpg", "b.jpg"]}"#),
            [["key", "value"], ["cat", "a.jpg"], ["cat", "b.jpg"]]
        );
        assert_eq!(
            rows(r#"{"a.jpg": {"label": "cat", "split": "train"}}"#),
            [["key", "label", "split"], ["a.jpg", "cat", "train"]]
        );
        assert_eq!(
            rows(r#"{"samples": [["a.jpg", "cat"], ["b.jpg", "dog"]], "version": 2}"#),
            [["column 1", "column 2"], ["a.jpg", "cat"], ["b.jpg", "dog"]]
        );
        assert_eq!(
            rows(r#"[["a.jpg", "cat"], ["b.jpg", ["x", "y"]]]"#),
            [["column 1", "column 2"], ["a.jpg", "cat"], ["b.jpg", "x|y"]]
        );
    }

    #[test]
    fn other_json_is_refused_with_the_reason() {
        let reason = |text: &str| parse(text, &|_| false).expect_err(text);
        assert!(reason(r#"{"images": [{"id": 1}], "annotations": [{"id": 1}]}"#).contains("COCO"));
        assert!(reason("{\"a\": ").contains("damaged JSON"));
        for text in [
            "[\n{\"file\": \"a.jpg\", \"label\": 1},\n]",
            "{\"a.jpg\": \"cat\",\n\"b.jpg\": NaN,\n}",
        ] {
            assert!(
                reason(text).contains("trailing comma at line 3"),
                "{}",
                reason(text)
            );
        }
        assert!(reason("7").contains("another shape"));
        assert!(reason("[]").contains("another shape"));
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(reason(&deep).contains("damaged JSON"));
        let many = format!("[{}0]", "0,".repeat(MAX_VALUES));
        assert!(reason(&many).contains("values"));
    }
}
