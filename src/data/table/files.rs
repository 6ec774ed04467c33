//! Which image a cell of a table names.

use crate::data::labelling::clean;
use crate::data::layout::{file_name, parent};
use crate::data::parts;
use crate::fnv;
use crate::protocol::Part;

/// Folders of a path that are compared, the name counted.
const DEPTH: usize = 4;
/// Images under one name that are looked at.
const LOOK_AT: usize = 64;

/// What a cell names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::data) enum Match {
    /// This image.
    One(usize),
    /// No image that is here.
    None,
    /// Several images of one name, in different folders.
    Several,
}

/// The images by the ends of their paths: with and without folders and ending, case aside.
pub(in crate::data) struct Files<'a> {
    paths: &'a [String],
    /// The part that an image's folders say.
    parts: &'a [Option<Part>],
    /// Hash of the end of a path, image. Sorted.
    ends: Vec<(u64, u32)>,
}

/// A hash of the lower-case text.
fn hash(text: &str) -> u64 {
    if text.is_ascii() {
        fnv::add(fnv::START, text.bytes().map(|b| b.to_ascii_lowercase()))
    } else {
        fnv::add(fnv::START, clean(text).to_lowercase().bytes())
    }
}

/// A path without the ending of its name.
fn stem(path: &str) -> &str {
    let name = file_name(path);
    match name.rfind('.') {
        Some(at) if at > 0 && name.len() - at <= 6 => &path[..path.len() - (name.len() - at)],
        _ => path,
    }
}

/// The ends of a path, the longest last: `c.jpg`, `b/c.jpg`, `a/b/c.jpg`.
fn ends(path: &str) -> impl Iterator<Item = &str> {
    let slashes = path.rmatch_indices('/').map(|(at, _)| at + 1);
    slashes
        .chain(std::iter::once(0))
        .take(DEPTH)
        .map(|at| &path[at..])
}

impl<'a> Files<'a> {
    pub(in crate::data) fn new(paths: &'a [String], parts: &'a [Option<Part>]) -> Self {
        let mut all = Vec::with_capacity(paths.len() * 5);
        for (image, path) in paths.iter().enumerate() {
            let image = image as u32;
            let bare = stem(path);
            all.extend(ends(path).map(|end| (hash(end), image)));
            if bare.len() < path.len() {
                all.extend(ends(bare).map(|end| (hash(end), image)));
            }
        }
        all.sort_unstable();
        all.dedup();
        Self {
            paths,
            parts,
            ends: all,
        }
    }

    pub(in crate::data) fn len(&self) -> usize {
        self.paths.len()
    }

    pub(in crate::data) fn path(&self, image: usize) -> &'a str {
        self.paths.get(image).map_or("", String::as_str)
    }

    /// The part that an image's folders say.
    pub(in crate::data) fn part(&self, image: usize) -> Option<Part> {
        self.parts.get(image).copied().flatten()
    }

    fn under(&self, hash: u64) -> &[(u64, u32)] {
        let begin = self.ends.partition_point(|e| e.0 < hash);
        let rest = &self.ends[begin..];
        &rest[..rest.partition_point(|e| e.0 == hash)]
    }

    /// The image that a cell names; `hint` is the part that the row or the table speaks of: an image that
    /// lies in the folder of another part is not meant.
    pub(in crate::data) fn find(&self, cell: &str, hint: Option<Part>) -> Match {
        let cell = cell.trim();
        if cell.is_empty() || cell.len() > 1000 {
            return Match::None;
        }
        let slashed;
        let cell = if cell.contains('\\') {
            slashed = cell.replace('\\', "/");
            slashed.as_str()
        } else {
            cell
        };
        let cell = cell.trim_start_matches("./").trim_matches('/');
        // What the cell's own folders say counts more than the table's name.
        let hint = parent(cell)
            .rsplit('/')
            .find_map(|folder| parts::said(folder).map(|s| s.part))
            .or(hint);
        let bare = stem(cell);
        let found = self.find_end(cell, hint);
        if found == Match::None && bare.len() < cell.len() {
            // The file may have another ending than the table says.
            return self.find_end(bare, hint);
        }
        found
    }

    fn find_end(&self, cell: &str, hint: Option<Part>) -> Match {
        let fits = |image: usize| match (self.part(image), hint) {
            (Some(is), Some(said)) => is == said || Part::Unlabelled == is,
            _ => true,
        };
        let mut several: Vec<&str> = ends(cell).collect();
        while let Some(end) = several.pop() {
            let all = self.under(hash(end));
            let mut found = all
                .iter()
                .take(LOOK_AT)
                .map(|e| e.1 as usize)
                .filter(|&image| fits(image));
            let Some(first) = found.next() else { continue };
            let rest: Vec<usize> = found.collect();
            if rest.is_empty() {
                return Match::One(first);
            }
            // `cat.jpg` beside `Cat.JPG`, or `a.jpg` beside `a.png`: the very name counts.
            let exact = |&image: &usize| {
                let path = self.path(image);
                path.len() >= end.len() && path.as_bytes().ends_with(end.as_bytes())
            };
            let mut exact = std::iter::once(first).chain(rest).filter(exact);
            return match (exact.next(), exact.next()) {
                (Some(one), None) => Match::One(one),
                _ => Match::Several,
            };
        }
        Match::None
    }

    /// Whether a cell names an image, any; a bare word does not, which may be a header's.
    pub(in crate::data) fn has(&self, cell: &str) -> bool {
        let number = !cell.is_empty() && cell.bytes().all(|b| b.is_ascii_digit());
        (number || cell.contains('.')) && self.find(cell, None) != Match::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_names_a_file_with_and_without_folders_and_ending() {
        let paths = [
            "set/train/1.jpg",
            "set/train/2.jpg",
            "set/test/1.jpg",
            "set/a.b/x.y.png",
            "set/Cat.JPG",
            "set/cafe\u{301}.jpg",
        ]
        .map(str::to_owned);
        let (train, test) = (Some(Part::Train), Some(Part::Test));
        let parts = [train, train, test, None, None, None];
        let files = Files::new(&paths, &parts);
        let cases = [
            ("set/train/1.jpg", None, Match::One(0)),
            ("train/1.jpg", None, Match::One(0)),
            ("train\\1", None, Match::One(0)),
            ("/kaggle/input/set/test/1.jpg", None, Match::One(2)),
            ("1.jpg", None, Match::Several),
            ("1.jpg", train, Match::One(0)),
            ("1", test, Match::One(2)),
            ("2", None, Match::One(1)),
            ("2.png", None, Match::One(1)),
            // A file of the test set is not the one of the training set.
            ("test/2.jpg", None, Match::None),
            ("2.jpg", test, Match::None),
            ("x.y", None, Match::One(3)),
            ("x.y.png", None, Match::One(3)),
            ("cat.jpg", None, Match::One(4)),
            ("caf\u{e9}.jpg", None, Match::One(5)),
            ("3.jpg", None, Match::None),
            ("", None, Match::None),
        ];
        for (cell, hint, expected) in cases {
            assert_eq!(files.find(cell, hint), expected, "{cell} {hint:?}");
        }
    }
}
