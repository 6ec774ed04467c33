//! Downloads of a Web Worker.

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStreamDefaultReader, Response, WorkerGlobalScope};

use super::js::reason;
use crate::error::{Error, Result};
use crate::platform::common::{Fetched, MAX_DOWNLOAD, Progress, too_large};

/// Downloads a file.
///
/// # Errors
/// [`Error::Storage`] with the address: unreachable, an answer other than 200 (its status is named), cut
/// short, over [`MAX_DOWNLOAD`]. [`Error::Cancelled`] if `progress` said so.
pub async fn get(url: &str, progress: &mut Progress<'_>) -> Result<Fetched> {
    transfer(url, None, progress).await
}

/// Fetches a file of known length that lies beside the worker's script.
///
/// # Errors
/// As [`get`].
pub(super) async fn asset(path: &str, bytes: u64, progress: &mut Progress<'_>) -> Result<Vec<u8>> {
    // A relative address resolves against the worker's own, so the page works from any sub-path.
    Ok(transfer(path, Some(bytes), progress).await?.bytes)
}

async fn transfer(url: &str, known: Option<u64>, progress: &mut Progress<'_>) -> Result<Fetched> {
    let fail = |reason: String| Error::Storage(format!("{url}: {reason}"));
    let response = request(url).await.map_err(|e| fail(reason(&e)))?;
    if response.status() != 200 {
        let text = format!("{} {}", response.status(), response.status_text());
        return Err(fail(format!("the server answered {}", text.trim_end())));
    }
    let header = |name: &str| response.headers().get(name).ok().flatten();
    let linked_etag = header("x-linked-etag");
    // The stream is decompressed already, while the header tells the compressed length.
    let declared = match header("content-encoding") {
        Some(_) => None,
        None => header("content-length").and_then(|text| text.parse().ok()),
    };
    let total: u64 = known.or(declared).unwrap_or(0);
    if total > MAX_DOWNLOAD {
        return Err(too_large(url));
    }
    let mut bytes = Vec::new();
    reserve(&mut bytes, total as usize).map_err(fail)?;

    let stream = response
        .body()
        .ok_or_else(|| fail("an empty answer".into()))?;
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    loop {
        if progress(bytes.len() as u64, total).is_break() {
            // Closes the connection; what it resolves to is of no interest.
            let _ = reader.cancel();
            return Err(Error::Cancelled);
        }
        let chunk = next(&reader).await.map_err(|e| fail(reason(&e)))?;
        let Some(chunk) = chunk else {
            return Ok(Fetched { bytes, linked_etag });
        };
        let (at, more) = (bytes.len(), chunk.length() as usize);
        if (at + more) as u64 > MAX_DOWNLOAD {
            let _ = reader.cancel();
            return Err(too_large(url));
        }
        reserve(&mut bytes, more).map_err(fail)?;
        bytes.resize(at + more, 0);
        chunk.copy_to(&mut bytes[at..]);
    }
}

async fn request(url: &str) -> std::result::Result<Response, JsValue> {
    let scope: WorkerGlobalScope = js_sys::global().dyn_into()?;
    JsFuture::from(scope.fetch_with_str(url)).await?.dyn_into()
}

/// The next piece of the body; none at its end.
async fn next(
    reader: &ReadableStreamDefaultReader,
) -> std::result::Result<Option<Uint8Array>, JsValue> {
    let answer = JsFuture::from(reader.read()).await?;
    if Reflect::get(&answer, &"done".into())?.is_truthy() {
        return Ok(None);
    }
    Reflect::get(&answer, &"value".into())?.dyn_into().map(Some)
}

/// Room for `more` bytes, or an error where the allocator alone would end the worker.
fn reserve(bytes: &mut Vec<u8>, more: usize) -> std::result::Result<(), String> {
    (bytes.try_reserve(more)).map_err(|_| "not enough memory to hold it".to_owned())
}
