//! Segments: what the file says before and between its scans. ITU-T T.81, annex B.

use crate::colour::Colours;
use crate::frame::{Coding, Frame};
use crate::huffman::{self, Huffman};
use crate::{Fault, Result};

/// The order in which coefficients are stored: position in the block, row by row, of the k-th.
pub const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// A component's part in a scan: its index in the frame, and the numbers of its Huffman tables.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    pub component: usize,
    pub dc: usize,
    pub ac: usize,
}

/// The header of a scan.
#[derive(Debug, Clone)]
pub struct Scan {
    pub components: Vec<Part>,
    /// The first and the last coefficient, in zigzag order.
    pub first: usize,
    pub last: usize,
    /// The bit below which the earlier scan stopped, and the one at which this stops.
    pub high: u8,
    pub low: u8,
}

impl Scan {
    fn parse(frame: &Frame, body: &[u8]) -> Result<Self> {
        const BAD: Fault = Fault::Damaged("a scan header that does not fit its frame");
        let (&n, rest) = body.split_first().ok_or(BAD)?;
        let n = usize::from(n);
        if n == 0 || n > frame.components.len() || rest.len() < 2 * n + 3 {
            return Err(BAD);
        }
        let (parts, rest) = rest.split_at(2 * n);
        let mut components: Vec<Part> = Vec::with_capacity(n);
        for part in parts.chunks_exact(2) {
            // Where an id occurs twice, the next component of it that has no part yet is meant.
            let component = (0..frame.components.len())
                .find(|&i| {
                    frame.components[i].id == part[0] && components.iter().all(|p| p.component != i)
                })
                .ok_or(BAD)?;
            let (dc, ac) = (usize::from(part[1] >> 4), usize::from(part[1] & 15));
            if dc > 3 || ac > 3 {
                return Err(BAD);
            }
            components.push(Part { component, dc, ac });
        }
        let mut scan = Self {
            components,
            first: rest[0].into(),
            last: rest[1].into(),
            high: rest[2] >> 4,
            low: rest[2] & 15,
        };
        if frame.coding == Coding::Sequential {
            // Some writers leave these at 0. They have but one meaning here.
            (scan.first, scan.last, scan.high, scan.low) = (0, 63, 0, 0);
            return Ok(scan);
        }
        let band = if scan.first == 0 {
            scan.last == 0
        } else {
            scan.components.len() == 1 && scan.first <= scan.last && scan.last < 64
        };
        let bits = scan.low <= 13 && (scan.high == 0 || scan.high == scan.low + 1);
        if band && bits { Ok(scan) } else { Err(BAD) }
    }
}

/// Everything that the segments said so far.
#[derive(Debug, Default)]
pub struct Headers<'a> {
    pub frame: Option<Frame>,
    pub exif: Option<&'a [u8]>,
    quantization: [Option<[u16; 64]>; 4],
    dc: [Option<Box<Huffman>>; 4],
    ac: [Option<Box<Huffman>>; 4],
    /// Units between restart markers; 0 for none.
    pub restart: usize,
    /// Whether the end marker was met.
    pub ended: bool,
    jfif: bool,
    adobe: Option<u8>,
}

impl<'a> Headers<'a> {
    /// Reads segments from `at` on until the header of a scan, and leaves `at` behind it; none at the end
    /// marker or the end of the data.
    pub fn until_scan(&mut self, bytes: &'a [u8], at: &mut usize) -> Result<Option<Scan>> {
        while let Some(marker) = next_marker(bytes, at) {
            // These have no length: a temporary one, restarts, the start, the end.
            match marker {
                0xd9 => {
                    self.ended = true;
                    return Ok(None);
                }
                0x01 | 0xd0..=0xd8 => continue,
                _ => {}
            }
            let Some(&[high, low]) = bytes.get(*at..*at + 2) else {
                return Ok(None);
            };
            let length = usize::from(u16::from_be_bytes([high, low]));
            if length < 2 {
                return Err(Fault::Damaged("a segment without a length"));
            }
            let Some(body) = bytes.get(*at + 2..*at + length) else {
                return Ok(None);
            };
            *at += length;
            if let Some(scan) = self.segment(marker, body)? {
                return Ok(Some(scan));
            }
        }
        Ok(None)
    }

    fn segment(&mut self, marker: u8, body: &'a [u8]) -> Result<Option<Scan>> {
        match marker {
            0xc0..=0xc2 => {
                if self.frame.is_some() {
                    return Err(Fault::Damaged("a second frame in it"));
                }
                let coding = if marker == 0xc2 {
                    Coding::Progressive
                } else {
                    Coding::Sequential
                };
                self.frame = Some(Frame::parse(coding, body)?);
            }
            0xc3 => {
                return Err(Fault::Kind(
                    "is a lossless JPEG (as in DICOM and raw files), which is not opened; save it as PNG",
                ));
            }
            0xc5..=0xc7 | 0xcd..=0xcf | 0xde => {
                return Err(Fault::Kind(
                    "is a hierarchical JPEG, which no program shows; save it as PNG",
                ));
            }
            0xc9..=0xcb => {
                return Err(Fault::Kind(
                    "is an arithmetic-coded JPEG, which browsers do not show; save it as an ordinary one",
                ));
            }
            0xf7 => {
                return Err(Fault::Kind(
                    "is a JPEG-LS image, which is not opened; save it as PNG",
                ));
            }
            0xc4 => self.huffman_tables(body)?,
            0xda => {
                let frame = self
                    .frame
                    .as_ref()
                    .ok_or(Fault::Damaged("a scan before its frame"))?;
                return Scan::parse(frame, body).map(Some);
            }
            0xdb => self.quantization_tables(body)?,
            0xdd => {
                if let &[high, low, ..] = body {
                    self.restart = u16::from_be_bytes([high, low]).into();
                }
            }
            0xe0 => self.jfif |= body.starts_with(b"JFIF\0"),
            // The first one counts. One of XMP may stand before it.
            0xe1 if self.exif.is_none() => {
                self.exif = body.strip_prefix(b"Exif\0\0").filter(|e| !e.is_empty());
            }
            0xee if body.starts_with(b"Adobe") && body.len() >= 12 => self.adobe = Some(body[11]),
            _ => {}
        }
        Ok(None)
    }

    fn quantization_tables(&mut self, mut body: &[u8]) -> Result<()> {
        while let Some((&head, rest)) = body.split_first() {
            let wide = head >> 4 != 0;
            let length = if wide { 128 } else { 64 };
            let values = rest
                .get(..length)
                .ok_or(Fault::Damaged("a short quantization table"))?;
            let mut table = [0; 64];
            for (k, &at) in ZIGZAG.iter().enumerate() {
                table[usize::from(at)] = if wide {
                    u16::from_be_bytes([values[2 * k], values[2 * k + 1]])
                } else {
                    values[k].into()
                };
            }
            // Webcams write tables of higher numbers, which no component can name.
            if let Some(slot) = self.quantization.get_mut(usize::from(head & 15)) {
                *slot = Some(table);
            }
            body = &rest[length..];
        }
        Ok(())
    }

    fn huffman_tables(&mut self, mut body: &[u8]) -> Result<()> {
        const SHORT: Fault = Fault::Damaged("a short Huffman table");
        // Fewer bytes than a table's head are filling.
        while body.len() >= 17 {
            let (head, counts) = (body[0], &body[1..17]);
            let n: usize = counts.iter().map(|&c| usize::from(c)).sum();
            let values = body.get(17..17 + n).ok_or(SHORT)?;
            let tables = if head >> 4 == 0 {
                &mut self.dc
            } else {
                &mut self.ac
            };
            if let Some(slot) = tables.get_mut(usize::from(head & 15)) {
                *slot = Some(Box::new(Huffman::new(counts, values)?));
            }
            body = &body[17 + n..];
        }
        Ok(())
    }

    /// Gives the scan's components the quantization tables that hold now, unless an earlier scan did, and
    /// fills in the Huffman tables of T.81's annex K where a scan names some that the file leaves out, as
    /// frames of motion JPEG do.
    pub fn latch(&mut self, frame: &mut Frame, scan: &Scan) -> Result<()> {
        for part in &scan.components {
            let component = &mut frame.components[part.component];
            if component.quantization.is_none() {
                component.quantization = self
                    .quantization
                    .get(usize::from(component.table))
                    .copied()
                    .flatten();
            }
            if component.quantization.is_none() {
                return Err(Fault::Damaged("a quantization table is missing"));
            }
            for (tables, number, ac) in [
                (&mut self.dc, part.dc, false),
                (&mut self.ac, part.ac, true),
            ] {
                if tables[number].is_none() && number < 2 {
                    tables[number] = Some(Box::new(huffman::standard(ac, number == 1)?));
                }
            }
        }
        Ok(())
    }

    pub fn dc(&self, number: usize) -> Result<&Huffman> {
        table(&self.dc, number)
    }

    pub fn ac(&self, number: usize) -> Result<&Huffman> {
        table(&self.ac, number)
    }

    /// What the components mean, decided as libjpeg does.
    pub fn colours(&self, frame: &Frame) -> Result<Colours> {
        let ids: Vec<u8> = frame.components.iter().map(|c| c.id).collect();
        Ok(match (frame.components.len(), self.adobe) {
            (1, _) => Colours::Gray,
            (3, Some(0)) if !self.jfif => Colours::Rgb,
            (3, None) if !self.jfif && ids == *b"RGB" => Colours::Rgb,
            (3, _) => Colours::Ycc,
            (4, None | Some(0)) => Colours::Cmyk,
            (4, Some(_)) => Colours::Ycck,
            _ => return Err(Fault::Damaged("an impossible number of components")),
        })
    }
}

fn table(tables: &[Option<Box<Huffman>>; 4], number: usize) -> Result<&Huffman> {
    tables
        .get(number)
        .and_then(|t| t.as_deref())
        .ok_or(Fault::Damaged("a Huffman table is missing"))
}

/// The next marker from `at` on, over entropy-coded and stray bytes and fill bytes; leaves `at` behind it.
pub fn next_marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    loop {
        let skip = bytes.get(*at..)?.iter().position(|&b| b == 0xff)?;
        *at += skip;
        while *bytes.get(*at)? == 0xff {
            *at += 1;
        }
        let marker = bytes[*at];
        *at += 1;
        if marker != 0 {
            return Some(marker);
        }
    }
}

/// The height that a DNL segment behind the first scan gives, where the frame header leaves it open.
pub fn height_behind_scan(bytes: &[u8], mut at: usize) -> Result<usize> {
    while let Some(marker) = next_marker(bytes, &mut at) {
        match marker {
            0xd0..=0xd7 => {}
            0xdc => {
                return match bytes.get(at + 2..at + 4) {
                    Some(&[high, low]) if (high, low) != (0, 0) => {
                        Ok(u16::from_be_bytes([high, low]).into())
                    }
                    _ => Err(Fault::CutShort),
                };
            }
            _ => return Err(Fault::Damaged("its height is missing")),
        }
    }
    Err(Fault::CutShort)
}
