//! Archives read in place: zips and tars, and those inside them. Nothing is unpacked to a disk; an entry is read
//! when it is asked for. Whatever an archive says about itself is a claim of a stranger, so each claim has a
//! budget.
//!
//! - A zip's directory at its end is read once. Its entries may be stored or packed by Deflate, Deflate64, bzip2,
//!   LZMA, XZ or Zstandard.
//! - A plain tar is walked once, header by header. One that is packed as a whole (gzip, bzip2, xz, Zstandard) can be
//!   read from front to back only: its images and tables are kept in memory.
//! - An archive inside is unpacked to memory and its files appear below its name without the ending.

mod collect;
mod directory;
mod list_tar;
mod list_zip;
mod names;
pub(super) use self::names::text_of_table;
mod path;
mod refused;
mod sniff;
mod tar;
mod unpack;

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use self::collect::Collector;
use self::unpack::Method;
use super::source::{Source, fingerprint, past_the_end};
use crate::error::{Error, Result};
use crate::platform::files::{FileReader, InputFile};
use crate::protocol::Skipped;

/// Most entries of an archive, with those of archives inside it.
pub const MAX_ENTRIES: usize = 1_000_000;
/// Most bytes an entry may inflate to: a 50-megapixel photo is about 25 MB.
pub const MAX_ENTRY_BYTES: u64 = 64 << 20;
/// Most bytes all entries together may inflate to.
pub const MAX_TOTAL_BYTES: u64 = 64 << 30;
/// Most bytes that are held in memory: archives inside the archive, and the files of a packed tar.
pub const MAX_HELD_BYTES: u64 = 1 << 30;

/// Opens what the user gave as an archive; what it is, is told by its content.
///
/// # Errors
/// [`Error::Dataset`] naming the file if it is nothing that can be opened, with what to do about it;
/// [`Error::Storage`] if it cannot be read.
pub fn open(file: &InputFile) -> Result<Box<dyn Source>> {
    Ok(Box::new(ArchiveSource::open(file)?))
}

/// The files of an archive and of those inside it.
#[derive(Debug)]
pub struct ArchiveSource {
    name: String,
    parts: Vec<Bytes>,
    entries: Vec<Entry>,
    refused: Vec<Skipped>,
    empty_folders: Vec<String>,
}

/// The bytes of an archive.
#[derive(Debug)]
enum Bytes {
    File(FileReader, u64),
    Memory(Cursor<Vec<u8>>),
}

impl Bytes {
    fn len(&self) -> u64 {
        match self {
            Self::File(_, len) => *len,
            Self::Memory(bytes) => bytes.get_ref().len() as u64,
        }
    }
}

impl Read for Bytes {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file, _) => file.read(out),
            Self::Memory(bytes) => bytes.read(out),
        }
    }
}

impl Seek for Bytes {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::File(file, _) => file.seek(to),
            Self::Memory(bytes) => bytes.seek(to),
        }
    }
}

/// A file.
#[derive(Debug)]
struct Entry {
    path: String,
    size: u64,
    crc32: Option<u32>,
    place: Location,
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Location {
    /// In a zip: the archive's number, where its header is, its packed bytes, how they are packed.
    Packed {
        part: u32,
        header: u64,
        packed: u64,
        method: Method,
    },
    /// As they are, in an archive.
    Plain { part: u32, at: u64 },
    /// In memory.
    Held(std::sync::Arc<[u8]>),
}

impl ArchiveSource {
    /// Lists an archive. Entries that must not or cannot be used are set aside with a reason.
    ///
    /// # Errors
    /// As [`open`].
    pub fn open(file: &InputFile) -> Result<Self> {
        let name = file.name().to_owned();
        let bytes = Bytes::File(file.reader()?, file.len());
        let mut collector = Collector::default();
        collector
            .archive(bytes, &name, "", 0)
            .and_then(|()| collector.finish(name.clone()))
            .map_err(|fault| match fault {
                collect::Fault::Io(e) => Error::Storage(format!("{name}: cannot be read ({e})")),
                collect::Fault::Refused(reason) => Error::Dataset(format!("{name}: {reason}")),
            })
    }
}

/// The first `most` bytes of a file, all of them if it has no more, as they come.
fn unpack(parts: &mut [Bytes], place: &Location, size: u64, most: u64) -> io::Result<Vec<u8>> {
    let nothing = || io::Error::other("is in no archive");
    let mut bytes = Vec::new();
    match place {
        Location::Held(held) => {
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            bytes.extend_from_slice(held.get(..most).unwrap_or(held));
        }
        Location::Plain { part, at } => {
            let part = parts.get_mut(*part as usize).ok_or_else(nothing)?;
            part.seek(SeekFrom::Start(*at))?;
            let most = most.min(size).min(part.len().saturating_sub(*at));
            bytes.reserve_exact(usize::try_from(most).unwrap_or_default());
            part.take(most).read_to_end(&mut bytes)?;
        }
        Location::Packed {
            part,
            header,
            packed,
            method,
        } => {
            let part = parts.get_mut(*part as usize).ok_or_else(nothing)?;
            let len = part.len();
            directory::seek_to_content(part, len, *header, *packed)?;
            // Images hardly shrink: the size that is stated is believed as far as the packed bytes bear it out.
            let expected = size.min(most).min(packed.saturating_mul(4));
            bytes.reserve_exact(usize::try_from(expected).unwrap_or_default());
            let stream = method.stream(part.take(*packed), size)?;
            stream.take(most).read_to_end(&mut bytes)?;
        }
    }
    Ok(bytes)
}

/// A whole file, as long and with the checksum that the archive states; the reason if it is not.
fn read_whole(parts: &mut [Bytes], entry: &Entry) -> std::result::Result<Vec<u8>, String> {
    // One byte more is asked for, so that a header that states too little shows, and nothing is kept beyond it.
    let bytes = unpack(
        parts,
        &entry.place,
        entry.size,
        entry.size.saturating_add(1),
    );
    let bytes = bytes.map_err(|e| format!("is damaged ({e})"))?;
    if bytes.len() as u64 != entry.size {
        return Err(format!(
            "does not unpack to the {} bytes it states",
            entry.size
        ));
    }
    if entry
        .crc32
        .is_some_and(|crc| crc != crc32fast::hash(&bytes))
    {
        return Err("is damaged (its checksum differs)".into());
    }
    Ok(bytes)
}

impl Source for ArchiveSource {
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn path(&self, i: usize) -> &str {
        self.entries.get(i).map_or("", |entry| &entry.path)
    }

    fn size(&self, i: usize) -> u64 {
        self.entries.get(i).map_or(0, |entry| entry.size)
    }

    fn fingerprint(&self, i: usize) -> Option<u64> {
        let entry = self.entries.get(i)?;
        Some(fingerprint(entry.crc32?, entry.size))
    }

    fn read(&mut self, i: usize) -> Result<Vec<u8>> {
        let entry = self.entries.get(i).ok_or_else(|| past_the_end(i))?;
        read_whole(&mut self.parts, entry).map_err(|reason| self.failed(i, &reason))
    }

    fn head(&mut self, i: usize, n: usize) -> Result<Vec<u8>> {
        let entry = self.entries.get(i).ok_or_else(|| past_the_end(i))?;
        unpack(
            &mut self.parts,
            &entry.place,
            entry.size,
            entry.size.min(n as u64),
        )
        .map_err(|e| self.failed(i, &format!("is damaged ({e})")))
    }

    fn refused(&self) -> &[Skipped] {
        &self.refused
    }

    fn empty_folders(&self) -> &[String] {
        &self.empty_folders
    }
}

impl ArchiveSource {
    fn failed(&self, i: usize, reason: &str) -> Error {
        Error::Storage(format!("{} in {}: {reason}", self.path(i), self.name))
    }
}
