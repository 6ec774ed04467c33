//! The inputs of the training settings: a few in sight, the others to unfold.

use std::collections::BTreeMap;

use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use crate::{
    config::{Input, Scope, Setting, TrainRequest, Word},
    ui::{controller::Intent, form::TrainForm, shared::Shared, state::Action, text},
};

/// The settings.
#[derive(PartialEq, Properties)]
pub struct SettingsProps {
    /// As typed and chosen.
    pub form: Shared<TrainForm>,
    /// Whether they are in use by a running training.
    pub disabled: bool,
    /// What the augmentation does, shown under its settings.
    pub preview: Html,
    /// Told what the user wants.
    pub on: Callback<Intent>,
}

/// The inputs.
#[component]
pub fn Settings(props: &SettingsProps) -> Html {
    let inputs = Inputs {
        props,
        valid: props.form.valid(),
        problems: props.form.problems(),
    };
    let rest: Vec<_> = Setting::all().filter(|s| !s.group.is_empty()).collect();
    let (augment, more): (Vec<_>, Vec<_>) = rest.into_iter().partition(|s| s.is_augment());
    html! {
        <>
            { inputs.row(Setting::all().filter(|s| s.group.is_empty())) }
            <details class="more" data-testid="more-settings">
                <summary>{ "More settings" }</summary>
                { inputs.groups(&more) }
            </details>
            <details class="more" data-testid="augment-settings">
                <summary>{ "Augmentation" }</summary>
                { inputs.groups(&augment) }
                { props.preview.clone() }
            </details>
        </>
    }
}

/// What the inputs are made from.
struct Inputs<'a> {
    props: &'a SettingsProps,
    /// Says which settings have an effect.
    valid: TrainRequest,
    problems: BTreeMap<&'static str, String>,
}

impl Inputs<'_> {
    /// Each group under its heading.
    fn groups(&self, settings: &[&'static Setting]) -> Html {
        let groups = settings.chunk_by(|a, b| a.group == b.group);
        let group = |group: &[&'static Setting]| {
            html! {
                <fieldset>
                    <legend>{ group[0].group }</legend>
                    { self.row(group.iter().copied()) }
                </fieldset>
            }
        };
        html! { <>{ for groups.map(group) }</> }
    }

    fn row(&self, settings: impl Iterator<Item = &'static Setting>) -> Html {
        let inputs = settings.filter(|s| s.on_page).map(|s| self.input(s));
        html! { <div class="settings">{ for inputs }</div> }
    }

    fn input(&self, setting: &'static Setting) -> Html {
        let disabled = self.props.disabled || !setting.is_used(&mut self.valid.clone());
        match setting.input() {
            Input::Text => self.text(setting, disabled),
            Input::Words(words) => self.select(setting, words, disabled),
            Input::Switch => self.check(setting, disabled),
        }
    }

    fn text(&self, setting: &'static Setting, disabled: bool) -> Html {
        let oninput = self.told(setting, |event: InputEvent| {
            event.target_unchecked_into::<HtmlInputElement>().value()
        });
        let problem = self.problems.get(setting.key);
        let id = setting.test_id();
        let hint = format!("{id}-hint");
        html! {
            <div class="field" key={setting.key}>
                <label for={id.clone()}>{ setting.title() }</label>
                <input type="text" inputmode="decimal" autocomplete="off" id={id.clone()} data-testid={id}
                    value={self.props.form.typed(setting.key).to_owned()} {disabled} {oninput}
                    aria-invalid={problem.is_some().to_string()} aria-describedby={hint.clone()} />
                <p id={hint} class={classes!("hint", problem.is_some().then_some("problem"))}>
                    { problem.cloned().unwrap_or_else(|| setting.hint()) }
                </p>
            </div>
        }
    }

    fn select(&self, setting: &'static Setting, words: &'static [Word], disabled: bool) -> Html {
        let onchange = self.told(setting, |event: Event| {
            event.target_unchecked_into::<HtmlSelectElement>().value()
        });
        let chosen = self.props.form.typed(setting.key);
        let scope = setting.key == "scope";
        let options = words.iter().map(|(name, label)| {
            html! { <option value={*name} selected={*name == chosen}>{ *label }</option> }
        });
        let id = setting.test_id();
        let hint = if scope {
            Scope::from_name(chosen).map_or("", text::cost)
        } else {
            setting.note
        };
        html! {
            <div class="field" key={setting.key}>
                <label for={id.clone()}>{ setting.title() }</label>
                <select id={id.clone()} data-testid={id.clone()} {disabled} {onchange}
                    aria-describedby={(!hint.is_empty()).then(|| format!("{id}-hint"))}>{ for options }</select>
                if !hint.is_empty() {
                    <p id={format!("{id}-hint")} class="hint">{ hint }</p>
                }
            </div>
        }
    }

    fn check(&self, setting: &'static Setting, disabled: bool) -> Html {
        let onchange = self.told(setting, |event: Event| {
            let input = event.target_unchecked_into::<HtmlInputElement>();
            input.checked().to_string()
        });
        let checked = self.props.form.typed(setting.key) == true.to_string();
        html! {
            <div class="field" key={setting.key}>
                <label class="check">
                    <input type="checkbox" data-testid={setting.test_id()} {checked} {disabled} {onchange} />
                    { setting.title() }
                </label>
            </div>
        }
    }

    /// Tells what an event makes of a setting.
    fn told<E: 'static>(&self, setting: &'static Setting, text: fn(E) -> String) -> Callback<E> {
        let (on, key) = (self.props.on.clone(), setting.key);
        Callback::from(move |event| on.emit(Intent::Act(Action::Typed(key, text(event)))))
    }
}
