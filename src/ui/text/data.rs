//! Words about data sets.

use super::{count, counted};
use crate::protocol::{DatasetSummary, Labels, LeakKind, Reading, TableSummary};

/// Whether the user must choose how the labels are read.
#[must_use]
pub fn asks(summary: &DatasetSummary) -> bool {
    summary.labels == Labels::Auto && summary.problem.is_some() && !summary.readings.is_empty()
}

/// "3 classes: cat 12, dog 14, ..., 5 to test on".
#[must_use]
pub fn reading_classes(reading: &Reading) -> String {
    let shown = reading.classes.iter().map(|class| match class.test {
        0 => format!("{} {}", class.name, count(class.train as u64)),
        test => format!(
            "{} {} (and {} to test on)",
            class.name,
            count(class.train as u64),
            count(test as u64)
        ),
    });
    let mut list = shown.collect::<Vec<_>>().join(", ");
    if reading.count > reading.classes.len() {
        list.push_str(", ...");
    }
    format!("{}: {list}", counted(reading.count, "class", "classes"))
}

/// Which table was read, and how much of it.
#[must_use]
pub fn table(table: &TableSummary) -> String {
    format!(
        "The labels come from {}: {} of its {} name an image that is here.",
        table.file,
        count(table.matched as u64),
        counted(table.rows, "row", "rows")
    )
}

/// What identical images of a kind do, with their number.
#[must_use]
pub fn leaks(kind: LeakKind, groups: usize) -> String {
    let images = counted(groups, "image lies", "images lie");
    match kind {
        LeakKind::BetweenParts => format!(
            "{images} both among those to train on and among those to test or validate on: the accuracy will look \
             better than it is"
        ),
        LeakKind::TwoLabels => format!(
            "{} two labels: one of them is wrong",
            counted(groups, "image has", "images have")
        ),
    }
}

/// Whether a model's outputs have numbers for names.
#[must_use]
pub fn unnamed(classes: &[String]) -> bool {
    let numbered = |(i, name): (usize, &String)| *name == format!("class {i}");
    !classes.is_empty() && classes.iter().enumerate().all(numbered)
}

/// Names as they are typed or pasted: one a line; or in one line with commas, also as Python prints a list.
#[must_use]
pub fn names(text: &str) -> Vec<String> {
    let text = text.trim();
    let clean = |name: &str| {
        let quotes: &[char] = &['\'', '"'];
        name.trim().trim_matches(quotes).to_owned()
    };
    let names: Vec<String> = if text.contains('\n') {
        text.lines().map(clean).collect()
    } else {
        let list = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        list.unwrap_or(text).split(',').map(clean).collect()
    };
    names.into_iter().filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ClassCount;

    #[test]
    fn names_come_in_lines_or_as_a_list() {
        for text in ["cat\ndog\n", " cat , dog", "['cat', 'dog']", "cat\r\ndog"] {
            assert_eq!(names(text), ["cat", "dog"], "{text:?}");
        }
        assert!(unnamed(&["class 0".into(), "class 1".into()]));
        assert!(!unnamed(&["class 0".into(), "sea".into()]) && !unnamed(&[]));
    }

    #[test]
    fn a_reading_says_what_it_gives() {
        let class = |name: &str, test| ClassCount {
            name: name.into(),
            train: 1200,
            test,
        };
        let reading = Reading {
            labels: Labels::Auto,
            text: String::new(),
            flags: String::new(),
            classes: vec![class("cat", 0), class("dog", 3)],
            count: 9,
            first_picture: 0,
            pictures: 0,
        };
        let text = reading_classes(&reading);
        assert!(
            text.starts_with("9 classes: cat 1") && text.ends_with("(and 3 to test on), ..."),
            "{text}"
        );
    }
}
