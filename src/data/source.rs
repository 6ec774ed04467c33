//! Where files come from. One trait, so that nothing behind it knows whether it reads a folder, a zip or
//! drawings.

use std::collections::BTreeMap;
use std::io::Read;

use crate::error::{Error, Result};
use crate::image::kind::Kind;
use crate::platform::files::InputFile;
use crate::protocol::Skipped;

/// A list of files that can be read one at a time, in any order.
pub trait Source {
    /// Files in the list, images or not.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The path of file i, with `/` between its parts; empty past the end.
    fn path(&self, i: usize) -> &str;

    /// Bytes of file i. Of a drawing, those of its pixels: the file is not made before it is read.
    fn size(&self, i: usize) -> u64;

    /// What tells its content apart without reading it, where that is free: [`fingerprint`] of the bytes,
    /// or, of a drawing, what it follows from.
    fn fingerprint(&self, i: usize) -> Option<u64>;

    /// The whole file.
    ///
    /// # Errors
    /// [`Error::Storage`] or [`Error::Decode`] naming the file.
    fn read(&mut self, i: usize) -> Result<Vec<u8>>;

    /// The first `n` bytes of file i, or all if it has fewer: enough to tell what it is.
    ///
    /// # Errors
    /// As [`Source::read`].
    fn head(&mut self, i: usize, n: usize) -> Result<Vec<u8>> {
        let mut bytes = self.read(i)?;
        bytes.truncate(n);
        Ok(bytes)
    }

    /// Entries that were refused before any was read, with the reason each.
    fn refused(&self) -> &[Skipped] {
        &[]
    }

    /// Folders that hold no file, where the source knows of such.
    fn empty_folders(&self) -> &[String] {
        &[]
    }
}

/// CRC-32 and length of a content, which is what a zip states about each entry for free. Two different
/// images of one data set agree in both about once in 4 billion pairs of equal length.
#[must_use]
pub fn fingerprint(crc32: u32, len: u64) -> u64 {
    u64::from(crc32) << 32 | (len & 0xffff_ffff)
}

/// Loose files under paths.
#[derive(Debug, Clone, Default)]
pub struct FolderSource {
    files: Vec<(String, InputFile)>,
    refused: Vec<Skipped>,
}

impl FolderSource {
    /// Files with the paths they lay under, separated by `/`, as `platform::files::list_folder` or a
    /// dropped folder give them.
    #[must_use]
    pub const fn new(files: Vec<(String, InputFile)>) -> Self {
        Self::with_refused(files, Vec::new())
    }

    /// The same, with what was found beside them and cannot be used.
    #[must_use]
    pub const fn with_refused(files: Vec<(String, InputFile)>, refused: Vec<Skipped>) -> Self {
        Self { files, refused }
    }
}

impl Source for FolderSource {
    fn len(&self) -> usize {
        self.files.len()
    }

    fn path(&self, i: usize) -> &str {
        self.files.get(i).map_or("", |file| &file.0)
    }

    fn size(&self, i: usize) -> u64 {
        self.files.get(i).map_or(0, |file| file.1.len())
    }

    fn fingerprint(&self, _: usize) -> Option<u64> {
        None
    }

    fn read(&mut self, i: usize) -> Result<Vec<u8>> {
        self.files.get(i).ok_or_else(|| past_the_end(i))?.1.read()
    }

    fn head(&mut self, i: usize, n: usize) -> Result<Vec<u8>> {
        let (path, file) = self.files.get(i).ok_or_else(|| past_the_end(i))?;
        let mut bytes = Vec::new();
        let read = file.reader()?.take(n as u64).read_to_end(&mut bytes);
        read.map_err(|e| Error::Storage(format!("{path}: cannot be read ({e})")))?;
        Ok(bytes)
    }

    fn refused(&self) -> &[Skipped] {
        &self.refused
    }
}

/// A file number that the list does not have.
pub(super) fn past_the_end(i: usize) -> Error {
    Error::Dataset(format!("the data set has no file number {i}"))
}

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

/// Counts the images in hidden folders, which are not used and not kept quiet about.
#[derive(Debug, Clone, Default)]
pub struct HiddenFolders(BTreeMap<String, usize>);

impl HiddenFolders {
    /// Takes note of a file in a hidden folder, if it is an image by its name.
    pub fn note(&mut self, folder: &str, path: &str) {
        if !Kind::of_name(path).is_decoded() {
            return;
        }
        if let Some(images) = self.0.get_mut(folder) {
            *images += 1;
        } else {
            self.0.insert(folder.to_owned(), 1);
        }
    }

    /// One entry for each folder.
    pub fn skipped(self) -> impl Iterator<Item = Skipped> {
        self.0.into_iter().map(|(folder, images)| {
            let s = if images == 1 { "" } else { "s" };
            let reason = format!("is a hidden folder with {images} image{s}; rename it (without the dot in front) to use it");
            Skipped::passed_over(folder, reason)
        })
    }
}
