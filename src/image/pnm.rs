//! What is put right in a plain PNM before its decoder sees it, and what its decoder does not refuse.

use std::borrow::Cow;

/// Refuses a plain PGM or PPM (P2, P3; without comments) that has a sample above its own maximum, which the decoder
/// would show as more than white.
pub(super) fn check_samples(bytes: &[u8]) -> Result<(), String> {
    if !matches!(bytes, [b'P', b'2' | b'3', ..]) {
        return Ok(());
    }
    let words = bytes[2..].split(u8::is_ascii_whitespace);
    let mut numbers = words
        .filter(|word| !word.is_empty())
        .map_while(|word| std::str::from_utf8(word).ok()?.parse::<u32>().ok());
    // Behind width and height.
    let Some(most) = numbers.nth(2) else {
        return Ok(());
    };
    match numbers.find(|&sample| sample > most) {
        None => Ok(()),
        Some(sample) => Err(format!(
            "is a damaged PNM (it has a sample of {sample}, and says that none is above {most})"
        )),
    }
}

/// A plain PBM, PGM or PPM (P1 to P3) without its comments, which its decoder takes in the header only. In the others
/// `#` is a sample. <https://netpbm.sourceforge.net/doc/pgm.html>
pub(super) fn without_comments(bytes: &[u8]) -> Cow<'_, [u8]> {
    let is_plain = matches!(bytes, [b'P', b'1'..=b'3', ..]);
    if !is_plain || !bytes.contains(&b'#') {
        return Cow::Borrowed(bytes);
    }
    let mut within = false;
    let kept = bytes.iter().copied().filter(|&byte| {
        within = (within || byte == b'#') && byte != b'\n' && byte != b'\r';
        !within
    });
    Cow::Owned(kept.collect())
}
