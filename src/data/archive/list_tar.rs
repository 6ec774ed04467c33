//! Lists the files of a tar.

use std::collections::HashMap;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use super::collect::{Collector, Fault, join, refused};
use super::directory::fill;
use super::names::Names;
use super::refused::{Reason, Refused, told_once};
use super::unpack::Wrap;
use super::{
    Bytes, Entry, Location, MAX_ENTRIES, MAX_ENTRY_BYTES, MAX_HELD_BYTES, MAX_TOTAL_BYTES, path,
    sniff, tar,
};
use crate::data::hidden::{Hidden, hidden};
use crate::image::kind::Kind;
use crate::protocol::Skipped;

/// Most bytes that a packed tar may unpack to, those passed over included.
const MAX_STREAM_BYTES: u64 = 16 << 30;
/// Bytes of a file by which an image is told that has no usual name.
const TOLD_BY: u64 = 512;
/// Files of at most so many bytes are kept whatever they are: lists of classes have all kinds of names.
const KEPT: u64 = 64 << 10;
/// Endings of tables and of texts that go with images.
const TABLES: [&str; 11] = [
    "csv", "tsv", "txt", "json", "jsonl", "xlsx", "xls", "xml", "yaml", "yml", "mat",
];

/// Where the content of a file is.
enum Taken {
    /// There, with its checksum if it was read.
    At(Location, Option<u32>),
    /// Nowhere: it is neither an image nor a table.
    Unwanted,
    /// The archive ends before it does.
    Cut,
    /// It would be more than may be held in memory.
    TooMuch,
}

/// An entry and, of a file, where its content is.
struct Walked {
    member: tar::Member,
    content: Option<(Location, Option<u32>)>,
}

/// Whether a file of a packed tar is kept, judged by its name.
fn is_wanted(path: &str) -> bool {
    let ending = path.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
    Kind::of_name(path).is_picture()
        || ending.is_some_and(|e| TABLES.contains(&e.as_str()))
        || sniff::is_archive_name(path)
}

impl Collector {
    /// A tar as it is.
    pub fn tar(&mut self, bytes: Bytes, name: &str, prefix: &str) -> Result<(), Fault> {
        let part = self.part();
        let len = bytes.len();
        let mut walker = tar::Walker::new(tar::InPlace { file: bytes, len });
        walker.reader.file.seek(SeekFrom::Start(0))?;
        let walked = self.walk(&mut walker, name, |_, member| {
            let at = member.at;
            Ok(if at.saturating_add(member.size) > len {
                Taken::Cut
            } else {
                Taken::At(Location::Plain { part, at }, None)
            })
        })?;
        self.parts.push(walker.reader.file);
        self.list_tar(walked, name, prefix)
    }

    /// A tar that is packed as a whole.
    pub fn packed_tar(
        &mut self,
        mut bytes: Bytes,
        name: &str,
        prefix: &str,
        wrap: Wrap,
    ) -> Result<(), Fault> {
        bytes.seek(SeekFrom::Start(0))?;
        let mut stream = wrap.stream(&mut bytes);
        let mut first = vec![0; tar::BLOCK];
        match fill(&mut stream, &mut first) {
            Ok(tar::BLOCK) if tar::is_header(&first) || first.iter().all(|&b| b == 0) => {}
            Ok(_) => {
                return refused(format!(
                    "is a file packed by {}, but no tar; unpack it and open what comes out",
                    wrap.name()
                ));
            }
            Err(e) => return refused(format!("is damaged or cut short ({e}); download it again")),
        }
        let mut held = self.held;
        let mut walker = tar::Walker::new(tar::Stream {
            packed: Cursor::new(first).chain(stream),
            left: MAX_STREAM_BYTES,
        });
        let walked = self.walk(&mut walker, name, |walker, member| {
            let path = String::from_utf8_lossy(&member.name.bytes);
            if member.size > MAX_ENTRY_BYTES && !sniff::is_archive_name(&path) {
                return Ok(Taken::Unwanted);
            }
            let mut content = Vec::new();
            walker.read(member.size.min(TOLD_BY), &mut content)?;
            let known = is_wanted(&path) || Kind::of_bytes(&content).is_picture();
            if !known && member.size > KEPT {
                return Ok(Taken::Unwanted);
            }
            held = held.saturating_add(member.size);
            if held > MAX_HELD_BYTES {
                return Ok(Taken::TooMuch);
            }
            let rest = member.size - content.len() as u64;
            walker.read(rest, &mut content)?;
            if (content.len() as u64) < member.size {
                return Ok(Taken::Cut);
            }
            let crc32 = crc32fast::hash(&content);
            Ok(Taken::At(Location::Held(content.into()), Some(crc32)))
        })?;
        self.held = held;
        self.list_tar(walked, name, prefix)
    }

    /// Walks a tar to its end, or to where it is damaged; `take` says where the content of a file is.
    fn walk<R: tar::Skip>(
        &mut self,
        walker: &mut tar::Walker<R>,
        name: &str,
        mut take: impl FnMut(&mut tar::Walker<R>, &tar::Member) -> io::Result<Taken>,
    ) -> Result<Vec<Walked>, Fault> {
        const MISSING: &str = "the files behind are missing; download it again";
        let cut = || format!("is cut short (an interrupted download): {MISSING}");
        let damaged = |e: io::Error| match e.kind() {
            io::ErrorKind::UnexpectedEof => cut(),
            _ => format!("is damaged ({e}): {MISSING}"),
        };
        let mut walked = Vec::new();
        let problem = loop {
            let member = match walker.next() {
                Ok(Some(member)) => member,
                Ok(None) => break None,
                Err(tar::Fault::Cut) => break Some(cut()),
                Err(tar::Fault::Damaged) => break Some(format!("is damaged: {MISSING}")),
                Err(tar::Fault::Io(e)) => break Some(damaged(e)),
            };
            if self.entries.len() + walked.len() >= MAX_ENTRIES {
                return refused(format!("holds more than {MAX_ENTRIES} files"));
            }
            let content = if matches!(member.kind, tar::Kind::File) {
                match take(walker, &member) {
                    Ok(Taken::At(place, crc32)) => Some((place, crc32)),
                    Ok(Taken::Unwanted) => None,
                    Ok(Taken::Cut) => break Some(cut()),
                    Ok(Taken::TooMuch) => {
                        return refused(
                            "unpacks to more than 1 GiB, which would have to be held in memory; unpack it and open the folder",
                        );
                    }
                    Err(e) => break Some(damaged(e)),
                }
            } else {
                None
            };
            walked.push(Walked { member, content });
        };
        if let Some(problem) = problem {
            let whole = walked.iter().filter(|w| w.content.is_some()).count();
            if whole == 0 {
                return refused(problem);
            }
            let s = if whole == 1 { "" } else { "s" };
            let problem = format!("{problem} ({whole} file{s} came)");
            self.told.push(Skipped::failed(name, problem));
        }
        Ok(walked)
    }

    /// Sorts the entries into files, refused ones and folders.
    fn list_tar(&mut self, walked: Vec<Walked>, name: &str, prefix: &str) -> Result<(), Fault> {
        let links = walked.iter().filter_map(|w| match &w.member.kind {
            tar::Kind::HardLink(to) => Some(to),
            _ => None,
        });
        let has_links = links.clone().next().is_some();
        let names = Names::of(walked.iter().map(|w| &w.member.name).chain(links));
        let mut refused_entries = Refused::default();
        let mut listed: Vec<Entry> = Vec::new();
        let mut passed_over = Vec::new();
        let mut stated = 0_u64;
        let mut by_path: HashMap<String, usize> = HashMap::new();
        for Walked { member, content } in walked {
            let text = names.text(member.name);
            let path = match path::below_root(text) {
                Ok(path) => path,
                Err(_) if matches!(member.kind, tar::Kind::Folder) => continue,
                Err((reason, text)) => {
                    refused_entries.add(Reason::Own(reason), text);
                    continue;
                }
            };
            if matches!(member.kind, tar::Kind::Folder) {
                self.folders.push(join(prefix, &path));
                continue;
            }
            if hidden(&path) == Some(Hidden::Litter) {
                continue;
            }
            let found = match (member.kind, content) {
                (tar::Kind::File, _)
                    if member.size > MAX_ENTRY_BYTES && !sniff::is_archive_name(&path) =>
                {
                    Err("unpacks to more than 64 MiB")
                }
                (tar::Kind::File, Some((place, crc32))) => Ok((member.size, crc32, place)),
                (tar::Kind::File, None) => {
                    passed_over.push(join(prefix, &path));
                    continue;
                }
                (tar::Kind::HardLink(to), _) => {
                    let to = path::below_root(names.text(to)).ok();
                    let target = to.and_then(|to| listed.get(*by_path.get(&to)?));
                    target
                        .map(|file| (file.size, file.crc32, file.place.clone()))
                        .ok_or("is a link to a file that is not in the archive")
                }
                (tar::Kind::Other(reason), _) => Err(reason),
                (tar::Kind::Folder, _) => continue,
            };
            match found {
                Ok((size, crc32, place)) => {
                    stated = stated.saturating_add(size);
                    if has_links {
                        by_path.insert(path.clone(), listed.len());
                    }
                    listed.push(Entry {
                        path,
                        size,
                        crc32,
                        place,
                    });
                }
                Err(reason) => {
                    self.unused.push(join(prefix, &path));
                    refused_entries.add(Reason::Own(reason), join(prefix, &path));
                }
            }
        }
        self.stated = self.stated.saturating_add(stated);
        if self.stated > MAX_TOTAL_BYTES {
            return refused(format!(
                "would unpack to {} GB; at most 64 are opened",
                self.stated >> 30
            ));
        }
        self.add(listed, name, prefix, refused_entries)?;
        self.told.extend(told_once(
            name,
            passed_over,
            "is neither an image nor a table, by its name and its first bytes",
            Skipped::passed_over,
        ));
        Ok(())
    }
}
