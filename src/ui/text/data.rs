//! Words about data sets.

use super::{count, counted};
use crate::protocol::{DatasetSummary, Labels, LeakKind, Reading, TableSummary};

/// Whether the user must choose how the labels are read.
#[must_use]
pub fn asks(summary: &DatasetSummary) -> bool {
    summary.labels == Labels::Auto && summary.problem.is_some() && !summary.readings.is_empty()
}

/// What a data set holds, after its name. Until the user chose a reading nobody knows its classes and parts.
#[must_use]
pub fn contents(summary: &DatasetSummary) -> String {
    let (train, test) = (summary.classes.iter()).fold((0, 0), |(train, test), class| {
        (train + class.train, test + class.test)
    });
    if asks(summary) {
        let images = counted(train + test + summary.unlabelled, "image", "images");
        return format!("{images}. Their classes are known once you choose below.");
    }
    let classes = counted(summary.classes.len(), "class", "classes");
    let images = counted(train, "image", "images");
    let unlabelled = match summary.unlabelled {
        0 => String::new(),
        n => format!(", {} without a class", count(n as u64)),
    };
    format!(
        "{classes}, {images} to train and validate on, {} to test on{unlabelled}.",
        count(test as u64)
    )
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

/// Which table was read, and how much of it; while the user must choose, nobody knows whether it counts.
#[must_use]
pub fn table(table: &TableSummary, asks: bool) -> String {
    let table_is = if asks {
        "There is a table,"
    } else {
        "The labels come from"
    };
    format!(
        "{table_is} {}: {} of its {} name an image that is here.",
        table.file,
        count(table.matched as u64),
        counted(table.rows, "row", "rows")
    )
}

/// Which identical images are listed, with their number; what is wrong with them a note says.
#[must_use]
pub fn leaks(kind: LeakKind, groups: usize) -> String {
    let images = counted(groups, "image", "images");
    match kind {
        LeakKind::BetweenParts => format!("{images} both to train and to measure on"),
        LeakKind::TwoLabels => format!("{images} under several labels"),
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
