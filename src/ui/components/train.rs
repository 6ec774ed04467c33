//! The place where a model is trained.

use yew::prelude::*;

use super::{
    curves::Curves, progress::ProgressLine, says, settings::Settings, skipped::SkippedList,
};
use crate::{
    protocol::{EngineState, EpochReport},
    ui::{
        desk::Intent,
        form::TrainForm,
        parts::{Job, Run, Shared},
        text,
    },
};

/// What the place shows.
#[derive(PartialEq, Properties)]
pub struct TrainProps {
    /// The settings as typed.
    pub form: Shared<TrainForm>,
    /// The last run.
    pub run: Option<Shared<Run>>,
    /// The training under way.
    pub job: Option<Job>,
    /// What the engine is doing.
    pub engine: EngineState,
    /// Whether a training can begin now.
    pub idle: bool,
    /// Why it cannot begin, if something is missing.
    pub needs: Option<String>,
    /// Messages of the place.
    pub notices: Html,
    /// Told what the user wants.
    pub on: Callback<Intent>,
}

/// The place. All buttons are always there, so that nothing jumps; the ones of no use are off.
#[component]
pub fn Train(props: &TrainProps) -> Html {
    let on = &props.on;
    let running = props.job.is_some();
    let can = |states: &[EngineState]| running && states.contains(&props.engine);
    let button =
        |testid: &'static str, label: &'static str, enabled: bool, intent: fn() -> Intent| {
            let class = (testid == "train-start").then_some("primary");
            html! {
                <button type="button" {class} data-testid={testid} disabled={!enabled}
                    onclick={says::<MouseEvent>(on, intent)}>{ label }</button>
            }
        };
    let startable = props.idle && props.needs.is_none();
    html! {
        <section id="train" aria-labelledby="train-title">
            <h2 id="train-title">{ "Train" }</h2>
            <p class="lead">
                { "Every image goes through the backbone once; then a new head is trained on what came out. \
                   With convolutions trained too, more comes out, and later. The best epoch's model is in use \
                   at once and kept for the next visit." }
            </p>
            <Settings form={props.form.clone()} disabled={running} {on} />
            <div class="actions">
                { button("train-start", "Train", startable, || Intent::Train) }
                { button("train-pause", "Pause", can(&[EngineState::Training]), || Intent::Pause) }
                { button("train-resume", "Resume", can(&[EngineState::Paused]), || Intent::Resume) }
                { button("train-stop", "Stop, keep the best epoch",
                    can(&[EngineState::Training, EngineState::Paused]), || Intent::Stop) }
            </div>
            { props.notices.clone() }
            if let (false, Some(needs)) = (running, &props.needs) {
                <p class="progress-line muted" data-testid="train-needs">{ needs }</p>
            } else {
                <ProgressLine job={props.job.clone()} on={on.clone()} />
            }
            <p class="result" data-testid="train-result">{ props.run.as_ref().map(|run| text::run(run)) }</p>
            <Curves run={props.run.clone()} />
            if let Some(run) = &props.run {
                <Epochs run={run.clone()} />
                <SkippedList files={run.skipped.clone()} testid="error-row" />
            }
        </section>
    }
}

#[derive(PartialEq, Properties)]
struct EpochsProps {
    run: Shared<Run>,
}

#[component]
fn Epochs(props: &EpochsProps) -> Html {
    let best = props.run.result.map(|(epoch, _)| epoch);
    html! {
        <div class="scroll epochs">
            <table>
                <thead><tr>
                    <th scope="col">{ "Epoch" }</th>
                    <th scope="col" class="number">{ "Training loss" }</th>
                    <th scope="col" class="number">{ "Training accuracy" }</th>
                    <th scope="col" class="number">{ "Validation loss" }</th>
                    <th scope="col" class="number">{ "Validation accuracy" }</th>
                    <th scope="col" class="number">{ "Time" }</th>
                </tr></thead>
                <tbody>
                    { for props.run.reports.iter().map(|report| html! {
                        <EpochRow key={report.epoch} report={*report} best={best == Some(report.epoch)} />
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
            data-val-loss={r.val_loss.to_string()} data-val-accuracy={r.val_accuracy.to_string()}>
            <th scope="row">{ r.epoch }{ if props.best { " (best)" } else { "" } }</th>
            <td class="number">{ format!("{:.4}", r.train_loss) }</td>
            <td class="number">{ text::percent(r.train_accuracy) }</td>
            <td class="number">{ format!("{:.4}", r.val_loss) }</td>
            <td class="number">{ text::percent(r.val_accuracy) }</td>
            <td class="number">{ text::duration(r.milliseconds) }</td>
        </tr>
    }
}
