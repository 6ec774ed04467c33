//! Which column of a table says the part of each image, and what its cells say.

use std::collections::HashSet;

use super::columns::{header, rank, sample};
use super::headers::says_label;
use super::labels::Label;
use super::parse::Table;
use crate::data::parts::{said, words};
use crate::protocol::Part;

/// Words of a header that say "part".
const PART_WORDS: [&str; 9] = [
    "split",
    "subset",
    "set",
    "partition",
    "part",
    "usage",
    "dataset",
    "phase",
    "mode",
];

/// Words of a header that say that images are divided; numbers below it do not say which one is for training.
const DIVISION_WORDS: [&str; 10] = [
    "split",
    "splits",
    "subset",
    "set",
    "partition",
    "usage",
    "fold",
    "folds",
    "kfold",
    "phase",
];

/// Those of them that stand for nothing else, so that one word for a part below them is enough.
const SURE_WORDS: [&str; 6] = ["split", "subset", "partition", "usage", "fold", "phase"];

/// Words about a part's in the name of a column of 0 and 1: `is_training_image`, `in_test`.
const FLAG_WORDS: [&str; 12] = [
    "is", "in", "for", "on", "as", "use", "used", "image", "sample", "row", "flag", "part",
];

fn values(table: &Table, column: usize) -> HashSet<&str> {
    sample(table)
        .map(|row| table.cell(row, column))
        .filter(|cell| !cell.is_empty())
        .collect()
}

/// A cell without the words of its column's name: `training cohort` under `cohort` says nothing else than `training`.
fn without(cell: &str, header: &[String]) -> String {
    let words = words(cell);
    let rest = words.into_iter().filter(|word| !header.contains(word));
    rest.collect::<Vec<_>>().join(" ")
}

/// A column whose cells say a part (`train`, `PublicTest`), most of them at least, or whether it is for training
/// (1, 0).
pub(super) fn part_column(table: &Table, image: usize, label: Option<&Label>) -> Option<usize> {
    (0..table.columns.len()).find(|&column| {
        if column == image || label == Some(&Label::Column(column)) {
            return false;
        }
        let values = values(table, column);
        if values.is_empty() || values.len() > 24 {
            return false;
        }
        if flag(table, column).is_some() && values.iter().all(|v| truth(v).is_some()) {
            return !is_class(table, column);
        }
        let found: Vec<_> = values.iter().filter_map(|v| said(v)).collect();
        let parts: HashSet<Part> = found.iter().map(|s| s.part).collect();
        let all = found.len() == values.len();
        let most = found.len() * 2 > values.len();
        let alone = found.iter().all(|s| s.alone);
        // A class may be called `train`: either the header speaks of parts or there are two.
        if rank(table, column, &SURE_WORDS).is_some() {
            return !found.is_empty();
        }
        if rank(table, column, &PART_WORDS).is_some() {
            return most && (alone || parts.len() > 1);
        }
        // Nor is `train station` beside `test lab`, which are places: each part must be said by itself.
        let own = header(table, column);
        let says_alone = |part: &Part| {
            let mut values = values.iter().map(|value| without(value, &own));
            values.any(|rest| said(&rest).is_some_and(|s| s.alone && s.part == *part))
        };
        let may_be_label = says_label(table, column) && !(all && alone);
        most && parts.len() > 1 && !may_be_label && parts.iter().all(says_alone)
    })
}

/// Whether a column of 0 and 1 that is called like a part is one of a one-hot table's classes (`car`, `train`): no row
/// marks it and another one.
fn is_class(table: &Table, column: usize) -> bool {
    let words = header(table, column);
    if words.iter().any(|w| FLAG_WORDS.contains(&w.as_str())) {
        return false;
    }
    let others: Vec<usize> = (0..table.columns.len())
        .filter(|&other| {
            let values = values(table, other);
            other != column
                && flag(table, other).is_none()
                && !says_label(table, other)
                && values.len() == 2
                && values.iter().all(|v| truth(v).is_some())
        })
        .collect();
    let is_marked = |row: usize, column: usize| truth(table.cell(row, column)) == Some(true);
    !others.is_empty()
        && sample(table)
            .all(|row| is_marked(row, column) != others.iter().any(|&other| is_marked(row, other)))
}

/// The part that a 1 means in a column of 0 and 1, by its name: `is_train`, `in_test`, `holdout`, and
/// `train_test_split`, where 1 is for training (as CUB-200 has it).
pub(super) fn flag(table: &Table, column: usize) -> Option<Part> {
    let mut header = header(table, column);
    if let [a, b, c] = &header[..]
        && (a == "train" || a == "training")
        && (b == "test" || b == "testing")
        && c == "split"
    {
        return Some(Part::Train);
    }
    if says_label(table, column) {
        return None;
    }
    for word in &mut header {
        // `istrain`
        if let Some(rest) = word.strip_prefix("is").or_else(|| word.strip_prefix("in"))
            && said(rest).is_some()
        {
            *word = rest.to_owned();
        }
    }
    header.retain(|word| !FLAG_WORDS.contains(&word.as_str()));
    said(&header.join("_"))
        .filter(|s| s.alone && s.part != Part::Unlabelled && !is_ambiguous(&header))
        .map(|s| s.part)
}

/// Whether a name speaks of several parts: `train_or_test`.
fn is_ambiguous(header: &[String]) -> bool {
    let parts: HashSet<Part> = header
        .iter()
        .filter_map(|word| said(word).map(|s| s.part))
        .collect();
    parts.len() > 1
}

pub(super) fn truth(cell: &str) -> Option<bool> {
    match cell.to_ascii_lowercase().as_str() {
        "1" | "1.0" | "true" | "yes" | "t" | "y" => Some(true),
        "0" | "0.0" | "false" | "no" | "-1" | "f" | "n" => Some(false),
        _ => None,
    }
}

/// The part that a row says. Where several columns of 0 and 1 speak of it (`is_train`, `is_val`, `is_test`), the one
/// with the 1 counts.
pub(super) fn part_of(table: &Table, column: usize, row: usize) -> Option<Part> {
    let cell = table.cell(row, column);
    let Some(own) = flag(table, column) else {
        return said(cell).map(|s| s.part);
    };
    if truth(cell)? {
        return Some(own);
    }
    let mut others = (0..table.columns.len()).filter(|&other| other != column);
    let marked = others.find_map(|other| {
        flag(table, other).filter(|_| truth(table.cell(row, other)) == Some(true))
    });
    marked.or(Some(if own == Part::Train {
        Part::Test
    } else {
        Part::Train
    }))
}

/// Whether a column divides the images by numbers, or by words that are no parts', and nothing says which of them is
/// for training.
pub(super) fn is_undecided(table: &Table, column: usize) -> bool {
    let divides = rank(table, column, &DIVISION_WORDS).is_some();
    let is_ambiguous = is_ambiguous(&header(table, column));
    let values = values(table, column);
    if flag(table, column).is_some() || values.is_empty() || values.len() > 50 {
        return false;
    }
    let numbers = is_numbers(&values);
    let marks = values.iter().all(|v| truth(v).is_some());
    let words = values.len() > 1 && values.len() <= 12 && values.len() * 2 <= table.rows();
    (divides && (numbers || words)) || (is_ambiguous && marks)
}

fn is_numbers(values: &HashSet<&str>) -> bool {
    values
        .iter()
        .all(|v| v.parse::<f64>().is_ok_and(|n| n.fract() == 0.0))
}

/// Whether an undecided column may be one of labels all the same: words under `usage` or `set`.
pub(super) fn may_be_labels(table: &Table, column: usize) -> bool {
    rank(table, column, &["usage", "set", "phase"]).is_some() && !is_numbers(&values(table, column))
}

/// The word of a row that is no part's, in a column of such words.
pub(super) fn strange_word(table: &Table, column: usize, row: usize) -> Option<&str> {
    let cell = table.cell(row, column);
    (!cell.is_empty() && flag(table, column).is_none() && said(cell).is_none()).then_some(cell)
}

/// Whether no cell of a column says a part.
pub(super) fn says_no_part(table: &Table, column: usize) -> bool {
    !sample(table).any(|row| part_of(table, column, row).is_some())
}
