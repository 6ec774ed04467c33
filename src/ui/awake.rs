//! The screen stays on while images are worked through: a phone that locks itself would stop the page with it.

use std::{cell::RefCell, rc::Rc};

use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use yew::prelude::*;

use super::{listen::Listener, property::get};

/// Holds the screen awake while it is `wanted`. The browser lets go of it when the page is hidden, so it is asked again
/// when the page is back.
#[hook]
pub fn use_awake(wanted: bool) {
    use_effect_with(wanted, |wanted| {
        let held = wanted.then(|| {
            let lock = Rc::new(Lock::default());
            lock.ask();
            let document = web_sys::window().and_then(|w| w.document());
            let again = document.map(|document| {
                let lock = lock.clone();
                Listener::new(&document, "visibilitychange", move |_| lock.ask())
            });
            (lock, again)
        });
        move || {
            if let Some((lock, again)) = held {
                drop(again);
                lock.release();
            }
        }
    });
}

#[derive(Default)]
struct Lock(RefCell<State>);

#[derive(Default)]
struct State {
    /// The browser's `WakeLockSentinel`, which web-sys has only behind its flag for unstable interfaces.
    sentinel: Option<JsValue>,
    over: bool,
}

impl Lock {
    /// Asks for the lock. A browser without it, or one that refuses (a low battery), lets the screen go dark.
    fn ask(self: &Rc<Self>) {
        let Some(window) = web_sys::window() else {
            return;
        };
        let hidden = window.document().is_some_and(|d| d.hidden());
        let locks = get(&window.navigator(), "wakeLock");
        let Ok(request) = get(&locks, "request").dyn_into::<Function>() else {
            return;
        };
        if hidden {
            return;
        }
        let asked = request.call1(&locks, &"screen".into());
        let Ok(Ok(asked)) = asked.map(JsCast::dyn_into::<Promise>) else {
            return;
        };
        let lock = self.clone();
        spawn_local(async move {
            if let Ok(sentinel) = JsFuture::from(asked).await {
                let mut state = lock.0.borrow_mut();
                if state.over {
                    release(&sentinel);
                } else if let Some(old) = state.sentinel.replace(sentinel) {
                    release(&old);
                }
            }
        });
    }

    fn release(&self) {
        let mut state = self.0.borrow_mut();
        state.over = true;
        if let Some(sentinel) = state.sentinel.take() {
            release(&sentinel);
        }
    }
}

/// Gives a lock back; one that the browser took is given back already.
fn release(sentinel: &JsValue) {
    if let Ok(release) = get(sentinel, "release").dyn_into::<Function>() {
        let _ = release.call0(sentinel);
    }
}
