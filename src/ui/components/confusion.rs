//! Which class is taken for which: the matrix, or of many classes the worst pairs.

use yew::prelude::*;

use crate::{
    protocol::Evaluation,
    ui::{shared::Shared, text},
};

/// Up to so many classes the whole matrix is shown; a thousand would be a million cells.
const MATRIX: usize = 40;
/// Pairs shown beyond that.
const PAIRS: usize = 40;

/// The evaluation.
#[derive(PartialEq, Properties)]
pub struct ConfusionProps {
    /// It.
    pub report: Shared<Evaluation>,
}

/// The table.
#[component]
pub fn Confusion(props: &ConfusionProps) -> Html {
    let table = if props.report.classes.len() <= MATRIX {
        matrix(&props.report)
    } else {
        pairs(&props.report)
    };
    html! { <div class="scroll">{ table }</div> }
}

fn matrix(report: &Evaluation) -> Html {
    let rows = report.classes.iter().zip(&report.confusion).enumerate();
    let rows = rows.map(|(truth, (name, row))| {
        let total: u64 = row.iter().sum();
        let cells = row.iter().enumerate().map(|(predicted, n)| {
            let shade = format!("heat-{}", text::heat(*n, total));
            let right = (truth == predicted).then_some("right");
            html! { <td class={classes!("number", shade, right)}>{ n }</td> }
        });
        html! { <tr><th scope="row">{ name }</th>{ for cells }</tr> }
    });
    html! {
        <table class="confusion" data-testid="confusion">
            <caption>{ "Rows: what it is. Columns: what the model said." }</caption>
            <thead><tr>
                <td></td>
                { for report.classes.iter().map(|name| html! { <th scope="col" class="number">{ name }</th> }) }
            </tr></thead>
            <tbody>{ for rows }</tbody>
        </table>
    }
}

fn pairs(report: &Evaluation) -> Html {
    let name = |i: usize| report.classes.get(i).cloned().unwrap_or_default();
    let pairs = text::mixups(&report.confusion, PAIRS).into_iter();
    let rows = pairs.map(|(truth, predicted, n)| {
        html! { <tr><th scope="row">{ name(truth) }</th><td>{ name(predicted) }</td><td class="number">{ n }</td></tr> }
    });
    html! {
        <table data-testid="confusion">
            <caption>{ format!("The {PAIRS} most frequent mix-ups of {} classes", report.classes.len()) }</caption>
            <thead><tr>
                <th scope="col">{ "It is" }</th>
                <th scope="col">{ "The model said" }</th>
                <th scope="col" class="number">{ "Images" }</th>
            </tr></thead>
            <tbody>{ for rows }</tbody>
        </table>
    }
}
