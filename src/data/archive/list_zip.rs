//! Lists the files of a zip.

use std::collections::HashMap;

use super::collect::{Collector, Fault, join, refused};
use super::directory;
use super::names::{Names, RawName};
use super::refused::{Reason, Refused};
use super::unpack::Method;
use super::{
    Bytes, Entry, Location, MAX_ENTRIES, MAX_ENTRY_BYTES, MAX_TOTAL_BYTES, path, sniff, unpack,
};
use crate::data::hidden::{Hidden, hidden};
use crate::protocol::Skipped;

/// An entry above this size ...
const RATIO_FROM_BYTES: u64 = 1 << 20;
/// ... may inflate to at most so many times its compressed size: a blank BMP comes to about 1000, a real
/// one to less than 10.
const MAX_RATIO: u64 = 200;
/// Entries of each method that are tried when an archive is opened.
const TRIED: usize = 8;
/// The bytes of each that are tried.
const TRIED_BYTES: u64 = 1024;

/// Sums of what the entries of one archive claim.
#[derive(Default)]
struct Budget {
    packed: u64,
    unpacked: u64,
}

impl Collector {
    /// Lists the files of a zip.
    pub fn zip(
        &mut self,
        mut bytes: Bytes,
        name: &str,
        prefix: &str,
        head: &[u8],
    ) -> Result<(), Fault> {
        use directory::Fault as Found;
        let len = bytes.len();
        let most = MAX_ENTRIES - self.entries.len().min(MAX_ENTRIES);
        let found = directory::read(&mut bytes, len, most).or_else(|fault| match fault {
            Found::Io(e) => Err(Fault::Io(e)),
            Found::Split => refused(sniff::SPLIT),
            Found::NoEnd if head.starts_with(b"PK\x07\x08") => refused(sniff::SPLIT),
            Found::NoEnd if head.starts_with(b"PK") => refused(
                "is not a zip archive in full: its end is missing (an interrupted download); download it again",
            ),
            Found::NoEnd if head.starts_with(b"MZ") => {
                refused("is a program, not an archive; if it unpacks itself, run it and open the folder")
            }
            Found::NoEnd => refused("is not a zip archive, nor another kind that is known"),
            Found::NoDirectory => refused(
                "is not a zip archive in full: its directory is damaged or cut off; download it again",
            ),
            Found::TooMany(n) => refused(format!("holds {n} files; at most {MAX_ENTRIES} are opened")),
        })?;
        if found.damaged {
            self.told.push(Skipped::failed(
                name,
                "its directory is damaged: files behind the damage are missing; download it again",
            ));
        }
        let names = Names::of(found.members.iter().map(|member| &member.name));
        let part = self.part();
        let mut budget = Budget::default();
        let mut refused_entries = Refused::default();
        let mut listed = Vec::new();
        for mut member in found.members {
            let raw = std::mem::replace(&mut member.name, RawName::new(Vec::new(), true));
            let text = names.text(raw);
            budget.packed = budget.packed.saturating_add(member.packed);
            let folder = member.folder || (text.ends_with('/') && member.size == 0);
            let path = match path::below_root(text) {
                Ok(path) => path,
                // "./" and the like.
                Err(_) if folder => continue,
                Err((reason, text)) => {
                    refused_entries.add(Reason::Own(reason), text);
                    continue;
                }
            };
            if folder {
                self.folders.push(join(prefix, &path));
                continue;
            }
            if hidden(&path) == Some(Hidden::Litter) {
                continue;
            }
            budget.unpacked = budget.unpacked.saturating_add(member.size);
            let inner = sniff::is_archive_name(&path);
            let reason = match Method::of(member.method) {
                _ if member.link => Err(Reason::Own("is a link, not a file")),
                _ if member.encrypted => Err(Reason::Encrypted),
                None => Err(Reason::Method(member.method)),
                _ if member.size > MAX_ENTRY_BYTES && !inner => {
                    Err(Reason::Own("would unpack to more than 64 MiB"))
                }
                _ if member.size > RATIO_FROM_BYTES
                    && member.size / member.packed.max(1) > MAX_RATIO =>
                {
                    Err(Reason::Own(
                        "would unpack to more than 200 times its size, as no photo does",
                    ))
                }
                method => Ok(method),
            };
            match reason {
                Ok(method) => listed.push(Entry {
                    path,
                    size: member.size,
                    crc32: Some(member.crc32),
                    place: Location::Packed {
                        part,
                        header: member.header,
                        packed: member.packed,
                        method: method.unwrap_or(Method::Stored),
                    },
                }),
                Err(reason) => {
                    self.unused.push(join(prefix, &path));
                    refused_entries.add(reason, join(prefix, &path));
                }
            }
        }
        // Entries that share their compressed bytes are how a few kB come to unpack to petabytes.
        if budget.packed > len {
            return refused("has entries that overlap, as no archiver writes them");
        }
        self.stated = self.stated.saturating_add(budget.unpacked);
        if self.stated > MAX_TOTAL_BYTES {
            return refused(format!(
                "would unpack to {} GB; at most 64 are opened",
                self.stated >> 30
            ));
        }
        self.parts.push(bytes);
        self.try_methods(&mut listed, prefix, &mut refused_entries);
        self.add(listed, name, prefix, refused_entries)
    }

    /// Tries some entries of each method. Where none of them unpacks, the archiver wrote something else than it
    /// says, or the whole archive is damaged: that is told once, not once per file while training.
    fn try_methods(&mut self, listed: &mut Vec<Entry>, prefix: &str, refused: &mut Refused) {
        let mut by_method: HashMap<Method, Vec<usize>> = HashMap::new();
        for (i, file) in listed.iter().enumerate() {
            if let Location::Packed { method, .. } = file.place
                && file.size > 0
                && method != Method::Stored
            {
                by_method.entry(method).or_default().push(i);
            }
        }
        by_method.retain(|_, files| {
            let every = files.len().div_ceil(TRIED);
            files.len() > 3
                && files.iter().step_by(every).all(|&i| {
                    listed.get(i).is_some_and(|file| {
                        let most = file.size.min(TRIED_BYTES);
                        unpack(&mut self.parts, &file.place, file.size, most)
                            .map_or(true, |bytes| (bytes.len() as u64) < most)
                    })
                })
        });
        if by_method.is_empty() {
            return;
        }
        let (bad, good) = std::mem::take(listed).into_iter().partition::<Vec<_>, _>(|file| {
            file.size > 0
                && matches!(file.place, Location::Packed { method, .. } if by_method.contains_key(&method))
        });
        *listed = good;
        for file in bad {
            if let Location::Packed { method, .. } = file.place {
                self.unused.push(join(prefix, &file.path));
                refused.add(Reason::Damaged(method), join(prefix, &file.path));
            }
        }
    }
}
