//! A training that did not come to its end: go on with it, or drop it.

use yew::prelude::*;

use super::says;
use crate::{
    protocol::Interrupted,
    ui::{controller::Intent, shared::Shared, state::Continuation, text},
};

/// The training.
#[derive(PartialEq, Properties)]
pub struct BannerProps {
    /// It.
    pub run: Shared<Interrupted>,
    /// What "Continue" does.
    pub continuation: Option<Continuation>,
    /// Whether it can go on now.
    pub idle: bool,
    /// Told what the user wants.
    pub on: Callback<Intent>,
}

/// The offer.
#[component]
pub fn Banner(props: &BannerProps) -> Html {
    let needs = matches!(
        props.continuation,
        Some(Continuation::Perhaps | Continuation::NeedsData)
    );
    let ready = props.idle && props.continuation != Some(Continuation::NeedsData);
    let done = props.run.epochs.last().map_or(0, |r| r.epoch);
    html! {
        <div class="notice offer" role="status" data-testid="interrupted" data-epoch={done.to_string()}
            data-epochs={props.run.config.epochs.to_string()} data-dataset={props.run.dataset.clone()}>
            <p>
                { text::interrupted(&props.run) }
                if needs { { " " }{ text::needs_images(&props.run) } }
            </p>
            <div class="actions">
                <button type="button" data-testid="continue" disabled={!ready}
                    onclick={says::<MouseEvent>(&props.on, || Intent::Continue)}>{ "Continue" }</button>
                <button type="button" data-testid="discard" disabled={!props.idle}
                    onclick={says::<MouseEvent>(&props.on, || Intent::Discard)}>{ "Discard" }</button>
            </div>
        </div>
    }
}
