//! Files of a native process: a path, opened when it is read.

use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use super::folder::{Listing, list_folder};
use crate::error::{Error, Result};

/// A file the user gave. Cheap to clone; nothing is read before it is asked for.
#[derive(Debug, Clone)]
pub struct InputFile {
    name: String,
    len: u64,
    backing: Backing,
}

#[derive(Debug, Clone)]
enum Backing {
    Disk(PathBuf),
    Memory(Arc<[u8]>),
}

impl InputFile {
    /// The file at a path.
    ///
    /// # Errors
    /// [`Error::Storage`] if there is no such file, or it is a folder.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let facts = fs::metadata(path).map_err(|e| failed(&path.to_string_lossy(), &e))?;
        if facts.is_dir() {
            return Err(Error::Storage(format!("{}: is a folder", path.display())));
        }
        // A pipe that nobody writes to would be waited for without end.
        if !facts.is_file() {
            let reason = "is no ordinary file, but a pipe or a device";
            return Err(Error::Storage(format!("{}: {reason}", path.display())));
        }
        let name = path.file_name().unwrap_or(path.as_os_str());
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            len: facts.len(),
            backing: Backing::Disk(path.to_owned()),
        })
    }

    /// The file at a path of which the length is known.
    pub(super) const fn at(path: PathBuf, name: String, len: u64) -> Self {
        Self {
            name,
            len,
            backing: Backing::Disk(path),
        }
    }

    /// Bytes that were made here, under a name.
    #[must_use]
    pub fn memory(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self {
            name: name.into(),
            len: bytes.len() as u64,
            backing: Backing::Memory(bytes.into()),
        }
    }

    /// Name without folders.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes, as of when it was opened.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has no bytes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The whole file.
    ///
    /// # Errors
    /// [`Error::Storage`] if it cannot be read.
    pub fn read(&self) -> Result<Vec<u8>> {
        match &self.backing {
            Backing::Disk(path) => fs::read(path).map_err(|e| failed(&self.name, &e)),
            Backing::Memory(bytes) => Ok(bytes.to_vec()),
        }
    }

    /// Random access, without loading the file.
    ///
    /// # Errors
    /// [`Error::Storage`] if it cannot be opened.
    pub fn reader(&self) -> Result<FileReader> {
        Ok(FileReader(match &self.backing {
            Backing::Disk(path) => {
                let file = File::open(path).map_err(|e| failed(&self.name, &e))?;
                Inner::Disk(BufReader::new(file))
            }
            Backing::Memory(bytes) => Inner::Memory(Cursor::new(Arc::clone(bytes))),
        }))
    }
}

/// Random access to an [`InputFile`].
#[derive(Debug)]
pub struct FileReader(Inner);

#[derive(Debug)]
enum Inner {
    Disk(BufReader<File>),
    Memory(Cursor<Arc<[u8]>>),
}

impl Read for FileReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Inner::Disk(file) => file.read(out),
            Inner::Memory(bytes) => bytes.read(out),
        }
    }
}

impl Seek for FileReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.0 {
            Inner::Disk(file) => file.seek(to),
            Inner::Memory(bytes) => bytes.seek(to),
        }
    }
}

/// "cat.jpg: cannot be read (permission denied)".
pub(super) fn failed(name: &str, error: &io::Error) -> Error {
    Error::Storage(format!("{name}: cannot be read ({error})"))
}
