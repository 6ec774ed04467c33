//! The Web Worker round the engine: messages in, messages out, nothing else.
//!
//! A message is a pair: the command or event as JSON, and the list of what does not go through JSON
//! (`File` handles in, `Uint8Array`s out, whose buffers are transferred, not copied).

use js_sys::{Array, JsString, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{DedicatedWorkerGlobalScope, File, MessageEvent};

use crate::engine::{Engine, Mailbox, Order};
use crate::platform::files::InputFile;
use crate::platform::threads;
use crate::protocol::{EngineState, Event, Message};

unsafe extern "C" {
    /// Made by the linker: runs every static constructor.
    fn __wasm_call_ctors();
}

/// Runs the static constructors (burn's crates register themselves in such) once, here. A module that
/// never calls them is taken by the linker for a program whose every export is a whole run: each call
/// from JavaScript, down to the glue's allocations, would then run them all again, at 0.3 ms apiece.
fn construct() {
    // SAFETY: the linker defines the function with this signature, nothing has used what it constructs,
    // and this is its only call.
    unsafe { __wasm_call_ctors() }
}

/// Listens for commands and starts the engine. The first event says that the worker listens: a command
/// posted before would be lost. In a worker that is a thread of the pool there is nothing to start.
pub fn start() {
    if threads::is_thread() {
        return;
    }
    construct();
    console_error_panic_hook::set_once();
    let Ok(scope) = js_sys::global().dyn_into::<DedicatedWorkerGlobalScope>() else {
        return;
    };
    let (sender, inbox) = async_channel::unbounded();
    let replies = scope.clone();
    let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
        match order(&message.data()) {
            // The engine holds the receiver for as long as the worker lives.
            Ok(order) => drop(sender.try_send(order)),
            Err(text) => post(&replies, &Event::Warning { text }.into(), Vec::new()),
        }
    });
    scope.set_onmessage(Some(listener.as_ref().unchecked_ref()));
    // The worker listens until it is terminated.
    listener.forget();

    let replies = scope.clone();
    let mailbox = Mailbox::new(
        inbox,
        Box::new(move |event, blobs| post(&replies, &event, blobs)),
    );
    let state = EngineState::Starting;
    post(&scope, &Event::State { state }.into(), Vec::new());
    wasm_bindgen_futures::spawn_local(async {
        threads::start().await;
        Engine::new(mailbox).run().await;
    });
}

/// A message from the page as an order.
fn order(data: &JsValue) -> Result<Order, String> {
    let pair: &Array = data.dyn_ref().ok_or("a message that is no pair")?;
    let text: JsString = pair
        .get(0)
        .dyn_into()
        .map_err(|_| "a message without text")?;
    let message = serde_json::from_str(&String::from(text))
        .map_err(|error| format!("a command that is not understood: {error}"))?;
    let files = Array::from(&pair.get(1)).into_iter().map(|file| {
        let file: File = file
            .dyn_into()
            .map_err(|_| "a message with something that is no file")?;
        Ok(InputFile::from_js(file))
    });
    let files = files.collect::<Result<_, String>>()?;
    Ok(Order { message, files })
}

/// Sends an event and its bytes to the page.
fn post(scope: &DedicatedWorkerGlobalScope, event: &Message<Event>, blobs: Vec<Vec<u8>>) {
    let Ok(json) = serde_json::to_string(event) else {
        return web_sys::console::error_1(&"an event that cannot be written as JSON".into());
    };
    let (arrays, buffers) = (Array::new(), Array::new());
    for blob in blobs {
        let array = Uint8Array::from(blob.as_slice());
        buffers.push(&array.buffer());
        arrays.push(&array);
    }
    let pair = Array::of2(&json.into(), &arrays);
    if let Err(error) = scope.post_message_with_transfer(&pair, &buffers) {
        web_sys::console::error_1(&error);
    }
}
