//! Formats that are left to the browser: it has decoders for AVIF, and on some systems for HEIC and JPEG XL, which
//! would cost the page a megabyte. Natively they are refused by name.

use super::canvas::MAX_PIXELS_KEPT;
use super::kind::Kind;
use crate::platform::picture;

/// What [`decode`](super::decode()) opens: the bytes as they are, or, of a format that only the browser opens, a BMP
/// of what it shows. What the browser does not open either comes back as it was, for `decode` to name.
pub async fn transcode(bytes: Vec<u8>) -> Vec<u8> {
    let kind = Kind::of_bytes(&bytes);
    let Some(mime) = mime(kind).filter(|_| kind.by_browser()) else {
        return bytes;
    };
    match picture::decode(&bytes, mime, MAX_PIXELS_KEPT).await {
        Some((width, height, rgba)) => bmp(width, height, &rgba).unwrap_or(bytes),
        None => bytes,
    }
}

/// The type that the browser knows a format by.
const fn mime(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Avif => Some("image/avif"),
        Kind::Heic => Some("image/heic"),
        Kind::Jxl => Some("image/jxl"),
        Kind::Ico => Some("image/x-icon"),
        _ => None,
    }
}

/// A BMP of 24 bits. `rgba` is `[H,W,4]`, opaque. None if it is not that, or larger than a BMP can be.
///
/// <https://learn.microsoft.com/en-us/windows/win32/gdi/bitmap-storage>
fn bmp(width: usize, height: usize, rgba: &[u8]) -> Option<Vec<u8>> {
    const HEADERS: u32 = 14 + 40;
    if rgba.len() != width.checked_mul(height)?.checked_mul(4)? || rgba.is_empty() {
        return None;
    }
    let row = width.checked_mul(3)?.next_multiple_of(4);
    let size = u32::try_from(row.checked_mul(height)?).ok()?;
    let mut file = Vec::with_capacity(size as usize + HEADERS as usize);
    file.extend(b"BM");
    file.extend(size.checked_add(HEADERS)?.to_le_bytes());
    file.extend([0; 4]);
    file.extend(HEADERS.to_le_bytes());
    file.extend(40_u32.to_le_bytes());
    file.extend(i32::try_from(width).ok()?.to_le_bytes());
    // A negative height: rows from the top.
    file.extend((-i32::try_from(height).ok()?).to_le_bytes());
    file.extend([1, 0, 24, 0]);
    file.extend([0; 24]);
    for pixels in rgba.chunks_exact(width * 4) {
        let begin = file.len();
        file.extend(
            pixels
                .as_chunks::<4>()
                .0
                .iter()
                .flat_map(|[r, g, b, _]| [*b, *g, *r]),
        );
        file.resize(begin + row, 0);
    }
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Rgb;

    #[test]
    fn a_bitmap_is_read_back_as_it_was() {
        let (width, height) = (3, 2);
        let rgba: Vec<u8> = (0..24)
            .map(|i| if i % 4 == 3 { 255 } else { i * 7 })
            .collect();
        let file = bmp(width, height, &rgba).expect("a BMP");
        let Rgb {
            width,
            height,
            pixels,
        } = crate::image::decode("a.bmp", &file).expect("opened");
        let wanted: Vec<u8> = rgba
            .as_chunks::<4>()
            .0
            .iter()
            .flat_map(|p| [p[0], p[1], p[2]])
            .collect();
        assert_eq!((width, height, pixels), (3, 2, wanted));
        assert_eq!(bmp(2, 2, &rgba), None, "another size");
        assert_eq!(bmp(0, 0, &[]), None);
    }
}
