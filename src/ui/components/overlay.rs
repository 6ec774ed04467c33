//! The ticked runs: their curves over one another, and the settings in which they differ.

use yew::prelude::*;

use super::plot::{Line, key, look, plot};
use crate::{
    compare,
    protocol::{EpochReport, Run},
    ui::{
        chart::{self, Axis, Scale},
        shared::Shared,
        state::Runs,
        text,
    },
};

/// The runs.
#[derive(PartialEq, Properties)]
pub struct OverlayProps {
    /// They.
    pub runs: Shared<Runs>,
}

/// Charts, legend, differences; nothing if no run is ticked.
#[component]
pub fn Overlay(props: &OverlayProps) -> Html {
    let shown: Vec<(usize, &Run)> = props.runs.curves().collect();
    if shown.is_empty() {
        return html! {};
    }
    let reports = || shown.iter().flat_map(|(_, run)| &run.epochs);
    let epochs = reports().map(|r| r.epoch).max().unwrap_or(1);
    let scale = |top| Scale {
        first: 1.0,
        epochs,
        y: Axis::Linear(top),
    };
    let lines = |scale: Scale, value: fn(&EpochReport) -> f64| {
        let line = |(place, run): &(usize, &Run)| {
            let values = run.epochs.iter().map(|r| (r.epoch as f64, value(r)));
            Line::new(look(*place), scale, values)
        };
        shown.iter().map(line).collect::<Vec<_>>()
    };
    let (loss, accuracy) = (
        scale(chart::ceiling(reports().map(|r| r.val_loss))),
        scale(1.0),
    );
    html! {
        <div data-testid="run-curves" data-count={shown.len().to_string()}>
            <div class="charts">
                { plot("Validation loss", "epoch", html! { "Validation loss" }, loss, lines(loss, |r| r.val_loss),
                    |v| format!("{v}")) }
                { plot("Validation accuracy", "epoch", html! { "Validation accuracy" }, accuracy,
                    lines(accuracy, |r| r.val_accuracy), |v| text::percent(v).replace(".0", "")) }
            </div>
            <ol class="legend">
                { for shown.iter().map(|(place, run)| html! {
                    <li>
                        { key(look(*place)) }
                        { props.runs.letter(run.id) }
                        { format!(": {}, best {}", text::run_name(run), text::percent(run.validation.value)) }
                    </li>
                }) }
            </ol>
            { numbers(&props.runs, &shown, epochs) }
            if shown.len() > 1 {
                { differences(&props.runs, &shown) }
            }
        </div>
    }
}

/// The curves as a table.
fn numbers(runs: &Runs, shown: &[(usize, &Run)], epochs: usize) -> Html {
    let cell = |run: &Run, epoch: usize| {
        let report = run.epochs.iter().find(|r| r.epoch == epoch);
        let text = report.map(|r| format!("{:.4}, {}", r.val_loss, text::percent(r.val_accuracy)));
        html! { <td class="number">{ text.unwrap_or_else(|| "–".to_owned()) }</td> }
    };
    html! {
        <details data-testid="run-numbers">
            <summary>{ "These curves as a table" }</summary>
            <div class="scroll">
                <table class="fit">
                    <caption>{ "Validation loss and accuracy" }</caption>
                    <thead><tr>
                        <th scope="col">{ "Epoch" }</th>
                        { for shown.iter().map(|(_, run)| html! {
                            <th scope="col" class="number">{ runs.letter(run.id) }</th>
                        }) }
                    </tr></thead>
                    <tbody>
                        { for (1..=epochs).map(|epoch| html! {
                            <tr>
                                <th scope="row">{ epoch }</th>
                                { for shown.iter().map(|(_, run)| cell(run, epoch)) }
                            </tr>
                        }) }
                    </tbody>
                </table>
            </div>
        </details>
    }
}

fn differences(runs: &Runs, shown: &[(usize, &Run)]) -> Html {
    let compared: Vec<&Run> = shown.iter().map(|(_, run)| *run).collect();
    let rows = compare::differences(&compared);
    if rows.is_empty() {
        return html! { <p class="muted" data-testid="run-difference" data-rows="0">{ "These runs differ in no setting." }</p> };
    }
    html! {
        <div class="scroll">
            <table class="fit" data-testid="run-difference" data-rows={rows.len().to_string()}>
                <caption>{ "Settings in which they differ" }</caption>
                <thead><tr>
                    <th scope="col">{ "Setting" }</th>
                    { for shown.iter().map(|(place, run)| html! {
                        <th scope="col">{ key(look(*place)) }{ runs.letter(run.id) }</th>
                    }) }
                </tr></thead>
                <tbody>
                    { for rows.into_iter().map(|(name, values)| html! {
                        <tr data-setting={name.clone()}>
                            <th scope="row">{ name }</th>
                            { for values.into_iter().map(|value| html! { <td>{ value }</td> }) }
                        </tr>
                    }) }
                </tbody>
            </table>
        </div>
    }
}
