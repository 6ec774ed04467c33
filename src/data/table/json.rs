//! Tables in JSON: a list of objects or pairs, an object of file names and labels, or a line each.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::label_studio;
use super::parse::{MAX_COLUMNS, Table, named};
use crate::data::parts::said;

/// Most values of a file: each takes up to 56 bytes beside its text.
const MAX_VALUES: usize = 1_500_000;

/// A value; numbers and truth values are kept as text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    Text(String),
    List(Vec<Item>),
    Map(Vec<(String, Item)>),
}

/// Reads a value and counts its parts down.
struct Seed<'a>(&'a Cell<usize>);

impl Seed<'_> {
    fn count<E: serde::de::Error>(&self) -> Result<(), E> {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        if left == 0 {
            return Err(E::custom(format!("it has more than {MAX_VALUES} values")));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Item;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Item, D::Error> {
        self.count()?;
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Item, E> {
        Ok(Item::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Item, E> {
        Ok(Item::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Item, E> {
        Ok(Item::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Item, E> {
        Ok(Item::Text(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Item, E> {
        Ok(Item::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Item, E> {
        Ok(Item::Text(String::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Item, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(Seed(self.0))? {
            items.push(item);
        }
        Ok(Item::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item, A::Error> {
        let mut items = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            items.push((key, map.next_value_seed(Seed(self.0))?));
        }
        Ok(Item::Map(items))
    }
}

fn value(text: &str, budget: &Cell<usize>) -> Result<Item, serde_json::Error> {
    let mut from = serde_json::Deserializer::from_str(text);
    let item = Seed(budget).deserialize(&mut from)?;
    from.end()?;
    Ok(item)
}

/// The text with null for NaN and Infinity, which Python writes and JSON has not; none if there are none.
fn without_nan(text: &str) -> Option<String> {
    const WORDS: [&str; 3] = ["NaN", "-Infinity", "Infinity"];
    if !WORDS.iter().any(|word| text.contains(word)) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let word = WORDS
            .iter()
            .find(|word| !quoted && rest.starts_with(**word));
        if let Some(word) = word {
            out.push_str("null");
            rest = &rest[word.len()..];
            continue;
        }
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    Some(out)
}

/// Reads a table.
///
/// # Errors
/// The reason why it is none.
pub(super) fn parse(text: &str) -> Result<Table, String> {
    let budget = Cell::new(MAX_VALUES);
    let whole = value(text, &budget);
    let item = match whole {
        Ok(item) => item,
        Err(error) => {
            let plain = without_nan(text);
            budget.set(MAX_VALUES);
            let whole = plain.as_ref().map(|plain| value(plain, &budget));
            if let Some(Ok(item)) = whole {
                return table(item);
            }
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
    table(item)
}

const NO_TABLE: &str =
    "is JSON of another shape than a list of objects or an object of file names and labels";

fn table(item: Item) -> Result<Table, String> {
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
            map(entries)
        }
    }
}

/// The rows of a COCO file in which each image has boxes of one category; none if one has several.
fn coco(entries: &[(String, Item)]) -> Option<Vec<Vec<(String, Item)>>> {
    fn get<'a>(row: &'a Item, key: &str) -> Option<&'a str> {
        let Item::Map(row) = row else { return None };
        row.iter().find_map(|(k, v)| match v {
            Item::Text(text) if k == key => Some(text.as_str()),
            _ => None,
        })
    }
    let list = |key: &str| -> &[Item] {
        let found = entries.iter().find(|(k, _)| k == key);
        match found {
            Some((_, Item::List(items))) => items,
            _ => &[],
        }
    };
    let names: HashMap<&str, &str> = list("categories")
        .iter()
        .filter_map(|row| Some((get(row, "id")?, get(row, "name")?)))
        .collect();
    let mut category: HashMap<&str, &str> = HashMap::new();
    for row in list("annotations") {
        let (image, own) = (get(row, "image_id")?, get(row, "category_id")?);
        if *category.entry(image).or_insert(own) != own {
            return None;
        }
    }
    let text = |text: &str| Item::Text(text.to_owned());
    let rows: Option<Vec<_>> = list("images")
        .iter()
        .map(|row| {
            let own = get(row, "id").and_then(|id| category.get(id));
            let label = own.map_or("", |own| names.get(own).copied().unwrap_or(own));
            Some(vec![
                ("file_name".to_owned(), text(get(row, "file_name")?)),
                ("label".to_owned(), text(label)),
            ])
        })
        .collect();
    rows.filter(|_| !category.is_empty())
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
    let mut table = Table::new((1..=width).map(|n| format!("column {n}")).collect());
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

fn map(entries: Vec<(String, Item)>) -> Result<Table, String> {
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
    // One list of objects under a name, whatever stands beside it.
    let lists: Vec<usize> = (0..entries.len())
        .filter(|&i| match &entries[i].1 {
            Item::List(rows) => !rows.is_empty() && rows.iter().all(|r| matches!(r, Item::Map(_))),
            _ => false,
        })
        .collect();
    if let [only] = lists[..] {
        return match entries.into_iter().nth(only) {
            Some((_, rows)) => table(rows),
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

/// Whether a key is that of a part, and not the name of a file.
fn says_part(key: &str) -> bool {
    !key.contains(|c: char| c == '.' || c.is_ascii_digit()) && said(key).is_some_and(|s| s.alone)
}

/// {"train": ["a.jpg"], "test": [["b.jpg", 0, "cat"], {"image": "c.jpg", "label": "dog"}]}: the images by their parts.
fn parts(entries: Vec<(String, Item)>) -> Result<Table, String> {
    let mut rows = Vec::new();
    let pair = |key: &str, value: Item| {
        vec![
            ("key".to_owned(), Item::Text(key.to_owned())),
            ("value".to_owned(), value),
        ]
    };
    for (part, items) in entries {
        let mut own: Vec<Vec<(String, Item)>> = Vec::new();
        match items {
            Item::Text(_) => continue,
            Item::List(items) => {
                for item in items {
                    own.push(match item {
                        Item::Map(row) => row,
                        Item::List(cells) => {
                            let names: &[&str] = match cells.len() {
                                3 => &["image", "number", "label"],
                                _ => &["image", "label"],
                            };
                            let cells = cells.into_iter().enumerate().map(|(i, cell)| {
                                let name = names.get(i).map(|name| (*name).to_owned());
                                (name.unwrap_or_else(|| format!("column {}", i + 1)), cell)
                            });
                            cells.collect()
                        }
                        text => vec![("image".to_owned(), text)],
                    });
                }
            }
            Item::Map(inner) => {
                for (key, item) in inner {
                    match item {
                        Item::List(items) => {
                            own.extend(items.into_iter().map(|item| pair(&key, item)));
                        }
                        Item::Map(mut row) => {
                            row.insert(0, ("key".to_owned(), Item::Text(key)));
                            own.push(row);
                        }
                        text => own.push(pair(&key, text)),
                    }
                }
            }
        }
        for mut row in own {
            row.retain(|(name, _)| name != "split");
            row.push(("split".to_owned(), Item::Text(part.clone())));
            rows.push(row);
        }
    }
    objects(rows)
}

fn nested(entries: Vec<(String, Item)>) -> Result<Table, String> {
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn rows(text: &str) -> Vec<Vec<String>> {
        parse(text).expect(text).lines()
    }

    #[test]
    fn shapes_of_json_are_the_same_table() {
        let objects = [["file", "label"], ["a.jpg", "cat"], ["b.jpg", "7"]];
        for text in [
            r#"[{"file": "a.jpg", "label": "cat"}, {"label": 7, "file": "b.jpg", "box": {"x": 1}}]"#,
            "{\"file\": \"a.jpg\", \"label\": \"cat\"}\n\n{\"file\": \"b.jpg\", \"label\": 7}\n",
            r#"{"version": 1, "items": [{"file": "a.jpg", "label": ["cat"]}, {"file": "b.jpg", "label": 7}]}"#,
            r#"{"file": {"0": "a.jpg", "1": "b.jpg"}, "label": {"0": "cat", "1": 7}}"#,
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
            rows(r#"[["a.jpg", "cat"], ["b.jpg", ["x", "y"]]]"#),
            [["column 1", "column 2"], ["a.jpg", "cat"], ["b.jpg", "x|y"]]
        );
    }

    #[test]
    fn other_json_is_refused_with_the_reason() {
        let reason = |text: &str| parse(text).expect_err(text);
        assert!(reason(r#"{"images": [{"id": 1}], "annotations": [{"id": 1}]}"#).contains("COCO"));
        assert!(reason("{\"a\": ").contains("damaged JSON"));
        assert!(reason("7").contains("another shape"));
        assert!(reason("[]").contains("another shape"));
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(reason(&deep).contains("damaged JSON"));
        let many = format!("[{}0]", "0,".repeat(MAX_VALUES));
        assert!(reason(&many).contains("values"));
    }
}
