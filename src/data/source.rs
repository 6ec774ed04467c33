//! Where files come from. One trait, so that nothing behind it knows whether it reads a folder, a zip or
//! drawings.

use crate::error::{Error, Result};
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
}

impl FolderSource {
    /// Files with the paths they lay under, separated by `/`, as `platform::files::list_folder` or a
    /// dropped folder give them.
    #[must_use]
    pub const fn new(files: Vec<(String, InputFile)>) -> Self {
        Self { files }
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
}

/// A file number that the list does not have.
pub(super) fn past_the_end(i: usize) -> Error {
    Error::Dataset(format!("the data set has no file number {i}"))
}
