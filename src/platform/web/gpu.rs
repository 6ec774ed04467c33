//! What the browser lets a page know of its GPU.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// The adapter's name: the description if the browser gives one (`known`), else vendor and architecture,
/// as Chrome does by default; empty if it withholds those too.
pub async fn name(known: &str) -> String {
    if !known.is_empty() {
        return known.to_owned();
    }
    info().await.map_or_else(
        |_| String::new(),
        |info| {
            let part = |key: &str| Reflect::get(&info, &key.into()).ok()?.as_string();
            let parts = [part("vendor"), part("architecture")].into_iter().flatten();
            let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
            parts.join(" ")
        },
    )
}

/// `(await navigator.gpu.requestAdapter()).info`, which wgpu does not pass on whole.
async fn info() -> Result<JsValue, JsValue> {
    let get = |object: &JsValue, key: &str| Reflect::get(object, &key.into());
    let gpu = get(&get(&js_sys::global(), "navigator")?, "gpu")?;
    let request: Function = get(&gpu, "requestAdapter")?.dyn_into()?;
    let adapter = JsFuture::from(request.call0(&gpu)?.dyn_into::<Promise>()?).await?;
    get(&adapter, "info")
}
