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
    let digest = JsFuture::from(subtle.digest_with_str_and_u8_array("SHA-256", bytes)?).await?;
    Ok(Uint8Array::new(&digest).to_vec())
}
