//! What is put right in a GIF before its decoder sees it.

use std::borrow::Cow;

use super::decode::CUT_SHORT;

/// The file with a screen that its first frame fits on, as browsers and Pillow take it. Some programs write a screen
/// of no size, or that of another picture; the decoder would show a corner of the frame.
///
/// <https://www.w3.org/Graphics/GIF/spec-gif89a.txt>
pub(super) fn mended(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    let table = |flags: u8| {
        if flags & 0x80 == 0 {
            0
        } else {
            6 << (flags & 7)
        }
    };
    let mut at = 13 + table(*bytes.get(10).ok_or(CUT_SHORT)?);
    loop {
        match bytes.get(at).ok_or(CUT_SHORT)? {
            // An extension: a label and blocks until an empty one.
            0x21 => {
                at += 2;
                loop {
                    let length = usize::from(*bytes.get(at).ok_or(CUT_SHORT)?);
                    at += 1 + length;
                    if length == 0 {
                        break;
                    }
                }
            }
            0x2c => break,
            0x3b => return Err("is a GIF without a picture in it".into()),
            // Left to the decoder.
            _ => return Ok(Cow::Borrowed(bytes)),
        }
    }
    let short = |at: usize| {
        let two = bytes.get(at..).and_then(<[u8]>::first_chunk);
        two.map(|&two| u16::from_le_bytes(two)).ok_or(CUT_SHORT)
    };
    let mut file = Cow::Borrowed(bytes);
    for (screen, place) in [(6, at + 1), (8, at + 3)] {
        let end = short(place)?.saturating_add(short(place + 4)?);
        if end > short(screen)? {
            file.to_mut()[screen..screen + 2].copy_from_slice(&end.to_le_bytes());
        }
    }
    Ok(file)
}
