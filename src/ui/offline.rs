//! The service worker, as the page sees it: isolation on a host that sends no headers, use without a network, new
//! versions, photos that another app shared.
//!
//! All of it is a service to those who can have it: where the browser lends no service worker (some private windows,
//! plain http) the page runs without.

use js_sys::{Array, Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    MessageEvent, RegistrationOptions, ServiceWorker, ServiceWorkerContainer,
    ServiceWorkerRegistration, ServiceWorkerState, ServiceWorkerUpdateViaCache, UrlSearchParams,
    Window,
};
use yew::Callback;

use super::{
    controller::Intent,
    listen::Listener,
    property::get,
    state::{Action, NewVersion},
};

/// How long the start may wait for a service worker, in milliseconds.
const PATIENCE: i32 = 3000;

/// What the service worker is told, and says.
const FILL: &str = "fill";
const ACTIVATE: &str = "activate";
const OTHERS: &str = "others";
const SHARED: &str = "shared";

/// Before anything runs: puts a new version in use that waits for that, and has the page isolated. True if the page is
/// being loaded again for it.
///
/// A page without isolation that is loaded by an active service worker is isolated; so it is loaded again, once. If it is
/// not isolated then, this browser or what the page is embedded in does not want it.
pub async fn settle() -> bool {
    let Some((window, container)) = container() else {
        return false;
    };
    if container.controller().is_some() {
        let waiting = registration(&container).await.and_then(|r| r.waiting());
        if let Some(waiting) = waiting
            && once(&window, "retune-new-version")
            && activated(&container, &waiting).await
        {
            return window.location().reload().is_ok();
        }
    }
    if get(&window, "crossOriginIsolated").as_bool() != Some(false) {
        return false;
    }
    if registered(&container).await.is_none() {
        return false;
    }
    let Ok(ready) = container.ready() else {
        return false;
    };
    let active = within_patience(&ready).await.is_some();
    active && once(&window, "retune-isolation") && window.location().reload().is_ok()
}

/// Once the page is ready: has everything kept, and says when there is a new version.
pub fn keep(on: Callback<Intent>) {
    spawn_local(async move {
        let Some((_, container)) = container() else {
            return;
        };
        let Some(registration) = registered(&container).await else {
            return;
        };
        // One that was found while the page started may be installed already.
        for worker in [registration.waiting(), registration.installing()] {
            watch(&registration, worker, &on);
        }
        let found = {
            let (registration, on) = (registration.clone(), on.clone());
            move |_| watch(&registration, registration.installing(), &on)
        };
        // As long as the page is there.
        std::mem::forget(Listener::new(&registration, "updatefound", found));
        if let Ok(ready) = container.ready()
            && JsFuture::from(ready).await.is_ok()
            && let Some(active) = registration.active()
        {
            // What cannot be kept now is kept at another visit.
            let _ = active.post_message(&FILL.into());
        }
    });
}

/// Puts the new version in use and loads the page again; says so if it cannot.
pub fn use_new_version(on: Callback<Intent>) {
    spawn_local(async move {
        let Some((window, container)) = container() else {
            return;
        };
        let waiting = registration(&container).await.and_then(|r| r.waiting());
        let in_use = match waiting {
            Some(waiting) => activated(&container, &waiting).await,
            // Another tab has put it in use.
            None => true,
        };
        if in_use {
            // Of no consequence: the user can do the same.
            let _ = window.location().reload();
        } else {
            let held = Some(NewVersion::HeldByTabs);
            on.emit(Intent::Act(Action::NewVersion(held)));
        }
    });
}

/// Asks for the photos that another app shared, if the page was opened for them.
pub fn take_shared(on: Callback<Intent>) {
    let Some((window, container)) = container() else {
        return;
    };
    let search = window.location().search().unwrap_or_default();
    let query = UrlSearchParams::new_with_str(&search);
    let Some(controller) = container.controller() else {
        return;
    };
    if !query.is_ok_and(|query| query.has(SHARED)) {
        return;
    }
    let take = move |event: web_sys::Event| {
        if let Ok(photos) = event
            .unchecked_ref::<MessageEvent>()
            .data()
            .dyn_into::<Array>()
            && photos.length() > 0
        {
            on.emit(Intent::Images(photos));
        }
    };
    std::mem::forget(Listener::new(&container, "message", take));
    start_messages(&container);
    let _ = controller.post_message(&SHARED.into());
}

/// Says that there is a new version once it is installed. The first of all is not new.
fn watch(
    registration: &ServiceWorkerRegistration,
    worker: Option<ServiceWorker>,
    on: &Callback<Intent>,
) {
    let Some(worker) = worker.filter(|_| registration.active().is_some()) else {
        return;
    };
    let say = {
        let (worker, on) = (worker.clone(), on.clone());
        move || {
            if worker.state() == ServiceWorkerState::Installed {
                let ready = Some(NewVersion::Ready);
                on.emit(Intent::Act(Action::NewVersion(ready)));
            }
        }
    };
    say();
    std::mem::forget(Listener::new(&worker, "statechange", move |_| say()));
}

/// Asks a version that waits to be put in use. False if another tab runs the one before.
async fn activated(container: &ServiceWorkerContainer, waiting: &ServiceWorker) -> bool {
    let mut listeners = Vec::new();
    let answer = Promise::new(&mut |done, _| {
        let (worker, yes) = (waiting.clone(), done.clone());
        listeners.push(Listener::new(waiting, "statechange", move |_| {
            if worker.state() == ServiceWorkerState::Activated {
                let _ = yes.call1(&JsValue::NULL, &true.into());
            }
        }));
        listeners.push(Listener::new(container, "message", move |event| {
            let said = event.unchecked_ref::<MessageEvent>().data();
            if said.as_string().as_deref() == Some(OTHERS) {
                let _ = done.call1(&JsValue::NULL, &false.into());
            }
        }));
    });
    start_messages(container);
    if waiting.post_message(&ACTIVATE.into()).is_err() {
        return false;
    }
    let answer = within_patience(&answer).await;
    answer.is_some_and(|answer| answer.is_truthy())
}

fn container() -> Option<(Window, ServiceWorkerContainer)> {
    let window = web_sys::window()?;
    let container = get(&window.navigator(), "serviceWorker");
    let container = container.is_object().then(|| container.unchecked_into());
    Some((window, container?))
}

/// Messages come only once the document is parsed, or asked for; web-sys cannot ask.
fn start_messages(container: &ServiceWorkerContainer) {
    if let Ok(start) = get(container, "startMessages").dyn_into::<Function>() {
        let _ = start.call0(container);
    }
}

async fn registration(container: &ServiceWorkerContainer) -> Option<ServiceWorkerRegistration> {
    let found = within_patience(&container.get_registration()).await?;
    found.dyn_into().ok()
}

async fn register(container: &ServiceWorkerContainer) -> Option<ServiceWorkerRegistration> {
    let options = RegistrationOptions::new();
    options.set_update_via_cache(ServiceWorkerUpdateViaCache::None);
    // Resolved against the document's address, so the page works from any folder of a host.
    let registered = container.register_with_options("service-worker.js", &options);
    within_patience(&registered).await?.dyn_into().ok()
}

/// The registration, made if there is none. One that is there the browser looks after: it asks for a new version with
/// each visit.
async fn registered(container: &ServiceWorkerContainer) -> Option<ServiceWorkerRegistration> {
    match registration(container).await {
        Some(registration) => Some(registration),
        None => register(container).await,
    }
}

/// What a promise gives, unless it fails or takes too long.
async fn within_patience(promise: &Promise) -> Option<JsValue> {
    let late = Promise::new(&mut |done, _| {
        if let Some(window) = web_sys::window() {
            let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(&done, PATIENCE);
        }
    });
    let first = Promise::race(&Array::of2(promise, &late));
    JsFuture::from(first)
        .await
        .ok()
        .filter(|v| !v.is_undefined())
}

/// Whether this has not been done in this tab; from now on it has. Without a memory for that it is not done at all.
fn once(window: &Window, what: &str) -> bool {
    let Ok(Some(memory)) = window.session_storage() else {
        return false;
    };
    memory.get_item(what) == Ok(None) && memory.set_item(what, "done").is_ok()
}
