//! Properties of browser objects that web-sys does not know.

use js_sys::Reflect;
use wasm_bindgen::JsValue;

/// The property; undefined if the object has none of that name.
pub fn get(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &name.into()).unwrap_or_default()
}
