//! Text of a native process.

use unicode_normalization::UnicodeNormalization;

/// Unicode's normalization form C: an accent and its letter are one character where there is one.
#[must_use]
pub fn nfc(text: &str) -> String {
    text.nfc().collect()
}
