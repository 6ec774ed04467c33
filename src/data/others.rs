//! What lies beside the images of a data set and is none: archives, pictures that are not opened, folders of nothing.
//! A tree of images alone does not show that `test` lay beside `train.zip`, or that a class has HEIC photos only: the
//! test images were trained on, and the class was gone without a word.

use std::collections::{BTreeMap, BTreeSet};

use super::hidden::hidden;
use super::kinds::names_masks;
use super::labelling::many;
use super::layout::{Other, file_name, not_an_image, parent};
use super::parts::said;
use crate::protocol::{Part, Skipped};

/// Files of one folder that are no images here.
#[derive(Debug, Clone, Default)]
struct Held {
    /// Pictures that are not opened, and archives: what may hold images of the data set.
    pictures: usize,
    /// Texts, tables, videos and other files.
    files: usize,
    /// One of them, of the pictures if there are some, and why it is left out.
    example: Option<(String, String)>,
}

impl Held {
    fn add(&mut self, file: &str, reason: &str, is_picture: bool) {
        let is_first = if is_picture {
            self.pictures += 1;
            self.pictures == 1
        } else {
            self.files += 1;
            self.files == 1 && self.pictures == 0
        };
        if is_first {
            self.example = Some((file.to_owned(), reason.to_owned()));
        }
    }

    fn append(&mut self, other: &Self) {
        if self.example.is_none() || (self.pictures == 0 && other.pictures > 0) {
            self.example.clone_from(&other.example);
        }
        self.pictures += other.pictures;
        self.files += other.files;
    }

    const fn is_empty(&self) -> bool {
        self.pictures + self.files == 0
    }

    /// What is in the folder of that name.
    fn sentence(&self, name: &str) -> String {
        let held = self.pictures + self.files;
        match &self.example {
            Some((file, reason)) if held == 1 => format!(
                "The folder \u{201c}{name}\u{201d} has no image that can be read: {file} {reason}."
            ),
            Some((file, reason)) => format!(
                "The folder \u{201c}{name}\u{201d} has no image that can be read: of its {}, {file} {reason}.",
                many(held, "file")
            ),
            None => {
                format!("The folder \u{201c}{name}\u{201d} holds no file, or hidden ones alone.")
            }
        }
    }
}

/// A folder beside class folders in which no image lies.
pub(super) struct Bare {
    pub(super) path: String,
    /// Whether it is a class that lacks its images; else it holds something else.
    pub(super) is_class: bool,
    /// What is in it.
    pub(super) sentence: String,
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Others {
    /// By folder; one that holds nothing but litter is there too.
    folders: BTreeMap<String, Held>,
    /// Archives, with the reason why they are left out.
    archives: BTreeMap<String, String>,
}

impl Others {
    /// Takes note of what a system or a program left in a folder.
    pub(super) fn litter(&mut self, path: &str) {
        self.folder(parent(path));
    }

    /// Takes note of a folder.
    pub(super) fn folder(&mut self, path: &str) {
        if !path.is_empty() && hidden(path).is_none() {
            self.folders.entry(path.to_owned()).or_default();
        }
    }

    /// Takes note of a file that is left out.
    pub(super) fn file(&mut self, skipped: &Skipped) {
        let Skipped {
            file,
            reason,
            failed,
        } = skipped;
        let is_archive = not_an_image(file) == Some(Other::Archive);
        if is_archive {
            self.archives.insert(file.clone(), reason.clone());
        }
        let held = self.folders.entry(parent(file).to_owned()).or_default();
        held.add(file, reason, *failed || is_archive);
    }

    /// Whether beside a folder for a part something lies that may hold the images of other parts: an archive, a folder
    /// of pictures that are not opened, one for training that holds no images.
    pub(super) fn are_beside(&self, folder: &str, name: &str, part: Part) -> bool {
        let is_other = |name: &str| said(name).is_none_or(|said| said.part != part);
        let archive = |path: &String| {
            let stem = file_name(path).split('.').next().unwrap_or_default();
            parent(path) == folder && is_other(stem)
        };
        let beside = |(path, held): (&String, &Held)| {
            let Some(top) = top_below(path, folder).filter(|top| *top != name) else {
                return false;
            };
            let says = said(top).map(|said| said.part);
            is_other(top) && (held.pictures > 0 || says.is_some_and(|says| says < part))
        };
        self.archives.keys().any(archive) || self.folders.iter().any(beside)
    }

    /// Why there is nothing to train on, if something is called as for training and holds no image.
    pub(super) fn missing(&self, images: &[String]) -> Option<String> {
        let trains = |name: &str| said(name).is_some_and(|said| said.part == Part::Train);
        let stem = |path: &str| file_name(path).split('.').next().map(str::to_owned);
        let archive = |(path, _): &(&String, &String)| stem(path).is_some_and(|stem| trains(&stem));
        if let Some((path, reason)) = self.archives.iter().find(archive) {
            return Some(format!("{path} {reason}."));
        }
        let filled = above(images);
        let mut found: BTreeMap<&str, Held> = BTreeMap::new();
        for (path, held) in &self.folders {
            let mut at = 0;
            for name in path.split('/') {
                at += name.len();
                if trains(name) && !filled.contains(&path[..at]) {
                    found.entry(&path[..at]).or_default().append(held);
                    break;
                }
                at += 1;
            }
        }
        if let Some((path, held)) = found.iter().max_by_key(|(_, held)| held.pictures) {
            return Some(held.sentence(file_name(path)));
        }
        if let Some((path, reason)) = self.archives.first_key_value() {
            return Some(format!("{path} {reason}."));
        }
        let pictures = (self.folders.iter()).filter(|(_, held)| held.pictures > 0);
        let (path, held) = pictures.max_by_key(|(_, held)| held.pictures)?;
        (!filled.contains(path.as_str())).then(|| held.sentence(file_name(path)))
    }

    /// The folders that lie in one of `beside` and have no image in them.
    pub(super) fn bare(&self, images: &[String], beside: &BTreeSet<&str>) -> Vec<Bare> {
        let filled = above(images);
        let mut found: BTreeMap<&str, Held> = BTreeMap::new();
        for (path, held) in &self.folders {
            let mut at = path.as_str();
            while !at.is_empty() {
                let name = file_name(at);
                if beside.contains(parent(at)) && !filled.contains(at) && !name.starts_with('.') {
                    found.entry(at).or_default().append(held);
                    break;
                }
                at = parent(at);
            }
        }
        let bare = |(path, held): (&str, Held)| {
            let name = file_name(path);
            let says = said(name).is_some_and(|said| said.alone) || names_masks(name);
            (!says).then(|| Bare {
                path: path.to_owned(),
                is_class: held.pictures > 0 || held.is_empty(),
                sentence: held.sentence(name),
            })
        };
        found.into_iter().filter_map(bare).collect()
    }
}

/// The outermost folder that a path has below a folder.
fn top_below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let rest = match folder {
        "" => path,
        folder => path.strip_prefix(folder)?.strip_prefix('/')?,
    };
    rest.split('/').next().filter(|top| !top.is_empty())
}

/// All folders that some files lie in, at any depth.
fn above(files: &[String]) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    for file in files {
        let mut at = parent(file);
        while !at.is_empty() && found.insert(at) {
            at = parent(at);
        }
    }
    found
}
