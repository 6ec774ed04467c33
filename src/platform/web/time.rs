//! Clock and scheduling of a Web Worker.

use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, MessageChannel};

/// Milliseconds since the worker began.
#[must_use]
pub fn now() -> f64 {
    js_sys::global()
        .dyn_into::<DedicatedWorkerGlobalScope>()
        .ok()
        .and_then(|scope| scope.performance())
        .map_or_else(js_sys::Date::now, |clock| clock.now())
}

/// Milliseconds since 1970.
#[must_use]
pub fn unix() -> u64 {
    js_sys::Date::now() as u64
}

/// Lets the worker take its messages. A message to oneself, because `setTimeout` waits at least 4 ms
/// once it is nested, which would cost more than a small batch takes.
pub async fn yield_now() {
    let Ok(channel) = MessageChannel::new() else {
        return;
    };
    let receive = channel.port1();
    let promise = Promise::new(&mut |resolve: Function, _| {
        let done = Closure::once_into_js(move || resolve.call0(&JsValue::NULL));
        receive.set_onmessage(Some(done.unchecked_ref()));
    });
    if channel.port2().post_message(&JsValue::NULL).is_ok() {
        // The promise cannot be rejected: nothing holds its second function.
        let _ = JsFuture::from(promise).await;
    }
    channel.port1().close();
}
