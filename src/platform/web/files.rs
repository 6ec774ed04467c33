//! Files of a Web Worker: a `Blob`, read a slice at a time. `FileReaderSync` exists in workers only, and
//! it is what lets a 350 MB archive be read in backing by code that knows nothing of promises.

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use web_sys::{Blob, File, FileReaderSync};

use crate::error::{Error, Result};

/// Bytes fetched after a jump: enough for an image, little enough to jump often.
const JUMP: u64 = 64 << 10;
/// Bytes fetched when reading goes on about where the last fetch ended: few large fetches cost less.
const AHEAD: u64 = 1 << 20;

/// A file the user gave. Cheap to clone; nothing is read before it is asked for.
#[derive(Debug, Clone)]
pub struct InputFile {
    name: String,
    len: u64,
    backing: Backing,
}

#[derive(Debug, Clone)]
enum Backing {
    Blob(Blob),
    Memory(Arc<[u8]>),
}

impl InputFile {
    /// A file that was dropped or picked.
    #[must_use]
    pub fn from_js(file: File) -> Self {
        Self {
            name: file.name(),
            len: file.size() as u64,
            backing: Backing::Blob(file.into()),
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

    /// Bytes, as of when it was given.
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
    /// [`Error::Storage`] if it cannot be read, for instance because it changed on disk.
    pub fn read(&self) -> Result<Vec<u8>> {
        match &self.backing {
            Backing::Blob(blob) => {
                let reader = FileReaderSync::new().map_err(|e| self.failed(&reason(&e)))?;
                fetch(&reader, blob, 0, self.len).map_err(|e| self.failed(&e))
            }
            Backing::Memory(bytes) => Ok(bytes.to_vec()),
        }
    }

    /// Random access, without loading the file.
    ///
    /// # Errors
    /// [`Error::Storage`] if this is no worker, where files can be read at once.
    pub fn reader(&self) -> Result<FileReader> {
        Ok(FileReader(match &self.backing {
            Backing::Blob(blob) => Inner::Blob(BlobReader {
                reader: FileReaderSync::new().map_err(|e| self.failed(&reason(&e)))?,
                blob: blob.clone(),
                len: self.len,
                position: 0,
                start: 0,
                chunk: Vec::new(),
            }),
            Backing::Memory(bytes) => Inner::Memory(Cursor::new(Arc::clone(bytes))),
        }))
    }

    /// "cat.jpg: cannot be read (...)".
    fn failed(&self, reason: &str) -> Error {
        Error::Storage(format!("{}: cannot be read ({reason})", self.name))
    }
}

/// Random access to an [`InputFile`].
#[derive(Debug)]
pub struct FileReader(Inner);

#[derive(Debug)]
enum Inner {
    Blob(BlobReader),
    Memory(Cursor<Arc<[u8]>>),
}

/// A window `chunk` on `blob`, its first byte at `start`.
#[derive(Debug)]
struct BlobReader {
    reader: FileReaderSync,
    blob: Blob,
    len: u64,
    position: u64,
    start: u64,
    chunk: Vec<u8>,
}

impl BlobReader {
    /// The bytes from `position` to the window's end; moves the window if there are none.
    fn window(&mut self) -> io::Result<&[u8]> {
        let end = self.start + self.chunk.len() as u64;
        if self.position < self.start || self.position >= end {
            // Between two entries of a zip lie a few bytes that nobody reads.
            let goes_on = (end..end.saturating_add(JUMP)).contains(&self.position);
            let ahead = if goes_on { AHEAD } else { JUMP };
            let until = self.position.saturating_add(ahead).min(self.len);
            self.chunk =
                fetch(&self.reader, &self.blob, self.position, until).map_err(io::Error::other)?;
            self.start = self.position;
        }
        let skip = usize::try_from(self.position - self.start).unwrap_or(usize::MAX);
        Ok(self.chunk.get(skip..).unwrap_or_default())
    }
}

impl Read for FileReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Inner::Blob(blob) => {
                if out.is_empty() || blob.position >= blob.len {
                    return Ok(0);
                }
                let read = blob.window()?.read(out)?;
                blob.position += read as u64;
                Ok(read)
            }
            Inner::Memory(bytes) => bytes.read(out),
        }
    }
}

impl Seek for FileReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.0 {
            Inner::Blob(blob) => {
                let target = match to {
                    SeekFrom::Start(n) => Some(n),
                    SeekFrom::End(n) => blob.len.checked_add_signed(n),
                    SeekFrom::Current(n) => blob.position.checked_add_signed(n),
                };
                blob.position = target.ok_or(io::ErrorKind::InvalidInput)?;
                Ok(blob.position)
            }
            Inner::Memory(bytes) => bytes.seek(to),
        }
    }
}

/// Bytes `from..to` of a blob; the reason, if not all of them come.
fn fetch(
    reader: &FileReaderSync,
    blob: &Blob,
    from: u64,
    to: u64,
) -> std::result::Result<Vec<u8>, String> {
    // Sizes of files are whole numbers below 2^53, which f64 holds exactly.
    let slice = blob
        .slice_with_f64_and_f64(from as f64, to as f64)
        .map_err(|e| reason(&e))?;
    let buffer = reader
        .read_as_array_buffer(&slice)
        .map_err(|e| reason(&e))?;
    let bytes = Uint8Array::new(&buffer).to_vec();
    if bytes.len() as u64 == to.saturating_sub(from) {
        Ok(bytes)
    } else {
        Err(format!(
            "{} of {} bytes came",
            bytes.len(),
            to.saturating_sub(from)
        ))
    }
}

/// The text of what JavaScript threw.
fn reason(thrown: &JsValue) -> String {
    js_sys::Reflect::get(thrown, &JsValue::from_str("message"))
        .ok()
        .and_then(|text| text.as_string())
        .unwrap_or_else(|| format!("{thrown:?}"))
}
