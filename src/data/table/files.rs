//! Which image a cell of a table names.

use std::collections::HashSet;

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
    /// Hashes of the names of the folders that images lie in.
    folders: HashSet<u64>,
    /// Number in the name of an image, image; sorted. Empty unless the images are numbered.
    numbers: Vec<(u64, u32)>,
}

/// The number in a name that has one alone: 7 of `img_007.jpg`.
fn number(path: &str) -> Option<u64> {
    let name = file_name(stem(path));
    let mut groups = name
        .split(|c: char| !c.is_ascii_digit())
        .filter(|group| !group.is_empty());
    let (first, None) = (groups.next()?, groups.next()) else {
        return None;
    };
    first.parse().ok()
}

/// A path without `%20` and the like, as addresses have it; none if there is nothing of the kind.
fn decoded(path: &str) -> Option<String> {
    if !path.contains('%') {
        return None;
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .filter(|_| byte == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code {
            Some(code) => {
                bytes.push(code);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// A name without the eight hexadecimal digits that Label Studio puts before the names of files it is given:
/// `cat.jpg` of `3f2a91bc-cat.jpg`.
fn without_upload(name: &str) -> Option<&str> {
    let (prefix, rest) = name.split_once('-')?;
    let is_prefix = prefix.len() == 8 && prefix.bytes().all(|b| b.is_ascii_hexdigit());
    (is_prefix && !rest.is_empty()).then_some(rest)
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
    /// Images that are left out (masks) go under no name: that of the photo beside them is not made ambiguous.
    pub(in crate::data) fn new(
        paths: &'a [String],
        parts: &'a [Option<Part>],
        left_out: &[bool],
    ) -> Self {
        let is_here = |image: usize| left_out.get(image) != Some(&true);
        let named = || (paths.iter().enumerate()).filter(|(image, _)| is_here(*image));
        let mut all = Vec::with_capacity(paths.len() * 5);
        for (image, path) in named() {
            let image = image as u32;
            let bare = stem(path);
            all.extend(ends(path).map(|end| (hash(end), image)));
            if bare.len() < path.len() {
                all.extend(ends(bare).map(|end| (hash(end), image)));
            }
        }
        all.sort_unstable();
        all.dedup();
        let mut numbers: Vec<(u64, u32)> = named()
            .filter_map(|(image, path)| Some((number(path)?, image as u32)))
            .collect();
        if numbers.len() * 10 < named().count() * 9 {
            numbers.clear();
        }
        numbers.sort_unstable();
        Self {
            paths,
            parts,
            ends: all,
            folders: named()
                .map(|(_, path)| hash(file_name(parent(path))))
                .collect(),
            numbers,
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
        let found = self.find_name(cell, hint);
        if found != Match::None {
            return found;
        }
        // An address: what follows `?d=` is a path, what follows another `?` is none.
        let path = match cell.split_once('?') {
            Some((_, query)) if query.starts_with("d=") => &query[2..],
            Some((path, _)) => path,
            None => cell,
        };
        let decoded = decoded(path);
        let path = decoded.as_deref().unwrap_or(path).trim_matches('/');
        let found = match path == cell {
            true => Match::None,
            false => self.find_name(path, hint),
        };
        match without_upload(file_name(path)) {
            Some(name) if found == Match::None => self.find_name(name, hint),
            _ => found,
        }
    }

    /// The image that a cell names, in the folder of another part if there is none in that of `hint`: a list may call
    /// an image of the training folder a test image. A number alone goes no further than its part, since every part
    /// has an image of that number.
    pub(in crate::data) fn find_beyond(&self, cell: &str, hint: Option<Part>) -> Match {
        let found = self.find(cell, hint);
        let is_number = |cell: &str| stem(cell).bytes().all(|b| b.is_ascii_digit());
        match found {
            Match::None if hint.is_some() && !is_number(cell.trim()) => self.find(cell, None),
            found => found,
        }
    }

    /// The image that a path names, with its ending or another one.
    fn find_name(&self, path: &str, hint: Option<Part>) -> Match {
        let found = self.find_end(path, hint);
        let bare = stem(path);
        if found == Match::None && bare.len() < path.len() {
            // The file may have another ending than the table says.
            return self.find_end(bare, hint);
        }
        found
    }

    /// Whether images lie in a folder of the name of that which a cell names; none if it names none.
    pub(in crate::data) fn folder_is_here(&self, cell: &str) -> Option<bool> {
        let folder = match cell.rfind(['/', '\\']) {
            Some(at) => cell[..at].rsplit(['/', '\\']).next()?,
            None => return None,
        };
        (!folder.is_empty()).then(|| self.folders.contains(&hash(folder)))
    }

    fn fits(&self, image: usize, hint: Option<Part>) -> bool {
        match (self.part(image), hint) {
            (Some(is), Some(said)) => is == said || Part::Unlabelled == is,
            _ => true,
        }
    }

    /// The image that has a number in its name, where the images are numbered: `7` names `img_007.jpg`.
    pub(in crate::data) fn find_number(&self, cell: &str, hint: Option<Part>) -> Match {
        let whole = !cell.is_empty() && cell.bytes().all(|b| b.is_ascii_digit());
        let Some(wanted) = cell.parse::<u64>().ok().filter(|_| whole) else {
            return Match::None;
        };
        let begin = self.numbers.partition_point(|n| n.0 < wanted);
        let mut found = self.numbers[begin..]
            .iter()
            .take_while(|n| n.0 == wanted)
            .take(LOOK_AT)
            .map(|n| n.1 as usize)
            .filter(|&image| self.fits(image, hint));
        match (found.next(), found.next()) {
            (Some(one), None) => Match::One(one),
            (Some(_), Some(_)) => Match::Several,
            _ => Match::None,
        }
    }

    fn find_end(&self, cell: &str, hint: Option<Part>) -> Match {
        let fits = |image: usize| self.fits(image, hint);
        // `cat/7.jpg` is no image of another folder if there is a folder `cat`.
        let is_here = self.folder_is_here(cell) == Some(true);
        let mut several: Vec<&str> = ends(cell).skip(usize::from(is_here)).collect();
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
        let files = Files::new(&paths, &parts, &[]);
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

    #[test]
    fn a_folder_that_is_here_counts() {
        let paths = ["cat/1.jpg", "cat/2.jpg", "dog/7.jpg"].map(str::to_owned);
        let files = Files::new(&paths, &[None, None, None], &[]);
        assert_eq!(files.find("cat/7.jpg", None), Match::None);
        assert_eq!(files.find("dog/7", None), Match::One(2));
        assert_eq!(files.find("photos/7.jpg", None), Match::One(2));
    }

    #[test]
    fn addresses_of_label_studio_name_files() {
        let paths = ["x/my cat.jpg", "x/12345678-dog.jpg", "x/owl.jpg"].map(str::to_owned);
        let files = Files::new(&paths, &[None, None, None], &[]);
        for (cell, expected) in [
            ("/data/upload/1/3f2a91bc-my%20cat.jpg", Match::One(0)),
            ("/data/upload/1/3f2a91bc-owl.jpg", Match::One(2)),
            ("/data/upload/1/12345678-dog.jpg", Match::One(1)),
            ("/data/local-files/?d=x/my%20cat.jpg", Match::One(0)),
            ("https://there.org/x/owl.jpg?token=a/b.jpg", Match::One(2)),
            ("/data/upload/1/3f2a91b-owl.jpg", Match::None),
            ("/data/upload/1/3f2a91bc-emu.jpg", Match::None),
        ] {
            assert_eq!(files.find(cell, None), expected, "{cell}");
        }
    }

    #[test]
    fn numbers_name_images_that_are_numbered() {
        let paths = ["x/img_001.jpg", "x/img_002.jpg", "y/2.jpg"].map(str::to_owned);
        let (train, test) = (Some(Part::Train), Some(Part::Test));
        let parts = [train, train, test];
        let files = Files::new(&paths, &parts, &[]);
        assert_eq!(files.find_number("1", None), Match::One(0));
        assert_eq!(files.find_number("2", None), Match::Several);
        assert_eq!(files.find_number("2", test), Match::One(2));
        assert_eq!(files.find_number("3", None), Match::None);
        let paths = ["x/img_1.jpg", "x/img_2_3.jpg", "x/cat.jpg"].map(str::to_owned);
        let files = Files::new(&paths, &[None, None, None], &[]);
        assert_eq!(files.find_number("1", None), Match::None);
    }
}
