//! Files that the system opens with the page, where it is installed: see `file_handlers` in the manifest.

use js_sys::{Array, Function, Promise};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use yew::Callback;

use super::{controller::Intent, property::get};

/// Takes what the page was opened with, now and later.
pub fn take_files(on: Callback<Intent>) {
    // web-sys does not know the launch queue, and few browsers have one.
    let Some(window) = web_sys::window() else {
        return;
    };
    let queue = get(&window, "launchQueue");
    let Ok(set_consumer) = get(&queue, "setConsumer").dyn_into::<Function>() else {
        return;
    };
    let consumer = Closure::<dyn FnMut(JsValue)>::new(move |launch: JsValue| {
        if let Ok(handles) = get(&launch, "files").dyn_into::<Array>()
            && handles.length() > 0
        {
            let on = on.clone();
            spawn_local(async move { on.emit(Intent::Opened(files(&handles).await)) });
        }
    });
    let _ = set_consumer.call1(&queue, consumer.as_ref());
    // As long as the page is there.
    consumer.forget();
}

/// The files behind the handles; one that cannot be read is left out, as the system has shown it itself.
async fn files(handles: &Array) -> Array {
    let files = Array::new();
    for handle in handles.iter() {
        let asked = get(&handle, "getFile").dyn_into::<Function>();
        let promise = asked.ok().and_then(|f| f.call0(&handle).ok());
        if let Some(Ok(promise)) = promise.map(JsCast::dyn_into::<Promise>)
            && let Ok(file) = JsFuture::from(promise).await
        {
            files.push(&file);
        }
    }
    files
}
