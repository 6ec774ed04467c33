//! TIFF, row by row. It is our own because the `tiff` crate 0.11.3 gives wrong colours without a word: it undoes the
//! predictor after it dropped samples, undoes one that the compression does not have, knows neither palettes nor the
//! order of bits, and calls whole tiles of LZW cut short.
//!
//! TIFF 6.0 <https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf>

mod data;
mod directory;
mod pixels;

use std::borrow::Cow;
use std::io::{ErrorKind, Read};

use self::data::Packing;
use self::directory as tag;
use self::directory::Directory;
use self::pixels::Pixels;
use super::canvas::{Canvas, NO_MEMORY};
use crate::config::Transparency;

/// Most bytes of a row of tiles.
const MAX_BAND_BYTES: u64 = 128 << 20;

/// Most bytes that tiles may hold beside the picture: those at its edges reach beyond it.
const MAX_BESIDE: u64 = 64 << 20;

/// Most bytes of all samples: 16-bit RGB of the largest picture.
const MAX_SAMPLE_BYTES: u64 = 1_300_000_000;

const CUT_SHORT: &str = "is a TIFF that is cut short: its end is missing";
const DAMAGED: &str = "is a damaged TIFF (its parts do not fit its size)";

/// Decodes the first page; also how it was held.
pub(super) fn decode(
    bytes: &[u8],
    transparency: Transparency,
) -> Result<(Canvas, Option<u8>), String> {
    let directory = Directory::open(bytes)?;
    let side = |tag| {
        directory
            .first(tag, 0)
            .map(|n| u32::try_from(n).unwrap_or(u32::MAX))
    };
    let (width, height) = (side(tag::WIDTH)?, side(tag::HEIGHT)?);
    Canvas::check(width, height)?;
    let compression = directory.first(tag::COMPRESSION, 1)?;
    let packing = Packing::of(compression).ok_or_else(|| {
        format!(
            "is a TIFF compressed as {}, which is not opened; save it as JPEG or PNG",
            compression_name(compression)
        )
    })?;
    let pixels = Pixels::of(&directory)?;
    let layout = Layout::of(&directory, packing, &pixels, width, height)?;
    // So a header cannot claim gigabytes.
    let raw = u64::from(width) * u64::from(height) * (pixels.bits * pixels.samples) as u64 / 8;
    if raw / packing.ratio() > bytes.len() as u64 {
        return Err(CUT_SHORT.into());
    }
    if raw > MAX_SAMPLE_BYTES {
        return Err(NO_MEMORY.into());
    }
    let mut canvas = Canvas::new(width, height, transparency)?;
    let reader = Rows {
        bytes,
        little: directory.little,
        packing,
        pixels: &pixels,
        layout: &layout,
    };
    if layout.across > 1 {
        reader.tiles(width as usize, height as usize, &mut canvas)?;
    } else {
        reader.strips(width as usize, height as usize, &mut canvas)?;
    }
    let orientation = directory.first(tag::ORIENTATION, 1);
    Ok((canvas, orientation.ok().and_then(|v| u8::try_from(v).ok())))
}

/// Where the pixels lie.
struct Layout {
    /// Size of a strip or tile in pixels, and how many there are in a row and rows of them.
    width: usize,
    height: usize,
    across: usize,
    down: usize,
    /// Whether each sample has strips or tiles of its own.
    planar: bool,
    /// Whether samples are differences to those before.
    predicted: bool,
    /// Whether the bits of each byte go from the lowest to the highest.
    reversed: bool,
    offsets: Vec<u64>,
    /// Lengths in bytes; none of a strip that ends where it is full.
    counts: Vec<Option<u64>>,
}

impl Layout {
    fn of(
        directory: &Directory,
        packing: Packing,
        pixels: &Pixels,
        width: u32,
        height: u32,
    ) -> Result<Self, String> {
        let tiled = directory.numbers(tag::TILE_WIDTH)?.is_some();
        let (w, h) = if tiled {
            (
                directory.first(tag::TILE_WIDTH, 0)?,
                directory.first(tag::TILE_HEIGHT, 0)?,
            )
        } else {
            let rows = directory.first(tag::ROWS_PER_STRIP, 0)?;
            // Some writers leave it at 0 where one strip holds all.
            let all = u64::from(height);
            (
                u64::from(width),
                if rows == 0 { all } else { rows.min(all) },
            )
        };
        if w == 0 || h == 0 || w > u64::from(u32::MAX) || h > u64::from(u32::MAX) {
            return Err(DAMAGED.into());
        }
        let (across, down) = (u64::from(width).div_ceil(w), u64::from(height).div_ceil(h));
        let planar = match directory.first(tag::PLANAR, 1)? {
            1 => false,
            2 => pixels.samples > 1,
            _ => return Err(DAMAGED.into()),
        };
        let bits = (pixels.bits * pixels.samples) as u64;
        let beside = (u128::from(w) * u128::from(across) * u128::from(h) * u128::from(down)
            - u128::from(width) * u128::from(height))
            * u128::from(bits)
            / 8;
        let inside = u128::from(width) * u128::from(height) * u128::from(bits) / 8;
        if beside > u128::from(MAX_BESIDE) + 3 * inside {
            return Err(format!(
                "is a TIFF whose tiles, {w} x {h} pixels each, are far larger than its picture; save it as JPEG or PNG"
            ));
        }
        let predicted = match directory.first(tag::PREDICTOR, 1)? {
            // Without these, there is none, whatever the tag says.
            _ if packing != Packing::Lzw && packing != Packing::Deflate => false,
            1 => false,
            2 if pixels.bits >= 8 => true,
            n => {
                return Err(format!(
                    "is a TIFF of a kind that is not opened (predictor {n} of {} bits); save it as JPEG or PNG",
                    pixels.bits
                ));
            }
        };
        let places = |tiles, strips| {
            let own = if tiled {
                directory.numbers(tiles)?
            } else {
                None
            };
            Ok::<_, String>(match own {
                Some(own) => own,
                // Some writers put tiles there too.
                None => directory.numbers(strips)?.unwrap_or_default(),
            })
        };
        let offsets = places(tag::TILE_OFFSETS, tag::STRIP_OFFSETS)?;
        let mut counts: Vec<Option<u64>> = places(tag::TILE_COUNTS, tag::STRIP_COUNTS)?
            .into_iter()
            .map(Some)
            .collect();
        let planes = if planar { pixels.samples as u64 } else { 1 };
        let n = across * down * planes;
        // A single one needs no length: the pixels say where it ends.
        if n == 1 && (counts.is_empty() || counts[0] == Some(0) || packing == Packing::None) {
            counts = vec![None];
        }
        // At 0 lies the header. A writer that died has left it there.
        let at_header = offsets.iter().take(n as usize).any(|&offset| offset == 0);
        if at_header || (offsets.len() as u64) < n || (counts.len() as u64) < n {
            return Err(DAMAGED.into());
        }
        Ok(Self {
            width: w as usize,
            height: h as usize,
            across: across as usize,
            down: down as usize,
            planar,
            predicted,
            reversed: directory.first(tag::FILL_ORDER, 1)? == 2,
            offsets,
            counts,
        })
    }
}

struct Rows<'a> {
    bytes: &'a [u8],
    little: bool,
    packing: Packing,
    pixels: &'a Pixels,
    layout: &'a Layout,
}

const UNPACKED: &str = "is a damaged TIFF (its data cannot be unpacked)";

/// A strip or tile that is being read.
struct Part<'a> {
    data: Box<dyn Read + 'a>,
    /// Whether the file ends before it does.
    cut: bool,
    row: Vec<u8>,
}

/// Reads what is left behind the rows, so that the checksum of Deflate is compared. Data without an end are forgiven,
/// as long as their rows are there.
fn check_end(part: &mut Part) -> Result<(), String> {
    /// Rows of a tile that lie beyond the picture may be long; an endless stream is not followed.
    const MOST: u64 = 1 << 22;
    match std::io::copy(&mut (&mut part.data).take(MOST), &mut std::io::sink()) {
        Err(error) if error.kind() != ErrorKind::UnexpectedEof => Err(UNPACKED.into()),
        _ => Ok(()),
    }
}

impl Rows<'_> {
    /// Samples of a pixel that lie together.
    const fn together(&self) -> usize {
        if self.layout.planar {
            1
        } else {
            self.pixels.samples
        }
    }

    /// The planes to read, each with the samples that are wanted of it: which of those together, and which of those
    /// that make a pixel.
    fn planes(&self) -> Vec<(usize, Vec<(usize, usize)>)> {
        let wanted = self.pixels.wanted.iter().copied().enumerate();
        if self.layout.planar {
            wanted.map(|(slot, s)| (s, vec![(0, slot)])).collect()
        } else {
            vec![(0, wanted.map(|(slot, s)| (s, slot)).collect())]
        }
    }

    fn part(&self, plane: usize, y: usize, x: usize) -> Result<Part<'_>, String> {
        let layout = self.layout;
        let index = (plane * layout.down + y) * layout.across + x;
        let begin = usize::try_from(layout.offsets[index]).map_err(|_| CUT_SHORT)?;
        let rest = self.bytes.get(begin..).ok_or(CUT_SHORT)?;
        let stated = layout.counts[index].map(|n| usize::try_from(n).unwrap_or(usize::MAX));
        let length = stated.unwrap_or(rest.len()).min(rest.len());
        if self.packing == Packing::Lzw && matches!(rest, [0, second, ..] if second & 1 == 1) {
            return Err(
                "is a TIFF packed by the LZW of before 1988, which is not opened; save it as JPEG or PNG".into(),
            );
        }
        let data = if layout.reversed {
            Cow::Owned(rest[..length].iter().map(|b| b.reverse_bits()).collect())
        } else {
            Cow::Borrowed(&rest[..length])
        };
        let bits = layout.width * self.together() * self.pixels.bits;
        let mut row = Vec::new();
        row.try_reserve_exact(bits.div_ceil(8))
            .map_err(|_| NO_MEMORY)?;
        row.resize(bits.div_ceil(8), 0);
        Ok(Part {
            data: self.packing.reader(data),
            cut: stated.is_none_or(|n| n > rest.len()),
            row,
        })
    }

    /// Reads the next row of a part and undoes the predictor.
    fn next(&self, part: &mut Part) -> Result<(), String> {
        part.data.read_exact(&mut part.row).map_err(|e| {
            if e.kind() != ErrorKind::UnexpectedEof {
                UNPACKED
            } else if part.cut {
                CUT_SHORT
            } else {
                "is a damaged TIFF (one of its parts ends too early)"
            }
        })?;
        if !self.layout.predicted {
            return Ok(());
        }
        let n = self.together();
        if self.pixels.bits == 8 {
            for i in n..part.row.len() {
                part.row[i] = part.row[i].wrapping_add(part.row[i - n]);
            }
        } else {
            let (words, _) = part.row.as_chunks_mut::<2>();
            for i in n..words.len() {
                words[i] = if self.little {
                    let sum = |a, b| u16::from_le_bytes(a).wrapping_add(u16::from_le_bytes(b));
                    sum(words[i], words[i - n]).to_le_bytes()
                } else {
                    let sum = |a, b| u16::from_be_bytes(a).wrapping_add(u16::from_be_bytes(b));
                    sum(words[i], words[i - n]).to_be_bytes()
                };
            }
        }
        Ok(())
    }

    /// Takes the samples that are wanted out of a row, 8 bits each: `out` is `[W,wanted]`.
    fn pick(&self, row: &[u8], samples: &[(usize, usize)], out: &mut [u8]) {
        let (together, bits) = (self.together(), self.pixels.bits);
        let slots = self.pixels.wanted.len();
        for &(sample, slot) in samples {
            let places = (sample..).step_by(together);
            let out = out.iter_mut().skip(slot).step_by(slots).zip(places);
            match bits {
                8 => out.for_each(|(v, at)| *v = row[at]),
                // The upper half.
                16 => {
                    let upper = usize::from(self.little);
                    out.for_each(|(v, at)| *v = row[2 * at + upper]);
                }
                _ => {
                    let top = (1_u8 << bits) - 1;
                    let scale = if self.pixels.is_palette() {
                        1
                    } else {
                        255 / top
                    };
                    out.for_each(|(v, at)| {
                        let bit = at * bits;
                        *v = (row[bit / 8] >> (8 - bits - bit % 8) & top) * scale;
                    });
                }
            }
        }
    }

    /// Strips, or a single column of tiles.
    fn strips(&self, width: usize, height: usize, canvas: &mut Canvas) -> Result<(), String> {
        let planes = self.planes();
        let mut line = vec![0; width * self.pixels.wanted.len()];
        for y in 0..self.layout.down {
            let mut parts = planes
                .iter()
                .map(|&(plane, _)| self.part(plane, y, 0))
                .collect::<Result<Vec<_>, _>>()?;
            let done = y * self.layout.height;
            for _ in done..height.min(done + self.layout.height) {
                for (part, (_, samples)) in parts.iter_mut().zip(&planes) {
                    self.next(part)?;
                    self.pick(&part.row, samples, &mut line);
                }
                self.pixels.put(&line, canvas);
            }
            for part in &mut parts {
                check_end(part)?;
            }
        }
        Ok(())
    }

    /// Several columns of tiles: a row of them is put together.
    fn tiles(&self, width: usize, height: usize, canvas: &mut Canvas) -> Result<(), String> {
        let planes = self.planes();
        let layout = self.layout;
        let slots = self.pixels.wanted.len();
        let stride = width * slots;
        let rows = layout.height.min(height);
        let size = stride as u64 * rows as u64;
        if size > MAX_BAND_BYTES {
            return Err(NO_MEMORY.into());
        }
        let mut band = Vec::new();
        band.try_reserve_exact(size as usize)
            .map_err(|_| NO_MEMORY)?;
        band.resize(size as usize, 0);
        for y in 0..layout.down {
            let rows = rows.min(height - y * layout.height);
            for (plane, samples) in &planes {
                for x in 0..layout.across {
                    let begin = x * layout.width;
                    let columns = begin * slots..width.min(begin + layout.width) * slots;
                    let mut part = self.part(*plane, y, x)?;
                    for line in band.chunks_exact_mut(stride).take(rows) {
                        self.next(&mut part)?;
                        self.pick(&part.row, samples, &mut line[columns.clone()]);
                    }
                    check_end(&mut part)?;
                }
            }
            for line in band.chunks_exact(stride).take(rows) {
                self.pixels.put(line, canvas);
            }
        }
        Ok(())
    }
}

fn compression_name(number: u64) -> Cow<'static, str> {
    Cow::Borrowed(match number {
        2..=4 => "a fax",
        6 | 7 => "JPEG",
        34712 | 33003 | 33005 => "JPEG 2000",
        50000 | 34926 => "Zstandard",
        50001 | 34927 => "WebP",
        34887 => "LERC",
        34925 => "LZMA",
        50002 | 52546 => "JPEG XL",
        other => return Cow::Owned(format!("number {other}")),
    })
}
