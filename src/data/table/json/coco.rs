//! The files of annotations that say one class an image: those of COCO.

use std::collections::HashMap;

use super::Item;

/// The rows of a COCO file in which each image has boxes of one category; none if one has several.
pub(super) fn coco(entries: &[(String, Item)]) -> Option<Vec<Vec<(String, Item)>>> {
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
