//! Hashes of a Web Worker.

use js_sys::Uint8Array;
use sha2::{Digest, Sha256};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::WorkerGlobalScope;

use crate::platform::common::hex;

/// SHA-256, hexadecimal: the browser's own, which is several times faster than wasm, where the page has
/// a secure context (https or localhost); else our own.
pub async fn sha256(bytes: &[u8]) -> String {
    match browser_sha256(bytes).await {
        Ok(digest) => hex(&digest),
        Err(_) => hex(&Sha256::digest(bytes)),
    }
}

async fn browser_sha256(bytes: &[u8]) -> Result<Vec<u8>, JsValue> {
    let scope: WorkerGlobalScope = js_sys::global().dyn_into()?;
    // An insecure context has `crypto` without `subtle`; the binding would call a method of undefined.
    let subtle = scope.crypto()?.subtle();
    if subtle.is_undefined() {
        return Err(JsValue::UNDEFINED);
    }
    // A copy, as it hashes no shared memory.
    let bytes = Uint8Array::from(bytes);
    let digest = subtle.digest_with_str_and_buffer_source("SHA-256", &bytes)?;
    let digest = JsFuture::from(digest).await?;
    Ok(Uint8Array::new(&digest).to_vec())
}
