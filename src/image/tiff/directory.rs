//! The first directory of a TIFF: what its tags say. TIFF 6.0, section 2.
//! <https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf>; `BigTIFF`:
//! <https://www.awaresystems.be/imaging/tiff/bigtiff.html>

use super::{CUT_SHORT, DAMAGED, NO_MEMORY};

/// Most bytes of the values of one tag.
const MAX_VALUE_BYTES: usize = 4 << 20;

pub const WIDTH: u16 = 256;
pub const HEIGHT: u16 = 257;
pub const BITS: u16 = 258;
pub const COMPRESSION: u16 = 259;
pub const PHOTOMETRIC: u16 = 262;
pub const FILL_ORDER: u16 = 266;
pub const STRIP_OFFSETS: u16 = 273;
pub const ORIENTATION: u16 = 274;
pub const SAMPLES: u16 = 277;
pub const ROWS_PER_STRIP: u16 = 278;
pub const STRIP_COUNTS: u16 = 279;
pub const PLANAR: u16 = 284;
pub const PREDICTOR: u16 = 317;
pub const COLOR_MAP: u16 = 320;
pub const TILE_WIDTH: u16 = 322;
pub const TILE_HEIGHT: u16 = 323;
pub const TILE_OFFSETS: u16 = 324;
pub const TILE_COUNTS: u16 = 325;
pub const INK_SET: u16 = 332;
pub const EXTRA_SAMPLES: u16 = 338;
pub const SAMPLE_FORMAT: u16 = 339;

/// Tags and where their values lie.
#[derive(Debug)]
pub struct Directory<'a> {
    bytes: &'a [u8],
    pub little: bool,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    tag: u16,
    kind: u16,
    count: u64,
    /// Where the values lie, or where it is said where they lie.
    field: usize,
    inline: usize,
}

impl<'a> Directory<'a> {
    /// Of a file that begins as a TIFF or a `BigTIFF`.
    pub fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let little = bytes.starts_with(b"II");
        let big = matches!(bytes.get(2..4), Some(b"+\0" | b"\0+"));
        let mut directory = Self {
            bytes,
            little,
            entries: Vec::new(),
        };
        let (offset, count, entry, field) = if big { (8, 8, 20, 8) } else { (4, 2, 12, 4) };
        let begin = directory.number(offset, field).ok_or(CUT_SHORT)?;
        let begin = usize::try_from(begin).map_err(|_| CUT_SHORT)?;
        let n = directory.number(begin, count).ok_or(CUT_SHORT)?;
        if n > u64::from(u16::MAX) {
            return Err(DAMAGED.into());
        }
        let mut at = begin + count;
        for _ in 0..n {
            let (Some(tag), Some(kind), Some(count)) = (
                directory.number(at, 2),
                directory.number(at + 2, 2),
                directory.number(at + 4, field),
            ) else {
                return Err(CUT_SHORT.into());
            };
            directory.entries.push(Entry {
                tag: tag as u16,
                kind: kind as u16,
                count,
                field: at + entry - field,
                inline: field,
            });
            at += entry;
        }
        Ok(directory)
    }

    /// An unsigned number of 1, 2, 4 or 8 bytes.
    fn number(&self, at: usize, size: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..at.checked_add(size)?)?;
        let add = |n: u64, &b: &u8| n << 8 | u64::from(b);
        Some(if self.little {
            bytes.iter().rev().fold(0, add)
        } else {
            bytes.iter().fold(0, add)
        })
    }

    /// All values of a tag, of whatever unsigned type; none if it is not there.
    pub fn numbers(&self, tag: u16) -> Result<Option<Vec<u64>>, String> {
        let Some(entry) = self.entries.iter().find(|e| e.tag == tag) else {
            return Ok(None);
        };
        let size = match entry.kind {
            // BYTE, SHORT, LONG and IFD, LONG8 and IFD8.
            1 => 1,
            3 => 2,
            4 | 13 => 4,
            16 | 18 => 8,
            _ => {
                return Err(format!(
                    "is a damaged TIFF (its tag {tag} is no whole number)"
                ));
            }
        };
        let length = usize::try_from(entry.count)
            .ok()
            .and_then(|n| n.checked_mul(size))
            .ok_or(CUT_SHORT)?;
        let begin = if length <= entry.inline {
            entry.field
        } else {
            let at = self.number(entry.field, entry.inline).ok_or(CUT_SHORT)?;
            usize::try_from(at).map_err(|_| CUT_SHORT)?
        };
        let end = begin.checked_add(length).ok_or(CUT_SHORT)?;
        if end > self.bytes.len() {
            return Err(CUT_SHORT.into());
        }
        if length > MAX_VALUE_BYTES {
            return Err(NO_MEMORY.into());
        }
        Ok(Some(
            (begin..end)
                .step_by(size)
                .filter_map(|at| self.number(at, size))
                .collect(),
        ))
    }

    /// The first value of a tag, or what holds without it.
    pub fn first(&self, tag: u16, otherwise: u64) -> Result<u64, String> {
        let values = self.numbers(tag)?;
        Ok(values.and_then(|v| v.first().copied()).unwrap_or(otherwise))
    }
}
