//! What a name that begins with a dot hides, by one rule for folders on disk, archives and the indexer.

use std::collections::BTreeMap;

use super::labelling::{list, many};
use super::layout::file_name;
use crate::image::kind::Kind;
use crate::protocol::Skipped;

/// What a name that begins with a dot hides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hidden<'a> {
    /// What a system or a program left there, which nobody wants to read about, or a hidden file.
    Litter,
    /// A folder that someone may have named so: its path.
    Folder(&'a str),
}

/// Folders and files that systems and programs make, in small letters.
const LITTER: [&str; 44] = [
    "__macosx",
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "@eadir",
    "$recycle.bin",
    "system volume information",
    ".ds_store",
    ".git",
    ".svn",
    ".hg",
    ".bzr",
    ".github",
    ".ipynb_checkpoints",
    ".cache",
    ".thumbnails",
    ".thumb",
    ".thumbs",
    ".trash",
    ".trashes",
    ".spotlight-v100",
    ".fseventsd",
    ".temporaryitems",
    ".documentrevisions-v100",
    ".appledouble",
    ".idea",
    ".vscode",
    ".venv",
    ".tox",
    ".mypy_cache",
    ".pytest_cache",
    ".npm",
    ".dvc",
    ".config",
    ".local",
    ".kaggle",
    ".keras",
    ".torch",
    ".picasaoriginals",
    ".@__thumb",
    ".xvpics",
    ".sync",
    ".dropbox.cache",
    ".stfolder",
];

/// Whether one part of a path is litter.
fn is_litter(part: &str) -> bool {
    LITTER.iter().any(|name| part.eq_ignore_ascii_case(name)) || part.starts_with("._") || {
        let trash = part.get(..".trash-".len());
        trash.is_some_and(|start| start.eq_ignore_ascii_case(".trash-"))
    }
}

/// What hides the file at a path; none if nothing does.
#[must_use]
pub fn hidden(path: &str) -> Option<Hidden<'_>> {
    if path.split('/').any(is_litter) {
        return Some(Hidden::Litter);
    }
    let mut at = 0;
    for part in path.split('/') {
        at += part.len();
        if part.starts_with('.') && part != "." && part != ".." {
            return Some(match path.get(..at) {
                Some(folder) if at < path.len() => Hidden::Folder(folder),
                _ => Hidden::Litter,
            });
        }
        at += 1;
    }
    None
}

/// What hides a file of a data set that lies in the folder `common`, with its slash: that folder's own name is the
/// user's business.
#[must_use]
pub fn hidden_below<'a>(path: &'a str, common: &str) -> Option<Hidden<'a>> {
    let rest = path.strip_prefix(common).unwrap_or(path);
    match hidden(path) {
        Some(Hidden::Folder(_)) => match hidden(rest)? {
            Hidden::Litter => Some(Hidden::Litter),
            Hidden::Folder(folder) => path
                .get(..path.len() - rest.len() + folder.len())
                .map(Hidden::Folder),
        },
        other => other,
    }
}

/// Counts the images in hidden folders, which are not used and not kept quiet about.
#[derive(Debug, Clone, Default)]
pub struct HiddenFolders(BTreeMap<String, usize>);

impl HiddenFolders {
    /// Takes note of a file in a hidden folder, if it is a picture by its name and not hidden itself.
    pub fn note(&mut self, folder: &str, path: &str) {
        if !Kind::of_name(path).is_picture() || file_name(path).starts_with('.') {
            return;
        }
        if let Some(images) = self.0.get_mut(folder) {
            *images += 1;
        } else {
            self.0.insert(folder.to_owned(), 1);
        }
    }

    /// A sentence about all of them, if there are any.
    #[must_use]
    pub fn sentence(&self) -> Option<String> {
        let names: Vec<&str> = self.0.keys().map(|folder| file_name(folder)).collect();
        let total: usize = self.0.values().sum();
        let (folders, are_hidden) = match names.len() {
            0 => return None,
            1 => ("folder", "is"),
            _ => ("folders", "are"),
        };
        Some(format!(
            "{} in the {folders} {}, which {are_hidden} hidden, {} left out.",
            many(total, "image"),
            list(&names),
            if total == 1 { "is" } else { "are" },
        ))
    }

    /// One entry for each folder.
    pub fn skipped(self) -> impl Iterator<Item = Skipped> {
        self.0.into_iter().map(|(folder, images)| {
            let reason = format!(
                "is a hidden folder with {}; rename it without the dot at its beginning to use it",
                many(images, "image")
            );
            Skipped::passed_over(folder, reason)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn litter_is_not_worth_a_word() {
        for path in [
            "a/.DS_Store",
            "__MACOSX/a/1.jpg",
            "a/Thumbs.db",
            ".git/x.png",
            "Desktop.ini",
            "a/.ipynb_checkpoints/1.jpg",
            "a/._1.jpg",
            "a/.1.jpg",
            ".Trash-1000/files/1.jpg",
        ] {
            assert_eq!(hidden(path), Some(Hidden::Litter), "{path}");
        }
        for path in ["a/b.c/1.jpg", "./a/1.jpg", "../a/1.jpg"] {
            assert_eq!(hidden(path), None, "{path}");
        }
    }

    #[test]
    fn a_hidden_folder_is_found_below_the_common_one() {
        for (path, common, folder) in [
            ("ammo/.22/1.jpg", "ammo/", Some("ammo/.22")),
            (".set/a/1.jpg", ".set/", None),
            (".set/.b/1.jpg", ".set/", Some(".set/.b")),
            (".set/a/1.jpg", "", Some(".set")),
            ("a/./.b/c/1.jpg", "", Some("a/./.b")),
        ] {
            assert_eq!(
                hidden_below(path, common),
                folder.map(Hidden::Folder),
                "{path}"
            );
        }
        assert_eq!(hidden_below(".set/a/.1.jpg", ".set/"), Some(Hidden::Litter));
        assert_eq!(
            hidden_below(".set/.git/1.jpg", ".set/"),
            Some(Hidden::Litter)
        );
    }

    #[test]
    fn images_of_hidden_folders_are_counted() {
        let mut folders = HiddenFolders::default();
        for path in ["a/.b/1.jpg", "a/.b/2.heic", "a/.b/notes", "a/.b/.3.jpg"] {
            folders.note("a/.b", path);
        }
        assert_eq!(
            folders.sentence().as_deref(),
            Some("2 images in the folder .b, which is hidden, are left out.")
        );
        assert_eq!(folders.skipped().count(), 1);
        assert_eq!(HiddenFolders::default().sentence(), None);
    }
}
