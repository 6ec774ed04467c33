//! Every epoch of a training as a table: the charts' numbers.

use yew::prelude::*;

use crate::{
    protocol::EpochReport,
    ui::{shared::Shared, text, training::Training},
};

/// Rows that the table is high before it scrolls.
const ROWS: usize = 10;

/// The training.
#[derive(PartialEq, Properties)]
pub struct EpochsProps {
    /// It.
    pub training: Shared<Training>,
}

/// The table.
#[component]
pub fn Epochs(props: &EpochsProps) -> Html {
    let best = props.training.result.map(|(epoch, _)| epoch);
    // Of several trainings the best one's epoch may be another one's than this.
    let best = best.filter(|_| props.training.turn.is_none_or(|turn| turn.of == 1));
    // Rows of epochs to come keep their room, so that nothing below them jumps.
    let to_come = match props.training.result {
        None => (props.training.epochs.min(ROWS)).saturating_sub(props.training.reports.len()),
        Some(_) => 0,
    };
    html! {
        <div class="scroll epochs">
            <table>
                <thead><tr>
                    <th scope="col">{ "Epoch" }</th>
                    <th scope="col" class="number">{ "Training loss" }</th>
                    <th scope="col" class="number">{ "Training accuracy" }</th>
                    <th scope="col" class="number">{ "Validation loss" }</th>
                    <th scope="col" class="number">{ "Validation accuracy" }</th>
                    <th scope="col" class="number">{ "Learning rate" }</th>
                    <th scope="col" class="number">{ "Images/s" }</th>
                    <th scope="col" class="number">{ "Time" }</th>
                </tr></thead>
                <tbody>
                    { for props.training.reports.iter().map(|report| html! {
                        <EpochRow key={report.epoch} report={report.clone()} best={best == Some(report.epoch)} />
                    }) }
                    { for (0..to_come).map(|_| html! {
                        <tr aria-hidden="true" class="muted"><td>{ "–" }</td><td colspan="7"></td></tr>
                    }) }
                </tbody>
            </table>
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct EpochRowProps {
    report: EpochReport,
    best: bool,
}

#[component]
fn EpochRow(props: &EpochRowProps) -> Html {
    let r = &props.report;
    html! {
        <tr class={props.best.then_some("best")} data-testid="epoch" data-epoch={r.epoch.to_string()}
            data-train-loss={r.train_loss.to_string()} data-train-accuracy={r.train_accuracy.to_string()}
            data-val-loss={r.val_loss.to_string()} data-val-accuracy={r.val_accuracy.to_string()}
            data-learning-rate={r.learning_rate.to_string()}
            data-images-per-second={r.images_per_second.to_string()}>
            <th scope="row">{ r.epoch }{ if props.best { " (best)" } else { "" } }</th>
            <td class="number">{ format!("{:.4}", r.train_loss) }</td>
            <td class="number">{ text::percent(r.train_accuracy) }</td>
            <td class="number">{ format!("{:.4}", r.val_loss) }</td>
            <td class="number">{ text::percent(r.val_accuracy) }</td>
            <td class="number">{ text::rate(r.learning_rate) }</td>
            <td class="number">{ format!("{:.0}", r.images_per_second) }</td>
            <td class="number">{ text::duration(r.milliseconds) }</td>
        </tr>
    }
}
