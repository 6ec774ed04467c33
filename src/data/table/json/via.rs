//! Projects and exports of the VGG Image Annotator: an object of files, each with attributes of its own and of the
//! regions in it.

use super::{Item, cell};

type Row = Vec<(String, Item)>;

fn get<'a>(row: &'a [(String, Item)], key: &str) -> Option<&'a Item> {
    row.iter().find(|(k, _)| k == key).map(|(_, v)| v)
}

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
        let reason = parse(&file(&format!("{cat}, {dog}"))).expect_err("two classes");
        assert!(reason.contains("class: cat, dog"), "{reason}");
    }
}
