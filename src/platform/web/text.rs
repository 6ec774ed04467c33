//! Text of a Web Worker.

use js_sys::JsString;

/// Unicode's normalization form C, the browser's own: an accent and its letter are one character where there
/// is one.
#[must_use]
pub fn nfc(text: &str) -> String {
    JsString::from(text).normalize("NFC").into()
}
