//! The page's root: holds the state, listens for drops and pastes anywhere, lays out the sections.

use std::{cell::Cell, collections::HashSet, rc::Rc};

use js_sys::Array;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{ClipboardEvent, DragEvent};
use yew::prelude::*;

use super::{
    awake::use_awake,
    components::{
        banner::Banner, classify::Classify, data::Data, evaluate::Evaluate, header::Header,
        model::Model, new_version::NewVersionNotice, notices::Notices, preview::Preview,
        runs::RunsTable, train::Train,
    },
    controller::{Controller, Intent},
    files,
    jobs::{JobKind, Section},
    launch,
    listen::Listener,
    offline,
    state::{Action, State},
};
use crate::protocol::EngineState;

/// Puts the page in the place that `index.html` keeps for it.
pub fn start() {
    console_error_panic_hook::set_once();
    let document = web_sys::window().and_then(|w| w.document());
    if let Some(root) = document.and_then(|d| d.get_element_by_id("app")) {
        spawn_local(async {
            // Now or never: a page that runs is not loaded again without being asked.
            if !offline::settle().await {
                yew::Renderer::<App>::with_root(root).render();
            }
        });
    }
}

#[component]
fn App() -> Html {
    let state = use_reducer(State::default);
    let controller = use_memo((), |()| Controller::new(state.clone()));
    let on = use_memo((), |()| {
        let controller = controller.clone();
        Callback::from(move |intent| controller.perform(intent))
    });
    let on = &*on;
    {
        let controller = controller.clone();
        use_effect_with(state.effects.clone(), move |effects| {
            controller.carry_out(effects)
        });
    }
    {
        let on = on.clone();
        use_effect_with((), move |()| {
            controller.open();
            let listeners = listen(&on);
            launch::take_files(on.clone());
            offline::take_shared(on);
            move || drop(listeners)
        });
    }
    use_revoke(&state);
    use_awake(state.works());
    {
        let on = on.clone();
        let began = state.engine == EngineState::Starting;
        use_effect_with(began, move |began| {
            if !began {
                // Not while the worker is being loaded: that needs the network more.
                offline::keep(on);
            }
        });
    }

    let notices = |section| {
        html! { <Notices {section} notices={state.notices.clone()} on={on} /> }
    };
    let job = |kind| state.job(kind).cloned();
    let idle = state.idle();
    let banner = state.interrupted_now().map(|run| {
        html! {
            <Banner run={run.clone()} continuation={state.continuation()} {idle} {on} />
        }
    });
    let preview = html! {
        <Preview pictures={state.previews.clone()} job={job(JobKind::Preview)} {on}
            ready={idle && state.form.augment().is_ok()} given={!state.batch.rows.is_empty()} />
    };
    html! {
        <div class={classes!("page", state.dragging.then_some("dragging"))}>
            <Header engine={state.engine} device={state.device.clone()} model={state.model.clone()}
                job={job(JobKind::Start)} requests={state.requests} />
            <main>
                if let Some(new_version) = state.new_version {
                    <NewVersionNotice {new_version} idle={state.rests()} {on} />
                }
                { notices(Section::Page) }
                <Classify usable={state.usable()} batch={state.batch.clone()} samples={state.samples.clone()} {on}
                    model={state.model.clone()} job={job(JobKind::Classify)}
                    notices={notices(Section::Classify)} />
                <Data dataset={state.dataset.clone()} job={job(JobKind::Dataset)} {idle} {on}
                    reading={state.reading} loose_images={state.loose_images()}
                    notices={notices(Section::Data)} />
                <Train form={state.form.clone()} training={state.training.clone()} {banner} {preview}
                    job={job(JobKind::Train)} estimating={job(JobKind::Estimate)}
                    forecast={state.forecast.clone()} engine={state.engine} {idle}
                    start={state.start} begins_from={state.begins_from()}
                    needs={state.training_needs()} {on} notices={notices(Section::Train)} />
                <Evaluate report={state.evaluation.clone()} job={job(JobKind::Evaluate)} {on}
                    {idle} needs={state.evaluation_needs()} notices={notices(Section::Evaluate)}
                    runs={html! { <RunsTable runs={state.runs.clone()} {on} /> }} />
                <Model model={state.model.clone()} arch={state.arch} random_init={state.random_init} {idle} {on}
                    explorer={state.explorer.clone()}
                    imported={state.imported.is_some()} job={state.job_in(Section::Model).cloned()}
                    notices={notices(Section::Model)} />
            </main>
            <div class="drop-hint" aria-hidden="true">
                { "Drop images to classify them, a folder or an archive to use it as data set, \
                   a checkpoint to import it." }
            </div>
        </div>
    }
}

/// Drops and pastes go to the page as a whole, wherever the pointer or the focus is.
fn listen(on: &Callback<Intent>) -> Vec<Listener> {
    let Some(window) = web_sys::window() else {
        return Vec::new();
    };
    // The browser repeats dragover several times a second; only a change is worth a redraw.
    let shown = Rc::new(Cell::new(false));
    let dragging = {
        let on = on.clone();
        move |is| {
            if shown.replace(is) != is {
                on.emit(Intent::Act(Action::Dragging(is)));
            }
        }
    };
    let over = {
        let dragging = dragging.clone();
        move |event: web_sys::Event| {
            // Without this the browser would open the file instead.
            event.prevent_default();
            dragging(true);
        }
    };
    let leave = {
        let dragging = dragging.clone();
        move |event: web_sys::Event| {
            // Leaving one element for another inside the page is no leaving.
            if event
                .unchecked_ref::<DragEvent>()
                .related_target()
                .is_none()
            {
                dragging(false);
            }
        }
    };
    let drop = {
        let on = on.clone();
        move |event: web_sys::Event| {
            event.prevent_default();
            dragging(false);
            if let Some(transfer) = event.unchecked_ref::<DragEvent>().data_transfer() {
                on.emit(Intent::Dropped(files::Drop::new(&transfer)));
            }
        }
    };
    let paste = {
        let on = on.clone();
        move |event: web_sys::Event| {
            let transfer = event.unchecked_ref::<ClipboardEvent>().clipboard_data();
            if let Some(list) = transfer.and_then(|t| t.files()).filter(|l| l.length() > 0) {
                event.prevent_default();
                on.emit(Intent::Images(Array::from(&list)));
            }
        }
    };
    vec![
        Listener::new(&window, "dragover", over),
        Listener::new(&window, "dragleave", leave),
        Listener::new(&window, "drop", drop),
        Listener::new(&window, "paste", paste),
    ]
}

/// Gives the browser back every picture that is no longer shown.
#[hook]
fn use_revoke(state: &UseReducerHandle<State>) {
    let held = use_mut_ref(HashSet::<String>::new);
    let pictures = (
        state.batch.clone(),
        state.samples.clone(),
        state.dataset.clone(),
        state.previews.clone(),
        state.discarded.clone(),
    );
    let state = state.clone();
    use_effect_with(pictures, move |(_, _, _, _, discarded)| {
        let shown: HashSet<String> = state.urls().cloned().collect();
        let mut held = held.borrow_mut();
        let gone = held.difference(&shown).chain(discarded.iter());
        gone.for_each(|url| files::revoke(url));
        *held = shown;
    });
}
