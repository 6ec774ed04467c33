//! The page's threads: rayon's pool on Web Workers that share the engine's memory.
//!
//! wasm-bindgen-rayon does the same, but starts its workers from blobs, which the page's policy forbids,
//! and leaves the engine's own worker idle while the others work; here that is the pool's first thread.

use std::sync::{Condvar, Mutex, PoisonError};

use js_sys::{Array, Promise, Reflect};
use rayon::{ThreadBuilder, ThreadPoolBuilder};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DedicatedWorkerGlobalScope, UrlSearchParams, Worker, WorkerGlobalScope, WorkerOptions,
    WorkerType,
};

use crate::protocol::THREAD_SUFFIX;

/// More threads than this do not make layers of a ResNet faster, and each costs memory for its scratch buffers.
const MOST: usize = 16;

/// Threads of the pool that no worker has taken up yet.
static THREADS: Mutex<Vec<ThreadBuilder>> = Mutex::new(Vec::new());
/// Is told of each of them.
static ADDED: Condvar = Condvar::new();

/// Starts the pool: as many threads as the machine has processors, or as the worker's address asks for
/// (`?threads=2`). One where memory cannot be shared, which a page that is not cross-origin isolated may not,
/// or where a worker does not start. Call it before anything is done in parallel.
pub async fn start() {
    let count = wanted();
    if count > 1
        && let Err(error) = start_pool(count).await
    {
        web_sys::console::warn_2(&"one thread only:".into(), &error);
    }
}

async fn start_pool(count: usize) -> Result<(), JsValue> {
    let workers: Vec<_> = (1..count)
        .map(|_| Starting::new())
        .collect::<Result<_, _>>()?;
    // All must listen before the pool is built: that waits for its threads, and a worker is not loaded while the
    // one that started it waits.
    for worker in workers {
        worker.listens().await?;
    }
    let pool = ThreadPoolBuilder::new()
        .num_threads(count)
        .use_current_thread()
        .spawn_handler(|thread| {
            let mut threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
            threads.push(thread);
            ADDED.notify_one();
            Ok(())
        });
    pool.build_global().map_err(|e| e.to_string().into())
}

/// A worker that is being loaded; ended when dropped before it listens.
struct Starting {
    worker: Option<Worker>,
    ready: Promise,
}

impl Starting {
    fn new() -> Result<Self, JsValue> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        options.set_name(&format!("{}{THREAD_SUFFIX}", name()));
        let worker = Worker::new_with_options("thread.js", &options)?;
        let ready = Promise::new(&mut |listens, fails| {
            worker.set_onmessage(Some(&listens));
            worker.set_onerror(Some(&fails));
        });
        let module = wasm_bindgen::module();
        let memory = wasm_bindgen::memory();
        worker.post_message(&Array::of2(&module, &memory))?;
        let worker = Some(worker);
        Ok(Self { worker, ready })
    }

    async fn listens(mut self) -> Result<(), JsValue> {
        JsFuture::from(self.ready.clone()).await?;
        // It lives as long as the engine's worker, which ends it when it ends.
        std::mem::forget(self.worker.take());
        Ok(())
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            worker.terminate();
        }
    }
}

/// This worker's name; empty if it has none.
fn name() -> String {
    let scope = js_sys::global().dyn_into::<DedicatedWorkerGlobalScope>();
    scope.map(|scope| scope.name()).unwrap_or_default()
}

/// Whether this worker is a thread of the pool.
#[must_use]
pub fn is_thread() -> bool {
    name().ends_with(THREAD_SUFFIX)
}

/// Works as a thread of the pool, for as long as the page lives. Called by thread.js, which tells the page of a panic: the engine's
/// own worker waits for this thread and hears nothing.
#[wasm_bindgen(js_name = runThread)]
pub fn run_thread() {
    let thread = {
        let threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = ADDED.wait_while(threads, |threads| threads.is_empty());
        waited.unwrap_or_else(PoisonError::into_inner).pop()
    };
    if let Some(thread) = thread {
        thread.run();
    }
}

fn wanted() -> usize {
    let global = js_sys::global();
    let isolated = Reflect::get(&global, &"crossOriginIsolated".into());
    let isolated = isolated.is_ok_and(|value| value.is_truthy());
    let Ok(scope) = global.dyn_into::<WorkerGlobalScope>() else {
        return 1;
    };
    if !isolated {
        return 1;
    }
    let asked = UrlSearchParams::new_with_str(&scope.location().search()).ok();
    let asked = asked.and_then(|query| query.get("threads")?.parse().ok());
    let processors = scope.navigator().hardware_concurrency();
    asked.unwrap_or(processors as usize).clamp(1, MOST)
}
