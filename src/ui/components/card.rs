//! One image with its label and a bar for every class.

use yew::prelude::*;

use super::bar::Bar;
use crate::{
    protocol::ModelSummary,
    ui::{
        predictions::{Outcome, Prediction, Row},
        shared::Shared,
        text,
    },
};

/// The image.
#[derive(PartialEq, Properties)]
pub struct CardProps {
    /// It and what became of it.
    pub row: Shared<Row>,
    /// The model in use: an image that waits keeps room for its bars.
    pub model: Option<Shared<ModelSummary>>,
    /// Whether answers still come.
    pub running: bool,
}

/// The card.
#[component]
pub fn Card(props: &CardProps) -> Html {
    let row = &*props.row;
    match &row.outcome {
        Outcome::Waiting => {
            let classes = props.model.as_ref().map_or(0, |m| m.classes.len());
            let bars = (0..classes.min(text::BARS)).map(|_| bar("\u{a0}".into(), None));
            let headline = if props.running {
                "Waiting"
            } else {
                "Not classified"
            };
            html! {
                <article class="card" data-testid="pending" data-file={row.file.clone()}>
                    { picture(row) }
                    <p class="headline muted">{ headline }</p>
                    <ul class="bars">{ for bars }</ul>
                    <p class="small muted">{ "\u{a0}" }</p>
                </article>
            }
        }
        Outcome::Failed(reason) => html! {
            <article class="card failed" data-testid="error-row" data-file={row.file.clone()}>
                { no_picture() }
                <p class="file" title={row.file.clone()}>{ &row.file }</p>
                <p class="headline">{ "Not an image the model can use" }</p>
                <p class="reason">{ reason }</p>
            </article>
        },
        Outcome::Classified(prediction) => {
            let stale = !prediction.is_by(props.model.as_ref());
            classified(row, prediction, stale)
        }
    }
}

fn classified(row: &Row, prediction: &Prediction, stale: bool) -> Html {
    let shown = text::bars(&prediction.probabilities);
    let bars = shown
        .iter()
        .map(|(i, p)| bar(prediction.name(*i), Some(f64::from(*p))));
    let more = prediction.probabilities.len() - shown.len();
    html! {
        <article class={classes!("card", stale.then_some("stale"))} data-testid="prediction"
            data-file={row.file.clone()} data-stale={stale.to_string()} data-label={prediction.label()} data-probability={prediction.probability().to_string()}
            data-probabilities={text::join(&prediction.probabilities)}>
            { picture(row) }
            if stale {
                <p class="small problem">{ text::stale(&prediction.model) }{ "; classify again" }</p>
            }
            <p class="headline">
                <strong>{ prediction.label() }</strong>
                <span>{ text::percent(f64::from(prediction.probability())) }</span>
            </p>
            <ul class="bars">{ for bars }</ul>
            <p class="small muted">
                { text::duration(prediction.milliseconds) }
                if more > 0 { { format!(", {more} more classes below these") } }
                if prediction.unsure() {
                    <span class="unsure" data-testid="unsure">{ "Unsure: perhaps none of these." }</span>
                }
            </p>
        </article>
    }
}

fn picture(row: &Row) -> Html {
    html! {
        <>
            if let Some(url) = row.url.clone() {
                <Picture {url} />
            } else {
                <div class="thumb"></div>
            }
            <p class="file" title={row.file.clone()}>{ &row.file }</p>
        </>
    }
}

#[derive(PartialEq, Properties)]
struct PictureProps {
    url: AttrValue,
}

/// The image itself. The model reads formats that browsers do not draw (TIFF, PNM).
#[component]
fn Picture(props: &PictureProps) -> Html {
    let undrawable = use_state(|| None::<AttrValue>);
    if undrawable.as_ref() == Some(&props.url) {
        return no_picture();
    }
    let onerror = {
        let (undrawable, url) = (undrawable.clone(), props.url.clone());
        Callback::from(move |_: Event| undrawable.set(Some(url.clone())))
    };
    html! {
        <div class="thumb">
            <img src={props.url.clone()} alt="" loading="lazy" decoding="async" {onerror} />
        </div>
    }
}

fn no_picture() -> Html {
    html! { <div class="thumb none">{ "no picture" }</div> }
}

fn bar(name: String, value: Option<f64>) -> Html {
    html! {
        <li>
            <span class="bar-name">{ name }</span>
            <Bar value={value.unwrap_or(0.0)} />
            <span class="bar-number">{ value.map(text::percent) }</span>
        </li>
    }
}
