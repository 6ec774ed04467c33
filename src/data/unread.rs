//! Files that probably have the labels and are not read. "There is one class only" helps nobody whose labels lie in
//! `imagelabels.mat` beside the images.

use std::collections::BTreeMap;

use super::labelling::many;
use super::layout::{file_name, parent, stem};
use super::parts::words;
use crate::protocol::Skipped;

/// Endings of files that may have labels, with what they are; the likelier ones first.
const KINDS: [(&[&str], &str); 14] = [
    (&["mat"], "MATLAB"),
    (&["npy", "npz"], "NumPy"),
    (&["xml"], "XML, such as that of Pascal VOC"),
    (&["h5", "hdf5"], "HDF5"),
    (&["parquet", "arrow"], "Parquet"),
    (&["tfrecord", "tfrecords"], "TensorFlow's records"),
    (&["pkl", "pickle"], "Python's pickle"),
    (&["xls", "xlsx", "ods", "numbers"], "a spreadsheet"),
    (
        &[
            "csv.gz", "tsv.gz", "json.gz", "jsonl.gz", "txt.gz", "csv.zip", "tsv.zip", "json.zip",
            "txt.zip", "csv.bz2", "csv.xz", "csv.zst", "csv.7z", "csv.rar",
        ],
        "a packed table: unpack it first",
    ),
    (
        &["manifest"],
        "a manifest of SageMaker: save it as JSON lines, .jsonl, or as CSV",
    ),
    (&["db", "sqlite", "mdb", "lmdb"], "a data base"),
    (&["yaml", "yml"], "YAML"),
    (&["json", "jsonl", "ndjson"], "JSON"),
    (&["txt", "lst", "list"], "text"),
];

/// Words in the names of files with labels.
const SPEAKING: [&str; 22] = [
    "label",
    "labels",
    "imagelabels",
    "class",
    "classes",
    "annotation",
    "annotations",
    "annot",
    "target",
    "targets",
    "category",
    "categories",
    "gt",
    "groundtruth",
    "truth",
    "anno",
    "meta",
    "metadata",
    "attributes",
    "digitstruct",
    "list",
    "y",
];

/// Words in the names of texts and settings that have none.
const OTHERS: [&str; 14] = [
    "readme",
    "license",
    "licence",
    "requirements",
    "notes",
    "note",
    "changelog",
    "citation",
    "credits",
    "about",
    "description",
    "config",
    "package",
    "copyright",
];

/// Whether one of the words of a name is on a list.
fn speaks(name: &str, list: &[&str]) -> bool {
    words(name).iter().any(|word| list.contains(&word.as_str()))
}

/// Whether a file has one of these endings, `gz` or `csv.gz`.
fn has_ending(file: &str, endings: &[&str]) -> bool {
    let name = file_name(file).to_ascii_lowercase();
    endings.iter().any(|ending| {
        let stem = name.strip_suffix(ending);
        stem.is_some_and(|stem| stem.ends_with('.'))
    })
}

/// A sentence about the files among those left out that probably have the labels. `tried` are those that were looked
/// at and told about; one that `is_read` for parts has no labels, unless it lies in a folder of labels, as YOLO's do.
pub(super) fn labels_in(
    skipped: &[Skipped],
    tried: &[String],
    images: usize,
    is_read: impl Fn(&Skipped) -> bool,
) -> Option<String> {
    let mut groups: BTreeMap<(bool, usize), Vec<&str>> = BTreeMap::new();
    for one in skipped {
        let file = one.file.as_str();
        let in_labels = speaks(file_name(parent(file)), &SPEAKING);
        if !in_labels && is_read(one) {
            continue;
        }
        let place = KINDS
            .iter()
            .position(|(endings, _)| has_ending(file, endings));
        let is_told = tried.iter().any(|t| t.starts_with(file));
        let Some(place) = place.filter(|_| !is_told && !speaks(stem(file), &OTHERS)) else {
            continue;
        };
        // Of one kind those whose names, or whose folder's, speak of labels.
        let is_silent = !speaks(stem(file), &SPEAKING) && !in_labels;
        groups.entry((is_silent, place)).or_default().push(file);
    }
    let is_likely = |&((is_silent, place), files): &(&(bool, usize), &Vec<&str>)| {
        // YAML, texts and JSON may be anything, unless there is one for each image.
        let is_anything = *place + 3 >= KINDS.len();
        !is_silent || !is_anything || (files.len() > 1 && files.len() * 2 >= images)
    };
    let ((_, place), files) = groups.iter().find(is_likely)?;
    let kind = match KINDS[*place].1 {
        "text" if files.len() > 1 && files.len() * 2 >= images => "text, such as that of YOLO",
        kind => kind,
    };
    Some(match files[..] {
        [one] => format!("The labels are probably in {one} ({kind}), which is not read."),
        _ => {
            let ending = files[0].rsplit_once('.').map_or("", |(_, ending)| ending);
            format!(
                "The labels are probably in {} .{ending}, such as {} ({kind}), which are not read.",
                many(files.len(), "file"),
                files[0]
            )
        }
    })
}
