//! What to do with files that were dropped anywhere on the page: images are classified, a folder or a
//! zip becomes the data set, a checkpoint is imported. Decided by where a file lay and by its name
//! only; whether it is what it says is for the engine to find out.

use std::collections::{HashMap, HashSet};

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
    pub zip: Option<Found<F>>,
    /// To import.
    pub checkpoint: Option<Found<F>>,
    /// Files that are passed over, and why.
    pub notes: Vec<String>,
}

/// Sorts dropped files. With a folder among them everything is part of the data set, so that no file
/// is lost in silence.
pub fn sort<F>(files: Vec<Found<F>>) -> Intake<F> {
    let mut intake = Intake {
        images: Vec::new(),
        folder: Vec::new(),
        zip: None,
        checkpoint: None,
        notes: Vec::new(),
    };
    if files.iter().any(|f| f.in_folder) {
        intake.folder = files;
        return intake;
    }
    for found in files {
        let name = found.path.to_ascii_lowercase();
        if name.ends_with(".zip") {
            put(&mut intake.zip, found, "one archive", &mut intake.notes);
        } else if name.ends_with(".safetensors") || name.ends_with(".pth") {
            let notes = &mut intake.notes;
            put(&mut intake.checkpoint, found, "one checkpoint", notes);
        } else {
            intake.images.push(found);
        }
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

fn put<F>(slot: &mut Option<Found<F>>, found: Found<F>, limit: &str, notes: &mut Vec<String>) {
    if slot.is_none() {
        *slot = Some(found);
    } else {
        notes.push(format!("{}: only {limit} at a time is used.", found.path));
    }
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
    fn loose_files_go_by_their_names() {
        let intake = sort(vec![
            found("a.jpg", false),
            found("Archive.ZIP", false),
            found("head.safetensors", false),
            found("notes.txt", false),
        ]);
        assert_eq!(paths(&intake.images), ["a.jpg", "notes.txt"]);
        assert_eq!(intake.zip, Some(found("Archive.ZIP", false)));
        assert_eq!(intake.checkpoint, Some(found("head.safetensors", false)));
        assert!(intake.folder.is_empty() && intake.notes.is_empty());
    }

    #[test]
    fn a_folder_takes_all() {
        let intake = sort(vec![found("sea/1.jpg", true), found("b.zip", false)]);
        assert_eq!(paths(&intake.folder), ["sea/1.jpg", "b.zip"]);
        assert!(intake.zip.is_none() && intake.images.is_empty());
    }

    #[test]
    fn a_second_archive_is_passed_over_by_name() {
        let intake = sort(vec![
            found("a.zip", false),
            found("b.zip", false),
            found("a.pth", false),
            found("b.pth", false),
        ]);
        assert_eq!(intake.zip, Some(found("a.zip", false)));
        assert_eq!(intake.checkpoint, Some(found("a.pth", false)));
        assert_eq!(
            intake.notes,
            [
                "b.zip: only one archive at a time is used.",
                "b.pth: only one checkpoint at a time is used."
            ]
        );
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
