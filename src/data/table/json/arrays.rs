//! Columns as lists of one length: `{"image": ["a.jpg", "b.jpg"], "label": [0, 1], "classes": ["cat", "dog"]}`; and the
//! labels of FiftyOne, `{"classes": ["cat", "dog"], "labels": {"a": 0}}`.

use super::{Item, cell, get};
use crate::data::table::parse::{MAX_COLUMNS, Table, named};

/// Keys of the names that numbers stand for.
const NAMES: [&str; 5] = [
    "classes",
    "class_names",
    "label_names",
    "categories",
    "names",
];

/// The texts of a list, none if it holds anything else.
fn texts(item: &Item) -> Option<Vec<&str>> {
    let Item::List(items) = item else { return None };
    let texts = items.iter().map(|item| match item {
        Item::Text(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

/// The names of classes that stand beside their numbers.
fn class_names(entries: &[(String, Item)]) -> Vec<&str> {
    let names = NAMES.iter().find_map(|key| texts(get(entries, key)?));
    names.unwrap_or_default()
}

/// Whether all of some cells are numbers of these names.
fn are_numbers(cells: &[&str], names: &[&str]) -> bool {
    let is_number = |cell: &&str| cell.parse::<usize>().is_ok_and(|n| n < names.len());
    !names.is_empty() && cells.iter().all(is_number)
}

/// The name that a number stands for.
fn name<'a>(number: &'a str, names: &[&'a str]) -> &'a str {
    let at = number.parse::<usize>().ok();
    at.and_then(|at| names.get(at).copied()).unwrap_or(number)
}

/// A column for each list, where one of them names images that are here and not all do, as those of classes would.
pub(super) fn columns(
    entries: &[(String, Item)],
    names: &dyn Fn(&str) -> bool,
) -> Option<Result<Table, String>> {
    let lists: Vec<(&str, Vec<&str>)> = entries
        .iter()
        .filter_map(|(key, item)| Some((key.as_str(), texts(item)?)))
        .collect();
    let says_images = |cells: &[&str]| {
        let named = cells.iter().filter(|cell| names(cell)).count();
        named > 0 && named * 2 >= cells.len()
    };
    let rows = lists.iter().find(|list| says_images(&list.1))?.1.len();
    let (own, others): (Vec<_>, Vec<_>) = lists.into_iter().partition(|list| list.1.len() == rows);
    let is_label = own.iter().any(|list| !says_images(&list.1));
    // Lists of another length are images of other classes, unless they are names of classes.
    let is_strange = |list: &(&str, Vec<&str>)| says_images(&list.1);
    if !is_label || own.len() > MAX_COLUMNS || others.iter().any(is_strange) {
        return None;
    }
    let classes = class_names(entries);
    let keys = own.iter().map(|(key, _)| (*key).to_owned()).collect();
    let mut table = Table::new(named(keys));
    let is_named: Vec<bool> = (own.iter())
        .map(|(_, cells)| are_numbers(cells, &classes) && !says_images(cells))
        .collect();
    for row in 0..rows {
        let cells = own.iter().zip(&is_named).map(|((_, cells), is_named)| {
            let cell = cells[row];
            if *is_named {
                name(cell, &classes)
            } else {
                cell
            }
        });
        if let Err(reason) = table.push(cells) {
            return Some(Err(reason));
        }
    }
    Some(Ok(table))
}

/// The labels of FiftyOne's data sets for classification, by the names of the files.
pub(super) fn fiftyone(entries: &[(String, Item)]) -> Option<Result<Table, String>> {
    let Some(Item::Map(labels)) = get(entries, "labels") else {
        return None;
    };
    let is_known = |(key, _): &(String, Item)| key == "labels" || NAMES.contains(&key.as_str());
    if !entries.iter().all(is_known) {
        return None;
    }
    let classes = class_names(entries);
    let cells: Vec<String> = labels
        .iter()
        .map(|(_, item)| cell(item))
        .collect::<Option<_>>()?;
    let given: Vec<&str> = cells
        .iter()
        .map(String::as_str)
        .filter(|c| !c.is_empty())
        .collect();
    let is_named = are_numbers(&given, &classes);
    let mut table = Table::new(["image", "label"].map(str::to_owned).to_vec());
    for ((image, _), cell) in labels.iter().zip(&cells) {
        let label = if is_named { name(cell, &classes) } else { cell };
        if let Err(reason) = table.push([image.as_str(), label]) {
            return Some(Err(reason));
        }
    }
    Some(Ok(table))
}

#[cfg(test)]
mod tests {
    use super::super::tests::rows;

    #[test]
    fn lists_of_one_length_are_columns() {
        let expected = [["image", "label"], ["a.jpg", "cat"], ["b.jpg", "dog"]];
        for text in [
            r#"{"image": ["a.jpg", "b.jpg"], "label": ["cat", "dog"]}"#,
            r#"{"image": ["a.jpg", "b.jpg"], "label": [0, 1], "classes": ["cat", "dog", "owl"]}"#,
            r#"{"version": 2, "image": ["a.jpg", "b.jpg"], "label": [0, 1], "classes": ["cat", "dog", "owl"]}"#,
            r#"{"classes": ["cat", "dog", "owl"], "labels": {"a.jpg": 0, "b.jpg": 1}}"#,
            r#"{"classes": null, "labels": {"a.jpg": "cat", "b.jpg": "dog"}}"#,
        ] {
            assert_eq!(rows(text), expected, "{text}");
        }
        // Images by their classes.
        assert_eq!(
            rows(r#"{"cat": ["a.jpg", "b.jpg"], "dog": ["c.jpg", "d.jpg"]}"#)[3],
            ["dog", "c.jpg"]
        );
        assert_eq!(
            rows(r#"{"cat": ["a.jpg", "gone"], "dog": ["c.jpg"]}"#)[2],
            ["cat", "gone"]
        );
    }
}
