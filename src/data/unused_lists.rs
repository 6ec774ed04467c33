//! Lists and tables that are none of what is trained on, though they look like it: of bad or duplicate images, a small
//! sample of the training list, and lists whose names say no part in any language that is known here. None of them is
//! passed over in silence.

use std::collections::HashSet;

use super::labelling::{list, many};
use super::layout::{file_name, parent, stem};
use super::parts::{said, words};
use super::reading::ReadTable;
use super::table::{Files, LabelTable, Match};

/// Lists that are named in one note.
const NAMED: usize = 4;

/// Why a list of images to leave out gives no labels.
pub(super) const TO_LEAVE_OUT: &str = "is by its name a list of images to leave out";

/// Words in the name of a list whose images are to be left out.
const BAD: [&str; 34] = [
    "bad",
    "corrupt",
    "corrupted",
    "removed",
    "remove",
    "exclude",
    "excluded",
    "exclusion",
    "exclusions",
    "duplicate",
    "duplicates",
    "duplicated",
    "dupes",
    "dups",
    "outlier",
    "outliers",
    "broken",
    "damaged",
    "invalid",
    "rejected",
    "discard",
    "discarded",
    "deleted",
    "blacklist",
    "blocklist",
    "ignore",
    "ignored",
    "skip",
    "skipped",
    "wrong",
    "mislabeled",
    "mislabelled",
    "unreadable",
    "blurry",
];

/// Words in the name of a list that has a few of the images of another one.
const SAMPLE: [&str; 18] = [
    "small", "smaller", "mini", "tiny", "subset", "sample", "sampled", "debug", "few", "fewshot",
    "shot", "shots", "toy", "noisy", "demo", "quick", "reduced", "short",
];

fn has_word(path: &str, of: &[&str]) -> bool {
    words(stem(path)).iter().any(|w| of.contains(&w.as_str()))
}

/// Whether a list is by its name a small sample: `train_small.csv`, `train_100.csv`.
pub(super) fn is_sample(path: &str) -> bool {
    let number = stem(path)
        .rsplit(|c: char| !c.is_ascii_digit())
        .next()
        .and_then(|digits| digits.parse::<u32>().ok());
    has_word(path, &SAMPLE) || number.is_some_and(|n| n >= 20)
}

/// A sentence about a table with one label for all its images.
pub(super) fn stands_in(path: &str) -> String {
    format!(
        "{} gives all its images one label, as one that stands in for labels that are not published; it is not used.",
        file_name(path)
    )
}

/// The images that a table names.
pub(super) fn images(table: &LabelTable, files: &Files) -> HashSet<usize> {
    let image = |row| match table.row(files, row, true).0 {
        Match::One(image) => Some(image),
        _ => None,
    };
    (0..table.rows()).filter_map(image).collect()
}

/// Takes the lists of images that by their names are to be left out (`bad_images.txt`) from those that give labels and
/// parts; `asked` tells those that the user named. A sentence about each.
pub(super) fn take_bad(
    found: &mut [ReadTable],
    files: &Files,
    asked: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut notes = Vec::new();
    for (path, table) in found {
        let Ok(own) = table else { continue };
        if asked(path) || !has_word(path, &BAD) {
            continue;
        }
        let named = images(own, files).len();
        // A list of all images is no list of a few bad ones, whatever its name.
        if named * 2 > files.len() {
            continue;
        }
        notes.push(format!(
            "{} names {} that by its name are to be left out. It is not applied: take these images out of the data set if they are.",
            file_name(path),
            many(named, "image")
        ));
        *table = Err(TO_LEAVE_OUT.to_owned());
    }
    notes
}

/// Whether the images lie in folders that may be classes: several, called by no part.
pub(super) fn have_folders(files: &Files) -> bool {
    let mut folders = HashSet::new();
    (0..files.len()).any(|image| {
        let folder = file_name(parent(files.path(image)));
        if !folder.is_empty() && said(folder).is_none_or(|said| !said.alone) {
            folders.insert(folder);
        }
        folders.len() > 1
    })
}

/// Whether all of some images lie in one folder that others lie outside of: a list of one class.
fn is_of_one_folder(images: &HashSet<usize>, files: &Files) -> bool {
    let folders: HashSet<&str> = images.iter().map(|&i| parent(files.path(i))).collect();
    folders.len() == 1 && have_folders(files)
}

/// Lists by their names, with how many images each names.
fn shown(lists: &[(&LabelTable, HashSet<usize>)]) -> Vec<String> {
    let text = |(table, own): &(&LabelTable, HashSet<usize>)| {
        format!("{} ({})", file_name(&table.path), many(own.len(), "image"))
    };
    lists.iter().map(text).collect()
}

/// A sentence about lists that name a part of the images without a word for what, where no test images are known;
/// `known` are the images of lists that say a part.
pub(super) fn undecided(
    tables: &[&ReadTable],
    files: &Files,
    known: &HashSet<usize>,
) -> Option<String> {
    let total = files.len();
    let mut lists: Vec<(&LabelTable, HashSet<usize>)> = Vec::new();
    for (_, table) in tables {
        let Ok(table) = table else { continue };
        if table.has_parts() || !table.undecided().is_empty() || table.rows() < 2 {
            continue;
        }
        let own = images(table, files);
        let is_few = own.len() * 2 < table.rows() || own.len() < 2 || own.len() * 20 > total * 19;
        if !is_few && !is_of_one_folder(&own, files) && !table.has_one_label() {
            lists.push((table, own));
        }
    }
    lists.sort_by_key(|(table, _)| &table.path);
    // Tables of labels in numbered pieces.
    let is_piece = |table: &LabelTable| {
        let alike = |(other, _): &&(&LabelTable, HashSet<usize>)| other.is_named_like(table);
        table.has_labels() && lists.iter().filter(alike).count() > 1
    };
    let pieces: Vec<bool> = lists.iter().map(|(table, _)| is_piece(table)).collect();
    let mut pieces = pieces.into_iter();
    lists.retain(|_| pieces.next() == Some(false));
    let sum: usize = lists.iter().map(|(_, own)| own.len()).sum();
    let mut union: HashSet<usize> = known.clone();
    union.extend(lists.iter().flat_map(|(_, own)| own));
    let apart = (union.len() + sum / 20 >= sum + known.len()) && union.len() * 10 >= total * 6;
    if apart && (lists.len() > 1 || (lists.len() == 1 && !known.is_empty())) {
        return Some(format!(
            "Lists divide the images, and no name says which one is for testing: {}. They are not used for that, so images for testing may be among those to train on. Call them train, val or test. If each is a class, write the classes beside the names into one table.",
            list(&shown(&lists))
        ));
    }
    let lists: Vec<_> = (lists.into_iter())
        .filter(|(table, _)| !table.has_labels())
        .collect();
    let first = shown(&lists[..lists.len().min(NAMED)]);
    (!first.is_empty()).then(|| {
        format!(
            "Of {total} images {} some, and no name says what for: {}. {} not used. Call a list of images for testing test.",
            if first.len() == 1 { "a list names" } else { "lists name" },
            list(&first),
            if first.len() == 1 { "It is" } else { "They are" },
        )
    })
}
