//! PNG, row by row: with the `png` crate, and with what browsers forgive.

use std::borrow::Cow;
use std::io::Cursor;

use flate2::{Decompress, FlushDecompress, Status};
use png::{
    ColorType, DecodeOptions, Decoder, DecodingError, InterlaceInfo, Limits, Transformations,
};

use super::canvas::{Canvas, NO_MEMORY};
use super::decode::CUT_SHORT;
use crate::config::Transparency;

/// Most bytes of an interlaced image, which is put together as a whole, and of the decoder's buffers.
const MAX_BYTES: usize = 450 << 20;

/// Decodes the image, of an animated PNG the default one. An end chunk may be missing. A wrong checksum of
/// the compressed data is forgiven if the checksum of the chunk is right, and the other way round, because
/// either proves the pixels.
pub(super) fn decode(bytes: &[u8], transparency: Transparency) -> Result<Canvas, String> {
    if bytes.get(12..16) == Some(b"CgBI") {
        return Err(
            "is a PNG of an iPhone app (CgBI), which is not opened; export it as PNG".into(),
        );
    }
    // The header before anything is made of it.
    if let Some(&[w0, w1, w2, w3, h0, h1, h2, h3]) = bytes.get(16..24) {
        let side = |bytes| u32::from_be_bytes(bytes);
        Canvas::check(side([w0, w1, w2, w3]), side([h0, h1, h2, h3]))?;
    }
    let bytes = &*with_sound_palette(bytes)?;
    let mut options = DecodeOptions::default();
    options.set_ignore_text_chunk(true);
    options.set_ignore_iccp_chunk(true);
    match attempt(bytes, options.clone(), transparency, false) {
        Err(Failure::Format(reason)) => {
            if !data_are_whole(bytes) {
                return Err(reason);
            }
            options.set_ignore_crc(true);
            options.set_ignore_adler32(false);
            attempt(bytes, options, transparency, true).map_err(|_| reason)
        }
        other => other.map_err(Failure::reason),
    }
}

/// Whether the compressed data of all chunks together end, with the right checksum: what the decoder itself does not
/// ask once it has all rows.
fn data_are_whole(bytes: &[u8]) -> bool {
    let mut inflate = Decompress::new(true);
    let mut scratch = vec![0; 1 << 15];
    let mut at = 8;
    while let Some(&[l0, l1, l2, l3, ref kind @ ..]) =
        bytes.get(at..).and_then(<[u8]>::first_chunk::<8>)
    {
        let length = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
        let Some(data) = bytes.get(at + 8..).and_then(|rest| rest.get(..length)) else {
            return false;
        };
        let mut data = if kind == b"IDAT" { data } else { &[] };
        while !data.is_empty() {
            let before = (inflate.total_in(), inflate.total_out());
            let status = inflate.decompress(data, &mut scratch, FlushDecompress::None);
            match status {
                Ok(Status::StreamEnd) => return true,
                Ok(_) if (inflate.total_in(), inflate.total_out()) != before => {}
                _ => return false,
            }
            data = &data[(inflate.total_in() - before.0) as usize..];
        }
        at += length + 12;
    }
    false
}

/// Refuses a palette that is no whole number of colours, on which the `png` crate panics, and one of none or too many.
/// Where the pixels are no numbers of a palette, such a one is left out, as libpng does.
fn with_sound_palette(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    let indexed = bytes.get(25) == Some(&3);
    let mut at = 8;
    while let Some(&[l0, l1, l2, l3, ref kind @ ..]) =
        bytes.get(at..).and_then(<[u8]>::first_chunk::<8>)
    {
        let length = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
        let Some(next) = length.checked_add(12).and_then(|n| at.checked_add(n)) else {
            break;
        };
        match kind {
            b"PLTE" if !length.is_multiple_of(3) || !(3..=768).contains(&length) => {
                if indexed {
                    return Err(format!(
                        "is a damaged PNG (its palette of {length} bytes is not 1 to 256 whole colours)"
                    ));
                }
                let behind = bytes.get(next..).ok_or(CUT_SHORT)?;
                return Ok(Cow::Owned([&bytes[..at], behind].concat()));
            }
            b"IDAT" | b"IEND" => break,
            _ => at = next,
        }
    }
    Ok(Cow::Borrowed(bytes))
}

enum Failure {
    /// A second look may help.
    Format(String),
    Other(String),
}

impl Failure {
    fn reason(self) -> String {
        match self {
            Self::Format(reason) | Self::Other(reason) => reason,
        }
    }
}

impl From<DecodingError> for Failure {
    fn from(error: DecodingError) -> Self {
        match error {
            DecodingError::IoError(_) => Self::Other(CUT_SHORT.into()),
            DecodingError::LimitsExceeded => Self::Other(NO_MEMORY.into()),
            DecodingError::Format(_) | DecodingError::Parameter(_) => {
                Self::Format(format!("is a damaged PNG ({})", plain(&error.to_string())))
            }
        }
    }
}

/// The decoder's words without the Rust values in them: some of its errors show a chunk as the struct that it is.
fn plain(error: &str) -> &str {
    let end = error.find(" while decoding ChunkType");
    let end = end.or_else(|| error.find(": ChunkType"));
    &error[..end.unwrap_or(error.len())]
}

/// `vouched`: whether the end of the data must be there, because its checksum is what vouches for them.
fn attempt(
    bytes: &[u8],
    options: DecodeOptions,
    transparency: Transparency,
    vouched: bool,
) -> Result<Canvas, Failure> {
    let mut decoder = Decoder::new_with_options(Cursor::new(bytes), options);
    decoder.set_limits(Limits { bytes: MAX_BYTES });
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let mut reader = decoder.read_info()?;
    let (width, height) = reader.info().size();
    let cut_short = || Failure::Other(CUT_SHORT.into());
    // Deflate makes at most 1032 bytes of one. So a header of a few bytes cannot claim gigabytes.
    let bits = u64::from(width) * u64::from(height) * reader.info().bits_per_pixel() as u64;
    if bits / 8 / 1032 > bytes.len() as u64 {
        return Err(cut_short());
    }
    let mut canvas = Canvas::new(width, height, transparency).map_err(Failure::Other)?;
    let put = match reader.output_color_type().0 {
        ColorType::Grayscale => Canvas::gray,
        ColorType::GrayscaleAlpha => Canvas::gray_alpha,
        ColorType::Rgba => Canvas::rgba,
        ColorType::Rgb | ColorType::Indexed => Canvas::rgb,
    };
    if reader.info().interlaced {
        let size = reader
            .output_buffer_size()
            .filter(|&n| n <= MAX_BYTES)
            .ok_or_else(|| Failure::Other(NO_MEMORY.into()))?;
        let stride = reader.output_line_size(width).unwrap_or(1).max(1);
        let bits = 8 * reader.output_color_type().0.samples() as u8;
        let mut pixels = vec![0; size];
        for _ in 0..interlaced_rows(width, height) {
            let row = reader.next_interlaced_row()?.ok_or_else(cut_short)?;
            if let InterlaceInfo::Adam7(pass) = row.interlace() {
                png::expand_interlaced_row(&mut pixels, stride, row.data(), pass, bits);
            }
        }
        pixels
            .chunks_exact(stride)
            .for_each(|row| put(&mut canvas, row));
    } else {
        for _ in 0..height {
            let row = reader.next_row()?.ok_or_else(cut_short)?;
            put(&mut canvas, row.data());
        }
    }
    // The checksums stand behind the last row.
    match reader.next_row() {
        Err(DecodingError::IoError(_)) if !vouched => {}
        end => drop(end?),
    }
    Ok(canvas)
}

/// Rows of all passes of an interlaced image that hold a pixel.
fn interlaced_rows(width: u32, height: u32) -> u32 {
    [
        (0, 0, 8),
        (4, 0, 8),
        (0, 4, 8),
        (2, 0, 4),
        (0, 2, 4),
        (1, 0, 2),
        (0, 1, 2),
    ]
    .iter()
    .filter(|&&(left, ..)| left < width)
    .map(|&(_, top, down)| height.saturating_sub(top).div_ceil(down))
    .sum()
}

/// Writes 8-bit RGB, `[H,W,3]`.
pub(super) fn encode(
    file: &mut Vec<u8>,
    width: u32,
    height: u32,
    pixels: &[u8],
) -> Result<(), String> {
    let mut encoder = png::Encoder::new(file, width, height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    encoder.set_filter(png::Filter::Adaptive);
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(pixels))
        .map_err(|e| e.to_string())
}
