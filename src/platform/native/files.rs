//! Files of a native process: a path, opened when it is read.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};

/// A file the user gave. Cheap to clone; nothing is read before it is asked for.
#[derive(Debug, Clone)]
pub struct InputFile {
    name: String,
    len: u64,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
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
        let name = path.file_name().unwrap_or(path.as_os_str());
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            len: facts.len(),
            place: Place::Disk(path.to_owned()),
        })
    }

    /// Bytes that were made here, under a name.
    #[must_use]
    pub fn memory(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self {
            name: name.into(),
            len: bytes.len() as u64,
            place: Place::Memory(bytes.into()),
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
        match &self.place {
            Place::Disk(path) => fs::read(path).map_err(|e| failed(&self.name, &e)),
            Place::Memory(bytes) => Ok(bytes.to_vec()),
        }
    }

    /// Random access, without loading the file.
    ///
    /// # Errors
    /// [`Error::Storage`] if it cannot be opened.
    pub fn reader(&self) -> Result<FileReader> {
        Ok(FileReader(match &self.place {
            Place::Disk(path) => {
                let file = File::open(path).map_err(|e| failed(&self.name, &e))?;
                Inner::Disk(BufReader::new(file))
            }
            Place::Memory(bytes) => Inner::Memory(Cursor::new(Arc::clone(bytes))),
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

/// Every file under a folder, sorted by path. Paths begin with the folder's own name and have `/`
/// between their parts, as those of a folder dropped on the page. Hidden files and folders are left out,
/// and so are links that lead nowhere; a folder that links lead to again and again is listed once.
///
/// # Errors
/// [`Error::Storage`] naming the folder that cannot be listed.
pub fn list_folder(path: impl AsRef<Path>) -> Result<Vec<(String, InputFile)>> {
    let path = path.as_ref();
    let root = fs::canonicalize(path).map_err(|e| failed(&path.to_string_lossy(), &e))?;
    let name = root
        .file_name()
        .map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut open = vec![(name, root)];
    while let Some((prefix, folder)) = open.pop() {
        let fail = |e: io::Error| failed(&folder.to_string_lossy(), &e);
        if !seen.insert(fs::canonicalize(&folder).map_err(fail)?) {
            continue;
        }
        let mut entries = fs::read_dir(&folder)
            .and_then(|list| {
                list.map(|e| e.map(|e| e.path()))
                    .collect::<io::Result<Vec<_>>>()
            })
            .map_err(fail)?;
        // The system's order is arbitrary, and which of two links to one folder is kept hangs on it.
        entries.sort_unstable();
        for entry in entries {
            let Some(name) = entry.file_name().map(|n| n.to_string_lossy().into_owned()) else {
                continue;
            };
            let Ok(facts) = fs::metadata(&entry) else {
                continue;
            };
            if name.starts_with('.') {
                continue;
            }
            let path = if prefix.is_empty() {
                name
            } else {
                format!("{prefix}/{name}")
            };
            if facts.is_dir() {
                open.push((path, entry));
            } else {
                found.push((path, InputFile::open(entry)?));
            }
        }
    }
    found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

/// "cat.jpg: cannot be read (permission denied)".
fn failed(name: &str, error: &io::Error) -> Error {
    Error::Storage(format!("{name}: cannot be read ({error})"))
}
