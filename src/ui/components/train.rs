//! The section where a model is trained.

use web_sys::HtmlSelectElement;
use yew::prelude::*;

use super::{
    curves::Curves, epochs::Epochs, gradients::Gradients, progress::ProgressLine, says,
    settings::Settings, skipped::SkippedList,
};
use crate::{
    config::StartFrom,
    protocol::EngineState,
    ui::{
        controller::Intent,
        form::TrainForm,
        jobs::Job,
        shared::Shared,
        state::Action,
        text,
        training::{Forecast, Training},
    },
};

/// What the section shows.
#[derive(PartialEq, Properties)]
pub struct TrainProps {
    /// The settings as typed.
    pub form: Shared<TrainForm>,
    /// The last training.
    pub training: Option<Shared<Training>>,
    /// An interrupted training, if there is one to go on with.
    pub banner: Option<Html>,
    /// What the augmentation does.
    pub preview: Html,
    /// The training under way.
    pub job: Option<Job>,
    /// The estimate under way.
    pub estimating: Option<Job>,
    /// The last estimate.
    pub forecast: Option<Shared<Forecast>>,
    /// What the engine is doing.
    pub engine: EngineState,
    /// Whether a training can begin now.
    pub idle: bool,
    /// Which model it begins from, as chosen.
    pub start: StartFrom,
    /// Which one that is, and why, once there are images.
    pub begins_from: Option<String>,
    /// Why it cannot begin, if something is missing.
    pub needs: Option<String>,
    /// Messages of the section.
    pub notices: Html,
    /// Told what the user wants.
    pub on: Callback<Intent>,
}

/// The section. All buttons are always there, so that nothing jumps; the ones of no use are off.
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
    let busy = props.job.clone().or(props.estimating.clone());
    html! {
        <section id="train" aria-labelledby="train-title">
            <h2 id="train-title">{ "Train" }</h2>
            <p class="lead">
                { "Every image goes through the backbone once; then a new head is trained on what came out. \
                   Training convolutions too usually gives a better model and takes longer. The best epoch's model is \
                   in use at once and kept for the next visit." }
            </p>
            { props.banner.clone() }
            <Settings form={props.form.clone()} disabled={busy.is_some()} preview={props.preview.clone()} {on} />
            { begins_from(props, busy.is_some()) }
            <div class="actions">
                { button("train-start", "Train", startable, || Intent::Train) }
                { button("train-estimate", "How long?", startable, || Intent::Estimate) }
                { button("train-pause", "Pause", can(&[EngineState::Training]), || Intent::Pause) }
                { button("train-resume", "Resume", can(&[EngineState::Paused]), || Intent::Resume) }
                { button("train-stop", "Stop, keep the best epoch",
                    can(&[EngineState::Training, EngineState::Paused]), || Intent::Stop) }
            </div>
            { forecast(props.forecast.as_deref()) }
            { props.notices.clone() }
            if let (None, Some(needs)) = (&busy, &props.needs) {
                <p class="progress-line muted" data-testid="train-needs">{ needs }</p>
            } else {
                <ProgressLine job={busy} on={on.clone()} />
            }
            { status(props.training.as_deref(), running) }
            <Curves training={props.training.clone()} />
            if let Some(training) = &props.training {
                <Epochs training={training.clone()} />
                <Gradients training={training.clone()} />
                <SkippedList files={training.skipped.clone()} testid="error-row" />
            }
        </section>
    }
}

/// Which model it begins from, to choose, and why. The line is always there.
fn begins_from(props: &TrainProps, disabled: bool) -> Html {
    let on = props.on.clone();
    let onchange = Callback::from(move |event: Event| {
        let select: HtmlSelectElement = event.target_unchecked_into();
        if let Some(start) = StartFrom::from_name(&select.value()) {
            on.emit(Intent::Act(Action::ChooseStart(start)));
        }
    });
    html! {
        <>
            <div class="actions">
                <label for="start-from">{ "Begin from" }</label>
                <select id="start-from" data-testid="start-from" aria-describedby="begins-from" {disabled} {onchange}>
                    { for StartFrom::ALL.into_iter().map(|start| html! {
                        <option value={start.name()} selected={start == props.start}>{ start.label() }</option>
                    }) }
                </select>
            </div>
            <p id="begins-from" class="hint" data-testid="begins-from">{ props.begins_from.clone() }</p>
        </>
    }
}

/// How long it will take. The line is always there.
fn forecast(forecast: Option<&Forecast>) -> Html {
    let Some(forecast) = forecast else {
        return html! { <p class="result two" role="status"></p> };
    };
    let e = &forecast.estimate;
    html! {
        <p class="result two" role="status" data-testid="estimate" data-milliseconds={e.milliseconds.to_string()}
            data-prepare={e.prepare_milliseconds.to_string()} data-epoch={e.epoch_milliseconds.to_string()}
            data-steps={e.steps.to_string()} data-step={e.step_milliseconds.to_string()}
            data-bytes={e.bytes.to_string()} data-views={e.views.to_string()}>
            { text::forecast(forecast) }
        </p>
    }
}

/// Which training it is and how far, then what it is like at the moment.
fn status(training: Option<&Training>, running: bool) -> Html {
    let turn = training.and_then(|t| t.turn);
    let views = training.and_then(|t| t.views);
    let pulse = training.and_then(|t| t.pulses.last()).filter(|_| running);
    html! {
        <>
            <p class="result two">
                if let Some((turn, words)) = turn.and_then(|turn| Some((turn, text::turn(turn)?))) {
                    <span data-testid="turn" data-number={turn.number.to_string()} data-of={turn.of.to_string()}
                        data-seed={turn.seed.to_string()}>{ words }</span>
                }
                if let Some(views) = views {
                    <span data-testid="views" data-views={views.0.to_string()}
                        data-images={views.1.to_string()}>{ text::views(views) }</span>
                }
                <span data-testid="train-result">{ training.map(text::training) }</span>
            </p>
            if let Some(pulse) = pulse {
                <p class="result muted" data-testid="pulse" data-epoch={pulse.epoch.to_string()}
                    data-loss={pulse.loss.to_string()} data-learning-rate={pulse.learning_rate.to_string()}
                    data-images-per-second={pulse.images_per_second.to_string()}>{ text::pulse(pulse) }</p>
            } else {
                <p class="result"></p>
            }
        </>
    }
}
