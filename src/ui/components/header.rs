//! What is always shown: the status, what runs the model, the model in use, the network requests.

use yew::prelude::*;

use super::progress::ProgressLine;
use crate::{
    protocol::{EngineState, ModelSummary},
    ui::{
        jobs::{Job, Section},
        received::Device,
        shared::Shared,
        text,
    },
};

/// What the header shows.
#[derive(PartialEq, Properties)]
pub struct HeaderProps {
    /// What the engine is doing.
    pub engine: EngineState,
    /// What runs the model, once known.
    pub device: Option<Shared<Device>>,
    /// The model in use, once loaded.
    pub model: Option<Shared<ModelSummary>>,
    /// The start, while it is under way.
    pub job: Option<Job>,
    /// Network requests since the page was ready.
    pub requests: u32,
}

/// The header with the links to the sections.
#[component]
pub fn Header(props: &HeaderProps) -> Html {
    let backend = props.device.as_ref().map(|d| d.backend.name());
    let note = props.device.as_ref().and_then(|d| d.note.clone());
    html! {
        <header class="top">
            <div class="brand">
                <h1>{ "Retune" }</h1>
                <nav aria-label="Sections">
                    { for Section::LINKED.map(|section| html! {
                        <a href={format!("#{}", section.id())}>{ section.title() }</a>
                    }) }
                </nav>
            </div>
            <dl class="instruments">
                <div>
                    <dt>{ "Status" }</dt>
                    <dd data-testid="status" data-state={props.engine.name()} role="status">
                        { text::engine(props.engine) }
                    </dd>
                </div>
                <div>
                    <dt>{ "Runs on" }</dt>
                    <dd data-testid="backend" data-backend={backend}>{ device(props.device.as_deref()) }</dd>
                </div>
                <div>
                    <dt>{ "Model" }</dt>
                    <dd>{ props.model.as_ref().map_or_else(|| "–".into(), |m| text::model(m)) }</dd>
                </div>
                <div>
                    // "Network" beside "Model" would be taken for a neural one.
                    <dt class="unseen">{ "Requests" }</dt>
                    <dd data-testid="requests" data-requests={props.requests.to_string()}
                        title="What the page has asked of the internet since it was loaded: images are read on this \
                               computer and sent nowhere">
                        { text::counted(props.requests as usize, "request", "requests") }{ " since load" }
                    </dd>
                </div>
            </dl>
            if props.job.is_some() {
                <ProgressLine job={props.job.clone()} />
            }
            if let Some(note) = note {
                <p class="muted device-note">{ note }</p>
            }
        </header>
    }
}

fn device(device: Option<&Device>) -> String {
    match device {
        Some(device) => device.name.clone(),
        None => "–".to_owned(),
    }
}
