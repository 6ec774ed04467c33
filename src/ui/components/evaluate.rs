//! The section where the model is measured.

use yew::prelude::*;

use super::{bar::Bar, confusion::Confusion, progress::ProgressLine, says, skipped::SkippedList};
use crate::{
    protocol::{Command, Evaluation},
    ui::{controller::Intent, jobs::Job, shared::Shared, text},
};

/// What the section shows.
#[derive(PartialEq, Properties)]
pub struct EvaluateProps {
    /// The last evaluation.
    pub report: Option<Shared<Evaluation>>,
    /// The evaluation under way.
    pub job: Option<Job>,
    /// Whether one can begin now.
    pub idle: bool,
    /// Why none can, if something is missing.
    pub needs: Option<String>,
    /// Messages of the section.
    pub notices: Html,
    /// The runs that are kept.
    pub runs: Html,
    /// Told what the user wants.
    pub on: Callback<Intent>,
}

/// The section.
#[component]
pub fn Evaluate(props: &EvaluateProps) -> Html {
    let on = &props.on;
    let ready = props.idle && props.needs.is_none();
    html! {
        <section id="evaluate" aria-labelledby="evaluate-title">
            <h2 id="evaluate-title">{ "Evaluate" }</h2>
            <p class="lead">
                { "Measures the model in use on the data set's test images, which training never sees; \
                   on its validation images if it has no test images." }
            </p>
            <div class="actions">
                <button type="button" class="primary" data-testid="evaluate" disabled={!ready}
                    onclick={says::<MouseEvent>(on, || Intent::begin(Command::Evaluate))}>{ "Evaluate" }</button>
            </div>
            { props.notices.clone() }
            if let (None, Some(needs)) = (&props.job, &props.needs) {
                <p class="progress-line muted" data-testid="evaluate-needs">{ needs }</p>
            } else {
                <ProgressLine job={props.job.clone()} on={on.clone()} />
            }
            if let Some(report) = &props.report {
                <Report report={report.clone()} />
            }
            { props.runs.clone() }
        </section>
    }
}

#[derive(PartialEq, Properties)]
struct ReportProps {
    report: Shared<Evaluation>,
}

#[component]
fn Report(props: &ReportProps) -> Html {
    let report = &*props.report;
    let all = &report.accuracy;
    let rows = report
        .classes
        .iter()
        .zip(&report.per_class)
        .map(|(name, share)| {
            html! {
                <tr>
                    <th scope="row">{ name }</th>
                    <td class="number">{ text::percent(share.value) }</td>
                    <td class="bar-cell"><Bar value={share.value} /></td>
                    <td class="number">{ text::interval(share) }</td>
                    <td class="number">{ format!("{} of {}", share.hits, share.of) }</td>
                </tr>
            }
        });
    html! {
        <>
            <p class="figure">
                <strong data-testid="test-accuracy" data-value={all.value.to_string()} data-split={report.split.clone()}>
                    { text::percent(all.value) }
                </strong>
                <span>{ format!(
                    "of {} {} images right; 95 % interval {}; loss {:.4}",
                    text::count(all.of), report.split, text::interval(all), report.loss
                ) }</span>
            </p>
            if report.seen > 0 {
                <p class="hint" data-testid="seen" data-images={report.seen.to_string()}>
                    { text::seen(report.seen as u64, all.of) }
                </p>
            }
            <h3>{ "By class" }</h3>
            <div class="scroll">
                <table>
                    <thead><tr>
                        <th scope="col">{ "Class" }</th>
                        <th scope="col" class="number">{ "Accuracy" }</th>
                        <th scope="col"><span class="unseen">{ "As a bar" }</span></th>
                        <th scope="col" class="number">{ "95 % interval" }</th>
                        <th scope="col" class="number">{ "Right" }</th>
                    </tr></thead>
                    <tbody>{ for rows }</tbody>
                </table>
            </div>
            <h3>{ "Confusion" }</h3>
            <Confusion report={props.report.clone()} />
            <SkippedList files={report.skipped.clone()} testid="skipped-row" />
        </>
    }
}
