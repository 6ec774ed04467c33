//! Where files come from. One trait, so that nothing behind it knows whether it reads a folder, a zip or
//! drawings.

use std::io::{ErrorKind, Read};

use crate::error::{Error, Result};
use crate::platform::files::InputFile;
use crate::protocol::Skipped;

/// Bytes of a file that are in memory at once while it is compared.
const PIECE: usize = 64 << 10;

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

    /// [`fingerprint`] of file i's bytes, read for it where it is not known for free.
    ///
    /// # Errors
    /// As [`Source::read`].
    fn content(&mut self, i: usize) -> Result<u64> {
        match self.fingerprint(i) {
            Some(known) => Ok(known),
            None => self
                .read(i)
                .map(|bytes| fingerprint(crc32fast::hash(&bytes), bytes.len() as u64)),
        }
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
    empty_folders: Vec<String>,
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
        Self {
            files,
            refused,
            empty_folders: Vec::new(),
        }
    }

    /// The same, with the folders that hold nothing.
    #[must_use]
    pub fn with_empty_folders(self, empty_folders: Vec<String>) -> Self {
        Self {
            empty_folders,
            ..self
        }
    }
}

impl Source for FolderSource {
    fn empty_folders(&self) -> &[String] {
        &self.empty_folders
    }

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

    /// In pieces, so that a large file is never in memory whole.
    fn content(&mut self, i: usize) -> Result<u64> {
        let (path, file) = self.files.get(i).ok_or_else(|| past_the_end(i))?;
        let mut reader = file.reader()?;
        let mut hasher = crc32fast::Hasher::new();
        let mut piece = vec![0; PIECE];
        let mut len = 0;
        loop {
            match reader.read(&mut piece) {
                Ok(0) => return Ok(fingerprint(hasher.finalize(), len)),
                Ok(read) => {
                    hasher.update(&piece[..read]);
                    len += read as u64;
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::Storage(format!("{path}: cannot be read ({e})"))),
            }
        }
    }

    fn refused(&self) -> &[Skipped] {
        &self.refused
    }
}

/// A file number that the list does not have.
pub(super) fn past_the_end(i: usize) -> Error {
    Error::Dataset(format!("the data set has no file number {i}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn contents_differ_by_any_byte_and_by_length() {
        let content = |bytes: &[u8]| {
            let file = InputFile::memory("a", bytes.to_vec());
            FolderSource::new(vec![("a".into(), file)])
                .content(0)
                .expect("readable")
        };
        // Longer than a piece.
        let base: Vec<u8> = (0..PIECE + 100).map(|i| (i % 251) as u8).collect();
        let mut seen = BTreeSet::from([content(&base)]);
        for i in (0..PIECE).step_by(7000).chain(PIECE..PIECE + 100) {
            let mut changed = base.clone();
            changed[i] ^= 1;
            assert!(seen.insert(content(&changed)), "byte {i}");
        }
        assert!(seen.insert(content(&base[..PIECE])));
        assert_eq!(
            content(&base),
            fingerprint(crc32fast::hash(&base), base.len() as u64)
        );
    }
}
