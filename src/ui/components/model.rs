//! The section of the model itself: what it is, where it comes from, how to take it along.

use js_sys::Array;
use web_sys::{HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};
use yew::prelude::*;

use super::{architectures::Architectures, pick::FilePick, progress::ProgressLine, says};
use crate::{
    config::{Arch, BundledModel, InputSettings, Normalization, Preprocess},
    protocol::{Command, ExportKind, ModelSummary, OnnxFile},
    ui::{
        anatomy::Explorer, controller::Intent, intake, jobs::Job, shared::Shared, state::Action,
        text,
    },
};

/// The whole way from pixels to probabilities, and how to run it elsewhere.
const ONNX: ExportKind = ExportKind::Onnx {
    file: OnnxFile::Zip,
    half: false,
};

/// What the section shows.
#[derive(PartialEq, Properties)]
pub struct ModelProps {
    /// The model in use.
    pub model: Option<Shared<ModelSummary>>,
    /// The backbone chosen for download.
    pub arch: Arch,
    /// The backbone chosen for random weights.
    pub random_init: Arch,
    /// What is looked at under "Architectures".
    pub explorer: Shared<Explorer>,
    /// The import, download, export or making of random weights under way.
    pub job: Option<Job>,
    /// Whether it was imported, so that it can be again.
    pub imported: bool,
    /// Whether the model can be changed now.
    pub idle: bool,
    /// Messages of the section.
    pub notices: Html,
    /// Told what the user wants.
    pub on: Callback<Intent>,
}

/// The section.
#[component]
pub fn Model(props: &ModelProps) -> Html {
    let on = &props.on;
    let disabled = !props.idle;
    let unloaded = disabled || props.model.is_none();
    let untrained = props.model.as_ref().is_some_and(|model| model.untrained);
    let (arch, fresh) = (props.arch, props.random_init);
    let button = |testid: &'static str, label: &'static str, off: bool, intent: fn() -> Intent| {
        let onclick = says::<MouseEvent>(on, intent);
        html! { <button type="button" data-testid={testid} disabled={off} {onclick}>{ label }</button> }
    };
    html! {
        <section id="model" aria-labelledby="model-title">
            <h2 id="model-title">{ "Model" }</h2>
            if let Some(model) = &props.model {
                { summary(model) }
            }
            <div class="actions">
                <FilePick label="Import a checkpoint" testid="weights-input" accept={intake::accept_checkpoints()} multiple=true {disabled}
                    on_files={on.reform(|files: Array| Intent::Checkpoint(files))} />
                { button("export-head", "Export the head", unloaded || untrained, || Intent::begin(Command::Export { what: ExportKind::Head })) }
                { button("export-model", "Export the whole model", unloaded, || Intent::begin(Command::Export { what: ExportKind::Model })) }
                { button("export-onnx", "Export as ONNX", unloaded, || Intent::begin(Command::Export { what: ONNX })) }
            </div>
            if untrained {
                <p class="hint" data-testid="export-hint">
                    { "The head is new and has learnt nothing yet, so it cannot be exported alone. The whole model can, \
                       for the sake of its backbone." }
                </p>
            }
            if let Some(model) = &props.model {
                if props.imported && model.untrained {
                    <OwnOutputs model={model.clone()} {disabled} on={on.clone()} />
                } else {
                    <OutputNames model={model.clone()} {disabled} on={on.clone()} />
                }
                <Preparation model={model.clone()} {disabled} on={on.clone()} />
            }
            { props.notices.clone() }
            <ProgressLine job={props.job.clone()} on={on.clone()} />
            <h3>{ "Models that come with the page" }</h3>
            <p class="lead">
                { "Each is fetched from this page's own host when it is first wanted, and kept here. Whatever was trained or \
                   imported before is forgotten: export it first." }
            </p>
            <ul class="bundled">
                { for BundledModel::ALL.into_iter().map(|bundled| offer(bundled, props.model.as_deref(), unloaded, on)) }
            </ul>
            <h3>{ "Another backbone" }</h3>
            <p class="lead">
                { "Downloads weights trained on ImageNet from huggingface.co, once; then they are kept here. \
                   This is the only thing on this page that reaches another host. Nothing is sent but the \
                   request." }
            </p>
            <div class="actions">
                <label class="unseen" for="arch">{ "Backbone" }</label>
                <select id="arch" data-testid="arch-select" {disabled} onchange={choose(on, Action::Arch)}>
                    { for downloads().map(|a| html! {
                        <option value={a.name()} selected={a == arch}>{ a.name() }</option>
                    }) }
                </select>
                <button type="button" data-testid="download-weights" {disabled}
                    onclick={says::<MouseEvent>(on, move || Intent::begin(Command::Download { arch }))}>
                    { "Download" }
                </button>
            </div>
            <h3>{ "Random weights" }</h3>
            <p class="lead">
                { "A backbone that has learnt nothing yet, to see what pretraining is worth. It needs every convolution trained, many images and many epochs." }
            </p>
            <div class="actions">
                <label class="unseen" for="fresh">{ "Backbone of random weights" }</label>
                <select id="fresh" data-testid="fresh-select" {disabled} onchange={choose(on, Action::ChooseRandomInit)}>
                    { for Arch::ALL.iter().copied().map(|a| html! {
                        <option value={a.name()} selected={a == fresh}>{ a.name() }</option>
                    }) }
                </select>
                <button type="button" data-testid="fresh" {disabled}
                    onclick={says::<MouseEvent>(on, move || Intent::RandomInit(fresh))}>
                    { "Start from random weights" }
                </button>
            </div>
            <Architectures explorer={props.explorer.clone()} on={on.clone()}
                arch={props.model.as_ref().map_or(arch, |model| model.arch)} />
        </section>
    }
}

#[derive(PartialEq, Properties)]
struct OutputNamesProps {
    model: Shared<ModelSummary>,
    disabled: bool,
    on: Callback<Intent>,
}

/// The names of the outputs, to be given where the file has none or has other ones.
#[component]
fn OutputNames(props: &OutputNamesProps) -> Html {
    let area = use_node_ref();
    let classes = &props.model.classes;
    let onclick = with_names(&area, &props.on, |classes| {
        Intent::begin(Command::NameClasses { classes })
    });
    html! {
        <details class="output-names" data-testid="output-names" open={text::unnamed(classes)}>
            <summary>{ "Names of the outputs" }</summary>
            <p class="hint" id="output-names-hint">
                { format!("{} in their order, one a line. In Python: print('\\n'.join(dataset.classes))",
                    text::counted(classes.len(), "name", "names")) }
            </p>
            <textarea ref={area} data-testid="output-names-input" aria-label="Names of the outputs"
                aria-describedby="output-names-hint" rows="6" key={classes.join("\n")} disabled={props.disabled}
                value={classes.join("\n")} />
            <div class="actions">
                <button type="button" data-testid="name-outputs" disabled={props.disabled} {onclick}>
                    { "Use these names" }
                </button>
            </div>
        </details>
    }
}

/// Names for the outputs of a file whose own last layer was not used for want of them: it is imported again.
#[component]
fn OwnOutputs(props: &OutputNamesProps) -> Html {
    let area = use_node_ref();
    let source = &props.model.source;
    let onclick = with_names(&area, &props.on, Intent::ImportAgain);
    html! {
        <details class="output-names" data-testid="own-outputs">
            <summary>{ format!("Names for the outputs of {source}") }</summary>
            <p class="hint" id="own-outputs-hint">
                { "The head in use is a new one. If the file has outputs of its own without names (ImageNet's 1000, for \
                   example), give all their names here in their order, one a line: the file is imported again, with its \
                   own head." }
            </p>
            <textarea ref={area} data-testid="own-outputs-input" aria-label={format!("Names for the outputs of {source}")}
                aria-describedby="own-outputs-hint" rows="6" disabled={props.disabled} />
            <div class="actions">
                <button type="button" data-testid="import-again" disabled={props.disabled} {onclick}>
                    { format!("Import {source} again with these names") }
                </button>
            </div>
        </details>
    }
}

/// Says the names that are typed into an area.
fn with_names(
    area: &NodeRef,
    on: &Callback<Intent>,
    intent: fn(Vec<String>) -> Intent,
) -> Callback<MouseEvent> {
    let (area, on) = (area.clone(), on.clone());
    Callback::from(move |_| {
        if let Some(area) = area.cast::<HtmlTextAreaElement>() {
            on.emit(intent(text::names(&area.value())));
        }
    })
}

/// How the images are prepared, to be said where the file does not.
#[component]
fn Preparation(props: &OutputNamesProps) -> Html {
    let (size, chosen) = (use_node_ref(), use_node_ref());
    let model = &props.model;
    let onclick = {
        let (size, chosen, on) = (size.clone(), chosen.clone(), props.on.clone());
        Callback::from(move |_: MouseEvent| {
            let size = size.cast::<HtmlInputElement>();
            let size = size.and_then(|input| input.value().trim().parse().ok());
            let chosen = chosen.cast::<HtmlSelectElement>();
            let normalization = chosen.and_then(|select| Normalization::from_name(&select.value()));
            let input = InputSettings {
                size,
                normalization,
            };
            on.emit(Intent::begin(Command::SetInput { input }));
        })
    };
    let (low, high) = Preprocess::SIZE;
    html! {
        <details class="output-names" data-testid="input-settings">
            <summary>{ "How its images are prepared" }</summary>
            <p class="hint" id="input-settings-hint">
                { "As in the model's training. A file of PyTorch's does not say it; a model of this page does." }
            </p>
            <div class="actions" key={format!("{} {:?}", model.size, model.normalization)}>
                <label for="input-size">{ "Edge in pixels" }</label>
                <input ref={size} id="input-size" data-testid="model-input-size" type="number" min={low.to_string()}
                    max={high.to_string()} value={model.size.to_string()} disabled={props.disabled}
                    aria-describedby="input-settings-hint" />
                <label for="normalization">{ "Normalisation" }</label>
                <select ref={chosen} id="normalization" data-testid="model-normalization" disabled={props.disabled}>
                    if model.normalization.is_none() {
                        <option value="" selected=true>{ text::normalization(None) }</option>
                    }
                    { for Normalization::ALL.into_iter().map(|n| html! {
                        <option value={n.name()} selected={model.normalization == Some(n)}>
                            { text::normalization(Some(n)) }
                        </option>
                    }) }
                </select>
                <button type="button" data-testid="set-input" disabled={props.disabled} {onclick}>
                    { "Use these" }
                </button>
            </div>
        </details>
    }
}

/// The backbones with weights to download.
fn downloads() -> impl Iterator<Item = Arch> {
    let all = Arch::ALL.iter().copied();
    all.filter(|arch| arch.row().weights.is_some())
}

fn choose(on: &Callback<Intent>, action: fn(Arch) -> Action) -> Callback<Event> {
    let on = on.clone();
    Callback::from(move |event: Event| {
        let select: HtmlSelectElement = event.target_unchecked_into();
        if let Some(arch) = Arch::from_name(&select.value()) {
            on.emit(Intent::Act(action(arch)));
        }
    })
}

/// One of the models that come with the page.
fn offer(
    bundled: BundledModel,
    model: Option<&ModelSummary>,
    disabled: bool,
    on: &Callback<Intent>,
) -> Html {
    let used = model.is_some_and(|model| model.as_bundled() == Some(bundled));
    let onclick = says::<MouseEvent>(on, move || {
        Intent::begin(Command::UseBundled { model: bundled })
    });
    html! {
        <li>
            <button type="button" data-testid={format!("use-{}", bundled.name())} aria-pressed={used.to_string()}
                {disabled} {onclick}>{ bundled.label() }</button>
            <p>
                { text::bundled(bundled) }{ " " }
                <a href={text::card(bundled)} target="_blank" rel="noopener">{ "Model card" }</a>
            </p>
        </li>
    }
}

fn summary(model: &ModelSummary) -> Html {
    let head = model.head.map_or("custom", |h| h.name());
    let fact = |name: &str, value: String| html! { <div><dt>{ name }</dt><dd>{ value }</dd></div> };
    html! {
        <dl class="facts" data-testid="model-summary" data-arch={model.arch.name()} data-head={head}
            data-source={model.source.clone()} data-untrained={model.untrained.to_string()}
            data-classes={model.classes.join(",")}>
            { fact("Backbone", format!("{}, {} features", model.arch.name(), model.features)) }
            { fact("Head", format!("{head}{}", if model.untrained { ", not trained yet" } else { "" })) }
            { fact("Labels", text::labels(&model.classes)) }
            { fact("Input", format!("{0} × {0} pixels, {1}", model.size, text::normalization(model.normalization))) }
            { fact("Parameters", text::count(model.parameters)) }
            { fact("Source", model.source.clone()) }
            if let Some(hash) = &model.sha256 {
                <div><dt>{ "SHA-256 of the backbone's file" }</dt><dd class="hash">{ hash }</dd></div>
            }
        </dl>
    }
}
