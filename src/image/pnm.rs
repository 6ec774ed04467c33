//! What is put right in a plain PNM before its decoder sees it.

use std::borrow::Cow;

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
