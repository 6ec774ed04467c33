//! Headers of a tar, one behind the other: ustar, GNU's long names, pax. Layout: POSIX.1-2017, `pax`, sections
//! "ustar Interchange Format" and "pax Extended Header"; GNU tar's manual, "Basic Tar Format".

use std::io::{self, Read, Seek, SeekFrom};

use super::directory::fill;
use super::names::RawName;

/// Everything in a tar is laid out in blocks of so many bytes.
pub(super) const BLOCK: usize = 512;
/// Most bytes of a header that belongs to the next one: a long name or pax records.
const MAX_EXTENSION: u64 = 1 << 20;

/// What an entry is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    File,
    Folder,
    /// The same file as one further in front, by its name.
    HardLink(RawName),
    /// What has no bytes of its own, with the reason not to use it.
    Other(&'static str),
}

/// An entry; its content begins where the reader stands.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub name: RawName,
    pub kind: Kind,
    /// Bytes of its content.
    pub size: u64,
    /// Where its content begins.
    pub at: u64,
}

/// Why there is no next entry.
#[derive(Debug)]
pub(super) enum Fault {
    Io(io::Error),
    /// The file ends amid an entry.
    Cut,
    /// What comes is no header.
    Damaged,
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Self::Cut
        } else {
            Self::Io(error)
        }
    }
}

/// A reader that passes over bytes.
pub(super) trait Skip: Read {
    /// Passes over `n` bytes; an error if there are fewer.
    fn skip(&mut self, n: u64) -> io::Result<()>;
}

/// A file of which any part can be read.
pub(super) struct InPlace<R> {
    pub file: R,
    pub len: u64,
}

impl<R: Read> Read for InPlace<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.file.read(out)
    }
}

impl<R: Read + Seek> Skip for InPlace<R> {
    fn skip(&mut self, n: u64) -> io::Result<()> {
        let to = self.file.stream_position()?.saturating_add(n);
        if to > self.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.file.seek(SeekFrom::Start(to))?;
        Ok(())
    }
}

/// A stream, from front to back, of at most `left` bytes.
pub(super) struct Stream<R> {
    pub packed: R,
    pub left: u64,
}

impl<R: Read> Read for Stream<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !out.is_empty() {
            return Err(io::Error::other("it unpacks to more than is opened"));
        }
        let most = usize::try_from(self.left).map_or(out.len(), |left| left.min(out.len()));
        let read = self.packed.read(&mut out[..most])?;
        self.left -= read as u64;
        Ok(read)
    }
}

impl<R: Read> Skip for Stream<R> {
    fn skip(&mut self, n: u64) -> io::Result<()> {
        if io::copy(&mut self.take(n), &mut io::sink())? < n {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

/// Walks the entries.
pub(super) struct Walker<R> {
    pub reader: R,
    /// Bytes read or passed over.
    position: u64,
    /// Where the next header is.
    next: u64,
}

/// What headers in front say about the next entry.
#[derive(Debug, Default)]
struct Ahead {
    name: Option<RawName>,
    link: Option<RawName>,
    size: Option<u64>,
    sparse: bool,
}

impl<R: Skip> Walker<R> {
    pub const fn new(reader: R) -> Self {
        Self {
            reader,
            position: 0,
            next: 0,
        }
    }

    /// The next entry; none at the end. Its content may be read until the next is asked for.
    pub fn next(&mut self) -> Result<Option<Member>, Fault> {
        let mut ahead = Ahead::default();
        loop {
            self.reader.skip(self.next - self.position)?;
            self.position = self.next;
            let mut block = [0; BLOCK];
            match fill(&mut self.reader, &mut block)? {
                // Some archivers leave out the blocks of zeros at the end.
                0 => return Ok(None),
                BLOCK => {}
                _ => return Err(Fault::Cut),
            }
            self.position += BLOCK as u64;
            if block.iter().all(|&byte| byte == 0) {
                return Ok(None);
            }
            if !is_header(&block) {
                return Err(Fault::Damaged);
            }
            let stated = number(&block[124..136]).ok_or(Fault::Damaged)?;
            let extension = matches!(block[156], b'L' | b'K' | b'x' | b'g');
            // A pax record replaces the size of the entry, never that of another extension.
            let size = ahead.size.filter(|_| !extension).unwrap_or(stated);
            // Links have no content, whatever their size says.
            let content = if matches!(block[156], b'1'..=b'6') {
                0
            } else {
                size
            };
            let padded = content.checked_next_multiple_of(BLOCK as u64);
            let next = padded.and_then(|n| self.position.checked_add(n));
            self.next = next.ok_or(Fault::Damaged)?;
            if extension {
                if content > MAX_EXTENSION {
                    return Err(Fault::Damaged);
                }
                let mut bytes = Vec::new();
                (&mut self.reader).take(content).read_to_end(&mut bytes)?;
                if (bytes.len() as u64) < content {
                    return Err(Fault::Cut);
                }
                self.position += content;
                match block[156] {
                    b'L' => ahead.name = Some(RawName::new(text(&bytes).to_vec(), false)),
                    b'K' => ahead.link = Some(RawName::new(text(&bytes).to_vec(), false)),
                    b'x' => records(&bytes, &mut ahead),
                    // What holds for all entries is times and owners.
                    _ => {}
                }
                continue;
            }
            return Ok(Some(self.member(&block, ahead, content)));
        }
    }

    fn member(&self, block: &[u8; BLOCK], ahead: Ahead, size: u64) -> Member {
        let name = ahead.name.unwrap_or_else(|| {
            let name = text(&block[..100]);
            let prefix = text(&block[345..500]);
            // GNU's own headers have times there.
            if block[257..263] == *b"ustar\0" && !prefix.is_empty() {
                RawName::new([prefix, b"/", name].concat(), false)
            } else {
                RawName::new(name.to_vec(), false)
            }
        });
        let kind = match block[156] {
            _ if ahead.sparse => Kind::Other("is a sparse file, which is not unpacked"),
            b'0' | b'7' | 0 if name.bytes.ends_with(b"/") => Kind::Folder,
            b'0' | b'7' | 0 => Kind::File,
            b'1' => Kind::HardLink(
                ahead
                    .link
                    .unwrap_or_else(|| RawName::new(text(&block[157..257]).to_vec(), false)),
            ),
            b'2' => Kind::Other("is a link, not a file"),
            b'5' => Kind::Folder,
            b'3' | b'4' | b'6' => Kind::Other("is a device or a pipe, not a file"),
            b'S' => Kind::Other("is a sparse file, which is not unpacked"),
            b'M' => Kind::Other("goes on in another part of a split archive"),
            _ => Kind::Other("is no file"),
        };
        Member {
            name,
            kind,
            size,
            at: self.position,
        }
    }

    /// Reads up to `most` bytes of the content on.
    pub fn read(&mut self, most: u64, content: &mut Vec<u8>) -> io::Result<()> {
        let came = (&mut self.reader).take(most).read_to_end(content)?;
        self.position += came as u64;
        Ok(())
    }
}

/// Whether a block is a header: its checksum says so.
pub(super) fn is_header(block: &[u8]) -> bool {
    let Some(stated) = block.get(148..156).and_then(number) else {
        return false;
    };
    let (mut unsigned, mut signed) = (0_u64, 0_i64);
    for (i, &byte) in block.iter().enumerate().take(BLOCK) {
        let byte = if (148..156).contains(&i) { b' ' } else { byte };
        unsigned += u64::from(byte);
        // Some old archivers added up signed bytes.
        signed += i64::from(byte as i8);
    }
    block.first() != Some(&0) && (stated == unsigned || i64::try_from(stated) == Ok(signed))
}

/// A number of a header: octal digits, or GNU's big-endian bytes behind a first one of 80.
fn number(field: &[u8]) -> Option<u64> {
    let (&first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        let digits = std::iter::once(first & 0x7f).chain(rest.iter().copied());
        return digits.into_iter().try_fold(0_u64, |n, byte| {
            n.checked_mul(256)?.checked_add(byte.into())
        });
    }
    let digits = field.trim_ascii_start();
    let end = digits.iter().position(|b| !(b'0'..=b'7').contains(b));
    let (digits, rest) = digits.split_at(end.unwrap_or(digits.len()));
    if !matches!(rest.first(), None | Some(0 | b' ')) {
        return None;
    }
    digits.iter().try_fold(0_u64, |n, digit| {
        n.checked_mul(8)?.checked_add(u64::from(digit - b'0'))
    })
}

/// The bytes in front of the first zero.
fn text(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// Reads pax records, each "LENGTH KEY=VALUE\n" with the length of all of it.
fn records(mut bytes: &[u8], ahead: &mut Ahead) {
    while let Some(space) = bytes.iter().position(|&b| b == b' ') {
        let len = std::str::from_utf8(&bytes[..space]).ok();
        let len = len.and_then(|n| n.parse::<usize>().ok());
        let Some((record, rest)) = len.and_then(|n| bytes.split_at_checked(n)) else {
            return;
        };
        bytes = rest;
        let Some(record) = record.get(space + 1..).and_then(|r| r.strip_suffix(b"\n")) else {
            return;
        };
        let Some(equals) = record.iter().position(|&b| b == b'=') else {
            return;
        };
        let (key, value) = (&record[..equals], &record[equals + 1..]);
        // These are UTF-8, or bytes as they were where the archiver could not tell.
        let name = || Some(RawName::new(value.to_vec(), true));
        match key {
            b"path" => ahead.name = name(),
            b"linkpath" => ahead.link = name(),
            b"size" => ahead.size = std::str::from_utf8(value).ok().and_then(|n| n.parse().ok()),
            key if key.starts_with(b"GNU.sparse.") => ahead.sparse = true,
            _ => {}
        }
    }
}
