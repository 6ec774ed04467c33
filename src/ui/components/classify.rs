//! The section where images get labels.

use js_sys::Array;
use yew::prelude::*;

use super::{card::Card, pick::FilePick, progress::ProgressLine, says, table::Table};
use crate::{
    protocol::ModelSummary,
    ui::{
        controller::Intent, jobs::Job, predictions::Batch, received::Sample, shared::Shared, text,
    },
};

/// What the picker offers; some systems do not count all of these as images.
const ACCEPT_IMAGES: &str = "image/*,.heic,.heif,.avif,.tif,.tiff,.ppm,.pgm,.jfif";

/// What the section shows.
#[derive(PartialEq, Properties)]
pub struct ClassifyProps {
    /// The images last given.
    pub batch: Shared<Batch>,
    /// Pictures to try first.
    pub samples: Shared<Vec<Sample>>,
    /// The model in use.
    pub model: Option<Shared<ModelSummary>>,
    /// The classification under way.
    pub job: Option<Job>,
    /// Whether anything can be classified.
    pub usable: bool,
    /// Messages of the section.
    pub notices: Html,
    /// Told what the user wants.
    pub on: Callback<Intent>,
}

/// The section.
#[component]
pub fn Classify(props: &ClassifyProps) -> Html {
    let on = &props.on;
    let on_files = on.reform(|files: Array| Intent::Images(files));
    let rows = &props.batch.rows;
    let cards = Batch::cards(rows.len());
    let samples = props.samples.iter().enumerate().map(|(i, sample)| {
        let onclick = says::<MouseEvent>(on, move || Intent::Sample(i));
        html! {
            <button type="button" class="sample" data-testid="sample" {onclick}>
                <img src={sample.url.clone()} alt="" width="72" height="72" />
                <span>{ &sample.name }</span>
            </button>
        }
    });
    html! {
        <section id="classify" aria-labelledby="classify-title">
            <h2 id="classify-title">{ "Classify" }</h2>
            <p class="lead">
                { "Drop or paste photos anywhere on this page, or choose them. They stay on this computer." }
            </p>
            <div class="actions">
                <FilePick label="Choose images" testid="image-input" accept={ACCEPT_IMAGES} multiple=true
                    primary=true disabled={!props.usable} {on_files} />
                if !rows.is_empty() {
                    <button type="button" data-testid="csv" onclick={says::<MouseEvent>(on, || Intent::Csv)}>
                        { "Save as CSV" }
                    </button>
                }
            </div>
            <div class="samples">
                <span class="muted">{ "No photo at hand? Click a drawn one:" }</span>
                { for samples }
            </div>
            { props.notices.clone() }
            <ProgressLine job={props.job.clone()} on={on.clone()} />
            { stale(props) }
            <div class="cards">
                { for rows.iter().take(cards).map(|row| html! {
                    <Card key={row.file.clone()} row={row.clone()} model={props.model.clone()}
                        running={props.job.is_some()} />
                }) }
            </div>
            if rows.len() > cards {
                <Table batch={props.batch.clone()} model={props.model.clone()} first={cards} {on} />
            }
        </section>
    }
}

/// That answers are of another model than the one in use, with a button to get them anew.
fn stale(props: &ClassifyProps) -> Html {
    let Some(model) = &props.model else {
        return html! {};
    };
    let mut answers = props.batch.stale(Some(model));
    let Some(first) = answers.next() else {
        return html! {};
    };
    let count = answers.count() + 1;
    html! {
        <div class="notice offer" role="status" data-testid="stale-answers" data-count={count.to_string()}>
            <p>{ text::stale_answers(&first.model, count, model) }</p>
            <div class="actions">
                <button type="button" data-testid="classify-again" disabled={!props.usable || model.untrained}
                    onclick={says::<MouseEvent>(&props.on, || Intent::ClassifyAgain)}>
                    { "Classify again with this model" }
                </button>
            </div>
        </div>
    }
}
