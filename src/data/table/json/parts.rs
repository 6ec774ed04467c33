//! Images by their parts: `{"train": ["a.jpg"], "test": ["b.jpg"]}`.

use super::{Item, objects};
use crate::data::parts::said;
use crate::data::table::parse::{Table, unnamed};

/// Whether a key is that of a part, and not the name of a file.
pub(super) fn says_part(key: &str) -> bool {
    !key.contains(|c: char| c == '.' || c.is_ascii_digit()) && said(key).is_some_and(|s| s.alone)
}

/// {"train": ["a.jpg"], "test": [["b.jpg", 0, "cat"], {"image": "c.jpg", "label": "dog"}]}: the images by their parts.
pub(super) fn parts(entries: Vec<(String, Item)>) -> Result<Table, String> {
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
                                (name.unwrap_or_else(|| unnamed(i)), cell)
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
