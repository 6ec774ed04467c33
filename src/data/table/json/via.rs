//! Projects and exports of the VGG Image Annotator: an object of files, each with attributes of its own and of the
//! regions in it.

use std::cell::Cell;
use std::collections::HashMap;

use super::value::{MAX_VALUES, value};
use super::{Item, cell, get, objects};
use crate::data::table::parse::Table;

type Row = Vec<(String, Item)>;

fn is_file(item: &Item) -> bool {
    matches!(item, Item::Map(row) if matches!(get(row, "filename"), Some(Item::Text(_)))
        && (get(row, "regions").is_some() || get(row, "file_attributes").is_some()))
}

/// A row of attributes for each file; none if it is no such file.
pub(super) fn rows(entries: &[(String, Item)]) -> Option<Result<Vec<Row>, String>> {
    let files = match get(entries, "_via_img_metadata") {
        Some(Item::Map(files)) => files,
        _ => entries,
    };
    if files.is_empty() || !files.iter().all(|(_, item)| is_file(item)) {
        return None;
    }
    Some(files.iter().map(|(_, item)| row(item)).collect())
}

/// A table of the annotator's own, which has a row a region and the attributes as JSON in its cells, as a row a file with
/// a column an attribute. None if it is another table.
pub(in crate::data::table) fn of_table(table: &Table) -> Option<Result<Table, String>> {
    let column = |name: &str| {
        let is = |own: &String| own.trim_start_matches('#').trim() == name;
        table.columns.iter().position(is)
    };
    let name = column("filename")?;
    let (of_file, of_region) = (column("file_attributes")?, column("region_attributes")?);
    let budget = Cell::new(MAX_VALUES);
    let attributes = |row, column| {
        let item = value(table.cell(row, column), &budget).ok();
        item.unwrap_or(Item::Map(Vec::new()))
    };
    let mut files: Vec<(Row, Vec<Item>)> = Vec::new();
    let mut number: HashMap<&str, usize> = HashMap::new();
    for row in 0..table.rows() {
        let own = table.cell(row, name);
        let file = *number.entry(own).or_insert_with(|| {
            let name = ("filename".to_owned(), Item::Text(own.to_owned()));
            let attributes = ("file_attributes".to_owned(), attributes(row, of_file));
            files.push((vec![name, attributes], Vec::new()));
            files.len() - 1
        });
        let region = ("region_attributes".to_owned(), attributes(row, of_region));
        files[file].1.push(Item::Map(vec![region]));
    }
    let rows = files.into_iter().map(|(mut file, regions)| {
        file.push(("regions".to_owned(), Item::List(regions)));
        row(&Item::Map(file))
    });
    let rows: Result<Vec<Row>, String> = rows.collect();
    Some(rows.and_then(objects))
}

fn row(item: &Item) -> Result<Row, String> {
    let Item::Map(file) = item else {
        return Ok(Row::new());
    };
    let mut row: Row = Vec::new();
    row.extend(get(file, "filename").map(|name| ("filename".to_owned(), name.clone())));
    if let Some(Item::Map(own)) = get(file, "file_attributes") {
        row.extend(own.iter().map(|(key, value)| (key.clone(), choice(value))));
    }
    let regions: Vec<&Item> = match get(file, "regions") {
        Some(Item::List(regions)) => regions.iter().collect(),
        Some(Item::Map(regions)) => regions.iter().map(|(_, region)| region).collect(),
        _ => Vec::new(),
    };
    let mut of_regions: Row = Vec::new();
    for region in regions {
        let Item::Map(region) = region else { continue };
        let Some(Item::Map(own)) = get(region, "region_attributes") else {
            continue;
        };
        for (key, value) in own {
            let value = choice(value);
            match get(&of_regions, key) {
                Some(other) if *other != value => {
                    return Err(format!(
                        "has regions of several kinds in one image ({key}: {}, {}); one label an image is needed",
                        cell(other).unwrap_or_default(),
                        cell(&value).unwrap_or_default()
                    ));
                }
                Some(_) => {}
                None => of_regions.push((key.clone(), value)),
            }
        }
    }
    // What is said of the file counts more than what is said of a region in it.
    of_regions.retain(|(key, _)| get(&row, key).is_none());
    row.extend(of_regions);
    Ok(row)
}

/// An attribute's value; of check boxes, `{"cat": true}`, the names of those that are checked.
fn choice(value: &Item) -> Item {
    let Item::Map(boxes) = value else {
        return value.clone();
    };
    let is_checked = |item: &Item| matches!(item, Item::Text(text) if text == "true");
    let checked = boxes.iter().filter(|(_, item)| is_checked(item));
    Item::List(checked.map(|(name, _)| Item::Text(name.clone())).collect())
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::super::tests::rows;

    #[test]
    fn files_of_via_have_attributes() {
        let files = r#""a.jpg12": {"filename": "a.jpg", "size": 12, "regions": [], "file_attributes": {"class": "cat"}},
            "b.jpg7": {"filename": "b.jpg", "size": 7, "regions": [], "file_attributes": {"class": {"dog": true}}}"#;
        let expected = [["filename", "class"], ["a.jpg", "cat"], ["b.jpg", "dog"]];
        assert_eq!(rows(&format!("{{{files}}}")), expected);
        let project = format!(r#"{{"_via_settings": {{}}, "_via_img_metadata": {{{files}}}}}"#);
        assert_eq!(rows(&project), expected);
        let region = |class: &str| format!(r#"{{"region_attributes": {{"class": "{class}"}}}}"#);
        let file = |regions: &str| {
            format!(
                r#"{{"a.jpg9": {{"filename": "a.jpg", "regions": [{regions}], "file_attributes": {{}}}}}}"#
            )
        };
        let [cat, dog] = ["cat", "dog"].map(region);
        assert_eq!(
            rows(&file(&format!("{cat}, {cat}"))),
            [["filename", "class"], ["a.jpg", "cat"]]
        );
        let reason = parse(&file(&format!("{cat}, {dog}")), &|_| false).expect_err("two classes");
        assert!(reason.contains("class: cat, dog"), "{reason}");
    }
}
