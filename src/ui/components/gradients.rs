//! The norm of each stage's gradient over the epochs: whether it vanishes on its way from the head to the stem.

use yew::prelude::*;

use super::plot::{Line, key, look, plot};
use crate::ui::{
    chart::{Axis, Scale},
    shared::Shared,
    text,
    training::{StageNorms, Training},
};

/// The training.
#[derive(PartialEq, Properties)]
pub struct GradientsProps {
    /// It.
    pub training: Shared<Training>,
}

/// Chart, legend, table; nothing where no norms were recorded.
#[component]
pub fn Gradients(props: &GradientsProps) -> Html {
    let stages = props.training.gradients();
    if stages.is_empty() {
        return html! {};
    }
    let points = || stages.iter().flat_map(|stage| &stage.norms);
    let last = points().map(|(epoch, _)| *epoch).max().unwrap_or(1);
    let scale = Scale {
        first: 1.0,
        epochs: props.training.epochs.max(last),
        y: Axis::decades(points().map(|(_, norm)| *norm)),
    };
    let lines = (0..).zip(&stages).map(|(place, stage)| {
        let values = stage.norms.iter();
        let values = values.map(|(epoch, norm)| (*epoch as f64, *norm));
        Line::new(look(place), scale, values)
    });
    let title = "Gradient norm by stage";
    html! {
        <div class="gradients" data-testid="gradients" data-stages={stages.len().to_string()}>
            <div class="charts">
                { plot(title, "epoch", html! { title }, scale, lines.collect(), |v| format!("{v:.0e}")) }
                <ol class="legend" aria-label="Stages, from the input to the head">
                    { for (0..).zip(&stages).map(|(place, stage)| html! {
                        <li data-testid="gradient-stage" data-stage={stage.stage.clone()}
                            data-norm={stage.norms.last().map(|(_, norm)| norm.to_string())}>
                            { key(look(place)) }{ &stage.stage }
                        </li>
                    }) }
                </ol>
            </div>
            { numbers(&stages, last) }
        </div>
    }
}

/// The chart as a table.
fn numbers(stages: &[StageNorms], last: usize) -> Html {
    let cell = |stage: &StageNorms, epoch: usize| {
        let norm = stage.norms.iter().find(|(own, _)| *own == epoch);
        let text = norm.map_or_else(|| "–".to_owned(), |(_, norm)| text::norm(*norm));
        html! { <td class="number">{ text }</td> }
    };
    html! {
        <details data-testid="gradient-numbers">
            <summary>{ "These norms as a table" }</summary>
            <div class="scroll">
                <table class="fit">
                    <caption>{ "L2 norm of each stage's gradient, the mean over an epoch's steps" }</caption>
                    <thead><tr>
                        <th scope="col">{ "Epoch" }</th>
                        { for stages.iter().map(|stage| html! {
                            <th scope="col" class="number">{ &stage.stage }</th>
                        }) }
                    </tr></thead>
                    <tbody>
                        { for (1..=last).map(|epoch| html! {
                            <tr>
                                <th scope="row">{ epoch }</th>
                                { for stages.iter().map(|stage| cell(stage, epoch)) }
                            </tr>
                        }) }
                    </tbody>
                </table>
            </div>
        </details>
    }
}
