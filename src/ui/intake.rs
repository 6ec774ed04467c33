//! What to do with files that were dropped anywhere on the page: images are classified, a folder or a
//! archive becomes the data set, a checkpoint is imported. Decided by where a file lay and by its name
//! only; whether it is what it says is for the engine to find out.

use std::collections::{HashMap, HashSet};

use super::jobs::Section;
use crate::protocol::MODEL_CONFIGS;

/// A file the user gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<F> {
    /// Its name, with the folders it lay in.
    pub path: String,
    /// Whether it came inside a folder.
    pub in_folder: bool,
    /// The browser's handle.
    pub file: F,
}

/// Dropped files, sorted by what is done with them.
#[derive(Debug, PartialEq, Eq)]
pub struct Intake<F> {
    /// To classify.
    pub images: Vec<Found<F>>,
    /// A data set of loose files.
    pub folder: Vec<Found<F>>,
    /// A data set in an archive.
    pub archive: Option<Found<F>>,
    /// Tables of labels that came with the archive; without one, for the data set in use.
    pub beside: Vec<Found<F>>,
    /// To import.
    pub checkpoint: Option<Found<F>>,
    /// What came with the checkpoint and says more about it: [`MODEL_CONFIGS`].
    pub configs: Vec<Found<F>>,
    /// Files that are passed over, and why; where that is said.
    pub notes: Vec<(Section, String)>,
}

/// Endings of archives, those included that the engine only names.
const ARCHIVES: [&str; 19] = [
    ".zip", ".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".tar.zst", ".rar",
    ".7z", ".gz", ".tbz", ".tzst", ".bz2", ".xz", ".zst", ".z01", ".001",
];

/// Endings of archives that are opened as data sets.
const OPENED: [&str; 10] = [
    ".zip", ".tar", ".tgz", ".tar.gz", ".tbz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".tar.zst",
];

/// Endings of models, those included that the engine only names.
const CHECKPOINTS: [&str; 15] = [
    ".safetensors",
    ".pth",
    ".pt",
    ".ckpt",
    ".bin",
    ".pth.tar",
    ".pkl",
    ".h5",
    ".hdf5",
    ".keras",
    ".onnx",
    ".tflite",
    ".pb",
    ".gguf",
    ".msgpack",
];

/// Endings of the values that lie outside an .onnx file.
const ONNX_DATA: [&str; 2] = [".onnx.data", ".onnx_data"];

/// Endings of most images.
const IMAGES: [&str; 10] = [
    ".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic",
];

/// Endings of tables.
const TABLES: [&str; 5] = [".csv", ".tsv", ".json", ".jsonl", ".ndjson"];

/// For a picker: everything that an archive, or a table beside it, may be called.
pub fn accept_archives() -> String {
    accept(ARCHIVES.iter().chain(&TABLES))
}

/// For a picker: everything that a table may be called.
pub fn accept_tables() -> String {
    accept(TABLES.iter())
}

/// For a picker: everything that a checkpoint, or a file that says more about it, may be called.
pub fn accept_checkpoints() -> String {
    // In a zip lies what was exported as ONNX here.
    accept(CHECKPOINTS.iter().chain(&[".json", ".zip"]))
}

/// A picker's `accept`. Browsers look at what follows the last dot.
fn accept<'a>(endings: impl Iterator<Item = &'a &'static str>) -> String {
    let last = endings.filter_map(|ending| ending.rsplit_once('.'));
    let mut list: Vec<String> = last.map(|(_, last)| format!(".{last}")).collect();
    list.sort_unstable();
    list.dedup();
    list.join(",")
}

/// Sorts dropped files. With a folder among them everything is part of the data set, so that no file
/// is lost in silence; so is everything where images come with a table. A folder as the Hugging Face hub has it is a
/// checkpoint.
pub fn sort<F>(files: Vec<Found<F>>) -> Intake<F> {
    let mut intake = Intake {
        images: Vec::new(),
        folder: Vec::new(),
        archive: None,
        beside: Vec::new(),
        checkpoint: None,
        configs: Vec::new(),
        notes: Vec::new(),
    };
    let of_hub = is_of_hub(&files);
    if files.iter().any(|f| f.in_folder) && !of_hub {
        intake.folder = files;
        return intake;
    }
    for found in files {
        let name = found.path.to_ascii_lowercase();
        let ends = |list: &[&str]| list.iter().any(|ending| name.ends_with(ending));
        if MODEL_CONFIGS.contains(&file_name(&name)) {
            intake.configs.push(found);
        } else if of_hub && !ends(&CHECKPOINTS) {
            // Its licence, its words about itself.
        } else if ends(&ONNX_DATA) {
            let text = format!(
                "{}: an .onnx file is read whose values are in the file itself; in Python: \
                 onnx.save(onnx.load('model.onnx'), 'whole.onnx')",
                found.path
            );
            intake.notes.push((Section::Model, text));
        } else if ends(&CHECKPOINTS) {
            let passed_over = put(&mut intake.checkpoint, found, "one checkpoint");
            let notes = passed_over.map(|note| (Section::Model, note));
            intake.notes.extend(notes);
        } else if ends(&ARCHIVES) {
            let passed_over = put(&mut intake.archive, found, "one archive");
            intake
                .notes
                .extend(passed_over.map(|note| (Section::Data, note)));
        } else if ends(&TABLES) {
            intake.beside.push(found);
        } else {
            intake.images.push(found);
        }
    }
    if intake.checkpoint.is_none() {
        intake.beside.append(&mut intake.configs);
    }
    // What else lies beside a checkpoint is its own, not labels.
    if intake.checkpoint.is_some() && intake.archive.is_none() && intake.images.is_empty() {
        let notes = intake.beside.drain(..).map(|table| {
            let text = format!("{}: only the checkpoint is used.", table.path);
            (Section::Model, text)
        });
        intake.notes.extend(notes);
    }
    if intake.archive.is_none() && !intake.beside.is_empty() && !intake.images.is_empty() {
        intake.folder = std::mem::take(&mut intake.images);
        intake.folder.append(&mut intake.beside);
    }
    tell_apart(&mut intake.images);
    intake
}

/// Gives files of the same path different ones, `a.png` and `a.png (2)`: answers name a file by its
/// path alone, and two pasted images have the same name.
pub fn tell_apart<F>(files: &mut [Found<F>]) {
    let mut taken = HashSet::new();
    let mut copies: HashMap<String, usize> = HashMap::new();
    for found in files {
        let mut path = found.path.clone();
        while taken.contains(&path) {
            let copy = copies.entry(found.path.clone()).or_insert(1);
            *copy += 1;
            path = format!("{} ({copy})", found.path);
        }
        taken.insert(path.clone());
        found.path = path;
    }
}

/// Whether everything lies in a folder, with a checkpoint, a [`MODEL_CONFIGS`] and no image or archive in it.
fn is_of_hub<F>(files: &[Found<F>]) -> bool {
    let names: Vec<String> = files.iter().map(|f| f.path.to_ascii_lowercase()).collect();
    let has = |list: &[&str]| {
        let ends = |name: &String| list.iter().any(|ending| name.ends_with(ending));
        names.iter().any(ends)
    };
    let has_config = names
        .iter()
        .any(|name| MODEL_CONFIGS.contains(&file_name(name)));
    files.iter().all(|f| f.in_folder)
        && has(&CHECKPOINTS)
        && has_config
        && !has(&ARCHIVES)
        && !has(&IMAGES)
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Keeps the first; of another says that it is passed over.
fn put<F>(slot: &mut Option<Found<F>>, found: Found<F>, limit: &str) -> Option<String> {
    if slot.is_none() {
        *slot = Some(found);
        return None;
    }
    Some(format!("{}: only {limit} at a time is used.", found.path))
}

/// Why a file cannot be classified; of an archive that holds images, where it is opened instead.
#[must_use]
pub fn unclassified(path: &str, reason: String) -> String {
    let name = path.to_ascii_lowercase();
    if !OPENED.iter().any(|ending| name.ends_with(ending)) {
        return reason;
    }
    let what = reason.split(';').next().unwrap_or_default();
    format!("{what}; open it under Data")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, in_folder: bool) -> Found<()> {
        Found {
            path: path.to_owned(),
            in_folder,
            file: (),
        }
    }

    fn paths(files: &[Found<()>]) -> Vec<&str> {
        files.iter().map(|f| f.path.as_str()).collect()
    }

    #[test]
    fn pickers_offer_all_that_is_sorted() {
        for (list, accepted) in [
            (&ARCHIVES[..], accept_archives()),
            (&TABLES[..], accept_archives()),
            (&CHECKPOINTS[..], accept_checkpoints()),
        ] {
            for ending in list {
                let name = format!("x{ending}");
                let offered = accepted.split(',').any(|accept| name.ends_with(accept));
                assert!(offered, "{ending}");
            }
        }
        assert!(!accept_checkpoints().contains(".."));
    }

    #[test]
    fn loose_files_go_by_their_names() {
        let intake = sort(vec![
            found("a.jpg", false),
            found("Archive.ZIP", false),
            found("head.safetensors", false),
            found("notes.txt", false),
            found("net.onnx.data", false),
        ]);
        assert!(intake.notes[0].1.starts_with("net.onnx.data: "));
        assert_eq!(paths(&intake.images), ["a.jpg", "notes.txt"]);
        assert_eq!(intake.archive, Some(found("Archive.ZIP", false)));
        assert_eq!(intake.checkpoint, Some(found("head.safetensors", false)));
        assert!(intake.folder.is_empty());
        assert_eq!(intake.notes.len(), 1);
    }

    #[test]
    fn a_folder_takes_all() {
        let intake = sort(vec![found("sea/1.jpg", true), found("b.zip", false)]);
        assert_eq!(paths(&intake.folder), ["sea/1.jpg", "b.zip"]);
        assert!(intake.archive.is_none() && intake.images.is_empty());
    }

    #[test]
    fn a_second_archive_is_passed_over_by_name() {
        let intake = sort(vec![
            found("a.zip", false),
            found("b.zip", false),
            found("a.pth", false),
            found("b.pth", false),
        ]);
        assert_eq!(intake.archive, Some(found("a.zip", false)));
        assert_eq!(intake.checkpoint, Some(found("a.pth", false)));
        assert_eq!(
            intake.notes,
            [
                (
                    Section::Data,
                    "b.zip: only one archive at a time is used.".to_owned()
                ),
                (
                    Section::Model,
                    "b.pth: only one checkpoint at a time is used.".to_owned()
                )
            ]
        );
    }

    #[test]
    fn models_are_known_by_every_ending_that_people_have() {
        for name in [
            "a.pt",
            "b.CKPT",
            "pytorch_model.bin",
            "resnet18_places365.pth.tar",
            "m.keras",
        ] {
            let intake = sort(vec![found(name, false)]);
            assert_eq!(intake.checkpoint, Some(found(name, false)), "{name}");
        }
        for name in ["set.tar", "flowers.tgz", "flowers.tar.gz", "set.7z"] {
            let intake = sort(vec![found(name, false)]);
            assert_eq!(intake.archive, Some(found(name, false)), "{name}");
        }
    }

    #[test]
    fn a_table_goes_with_the_images_or_the_archive_it_came_with() {
        let intake = sort(vec![found("train.zip", false), found("labels.csv", false)]);
        assert_eq!(paths(&intake.beside), ["labels.csv"]);
        assert!(intake.archive.is_some() && intake.folder.is_empty());
        let intake = sort(vec![found("1.jpg", false), found("labels.csv", false)]);
        assert_eq!(paths(&intake.folder), ["1.jpg", "labels.csv"]);
        assert!(intake.images.is_empty() && intake.beside.is_empty());
        let intake = sort(vec![found("labels.csv", false)]);
        assert!(intake.folder.is_empty() && intake.archive.is_none());
        assert_eq!(paths(&intake.beside), ["labels.csv"]);
        let intake = sort(vec![found("labels.json", false), found("a.bin", false)]);
        assert!(intake.beside.is_empty() && intake.notes.len() == 1);
    }

    #[test]
    fn what_the_hub_keeps_beside_a_checkpoint_goes_with_it() {
        let loose = sort(vec![found("config.json", false), found("a.bin", false)]);
        assert_eq!(paths(&loose.configs), ["config.json"]);
        assert_eq!(loose.checkpoint, Some(found("a.bin", false)));
        assert!(loose.beside.is_empty() && loose.notes.is_empty());

        let hub = [
            "r/.gitattributes",
            "r/README.md",
            "r/config.json",
            "r/model.safetensors",
        ];
        let mut files: Vec<_> = hub.iter().map(|name| found(name, true)).collect();
        let folder = sort(files.clone());
        assert_eq!(folder.checkpoint, Some(found("r/model.safetensors", true)));
        assert_eq!(paths(&folder.configs), ["r/config.json"]);
        assert!(folder.folder.is_empty() && folder.images.is_empty() && folder.notes.is_empty());

        files.push(found("r/pytorch_model.bin", true));
        assert_eq!(sort(files.clone()).notes.len(), 1);
        files.push(found("r/cat/1.jpg", true));
        assert_eq!(sort(files).folder.len(), 6);

        // Without a checkpoint it may be a table like another.
        let table = sort(vec![found("config.json", false), found("1.jpg", false)]);
        assert_eq!(table.folder.len(), 2);
    }

    #[test]
    fn an_archive_among_the_images_is_sent_to_the_data() {
        let said = |path| {
            unclassified(
                path,
                "is a zip archive, not an image; unpack it first".into(),
            )
        };
        assert_eq!(
            said("a.ZIP"),
            "is a zip archive, not an image; open it under Data"
        );
        assert!(said("a.jpg").ends_with("unpack it first"));
        assert!(said("a.rar").ends_with("unpack it first"));
        for ending in OPENED {
            assert!(ARCHIVES.contains(&ending), "{ending}");
        }
    }

    #[test]
    fn equal_names_are_told_apart_even_from_each_other() {
        let names = ["image.png", "image.png (2)", "image.png", "image.png"];
        let intake = sort(names.iter().map(|n| found(n, false)).collect());
        assert_eq!(
            paths(&intake.images),
            [
                "image.png",
                "image.png (2)",
                "image.png (3)",
                "image.png (4)"
            ]
        );
    }
}
