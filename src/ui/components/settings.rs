//! The inputs of the training settings: a few in sight, the others to unfold.

use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use crate::{
    config::Scope,
    ui::{
        controller::Intent,
        form::{
            Choice, Field, Flag, Item, TrainForm,
            layout::{AUGMENT, FIRST, Group, MORE},
        },
        shared::Shared,
        state::Action,
    },
};

/// The settings.
#[derive(PartialEq, Properties)]
pub struct SettingsProps {
    /// As typed and chosen.
    pub form: Shared<TrainForm>,
    /// Whether they are in use by a running training.
    pub disabled: bool,
    /// Whether the model in use can train nothing but its head.
    pub head_only: bool,
    /// What the augmentation does, shown under its settings.
    pub preview: Html,
    /// Told what the user wants.
    pub on: Callback<Intent>,
}

/// The inputs.
#[component]
pub fn Settings(props: &SettingsProps) -> Html {
    html! {
        <>
            <div class="settings">{ for FIRST.iter().map(|i| item(props, *i)) }</div>
            <details class="more" data-testid="more-settings">
                <summary>{ "More settings" }</summary>
                { for MORE.iter().map(|g| group(props, g)) }
            </details>
            <details class="more" data-testid="augment-settings">
                <summary>{ "Augmentation" }</summary>
                { for AUGMENT.iter().map(|g| group(props, g)) }
                { props.preview.clone() }
            </details>
        </>
    }
}

fn group(props: &SettingsProps, (title, items): &Group) -> Html {
    html! {
        <fieldset>
            <legend>{ *title }</legend>
            <div class="settings">{ for items.iter().map(|i| item(props, *i)) }</div>
        </fieldset>
    }
}

fn item(props: &SettingsProps, item: Item) -> Html {
    let disabled = props.disabled || !props.form.is_used(item);
    match item {
        Item::F(field) => input(props, field, disabled),
        Item::C(choice) => select(props, choice, disabled),
        Item::O(flag) => check(props, flag, disabled),
    }
}

fn input(props: &SettingsProps, field: Field, disabled: bool) -> Html {
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
                value={props.form.typed(field).to_owned()} {disabled} {oninput}
                aria-invalid={problem.is_some().to_string()} aria-describedby={hint.clone()} />
            <p id={hint} class={classes!("hint", problem.is_some().then_some("problem"))}>
                { problem.unwrap_or_else(|| props.form.hint(field)) }
            </p>
        </div>
    }
}

fn select(props: &SettingsProps, choice: Choice, disabled: bool) -> Html {
    let on = props.on.clone();
    let onchange = Callback::from(move |event: Event| {
        let select: HtmlSelectElement = event.target_unchecked_into();
        on.emit(Intent::Act(Action::Chosen(choice, select.value())));
    });
    let chosen = props.form.chosen(choice);
    let head_only = choice == Choice::Scope && props.head_only;
    let options = choice.names().into_iter().enumerate().map(|(i, name)| {
        let disabled = head_only && name != Scope::Head.name();
        html! { <option value={name} selected={i == chosen} {disabled}>{ choice.label(i) }</option> }
    });
    let id = choice.test_id();
    let hint = match choice {
        Choice::Head => Some("new layers on the backbone, trained from scratch"),
        Choice::Scope if head_only => {
            Some("this backbone gives features; a ResNet's layers can be trained too")
        }
        Choice::Scope => Scope::from_name(props.form.chosen_name(choice)).map(Scope::cost),
        Choice::Augment => {
            Some("what is done to training images, so that no epoch shows the same twice")
        }
        Choice::Norm => Some("frozen statistics for few images; trained ones for long trainings"),
        Choice::Crop => Some("a border is mirrored; a part is resized"),
        Choice::Edges => Some("what comes where nothing was"),
        _ => None,
    };
    html! {
        <div class="field" key={id}>
            <label for={id}>{ choice.title() }</label>
            <select {id} data-testid={id} {disabled} {onchange}
                aria-describedby={hint.map(|_| format!("{id}-hint"))}>{ for options }</select>
            if let Some(hint) = hint {
                <p id={format!("{id}-hint")} class="hint">{ hint }</p>
            }
        </div>
    }
}

fn check(props: &SettingsProps, flag: Flag, disabled: bool) -> Html {
    let on = props.on.clone();
    let onchange = Callback::from(move |event: Event| {
        let input: HtmlInputElement = event.target_unchecked_into();
        on.emit(Intent::Act(Action::Flagged(flag, input.checked())));
    });
    let id = flag.test_id();
    html! {
        <div class="field" key={id}>
            <label class="check">
                <input type="checkbox" data-testid={id} checked={props.form.flag(flag)} {disabled} {onchange} />
                { flag.title() }
            </label>
        </div>
    }
}
