//! The runs that are kept: a line each, those that differ in their seed only together.

use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::{overlay::Overlay, says};
use crate::{
    compare::{self, Group, MeanStd},
    protocol::{Proportion, Run},
    ui::{
        controller::Intent,
        shared::Shared,
        state::{Action, CURVES, Runs},
        text, timing,
    },
};

/// The runs.
#[derive(PartialEq, Properties)]
pub struct RunsTableProps {
    /// They.
    pub runs: Shared<Runs>,
    /// Told what the user wants.
    pub on: Callback<Intent>,
}

/// The table, and the curves of those that are ticked.
#[component]
pub fn RunsTable(props: &RunsTableProps) -> Html {
    let groups = compare::groups(&props.runs.all);
    let count = props.runs.all.len();
    html! {
        <div class="runs" data-testid="runs" data-runs={count.to_string()}>
            <h3 id="runs-title">{ "Runs" }</h3>
            if count == 0 {
                <p class="muted">
                    { "Every training that comes to its end is listed here with its settings and its accuracy, \
                       to be compared with others; also after a reload." }
                </p>
            } else {
                <p class="muted small">
                    { format!("Tick up to {CURVES} to lay their curves over one another and to see in which \
                               settings they differ. Accuracies with their 95 % interval.") }
                </p>
                <div class="scroll">
                    <table aria-labelledby="runs-title">
                        <thead><tr>
                            <th scope="col">{ "Curves" }</th>
                            <th scope="col">{ "When" }</th>
                            <th scope="col">{ "Validation accuracy" }</th>
                            <th scope="col">{ "Test accuracy" }</th>
                            <th scope="col">{ "Data set" }</th>
                            <th scope="col">{ "Backbone" }</th>
                            <th scope="col">{ "Trained" }</th>
                            <th scope="col">{ "Head" }</th>
                            <th scope="col">{ "Augmentation" }</th>
                            <th scope="col">{ "Optimizer, rate" }</th>
                            <th scope="col" class="number">{ "Epochs (best)" }</th>
                            <th scope="col" class="number">{ "Seed" }</th>
                            <th scope="col" class="number">{ "Time" }</th>
                            <th scope="col"><span class="unseen">{ "Forget" }</span></th>
                        </tr></thead>
                        <tbody>
                            { for groups.iter().map(|group| html! {
                                <>
                                    { summary(group) }
                                    { for group.runs.iter().map(|run| line(props, run)) }
                                </>
                            }) }
                        </tbody>
                    </table>
                </div>
                <Overlay runs={props.runs.clone()} />
            }
        </div>
    }
}

/// What several seeds of the same give together.
fn summary(group: &Group) -> Html {
    let Some(validation) = group.validation() else {
        return html! {};
    };
    let test = group.test();
    let number =
        |spread: Option<MeanStd>, of: fn(&MeanStd) -> f64| spread.map(|s| of(&s).to_string());
    html! {
        <tr class="group" data-testid="run-group" data-group={group.id.to_string()}
            data-count={validation.count.to_string()}
            data-val-mean={validation.mean.to_string()} data-val-deviation={validation.deviation.to_string()}
            data-test-mean={number(test, |s| s.mean)} data-test-deviation={number(test, |s| s.deviation)}>
            <td></td>
            <th scope="row">{ format!("{} seeds", validation.count) }</th>
            <td>{ text::spread(&validation) }</td>
            <td>{ test.as_ref().map(text::spread) }</td>
            <td colspan="10" class="muted">
                { format!("mean ± standard deviation of the {} runs below", validation.count) }
            </td>
        </tr>
    }
}

/// A mark beside an accuracy on images some of which the backbone was trained on.
fn seen(images: usize) -> Html {
    html! {
        if images > 0 {
            <span class="muted" data-testid="run-seen" title={format!("{images} of these images were seen in the training of the backbone")}>
                { format!(" {images} seen") }
            </span>
        }
    }
}

fn line(props: &RunsTableProps, run: &Run) -> Html {
    let id = run.id;
    let shown = props.runs.place(id).is_some();
    let onchange = {
        let on = props.on.clone();
        Callback::from(move |event: Event| {
            let input: HtmlInputElement = event.target_unchecked_into();
            on.emit(Intent::Act(Action::Show(id, input.checked())));
        })
    };
    let when = timing::moment(id as f64);
    let c = &run.config;
    let augment = c
        .augment
        .name()
        .map_or_else(|| c.augment.words().join(", "), str::to_owned);
    let stopped = if run.stopped { ", stopped" } else { "" };
    html! {
        <tr key={id.to_string()} data-testid="run-row" data-run={id.to_string()} data-group={run.group.to_string()}
            data-val-accuracy={run.validation.value.to_string()}
            data-test-accuracy={run.test.map(|t| t.value.to_string())} data-seed={c.seed.to_string()}>
            <td>
                <input type="checkbox" data-testid="run-show" data-run={id.to_string()} checked={shown}
                    aria-label={format!("Show the curves of the run of {when}, seed {}", c.seed)}
                    disabled={!shown && !props.runs.has_room()} {onchange} />
                <span class="letter" aria-hidden="true">{ props.runs.letter(id) }</span>
            </td>
            <th scope="row">{ &when }</th>
            <td>{ accuracy(&run.validation) }{ seen(run.seen.map_or(0, |seen| seen.validation)) }</td>
            <td>
                { run.test.as_ref().map_or_else(|| html! { "–" }, accuracy) }
                if run.test.is_some() {
                    { seen(run.seen.map_or(0, |seen| seen.test)) }
                }
            </td>
            <td class="name" title={run.dataset.clone()}>{ &run.dataset }</td>
            <td>{ run.arch.name() }</td>
            <td>{ c.scope.label() }</td>
            <td>{ c.head.name() }</td>
            <td class="name" title={augment.clone()}>{ &augment }</td>
            <td>{ format!("{}, {}", c.optimizer.name(), text::rate(c.learning_rate)) }</td>
            <td class="number">{ format!("{} ({}){stopped}", run.epochs.len(), run.best_epoch) }</td>
            <td class="number">{ c.seed }</td>
            <td class="number">{ text::duration(run.milliseconds) }</td>
            <td>
                <button type="button" class="quiet" data-testid="run-forget" data-run={id.to_string()}
                    aria-label={format!("Forget the run of {when}, seed {}", c.seed)}
                    onclick={says::<MouseEvent>(&props.on, move || Intent::Forget(id))}>{ "×" }</button>
            </td>
        </tr>
    }
}

fn accuracy(share: &Proportion) -> Html {
    html! {
        <>
            { text::percent(share.value) }
            <span class="muted">{ format!(" ({})", text::interval(share)) }</span>
        </>
    }
}
