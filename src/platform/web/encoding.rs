//! Text from before Unicode, by the browser's own decoder: its tables cost the page nothing.

use std::cell::RefCell;

use js_sys::Uint8Array;
use web_sys::{TextDecoder, TextDecoderOptions};

use super::super::Encoding;

thread_local! {
    /// The decoder used last: names of one archive come one behind the other.
    static LAST: RefCell<Option<(Encoding, TextDecoder)>> = const { RefCell::new(None) };
}

/// The text that the bytes stand for; none if any of them stands for nothing.
#[must_use]
pub fn decode(encoding: Encoding, bytes: &[u8]) -> Option<String> {
    LAST.with_borrow_mut(|last| {
        if last.as_ref().is_none_or(|(of, _)| *of != encoding) {
            let options = TextDecoderOptions::new();
            options.set_fatal(true);
            let decoder =
                TextDecoder::new_with_label_and_options(encoding.label(), &options).ok()?;
            *last = Some((encoding, decoder));
        }
        // A copy, as it decodes no shared memory.
        let bytes = Uint8Array::from(bytes);
        last.as_ref()?.1.decode_with_buffer_source(&bytes).ok()
    })
}
