//! From the bytes of a file to upright RGB, and back to PNG. What cannot be opened is told apart by
//! content, because "unsupported" helps nobody whose phone writes HEIC.

use std::io::Cursor;

use image::codecs::png::PngEncoder;
use image::error::{ImageError, LimitErrorKind};
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits,
};

use super::Rgb;
use crate::error::{Error, Result};

/// Most pixels an image may have: at 50 million its RGB bytes are 150 MB, which a tab still holds.
pub const MAX_PIXELS: u64 = 50_000_000;

/// Most bytes a decoder may take, enough for [`MAX_PIXELS`] of 16-bit RGBA.
const MAX_DECODER_BYTES: u64 = 512 << 20;

/// Decodes a JPEG, PNG, WebP, GIF (its first frame) or BMP, told by content and not by name. EXIF
/// orientation is applied, transparency dropped as Pillow's `convert("RGB")` does.
///
/// # Errors
/// [`Error::Decode`] under the name given: not an image, another format, damaged, cut short, too large.
pub fn decode(name: &str, bytes: &[u8]) -> Result<Rgb> {
    let fail = |reason: String| Error::decode(name, reason);
    let format = format(bytes).map_err(|reason| fail(reason.to_owned()))?;
    if format == ImageFormat::Jpeg && !jpeg_is_complete(bytes) {
        return Err(fail(CUT_SHORT.into()));
    }
    let explain = |error: &ImageError| fail(explain(format, error));

    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    // This reads the header only.
    let mut decoder = reader.into_decoder().map_err(|e| explain(&e))?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 {
        return Err(fail(format!(
            "is {width} x {height} pixels, which is no image"
        )));
    }
    if pixels > MAX_PIXELS {
        return Err(fail(format!(
            "is {width} x {height} pixels, {:.0} megapixels; at most {} are opened",
            pixels as f64 / 1e6,
            MAX_PIXELS / 1_000_000
        )));
    }
    let orientation = decoder.orientation().map_err(|e| explain(&e))?;
    let image = DynamicImage::from_decoder(decoder).map_err(|e| explain(&e))?;
    // To three bytes a pixel first: turning needs a second copy of whatever it is given.
    let mut image = DynamicImage::ImageRgb8(image.into_rgb8());
    image.apply_orientation(orientation);
    let image = image.into_rgb8();
    Ok(Rgb {
        width: image.width() as usize,
        height: image.height() as usize,
        pixels: image.into_raw(),
    })
}

/// The image as a PNG file.
///
/// # Errors
/// [`Error::Shape`] if the pixels are not `[H,W,3]`.
pub fn encode_png(image: &Rgb) -> Result<Vec<u8>> {
    let fail = |reason: String| Error::shape("PNG", reason);
    let side = |n: usize| u32::try_from(n).map_err(|e| fail(e.to_string()));
    let (width, height) = (side(image.width)?, side(image.height)?);
    if image.pixels.len() != image.width.saturating_mul(image.height).saturating_mul(3) {
        return Err(fail(format!(
            "{} bytes for {width} x {height} pixels",
            image.pixels.len()
        )));
    }
    let mut file = Vec::new();
    PngEncoder::new(&mut file)
        .write_image(&image.pixels, width, height, ExtendedColorType::Rgb8)
        .map_err(|e| fail(e.to_string()))?;
    Ok(file)
}

const CUT_SHORT: &str = "is cut short: its end is missing";

/// The format by its first bytes; for any other, what the file seems to be and what to do.
fn format(bytes: &[u8]) -> std::result::Result<ImageFormat, &'static str> {
    if bytes.is_empty() {
        return Err("is empty (0 bytes)");
    }
    let opened = [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Gif,
        ImageFormat::Bmp,
    ];
    if let Some(format) = image::guess_format(bytes)
        .ok()
        .filter(|f| opened.contains(f))
    {
        return Ok(format);
    }
    // ISO base media: a length, "ftyp", the brand. https://mp4ra.org/registered-types/brands
    if bytes.get(4..8) == Some(b"ftyp") {
        return Err(match bytes.get(8..12) {
            Some(b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" | b"mif1" | b"msf1") => {
                "is a HEIC photo, which browsers cannot open; export it as JPEG"
            }
            Some(b"avif" | b"avis") => "is an AVIF image; save it as JPEG or PNG",
            _ => "is a video, not an image",
        });
    }
    // Text may begin with a byte order mark and blank lines.
    let start = bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii_start();
    let head = start.get(..1024).unwrap_or(start).to_ascii_lowercase();
    let says = |word: &[u8]| head.windows(word.len()).any(|w| w == word);
    if head.starts_with(b"<") {
        return Err(if says(b"<svg") {
            "is an SVG drawing, not a photo; save it as PNG"
        } else if says(b"<html") || says(b"<!doctype html") {
            "is a web page, not an image"
        } else {
            "is an XML file, not an image"
        });
    }
    let known: [(&[u8], &str); 6] = [
        (b"II*\0", "is a TIFF or raw photo; save it as JPEG or PNG"),
        (b"MM\0*", "is a TIFF or raw photo; save it as JPEG or PNG"),
        (b"\xff\x0a", "is a JPEG XL image; save it as JPEG or PNG"),
        (
            b"\0\0\0\x0cJXL ",
            "is a JPEG XL image; save it as JPEG or PNG",
        ),
        (b"%PDF", "is a PDF, not an image"),
        (b"PK\x03\x04", "is a zip archive, not an image"),
    ];
    let what = known.iter().find(|(magic, _)| bytes.starts_with(magic));
    Err(what.map_or(
        "is not an image (JPEG, PNG, WebP, GIF and BMP are opened)",
        |w| w.1,
    ))
}

/// What a decoder's error means to the one who gave the file.
fn explain(format: ImageFormat, error: &ImageError) -> String {
    let kind = format!("{format:?}").to_uppercase();
    match error {
        ImageError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => CUT_SHORT.into(),
        ImageError::Limits(limit) if limit.kind() == LimitErrorKind::InsufficientMemory => {
            "needs more memory to decode than an image may take".into()
        }
        ImageError::Unsupported(e) => format!("is a {kind} of a kind that cannot be opened ({e})"),
        other => {
            let other = other.to_string();
            format!(
                "is a damaged {kind} ({})",
                other.lines().next().unwrap_or_default()
            )
        }
    }
}

/// Whether a JPEG runs to its end marker. The decoder, like browsers, paints what is missing gray and says
/// nothing; a gray half would go into training with a label on it.
///
/// ITU-T T.81, annex B: segments are `FF`, a marker, a length that counts itself; after the header of a
/// scan come entropy-coded bytes, in which `FF` is always followed by `00` or a restart marker.
fn jpeg_is_complete(bytes: &[u8]) -> bool {
    const END: u8 = 0xd9;
    // After the start marker FF D8.
    let mut at = 2;
    loop {
        // To the next marker: skips entropy-coded bytes and stray ones between segments.
        let Some(skip) = bytes
            .get(at..)
            .and_then(|rest| rest.iter().position(|&b| b == 0xff))
        else {
            return false;
        };
        at += skip + 1;
        match bytes.get(at) {
            None => return false,
            Some(&END) => return true,
            // A second FF is a fill byte: look at it again as the first of a marker.
            Some(0xff) => {}
            // Stuffing, a temporary marker, restarts and starts of image have no length.
            Some(0x00 | 0x01 | 0xd0..=0xd8) => at += 1,
            Some(_) => {
                let Some(&[high, low]) = bytes.get(at + 1..at + 3) else {
                    return false;
                };
                at += 1 + usize::from(u16::from_be_bytes([high, low]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jpeg_ends_at_its_end_marker_and_nowhere_in_a_segment() {
        let thumbnail = [0xff, 0xd8, 0xff, 0xe1, 0x00, 0x04, 0xff, 0xd9];
        assert!(!jpeg_is_complete(&thumbnail), "that end lies in a segment");
        assert!(jpeg_is_complete(
            &[&thumbnail[..], &[0xff, 0xff, 0xd9]].concat()
        ));
        assert!(
            !jpeg_is_complete(&[0xff, 0xd8, 0x12, 0xff, 0x00, 0xd9]),
            "stuffed"
        );
        assert!(!jpeg_is_complete(&[0xff, 0xd8, 0xff, 0xe0]), "no length");
        assert!(!jpeg_is_complete(&[]), "nothing");
    }
}
