//! What JavaScript throws, as text.

use js_sys::Error;
use wasm_bindgen::{JsCast, JsValue};

/// The name of an exception ("QuotaExceededError"); empty for a thrown value that is none.
pub(super) fn name(thrown: &JsValue) -> String {
    (thrown.dyn_ref::<Error>()).map_or_else(String::new, |error| error.name().into())
}

/// An exception's message with its name, or the thrown value.
pub(super) fn reason(thrown: &JsValue) -> String {
    match thrown.dyn_ref::<Error>() {
        Some(error) => format!("{} ({})", error.message(), error.name()),
        None => thrown.as_string().unwrap_or_else(|| format!("{thrown:?}")),
    }
}
