//! How a photo was held: the orientation in its EXIF data.

use super::webp;

/// The tag of EXIF and TIFF.
const ORIENTATION: u16 = 0x0112;

/// The orientation, 1 to 8, that a TIFF's first directory gives; none if it gives none, or nonsense. EXIF data
/// are such a TIFF. Programs store the number as a SHORT, as they should, and as a LONG or a BYTE.
pub(super) fn orientation(tiff: &[u8]) -> Option<u8> {
    let little = match tiff.get(..2)? {
        b"II" => true,
        b"MM" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes = *tiff.get(at..)?.first_chunk()?;
        Some(if little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    };
    let long = |at: usize| {
        let bytes = *tiff.get(at..)?.first_chunk()?;
        Some(if little {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        })
    };
    let directory = usize::try_from(long(4)?).ok()?;
    let entries = usize::from(short(directory)?);
    (0..entries)
        .map_while(|i| {
            let at = directory.checked_add(2 + 12 * i)?;
            Some((short(at)?, short(at + 2)?, at + 8))
        })
        .filter(|&(tag, ..)| tag == ORIENTATION)
        .find_map(|(_, kind, at)| {
            let value = match kind {
                1 => u32::from(*tiff.get(at)?),
                3 => u32::from(short(at)?),
                4 => long(at)?,
                _ => return None,
            };
            u8::try_from(value).ok().filter(|v| (1..=8).contains(v))
        })
}

/// The EXIF data in a PNG: the body of its `eXIf` chunk, wherever it stands. Some programs begin it as in a JPEG.
pub(super) fn in_png(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.get(8..)?;
    loop {
        let length = usize::try_from(u32::from_be_bytes(*rest.first_chunk()?)).ok()?;
        let (kind, body) = (rest.get(4..8)?, rest.get(8..)?);
        if kind == b"eXIf" {
            return body.get(..length).map(bare);
        }
        rest = body.get(length.checked_add(4)?..)?;
    }
}

/// The EXIF data in a WebP: its `EXIF` chunk, with the same habit.
pub(super) fn in_webp(bytes: &[u8]) -> Option<&[u8]> {
    let (_, exif) = webp::chunks(bytes).find(|(kind, _)| *kind == b"EXIF")?;
    Some(bare(exif))
}

/// Without what a JPEG puts before it.
fn bare(exif: &[u8]) -> &[u8] {
    exif.strip_prefix(b"Exif\0\0").unwrap_or(exif)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiff(kind: u8, value: [u8; 4]) -> Vec<u8> {
        let mut bytes = b"MM\0*\0\0\0\x08\0\x02\0\x01\0\x03\0\0\0\x01\0\x02\0\0\x01\x12\0".to_vec();
        bytes.push(kind);
        bytes.extend([0, 0, 0, 1]);
        bytes.extend(value);
        bytes
    }

    #[test]
    fn short_long_and_byte_are_read_and_nonsense_is_not() {
        assert_eq!(orientation(&tiff(3, [0, 6, 0, 0])), Some(6));
        assert_eq!(orientation(&tiff(4, [0, 0, 0, 8])), Some(8));
        assert_eq!(orientation(&tiff(1, [3, 0, 0, 0])), Some(3));
        for (kind, value) in [
            (3, [0, 0, 0, 0]),
            (3, [0, 9, 0, 0]),
            (4, [1, 0, 0, 6]),
            (2, [6; 4]),
        ] {
            assert_eq!(orientation(&tiff(kind, value)), None, "{kind} {value:?}");
        }
        let whole = tiff(3, [0, 6, 0, 0]);
        for n in 0..whole.len() {
            // Short of the value's second half, it is all there.
            assert_eq!(orientation(&whole[..n]), (n > 31).then_some(6), "{n}");
        }
        assert_eq!(orientation(b"II*\0\xff\xff\xff\xff"), None);
    }
}
