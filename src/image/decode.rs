//! From the bytes of a file to upright RGB, and back to PNG. What cannot be opened is told apart by
//! content, because "unsupported" helps nobody whose phone writes HEIC.

use std::io::Cursor;

use image::codecs::webp::WebPDecoder;
use image::error::{ImageError, LimitErrorKind};
use image::metadata::Orientation;
use image::{
    ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage, Rgba,
};
use retune_jpeg::{Fault, Jpeg};

use super::canvas::{Canvas, NO_MEMORY};
use super::kind::Kind;
use super::{Rgb, bmp, exif, gif, png, pnm, tiff, webp};
use crate::config::Transparency;
use crate::error::{Error, Result};

/// Most bytes for the whole image of a decoder that does not give it row by row (WebP, GIF, BMP, PNM): 113
/// megapixels of RGB.
const MAX_IMAGE_BYTES: u64 = 340_000_000;

/// Most pixels of a WebP. Its decoder takes 8 bytes or more for each, and 38 bytes can claim any number.
const MAX_PIXELS_WEBP: u64 = 64_000_000;

/// Decodes as [`decode_with`] does, with transparency over white.
///
/// # Errors
/// [`Error::Decode`] under the name given: not an image, another format, damaged, cut short, too large.
pub fn decode(name: &str, bytes: &[u8]) -> Result<Rgb> {
    decode_with(name, bytes, Transparency::default())
}

/// Decodes a JPEG, PNG, WebP, GIF (its first frame), BMP, TIFF (its first page) or PNM, told by content and not
/// by name. EXIF orientation is applied. An image of more than [`super::MAX_PIXELS_KEPT`] comes out
/// smaller than it is stored. JPEG gives libjpeg-turbo's pixels, 16-bit samples their upper half.
///
/// # Errors
/// [`Error::Decode`] under the name given: not an image, another format, damaged, cut short, too large.
pub fn decode_with(name: &str, bytes: &[u8], transparency: Transparency) -> Result<Rgb> {
    opened(bytes, transparency).map_err(|reason| {
        // Where the content says nothing, as in a Targa, the name may.
        let kind = Kind::of_name(name);
        let by_name = kind
            .refusal()
            .filter(|_| kind.is_picture() && reason == super::kind::NOT_AN_IMAGE);
        Error::decode(name, by_name.map_or(reason, str::to_owned))
    })
}

pub(super) const CUT_SHORT: &str = "is cut short: its end is missing";

fn opened(bytes: &[u8], transparency: Transparency) -> std::result::Result<Rgb, String> {
    let kind = Kind::of_bytes(bytes);
    if let Some(reason) = kind.refusal() {
        return Err(reason.into());
    }
    let (canvas, orientation) = match kind {
        Kind::Jpeg => jpeg(bytes.trim_ascii_start(), transparency)?,
        Kind::Png => {
            let held = exif::in_png(bytes).and_then(exif::orientation);
            (png::decode(bytes, transparency)?, held)
        }
        Kind::Tiff => tiff::decode(bytes, transparency)?,
        Kind::WebP => {
            if webp::ends_in_zeros(bytes) {
                return Err(CUT_SHORT.into());
            }
            let held = exif::in_webp(bytes).and_then(exif::orientation);
            (whole(bytes, kind, ImageFormat::WebP, transparency)?, held)
        }
        Kind::Gif => {
            let bytes = gif::mended(bytes)?;
            (whole(&bytes, kind, ImageFormat::Gif, transparency)?, None)
        }
        Kind::Bmp => {
            let bytes = bmp::mended(bytes)?;
            (whole(&bytes, kind, ImageFormat::Bmp, transparency)?, None)
        }
        Kind::Pnm => {
            let bytes = pnm::without_comments(bytes);
            pnm::check_samples(&bytes)?;
            (whole(&bytes, kind, ImageFormat::Pnm, transparency)?, None)
        }
        _ => return Err(super::kind::NOT_AN_IMAGE.into()),
    };
    let image = canvas.finish().ok_or(CUT_SHORT)?;
    Ok(turned(image, orientation))
}

/// The image upright, given how it was held.
fn turned(image: Rgb, orientation: Option<u8>) -> Rgb {
    let Some(orientation) = orientation
        .and_then(Orientation::from_exif)
        .filter(|&o| o != Orientation::NoTransforms)
    else {
        return image;
    };
    let Rgb {
        width,
        height,
        pixels,
    } = image;
    // Both fit: they were 32 bits when the canvas was made, and it checked that the pixels are all there.
    let image = RgbImage::from_raw(width as u32, height as u32, pixels).unwrap_or_default();
    let mut image = DynamicImage::ImageRgb8(image);
    image.apply_orientation(orientation);
    let image = image.into_rgb8();
    Rgb {
        width: image.width() as usize,
        height: image.height() as usize,
        pixels: image.into_raw(),
    }
}

type Decoded = std::result::Result<(Canvas, Option<u8>), String>;

fn jpeg(bytes: &[u8], transparency: Transparency) -> Decoded {
    let explain = |fault| match fault {
        Fault::CutShort => CUT_SHORT.to_owned(),
        Fault::RowsMissing => "is damaged or cut short: its last rows are missing".to_owned(),
        Fault::Damaged(how) => format!("is a damaged JPEG ({how})"),
        Fault::Kind(reason) => reason.to_owned(),
        Fault::TooLarge => NO_MEMORY.to_owned(),
    };
    let jpeg = Jpeg::open(bytes).map_err(explain)?;
    let orientation = jpeg.exif().and_then(exif::orientation);
    let (width, height) = jpeg.size();
    Canvas::check(width, height)?;
    jpeg.check_length().map_err(explain)?;
    let mut canvas = Canvas::new(width, height, transparency)?;
    jpeg.rows(&mut |row| canvas.rgb(row)).map_err(explain)?;
    Ok((canvas, orientation))
}

/// Decodes with a decoder of the `image` crate, which needs the whole image at once.
fn whole(
    bytes: &[u8],
    kind: Kind,
    format: ImageFormat,
    transparency: Transparency,
) -> std::result::Result<Canvas, String> {
    let explain = |error: &ImageError| explain(kind, error);
    // This reads the header only.
    let decoder: Box<dyn ImageDecoder + '_> = if kind == Kind::WebP {
        let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|e| explain(&e))?;
        // What the first frame leaves free is transparent; without alpha, the decoder would make it black.
        if decoder.has_animation()
            && transparency == Transparency::White
            && !decoder.color_type().has_alpha()
        {
            let white = Rgba([255; 4]);
            decoder
                .set_background_color(white)
                .map_err(|e| explain(&e))?;
        }
        Box::new(decoder)
    } else {
        let mut limits = Limits::default();
        limits.max_alloc = Some(2 * MAX_IMAGE_BYTES);
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        reader.limits(limits);
        Box::new(reader.into_decoder().map_err(|e| explain(&e))?)
    };
    let (width, height) = decoder.dimensions();
    let pixels = Canvas::check(width, height)?;
    if kind == Kind::WebP && pixels > MAX_PIXELS_WEBP {
        return Err(format!(
            "is a WebP of {:.0} megapixels; at most {} are opened of a WebP; save it as JPEG",
            pixels as f64 / 1e6,
            MAX_PIXELS_WEBP / 1_000_000
        ));
    }
    if decoder.total_bytes() > MAX_IMAGE_BYTES {
        return Err(NO_MEMORY.into());
    }
    // Most pixels that a byte can stand for: a run of 255 from two bytes in a BMP, 4096 of 12 bits in a GIF.
    // In a WebP it is any number. So a header of a few bytes cannot claim gigabytes.
    let dense = match kind {
        Kind::Bmp => 256,
        Kind::Gif => 4096,
        Kind::Pnm => 8,
        _ => u64::MAX,
    };
    if pixels / dense > bytes.len() as u64 {
        return Err(CUT_SHORT.into());
    }
    let mut canvas = Canvas::new(width, height, transparency)?;
    let colour = decoder.color_type();
    let size = usize::try_from(decoder.total_bytes()).map_err(|_| NO_MEMORY)?;
    let mut samples = Vec::new();
    samples.try_reserve_exact(size).map_err(|_| NO_MEMORY)?;
    samples.resize(size, 0);
    decoder.read_image_boxed(&mut samples).map_err(|e| {
        // A WebP says how long it is. Its decoder calls a missing end corrupt.
        let length = bytes.get(4..).and_then(<[u8]>::first_chunk);
        let length = length.map_or(0, |&l| u64::from(u32::from_le_bytes(l)));
        if kind == Kind::WebP && length + 8 > bytes.len() as u64 {
            CUT_SHORT.into()
        } else {
            explain(&e)
        }
    })?;
    // Many programs write a mask for alpha into a BMP and leave alpha at 0, which no one means to be seen through.
    if kind == Kind::Bmp
        && colour == ColorType::Rgba8
        && samples.iter().skip(3).step_by(4).all(|&a| a == 0)
    {
        samples
            .iter_mut()
            .skip(3)
            .step_by(4)
            .for_each(|a| *a = u8::MAX);
    }
    let put = match colour {
        ColorType::L8 | ColorType::L16 => Canvas::gray,
        ColorType::La8 | ColorType::La16 => Canvas::gray_alpha,
        ColorType::Rgb8 | ColorType::Rgb16 => Canvas::rgb,
        ColorType::Rgba8 | ColorType::Rgba16 => Canvas::rgba,
        _ => {
            return Err(format!(
                "is a {} of floating point numbers, which is not opened",
                kind.name()
            ));
        }
    };
    let wide = colour.bytes_per_pixel() / colour.channel_count() == 2;
    let stride = usize::from(colour.bytes_per_pixel()) * width as usize;
    let mut upper = Vec::new();
    for row in samples.chunks_exact(stride) {
        if wide {
            upper.clear();
            let (words, _) = row.as_chunks();
            upper.extend(words.iter().map(|&w| (u16::from_ne_bytes(w) >> 8) as u8));
            put(&mut canvas, &upper);
        } else {
            put(&mut canvas, row);
        }
    }
    Ok(canvas)
}

/// What a decoder's error means to the one who gave the file.
fn explain(kind: Kind, error: &ImageError) -> String {
    let kind = kind.name();
    match error {
        ImageError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => CUT_SHORT.into(),
        ImageError::Limits(limit) if limit.kind() == LimitErrorKind::InsufficientMemory => {
            NO_MEMORY.into()
        }
        // The `gif` crate's words for it.
        other if other.to_string().contains("Unexpected End of File") => CUT_SHORT.into(),
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
    png::encode(&mut file, width, height, &image.pixels).map_err(fail)?;
    Ok(file)
}
