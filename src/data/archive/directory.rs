//! The directory at the end of a zip, read straight from its records. The `zip` crate keeps one entry per name,
//! drops the others without a word and keeps some 500 bytes for each; here every entry is seen, and an entry is
//! as small as what is needed of it. Record layouts: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.

use std::io::{self, Read, Seek, SeekFrom};

use super::names::RawName;

/// Most bytes behind the end record: a comment has at most 64 KiB, and downloads are padded.
const TAIL: u64 = 1 << 20;
/// Most places that look like an end record which are tried.
const TRIES: usize = 64;
/// Bytes of the end record without its comment.
const END_BYTES: usize = 22;
/// Bytes of a directory header without name, extra field and comment.
const HEADER_BYTES: usize = 46;
/// What 32-bit offsets wrap around at: macOS writes larger zips without the 64-bit records.
const WRAP: u64 = 1 << 32;

/// Bit 0 of the flags: the entry is encrypted.
const ENCRYPTED: u16 = 1;
/// Bit 11 of the flags: the name is UTF-8.
const UTF8: u16 = 1 << 11;
/// The method that says "AES; the real method is in an extra field".
const AES: u16 = 99;
/// Extra field: 64-bit sizes and offset.
const ZIP64: u16 = 0x0001;
/// Extra field: Info-ZIP's Unicode Path.
const UNICODE_PATH: u16 = 0x7075;

/// An entry as the directory states it.
#[derive(Debug)]
pub(super) struct Member {
    pub name: RawName,
    pub method: u16,
    pub crc32: u32,
    /// Compressed bytes.
    pub packed: u64,
    /// Bytes when unpacked.
    pub size: u64,
    /// Where its local header lies in the file.
    pub header: u64,
    pub encrypted: bool,
    pub folder: bool,
    pub link: bool,
}

/// What the directory lists.
#[derive(Debug, Default)]
pub(super) struct Directory {
    pub members: Vec<Member>,
    /// Whether it stops before the number of entries that it states.
    pub damaged: bool,
}

/// Why there is no directory.
#[derive(Debug)]
pub(super) enum Fault {
    /// The file cannot be read.
    Io(io::Error),
    /// There is no end record.
    NoEnd,
    /// The archive goes on in other files.
    Split,
    /// There is an end record, and no directory where it says.
    NoDirectory,
    /// There are more entries than are opened.
    TooMany(u64),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What the end record says, in 64 bits.
#[derive(Debug, Clone, Copy)]
struct End {
    disk: u32,
    directory_disk: u32,
    entries: u64,
    bytes: u64,
    offset: u64,
}

/// Reads the directory of a zip of `len` bytes.
pub(super) fn read(
    file: &mut (impl Read + Seek),
    len: u64,
    most: usize,
) -> Result<Directory, Fault> {
    let tail_at = len.saturating_sub(TAIL);
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(tail_at))?;
    file.take(TAIL).read_to_end(&mut tail)?;
    let starts_as_zip = {
        let mut start = [0; 4];
        file.seek(SeekFrom::Start(0))?;
        fill(file, &mut start)? == 4 && start == *b"PK\x03\x04"
    };
    let mut fault = Fault::NoEnd;
    let candidates = tail.windows(4).enumerate().rev();
    let candidates = candidates.filter(|(_, magic)| *magic == b"PK\x05\x06");
    for (at, _) in candidates.take(TRIES) {
        let Some(record) = tail.get(at..at + END_BYTES) else {
            continue;
        };
        let position = tail_at + at as u64;
        let (end, directory_end) = widen(file, position, short_end(record))?;
        if end.disk != end.directory_disk || (end.disk != 0 && end.disk != 0xffff) {
            fault = Fault::Split;
            continue;
        }
        let Some((start, shift)) = locate(file, &end, directory_end)? else {
            if matches!(fault, Fault::NoEnd) {
                fault = Fault::NoDirectory;
            }
            continue;
        };
        // The end of a zip inside a zip that lost its own end.
        if starts_as_zip && shift % WRAP != 0 {
            continue;
        }
        let shift = if starts_as_zip { 0 } else { shift };
        if end.entries > most as u64 {
            return Err(Fault::TooMany(end.entries));
        }
        return headers(file, &end, start..directory_end, shift, most);
    }
    Err(fault)
}

/// The end record of 22 bytes.
fn short_end(record: &[u8]) -> End {
    End {
        disk: u16_at(record, 4).into(),
        directory_disk: u16_at(record, 6).into(),
        entries: u16_at(record, 10).into(),
        bytes: u32_at(record, 12).into(),
        offset: u32_at(record, 16).into(),
    }
}

/// The 64-bit end record, where there is one, and where the directory ends.
fn widen(file: &mut (impl Read + Seek), position: u64, short: End) -> io::Result<(End, u64)> {
    let as_it_is = Ok((short, position));
    let Some(locator_at) = position.checked_sub(20) else {
        return as_it_is;
    };
    let mut locator = [0; 20];
    file.seek(SeekFrom::Start(locator_at))?;
    if fill(file, &mut locator)? < 20 || !locator.starts_with(b"PK\x06\x07") {
        return as_it_is;
    }
    // Bytes before the archive move the record; it lies right before its locator.
    for at in [Some(u64_at(&locator, 8)), locator_at.checked_sub(56)] {
        let Some(at) = at.filter(|&at| at < locator_at) else {
            continue;
        };
        let mut record = [0; 56];
        file.seek(SeekFrom::Start(at))?;
        if fill(file, &mut record)? == 56 && record.starts_with(b"PK\x06\x06") {
            let end = End {
                disk: u32_at(&record, 16),
                directory_disk: u32_at(&record, 20),
                entries: u64_at(&record, 32),
                bytes: u64_at(&record, 40),
                offset: u64_at(&record, 48),
            };
            return Ok((end, at));
        }
    }
    as_it_is
}

/// Where the directory begins, and by how much all offsets are to be moved.
fn locate(
    file: &mut (impl Read + Seek),
    end: &End,
    directory_end: u64,
) -> io::Result<Option<(u64, u64)>> {
    let before_the_end = directory_end.checked_sub(end.bytes);
    if end.entries == 0 && end.bytes == 0 {
        return Ok(Some((directory_end, 0)));
    }
    for start in [before_the_end, Some(end.offset)].into_iter().flatten() {
        let Some(shift) = start.checked_sub(end.offset) else {
            continue;
        };
        let mut magic = [0; 4];
        file.seek(SeekFrom::Start(start))?;
        if start < directory_end && fill(file, &mut magic)? == 4 && magic == *b"PK\x01\x02" {
            return Ok(Some((start, shift)));
        }
    }
    Ok(None)
}

/// Reads the headers, one behind the other.
fn headers(
    file: &mut (impl Read + Seek),
    end: &End,
    place: std::ops::Range<u64>,
    shift: u64,
    most: usize,
) -> Result<Directory, Fault> {
    let mut found = Directory::default();
    let mut at = place.start;
    let mut header = [0; HEADER_BYTES];
    let mut rest = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    // Some archivers count in 16 bits and go on from 0, so the signatures are what is followed.
    while at + (HEADER_BYTES as u64) <= place.end {
        if fill(file, &mut header)? < HEADER_BYTES || !header.starts_with(b"PK\x01\x02") {
            break;
        }
        let [name, extra, comment] = [28, 30, 32].map(|i| usize::from(u16_at(&header, i)));
        rest.resize(name + extra + comment, 0);
        if fill(file, &mut rest)? < rest.len() {
            break;
        }
        if found.members.len() >= most {
            return Err(Fault::TooMany(end.entries.max(most as u64 + 1)));
        }
        let (name, extra) = rest.split_at(name);
        let disk = u16_at(&header, 34);
        if disk != 0 && disk != 0xffff {
            return Err(Fault::Split);
        }
        found.members.push(member(
            &header,
            name,
            extra.get(..extra_len(&header)),
            shift,
        ));
        at += (HEADER_BYTES + rest.len()) as u64;
    }
    let count = found.members.len() as u64;
    found.damaged = count != end.entries && count & 0xffff != end.entries;
    Ok(found)
}

fn extra_len(header: &[u8]) -> usize {
    u16_at(header, 30).into()
}

fn member(header: &[u8], name: &[u8], extra: Option<&[u8]>, shift: u64) -> Member {
    let flags = u16_at(header, 8);
    let method = u16_at(header, 10);
    let crc32 = u32_at(header, 16);
    let short = [24, 20, 42].map(|i| u32_at(header, i));
    let [mut size, mut packed, mut offset] = short.map(u64::from);
    let mut name = RawName::new(name.to_vec(), flags & UTF8 != 0);
    for (id, field) in fields(extra.unwrap_or_default()) {
        if id == ZIP64 {
            // Only those that did not fit in 32 bits are there, in this order.
            let mut numbers = field.chunks_exact(8).map(|n| u64_at(n, 0));
            for (value, short) in [&mut size, &mut packed, &mut offset].into_iter().zip(short) {
                if short == u32::MAX {
                    *value = numbers.next().unwrap_or(*value);
                }
            }
        } else if id == UNICODE_PATH
            && field.len() > 5
            && field[0] == 1
            && u32_at(field, 1) == crc32fast::hash(&name.bytes)
        {
            // The checksum tells that the name was not changed since by who does not know the field.
            name = RawName::new(field[5..].to_vec(), true);
        }
    }
    let unix = matches!(u16_at(header, 4) >> 8, 3 | 19);
    let attributes = u32_at(header, 38);
    Member {
        folder: name.bytes.ends_with(b"/") || (attributes & 0x10 != 0 && size == 0),
        link: unix && (attributes >> 16) & 0o170_000 == 0o120_000,
        encrypted: flags & ENCRYPTED != 0 || method == AES,
        name,
        method,
        crc32,
        packed,
        size,
        header: offset.saturating_add(shift),
    }
}

/// The extra fields: number and content.
fn fields(mut extra: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (head, rest) = extra.split_at_checked(4)?;
        let (field, rest) = rest.split_at_checked(u16_at(head, 2).into())?;
        extra = rest;
        Some((u16_at(head, 0), field))
    })
}

/// Goes to the first compressed byte of an entry, by its local header.
pub(super) fn seek_to_content(
    file: &mut (impl Read + Seek),
    len: u64,
    header: u64,
    packed: u64,
) -> io::Result<()> {
    let mut at = header;
    let mut local = [0; 30];
    loop {
        file.seek(SeekFrom::Start(at))?;
        if fill(file, &mut local)? == 30 && local.starts_with(b"PK\x03\x04") {
            break;
        }
        at = at
            .checked_add(WRAP)
            .filter(|&at| at < len)
            .ok_or_else(|| io::Error::other("there is no header where the directory says"))?;
    }
    let start = at + 30 + u64::from(u16_at(&local, 26)) + u64::from(u16_at(&local, 28));
    if start.checked_add(packed).is_none_or(|end| end > len) {
        return Err(io::Error::other("the archive ends before it does"));
    }
    file.seek(SeekFrom::Start(start))?;
    Ok(())
}

/// Reads until the buffer is full or the file ends; the bytes that came.
pub(super) fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let found = bytes.get(at..at + N).and_then(|b| b.try_into().ok());
    found.unwrap_or([0; N])
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(number(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(number(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(number(bytes, at))
}
