//! The inputs of the training settings.

use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use crate::{
    config::{HeadKind, Scope},
    ui::{
        desk::Intent,
        form::{Field, TrainForm},
        parts::Shared,
        state::Action,
    },
};

/// The settings.
#[derive(PartialEq, Properties)]
pub struct SettingsProps {
    /// As typed.
    pub form: Shared<TrainForm>,
    /// Whether they are in use by a running training.
    pub disabled: bool,
    /// Told what the user wants.
    pub on: Callback<Intent>,
}

/// The inputs.
#[component]
pub fn Settings(props: &SettingsProps) -> Html {
    let onchange = {
        let on = props.on.clone();
        Callback::from(move |event: Event| {
            let select: HtmlSelectElement = event.target_unchecked_into();
            if let Some(head) = HeadKind::from_name(&select.value()) {
                on.emit(Intent::Act(Action::Head(head)));
            }
        })
    };
    let onscope = {
        let on = props.on.clone();
        Callback::from(move |event: Event| {
            let select: HtmlSelectElement = event.target_unchecked_into();
            if let Some(scope) = Scope::from_name(&select.value()) {
                on.emit(Intent::Act(Action::Scope(scope)));
            }
        })
    };
    let scopes = Scope::ALL.into_iter().map(|scope| {
        html! {
            <option value={scope.name()} selected={scope == props.form.scope}>{ scope.description() }</option>
        }
    });
    let heads = HeadKind::ALL.into_iter().map(|head| {
        html! {
            <option value={head.name()} selected={head == props.form.head}>
                { format!("{} ({})", head.name(), head.description()) }
            </option>
        }
    });
    html! {
        <div class="settings">
            <div class="field">
                <label for="head">{ "Head" }</label>
                <select id="head" data-testid="head-select" disabled={props.disabled} {onchange}>{ for heads }</select>
                <p class="hint">{ "new layers on the backbone, trained from scratch" }</p>
            </div>
            <div class="field">
                <label for="scope">{ "What is trained" }</label>
                <select id="scope" data-testid="scope-select" disabled={props.disabled} onchange={onscope}
                    aria-describedby="scope-hint">{ for scopes }</select>
                <p id="scope-hint" class="hint">{ props.form.scope.cost() }</p>
            </div>
            { for Field::ALL.into_iter().map(|field| input(props, field)) }
        </div>
    }
}

fn input(props: &SettingsProps, field: Field) -> Html {
    let on = props.on.clone();
    let oninput = Callback::from(move |event: InputEvent| {
        let input: HtmlInputElement = event.target_unchecked_into();
        on.emit(Intent::Act(Action::Typed(field, input.value())));
    });
    let problem = props.form.problem(field);
    let (id, hint) = (field.test_id(), format!("{}-hint", field.test_id()));
    html! {
        <div class="field" key={id}>
            <label for={id}>{ field.title() }</label>
            <input type="text" inputmode="decimal" autocomplete="off" {id} data-testid={id}
                value={props.form.typed(field).to_owned()} disabled={props.disabled || !props.form.is_used(field)} {oninput}
                aria-invalid={problem.is_some().to_string()} aria-describedby={hint.clone()} />
            <p id={hint} class={classes!("hint", problem.is_some().then_some("problem"))}>
                { problem.unwrap_or_else(|| field.hint()) }
            </p>
        </div>
    }
}
