//! A pattern that may read the labels from names that gave none by themselves: `cat-1a2b.jpg`, `1_0001.jpg`. Too
//! doubtful to be used, and just what whoever named the files so looks for.

use std::collections::HashSet;

use crate::data::file_names::Pattern;
use crate::data::labelling::{list, quoted};
use crate::data::layout::file_name;
use crate::data::parts::said;

/// Names that a pattern is judged by.
const SAMPLE: usize = 2000;

fn is_separator(c: char) -> bool {
    "_-. ()".contains(c)
}

/// What stands between the separators of a name, without its ending.
fn fields(name: &str) -> Vec<&str> {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    stem.split(is_separator).collect()
}

/// The separators of a name.
fn separators(name: &str) -> Vec<&str> {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    stem.matches(is_separator).collect()
}

/// What stands for a field in a pattern: itself where it is always the same, `#` for numbers, else `*`.
fn any(rows: &[Vec<&str>], field: usize) -> String {
    let first = rows[0][field];
    let is_number =
        |row: &Vec<&str>| !row[field].is_empty() && row[field].bytes().all(|b| b.is_ascii_digit());
    if rows.iter().all(|row| row[field] == first) {
        first.to_owned()
    } else if rows.iter().all(is_number) {
        "#".to_owned()
    } else {
        "*".to_owned()
    }
}

/// The pattern with the label in a field, and the labels that it gives; none unless these are few.
fn pattern(names: &[&str], rows: &[Vec<&str>], label: usize) -> Option<(String, Vec<String>)> {
    let mut text = String::new();
    for field in 0..rows[0].len() {
        match field == label {
            true => text.push_str("{label}"),
            false => text.push_str(&any(rows, field)),
        }
        let separator = separators(names[0]).get(field).copied();
        text.push_str(separator.unwrap_or_default());
    }
    let ending = |name: &&str| name.rsplit_once('.').map(|(_, ending)| ending.to_owned());
    let endings: HashSet<Option<String>> = names.iter().map(ending).collect();
    match ending(&names[0]) {
        Some(ending) if endings.len() == 1 => text.push_str(&format!(".{ending}")),
        _ => text.push_str(".*"),
    }
    let parsed = Pattern::parse(&text).ok()?;
    let labels: Vec<&str> = names.iter().filter_map(|name| parsed.label(name)).collect();
    let different: HashSet<&str> = labels.iter().copied().collect();
    let are_parts = different.iter().all(|label| said(label).is_some());
    let is_good = labels.len() == names.len() && different.len() > 1 && !are_parts;
    let mut different: Vec<String> = different.into_iter().map(str::to_owned).collect();
    different.sort_unstable();
    (is_good && different.len() * 2 <= labels.len()).then_some((text, different))
}

/// A sentence about the pattern that the names of these files may follow.
pub(super) fn hint<'a>(paths: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = paths.take(SAMPLE).map(file_name).collect();
    let Some(first) = names.first() else {
        return String::new();
    };
    let form = separators(first);
    if form.is_empty() || names.iter().any(|name| separators(name) != form) {
        return String::new();
    }
    let rows: Vec<Vec<&str>> = names.iter().map(|name| fields(name)).collect();
    let has_letters = |field: &usize| {
        let is_text = |row: &Vec<&str>| row[*field].chars().any(char::is_alphabetic);
        rows.iter().all(is_text)
    };
    let mut order: Vec<usize> = (0..rows[0].len()).collect();
    order.sort_by_key(|field| !has_letters(field));
    let found = order
        .iter()
        .find_map(|&field| pattern(&names, &rows, field));
    found.map_or(String::new(), |(text, labels)| {
        format!(
            " If the names of the files say the classes ({}), say so on the command line: --label-pattern {}; in the page a table of names and classes does it.",
            list(&labels),
            quoted(&text)
        )
    })
}
