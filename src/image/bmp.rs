//! What is put right in a BMP before its decoder sees it, and what its decoder would show wrongly.
//!
//! <https://learn.microsoft.com/en-us/windows/win32/gdi/bitmap-storage>

use std::borrow::Cow;

use super::decode::CUT_SHORT;

const FILE_HEADER: usize = 14;

/// The file as its decoder takes it. Refuses one that says its pixels lie in its header, and one that leaves pixels
/// out, which one program shows black, the next in the first colour, the next transparent.
pub(super) fn mended(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    let header = size(bytes, FILE_HEADER).ok_or(CUT_SHORT)?;
    let mut file = Cow::Borrowed(bytes);
    if header == 16 || header == 64 {
        file = Cow::Owned(without_os2(bytes, header)?);
    }
    let header = size(&file, FILE_HEADER).ok_or(CUT_SHORT)?;
    if header != 12 && header < 40 {
        return Err(format!(
            "is a damaged BMP (a header of {header} bytes is none)"
        ));
    }
    if header == 40 && size(&file, 30) == Some(6) && file.len() >= FILE_HEADER + 56 {
        // Four masks behind a header of 40 bytes are one of 56 bytes.
        file.to_mut()[14..18].copy_from_slice(&56_u32.to_le_bytes());
        file.to_mut()[30..34].copy_from_slice(&3_u32.to_le_bytes());
    }
    let header = size(&file, FILE_HEADER).ok_or(CUT_SHORT)?;
    let fields = Fields::of(&file, header).ok_or(CUT_SHORT)?;
    if fields.planes == 0 {
        file.to_mut()[fields.planes_at] = 1;
    }
    if fields.bits <= 8 && fields.used > 1 << fields.bits {
        // More than there are numbers for; those are not needed.
        file.to_mut()[46..50].fill(0);
    }
    let pixels = match fields.pixels {
        0 => fields.behind_palette,
        at if at < fields.behind_header => {
            return Err("is a damaged BMP (it says that its pixels lie in its header)".into());
        }
        // Written by programs that forgot the palette.
        at if at == fields.behind_header && fields.bits <= 8 => fields.behind_palette,
        at => at,
    };
    if pixels != fields.pixels {
        let at = u32::try_from(pixels).map_err(|_| CUT_SHORT)?;
        file.to_mut()[10..14].copy_from_slice(&at.to_le_bytes());
    }
    if fields.compression == 1 || fields.compression == 2 {
        let data = file.get(pixels..).unwrap_or_default();
        if leaves_out(data, &fields) {
            return Err(
                "is a BMP that leaves pixels out, which programs show in different colours; save it as PNG"
                    .into(),
            );
        }
        return Ok(file);
    }
    // The filling of the last row may be missing.
    let row = fields.width.saturating_mul(fields.bits);
    let (row, stride) = (row.div_ceil(8), row.div_ceil(32).saturating_mul(4));
    let end = stride.saturating_mul(fields.height).saturating_add(pixels);
    let missing = end.saturating_sub(file.len());
    if missing > 0 && missing <= stride - row {
        file.to_mut().resize(end, 0);
    }
    Ok(file)
}

/// Four bytes, as a size.
fn size(bytes: &[u8], at: usize) -> Option<usize> {
    let four = *bytes.get(at..)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(four)).ok()
}

/// The header of OS/2's second version as one of Windows.
fn without_os2(bytes: &[u8], header: usize) -> Result<Vec<u8>, String> {
    let (start, rest) = bytes
        .split_at_checked(FILE_HEADER + header)
        .ok_or(CUT_SHORT)?;
    let mut file = start.to_vec();
    // What both have is the same, save for two ways of packing.
    file.resize(FILE_HEADER + 40, 0);
    file[14..18].copy_from_slice(&40_u32.to_le_bytes());
    let packing = size(&file, 30).ok_or(CUT_SHORT)?;
    if packing > 2 {
        return Err("is a BMP of OS/2, packed in its own way; save it as PNG".into());
    }
    let pixels = size(&file, 10).ok_or(CUT_SHORT)?;
    // 0 stays 0, and what lies in the header stays there.
    if pixels >= FILE_HEADER + header {
        let at = (pixels + 40 - header) as u32;
        file[10..14].copy_from_slice(&at.to_le_bytes());
    }
    file.extend(rest);
    Ok(file)
}

struct Fields {
    width: usize,
    height: usize,
    planes: usize,
    planes_at: usize,
    bits: usize,
    compression: usize,
    used: usize,
    /// Where the pixels are said to lie.
    pixels: usize,
    /// Where the header with its masks ends, and the palette.
    behind_header: usize,
    behind_palette: usize,
}

impl Fields {
    fn of(file: &[u8], header: usize) -> Option<Self> {
        let short = |at: usize| {
            let two = *file.get(at..)?.first_chunk()?;
            Some(usize::from(u16::from_le_bytes(two)))
        };
        let old = header == 12;
        let (width, height, planes_at) = if old {
            (short(18)?, short(20)?, 22)
        } else {
            // A negative height: rows from the top.
            let height = size(file, 22)? as u32 as i32;
            (size(file, 18)?, height.unsigned_abs() as usize, 26)
        };
        let (compression, used) = if old {
            (0, 0)
        } else {
            (size(file, 30)?, size(file, 46)?)
        };
        let bits = short(planes_at + 2)?;
        let masks = match (header, compression) {
            (40, 3) => 12,
            (40, 6) => 16,
            _ => 0,
        };
        let colours = match used {
            0 if bits <= 8 => 1 << bits,
            0 => 0,
            n => n,
        };
        let behind_header = FILE_HEADER.checked_add(header)?.checked_add(masks)?;
        let palette = colours.checked_mul(if old { 3 } else { 4 })?;
        Some(Self {
            width,
            height,
            planes: short(planes_at)?,
            planes_at,
            bits,
            compression,
            used,
            pixels: size(file, 10)?,
            behind_header,
            behind_palette: behind_header.checked_add(palette)?,
        })
    }
}

/// Whether runs leave pixels out. A stream that ends early is left to the decoder.
fn leaves_out(data: &[u8], fields: &Fields) -> bool {
    let (mut x, mut y, mut rest) = (0, 0, data);
    while let &[first, second, ref behind @ ..] = rest {
        rest = behind;
        match (first, second) {
            (0, 0) => {
                if x < fields.width && y < fields.height {
                    return true;
                }
                (x, y) = (0, y + 1);
            }
            (0, 1) => return y + 1 < fields.height || y < fields.height && x < fields.width,
            (0, 2) => {
                if rest.first_chunk() != Some(&[0, 0]) {
                    return true;
                }
                rest = &rest[2..];
            }
            (0, n) => {
                let n = usize::from(n);
                x += n;
                let bytes = if fields.compression == 2 {
                    n.div_ceil(2)
                } else {
                    n
                };
                rest = rest.get(bytes.next_multiple_of(2)..).unwrap_or_default();
            }
            (n, _) => x += usize::from(n),
        }
    }
    false
}
