//! The worker, as the page sees it: commands go in, events come out once a frame.
//!
//! The worker listens only once its wasm has started, and a message before that is lost. So nothing is
//! sent until it has spoken; commands wait here meanwhile. A classification of a thousand images sends
//! thousands of events; they are handed on together, or the page would draw for each.

use std::{
    cell::{Cell, RefCell},
    mem,
    rc::{Rc, Weak},
};

use gloo_timers::callback::Timeout;
use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{
    BroadcastChannel, ErrorEvent, File, MessageEvent, Url, UrlSearchParams, Worker, WorkerOptions,
    WorkerType,
};
use yew::Callback;

use super::{
    files,
    jobs::Section,
    listen::Listener,
    received::Incoming,
    state::Action,
    timing::{self, RequestCounter},
};
use crate::{
    config::{DeviceChoice, Transparency},
    protocol::{Command, EngineState, Event, JobId, Message, START, THREAD_SUFFIX},
};

/// A page in the background gets no frames; events are handed on after so many milliseconds.
const WITHOUT_FRAMES: u32 = 250;

/// Events handed on at once, at most: drawing a row for each of them stays within one task's 50 ms.
const TOGETHER: usize = 64;

/// The worker and what is on its way to and from it.
#[derive(Clone)]
pub struct Bridge(Rc<Inner>);

struct Inner {
    act: Callback<Action>,
    worker: RefCell<Option<Worker>>,
    listeners: RefCell<Vec<Listener>>,
    /// Whether the worker has spoken.
    heard: Cell<bool>,
    /// Whether it was ready once.
    was_ready: Cell<bool>,
    waiting: RefCell<Vec<Array>>,
    inbox: RefCell<Vec<Incoming>>,
    frame: Closure<dyn FnMut()>,
    framed: Cell<bool>,
    last_job: Cell<JobId>,
    samples: RefCell<Vec<File>>,
    /// The device in place of the one that the page's address asks for.
    device: Cell<Option<DeviceChoice>>,
    requests: RefCell<Option<RequestCounter>>,
}

impl Bridge {
    /// A bridge without a worker yet.
    pub fn new(act: Callback<Action>) -> Self {
        Self(Rc::new_cyclic(|inner: &Weak<Inner>| {
            let inner = inner.clone();
            Inner {
                act,
                worker: RefCell::default(),
                listeners: RefCell::default(),
                heard: Cell::default(),
                was_ready: Cell::default(),
                waiting: RefCell::default(),
                inbox: RefCell::default(),
                frame: Closure::new(move || {
                    if let Some(inner) = inner.upgrade() {
                        inner.hand_on();
                    }
                }),
                framed: Cell::default(),
                last_job: Cell::default(),
                samples: RefCell::default(),
                device: Cell::default(),
                requests: RefCell::default(),
            }
        }))
    }

    /// Starts the worker.
    pub fn open(&self) {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        // A name of its own, as the channel of its threads is heard by every tab of this origin.
        let name = format!("retune-{}", js_sys::Math::random());
        options.set_name(&name);
        // Resolved against the document's address, so the page works from any folder of a host.
        let address = match query().and_then(|query| query.get("threads")?.parse::<u32>().ok()) {
            Some(count) => format!("worker.js?threads={count}"),
            None => "worker.js".to_owned(),
        };
        let Ok(worker) = Worker::new_with_options(&address, &options) else {
            self.0.broken("The browser did not start a worker.");
            return;
        };
        let listen = |kind, call: fn(&Rc<Inner>, &web_sys::Event)| {
            let inner = Rc::downgrade(&self.0);
            Listener::new(&worker, kind, move |event| {
                if let Some(inner) = inner.upgrade() {
                    call(&inner, &event);
                }
            })
        };
        let mut listeners = vec![
            listen("message", Inner::on_message),
            listen("error", Inner::worker_failed),
            listen("messageerror", Inner::worker_failed),
        ];
        // A thread that dies is heard here: the worker waits for it without end. The listener keeps the channel.
        if let Ok(channel) = BroadcastChannel::new(&format!("{name}{THREAD_SUFFIX}")) {
            let inner = Rc::downgrade(&self.0);
            listeners.push(Listener::new(&channel, "message", move |event| {
                if let Some(inner) = inner.upgrade() {
                    inner.thread_failed(&event);
                }
            }));
        }
        self.0.listeners.replace(listeners);
        self.0.worker.replace(Some(worker));
    }

    /// Ends the worker and starts another, on the given device if there is one. What the old one was told
    /// or still had to say is lost.
    pub fn restart(&self, device: Option<DeviceChoice>) {
        let inner = &self.0;
        if let Some(old) = inner.worker.take() {
            old.terminate();
        }
        inner.listeners.borrow_mut().clear();
        inner.waiting.borrow_mut().clear();
        inner.inbox.borrow_mut().clear();
        inner.heard.set(false);
        if device.is_some() {
            inner.device.set(device);
        }
        self.open();
    }

    /// A name for a new job.
    pub fn next_job(&self) -> JobId {
        self.0.last_job.set(self.0.last_job.get() + 1);
        self.0.last_job.get()
    }

    /// Sends a command with the files its slots name, or keeps it until the worker listens.
    pub fn send(&self, job: Option<JobId>, command: Command, files: &Array) {
        self.0.send(job, command, files);
    }

    /// A sample image as a file.
    pub fn sample(&self, index: usize) -> Option<File> {
        self.0.samples.borrow().get(index).cloned()
    }
}

impl Inner {
    fn send(&self, job: Option<JobId>, command: Command, files: &Array) {
        let message = Message { job, body: command };
        // Plain data with text keys always has a JSON form.
        let Ok(json) = serde_json::to_string(&message) else {
            return;
        };
        let message = Array::of2(&json.into(), files);
        if self.heard.get() {
            self.post(&message);
        } else {
            self.waiting.borrow_mut().push(message);
        }
    }

    fn post(&self, message: &Array) {
        if let Some(worker) = &*self.worker.borrow()
            && worker.post_message(message).is_err()
        {
            let text = "The browser could not hand these files to the worker.";
            self.act
                .emit(Action::Notify(Section::Page, text.to_owned()));
        }
    }

    fn on_message(self: &Rc<Self>, message: &web_sys::Event) {
        let message = message.unchecked_ref::<MessageEvent>().data();
        let Some((message, blobs)) = read(&message) else {
            self.broken("Page and worker are of different versions.");
            return;
        };
        if !self.heard.replace(true) {
            self.post_start();
        }
        timing::note(&message.body);
        if let Event::State {
            state: EngineState::Ready,
        } = message.body
            && !self.was_ready.replace(true)
        {
            self.first_ready();
        }
        let urls = self.take_blobs(&message.body, &blobs);
        self.inbox.borrow_mut().push(Incoming { message, urls });
        self.ask_for_frame();
    }

    fn post_start(&self) {
        let (asked, hub, transparency) = start_options();
        let device = self.device.get().unwrap_or(asked);
        let start = Command::Start {
            device,
            hub,
            transparency,
        };
        self.send(Some(START), start, &Array::new());
        for message in mem::take(&mut *self.waiting.borrow_mut()) {
            self.post(&message);
        }
    }

    fn first_ready(&self) {
        timing::ready();
        let act = self.act.clone();
        let counter = RequestCounter::new(move |more| act.emit(Action::Requests(more)));
        self.requests.replace(counter);
        self.send(None, Command::Samples, &Array::new());
    }

    /// Gives the event's blobs to where they belong: a download to the user, pictures to the browser
    /// under an address.
    fn take_blobs(&self, event: &Event, blobs: &Array) -> Vec<String> {
        if let Event::Exported { name, .. } = event {
            let saved = files::save(&blobs.get(0), "application/octet-stream", name);
            if saved.is_none() {
                let text = format!("{name}: the browser did not take the file.");
                self.act.emit(Action::Notify(Section::Model, text));
            }
            return Vec::new();
        }
        let name = |i: usize| match event {
            Event::Samples { names } => names.get(i).map_or("", String::as_str),
            _ => "",
        };
        let pictures: Vec<_> = blobs
            .iter()
            .enumerate()
            .filter_map(|(i, bytes)| files::png(&bytes, name(i)))
            .collect();
        let urls = pictures.iter().filter_map(|p| files::address(p)).collect();
        if let Event::Samples { .. } = event {
            self.samples.replace(pictures);
        }
        urls
    }

    fn ask_for_frame(self: &Rc<Self>) {
        if self.framed.replace(true) {
            return;
        }
        let call = self.frame.as_ref().unchecked_ref();
        if let Some(window) = web_sys::window() {
            // Where there are no frames the timer below comes.
            let _ = window.request_animation_frame(call);
        }
        let inner = Rc::downgrade(self);
        let late = move || {
            if let Some(inner) = inner.upgrade() {
                inner.hand_on();
            }
        };
        Timeout::new(WITHOUT_FRAMES, late).forget();
    }

    /// Hands on what was heard; what is too much for one frame waits for the next.
    fn hand_on(self: &Rc<Self>) {
        self.framed.set(false);
        let mut inbox = self.inbox.borrow_mut();
        let most = inbox.len().min(TOGETHER);
        let events: Vec<_> = inbox.drain(..most).collect();
        let more = !inbox.is_empty();
        drop(inbox);
        if more {
            self.ask_for_frame();
        }
        if !events.is_empty() {
            self.act.emit(Action::Worker(events));
        }
    }

    fn thread_failed(self: &Rc<Self>, event: &web_sys::Event) {
        let said = event.dyn_ref::<MessageEvent>();
        let said = said.and_then(|event| event.data().as_string());
        let said = said.as_deref().unwrap_or("it does not say why");
        self.broken(&format!("The engine stopped: {said}."));
    }

    fn worker_failed(self: &Rc<Self>, event: &web_sys::Event) {
        let message = event.dyn_ref::<ErrorEvent>().map(ErrorEvent::message);
        let message = message.filter(|m| !m.is_empty() && m != "undefined");
        let message = message.map(|m| m.trim_start_matches("Uncaught ").to_owned());
        match (self.heard.get(), message) {
            (false, None) => self.broken("The engine could not be loaded."),
            (false, Some(m)) if m.contains("CompileError") => self.broken(&format!(
                "The engine could not be loaded: {m}. It needs WebAssembly's SIMD: Chrome 102, Firefox 114, Safari 16.4 or newer."
            )),
            (false, Some(m)) => self.broken(&format!("The engine could not be loaded: {m}.")),
            (true, m) => self.broken(&format!(
                "The engine stopped: {}.",
                m.as_deref().unwrap_or("it does not say why")
            )),
        }
    }

    /// What was heard before still counts, so it is handed on first.
    fn broken(&self, why: &str) {
        let events = mem::take(&mut *self.inbox.borrow_mut());
        self.act.emit(Action::Worker(events));
        self.act.emit(Action::Broken(why.to_owned()));
    }
}

/// An event and its blobs.
fn read(message: &JsValue) -> Option<(Message<Event>, Array)> {
    let message = message.dyn_ref::<Array>()?;
    let said = serde_json::from_str(&message.get(0).as_string()?).ok()?;
    let blobs = message.get(1).dyn_into().unwrap_or_default();
    Some((said, blobs))
}

/// What the page's address asks for.
fn query() -> Option<UrlSearchParams> {
    let search = web_sys::window()?.location().search().ok()?;
    UrlSearchParams::new_with_str(&search).ok()
}

/// The device, the hub and the treatment of transparency that the page's address asks for. Another hub must be of the page's own
/// origin: a link must not be able to make the page load weights from elsewhere.
fn start_options() -> (DeviceChoice, Option<String>, Option<Transparency>) {
    let location = web_sys::window().map(|w| w.location());
    let (Some(location), Some(query)) = (location, query()) else {
        return (DeviceChoice::Auto, None, None);
    };
    let device = match query.get("backend").as_deref() {
        Some("webgpu") => DeviceChoice::Gpu,
        Some("webgpu-as-hardware") => DeviceChoice::AsHardware,
        Some("cpu") => DeviceChoice::Cpu,
        _ => DeviceChoice::Auto,
    };
    let same_origin = |path: String| {
        let url = Url::new_with_base(&path, &location.href().ok()?).ok()?;
        (url.origin() == location.origin().ok()?).then(|| url.href())
    };
    let transparency = query.get("transparency");
    let transparency = transparency.and_then(|name| Transparency::from_name(&name));
    (device, query.get("hub").and_then(same_origin), transparency)
}
