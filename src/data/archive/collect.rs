//! Lists an archive and the archives inside it.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Cursor, Seek, SeekFrom};

use super::directory::fill;
use super::refused::{Refused, told_once};
use super::{ArchiveSource, Bytes, Entry, MAX_HELD_BYTES, read_whole, sniff};
use crate::data::hidden::{Hidden, HiddenFolders, hidden};
use crate::protocol::Skipped;

/// Archives inside archives are opened so far down.
const MAX_DEPTH: u32 = 2;

/// Most bytes that are read to tell whether files under one path are the same.
const MAX_COMPARED_BYTES: u64 = 1 << 30;
/// So many archives inside that cannot be opened are told one by one.
const MAX_TOLD: usize = 50;

/// What is said about an archive inside in front of the reason.
const INSIDE: &str = "is an archive inside the data set that cannot be opened";

/// Why an archive cannot be used.
#[derive(Debug)]
pub(super) enum Fault {
    Io(io::Error),
    Refused(String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

pub(super) fn refused<T>(reason: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Refused(reason.into()))
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Collector {
    pub parts: Vec<Bytes>,
    pub entries: Vec<Entry>,
    pub told: Vec<Skipped>,
    pub folders: Vec<String>,
    /// Paths of files that are not used: the folders they lie in are not empty.
    pub unused: Vec<String>,
    pub hidden: HiddenFolders,
    /// Bytes in memory.
    pub held: u64,
    /// Bytes that all entries state to have.
    pub stated: u64,
}

impl Collector {
    /// Adds the files of an archive below `prefix`. `depth` counts the archives that it lies in.
    pub fn archive(
        &mut self,
        mut bytes: Bytes,
        name: &str,
        prefix: &str,
        depth: u32,
    ) -> Result<(), Fault> {
        let mut head = [0; sniff::HEAD];
        bytes.seek(SeekFrom::Start(0))?;
        let len = fill(&mut bytes, &mut head)?;
        let head = &head[..len];
        let before = self.entries.len();
        let (parts, folders, stated) = (self.parts.len(), self.folders.len(), self.stated);
        let outcome = match sniff::kind(head) {
            sniff::Kind::Refused(reason) => refused(reason),
            // A zip may lie behind a program that unpacks it.
            sniff::Kind::Zip | sniff::Kind::Unknown => self.zip(bytes, name, prefix, head),
            sniff::Kind::Tar => self.tar(bytes, name, prefix),
            sniff::Kind::Packed(wrap) => self.packed_tar(bytes, name, prefix, wrap),
        };
        if let Err(fault) = outcome {
            self.entries.truncate(before);
            self.parts.truncate(parts);
            self.folders.truncate(folders);
            self.stated = stated;
            return Err(match fault {
                Fault::Refused(_) if sniff::is_part_name(name) => {
                    Fault::Refused(sniff::SPLIT.into())
                }
                fault => fault,
            });
        }
        self.inner_archives(before, name, depth)
    }

    /// The number that the next archive will have.
    pub fn part(&self) -> u32 {
        u32::try_from(self.parts.len()).unwrap_or(u32::MAX)
    }

    /// Takes over the files of one archive, without those that are hidden.
    pub fn add(
        &mut self,
        mut listed: Vec<Entry>,
        name: &str,
        prefix: &str,
        refused_entries: Refused,
    ) -> Result<(), Fault> {
        unhide(&mut listed);
        let told = refused_entries.told(name, listed.len()).or_else(refused)?;
        self.told.extend(told);
        listed.retain(|file| match hidden(&file.path) {
            Some(Hidden::Folder(folder)) => {
                self.hidden.note(&join(prefix, folder), &file.path);
                false
            }
            _ => true,
        });
        if !prefix.is_empty() {
            for file in &mut listed {
                file.path = join(prefix, &file.path);
            }
        }
        if self.entries.is_empty() {
            self.entries = listed;
        } else {
            self.entries.append(&mut listed);
        }
        Ok(())
    }

    /// Opens the archives among the entries from `first` on, and puts their files in their place.
    fn inner_archives(&mut self, first: usize, name: &str, depth: u32) -> Result<(), Fault> {
        let is_inner = |entry: &Entry| sniff::is_archive_name(&entry.path);
        if !self.entries.iter().skip(first).any(is_inner) {
            return Ok(());
        }
        let (inner, files) = self.entries.drain(first..).partition::<Vec<_>, _>(is_inner);
        self.entries.extend(files);
        let mut failed = 0;
        for entry in inner {
            if let Err(fault) = self.inner_archive(&entry, depth) {
                let reason = match fault {
                    Fault::Io(e) => format!("is damaged ({e})"),
                    Fault::Refused(reason) => reason,
                };
                let reason = if sniff::is_said_of_it(&reason) {
                    format!("{INSIDE}: it {reason}")
                } else {
                    format!("{INSIDE}: {reason}")
                };
                failed += 1;
                if failed <= MAX_TOLD {
                    self.told.push(Skipped::failed(&entry.path, reason));
                }
            }
        }
        if failed > MAX_TOLD {
            let more = failed - MAX_TOLD;
            let reason = format!("holds {more} more archives that cannot be opened");
            self.told.push(Skipped::failed(name, reason));
        }
        Ok(())
    }

    fn inner_archive(&mut self, entry: &Entry, depth: u32) -> Result<(), Fault> {
        if depth >= MAX_DEPTH {
            return refused("lies in an archive inside an archive; unpack it first");
        }
        let held = self.held;
        if held.saturating_add(entry.size) > MAX_HELD_BYTES {
            return refused(
                "together the archives inside it unpack to more than 1 GiB, which would have to be held in memory; unpack it and open the folder",
            );
        }
        let bytes = read_whole(&mut self.parts, entry).or_else(refused)?;
        let parts = self.parts.len();
        let before = (self.entries.len(), self.told.len());
        self.held += entry.size;
        let bytes = Bytes::Memory(Cursor::new(bytes));
        let outcome = self.archive(bytes, &entry.path, sniff::stem(&entry.path), depth + 1);
        if self.parts.len() == parts {
            // It was not kept: a packed tar, or nothing that can be opened.
            self.held -= entry.size;
        }
        if outcome.is_err() {
            self.held = held;
        } else if before == (self.entries.len(), self.told.len()) {
            let reason = "is an archive inside the data set that holds no files";
            self.told.push(Skipped::failed(&entry.path, reason));
        }
        outcome
    }

    /// Sorts out files under the same path and empty folders.
    pub fn finish(mut self, name: String) -> Result<ArchiveSource, Fault> {
        let used = self.entries.len();
        self.told.extend(std::mem::take(&mut self.hidden).skipped());
        if used == 0
            && let Some(first) = self.told.first()
        {
            let besides = match self.told.len() - 1 {
                0 => String::new(),
                n => format!(" ({n} more)"),
            };
            return refused(format!(
                "holds nothing that can be used; {} {}{besides}",
                first.file, first.reason
            ));
        }
        self.same_paths(&name);
        let mut filled = HashSet::new();
        if !self.folders.is_empty() {
            let files = self.entries.iter().map(|entry| entry.path.as_str());
            for path in files.chain(self.unused.iter().map(String::as_str)) {
                let mut path = path;
                while let Some((folder, _)) = path.rsplit_once('/') {
                    if !filled.insert(folder) {
                        break;
                    }
                    path = folder;
                }
            }
        }
        let mut empty: Vec<String> = self.folders;
        empty.retain(|folder| !filled.contains(folder.as_str()) && hidden(folder).is_none());
        empty.sort_unstable();
        empty.dedup();
        Ok(ArchiveSource {
            name,
            parts: self.parts,
            entries: self.entries,
            refused: self.told,
            empty_folders: empty,
        })
    }

    /// Of files under one path the last one is used, as every archiver does that unpacks them one over the other.
    /// That is worth a word unless they are the same.
    fn same_paths(&mut self, name: &str) {
        let hasher = RandomState::new();
        let mut order: Vec<(u64, u32)> = (0_u32..)
            .zip(&self.entries)
            .map(|(i, entry)| (hasher.hash_one(&entry.path), i))
            .collect();
        order.sort_unstable();
        let mut replaced = Vec::new();
        for group in order.chunk_by(|a, b| a.0 == b.0).filter(|g| g.len() > 1) {
            let mut last: HashMap<&str, u32> = HashMap::new();
            for &(_, i) in group {
                let Some(entry) = self.entries.get(i as usize) else {
                    continue;
                };
                if let Some(before) = last.insert(&entry.path, i) {
                    replaced.push((before, i));
                }
            }
        }
        // In the archive's order, not in that of the hashes.
        replaced.sort_unstable();
        let mut drop = HashSet::new();
        let mut differ = Vec::new();
        let mut compared = 0_u64;
        for (before, after) in replaced {
            let [Some(a), Some(b)] = [before, after].map(|i| self.entries.get(i as usize)) else {
                continue;
            };
            let same = a.place == b.place
                || a.size == b.size
                    && match (a.crc32, b.crc32) {
                        (Some(a), Some(b)) => a == b,
                        _ if compared > MAX_COMPARED_BYTES => false,
                        _ => {
                            compared += a.size;
                            let first = read_whole(&mut self.parts, a);
                            first.is_ok() && first == read_whole(&mut self.parts, b)
                        }
                    };
            if !same {
                differ.push(a.path.clone());
            }
            drop.insert(before);
        }
        self.told.extend(told_once(
            name,
            differ,
            "has the same name as a later entry with other content, which is used",
            Skipped::failed,
        ));
        if !drop.is_empty() {
            let mut i = 0_u32..;
            self.entries
                .retain(|_| i.next().is_none_or(|i| !drop.contains(&i)));
        }
    }
}

/// A path below a folder.
pub(super) fn join(folder: &str, path: &str) -> String {
    if folder.is_empty() {
        path.to_owned()
    } else {
        format!("{folder}/{path}")
    }
}

/// A hidden folder that is all there is was not meant to be hidden from who packed it: its dot goes.
fn unhide(listed: &mut [Entry]) {
    let Some(first) = listed.first() else {
        return;
    };
    let Some((root, _)) = first.path.split_once('/') else {
        return;
    };
    let shown = root.trim_start_matches('.').len();
    if shown == root.len() || shown == 0 {
        return;
    }
    let root = format!("{root}/");
    if listed.iter().all(|file| file.path.starts_with(&root)) {
        let dots = root.len() - 1 - shown;
        for file in listed {
            file.path.drain(..dots);
        }
    }
}
