//! A zip read in place: the directory at its end is read once, an entry when it is asked for. Whatever the
//! archive says about itself is a claim of a stranger, so each claim has a budget.

use std::collections::HashSet;
use std::io::Read;

use zip::ZipArchive;
use zip::result::ZipError;

use super::layout;
use super::source::{Source, fingerprint, past_the_end};
use crate::error::{Error, Result};
use crate::platform::files::{FileReader, InputFile};
use crate::protocol::Skipped;

/// Most entries of an archive.
pub const MAX_ENTRIES: usize = 200_000;
/// Most bytes an entry may inflate to: a 50-megapixel photo is about 25 MB.
pub const MAX_ENTRY_BYTES: u64 = 64 << 20;
/// Most bytes all entries together may inflate to.
pub const MAX_TOTAL_BYTES: u64 = 64 << 30;
/// An entry above this size ...
const RATIO_FROM_BYTES: u64 = 1 << 20;
/// ... may inflate to at most so many times its compressed size: a blank BMP comes to about 1000, a real
/// one to less than 10.
const MAX_RATIO: u64 = 200;

/// The files of a zip.
#[derive(Debug)]
pub struct ZipSource {
    name: String,
    archive: ZipArchive<FileReader>,
    entries: Vec<Entry>,
    refused: Vec<Skipped>,
    empty_folders: Vec<String>,
}

#[derive(Debug)]
struct Entry {
    /// Its number in the archive.
    index: usize,
    path: String,
    size: u64,
    crc32: u32,
}

impl ZipSource {
    /// Reads the archive's directory. Entries that must not be used are set aside with a reason.
    ///
    /// # Errors
    /// [`Error::Dataset`] if it is no zip, or one whose entries overlap, share names, or exceed
    /// [`MAX_ENTRIES`] or [`MAX_TOTAL_BYTES`]; [`Error::Storage`] if it cannot be read.
    pub fn open(file: &InputFile) -> Result<Self> {
        let name = file.name().to_owned();
        let fail = |reason: &str| Error::Dataset(format!("{name}: {reason}"));
        let archive = ZipArchive::new(file.reader()?).map_err(|e| match e {
            ZipError::Io(e) if e.kind() != std::io::ErrorKind::UnexpectedEof => {
                Error::Storage(format!("{name}: cannot be read ({e})"))
            }
            ZipError::UnsupportedArchive(what) => fail(&format!(
                "is a zip of a kind that cannot be opened ({what})"
            )),
            _ => fail("is not a zip archive, or its end is missing"),
        })?;
        if archive.len() > MAX_ENTRIES {
            return Err(fail(&format!(
                "holds {} files; at most {MAX_ENTRIES} are opened",
                archive.len()
            )));
        }
        if archive.has_duplicate_names() {
            return Err(fail(
                "holds several files under the same name; it is unclear which one is meant",
            ));
        }
        let mut source = Self {
            name: name.clone(),
            archive,
            entries: Vec::new(),
            refused: Vec::new(),
            empty_folders: Vec::new(),
        };
        source.list(file.len()).map_err(|reason| fail(&reason))?;
        Ok(source)
    }

    /// Sorts the entries into files, refused ones and folders; the reason to refuse the whole archive.
    fn list(&mut self, archive_bytes: u64) -> std::result::Result<(), String> {
        let (mut packed, mut unpacked) = (0_u64, 0_u64);
        let mut seen = HashSet::new();
        let mut folders = Vec::new();
        let mut filled = HashSet::new();
        for index in 0..self.archive.len() {
            let entry = self
                .archive
                .by_index_data(index)
                .map_err(|e| format!("entry {index}: {e}"))?;
            // Some archivers on Windows write backslashes.
            let path = entry
                .name()
                .map_err(|e| format!("entry {index}: {e}"))?
                .replace('\\', "/");
            packed = packed.saturating_add(entry.compressed_size());
            let reason = if let Some(reason) = unsafe_path(&path) {
                Some(reason)
            } else if entry.is_dir() {
                folders.push(path.trim_end_matches('/').to_owned());
                continue;
            } else if layout::is_junk(&path) {
                continue;
            } else {
                unpacked = unpacked.saturating_add(entry.size());
                filled.extend(path.match_indices('/').map(|(at, _)| path[..at].to_owned()));
                if !seen.insert(path.clone()) {
                    Some("has the same name as another entry")
                } else if entry.is_symlink() {
                    Some("is a link, not a file")
                } else if entry.encrypted() {
                    Some("is protected by a password")
                } else if entry.size() > MAX_ENTRY_BYTES {
                    Some("would unpack to more than 64 MiB")
                } else if entry.size() > RATIO_FROM_BYTES
                    && entry.size() / entry.compressed_size().max(1) > MAX_RATIO
                {
                    Some("would unpack to more than 200 times its size, as no photo does")
                } else {
                    None
                }
            };
            match reason {
                Some(reason) => self.refused.push(Skipped {
                    file: path,
                    reason: reason.into(),
                }),
                None => self.entries.push(Entry {
                    index,
                    path,
                    size: entry.size(),
                    crc32: entry.crc32(),
                }),
            }
        }
        // Entries that share their compressed bytes are how a few kB come to unpack to petabytes.
        if packed > archive_bytes {
            return Err("has entries that overlap, as no archiver writes them".into());
        }
        if unpacked > MAX_TOTAL_BYTES {
            return Err(format!(
                "would unpack to {} GB; at most 64 are opened",
                unpacked >> 30
            ));
        }
        folders.retain(|folder| !filled.contains(folder) && !layout::is_junk(folder));
        self.empty_folders = folders;
        Ok(())
    }
}

/// Why a path must not be followed, if so.
fn unsafe_path(path: &str) -> Option<&'static str> {
    let drive = path.as_bytes().get(1) == Some(&b':');
    if path.starts_with('/') || drive {
        Some("has an absolute path")
    } else if path.split('/').any(|part| part == "..") {
        Some("has a path that leads out of the archive (..)")
    } else if path.contains('\0') {
        Some("has a path with a zero byte")
    } else {
        None
    }
}

impl Source for ZipSource {
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
        self.entries
            .get(i)
            .map(|entry| fingerprint(entry.crc32, entry.size))
    }

    fn read(&mut self, i: usize) -> Result<Vec<u8>> {
        let entry = self.entries.get(i).ok_or_else(|| past_the_end(i))?;
        let fail =
            |reason: String| Error::Storage(format!("{} in {}: {reason}", entry.path, self.name));
        let file = self
            .archive
            .by_index(entry.index)
            .map_err(|e| fail(e.to_string()))?;
        // The stated size is at most the budget. It is held to while inflating: one byte more is asked
        // for, so that a header that states too little shows, and nothing is kept beyond it.
        let mut bytes = Vec::with_capacity(usize::try_from(entry.size).unwrap_or_default());
        let read = file.take(entry.size + 1).read_to_end(&mut bytes);
        read.map_err(|e| fail(format!("is damaged ({e})")))?;
        if bytes.len() as u64 != entry.size {
            return Err(fail(format!(
                "does not unpack to the {} bytes it states",
                entry.size
            )));
        }
        Ok(bytes)
    }

    fn refused(&self) -> &[Skipped] {
        &self.refused
    }

    fn empty_folders(&self) -> &[String] {
        &self.empty_folders
    }
}
