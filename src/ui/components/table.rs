//! Many images: a line each, a page at a time.

use yew::prelude::*;

use super::{bar::Bar, says};
use crate::{
    protocol::ModelSummary,
    ui::{
        controller::Intent,
        predictions::{Batch, Outcome, Row},
        shared::Shared,
        state::Action,
        text,
    },
};

/// The images that have no card.
#[derive(PartialEq, Properties)]
pub struct TableProps {
    /// All images.
    pub batch: Shared<Batch>,
    /// The model in use: answers of others are marked.
    pub model: Option<Shared<ModelSummary>>,
    /// The first one of the table.
    pub first: usize,
    /// Told what the user wants.
    pub on: Callback<Intent>,
}

/// The table and its pages.
#[component]
pub fn Table(props: &TableProps) -> Html {
    let rows = props.batch.rows.get(props.first..).unwrap_or_default();
    let page = props.batch.page;
    let from = (page * Batch::PAGE).min(rows.len());
    let to = (from + Batch::PAGE).min(rows.len());
    let turn = |label: &str, page: Option<usize>| {
        let onclick = says::<MouseEvent>(&props.on, move || {
            Intent::Act(Action::Page(page.unwrap_or_default()))
        });
        html! { <button type="button" disabled={page.is_none()} {onclick}>{ label }</button> }
    };
    html! {
        <>
            <div class="scroll">
                <table>
                    <caption>{ format!(
                        "Images {} to {} of {}", props.first + from + 1, props.first + to,
                        text::count(props.batch.rows.len() as u64)
                    ) }</caption>
                    <thead><tr>
                        <th scope="col">{ "File" }</th><th scope="col">{ "Label" }</th>
                        <th scope="col" class="number">{ "Probability" }</th>
                        <th scope="col"><span class="unseen">{ "As a bar" }</span></th>
                        <th scope="col" class="number">{ "Time" }</th>
                    </tr></thead>
                    <tbody>
                        { for rows.get(from..to).unwrap_or_default().iter().map(|row| html! {
                            <Line key={row.file.clone()} row={row.clone()} model={props.model.clone()} />
                        }) }
                    </tbody>
                </table>
            </div>
            if rows.len() > Batch::PAGE {
                <div class="actions">
                    { turn("Previous", page.checked_sub(1)) }
                    { turn("Next", (to < rows.len()).then_some(page + 1)) }
                </div>
            }
        </>
    }
}

#[derive(PartialEq, Properties)]
struct LineProps {
    row: Shared<Row>,
    model: Option<Shared<ModelSummary>>,
}

#[component]
fn Line(props: &LineProps) -> Html {
    let row = &*props.row;
    let file = html! { <th scope="row" class="file">{ &row.file }</th> };
    match &row.outcome {
        Outcome::Waiting => html! {
            <tr data-testid="pending" data-file={row.file.clone()}>
                { file }<td colspan="4" class="muted">{ "–" }</td>
            </tr>
        },
        Outcome::Failed(reason) => html! {
            <tr data-testid="error-row" data-file={row.file.clone()}>
                { file }<td colspan="4" class="reason">{ reason }</td>
            </tr>
        },
        Outcome::Classified(prediction) => {
            let probability = f64::from(prediction.probability());
            let stale = !prediction.is_by(props.model.as_ref());
            html! {
                <tr class={stale.then_some("stale")} data-stale={stale.to_string()} data-testid="prediction" data-file={row.file.clone()} data-label={prediction.label()}
                    data-probability={prediction.probability().to_string()}>
                    { file }
                    <td>
                        { prediction.label() }{ if prediction.unsure() { " (unsure)" } else { "" } }
                        if stale {
                            <span class="small problem">{ " " }{ text::stale(&prediction.model) }</span>
                        }
                    </td>
                    <td class="number">{ text::percent(probability) }</td>
                    <td class="bar-cell"><Bar value={probability} /></td>
                    <td class="number">{ text::duration(prediction.milliseconds) }</td>
                </tr>
            }
        }
    }
}
