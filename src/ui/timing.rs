//! What is measured for a look from outside: User Timing measures, and the network requests that the
//! page made since it was ready.

use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{
    Performance, PerformanceEntry, PerformanceObserver, PerformanceObserverEntryList,
    PerformanceObserverInit,
};

use crate::protocol::{Event, TrainEvent};

#[wasm_bindgen]
extern "C" {
    // web-sys has this signature only behind its flag for unstable interfaces.
    #[wasm_bindgen(js_namespace = performance, js_name = measure, catch)]
    fn performance_measure(name: &str, options: &Object) -> Result<JsValue, JsValue>;
}

/// Milliseconds since the navigation began.
#[must_use]
pub fn now() -> f64 {
    let clock = web_sys::window().and_then(|w| w.performance());
    clock.as_ref().map_or(0.0, Performance::now)
}

/// A moment, given in milliseconds since 1970, in the user's own time: `2026-11-21 15:04`.
#[must_use]
pub fn moment(milliseconds: f64) -> String {
    let date = js_sys::Date::new(&milliseconds.into());
    format!(
        "{}-{:02}-{:02} {:02}:{:02}",
        date.get_full_year(),
        date.get_month() + 1,
        date.get_date(),
        date.get_hours(),
        date.get_minutes()
    )
}

/// Records `retune:ready`: from the navigation until now.
pub fn ready() {
    measure("retune:ready", now(), &[]);
}

/// Records what an event tells about time. Durations are the engine's own, so that a busy page does
/// not lengthen them.
pub fn note(event: &Event) {
    match event {
        Event::Classified { milliseconds, .. } => measure("retune:classify", *milliseconds, &[]),
        Event::Featurised {
            images,
            milliseconds,
            ..
        } => measure(
            "retune:features",
            *milliseconds,
            &[("images", *images as f64)],
        ),
        Event::Training(TrainEvent::Epoch { report }) => measure(
            "retune:epoch",
            report.milliseconds,
            &[("epoch", report.epoch as f64)],
        ),
        _ => {}
    }
}

/// A measure that ends now and lasted so many milliseconds. Timing is a service to the curious: where
/// the browser refuses it, nothing is lost.
fn measure(name: &str, milliseconds: f64, detail: &[(&str, f64)]) {
    let options = Object::new();
    let start = (now() - milliseconds).max(0.0);
    let _ = Reflect::set(&options, &"start".into(), &start.into());
    let _ = Reflect::set(&options, &"duration".into(), &milliseconds.into());
    let details = Object::new();
    for (key, value) in detail {
        let _ = Reflect::set(&details, &(*key).into(), &(*value).into());
    }
    let _ = Reflect::set(&options, &"detail".into(), &details);
    let _ = performance_measure(name, &options);
}

/// Counts requests until it is dropped.
pub struct RequestCounter {
    observer: PerformanceObserver,
    _closure: Closure<dyn FnMut(PerformanceObserverEntryList)>,
}

impl RequestCounter {
    /// Calls `more` with the number of requests, of those that begin from now on. Pictures the page
    /// holds itself (`blob:`) are no requests. What the worker requests is not visible here.
    pub fn new(more: impl Fn(u32) + 'static) -> Option<Self> {
        let since = now();
        let closure = Closure::<dyn FnMut(_)>::new(move |list: PerformanceObserverEntryList| {
            let entries = list.get_entries();
            let entries = entries.iter().filter_map(|e| e.dyn_into().ok());
            let counts =
                |e: &PerformanceEntry| e.start_time() >= since && e.name().starts_with("http");
            let requests = entries.filter(counts).count();
            if let (1.., Ok(requests)) = (requests, u32::try_from(requests)) {
                more(requests);
            }
        });
        let observer = PerformanceObserver::new(closure.as_ref().unchecked_ref()).ok()?;
        let kinds = js_sys::Array::of1(&"resource".into());
        observer.observe(&PerformanceObserverInit::new(&kinds));
        Some(Self {
            observer,
            _closure: closure,
        })
    }
}

impl Drop for RequestCounter {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}
