//! TIFF, chunk by chunk: with the `tiff` crate, and with the palettes that it does not know.

use std::borrow::Cow;
use std::io::Cursor;

use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::{CompressionMethod, SampleFormat, Tag};
use tiff::{ColorType, TiffError};

use super::canvas::{Canvas, NO_MEMORY};
use crate::config::Transparency;

/// Most bytes of one strip or tile, or of a row of tiles; half of what a picture may take, because the row and
/// one of its tiles are held at once.
const MAX_CHUNK_BYTES: usize = 192 << 20;

/// Decodes the first page.
pub(super) fn decode(bytes: &[u8], transparency: Transparency) -> Result<Canvas, String> {
    let mut file = Cow::Borrowed(bytes);
    let mut palette = None;
    if let Some(at) = photometric(bytes)
        .filter(|&(_, value)| value == PALETTE)
        .map(|p| p.0)
    {
        // Read as gray, a palette's image gives the numbers of its colours.
        let mut decoder = open(bytes)?;
        palette = Some(
            decoder
                .get_tag_u16_vec(Tag::ColorMap)
                .map_err(|e| explain(&e))?,
        );
        let gray = if bytes[0] == b'I' { [1, 0] } else { [0, 1] };
        file.to_mut()[at..at + 2].copy_from_slice(&gray);
    }
    let mut decoder = open(&file)?;
    let (width, height) = decoder.dimensions().map_err(|e| explain(&e))?;
    Canvas::check(width, height)?;
    let number = |decoder: &mut Decoder<Cursor<&[u8]>>, tag, otherwise: u16| {
        decoder
            .find_tag_unsigned(tag)
            .map(|v| v.unwrap_or(otherwise))
            .map_err(|e| explain(&e))
    };
    let compression = number(&mut decoder, Tag::Compression, 1)?;
    let known = [
        CompressionMethod::None,
        CompressionMethod::LZW,
        CompressionMethod::Deflate,
        CompressionMethod::OldDeflate,
        CompressionMethod::PackBits,
    ];
    if !known.iter().any(|k| k.to_u16() == compression) {
        return Err(format!(
            "is a TIFF compressed as {}, which is not opened; save it as JPEG or PNG",
            compression_name(compression)
        ));
    }
    let kind = Pixels::of(&mut decoder, palette)?;
    let planar = number(&mut decoder, Tag::PlanarConfiguration, 1)? == 2;
    // LZW makes at most 4096 bytes of 12 bits, the others less. So a header cannot claim gigabytes.
    let raw = u64::from(width) * u64::from(height) * kind.bits_per_pixel() as u64 / 8;
    let ratio = if compression == CompressionMethod::None.to_u16() {
        1
    } else {
        2731
    };
    if raw / ratio > bytes.len() as u64 {
        return Err(CUT_SHORT.into());
    }
    let mut canvas = Canvas::new(width, height, transparency)?;
    read(&mut decoder, &kind, planar, &mut canvas)?;
    Ok(canvas)
}

const PALETTE: u16 = 3;

const CUT_SHORT: &str = "is a TIFF that is cut short: its end is missing";

fn open(bytes: &[u8]) -> Result<Decoder<Cursor<&[u8]>>, String> {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MAX_CHUNK_BYTES;
    limits.intermediate_buffer_size = MAX_CHUNK_BYTES;
    limits.ifd_value_size = 4 << 20;
    let decoder = Decoder::new(Cursor::new(bytes)).map_err(|e| explain(&e))?;
    Ok(decoder.with_limits(limits))
}

/// Where the first directory of a classic TIFF says what its samples mean, and that.
fn photometric(bytes: &[u8]) -> Option<(usize, u16)> {
    let little = bytes.starts_with(b"II*\0");
    if !little && !bytes.starts_with(b"MM\0*") {
        return None;
    }
    let short = |at: usize| {
        let two = *bytes.get(at..)?.first_chunk()?;
        Some(if little {
            u16::from_le_bytes(two)
        } else {
            u16::from_be_bytes(two)
        })
    };
    let four = *bytes.get(4..)?.first_chunk()?;
    let directory = if little {
        u32::from_le_bytes(four)
    } else {
        u32::from_be_bytes(four)
    } as usize;
    (0..usize::from(short(directory)?))
        .map_while(|i| directory.checked_add(2 + 12 * i))
        .find(|&at| short(at) == Some(Tag::PhotometricInterpretation.to_u16()))
        .and_then(|at| Some((at + 8, short(at + 8)?)))
}

/// What a pixel is made of.
struct Pixels {
    /// Samples of a pixel, and those of them that say its colour and alpha; the others are ignored.
    samples: usize,
    bits: usize,
    colours: Colours,
    /// Whether alpha is multiplied into the colours.
    associated: bool,
}

enum Colours {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
    Cmyk,
    /// Red, green and blue, one after the other, 16 bits each.
    Palette(Vec<u16>),
}

impl Pixels {
    fn of(decoder: &mut Decoder<Cursor<&[u8]>>, palette: Option<Vec<u16>>) -> Result<Self, String> {
        let colour = decoder.colortype().map_err(|e| explain(&e))?;
        let mut tag = |tag| {
            decoder
                .find_tag_unsigned_vec::<u16>(tag)
                .map(Option::unwrap_or_default)
                .map_err(|e| explain(&e))
        };
        let samples = tag(Tag::SamplesPerPixel)?.first().copied().unwrap_or(1);
        let format = tag(Tag::SampleFormat)?.first().copied();
        if format.is_some_and(|f| f != SampleFormat::Uint.to_u16()) {
            return Err(
                "is a TIFF of signed or floating point numbers, whose black and white nobody knows; \
                 save it as 8-bit TIFF or PNG"
                    .into(),
            );
        }
        let extra = tag(Tag::ExtraSamples)?;
        // 1 is alpha that is multiplied in already, 2 is not. Anything else is no alpha.
        let alpha = extra.first() == Some(&2) || extra.first() == Some(&1);
        let associated = extra.first() == Some(&1);
        let bits = usize::from(colour.bit_depth());
        let refused = || {
            Err(format!(
                "is a TIFF of a kind that is not opened ({colour:?}); save it as JPEG or PNG"
            ))
        };
        if ![1, 2, 4, 8, 16].contains(&bits) {
            return refused();
        }
        let colours = match (colour, palette) {
            (ColorType::Gray(_), Some(map)) if bits <= 8 && map.len() >= 3 << bits => {
                Colours::Palette(map)
            }
            (_, Some(_)) => return refused(),
            (ColorType::Gray(_), None) => Colours::Gray,
            (
                ColorType::Multiband {
                    num_samples: 2.., ..
                },
                None,
            ) if bits >= 8 => {
                if alpha {
                    Colours::GrayAlpha
                } else {
                    Colours::Gray
                }
            }
            (ColorType::RGB(8 | 16), None) => Colours::Rgb,
            (ColorType::RGBA(8 | 16), None) => Colours::Rgba,
            (ColorType::CMYK(8 | 16) | ColorType::CMYKA(8 | 16), None) => Colours::Cmyk,
            _ => return refused(),
        };
        Ok(Self {
            samples: samples.into(),
            bits,
            colours,
            associated,
        })
    }

    const fn bits_per_pixel(&self) -> usize {
        self.bits * self.samples
    }

    /// Puts a row of samples, 8 bits each or numbers of a palette, on the canvas.
    fn put(&self, row: &[u8], samples: usize, canvas: &mut Canvas) {
        let pixels = row.chunks_exact(samples);
        let straight = |v: u8, alpha: u8| {
            if self.associated {
                let (v, alpha) = (u32::from(v), u32::from(alpha).max(1));
                ((v * 255 + alpha / 2) / alpha).min(255) as u8
            } else {
                v
            }
        };
        match &self.colours {
            Colours::Gray => canvas.gray(&pixels.map(|p| p[0]).collect::<Vec<_>>()),
            Colours::GrayAlpha => {
                canvas.gray_alpha(
                    &pixels
                        .flat_map(|p| [straight(p[0], p[1]), p[1]])
                        .collect::<Vec<_>>(),
                );
            }
            Colours::Rgb => {
                canvas.rgb(&pixels.flat_map(|p| [p[0], p[1], p[2]]).collect::<Vec<_>>());
            }
            Colours::Rgba => canvas.rgba(
                &pixels
                    .flat_map(|p| {
                        let [r, g, b] = [p[0], p[1], p[2]].map(|v| straight(v, p[3]));
                        [r, g, b, p[3]]
                    })
                    .collect::<Vec<_>>(),
            ),
            Colours::Cmyk => canvas.rgb(
                &pixels
                    .flat_map(|p| {
                        let light = 255 - u32::from(p[3]);
                        [p[0], p[1], p[2]]
                            .map(|ink| (light - (u32::from(ink) * light + 127) / 255) as u8)
                    })
                    .collect::<Vec<_>>(),
            ),
            Colours::Palette(map) => {
                let n = 1 << self.bits;
                canvas.rgb(
                    &pixels
                        .flat_map(|p| {
                            let at = usize::from(p[0]).min(n - 1);
                            [map[at], map[n + at], map[2 * n + at]].map(|v| (v >> 8) as u8)
                        })
                        .collect::<Vec<_>>(),
                );
            }
        }
    }
}

/// Reads chunk by chunk: strips, or rows of tiles.
fn read(
    decoder: &mut Decoder<Cursor<&[u8]>>,
    kind: &Pixels,
    planar: bool,
    canvas: &mut Canvas,
) -> Result<(), String> {
    let (width, height) = decoder.dimensions().map_err(|e| explain(&e))?;
    let (chunk_width, chunk_height) = decoder.chunk_dimensions();
    if chunk_width == 0 || chunk_height == 0 {
        return Err(DAMAGED.into());
    }
    let across = width.div_ceil(chunk_width);
    let down = height.div_ceil(chunk_height);
    let planes = if planar { kind.samples as u32 } else { 1 };
    let width = width as usize;
    // The samples of a pixel that `DecodingResult` holds: gray with more beside comes as it is.
    let held = match (&kind.colours, planar) {
        (_, true) => 1,
        (Colours::Gray | Colours::GrayAlpha, _) => kind.samples,
        (Colours::Palette(_), _) => kind.samples,
        (Colours::Rgb, _) => 3,
        (Colours::Rgba, _) => 4,
        (Colours::Cmyk, _) => match decoder.colortype() {
            Ok(ColorType::CMYKA(_)) => 5,
            _ => 4,
        },
    };
    let samples = held * planes as usize;
    let rows = chunk_height.min(height) as usize;
    let bytes = rows.saturating_mul(width).saturating_mul(samples);
    if bytes > MAX_CHUNK_BYTES {
        return Err(NO_MEMORY.into());
    }
    let mut band = vec![0; bytes];
    for y in 0..down {
        let mut lines = 0;
        for plane in 0..planes {
            for x in 0..across {
                let index = (plane * down + y) * across + x;
                let (w, h) = decoder.chunk_data_dimensions(index);
                let chunk = decoder.read_chunk(index).map_err(|e| explain(&e))?;
                lines = (h as usize).min(rows);
                let begin = x as usize * chunk_width as usize;
                let place = |line: usize| (line * width + begin) * samples + plane as usize;
                unpack(chunk, kind, held, w as usize, lines, |line, i, value| {
                    let at = place(line) + i / held * samples + i % held;
                    if let Some(sample) = band.get_mut(at) {
                        *sample = value;
                    }
                })?;
            }
        }
        for row in band.chunks_exact(width * samples).take(lines) {
            kind.put(row, samples, canvas);
        }
    }
    Ok(())
}

const DAMAGED: &str = "is a damaged TIFF (its parts do not fit its size)";

/// Gives each sample of a chunk by line and place in the line: 8 bits, or the number in a palette.
fn unpack(
    chunk: DecodingResult,
    kind: &Pixels,
    held: usize,
    width: usize,
    lines: usize,
    mut put: impl FnMut(usize, usize, u8),
) -> Result<(), String> {
    let n = width * held;
    match chunk {
        DecodingResult::U16(values) => {
            for (line, row) in values.chunks_exact(n).take(lines).enumerate() {
                for (i, &v) in row.iter().enumerate() {
                    put(line, i, (v >> 8) as u8);
                }
            }
        }
        DecodingResult::U8(values) if kind.bits == 8 => {
            for (line, row) in values.chunks_exact(n).take(lines).enumerate() {
                for (i, &v) in row.iter().enumerate() {
                    put(line, i, v);
                }
            }
        }
        DecodingResult::U8(values) => {
            let bits = kind.bits;
            let top = (1_u16 << bits) - 1;
            let scale = match kind.colours {
                Colours::Palette(_) => 1,
                _ => 255 / top,
            };
            for (line, row) in values
                .chunks_exact((n * bits).div_ceil(8))
                .take(lines)
                .enumerate()
            {
                for i in 0..n {
                    let at = i * bits;
                    let v = u16::from(row[at / 8] >> (8 - bits - at % 8)) & top;
                    put(line, i, (v * scale) as u8);
                }
            }
        }
        _ => return Err(DAMAGED.into()),
    }
    Ok(())
}

fn compression_name(number: u16) -> Cow<'static, str> {
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

fn explain(error: &TiffError) -> String {
    match error {
        TiffError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => CUT_SHORT.into(),
        TiffError::LimitsExceeded => NO_MEMORY.into(),
        TiffError::UnsupportedError(e) => {
            format!("is a TIFF of a kind that is not opened ({e}); save it as JPEG or PNG")
        }
        other => {
            let other = other.to_string();
            format!(
                "is a damaged TIFF ({})",
                other.lines().next().unwrap_or_default()
            )
        }
    }
}
